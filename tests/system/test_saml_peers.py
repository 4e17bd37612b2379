# SPDX-License-Identifier: GPL-2.0-or-later
"""SAML 2.0 across protocols: others' programs at both ends (pysaml2, node-saml, npm wsfed, passport-wsfed-saml2), some of it in a real Chromium."""
import base64
import html
import json
import re
import urllib.parse

import pytest

import harness
import saml
from idp import IdentityProvider
from messages import PASSIVE
from protected import protecting
from rp import RelyingParty
from saml import begin, browser, choose, entity_id, sign_in_here, submit
from test_saml import EDUPERSON

HTTP_ERROR = 'Failed to load resource: the server responded with a status of 4'
INITIATED = '/adfs/ls/IdpInitiatedSignOn.aspx'
PAGES = {'list_applications': 'true'}


class World:
    def __init__(self, gateway, **peers):
        self.gateway, self.peers = gateway, peers

    def __getattr__(self, name):
        return self.peers[name]


@pytest.fixture(scope='module')
def world(authority):
    """pysaml2 as identity and as service provider, node-saml twice (the second wants Responses signed, and nothing encrypted), npm wsfed
    as identity provider, passport-wsfed-saml2 as relying party."""
    folder = harness.temporary_folder()
    sp, idp = saml.Pysaml2Sp('sp', folder, authority), saml.Pysaml2Idp('idp', folder, authority, '--encrypt', '--sign-response')
    sp.publish()
    idp.publish()
    node = saml.NodeSamlSp('node', folder, authority, idp.metadata)
    strict = saml.NodeSamlSp('strict', folder, authority, idp.metadata, WRS='1', BINDING='HTTP-POST')
    node.publish()
    strict.publish()
    wsfed, site = IdentityProvider('ada', folder, authority, TOKEN='saml20', TRUST='13'), RelyingParty('site', folder)
    basic = 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic'
    partners = {
        **harness.PARTNERS,
        'pysaml2': {'metadata': sp.metadata, 'claims': harness.CLAIMS, 'display_name': 'A Python site'},
        'node': {'metadata': node.metadata, 'claims': harness.CLAIMS, 'attribute_name_format': basic, 'display_name': 'A Node site'},
        'strict': {'metadata': strict.metadata, 'claims': harness.CLAIMS, 'sign_response': 'true', 'encrypt': 'false', 'name_id': 'upn'},
        'site': {**site.section(), 'claims': [*harness.CLAIMS, 'upn'], 'name_id': 'upn'},
    }
    sections = {'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                ('identity_provider', 'university'): {'metadata': idp.metadata, 'acceptance_rules': EDUPERSON},
                ('identity_provider', 'ada'): {'display_name': 'Ada', 'issuer': wsfed.issuer, 'certificate': [wsfed.certificate],
                                               'sign_in': wsfed.origin + '/wsfed'}}  # fmt: skip
    peers = {'sp': sp, 'idp': idp, 'node': node, 'strict': strict}
    with harness.Gateway(authority, partners=partners, sections=sections, options=PAGES) as gateway:
        started = []
        try:
            for peer in peers.values():
                peer.start(gateway)
                started.append(peer)
            wsfed.start()
            started.append(wsfed)
            site.start(gateway)
            started.append(site)
            gateway.sp, gateway.idp = sp, idp
            yield World(gateway, wsfed=wsfed, site=site, **peers)
        finally:
            for peer in started:
                peer.stop()
    assert '[alert]' not in gateway.last_log and '[crit]' not in gateway.last_log, gateway.last_log


def follow(session, page, peer, most=4):
    """Sends forms on until a page of that peer's that has none."""
    for _ in range(most):
        if page.url.startswith(peer.origin) and '<form' not in page.text:
            return page
        page = submit(session, page)
    return page


def answer_of(page):
    """The XML of the Response on a page that posts it."""
    return base64.b64decode(re.search(r'name="SAMLResponse" value="([^"]*)"', page.text).group(1))


