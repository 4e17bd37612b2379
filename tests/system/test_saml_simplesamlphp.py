# SPDX-License-Identifier: GPL-2.0-or-later
"""SimpleSAMLphp as service provider and as identity provider: sign-in, artifacts, logout from either end."""
import base64
import html
import os
import re
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest

import harness
import saml
from saml import browser, choose, entity_id, form_of, load_frames, next_of, sign_in_here, submit

EDUPERSON = os.path.join(harness.ROOT, 'etc', 'policy', 'eduperson-acceptance.rules')


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    ssp = saml.Ssp(folder, authority)
    ssp.start()
    partners = {name: {'metadata': path, 'claims': harness.CLAIMS} for name, path in ssp.sp_metadata.items()}
    partners['sp-signed']['encrypt_parts'] = ['name_id', 'attributes']
    with harness.Gateway(authority, partners={**harness.PARTNERS, **partners},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [ssp.idp_origin + '/'], 'ca': saml.peers_ca()},
                                   ('identity_provider', 'campus'): {'metadata': ssp.idp_metadata, 'acceptance_rules': EDUPERSON, 'artifacts': 'true', 'encrypt_name_id': 'true'}}) as gateway:  # fmt: skip
        gateway.ssp = ssp
        ssp.add(gateway)
        yield gateway
    ssp.stop()


def sign_in(session, site, name):
    page = site.ssp.app(session, **{'as': name, 'idp': entity_id(site)})
    page = sign_in_here(session, page)
    if 'name="SAMLResponse"' in page.text:
        page = submit(session, page)
    assert page.url.startswith(site.ssp.sp_origin + '/app.php') and 'alice@example.com' in page.text, page.url + page.text
    return page.json()


def at_viewer(session, site):
    page = choose(session, session.get(site.base_url + '/demo/', timeout=60), 'campus')
    page = submit(session, page, username='alice', password='alicepw')
    for _ in range(3):
        if page.url != site.base_url + '/demo/':
            page = submit(session, page)
    assert page.url == site.base_url + '/demo/' and 'alice@ssp.test' in page.text, page.text


def has_session(session, site):
    page = session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo'}, timeout=30)
    return 'name="wresult"' in page.text


@pytest.mark.parametrize('name', ['default-sp', 'sp-artifact', 'sp-signed'])
def test_its_service_provider_signs_in_and_out(site, name):
    session = browser()
    told = sign_in(session, site, name)
    assert told['idp'] == entity_id(site)
    page = site.ssp.app(session, **{'as': name, 'logout': 1})
    assert page.json() == {'loggedout': True}, page.text
    assert not has_session(session, site)
    assert site.site.audit(event='signout', protocol='saml')


@pytest.mark.parametrize('name', ['default-sp', 'sp-signed'])
def test_its_service_provider_is_told(site, name):
    """The second by a name that is encrypted."""
    session = browser()
    sign_in(session, site, name)
    page = session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignout1.0'}, timeout=30)
    frame = html.unescape(re.search(r'<iframe src="([^"]*)"', page.text).group(1))
    request = inflated(frame, 'SAMLRequest')
    assert (b'<saml:EncryptedID' in request, b'<saml:NameID' in request) == ((True, False) if name == 'sp-signed' else (False, True)), request
    assert ['id="told"' in end.text for end in load_frames(session, page)] == [True], page.text
    page = site.ssp.app(session, **{'as': name, 'idp': entity_id(site)})
    assert page.url.startswith(site.base_url), page.url


def inflated(url, name):
    """The XML of a message in an address."""
    return zlib.decompress(base64.b64decode(parse_qs(urlsplit(url).query)[name][0]), -15)


def test_it_reads_names_and_attributes_that_are_encrypted_singly(site):
    session = browser()
    page = sign_in_here(session, site.ssp.app(session, **{'as': 'sp-signed', 'idp': entity_id(site)}))
    xml = base64.b64decode(form_of(page)[1]['SAMLResponse'])
    assert b'<saml:EncryptedID' in xml and b'<saml:EncryptedAttribute' in xml and b'<saml:Conditions' in xml
    assert b'<saml:NameID' not in xml and b'<saml:Attribute ' not in xml and b'alice' not in xml
    told = submit(session, page).json()
    assert told['nameid'][0] and 'alice@example.com' in str(told['attributes']), told
    session = browser()  # another service provider gets the whole assertion encrypted, as before
    page = sign_in_here(session, site.ssp.app(session, **{'as': 'default-sp', 'idp': entity_id(site)}))
    xml = base64.b64decode(form_of(page)[1]['SAMLResponse'])
    assert b'<saml:EncryptedAssertion' in xml and b'<saml:Conditions' not in xml


