# SPDX-License-Identifier: GPL-2.0-or-later
"""A Samba domain controller as the attribute store of claim rules, in AD FS' forms of a query: what reaches a relying party of WS-Federation,
what a value in a query cannot do, and what happens while the directory is down or hangs."""
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse

import pytest

import harness
import openldap
from flows import fill_in
from harness import COMMAND
from messages import METADATA, PASSIVE
from openldap import Slapd
from protected import SIGN_IN, protecting
from test_directory import claims_of, directory, service

WINDOWS = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname'
NAME = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name'
DOWN = 'The directory of accounts does not answer.'
SECONDS = 2


def ask(kind, types, query, store='corp'):
    """A rule; the types are urn:x:NAME."""
    return 'c:[Type == "%s"] => issue(store = "%s", types = (%s), query = "%s", param = c.Value);\n' % (
        kind, store, ', '.join('"urn:x/%s"' % name for name in types), query)  # fmt: skip


RULES = {
    # AD FS: the Active Directory store
    'account': ask(WINDOWS, ['mail', 'display', 'dn'], ';mail,displayName,distinguishedName;{0}'),
    'groups': ask(WINDOWS, ['group', 'mail'], ';tokenGroups,mail;{0}') + ask(WINDOWS, ['sid'], ';tokenGroups(SID);{0}'),
    'qualified': ask(WINDOWS, ['short', 'long'], ';tokenGroups(domainQualifiedName),tokenGroups(longDomainQualifiedName);{0}', store='Active Directory'),
    'filter': ask(NAME, ['mail', 'display'], 'sAMAccountName={0};mail,displayName;GW\\user'),
    # AD FS: an LDAP store
    'ldap': ask(NAME, ['mail', 'sid'], '(&(objectClass=user)(|(sAMAccountName={0})(cn=nobody)));mail,objectSid', store='plain'),
    'several': ask(NAME, ['member'], '(&(objectClass=person)(|(sAMAccountName={0})(sAMAccountName=bob)));sAMAccountName'),
    'everybody': ask(NAME, ['object'], '(|(objectClass=*)(cn={0}));cn'),
    'none': 'c:[Type == "%s"] => issue(claim = c);\n' % NAME,
}  # fmt: skip
# Accounts of a users file; what is known of them elsewhere is the rules' business.
USERS = {
    'alice': {'password': 'alice-secret', 'windows_account_name': 'GW\\alice'},
    'o(d)d': {'password': 'odd-secret', 'windows_account_name': 'GW\\o(d)d'},
    'carol': {'password': 'carol-secret', 'windows_account_name': 'GW\\carol'},
    'nobody': {'password': 'nobody-secret', 'windows_account_name': 'GW\\nobody'},
    'other': {'password': 'other-secret', 'windows_account_name': 'ELSEWHERE\\alice'},
    '*': {'password': 'star-secret', 'windows_account_name': 'GW\\*'},
    'x)(cn=*': {'password': 'cn-secret', 'windows_account_name': 'GW\\x)(|(cn=*'},
    'al;mail': {'password': 'al-secret', 'windows_account_name': 'GW\\{0};{1}'},
}  # fmt: skip


class Site:
    def __init__(self, authority, controller, rules=None, gateway=None, **options):
        self.rules = rules or RULES
        self.gateway = gateway or self.make(authority, controller, options)
        for name, text in self.rules.items():
            with open(os.path.join(self.gateway.site.folder, name + '.rules'), 'w') as file:
                file.write(text)

    def make(self, authority, controller, options):
        partners = {name: {'realm': ['urn:' + name], 'reply': ['https://%s.test/' % name], 'issuance_rules': name + '.rules', 'name_id': NAME} for name in self.rules}
        sections = {
            ('directory', 'corp'): {'uri': 'urn:corp', **service(controller, **options)},
            ('directory', 'plain'): {'uri': 'urn:plain', **service(controller), 'type': 'ldap', 'realm': 'GW.TEST'},
        }  # fmt: skip
        return harness.Gateway(authority, users=USERS, directory={'uri': 'urn:people'}, partners=partners, sections=sections)

    def __enter__(self):
        self.gateway.__enter__()
        return self

    def __exit__(self, *arguments):
        self.gateway.__exit__(*arguments)
        assert '[alert]' not in self.gateway.last_log

    def get(self, partner, user, browser=None, password=None):
        """The claims that the partner's rules yield, or the page that says no."""
        browser = browser or self.gateway.browser()
        address = self.gateway.url(PASSIVE) + '?' + urllib.parse.urlencode({'wa': 'wsignin1.0', 'wtrealm': 'urn:' + partner, 'whr': 'urn:people'})
        answer = browser.get(address, timeout=30)
        if 'id="password"' in answer.text:
            answer = fill_in(self.gateway, browser, answer, user, password or USERS[user]['password'])
        return claims_of(answer.text) if 'wresult' in answer.text else answer


