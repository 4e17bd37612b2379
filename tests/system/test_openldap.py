# SPDX-License-Identifier: GPL-2.0-or-later
"""Sign-in against OpenLDAP's slapd: the accounts of tests/peers/ldap/people.ldif."""
import os
import re
import shutil
import time

import pytest

import harness
import openldap
from messages import USERNAME, rst
from openldap import BASE, PEOPLE, Slapd
from test_directory import REALM, SITE, assert_reason, sections, sign_in
from test_directory_down import NO_ANSWER

WRONG = 'The user name or password is not right.'
GROUPS = {'engineers', 'staff', 'outer', 'unique', 'everybody', 'unix', 'alice'}
EAST = 'R&D, "East" (x)* \\'


@pytest.fixture(scope='module')
def slapd():
    with Slapd() as running:
        yield running


@pytest.fixture(scope='module')
def world(authority, slapd):
    attributes = ['departmentNumber=http://example.test/claims/department']
    found = sections(
        tls=openldap.directory(slapd, attributes=attributes),
        starttls=openldap.directory(slapd, servers=[slapd.ldap], attributes=attributes),
        direct=openldap.directory(slapd, groups='direct'),
        memberof=openldap.directory(slapd, groups='memberof'),
        nogroups=openldap.directory(slapd, groups='none'),
    )
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        yield gateway


def refused(answer, text=WRONG):
    return not isinstance(answer, dict) and 'wresult' not in answer.text and text in answer.text


@pytest.mark.parametrize('realm', ['urn:tls', 'urn:starttls'])
@pytest.mark.parametrize('name', ['alice', 'ALICE', 'alice@people.test', 'a.angstrom@mail.test', 'people.test\\alice'])
def test_by_account_name_and_by_mail(world, realm, name):
    claims = sign_in(world, realm, name, PEOPLE['alice'])
    assert claims['name'] == ['alice'] and claims['surname'] == ['Ängström'] and claims['givenname'] == ['Alice'], claims


def test_an_attribute_has_all_its_values(world):
    claims = sign_in(world, 'urn:tls', 'alice', PEOPLE['alice'])
    assert claims['department'] == sorted(['R&D', '<East>', 'Süd'])
    assert claims['emailaddress'] == ['a.angstrom@mail.test', 'alice@people.test']


@pytest.mark.parametrize('realm,groups', [
    ('urn:tls', GROUPS),
    ('urn:direct', {'engineers', 'unique', 'unix', 'alice'}),
    ('urn:memberof', {'engineers'}),
    ('urn:nogroups', set()),
])  # fmt: skip
def test_groups_of_every_kind(world, realm, groups):
    claims = sign_in(world, realm, 'alice', PEOPLE['alice'])
    assert set(claims.get('role', [])) == groups and len(claims.get('role', [])) == len(groups)


@pytest.mark.parametrize('realm', ['urn:tls', 'urn:memberof'])
@pytest.mark.parametrize('user,name,groups', [
    ('o(d)d*', 'o(d)d*', {'unix', EAST}),
    ('zoë', 'zoë', {EAST}),
    ('doe, jane', 'doe, jane', {EAST}),
    ('back@people.test', 'back\\slash', set()),
])  # fmt: skip
def test_names_and_passwords_to_be_escaped(world, realm, user, name, groups):
    claims = sign_in(world, realm, user, PEOPLE[user])
    expected = groups - {'unix'} if realm == 'urn:memberof' else groups
    assert claims['name'] == [name] and set(claims.get('role', [])) == expected, claims


@pytest.mark.parametrize('user', ['*', 'alice*', 'al*ce', '*)(uid=*', 'alice)(objectClass=*', 'nobody)(|(uid=alice', '\\2a', 'alice\\00', 'alice\x00',
                                  'uid=alice,ou=people,' + BASE, 'alice,ou=people', '(uid=alice)', 'ali\\63e'])  # fmt: skip
def test_kl_07_a_name_is_never_a_filter(world, user):
    answer = sign_in(world, 'urn:tls', user, PEOPLE['alice'])
    assert not isinstance(answer, dict) and 'wresult' not in answer.text and answer.status_code in (200, 400), answer
    assert sign_in(world, 'urn:tls', 'alice', PEOPLE['alice'])['name'] == ['alice']