def login(session, peer, **wishes):
    page = session.get(peer.origin + '/login?' + urllib.parse.urlencode(wishes), timeout=30)
    return submit(session, page) if page.url.startswith(peer.origin) and 'SAMLRequest' in page.text else page


# ---- node-saml as service provider


def test_node_saml_gets_an_encrypted_assertion(world):
    session = browser()
    page = sign_in_here(session, login(session, world.node))
    xml = answer_of(page)
    assert b'EncryptedAssertion' in xml and b'<saml:Assertion' not in xml
    page = follow(session, page, world.node)
    profile = json.loads(page.text)
    assert page.status_code == 200, page.text
    assert profile['issuer'] == entity_id(world.gateway) and profile['relayState'] == 'rs1'
    assert 'alice@example.com' in page.text and profile['nameIDFormat'].endswith(':transient')


def test_node_saml_wants_the_response_signed_and_asks_by_post(world):
    session = browser()
    page = sign_in_here(session, login(session, world.strict))
    assert b'EncryptedAssertion' not in answer_of(page) and answer_of(page).count(b'<ds:Signature ') == 2
    page = follow(session, page, world.strict)
    assert page.status_code == 200 and 'alice@example.com' in page.text, page.text


def test_node_saml_asks_again_and_without_a_page(world):
    session = browser()
    page = login(session, world.node, passive=1)
    page = submit(session, page)
    assert page.status_code == 400 and 'IsPassive' in page.text, page.text
    follow(session, sign_in_here(session, login(session, world.node)), world.node)
    page = login(session, world.node, passive=1)
    assert follow(session, page, world.node).status_code == 200
    page = login(session, world.node, force=1)
    assert 'name="password"' in page.text and 'SAMLResponse' not in page.text


def test_the_name_format_is_what_the_partner_wants(world):
    session = browser()
    page = sign_in_here(session, begin(session, world.gateway))
    assert b'NameFormat' not in answer_of(page)
    session = browser()
    page = sign_in_here(session, login(session, world.strict))
    assert b'NameFormat' not in answer_of(page)


# ---- the identity provider begins


def test_the_identity_provider_begins(world):
    session = browser()
    page = session.get(world.gateway.url(INITIATED), params={'loginToRp': world.node.entity_id, 'RelayState': 'deep/link?a=b&c'}, timeout=30)
    page = follow(session, sign_in_here(session, page), world.node)
    assert page.status_code == 200 and json.loads(page.text)['relayState'] == 'deep/link?a=b&c', page.text
    page = session.get(world.gateway.url(INITIATED), params={'loginToRp': 'urn:nobody'}, timeout=30)
    assert page.status_code == 400


def test_sa12_relay_state_with_markup_stays_text(world):
    """It comes to the application as it was, and is no markup on the page that posts it."""
    evil = '"><script>alert(1)</script>\'&<img src=x onerror=alert(2)>'
    session = browser()
    page = session.get(world.gateway.url(INITIATED), params={'loginToRp': world.node.entity_id, 'RelayState': evil}, timeout=30)
    page = sign_in_here(session, page)
    assert '<script>alert' not in page.text and '<img' not in page.text
    assert "script-src 'nonce-" in page.headers['Content-Security-Policy'], page.headers
    page = follow(session, page, world.node)
    assert page.status_code == 200 and json.loads(page.text)['relayState'] == evil, page.text


def test_the_list_of_applications_leads_to_either_protocol(world):
    session = browser()
    page = session.get(world.gateway.url(INITIATED), timeout=30)
    found = {html.unescape(name): html.unescape(value) for value, name in re.findall(r'name="loginToRp" value="([^"]*)">([^<]*)<', page.text)}
    assert found['A Node site'] == world.node.entity_id and found['Site site'] == world.site.realm
    page = session.get(world.gateway.url(INITIATED), params={'loginToRp': found['Site site']}, timeout=30)
    page = sign_in_here(session, page)
    assert 'name="wresult"' in page.text


# ---- cells of the matrix