@pytest.fixture(scope='module')
def site(authority, controller):
    with Site(authority, controller) as running:
        yield running


ODD = {'mail': ['o(d)d@gw.test'], 'display': ['Odd Chars']}
ALICE = {'mail': ['alice@gw.test'], 'display': ['Alice Ängström']}


@pytest.mark.parametrize('partner, user, claims', [
    ('account', 'alice', {**ALICE, 'dn': ['CN=Alice Ängström,OU=People,DC=gw,DC=test']}),
    ('account', 'o(d)d', {**ODD, 'dn': ['CN=Odd Chars,OU=People,DC=gw,DC=test']}),
    ('filter', 'alice', ALICE),
    ('filter', 'o(d)d', ODD),
    ('several', 'alice', {'member': ['alice', 'bob']}),
])  # fmt: skip
def test_what_a_relying_party_gets(site, partner, user, claims):
    assert site.get(partner, user) == claims


def test_groups_of_groups(site, controller):
    claims = site.get('groups', 'alice')
    assert set(claims['group']) == {'engineers', 'staff', 'outer', 'Domain Users', 'Users'} and claims['mail'] == ['alice@gw.test']
    staff = controller.tool('group', 'show', 'staff', '--attributes=objectSid')
    assert re.findall(r'objectSid: (\S+)', staff)[0] in claims['sid'] and len(claims['sid']) == 5


def test_groups_with_their_domain_from_the_store_of_ad_fs(site):
    claims = site.get('qualified', 'alice')
    names = {'engineers', 'staff', 'outer', 'Domain Users'}
    assert set(claims['short']) == {'GW\\' + name for name in names} | {'BUILTIN\\Users'}
    assert set(claims['long']) == {'gw.test\\' + name for name in names} | {'BUILTIN\\Users'}


def test_an_ldap_store(site, controller):
    claims = site.get('ldap', 'alice')
    shown = controller.tool('user', 'show', 'alice', '--attributes=objectSid')
    assert claims == {'mail': ['alice@gw.test'], 'sid': re.findall(r'objectSid: (\S+)', shown)}


@pytest.mark.parametrize('partner', ['account', 'filter', 'groups', 'ldap'])
@pytest.mark.parametrize('user', ['nobody', '*', 'x)(cn=*', 'al;mail'])
def test_kl_07_a_value_is_never_a_part_of_the_query(site, partner, user):
    """It is nobody's name, and that is all."""
    assert site.get(partner, user) == {}


def test_whoever_is_disabled_or_of_another_domain_is_nobody(site):
    assert site.get('account', 'carol') == site.get('account', 'other') == {}


def test_too_many_are_an_error_and_not_a_part(site):
    """Of more than 100 entries nobody could say which are given: no token."""
    answer = site.get('everybody', 'alice')
    assert 'wresult' not in answer.text and answer.status_code == 500
    assert site.get('account', 'alice')['mail'] == ['alice@gw.test']
    harness.wait_for(lambda: [line for line in site.gateway.site.audit_now(reason='internal_error') if re.search('more (than 100 )?entries', line['detail'])], 5)


