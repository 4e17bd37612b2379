# SPDX-License-Identifier: GPL-2.0-or-later
"""Claim rules in the running gateway: accepted, authorized, issued; what is denied; what a wrong rule file does."""
import html
import os
import urllib.parse

import pytest
from lxml import etree

import harness
from harness import COMMAND, run
from messages import PASSIVE, USERNAME, form, rst

REALM = 'urn:test:rules'
SAML20 = 'urn:oasis:names:tc:SAML:2.0:assertion'
ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'
UPN = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn'
COMMON_NAME = 'http://schemas.xmlsoap.org/claims/CommonName'
SAMPLES = os.path.join(harness.ROOT, 'etc', 'policy')
USERS = {
    'alice': {'password': 'alice-secret', 'groups': ['Staff', 'Operators'], 'upn': 'alice@corp.test'},
    'bob': {'password': 'bob-secret', 'groups': ['Staff'], 'upn': 'bob@corp.test'},
    'gus': {'password': 'gus-secret', 'groups': ['Staff', 'Guests']},
    'nora': {'password': 'nora-secret', 'groups': ['Visitors']},
}


@pytest.fixture
def gateway(make_gateway):
    """With the sample rules, copied: a test may change them."""
    rules = {'authorization_rules': 'authorization.rules', 'issuance_rules': 'issuance.rules'}
    partners = {'app': {'realm': [REALM], 'reply': ['https://app.example.com/'], 'token': 'saml20', **rules}, 'plain': {'realm': ['urn:test:plain'], 'claims': ['upn']}}
    directory = {'acceptance_rules': 'acceptance.rules'}
    made = make_gateway(start=False, users=USERS, partners=partners, sections={}, directory=directory)
    for name in os.listdir(SAMPLES):
        with open(os.path.join(SAMPLES, name)) as file:
            write(made, name, file.read())
    made.nginx.start(made.port)
    return made


def write(gateway, name, text):
    with open(os.path.join(gateway.site.folder, name), 'w') as file:
        file.write(text)


def ask(gateway, user, realm=REALM):
    return gateway.soap(USERNAME['13'], rst(gateway.base_url, user, user + '-secret', realm))


def claims(answer):
    assert answer.status_code == 200, answer.text
    out = {}
    for attribute in etree.fromstring(answer.content).iter('{%s}Attribute' % SAML20):
        out[attribute.get('Name')] = [value.text for value in attribute]
    return out


def name_id(answer):
    return etree.fromstring(answer.content).find('.//{%s}NameID' % SAML20)


def test_claims_are_transformed(gateway):
    answer = ask(gateway, 'alice')
    got = claims(answer)
    assert got[UPN] == ['alice@example.com']
    assert got[ROLE] == ['app-admin']
    assert got[COMMON_NAME] == ['Alice Test']
    assert sorted(key.rsplit('/', 1)[1] for key in got) == ['CommonName', 'emailaddress', 'name', 'role', 'upn']
    assert name_id(answer).text == 'alice@example.com'
    assert name_id(answer).get('Format') == 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
    assert claims(ask(gateway, 'bob'))[ROLE] == ['app-reader']
    assert b'bob@corp.test' in ask(gateway, 'bob', 'urn:test:plain').content


@pytest.mark.parametrize('user, because', [('gus', 'denied by rule "But no guests"'), ('nora', 'no authorization rule permits it')])
def test_who_is_denied_gets_a_fault(gateway, user, because):
    assert ask(gateway, 'bob').status_code == 200
    answer = ask(gateway, user)
    assert answer.status_code in (403, 500)
    assert b'RequestFailed' in answer.content and b'Assertion' not in answer.content
    assert because.encode() not in answer.content
    line, = gateway.site.audit(event='refused', reason='denied')
    assert because in line['detail'] and 'app' in line['detail']
    assert ask(gateway, user, 'urn:test:plain').status_code == 200


