# SPDX-License-Identifier: GPL-2.0-or-later
"""What a domain's groups and SIDs look like to those who read tokens: programs that others wrote, at the end of each protocol."""
import json
import re

import pytest
from lxml import etree

import harness
import peers
import saml
from messages import MEX
from rp import RelyingParty
from saml import begin, browser, submit
from test_directory import PEOPLE, TYPES, directory, sections

REALM = 'urn:federation:MicrosoftOnline'
GROUPS = {'engineers', 'staff', 'outer', 'Domain Users', 'Users'}  # alice is in the first, that in the second, and so on


@pytest.fixture(scope='module')
def sids(controller):
    """{kind of claim: the values that samba-tool tells}."""

    def sid(kind, name):
        return re.search(r'objectSid: (\S+)', controller.tool(kind, 'show', name, '--attributes=objectSid')).group(1)

    primary = sid('group', 'Domain Users')
    return {'groupsid': {sid('group', name) for name in GROUPS}, 'primarysid': {sid('user', 'alice')}, 'primarygroupsid': {primary}}


@pytest.fixture(scope='module')
def site(authority, controller):
    folder = harness.temporary_folder()
    sp, rp = saml.Pysaml2Sp('sp', folder, authority), RelyingParty('site', folder)
    sp.publish()
    partners = {
        'entra': {'realm': [REALM], 'claims': TYPES, 'name_id': 'immutableid'},
        'pysaml2': {'metadata': sp.metadata, 'claims': TYPES},
        'site': {**rp.section(), 'claims': TYPES, 'name_id': 'upn'},
    }
    found = sections(corp=directory(controller))
    with harness.Gateway(authority, partners=partners, sections=found) as gateway:
        gateway.sp, gateway.rp = sp, rp
        sp.start(gateway)
        rp.start(gateway)
        yield gateway
        sp.stop()
        rp.stop()


def assert_all_there(claims, sids):
    """claims: {type: values, or the only value}; pysaml2 names types by its own short names."""
    found = {name.rsplit('/', 1)[-1].lower(): {values} if isinstance(values, str) else set(values) for name, values in claims.items()}
    assert found['role'] == GROUPS
    assert {kind: found[kind] for kind in sids} == sids


def test_to_msal(site, sids):
    status, answer = peers.run_json(site, 'ws/msal_driver.py', site.url(MEX), 'alice@gw.test', PEOPLE['alice'], '--ca', site.authority.ca)
    assert status == 0, answer
    claims = {}
    for attribute in etree.fromstring(answer['token'].encode()).iter('{*}Attribute'):
        name = attribute.get('AttributeNamespace') + '/' + attribute.get('AttributeName')
        claims[name] = [value.text for value in attribute.iter('{*}AttributeValue')]
    assert_all_there(claims, sids)
    status, answer = peers.run_json(site, 'ws/msal_driver.py', site.url(MEX), 'alice@gw.test', 'wrong', '--ca', site.authority.ca)
    assert status == 3 and 'FailedAuthentication' in answer['error']


def signed_in(session, page):
    return submit(session, saml.choose(session, page, 'corp'), username='alice@gw.test', password=PEOPLE['alice'])


def test_to_a_saml_service_provider(site, sids):
    session = browser()
    page = submit(session, signed_in(session, begin(session, site)))
    assert page.status_code == 200, page.text
    assert_all_there(json.loads(page.text)['ava'], sids)


def test_to_a_wsfederation_relying_party(site, sids):
    session = browser()
    page = submit(session, signed_in(session, session.get(site.rp.origin + '/secure', timeout=30)))
    assert page.status_code == 200, page.text
    assert_all_there(json.loads(page.text), sids)
