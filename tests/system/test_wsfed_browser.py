# SPDX-License-Identifier: GPL-2.0-or-later
"""Signing in and out at sites that others wrote (npm passport-wsfed-saml2), in a real Chromium.

Every test's profiles are fresh, and fail it if a page had a console error, a refusal by its own content security policy or an
exception (the profile fixture).
"""
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

import harness
from messages import PASSIVE
from rp import CLAIMS, RelyingParty

UPN = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn'
HTTP_ERROR = 'Failed to load resource: the server responded with a status of 4'  # Chromium says so of every error page
SITES = {
    # name: token, shape of the response, encrypted, at another site than the gateway's
    'alpha': ('saml11', '2005', False, False),
    'beta': ('saml20', '13', False, False),
    'gamma': ('saml20', '2005', False, True),
    'delta': ('saml11', '13', False, True),
    'epsilon': ('saml20', '13', True, True),
    'zeta': ('saml11', '2005', True, True),
}


@pytest.fixture(scope='module')
def world(authority):
    """A gateway and its relying parties."""
    folder = harness.temporary_folder()
    parties = {}
    for name, (token, trust, encrypted, elsewhere) in SITES.items():
        parties[name] = RelyingParty(name, folder, elsewhere, token=token, trust=trust)
        if encrypted:
            parties[name].encrypt_to(authority)
    partners = {**harness.PARTNERS, **{name: party.section() for name, party in parties.items()}}
    partners['viewer'] = {**harness.PARTNERS['viewer'], 'name_id': 'upn'}
    partners['echo'] = {'realm': ['urn:test:echo'], 'reply': [ECHO], 'claims': ['upn']}
    with harness.Gateway(authority, partners=partners) as gateway:
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda party: party.start(gateway), parties.values()))
            yield World(gateway, parties)
        finally:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda party: party.stop(), parties.values()))
    assert '[alert]' not in gateway.last_log and '[crit]' not in gateway.last_log, gateway.last_log


ECHO = 'https://echo.localhost:4443/'  # nothing listens: answered in the browser


class World:
    def __init__(self, gateway, parties):
        self.gateway, self.parties = gateway, parties

    def __getattr__(self, name):
        return self.parties[name]

    def url(self, **parameters):
        return self.gateway.url(PASSIVE) + '?' + urllib.parse.urlencode({'wa': 'wsignin1.0', **parameters})


def assert_at_home(page, party, upn='alice@example.com'):
    """On the site's own page, which shows what its library made of the token."""
    assert page.url() == party.secure, page.text()
    assert upn in page.text() and UPN in page.text(), page.text()


def sign_in(page, party, user='alice', password='alice-secret'):
    page.goto(party.secure)
    assert page.asks_for_password(), page.text()
    page.sign_in(user, password)
    assert_at_home(page, party, user + '@example.com')


@pytest.mark.parametrize('name', SITES)
def test_sign_in(world, profile, name):
    """The site asks, the person types a password, the site's own library takes the token and shows the claims."""
    page, party = profile(), world.parties[name]
    page.goto(party.secure)
    assert page.url().startswith(world.gateway.base_url + PASSIVE)
    assert page.title().startswith('Sign in') and party.section()['display_name'] in page.text()
    page.sign_in('alice', 'alice-secret')
    assert_at_home(page, party)
    assert 'Administrators' in page.text() and CLAIMS + 'emailaddress' in page.text()
    line = world.gateway.site.audit(event='issued', partner=name)
    assert line, world.gateway.site.audit(event='issued')


def test_single_sign_on(world, profile):
    page = profile()
    sign_in(page, world.alpha)
    page.goto(world.beta.secure)
    assert_at_home(page, world.beta)


def test_sign_out_everywhere(world, profile):
    page = profile()
    sign_in(page, world.alpha)
    for party in (world.beta, world.gamma):
        page.goto(party.secure)
        assert_at_home(page, party)
    page.requests()
    page.goto(world.alpha.origin + '/logout')
    assert page.url().startswith(world.gateway.base_url) and 'signed out' in page.text()
    assert 'Alpha site' in page.text() and 'Beta site' in page.text()
    cleaned = {one['url']: one.get('status') for one in page.requests() if 'wsignoutcleanup1.0' in one['url']}
    assert cleaned == {party.cleanup: 200 for party in (world.alpha, world.beta, world.gamma)}
    assert 'Continue to Alpha site' in page.text()
    page.click('a.button')
    assert page.url() == world.alpha.origin + '/' and page.text() == 'not signed in'
    for party in (world.alpha, world.beta):
        page.goto(party.secure)
        assert page.asks_for_password(), 'still signed in at %s: %s' % (party.name, page.text())
    page.sign_in('alice', 'alice-secret')
    assert_at_home(page, world.beta)