def test_saml_identity_provider_to_wsfederation_relying_party(world):
    """pysaml2 (an encrypted assertion in a signed Response) -> passport-wsfed-saml2."""
    session = browser()
    page = choose(session, session.get(world.site.secure, timeout=30), 'university')
    assert page.url.startswith(world.idp.origin), page.url
    page = submit(session, page, username='alice', password='alicepw')
    assert 'EncryptedAssertion' in base64.b64decode(re.search(r'name="SAMLResponse" value="([^"]*)"', page.text).group(1)).decode()
    page = follow(session, page, world.site)
    assert page.status_code == 200 and 'alice@pysaml2.test' in page.text, page.text


def test_wsfederation_identity_provider_to_saml_service_provider(world):
    """npm wsfed -> node-saml."""
    session = browser()
    page = choose(session, login(session, world.node), 'Ada')
    assert page.url.startswith(world.wsfed.origin) or world.wsfed.origin in page.text, page.url
    page = follow(session, page, world.node, 6)
    assert page.status_code == 200 and json.loads(page.text)['issuer'] == entity_id(world.gateway), page.text


def test_saml_identity_provider_to_saml_service_provider(world):
    """pysaml2 -> node-saml."""
    session = browser()
    page = submit(session, choose(session, login(session, world.node), 'university'), username='bob', password='bobpw')
    page = follow(session, page, world.node)
    assert page.status_code == 200 and 'bob@pysaml2.test' in page.text, page.text


def test_the_service_provider_chooses_the_identity_provider(world):
    """whr goes before the choice, as in WS-Federation."""
    session = browser()
    page = session.get(world.gateway.url(PASSIVE), params={'wa': 'wsignin1.0', 'wtrealm': world.site.realm, 'whr': world.idp.entity_id}, timeout=30)
    assert page.url.startswith(world.idp.origin), page.url


def test_saml_identity_provider_to_protected_location(authority):
    folder = harness.temporary_folder()
    idp = saml.Pysaml2Idp('idp2', folder, authority)
    idp.publish()
    conf = 'protect "app" { display_name = "The intranet" home_realm = "%s" }\n' % idp.entity_id
    conf += harness.conf_section('identity_provider', 'university', {'metadata': idp.metadata, 'acceptance_rules': EDUPERSON})
    with protecting(authority, 'location /app/ { fedgate_protect CONF app; PROXY }', gateway_conf=conf) as gateway:
        idp.start(gateway)
        try:
            session = browser()
            page = session.get(gateway.url('/app/page?a=b'), headers={'Accept': 'text/html'}, timeout=30)
            assert page.url.startswith(idp.origin), page.url
            page = submit(session, page, username='alice', password='alicepw')
            for _ in range(3):
                if '/app/page' not in page.url:
                    page = submit(session, page)
            seen = json.loads(page.text)
            assert seen['path'] == '/app/page?a=b'
            assert ['X-Fedgate-Issuer', idp.entity_id] in seen['headers'], seen
        finally:
            idp.stop()


# ---- in a real browser


def test_node_saml_in_a_browser(world, profile):
    page = profile(locale='en', forgive=[HTTP_ERROR])
    page.goto(world.node.origin + '/login')
    page.click('.choice')
    page.sign_in('alice', 'alice-secret')
    harness.wait_for(lambda: page.url() == world.node.origin + '/', 15)
    assert 'alice@example.com' in page.text()


def test_pysaml2_in_a_browser(world, profile):
    """Both ends: a SAML identity provider's account opens a SAML site."""
    page = profile(locale='en', forgive=[HTTP_ERROR])
    page.goto(world.sp.origin + '/login?' + urllib.parse.urlencode({'idp': entity_id(world.gateway)}))
    page.click('button[value="%s"]' % world.idp.entity_id)
    page.fill(username='alice', password='alicepw')
    page.click('[type=submit]')
    harness.wait_for(lambda: page.url().startswith(world.sp.origin), 15)
    assert 'alice@pysaml2.test' in page.text()
