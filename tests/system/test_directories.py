# SPDX-License-Identifier: GPL-2.0-or-later
"""Several directories: a users file, two of OpenLDAP's, another users file; which one serves whom, and how attempts are counted."""
import os
import shutil
import time

import pytest

import harness
import openldap
from messages import USERNAME, rst
from openldap import BASE, PEOPLE, Slapd
from test_directory import NO_LOCKOUT, REALM, SITE, sections, sign_in
from test_directory_down import NO_ANSWER
from trust import applies_to, make

TIMEOUT = 4
DORA = f"""dn: uid=dora,ou=people,{BASE}
objectClass: inetOrgPerson
uid: dora
cn: Dora
sn: Second
mail: dora@elsewhere.test
mail: dora@second.mail
userPassword: Dora.Pw1
"""
OTHER_DORA = DORA.replace('uid: dora', 'uid: dora1').replace('uid=dora', 'uid=dora1').replace('mail: dora@elsewhere.test\n', '')


@pytest.fixture(scope='module')
def servers():
    with Slapd() as first, Slapd() as second:
        for server, entry in ((second, DORA), (first, OTHER_DORA)):
            done = server.tool('ldapadd', who=('cn=admin,' + BASE, 'Admin.Pw1'), input=entry)
            assert done.returncode == 0, done
        yield first, second


def in_order(servers, **lockout):
    first, second = servers
    options = {'timeout': '%ds' % TIMEOUT, 'cache': '0s', 'negative_cache': '0s'}
    found = sections(first=openldap.directory(first, **options), second=openldap.directory(second, realm='SECOND.TEST', domains=['second.mail'], **options))
    return {**found, 'lockout': {**NO_LOCKOUT, **lockout}}


@pytest.fixture(scope='module')
def world(authority, servers):
    with harness.Gateway(authority, partners=SITE, sections=in_order(servers), nginx={'workers': 1}) as gateway:
        yield gateway


def ask(gateway, user, password):
    return gateway.soap(USERNAME['13'], rst(gateway.base_url, user, password, REALM))


def assert_served(gateway, user, directory):
    """The latest line is written after the answer."""
    harness.wait_for(lambda: [line['directory'] for line in gateway.site.audit_now(event='signin') if line['user'] == user][-1:] == [directory], 5)


def reason(gateway, user, count):
    """Of the attempt of that number."""
    harness.wait_for(lambda: len(gateway.site.audit_now(event='signin_refused', user=user)) >= count, 5)
    return gateway.site.audit_now(event='signin_refused', user=user)[count - 1]['reason']


def assert_latest(gateway, user, wanted):
    """The reason of the latest attempt, whose line may still be on its way."""
    harness.wait_for(lambda: [line['reason'] for line in gateway.site.audit_now(event='signin_refused', user=user)][-1:] == [wanted], 5)


@pytest.mark.parametrize('user,password,directory', [
    ('alice', 'alice-secret', 'people'),
    ('zoë', PEOPLE['zoë'], 'first'),
    ('dora', 'Dora.Pw1', 'second'),
    ('dora@elsewhere.test', 'Dora.Pw1', 'second'),
    ('people.test\\alice', PEOPLE['alice'], 'first'),
    ('second.test\\alice', PEOPLE['alice'], 'second'),
    ('alice@people.test', PEOPLE['alice'], 'first'),
    ('dora@second.mail', 'Dora.Pw1', 'second'),  # one of domains; the first has an account with that address, too
])  # fmt: skip
def test_by_domain_and_by_order(world, user, password, directory):
    answer = ask(world, user, password)
    assert answer.status_code == 200 and 'Assertion' in answer.text, answer.text
    assert_served(world, user, directory)


@pytest.mark.parametrize('realm,user,password', [('urn:second', 'alice', PEOPLE['alice']), ('urn:second', 'dora', 'Dora.Pw1')])
def test_by_whr(world, realm, user, password):
    assert sign_in(world, realm, user, password)['name'] == [user]
    assert_served(world, user, 'second')
    assert 'wresult' not in sign_in(world, 'urn:first', 'dora', 'Dora.Pw1').text


def test_a_digest_is_for_the_first_users_file_that_knows_the_name(authority, servers):
    # directories of LDAP cannot check one, and two users files stand around them
    found = in_order(servers)
    gateway = harness.Gateway(authority, partners=SITE, sections=found)
    path = os.path.join(gateway.site.folder, 'robots.json')
    for file, name in ((gateway.site.users_file, 'first-robot'), (path, 'second-robot')):
        done = harness.run(harness.COMMAND, 'user', 'add', name, '--file', file, '--digest', '--password-stdin',
                           '--attribute', 'upn=%s@example.com' % name, input='robot-secret\n')  # fmt: skip
        assert done.returncode == 0, done.stderr
        if os.geteuid() == 0:
            shutil.chown(file, harness.WORKER, harness.WORKER)
    gateway.site.sections['directory', 'robots'] = {'path': path}
    gateway.site.write()
    with gateway:
        for name, directory in (('first-robot', 'people'), ('second-robot', 'robots')):
            answer = gateway.soap(USERNAME['13'], make('Issue', applies_to(REALM), name, 'robot-secret', digested=True))
            assert answer.status_code == 200 and name + '@example.com' in answer.text, answer.text
            assert_served(gateway, name, directory)
            assert gateway.soap(USERNAME['13'], make('Issue', applies_to(REALM), name, 'wrong', digested=True)).status_code != 200
        assert gateway.soap(USERNAME['13'], make('Issue', applies_to(REALM), 'zoë', PEOPLE['zoë'], digested=True)).status_code != 200