def test_openldap(authority):
    rules = {
        'account': ask(NAME, ['mail', 'group'], ';mail,tokenGroups;{0}', store='ldap'),
        'filter': ask(NAME, ['mail', 'group'], '(&(objectClass=inetOrgPerson)(uid={0}));mail,tokenGroups', store='ldap'),
    }
    users = {name: {'password': 'secret of this one'} for name in ('alice', 'o(d)d*', 'o*', 'zoë')}
    with Slapd() as slapd:
        partners = {name: {'realm': ['urn:' + name], 'reply': ['https://%s.test/' % name], 'issuance_rules': name + '.rules', 'name_id': NAME} for name in rules}
        sections = {('directory', 'ldap'): {'uri': 'urn:ldap', **openldap.directory(slapd)}}
        with Site(authority, None, rules, gateway=harness.Gateway(authority, users=users, directory={'uri': 'urn:people'}, partners=partners, sections=sections)) as site:
            for partner in rules:
                found = site.get(partner, 'alice', password='secret of this one')
                assert set(found['mail']) == {'a.angstrom@mail.test', 'alice@people.test'} and {'engineers', 'staff', 'outer', 'unix'} <= set(found['group']), found
                assert site.get(partner, 'o(d)d*', password='secret of this one')['mail'] == ['odd@people.test']
                assert site.get(partner, 'zoë', password='secret of this one')['mail'] == ['zoe@people.test']
                assert site.get(partner, 'o*', password='secret of this one') == {}


POLICY = 'c:[Type == "%s"] => add(store = "corp", types = ("urn:group"), query = ";tokenGroups;{0}", param = c.Value);\n[Type == "urn:group", Value == "outer"] => permit();\n' % WINDOWS


def test_at_a_protected_location(authority, controller):
    """Who is in a group of a group gets in; while the directory is away, nobody does."""
    location = 'location /app/ { fedgate_protect CONF staff; PROXY }'
    section = 'protect "staff" {\n  policy = "staff.rules"\n}\n'
    for servers, codes in ((['ldaps://dc1.gw.test'], {'alice': 200, 'nobody': 403}), (['ldaps://dc1.gw.test:%d' % harness.free_port()], {'alice': 503, 'nobody': 503})):
        sections = {('directory', 'corp'): service(controller, servers=servers)}
        with protecting(authority, location, gateway_conf=section, files={'staff.rules': POLICY}, users=USERS, directory={'uri': 'urn:people'}, sections=sections) as gateway:
            for user, code in codes.items():
                browser = gateway.browser()
                fill_in(gateway, browser, browser.get(gateway.url(SIGN_IN + '&whr=urn:people'), timeout=30), user, USERS[user]['password'])
                assert browser.get(gateway.url('/app/'), timeout=30, allow_redirects=False).status_code == code, (user, servers)


# ---- what is remembered


def test_what_was_found_holds_for_cache(authority, controller):
    def rename(mail):
        controller.tool('user', 'rename', 'bob', '--mail-address=' + mail)

    USERS['bob'] = {'password': 'bob-secret', 'windows_account_name': 'GW\\bob'}
    rules = {'account': RULES['account']}
    with Site(authority, controller, rules, cache='3s', negative_cache='1s') as cached, Site(authority, controller, rules, cache='0s', negative_cache='0s') as fresh:
        try:
            assert all(site.get('account', 'bob')['mail'] == ['bob@gw.test'] for site in (cached, fresh) for _ in range(4))  # each worker has a cache of its own
            rename('robert@gw.test')
            assert fresh.get('account', 'bob')['mail'] == ['robert@gw.test']
            harness.wait_for(lambda: all(cached.get('account', 'bob')['mail'] == ['robert@gw.test'] for _ in range(4)), 10)
        finally:
            rename('bob@gw.test')
            del USERS['bob']


# ---- a directory that does not answer


def test_a_directory_that_is_down_means_no_token(authority, controller):
    nowhere = harness.free_port()
    with Site(authority, controller, servers=['ldaps://dc1.gw.test:%d' % nowhere]) as site:
        browser = site.gateway.browser()
        answer = site.get('account', 'alice', browser)
        assert DOWN in answer.text and answer.status_code == 503, answer.text
        harness.wait_for(lambda: [line for line in site.gateway.site.audit_now(reason='directory_unavailable') if line['event'] != 'signin_refused'], 5)
        # who signs in here needs no directory, nor does a partner whose rules ask none, nor one with another store
        assert site.get('none', 'alice', browser) == {'name': ['alice']}
        assert site.get('ldap', 'alice', browser)['mail'] == ['alice@gw.test']


