# SPDX-License-Identifier: GPL-2.0-or-later
"""Single logout and artifacts of SAML 2.0, with programs that others wrote at the other end."""
import base64
import json
import os
import subprocess
import urllib.parse
import zlib

import pytest

import harness
import saml
from saml import begin, browser, choose, load_frames, next_of, sign_in_here, submit

EDUPERSON = os.path.join(harness.ROOT, 'etc', 'policy', 'eduperson-acceptance.rules')
SUCCESS, PARTIAL = 'urn:oasis:names:tc:SAML:2.0:status:Success', 'urn:oasis:names:tc:SAML:2.0:status:PartialLogout'


@pytest.fixture(scope='module')
def folder():
    yield harness.temporary_folder()


@pytest.fixture(scope='module')
def site(authority, folder):
    peers = [saml.Pysaml2Sp('sp', folder, authority), saml.OtherPysaml2Sp('sp2', folder, authority), saml.Pysaml2Idp('idp', folder, authority),
             saml.Pysaml2Idp('idp-artifact', folder, authority, '--artifact')]  # fmt: skip
    for peer in peers:
        peer.publish()
    sp, other, idp, artifact_idp = peers
    partners = {name: {'metadata': peer.metadata, 'claims': harness.CLAIMS} for name, peer in (('first', sp), ('second', other))}
    with harness.Gateway(authority, partners={**harness.PARTNERS, **partners},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [peer.origin + '/' for peer in peers], 'ca': saml.peers_ca()},
                                   ('identity_provider', 'university'): {'metadata': idp.metadata, 'acceptance_rules': EDUPERSON},
                                   ('identity_provider', 'academy'): {'metadata': artifact_idp.metadata, 'acceptance_rules': EDUPERSON}}) as gateway:  # fmt: skip
        gateway.sp, gateway.other, gateway.idp, gateway.artifact_idp = peers
        for peer in peers:
            peer.start(gateway)
        yield gateway
        for peer in peers:
            peer.stop()


def sign_in(session, site, sp=None):
    """Signs in at a service provider, with the session that there is if there is one."""
    sp = sp or site.sp
    page = begin(session, site, sp=sp)
    if 'SAMLResponse' not in page.text:
        page = sign_in_here(session, page)
    page = submit(session, page)
    assert page.status_code == 200 and 'nameid' in page.text, page.text
    return json.loads(page.text)


def is_signed_in(session, sp):
    return session.get(sp.origin + '/', timeout=30).status_code == 200


def has_session(session, site):
    page = session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo'}, timeout=30)
    return 'name="wresult"' in page.text


