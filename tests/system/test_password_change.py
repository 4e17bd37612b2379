# SPDX-License-Identifier: GPL-2.0-or-later
"""Another password for whoever must change it, at a real Samba Active Directory domain controller."""
import itertools
import os
import urllib.parse

import pytest

import harness
import test_directory
import openldap
from flows import at, fill_in
from messages import PASSIVE, USERNAME, form, rst
from test_pages import EXAMINE

REALM = test_directory.REALM
CHANGE = 'Change your password'
WRONG = 'The user name or password is not right.'
PARTNERS = {'viewer': {**harness.PARTNERS['viewer'], 'display_name': 'Demo application', 'name_id': 'upn'}, **test_directory.SITE}
OLD, NEW = 'Old.Pw1 ü', 'Nëw.Pw2 €𝄞'
numbers = itertools.count(1)


@pytest.fixture(scope='module')
def world(authority, controller):
    found = test_directory.sections(
        svc=test_directory.service(controller),
        off=test_directory.service(controller, domain='OFF', password_change='false'),
        self=test_directory.directory(controller, domain='SELF'),
    )
    found['viewer'] = {'path': '/demo/', 'realm': 'urn:fedgate:demo'}
    with harness.Gateway(authority, partners=PARTNERS, sections=found) as gateway:
        yield gateway


@pytest.fixture
def person(controller):
    """Whoever must change; a new one for each test."""
    name = 'must%d' % next(numbers)
    controller.tool('user', 'create', name, OLD, '--must-change-at-next-login', '--userou=OU=People')
    return name + '@gw.test'


def sign_in(gateway, user, password, realm='urn:svc', context='1', browser=None):
    browser = browser or gateway.browser()
    query = urllib.parse.urlencode({'wa': 'wsignin1.0', 'wtrealm': REALM, 'whr': realm, 'wctx': context})
    return browser, fill_in(gateway, browser, browser.get(gateway.url(PASSIVE) + '?' + query, timeout=30), user, password)


def change(gateway, browser, page, old=OLD, new=NEW, again=None, to=None, **forged):
    action, fields = form(page.text)
    fields.update(password=old, new_password=new, new_password_again=new if again is None else again, **forged)
    return browser.post(to or at(gateway, action), data=fields, timeout=30)


def reasons(gateway, user, event='password_change_refused'):
    return [line.get('reason') for line in gateway.site.audit_now(event=event, user=user)]


def assert_not_changed(gateway, user):
    """The old password still leads to the page."""
    assert CHANGE in sign_in(gateway, user, OLD)[1].text


def test_changed_and_on_to_the_application(world, person):
    browser, page = sign_in(world, person, OLD)
    assert page.status_code == 200 and CHANGE in page.text and 'wresult' not in page.text, page.text
    answer = change(world, browser, page)
    assert test_directory.claims_of(answer.text)['upn'] == [person]
    assert form(answer.text)[1]['wctx'] == '1'
    harness.wait_for(lambda: world.site.audit_now(event='password_changed', user=person, directory='svc'), 5)
    assert reasons(world, person, 'signin') == [None]
    assert WRONG in sign_in(world, person, OLD)[1].text
    assert 'wresult' in sign_in(world, person, NEW)[1].text
    logs = world.nginx.log() + str(world.site.audit_now())
    assert NEW not in logs and OLD not in logs


@pytest.mark.parametrize('width,height,scheme', [(360, 740, 'dark'), (1280, 800, 'light')], ids=['phone', 'desktop'])
def test_in_a_browser(world, person, profile, tmp_path, width, height, scheme):
    page = profile(script=True, width=width, height=height, scheme=scheme)
    page.goto(world.url('/demo/'))
    page.click('.choice[value="urn:svc"]')
    page.sign_in(person, OLD)
    assert page.title().startswith(CHANGE)
    assert 'Demo application' in page.text()
    page.do('shot', path=os.path.join(os.environ.get('FEDGATE_SHOTS') or tmp_path, 'change-password-%s.png' % scheme))
    assert page.evaluate(EXAMINE) == []

    def enter(new, again):
        page.fill(password=OLD, new_password=new, new_password_again=again)
        page.click('form button[type=submit]')

    enter(NEW, NEW + 'x')
    assert 'The new passwords differ.' in page.text()
    assert page.evaluate(EXAMINE) == []
    enter('abc', 'abc')
    assert 'The rules for passwords do not permit this one.' in page.text()
    enter(NEW, NEW)
    harness.wait_for(lambda: page.title().startswith('You are signed in'), 10)
    assert person in page.text()
    again = profile(script=True)
    again.goto(world.url('/demo/'))
    again.click('.choice[value="urn:svc"]')
    again.sign_in(person, OLD)
    assert WRONG in again.text()
    again.sign_in(person, NEW)
    harness.wait_for(lambda: again.title().startswith('You are signed in'), 10)


