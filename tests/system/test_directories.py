# SPDX-License-Identifier: GPL-2.0-or-later
"""Several directories: a users file, then two of OpenLDAP's; which one serves whom, and how attempts are counted."""
import time

import pytest

import harness
import openldap
from messages import USERNAME, rst
from openldap import BASE, PEOPLE, Slapd
from test_directory import NO_LOCKOUT, REALM, SITE, sections, sign_in
from test_directory_down import NO_ANSWER

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


def who_served(gateway, user):
    def last():
        return [line['directory'] for line in gateway.site.audit_now(event='signin') if line['user'] == user][-1:]

    return harness.wait_for(last, 5)[0]


def reason(gateway, user, count):
    """Of the attempt of that number."""
    harness.wait_for(lambda: len(gateway.site.audit_now(event='signin_refused', user=user)) >= count, 5)
    return gateway.site.audit_now(event='signin_refused', user=user)[count - 1]['reason']


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
    assert who_served(world, user) == directory


@pytest.mark.parametrize('realm,user,password', [('urn:second', 'alice', PEOPLE['alice']), ('urn:second', 'dora', 'Dora.Pw1')])
def test_by_whr(world, realm, user, password):
    assert sign_in(world, realm, user, password)['name'] == [user]
    assert who_served(world, user) == 'second'
    assert 'wresult' not in sign_in(world, 'urn:first', 'dora', 'Dora.Pw1').text


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
            assert ask(gateway, 'dora', 'Dora.Pw1').status_code == 200 and who_served(gateway, 'dora') == 'second'
            assert time.monotonic() - begun < 1.5
            # theirs could be the one that is down: nobody is told that a password is wrong, or that somebody is known
            told = [ask(gateway, user, 'wrong').text for user in ('zoë', 'nobody', 'alice', 'dora')]
            assert all(NO_ANSWER in text for text in told), told
            assert reason(gateway, 'zoë', 1) == 'directory_unavailable'
        finally:
            first.start()
        # zoë is in the second as well, whom the first goes before
        harness.wait_for(lambda: ask(gateway, 'zoë', PEOPLE['zoë']).status_code == 200 and who_served(gateway, 'zoë') == 'first', 40, 0.3)
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
            assert reason(gateway, form, len(gateway.site.audit_now(event='signin_refused', user=form))) == 'locked_out'
        assert ask(gateway, 'zoë', PEOPLE['zoë']).status_code == 200  # the control


def test_another_ones_mail_address_forgives_nothing(authority, servers):
    """An account name of the same directory that looks like somebody's plain name does not reset what was counted for that one."""
    found = in_order(servers, account_failures=3, first_wait='20s')
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        for _ in range(3):
            ask(gateway, 'people.test\\bob', 'wrong')
        assert ask(gateway, 'alice@people.test', PEOPLE['alice']).status_code == 200
        ask(gateway, 'people.test\\bob', 'wrong')
        ask(gateway, 'people.test\\bob', 'wrong')
        assert reason(gateway, 'people.test\\bob', 5) == 'locked_out'


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
        assert reason(gateway, 'zoë', len(gateway.site.audit_now(event='signin_refused', user='zoë'))) == 'locked_out'