def message(url):
    """The XML of a message by the Redirect binding."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    return zlib.decompress(base64.b64decode(query.get('SAMLResponse') or query['SAMLRequest']), -15).decode()


def at_viewer(session, site, name='university'):
    """Opens the viewer, a WS-Federation site, with an account of a SAML identity provider."""
    page = choose(session, session.get(site.base_url + '/demo/', timeout=30), name)
    if 'name="password"' in page.text:
        page = submit(session, page, username='alice', password='alicepw')
    for _ in range(3):
        if page.url != site.base_url + '/demo/':
            page = submit(session, page)
    assert page.url == site.base_url + '/demo/' and 'alice@pysaml2.test' in page.text, page.text


@pytest.mark.parametrize('binding', ['redirect', 'post', 'soap'])
def test_a_service_provider_ends_the_session(site, binding):
    session = browser()
    sign_in(session, site)
    page = session.get(site.sp.origin + '/logout', params={'binding': binding}, timeout=30)
    while 'name="SAMLRe' in page.text:
        page = submit(session, page)
    assert 'logged out' in page.text and SUCCESS in page.text and PARTIAL not in page.text, page.text
    assert not has_session(session, site)
    assert site.site.audit(event='signout', protocol='saml', partner=site.sp.entity_id)


def test_a_posted_request_comes_without_cookies(site):
    """Browsers send our SameSite=Lax cookie with no POST from another site: the form is kept and comes again."""
    session, stranger = browser(), browser()
    sign_in(session, site)
    page = session.get(site.sp.origin + '/logout', params={'binding': 'post'}, timeout=30)
    form = saml.form_of(page)
    moved = stranger.post(form[0], data=form[1], timeout=30, allow_redirects=False)
    assert moved.status_code == 303 and 'saml_again=' in moved.headers['Location'], moved.text
    page = submit(session, session.get(moved.headers['Location'], timeout=30))
    assert SUCCESS in page.text and not has_session(session, site)
    assert session.get(moved.headers['Location'], timeout=30).status_code == 403


def test_every_party_is_told(site):
    session = browser()
    sign_in(session, site)
    sign_in(session, site, site.other)
    assert is_signed_in(session, site.other)
    page = session.get(site.sp.origin + '/logout', timeout=30)
    assert page.url.startswith(site.base_url) and site.other.origin in page.text, page.text
    ends = load_frames(session, page)
    assert len(ends) == 1 and 'id="told"' in ends[0].text, ends[0].text
    assert not is_signed_in(session, site.other)
    answer = session.get(next_of(page), timeout=30, allow_redirects=False)
    told = message(answer.headers['Location'])
    assert SUCCESS in told and PARTIAL not in told, told
    assert SUCCESS in session.get(answer.headers['Location'], timeout=30).text


def test_a_party_that_was_not_reached_makes_the_logout_partial(site):
    session = browser()
    sign_in(session, site)
    sign_in(session, site, site.other)
    page = session.get(site.sp.origin + '/logout', timeout=30)
    answer = session.get(next_of(page), timeout=30, allow_redirects=False)
    assert PARTIAL in message(answer.headers['Location'])
    assert not has_session(session, site)


def test_soap_reaches_the_other_parties_by_soap(site):
    session = browser()
    sign_in(session, site)
    sign_in(session, site, site.other)
    page = session.get(site.sp.origin + '/logout', params={'binding': 'soap'}, timeout=30)
    assert 'logged out via soap' in page.text, page.text
    assert not is_signed_in(session, site.other) and not has_session(session, site)


def test_wsfederation_signout_tells_saml_parties(site):
    session = browser()
    sign_in(session, site)
    assert has_session(session, site)
    page = session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignout1.0'}, timeout=30)
    assert any('id="told"' in end.text for end in load_frames(session, page)), page.text
    assert not is_signed_in(session, site.sp)


def test_saml_logout_cleans_up_wsfederation_sites(site):
    session = browser()
    sign_in(session, site)
    session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo'}, timeout=30)
    page = session.get(site.sp.origin + '/logout', timeout=30)
    assert 'wa=wsignoutcleanup1.0' in page.text, page.text
    answer = session.get(next_of(page), timeout=30, allow_redirects=False)
    assert PARTIAL not in message(answer.headers['Location'])


def test_signing_out_here_signs_out_at_the_identity_provider(site):
    session = browser()
    at_viewer(session, site)
    page = session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignout1.0'}, timeout=30)
    load_frames(session, page)
    there = session.get(next_of(page), timeout=30, allow_redirects=False)
    assert there.headers['Location'].startswith(site.idp.origin + '/slo/redirect'), there.headers
    assert 'SessionIndex' in message(there.headers['Location'])
    back = session.get(there.headers['Location'], timeout=30)
    assert back.url.startswith(site.base_url) and back.status_code == 200, back.text
    assert session.get(site.idp.origin + '/initslo', timeout=30).text == 'logged out\n'
    assert not has_session(session, site)


def test_the_identity_provider_ends_the_session(site):
    session = browser()
    at_viewer(session, site)
    sign_in(session, site)
    page = session.get(site.idp.origin + '/initslo', timeout=30)
    assert page.url.startswith(site.base_url) and site.sp.origin in page.text, page.text
    load_frames(session, page)
    assert not is_signed_in(session, site.sp)
    page = session.get(next_of(page), timeout=30)
    assert page.url.startswith(site.idp.origin) and 'logged out' in page.text, page.text
    assert not has_session(session, site)


def test_a_service_provider_resolves_an_artifact(site):
    session = browser()
    page = begin(session, site, resp='artifact')
    page = sign_in_here(session, page)
    assert page.url == site.sp.origin + '/' and 'alice@example.com' in page.text, page.url + page.text
    used = next(r for r in page.history if 'SAMLart' in r.url)
    # SA-19: once only
    again = session.get(used.url, timeout=30)
    assert again.status_code == 400 and 'not resolved' in again.text, again.text


def test_an_identity_provider_sends_an_artifact(site):
    session = browser()
    at_viewer(session, site, 'academy')
    assert site.site.audit(event='signin', identity_provider='academy')


def ecp(site, credentials, sp=None):
    """The enhanced client of tests/peers: takes the service provider's request to the gateway and the answer back."""
    command = [os.path.join(saml.FOLDER, 'ecp.py'), '%s/paos?idp=%s' % ((sp or site.sp).origin, saml.entity_id(site)),
               site.base_url + '/adfs/services/trust/saml/ecp', credentials]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_an_enhanced_client_signs_in(site):
    done = ecp(site, 'alice:alice-secret')
    assert done.returncode == 0 and 'alice@example.com' in done.stdout, done.stdout + done.stderr
    refused = ecp(site, 'alice:wrong')
    assert refused.returncode == 1 and 'IdP: 401' in refused.stderr, refused.stdout + refused.stderr


def at_service_provider(browser, sp):
    return harness.wait_for(lambda: browser.url() == sp.origin + '/' and 'alice@example.com' in browser.text())


@pytest.mark.parametrize('binding', ['redirect', 'post'])
def test_logout_in_a_browser(site, profile, binding):
    """The page's script goes on once the other party has confirmed; a POST from another site comes without our cookies."""
    browser = profile(forgive=['404', '400 (Bad Request)'])
    browser.goto('%s/login?idp=%s' % (site.sp.origin, saml.entity_id(site)))
    harness.wait_for(lambda: browser.has('button[name=whr]'))
    browser.click('button[name=whr][value$="/people"]')
    harness.wait_for(browser.asks_for_password)
    browser.sign_in('alice', 'alice-secret')
    at_service_provider(browser, site.sp)
    # the session answers, also a request that is posted from another site
    browser.goto('%s/login?passive=1&binding=%s&idp=%s' % (site.other.origin, binding, saml.entity_id(site)))
    at_service_provider(browser, site.other)
    browser.goto('%s/logout?binding=%s' % (site.sp.origin, binding))
    harness.wait_for(lambda: browser.url().startswith(site.sp.origin + '/slo/') and 'logged out' in browser.text())
    assert SUCCESS in browser.text()
    assert 'PartialLogout' not in browser.text()
    browser.goto('%s/login?passive=1&idp=%s' % (site.other.origin, saml.entity_id(site)))
    harness.wait_for(lambda: 'NoPassive' in browser.text())