def test_wrong_password_then_the_right_one(world, profile):
    page = profile()
    page.goto(world.alpha.secure)
    page.sign_in('alice', 'not-this')
    assert page.has('[role=alert]') and 'not right' in page.text()
    assert page.evaluate('document.querySelector("[name=username]").value') == 'alice'
    assert page.evaluate('document.querySelector("[name=password]").value') == ''
    assert page.evaluate('document.activeElement.name') == 'password'
    page.sign_in('nobody', 'not-this')
    assert 'not right' in page.text()
    page.sign_in('alice', 'alice-secret')
    assert_at_home(page, world.alpha)


def refused(page, world, url, reason):
    """The error page, with the id that the audit line has; stays at the gateway."""
    answer = page.goto(url)
    assert answer['status'] >= 400 and page.url() == url
    assert reason in page.text()
    lines = [line for line in world.gateway.site.audit(reason=reason) if line['id'] in page.text()]
    assert len(lines) == 1, page.text()


def test_unknown_realm(world, profile):
    refused(profile(forgive=[HTTP_ERROR]), world, world.url(wtrealm='urn:nobody'), 'wsfed_realm')


def test_foreign_wreply(world, profile):
    """WF-01: a page and no redirect, signed in or not"""
    page = profile(forgive=[HTTP_ERROR])
    refused(page, world, world.url(wtrealm=world.alpha.realm, wreply='https://evil.example/'), 'wsfed_reply')
    sign_in(page, world.alpha)
    page.requests()
    for reply in ('https://evil.example/', world.alpha.reply + '@evil.example/', '//evil.example/', 'javascript:alert(1)'):
        refused(page, world, world.url(wtrealm=world.alpha.realm, wreply=reply), 'wsfed_reply')
    assert not [one for one in page.requests() if not one['url'].startswith(world.gateway.base_url)]


def test_wfresh_asks_again(world, profile):
    page = profile()
    sign_in(page, world.alpha)
    page.goto(world.url(wtrealm=world.alpha.realm, wreply=world.alpha.reply, wfresh='0'))
    assert page.asks_for_password()
    page.goto(world.url(wtrealm='urn:test:echo', wfresh='60'))  # control; nobody takes it there
    assert not page.asks_for_password()


def posted(page):
    """What the last page that posted itself sent."""
    bodies = [one['body'] for one in page.requests() if one['method'] == 'POST' and one['url'] == ECHO]
    return dict(urllib.parse.parse_qsl(bodies[-1], keep_blank_values=True, strict_parsing=True))


WCTX = ['rm=0&id=passive&ru=%2fapp%2f%3fa%3d1', ' spaces and + plus %41 ', 'snowman \u2603 \U0001f600 e\u0301', '"\'><b>&amp;&#65;</b>',
        '\\u0041\\', 'x' * 3000]  # fmt: skip


def test_wctx_comes_back_byte_for_byte(world, profile):
    """WF-02: through the sign-in form, once with a wrong password, and from a session"""
    page = profile()
    page.do('answer', url=ECHO, body='<!doctype html><link rel=icon href="data:,">taken')
    page.goto(world.url(wtrealm='urn:test:echo', wctx=WCTX[0]))
    page.sign_in('alice', 'wrong')
    for wctx in WCTX:
        if wctx != WCTX[0]:
            page.goto(world.url(wtrealm='urn:test:echo', wctx=wctx, wfresh='0'))
        page.sign_in('alice', 'alice-secret')
        assert page.text() == 'taken'
        assert posted(page)['wctx'] == wctx
        page.goto(world.url(wtrealm='urn:test:echo', wctx=wctx))
        assert posted(page)['wctx'] == wctx


def test_loop_is_stopped(world, profile):
    """A site that sends the browser back and back does not get it for ever."""
    page = profile(forgive=[HTTP_ERROR])
    page.do('answer', url=ECHO, body='<!doctype html><link rel=icon href="data:,">taken')
    page.goto(world.url(wtrealm='urn:test:echo'))
    page.sign_in('bob', 'bob-secret')
    for _ in range(4):
        page.goto(world.url(wtrealm='urn:test:echo'))
        assert page.text() == 'taken'
    refused(page, world, world.url(wtrealm='urn:test:echo'), 'wsfed_loop')
    page.goto(world.alpha.secure)  # others are not concerned
    assert_at_home(page, world.alpha, 'bob@example.com')


def test_without_script(world, profile):
    """No script is needed: the page that posts itself has a button."""
    page = profile(script=False)
    page.goto(world.alpha.secure)
    page.sign_in('alice', 'alice-secret')
    assert page.title().startswith('Signing you in')
    page.click('form button')
    assert_at_home(page, world.alpha)