def test_without_script_and_in_german(world, person, profile):
    page = profile(script=False, language='de')
    page.goto(world.url(PASSIVE) + '?wa=wsignin1.0&wtrealm=urn:fedgate:demo&whr=urn:svc')
    page.sign_in(person, OLD)
    assert page.title().startswith('Passwort ändern')
    page.fill(password=OLD, new_password='abc', new_password_again='abc')
    page.click('form button[type=submit]')
    assert 'Die Regeln für Passwörter lassen dieses nicht zu.' in page.text()
    labels = page.evaluate('[...document.querySelectorAll("input:not([type=hidden])")].map(one => one.labels[0].textContent)')
    assert labels == ['Benutzername', 'Altes Passwort', 'Neues Passwort', 'Neues Passwort noch einmal']
    page.fill(password=OLD, new_password=NEW, new_password_again=NEW)
    page.click('form button[type=submit]')
    assert page.title().startswith('Sie werden angemeldet')


@pytest.mark.parametrize('entered,text,reason', [
    ({'again': NEW + 'x'}, 'The new passwords differ.', 'new_password_entry'),
    ({'new': OLD}, 'The new password is the old one.', 'new_password_entry'),
    ({'new': ''}, 'Enter the old password, and the new one twice.', 'new_password_entry'),
    ({'new': 'abc'}, 'The rules for passwords do not permit this one.', 'new_password_policy'),
    ({'new': 'x' * 512}, 'The rules for passwords do not permit this one.', 'new_password_policy'),
    ({'old': 'not it'}, 'The old password is not right.', 'wrong_user_or_password'),
], ids=['differs', 'same', 'empty', 'policy', 'long', 'old'])  # fmt: skip
def test_what_is_said_of_what_is_wrong(world, person, entered, text, reason):
    browser, page = sign_in(world, person, OLD)
    answer = change(world, browser, page, **entered)
    assert answer.status_code == 200 and text in answer.text and CHANGE in answer.text, answer.text
    harness.wait_for(lambda: reasons(world, person) == [reason], 5)
    assert 'wresult' in change(world, browser, answer).text  # the page that says so goes on


def test_the_form_is_one_browsers_one_accounts_and_one_requests(world, person, controller):
    other = 'other%d' % next(numbers)
    controller.tool('user', 'create', other, OLD, '--must-change-at-next-login', '--userou=OU=People')
    browser, page = sign_in(world, person, OLD)
    stranger, foreign = sign_in(world, other + '@gw.test', OLD)
    token = form(foreign.text)[1]['csrf']
    elsewhere = at(world, form(page.text)[0]).replace('wctx=1', 'wctx=2')
    assert elsewhere != at(world, form(page.text)[0])
    sign_in_token = form(sign_in(world, person, 'wrong', browser=browser)[1].text)[1]['csrf']
    for forged in (
        change(world, stranger, page),
        change(world, world.browser(), page),
        change(world, browser, page, csrf=token),
        change(world, browser, page, csrf=sign_in_token),
        change(world, browser, page, csrf=''),
        change(world, browser, page, username=other + '@gw.test'),
        change(world, browser, page, username='alice@gw.test', old='Alice.Pw1'),
        change(world, browser, page, home='urn:off'),
        change(world, browser, page, home='urn:self'),
        change(world, browser, page, to=elsewhere),
    ):
        assert forged.status_code >= 400 and 'wresult' not in forged.text and CHANGE not in forged.text, forged.text
    assert_not_changed(world, person)
    assert_not_changed(world, other + '@gw.test')
    assert 'wresult' in sign_in(world, 'alice@gw.test', 'Alice.Pw1')[1].text
    assert 'wresult' in change(world, browser, page).text


def test_who_need_not_change_cannot_by_this_form(world, person, controller):
    browser, page = sign_in(world, person, OLD)
    controller.tool('user', 'setpassword', person.split('@')[0], '--newpassword=' + OLD)  # no longer due
    answer = change(world, browser, page)
    assert answer.status_code == 400 and 'wresult' not in answer.text, answer.text
    harness.wait_for(lambda: reasons(world, person) == ['password_not_due'], 5)
    assert 'wresult' in sign_in(world, person, OLD)[1].text