def test_in_a_browser(gateway):
    """A page instead of the fault; who is permitted gets the rules' claims, also with the session later."""

    def sign_in(browser, user):
        page = browser.get(path, timeout=30)
        action, fields = form(page.text)
        return browser.post(urllib.parse.urljoin(page.url, action), data={**fields, 'username': user, 'password': user + '-secret'}, timeout=30)

    path = gateway.url(PASSIVE) + '?wa=wsignin1.0&wtrealm=' + REALM
    gus, alice = gateway.browser(), gateway.browser()
    answer = sign_in(gus, 'gus')
    assert answer.status_code == 403 and 'wresult' not in answer.text and 'guests' not in answer.text
    line, = gateway.site.audit(event='refused', reason='denied')
    assert 'denied by rule "But no guests"' in line['detail']
    assert 'password' in form(gus.get(path, timeout=30).text)[1]  # no session: somebody else may sign in
    for answer in (sign_in(alice, 'alice'), alice.get(path, timeout=30)):
        result = html.unescape(form(answer.text)[1]['wresult'])
        assert '>alice@example.com</' in result and '>app-admin<' in result and '>Staff<' not in result


def test_reload_with_a_wrong_rule_file_keeps_the_old(gateway):
    good = '@RuleName = "x"\n => issue(Type = "urn:fixed", Value = "1");\n'
    write(gateway, 'issuance.rules', good.replace('issue(', 'isue('))
    assert not gateway.nginx.reload()
    assert 'issuance.rules:2:5: found "isue", expected issue, add, permit or deny; did you mean "issue"?' in gateway.nginx.log()
    assert claims(ask(gateway, 'alice'))[ROLE] == ['app-admin']
    checked = run(COMMAND, 'config', 'check', gateway.site.conf)
    assert checked.returncode == 3 and 'issuance.rules:2:5: ' in checked.stderr
    write(gateway, 'issuance.rules', good)
    assert gateway.nginx.reload()
    harness.wait_for(lambda: claims(ask(gateway, 'alice')) == {'urn:fixed': ['1']})


def test_policy_check(tmp_path):
    samples = sorted(os.path.join(SAMPLES, name) for name in os.listdir(SAMPLES))
    done = run(COMMAND, 'policy', 'check', *samples)
    assert done.returncode == 0 and done.stdout.count(': right (') == len(samples) == 10
    wrong = tmp_path / 'wrong.rules'
    wrong.write_text('c:[Type == "a"]\n => issue(claim = d);\n')
    done = run(COMMAND, 'policy', 'check', samples[0], str(wrong), samples[1])
    assert done.returncode == 3 and done.stdout.count('right') == 2
    assert done.stderr == 'fedgate: %s:2:19: found "d", expected the name of a condition of this rule; did you mean "c"?\n' % wrong
    assert run(COMMAND, 'policy', 'check', str(tmp_path / 'none')).returncode == 3
    assert run(COMMAND, 'policy', 'check').returncode == 2


def test_claims_and_issuance_rules_exclude_each_other(tmp_path):
    rules = tmp_path / 'i.rules'
    rules.write_text('')
    site = harness.Site(str(tmp_path / 'site'), 'https://fs.example.com', sections={},
                        partners={'app': {'realm': ['urn:a'], 'claims': ['upn'], 'issuance_rules': str(rules)}})  # fmt: skip
    done = run(COMMAND, 'config', 'check', site.conf)
    assert done.returncode == 3 and 'expected either claims or issuance_rules' in done.stderr
    del site.partners['app']['claims']
    site.write()
    assert run(COMMAND, 'config', 'check', site.conf).returncode == 0
    delegation = tmp_path / 'd.rules'
    site.partners['app']['delegation_rules'] = str(delegation)
    delegation.write_text('[upn == "f"] && exists([subject_role == "Staff"]) => permit();\n')
    site.write()
    assert run(COMMAND, 'config', 'check', site.conf).returncode == 0
    delegation.write_text('[upn == "f"] && exists([subject_rolle == "Staff"]) => permit();\n')
    done = run(COMMAND, 'config', 'check', site.conf)
    assert done.returncode == 3 and 'd.rules:1:25: found "subject_rolle"' in done.stderr, done.stderr
    del site.partners['app']['delegation_rules']
    site.partners['app']['authorization_rules'] = str(tmp_path / 'none.rules')
    site.write()
    done = run(COMMAND, 'config', 'check', site.conf)
    assert done.returncode == 3 and 'none.rules", expected a file with claim rules (' in done.stderr