def test_by_keyboard_alone(world, profile):
    page = profile()
    page.goto(world.alpha.secure)
    assert page.evaluate('document.activeElement.name') == 'username'
    page.do('type', text='alice')
    page.do('press', key='Tab')
    page.do('type', text='alice-secret')
    page.do('press', key='Enter')
    page.do('wait', url=world.alpha.secure)
    assert_at_home(page, world.alpha)


def test_claims_viewer(world, profile):
    page = profile()
    page.goto(world.gateway.url('/demo/'))
    page.sign_in('alice', 'alice-secret')
    assert page.url() == world.gateway.url('/demo/')
    for text in ('Signed in as', 'alice@example.com', 'Administrators', 'Staff', 'urn:fedgate:demo', UPN):
        assert text in page.text(), text
    page.goto(world.gateway.url('/demo/'))
    assert 'Signed in as' in page.text()
    page.goto(world.gateway.url('/demo/?wfresh=0'))
    assert page.asks_for_password()
    page.sign_in('alice', 'alice-secret')
    assert 'Signed in as' in page.text()
    page.requests()
    page.click('text="Sign out"')
    assert 'You are signed out' in page.text()
    assert [one for one in page.requests() if one['url'] == world.gateway.url('/demo/?wa=wsignoutcleanup1.0') and one.get('status') == 200]
    page.goto(world.gateway.url('/demo/'))
    assert page.asks_for_password()


def test_pages_speak_german(world, profile):
    page = profile(language='de-DE')
    page.goto(world.gateway.url('/demo/'))
    assert page.title().startswith('Anmelden') and page.evaluate('document.documentElement.lang') == 'de'


# ---- two directories

GUESTS = 'directory "guests" { path = "%s" display_name = "Guests & friends" uri = "urn:home:guests" }\n'


@pytest.fixture(scope='module')
def two_homes(authority):
    partners = {'echo': {'realm': ['urn:test:echo'], 'reply': [ECHO], 'claims': ['upn']},
                'second': {'realm': ['urn:test:second'], 'reply': [ECHO + 'second'], 'claims': ['upn']}}  # fmt: skip
    gateway = harness.Gateway(authority, partners=partners, sections={})
    site = gateway.site
    people, site.users_file = site.users_file, site.users_file.replace('users', 'guests')
    site.add_users({'gast': {'password': 'gast-secret'}})
    guests, site.users_file = site.users_file, people
    site.write(GUESTS % guests)
    with gateway:
        yield World(gateway, {})


def at_echo(profile):
    page = profile()
    page.do('answer', url=ECHO, body='<!doctype html><link rel=icon href="data:,">taken')
    return page


def test_home_realm_is_chosen_and_remembered(two_homes, profile):
    page = at_echo(profile)
    page.goto(two_homes.url(wtrealm='urn:test:echo', wctx='a "b" <c>'))
    assert page.title().startswith('Where do you sign in?') and not page.asks_for_password()
    page.click('text="Guests & friends"')
    page.sign_in('gast', 'gast-secret')
    assert page.text() == 'taken' and posted(page)['wctx'] == 'a "b" <c>'
    page.goto(two_homes.url(wa='wsignout1.0'))
    page.goto(two_homes.url(wtrealm='urn:test:echo'))
    assert page.asks_for_password()  # not asked where again
    page.sign_in('alice', 'alice-secret')  # she is not known there
    assert 'not right' in page.text()
    page.goto(two_homes.url(wtrealm='urn:test:second'))
    assert page.title().startswith('Where do you sign in?')  # another relying party
    page.goto(two_homes.url(wtrealm='urn:test:echo'))
    page.click('text="Sign in with another organisation"')
    assert page.title().startswith('Where do you sign in?')
    page.click('.choice >> nth=%d' % (1 if page.evaluate('document.querySelector(".choice").value') == 'urn:home:guests' else 0))
    page.sign_in('alice', 'alice-secret')
    assert page.text() == 'taken'


def test_whr_names_the_home_realm(two_homes, profile):
    """WF-07: and a session from elsewhere does not do"""
    page = at_echo(profile)
    page.goto(two_homes.url(wtrealm='urn:test:echo', whr='urn:home:guests'))
    page.sign_in('gast', 'gast-secret')
    assert page.text() == 'taken'
    page.goto(two_homes.url(wtrealm='urn:test:echo', whr='urn:home:guests'))
    assert page.text() == 'taken'
    page.goto(two_homes.url(wtrealm='urn:test:echo', wfresh='0', choose='1'))
    home = page.evaluate('[...document.querySelectorAll(".choice")].map(one => one.value).find(one => one != "urn:home:guests")')
    page.goto(two_homes.url(wtrealm='urn:test:echo', whr=home))
    assert page.asks_for_password()


def test_unknown_whr(two_homes, profile):
    refused(profile(forgive=[HTTP_ERROR]), two_homes, two_homes.url(wtrealm='urn:test:echo', whr='urn:home:nowhere'), 'wsfed_home_realm')
