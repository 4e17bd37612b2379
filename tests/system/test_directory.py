# SPDX-License-Identifier: GPL-2.0-or-later
"""Sign-in against a real Samba Active Directory domain controller: the accounts of tests/peers/samba/populate.py."""
import base64
import os
import re
import urllib.parse
import uuid

import pytest

import harness
from flows import fill_in
from messages import PASSIVE, USERNAME, form, rst

from lxml import etree

CLAIMS_2008 = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/'
PEOPLE = {
    'alice': 'Alice.Pw1', 'bob': 'Bob.Pw1', 'carol': 'Carol.Pw1', 'dave': 'Dave.Pw1', 'erin': 'Erin.Pw1', 'frank': 'Frank.Pw1',
    'o(d)d': 'Odd.Pw1', 'zoe': 'Zoë.Pässw0rd',
}  # fmt: skip
TYPES = ['upn', 'name', 'emailaddress', 'givenname', 'surname', 'role', 'windowsaccountname', 'immutableid',
         CLAIMS_2008 + 'groupsid', CLAIMS_2008 + 'primarysid', CLAIMS_2008 + 'primarygroupsid',
         'http://schemas.microsoft.com/identity/claims/objectidentifier', 'http://example.test/claims/department']  # fmt: skip
REALM = 'urn:test:site'
NO_LOCKOUT = {'account_failures': 100000, 'address_failures': 100000}


def directory(controller, **options):
    return {'type': 'ad', 'servers': ['ldaps://dc1.gw.test'], 'ca': controller.ca, 'base': 'DC=gw,DC=test', 'timeout': '5s', **options}


def service(controller, **options):
    """With an account that searches."""
    secret = os.path.join(controller.folder, 'reader.txt')
    with open(secret, 'w') as file:
        file.write('Reader.Pw1\n')
    os.chmod(secret, 0o644)
    return directory(controller, bind_dn='ldapreader@gw.test', bind_password_file=secret, **options)


def sections(**directories):
    """Directories by their names, whose URIs are urn:NAME."""
    return {'lockout': NO_LOCKOUT, **{('directory', name): {'uri': 'urn:' + name, **options} for name, options in directories.items()}}


SITE = {'site': {'realm': [REALM], 'reply': ['https://site.test/'], 'claims': TYPES, 'name_id': 'upn'}}


@pytest.fixture(scope='module')
def world(authority, controller):
    attributes = ['department=http://example.test/claims/department']
    found = sections(
        corp=directory(controller, attributes=attributes),
        svc=service(controller, attributes=attributes, domain='SVC', servers=['ldap://dc1.gw.test']),
        chain=service(controller, groups='chain'),
        direct=service(controller, groups='direct'),
    )
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        yield gateway


def sign_in(gateway, realm, user, password):
    """What the sign-in page leads to: the claims by their types, or the page that says no."""
    browser = gateway.browser()
    url = gateway.url(PASSIVE) + '?' + urllib.parse.urlencode({'wa': 'wsignin1.0', 'wtrealm': REALM, 'whr': realm})
    page = browser.get(url, timeout=30)
    assert page.status_code == 200, page.text
    answer = fill_in(gateway, browser, page, user, password)
    return claims_of(answer.text) if 'wresult' in answer.text else answer


def claims_of(page):
    token = etree.fromstring(form(page)[1]['wresult'].encode())
    claims = {}
    for attribute in token.iterfind('.//{*}Attribute'):
        name = '/'.join((attribute.get('AttributeNamespace'), attribute.get('AttributeName')))
        claims[name.rsplit('/', 1)[-1]] = sorted(value.text for value in attribute.iterfind('{*}AttributeValue'))
    return claims


def assert_reason(gateway, user, reason):
    """The latest line is written after the answer."""
    harness.wait_for(lambda: [line['reason'] for line in gateway.site.audit_now(event='signin_refused', user=user)][-1:] == [reason], 5)


NAMES = ['alice@gw.test', 'GW\\alice', 'gw.test\\alice', 'alice', 'ALICE@GW.TEST']


@pytest.mark.parametrize('name', NAMES)
def test_every_form_of_a_name(world, name):
    claims = sign_in(world, 'urn:corp', name, PEOPLE['alice'])
    assert claims['upn'] == ['alice@gw.test'] and claims['name'] == ['alice'], claims


def test_claims_of_the_account(world, controller):
    claims = sign_in(world, 'urn:corp', 'alice@gw.test', PEOPLE['alice'])
    domain = controller.tool('domain', 'info', '127.0.9.1') and claims['primarysid'][0].rsplit('-', 1)[0]
    shown = controller.tool('user', 'show', 'alice', '--attributes=objectSid,objectGUID')
    assert claims['primarysid'] == re.findall(r'objectSid: (\S+)', shown)
    assert claims['objectidentifier'] == re.findall(r'objectGUID: (\S+)', shown)
    assert base64.b64decode(claims['ImmutableID'][0]) == uuid.UUID(claims['objectidentifier'][0]).bytes_le
    assert claims['primarygroupsid'] == [domain + '-513']
    assert claims['windowsaccountname'] == ['GW\\alice'] and claims['surname'] == ['Ängström'] and claims['department'] == ['R&D']
    # nested: alice is in engineers, that in staff, that in outer; and the primary group
    assert set(claims['role']) == {'engineers', 'staff', 'outer', 'Domain Users', 'Users'}
    sids = {re.findall(r'objectSid: (\S+)', controller.tool('group', 'show', group, '--attributes=objectSid'))[0] for group in claims['role']}
    assert set(claims['groupsid']) == sids