def test_its_identity_provider_is_asked_for_an_artifact(site):
    session = browser()
    page = choose(session, session.get(site.base_url + '/demo/', timeout=60), 'campus')
    request = inflated(next(answer.headers['Location'] for answer in page.history if 'SAMLRequest=' in answer.headers.get('Location', '')), 'SAMLRequest')
    assert b'ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"' in request
    page = submit(session, page, username='alice', password='alicepw')
    brought = [answer.url for answer in page.history if 'SAMLart=' in answer.url]
    assert len(brought) == 1 and 'SAMLResponse' not in str([answer.text for answer in page.history])
    for _ in range(3):
        if page.url != site.base_url + '/demo/':
            page = submit(session, page)
    assert 'alice@ssp.test' in page.text, page.text
    again = session.get(brought[0], timeout=30)  # SA-19
    assert again.status_code == 403 and site.site.audit(event='refused', reason='saml_answer'), again.text


def test_its_identity_provider_opens_a_wsfederation_site_and_is_told_of_the_end(site):
    session = browser()
    at_viewer(session, site)
    page = session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignout1.0'}, timeout=30)
    load_frames(session, page)
    back = session.get(next_of(page), timeout=60)
    assert any(answer.url.startswith(site.ssp.idp_origin) for answer in back.history), [a.url for a in back.history]
    assert back.url.startswith(site.base_url) and back.status_code == 200, back.text
    page = session.get(site.base_url + '/demo/', timeout=60)
    assert page.url.startswith(site.ssp.idp_origin) and 'name="password"' in page.text, page.url + page.text


def test_its_identity_provider_ends_the_session(site):
    session = browser()
    at_viewer(session, site)
    end = site.ssp.sp_origin + '/app.php?loggedout=1'
    page = session.get(site.ssp.idp_origin + '/simplesaml/saml2/idp/initSLO.php', params={'RelayState': end}, timeout=60)
    assert page.url.startswith(site.base_url), page.url + page.text
    load_frames(session, page)
    page = session.get(next_of(page), timeout=60)
    assert page.url == end, page.url + page.text
    assert not has_session(session, site)


# ---- what either side asks for


def test_its_service_provider_asks_without_a_page_and_again(site):
    session = browser()
    page = site.ssp.app(session, **{'as': 'default-sp', 'idp': entity_id(site), 'passive': 1})
    page = submit(session, page)
    assert 'Responder/NoPassive' in page.text, page.text
    session = browser()
    sign_in(session, site, 'default-sp')
    page = site.ssp.app(session, **{'as': 'sp-artifact', 'idp': entity_id(site), 'passive': 1})  # a session is enough
    assert page.url.startswith(site.ssp.sp_origin + '/app.php') and page.json()['idp'] == entity_id(site), page.text
    page = site.ssp.app(session, **{'as': 'sp-signed', 'idp': entity_id(site), 'force': 1})
    assert page.url.startswith(site.base_url) and 'SAMLResponse' not in page.text, page.url


def test_the_gateway_begins(site):
    session = browser()
    address = site.ssp.sp_origin + '/app.php?as=default-sp'
    page = session.get(site.base_url + '/adfs/ls/IdpInitiatedSignOn.aspx', params={'loginToRp': site.ssp.sp_origin + '/sp', 'RelayState': address}, timeout=60)
    page = sign_in_here(session, page)
    page = submit(session, page)
    assert page.url == address and page.json()['idp'] == entity_id(site), page.url + page.text


def test_its_identity_provider_is_asked_for_a_fresh_sign_in(site):
    session = browser()
    at_viewer(session, site)
    where = {'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo', 'whr': site.ssp.idp_origin + '/simplesaml/saml2/idp/metadata.php'}
    page = session.get(site.base_url + '/adfs/ls/', params=where, timeout=60)
    assert 'name="wresult"' in page.text, page.text
    page = session.get(site.base_url + '/adfs/ls/', params={**where, 'wfresh': 0}, timeout=60)
    assert page.url.startswith(site.ssp.idp_origin) and 'name="password"' in page.text, page.url + page.text
    page = submit(session, page, username='alice', password='alicepw')
    assert 'name="wresult"' in page.text, page.text