def test_a_password_is_for_the_first_that_knows_the_name(world, servers):
    before = [server.binds('uid=alice') for server in servers]
    answer = ask(world, 'alice', PEOPLE['alice'])  # that of others with that name
    assert answer.status_code != 200 and 'FailedAuthentication' in answer.text
    assert [server.binds('uid=alice') for server in servers] == before
    assert ask(world, 'people.test\\alice', PEOPLE['alice']).status_code == 200


@pytest.mark.parametrize('user,password', [('alice', 'wrong'), ('zoë', 'wrong'), ('nobody', 'wrong')])
def test_a_wrong_password_asks_as_much_as_an_unknown_name(world, servers, user, password):
    before = [server.binds('ou=people') + server.binds('cn=nobody') for server in servers]
    assert 'FailedAuthentication' in ask(world, user, password).text
    assert [server.binds('ou=people') + server.binds('cn=nobody') for server in servers] == [count + 1 for count in before]


def test_one_that_is_down_stops_nobody_else(authority, servers):
    first, second = servers
    with harness.Gateway(authority, partners=SITE, sections=in_order(servers), nginx={'workers': 1}) as gateway:
        with first.frozen():
            begun = time.monotonic()
            assert ask(gateway, 'dora', 'Dora.Pw1').status_code == 200
            assert time.monotonic() - begun < TIMEOUT + 1
            assert ask(gateway, 'alice', 'alice-secret').status_code == 200
        first.stop()
        try:
            begun = time.monotonic()
            assert ask(gateway, 'dora', 'Dora.Pw1').status_code == 200
            assert time.monotonic() - begun < 1.5
            assert_served(gateway, 'dora', 'second')
            # theirs could be the one that is down: nobody is told that a password is wrong, or that somebody is known
            told = [ask(gateway, user, 'wrong').text for user in ('zoë', 'nobody', 'alice', 'dora')]
            assert all(NO_ANSWER in text for text in told), told
            assert reason(gateway, 'zoë', 1) == 'directory_unavailable'
        finally:
            first.start()
        # zoë is in the second as well, which is asked after the first
        before = first.binds('uid=zo')
        harness.wait_for(lambda: ask(gateway, 'zoë', PEOPLE['zoë']).status_code == 200 and first.binds('uid=zo') > before, 40, 0.3)
        assert 'FailedAuthentication' in ask(gateway, 'nobody', 'wrong').text


@pytest.mark.parametrize('name', ['bob', 'nobody'])
def test_all_forms_of_a_name_count_as_one(authority, servers, name):
    """Somebody who is known and somebody who is not: the same answers in the same order."""
    found = in_order(servers, account_failures=3, first_wait='20s')
    del found['directory', 'second']
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        for form in ('people.test\\' + name, 'PEOPLE.TEST\\' + name.upper()):
            assert ask(gateway, form, 'wrong').status_code != 200
        # whr chooses as the domain does; the attempt after the free ones may be made, and whoever comes then waits
        for _ in range(2):
            sign_in(gateway, 'urn:first', name, 'wrong')
        for form in (name, 'people.test\\' + name):
            sign_in(gateway, 'urn:first', form, PEOPLE['bob'])
            assert_latest(gateway, form, 'locked_out')
        assert ask(gateway, 'zoë', PEOPLE['zoë']).status_code == 200  # the control


def test_an_address_that_must_wait_makes_no_directory_look(authority, servers):
    found = in_order(servers, address_failures=3, first_wait='1h', longest_wait='1h')
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        def looked_for(name):
            assert ask(gateway, name, 'wrong').status_code != 200
            return [server.log().count('(uid=%s)' % name) for server in servers]

        assert [looked_for('guess%d' % i) for i in range(4)] == 4 * [[1, 1]]
        assert [looked_for('guess%d' % i) for i in range(4, 8)] == 4 * [[0, 0]]
        assert reason(gateway, 'guess7', 1) == 'locked_out'


def test_nothing_is_counted_while_no_server_answers(authority, servers):
    first, _ = servers
    found = in_order(servers, account_failures=3, first_wait='1h', longest_wait='1h')
    with harness.Gateway(authority, partners=SITE, sections=found, nginx={'workers': 1}) as gateway:
        first.stop()
        try:
            for count in range(8):
                assert NO_ANSWER in sign_in(gateway, 'urn:first', 'zoë', PEOPLE['zoë']).text
                assert reason(gateway, 'zoë', count + 1) == 'directory_unavailable'
        finally:
            first.start()

        def answer():
            got = sign_in(gateway, 'urn:first', 'zoë', PEOPLE['zoë'])
            return got if isinstance(got, dict) or NO_ANSWER not in got.text else None

        assert harness.wait_for(answer, 40, 0.3)['name'] == ['zoë']
        # whose password is wrong is counted
        for _ in range(4):
            sign_in(gateway, 'urn:first', 'zoë', 'wrong')
        assert 'wresult' not in sign_in(gateway, 'urn:first', 'zoë', PEOPLE['zoë']).text
        assert_latest(gateway, 'zoë', 'locked_out')