@pytest.mark.parametrize('realm,groups', [
    ('urn:svc', {'engineers', 'staff', 'outer', 'Domain Users', 'Users'}),
    ('urn:chain', {'engineers', 'staff', 'outer'}),
    ('urn:direct', {'engineers'}),
])  # fmt: skip
def test_groups_by_each_way(world, realm, groups):
    claims = sign_in(world, realm, 'alice@gw.test', PEOPLE['alice'])
    assert set(claims['role']) == groups
    assert len(claims['groupsid']) == len(groups)


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
@pytest.mark.parametrize('user', ['o(d)d', 'zoe'])
def test_names_and_passwords_to_be_escaped(world, realm, user):
    claims = sign_in(world, realm, user + '@gw.test', PEOPLE[user])
    assert claims['name'] == [user], claims


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
@pytest.mark.parametrize('user', ['*', 'alice*', 'al*ce@gw.test', 'alice)(objectClass=*', 'nobody)(|(sAMAccountName=alice', '\\2a', 'alice\\00',
                                  'alice\x00', 'CN=alice,CN=Users,DC=gw,DC=test', 'GW\\CN=Alice Ängström,OU=People,DC=gw,DC=test'])  # fmt: skip
def test_kl_07_a_name_is_never_a_filter(world, realm, user):
    answer = sign_in(world, realm, user, PEOPLE['alice'])
    assert 'wresult' not in answer.text and answer.status_code in (200, 400), answer.text
    assert sign_in(world, realm, 'alice@gw.test', PEOPLE['alice'])['name'] == ['alice']


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
def test_kl_08_an_empty_password_is_no_password(world, realm):
    answer = sign_in(world, realm, 'alice@gw.test', '')
    assert 'id="password"' in answer.text
    assert sign_in(world, realm, 'alice@gw.test', PEOPLE['alice'])['name'] == ['alice']


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
@pytest.mark.parametrize('user,code,text', [
    ('alice@gw.test', 'wrong_user_or_password', 'The user name or password is not right.'),
    ('nobody@gw.test', 'wrong_user_or_password', 'The user name or password is not right.'),
    ('carol@gw.test', 'account_disabled', 'disabled'),
    ('dave@gw.test', 'password_must_change', 'must be changed'),
    ('erin@gw.test', 'account_expired', 'expired'),
])  # fmt: skip
def test_why_not_is_said_to_whoever_knows_the_password(world, realm, user, code, text):
    name = user.split('@')[0]
    right = PEOPLE.get(name, 'wrong') if name not in ('alice', 'nobody') else 'wrong'
    answer = sign_in(world, realm, user, right)
    assert text in answer.text, answer.text
    assert_reason(world, user, code)
    wrong = sign_in(world, realm, user, 'not it')
    assert 'The user name or password is not right.' in wrong.text
    assert_reason(world, user, 'wrong_user_or_password')


def test_an_account_that_the_directory_locked_looks_like_a_wrong_password(world):
    for _ in range(6):
        answer = sign_in(world, 'urn:corp', 'frank@gw.test', 'wrong')
        assert 'The user name or password is not right.' in answer.text
    answer = sign_in(world, 'urn:corp', 'frank@gw.test', PEOPLE['frank'])
    assert 'The user name or password is not right.' in answer.text
    assert_reason(world, 'frank@gw.test', 'account_locked')


def test_the_domain_before_or_behind_a_name_chooses_the_directory(world):
    def ask(user, password):
        return world.soap(USERNAME['13'], rst(world.base_url, user, password, REALM))

    assert 'alice@gw.test' in ask('GW\\alice', PEOPLE['alice']).text
    assert 'alice@gw.test' in ask('SVC\\alice', PEOPLE['alice']).text
    assert 'bob@gw.test' in ask('bob@gw.test', PEOPLE['bob']).text
    assert 'alice@example.com' in ask('alice', 'alice-secret').text  # the first directory, a users file

    def directories():
        users = ('GW\\alice', 'SVC\\alice', 'bob@gw.test', 'alice')
        return [line['directory'] for line in world.site.audit_now(event='signin') if line['user'] in users][-4:]

    harness.wait_for(lambda: directories() == ['corp', 'svc', 'corp', 'people'], 5)
    assert ask('GW\\alice', '').status_code != 200  # WT-05
    assert ask('GW\\alice', 'wrong').status_code != 200