def test_kl_08_an_empty_password_binds_nobody(world, slapd):
    # a server that takes a bind without a password as one by nobody (RFC 4513 §5.1.2), and says that it succeeded
    bare = slapd.tool('ldapwhoami', who=('uid=bob,ou=people,' + BASE, ''))
    assert bare.returncode == 0 and 'anonymous' in bare.stdout, bare
    before = slapd.binds('uid=bob')
    for password in ('', '\x00', '\x00Bob.Pw1'):
        answer = sign_in(world, 'urn:tls', 'bob', password)
        assert not isinstance(answer, dict) and 'wresult' not in answer.text
    assert world.soap(USERNAME['13'], rst(world.base_url, 'people.test\\bob', '', REALM)).status_code != 200
    assert slapd.binds('uid=bob') == before
    assert sign_in(world, 'urn:tls', 'bob', PEOPLE['bob'])['name'] == ['bob']
    assert slapd.binds('uid=bob') == before + 1


@pytest.mark.parametrize('user,password', [
    ('alice', 'wrong'), ('alice', 'alice.pw1'), ('nobody', 'Alice.Pw1'), ('nobody@people.test', 'wrong'), ('other\\alice', PEOPLE['alice']),
    ('nopassword', 'x'), ('twin@people.test', PEOPLE['twin1']),
])  # fmt: skip
def test_wrong_password_and_nobody_look_alike(world, user, password):
    assert refused(sign_in(world, 'urn:tls', user, password))
    assert_reason(world, user, 'wrong_user_or_password')
    assert sign_in(world, 'urn:tls', 'twin1', PEOPLE['twin1'])['name'] == ['twin1']  # two have that address


@pytest.mark.parametrize('user,text,code', [
    ('reset', 'must be changed', 'password_must_change'),
    ('aged', 'must be changed', 'password_must_change'),
    ('gone', 'expired', 'account_expired'),
    ('locked', WRONG, 'account_locked'),
])  # fmt: skip
def test_password_policy(world, user, text, code):
    if user == 'aged':
        time.sleep(1.5)  # so long do passwords of its policy live
    assert refused(sign_in(world, 'urn:tls', user, PEOPLE[user]), text)
    assert_reason(world, user, code)
    assert refused(sign_in(world, 'urn:tls', user, 'wrong'))
    assert_reason(world, user, 'account_locked' if user == 'locked' else 'wrong_user_or_password')


def test_an_account_that_was_guessed_at(world):
    assert sign_in(world, 'urn:tls', 'guessed', PEOPLE['guessed'])['name'] == ['guessed']
    for _ in range(5):
        assert refused(sign_in(world, 'urn:tls', 'guessed', 'wrong'))
    assert refused(sign_in(world, 'urn:tls', 'guessed', PEOPLE['guessed']))
    assert_reason(world, 'guessed', 'account_locked')


def test_a_lock_that_ends_by_itself(authority):
    # pwdAccountLockedTime stays until the next bind that succeeds (draft-behera-ldap-password-policy §5.3.3)
    with Slapd(LOCKOUT='3') as slapd:
        found = sections(lock=openldap.directory(slapd, cache='0s', negative_cache='0s'))
        with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
            for _ in range(5):
                assert refused(sign_in(gateway, 'urn:lock', 'alice', 'wrong'))
            assert refused(sign_in(gateway, 'urn:lock', 'alice', PEOPLE['alice']))
            time.sleep(3.5)
            shown = slapd.tool('ldapsearch', '-b', BASE, '(uid=alice)', 'pwdAccountLockedTime')
            assert 'pwdAccountLockedTime: ' in shown.stdout
            assert sign_in(gateway, 'urn:lock', 'alice', PEOPLE['alice'])['name'] == ['alice']