@pytest.mark.parametrize('realm', ['urn:off', 'urn:self'])
def test_where_it_cannot_be_changed_it_is_not_offered(world, person, realm):
    answer = sign_in(world, person, OLD, realm=realm)[1]
    assert CHANGE not in answer.text and 'The password must be changed before you can sign in.' in answer.text
    assert_not_changed(world, person)


def test_only_the_right_password_leads_to_the_page(world, person):
    answer = sign_in(world, person, 'wrong')[1]
    assert CHANGE not in answer.text and WRONG in answer.text
    assert_not_changed(world, person)
    assert 'FailedAuthentication' in world.soap(USERNAME['13'], rst(world.base_url, person, OLD, REALM)).text


def test_wrong_old_passwords_count(make_gateway, controller, person):
    found = {**test_directory.sections(svc=test_directory.service(controller)), 'lockout': {'account_failures': 3, 'address_failures': 100000}}
    with_lockout = make_gateway(partners=PARTNERS, sections=found)
    browser, page = sign_in(with_lockout, person, OLD)
    for _ in range(4):
        answer = change(with_lockout, browser, page, old='not it')
        assert 'The old password is not right.' in answer.text
    answer = change(with_lockout, browser, page)
    assert 'The old password is not right.' in answer.text and 'wresult' not in answer.text
    harness.wait_for(lambda: reasons(with_lockout, person)[-1:] == ['locked_out'], 5)
    harness.wait_for(lambda: 'wresult' in change(with_lockout, browser, page).text, 30)




def test_a_directory_that_does_not_answer(make_gateway, controller, person):
    gateway = make_gateway(partners=PARTNERS, sections=test_directory.sections(svc=test_directory.service(controller, timeout='2s')))
    browser, page = sign_in(gateway, person, OLD)
    controller.freeze()
    try:
        answer = change(gateway, browser, page)
    finally:
        controller.thaw()
    assert CHANGE in answer.text and 'The directory of accounts does not answer.' in answer.text, answer.text
    harness.wait_for(lambda: reasons(gateway, person) == ['directory_unavailable'], 5)
    harness.wait_for(lambda: 'wresult' in change(gateway, browser, answer).text, 30)


@pytest.mark.parametrize('user', ['reset', 'aged'])  # the first changes it himself; for the other, fedgate's account does
def test_by_the_password_modify_operation(authority, user):
    old = openldap.PEOPLE[user]
    with openldap.Slapd(PASSWORDS='=xw') as slapd:
        sections = test_directory.sections(people2=openldap.directory(slapd))
        with harness.Gateway(authority, partners=PARTNERS, sections=sections) as gateway:
            harness.wait_for(lambda: CHANGE in sign_in(gateway, user, old, 'urn:people2')[1].text, 5)
            browser, page = sign_in(gateway, user, old, 'urn:people2')
            page = change(gateway, browser, page, old='not it')
            assert 'The old password is not right.' in page.text
            if user == 'reset':
                page = change(gateway, browser, page, old=old, new='abc')
                assert 'The rules for passwords do not permit this one.' in page.text, page.text
            answer = change(gateway, browser, page, old=old)
            harness.wait_for(lambda: gateway.site.audit_now(event='password_changed', user=user), 5)
            assert user == 'aged' or 'wresult' in answer.text, answer.text  # its passwords live for a second
            assert WRONG in sign_in(gateway, user, old, 'urn:people2')[1].text
            assert slapd.tool('ldapwhoami', who=('uid=%s,ou=people,%s' % (user, openldap.BASE), NEW)).returncode == 0 or user == 'aged'


def test_an_account_that_may_not_write_passwords(authority):
    with openldap.Slapd() as slapd:
        sections = test_directory.sections(people2=openldap.directory(slapd))
        with harness.Gateway(authority, partners=PARTNERS, sections=sections) as gateway:
            harness.wait_for(lambda: CHANGE in sign_in(gateway, 'aged', openldap.PEOPLE['aged'], 'urn:people2')[1].text, 5)
            browser, page = sign_in(gateway, 'aged', openldap.PEOPLE['aged'], 'urn:people2')
            answer = change(gateway, browser, page, old=openldap.PEOPLE['aged'])
            assert 'The password cannot be changed here.' in answer.text, answer.text
            harness.wait_for(lambda: reasons(gateway, 'aged') == ['password_change_refused'], 5)
