# SPDX-License-Identifier: GPL-2.0-or-later
"""SAML 2.0 in both roles, with programs that others wrote at the other end."""
import json
import os

import pytest

import harness
import saml
from saml import begin, browser, choose, sign_in_here, submit

EDUPERSON = os.path.join(harness.ROOT, 'etc', 'policy', 'eduperson-acceptance.rules')


@pytest.fixture(scope='module')
def folder():
    path = harness.temporary_folder()
    yield path


@pytest.fixture(scope='module')
def site(authority, folder):
    sp, idp = saml.Pysaml2Sp('sp', folder, authority), saml.Pysaml2Idp('idp', folder, authority)
    sp.publish()
    idp.publish()
    with harness.Gateway(authority, partners={**harness.PARTNERS, 'pysaml2': {'metadata': sp.metadata, 'claims': harness.CLAIMS}},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   ('identity_provider', 'university'): {'metadata': idp.metadata, 'acceptance_rules': EDUPERSON}}) as gateway:  # fmt: skip
        gateway.sp, gateway.idp = sp, idp
        sp.start(gateway)
        idp.start(gateway)
        yield gateway
        sp.stop()
        idp.stop()


@pytest.mark.parametrize('binding', ['redirect', 'post'])
def test_a_service_provider_gets_an_assertion(site, binding):
    session = browser()
    page = begin(session, site, binding=binding)
    if binding == 'post':
        page = submit(session, page)
    page = submit(session, sign_in_here(session, page))
    assert page.status_code == 200, page.text
    told = json.loads(page.text)
    assert 'alice@example.com' in json.dumps(told)


def test_a_session_answers_without_a_page(site):
    session = browser()
    submit(session, sign_in_here(session, begin(session, site)))
    page = begin(session, site, passive=1)
    assert 'SAMLResponse' in page.text
    assert submit(session, page).status_code == 200
    page = begin(session, site, force=1)
    assert 'name="SAMLResponse"' not in page.text and 'name="password"' in page.text


def test_nobody_is_signed_in_and_no_page_may_be_shown(site):
    session = browser()
    page = submit(session, begin(session, site, passive=1))
    assert page.status_code == 400 and 'NoPassive' in page.text, page.text
    assert site.site.audit(event='refused', reason='saml_passive', protocol='saml')


def test_an_account_of_a_saml_identity_provider_opens_a_wsfederation_site(site):
    session = browser()
    page = choose(session, session.get(site.base_url + '/demo/', timeout=30), 'university')
    assert page.url.startswith(site.idp.origin), page.url
    page = submit(session, page, username='alice', password='alicepw')
    for _ in range(3):
        if page.url != site.base_url + '/demo/':
            page = submit(session, page)
    assert page.url == site.base_url + '/demo/' and 'alice@pysaml2.test' in page.text, page.text