def test_a_directory_that_hangs_holds_nothing_else_up(authority, controller):
    with Site(authority, controller, timeout='%ds' % SECONDS) as site:
        browsers = [site.gateway.browser() for _ in range(6)]
        for browser in browsers:
            assert site.get('none', 'alice', browser) == {'name': ['alice']}
        assert site.get('account', 'alice', browsers[0])['mail'] == ['alice@gw.test']
        os.killpg(controller.pid, signal.SIGSTOP)
        try:
            told = []

            def wait(browser):
                begun = time.monotonic()
                answer = site.get('filter', 'alice', browser)
                told.append((not isinstance(answer, dict) and answer.status_code == 503, time.monotonic() - begun))

            waiting = [threading.Thread(target=wait, args=(browser,)) for browser in browsers]
            for one in waiting:
                one.start()
            time.sleep(0.3)  # until they wait, on more threads than the token pools have
            for _ in range(6):
                begun = time.monotonic()
                assert site.gateway.get(METADATA).status_code == 200
                assert time.monotonic() - begun < 1
            for one in waiting:
                one.join()
            assert all(refused for refused, _ in told), told
            assert max(seconds for _, seconds in told) < 2 * SECONDS + 3, told
        finally:
            os.killpg(controller.pid, signal.SIGCONT)

        def is_back():
            time.sleep(1)  # nobody hammers: that would be taken for a loop
            return site.get('filter', 'alice') == ALICE

        harness.wait_for(is_back, 15)


# ---- wrong rules


@pytest.mark.parametrize('rule, says', [
    (ask(WINDOWS, ['a'], ';mail;{0}', store='crop'), r'1:\d+: found .*crop.*, expected an attribute store of this gateway; did you mean "corp"'),
    (ask(WINDOWS, ['a'], ';mail,sn;{0}'), r'1:\d+: query: 2 attributes for 1 types'),
    (ask(WINDOWS, ['a'], ';mail;{1}'), r'1:\d+: query: .*names none of 1 params'),
    (ask(WINDOWS, ['a'], 'mail'), r'1:\d+: query: .*expected "FILTER;ATTRIBUTES;DOMAIN'),
    (ask(WINDOWS, ['a'], '(cn={0};mail;x'), r'1:\d+: query: .* is no filter; expected'),
    (ask(WINDOWS, ['a'], '({0}=x);mail;x'), r'1:\d+: query: .* is no filter; expected'),
    (ask(WINDOWS, ['a'], 'cn={2};mail;x'), r'1:\d+: filter .*: nothing is known for \{2\}'),
    (ask(WINDOWS, ['a'], ';tokenGroups(name);{0}'), r'1:\d+: query: .* is no attribute; expected a name, or tokenGroups'),
    (ask(WINDOWS, ['a'], 'cn={0};tokenGroups(SID)', store='plain'), r'1:\d+: query: only Active Directory has tokenGroups\(SID\)'),
    (ask(WINDOWS, ['a'], ';mail', store='plain'), r'1:\d+: query: neither a filter nor an account'),
    (ask(WINDOWS, ['a'], ';mail;{0}', store='alone'), r'1:\d+: directory alone has no account that searches; expected bind_dn'),
    (ask(WINDOWS, ['a'], ';phone;{0}', store='people'), r'1:\d+: query: there is no attribute "phone"'),
])  # fmt: skip
def test_wrong_queries_are_errors_of_the_configuration(authority, controller, rule, says):
    sections = {
        ('directory', 'corp'): service(controller),
        ('directory', 'plain'): {**service(controller), 'type': 'ldap', 'realm': 'GW.TEST'},
        ('directory', 'alone'): directory(controller),
    }
    with harness.Gateway(authority, users=USERS, partners={'app': {'realm': ['urn:app'], 'reply': ['https://app.test/'], 'claims': ['upn']}}, sections=sections) as gateway:
        path = os.path.join(gateway.site.folder, 'app.rules')
        with open(gateway.site.conf) as file:
            conf = file.read()
        with open(gateway.site.conf, 'w') as file:
            file.write(re.sub(r'claims *= *\{"upn"\}', 'issuance_rules = "app.rules"', conf))
        for text, good in ((ask(WINDOWS, ['a'], ';mail;{0}'), True), (rule, False)):
            with open(path, 'w') as file:
                file.write(text)
            done = subprocess.run([os.path.abspath(COMMAND), 'config', 'check', gateway.site.conf], capture_output=True, text=True)
            assert (done.returncode == 0) == good, done.stderr
        assert done.returncode == 3 and re.search('app.rules:' + says, done.stderr), done.stderr
