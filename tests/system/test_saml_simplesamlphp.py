# SPDX-License-Identifier: GPL-2.0-or-later
"""SimpleSAMLphp as service provider and as identity provider: sign-in, artifacts, logout from either end."""
import os

import pytest

import harness
import saml
from saml import browser, choose, entity_id, load_frames, next_of, sign_in_here, submit

EDUPERSON = os.path.join(harness.ROOT, 'etc', 'policy', 'eduperson-acceptance.rules')


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    ssp = saml.Ssp(folder, authority)
    ssp.start()
    partners = {name: {'metadata': path, 'claims': harness.CLAIMS} for name, path in ssp.sp_metadata.items()}
    with harness.Gateway(authority, partners={**harness.PARTNERS, **partners},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [ssp.idp_origin + '/'], 'ca': saml.peers_ca()},
                                   ('identity_provider', 'campus'): {'metadata': ssp.idp_metadata, 'acceptance_rules': EDUPERSON}}) as gateway:  # fmt: skip
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


def test_its_service_provider_is_told(site):
    session = browser()
    sign_in(session, site, 'default-sp')
    page = session.get(site.base_url + '/adfs/ls/', params={'wa': 'wsignout1.0'}, timeout=30)
    assert ['id="told"' in end.text for end in load_frames(session, page)] == [True], page.text
    page = site.ssp.app(session, **{'as': 'default-sp', 'idp': entity_id(site)})
    assert page.url.startswith(site.base_url), page.url


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