def test_nobody_in_particular_searches_where_that_is_allowed(authority):
    with Slapd(ANONYMOUS='no') as closed, Slapd(ANONYMOUS='read') as open_to_all:
        found = sections(
            closed=openldap.directory(closed, bind_dn=None),
            named=openldap.directory(closed),
            open=openldap.directory(open_to_all, bind_dn=None),
        )
        with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
            assert refused(sign_in(gateway, 'urn:closed', 'alice', PEOPLE['alice']), NO_ANSWER)
            assert_reason(gateway, 'alice', 'directory_unavailable')
            closed.wait_for_log('anonymous bind disallowed')
            assert closed.binds('uid=alice') == 0
            assert sign_in(gateway, 'urn:named', 'alice', PEOPLE['alice'])['name'] == ['alice']
            assert set(sign_in(gateway, 'urn:open', 'alice', PEOPLE['alice'])['role']) == GROUPS


@pytest.mark.skipif(os.geteuid() != 0, reason='only a master who is root may read more than its workers')
def test_a_ca_that_only_the_master_can_read(authority, slapd):
    folder = os.path.join(slapd.folder, 'closed')
    os.mkdir(folder, 0o700)
    ca = shutil.copy(slapd.facts['CA'], folder)
    with harness.Gateway(authority, partners=SITE, sections=sections(here=openldap.directory(slapd, ca=ca))) as gateway:
        assert re.search(r"\[warn\].*%s: the workers' user \(\d+\) cannot read it.*: no server of that directory will be trusted" % re.escape(ca), gateway.nginx.log())
        assert refused(sign_in(gateway, 'urn:here', 'alice', PEOPLE['alice']), NO_ANSWER)
        os.chmod(folder, 0o711)
        harness.wait_for(lambda: isinstance(sign_in(gateway, 'urn:here', 'alice', PEOPLE['alice']), dict), 15, 1)
        warnings = gateway.nginx.log().count('cannot read it')
        assert gateway.nginx.reload() and gateway.nginx.log().count('cannot read it') == warnings


def test_kl_09_no_password_without_tls(authority, slapd):
    with Slapd(TLS='no') as plain:
        found = sections(plain=openldap.directory(plain, servers=[plain.ldap]), whole=openldap.directory(slapd, servers=[slapd.ldap]))
        with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
            assert refused(sign_in(gateway, 'urn:plain', 'alice', PEOPLE['alice']), NO_ANSWER)
            plain.wait_for_log('unsupported extended operation')
            assert plain.binds('uid=alice') == plain.binds('cn=fedgate') == 0
            assert 'StartTLS was refused' in gateway.nginx.log()
            assert sign_in(gateway, 'urn:whole', 'alice', PEOPLE['alice'])['name'] == ['alice']


def test_kl_09_referrals_are_not_followed(authority):
    listener = openldap.Listener()
    elsewhere = 'ldap://127.0.0.1:%d' % listener.port
    with Slapd(REFERRAL=elsewhere) as slapd:
        found = sections(here=openldap.directory(slapd), there=openldap.directory(slapd, base='dc=elsewhere,dc=test'))
        with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
            # the same search has a continuation reference in its answer (RFC 4511 §4.5.3)
            shown = slapd.tool('ldapsearch', '-b', BASE, '(|(uid=alice)(mail=alice))', '1.1')
            assert 'ref: ' + elsewhere in shown.stdout, shown
            assert set(sign_in(gateway, 'urn:here', 'alice', PEOPLE['alice'])['role']) == GROUPS
            assert refused(sign_in(gateway, 'urn:there', 'alice', PEOPLE['alice']), NO_ANSWER)
            assert listener.connections == 0
            # who follows it comes by
            slapd.tool('ldapsearch', '-C', '-b', BASE, '(uid=alice)', '1.1')
            harness.wait_for(lambda: listener.connections > 0, 5)
    listener.close()


def test_groups_that_the_server_cuts_short_are_no_groups(authority):
    with Slapd(LIMIT='3') as slapd, harness.Gateway(authority, partners=SITE, sections=sections(few=openldap.directory(slapd))) as gateway:
        assert refused(sign_in(gateway, 'urn:few', 'alice', PEOPLE['alice']), NO_ANSWER)  # of four groups the server shows three
        assert set(sign_in(gateway, 'urn:few', 'bob', PEOPLE['bob'])['role']) == {'staff', 'outer'}
        line = gateway.site.audit(event='signin_refused', user='alice')[-1]
        assert line['reason'] == 'directory_unavailable' and 'Size limit exceeded' in str(line), line
