# SPDX-License-Identifier: GPL-2.0-or-later
"""Signing in at identity providers that others wrote (npm wsfed and saml), in a real Chromium."""
import os
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

import harness
from idp import IdentityProvider
from messages import METADATA, PASSIVE
from peers import write_pem
from rp import RelyingParty

from lxml import etree

PROVIDERS = {
    # name: token, shape of the response, encrypted, at another site than the gateway's
    'ada': ('saml11', '2005', False, False),
    'ben': ('saml11', '13', False, True),
    'cleo': ('saml20', '2005', False, True),
    'dora': ('saml20', '13', False, False),
    'emil': ('saml11', '13', True, False),
    'fay': ('saml20', '2005', True, True),
}
DEMO = '/demo/'


class World:
    def __init__(self, gateway, providers, site):
        self.gateway, self.providers, self.site = gateway, providers, site

    def __getattr__(self, name):
        return self.providers[name]

    def url(self, **parameters):
        return self.gateway.url(PASSIVE) + '?' + urllib.parse.urlencode({'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo', **parameters})


def encryption_certificate(gateway, path):
    """As the metadata's relying-party role publishes it."""
    root = etree.fromstring(gateway.get(METADATA).content)
    found = root.find('.//{*}RoleDescriptor/{*}KeyDescriptor[@use="encryption"]//{*}X509Certificate')
    write_pem(path, found.text.strip())
    return path


@pytest.fixture(scope='module')
def world(authority):
    """A gateway with a directory, its identity providers (in an included file), and a site that others wrote."""
    folder = harness.temporary_folder()
    providers = {}
    for name, (token, trust, _, elsewhere) in PROVIDERS.items():
        providers[name] = IdentityProvider(name, folder, authority, elsewhere, TOKEN=token, TRUST=trust)
    with open(os.path.join(folder, 'providers.conf'), 'w') as file:
        file.write(''.join(provider.section() for provider in providers.values()))
    site = RelyingParty('site', folder)
    partners = {**harness.PARTNERS, 'site': {**site.section(), 'claims': ['name', 'emailaddress'], 'name_id': 'name'}}
    options = {'include': [os.path.join(folder, 'providers.conf')]}
    with harness.Gateway(authority, partners=partners, options=options) as gateway:
        encryption = encryption_certificate(gateway, os.path.join(folder, 'encryption.pem'))
        try:
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(lambda name: providers[name].start(**({'ENC': encryption} if PROVIDERS[name][2] else {})), providers))
            site.start(gateway)
            yield World(gateway, providers, site)
        finally:
            site.stop()
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(lambda provider: provider.stop(), providers.values()))
    assert '[alert]' not in gateway.last_log and '[crit]' not in gateway.last_log, gateway.last_log


def choose(page, provider):
    page.click('button[value="%s"]' % provider.issuer)


def at(page, provider):
    return page.url().startswith(provider.origin + '/') and 'The partner' in page.text()


def be_pat(page, provider):
    assert at(page, provider), page.url() + page.text()
    page.click('button')


def assert_shows_pat(page):
    assert 'Pat Partner' in page.text() and 'pat@partner.test' in page.text(), page.url() + page.text()


def sign_in(world, page, provider):
    page.goto(world.gateway.url(DEMO))
    choose(page, provider)
    be_pat(page, provider)
    assert_shows_pat(page)


@pytest.mark.parametrize('name', PROVIDERS)
def test_sign_in(world, profile, name):
    """The page of home realms, the partner's page, and back with its token: the claims viewer shows what came."""
    page, provider = profile(), world.providers[name]
    page.goto(world.gateway.url(DEMO))
    assert page.url().startswith(world.gateway.url(PASSIVE))
    assert all(other.capitalize() in page.text() for other in PROVIDERS) and 'people' in page.text(), page.text()
    choose(page, provider)
    be_pat(page, provider)
    assert page.url() == world.gateway.url(DEMO)
    assert_shows_pat(page)
    if (PROVIDERS[name][0], PROVIDERS[name][1]) != ('saml11', '2005'):
        assert 'Partners' in page.text() and 'Guests' in page.text()
    accepted = world.gateway.site.audit(event='accepted', identity_provider=name)
    assert accepted and accepted[-1]['protocol'] == 'wsfed'
    assert accepted[-1]['token_type'] == {'saml11': 'urn:oasis:names:tc:SAML:1.0:assertion', 'saml20': 'urn:oasis:names:tc:SAML:2.0:assertion'}[PROVIDERS[name][0]]
    assert world.gateway.site.audit(event='signin', identity_provider=name)[-1]['user'] == 'Pat Partner'


def test_the_session_serves_other_sites(world, profile):
    page = profile()
    sign_in(world, page, world.ada)
    page.goto(world.site.secure)
    assert page.url() == world.site.secure and 'Pat Partner' in page.text(), page.text()


def test_whr_goes_straight_there(world, profile):
    page = profile()
    page.goto(world.url(whr=world.ben.issuer))
    assert at(page, world.ben), page.text()
    page.goto(world.url(whr=world.gateway.base_url.replace('https:', 'http:') + '/adfs/services/trust/people'))
    assert page.asks_for_password(), page.text()


def test_the_choice_is_remembered(world, profile):
    page = profile()
    page.goto(world.url())
    choose(page, world.cleo)
    assert at(page, world.cleo)
    page.goto(world.url())
    assert at(page, world.cleo), page.text()
    page.goto(world.url(choose='1'))
    choose(page, world.dora)
    assert at(page, world.dora)


def test_wfresh_asks_the_partner_again(world, profile):
    """WF-07; and it ends."""
    page = profile()
    sign_in(world, page, world.dora)
    page.goto(world.gateway.url(DEMO))
    assert_shows_pat(page)
    page.goto(world.gateway.url(DEMO) + '?wfresh=0')
    be_pat(page, world.dora)
    assert_shows_pat(page)


def test_what_one_browser_was_given_is_of_no_use_to_another(world, profile):
    """WF-08."""
    page, other = profile(), profile()
    page.requests()
    sign_in(world, page, world.ada)
    form = [one['body'] for one in page.requests() if one['method'] == 'POST' and one['url'] == world.gateway.url(PASSIVE)]
    assert len(form) == 1 and 'wresult=' in form[0]
    for client, cookies in ((world.gateway.browser(), {}), (world.gateway.browser(), cookies_of_state(world))):
        answer = client.post(world.gateway.url(PASSIVE), data=form[0], cookies=cookies, headers={'Content-Type': 'application/x-www-form-urlencoded'})
        assert answer.status_code == 403
        assert world.gateway.site.audit(event='refused')[-1]['reason'] == 'form_not_from_here'
    other.goto(world.gateway.url(DEMO))
    assert 'Pat' not in other.text()


def cookies_of_state(world):
    """Of a sign-in that was begun, and is another."""
    client = world.gateway.browser()
    client.get(world.url(whr=world.ada.issuer), allow_redirects=False)
    return client.cookies


# ---- signing out


def signed_in(world, page):
    """Has the gateway still a session of this browser?"""
    page.goto(world.site.secure)
    assert page.url() == world.site.secure or 'people' in page.text(), page.text()
    return page.url() == world.site.secure


@pytest.mark.parametrize('name', ['ada', 'dora'])
def test_signing_out_here_signs_out_there(world, profile, name):
    page, provider = profile(), world.providers[name]
    sign_in(world, page, provider)
    assert signed_in(world, page)
    page.requests()
    page.goto(world.gateway.url(PASSIVE) + '?wa=wsignout1.0')
    assert 'You are signed out' in page.text() and 'Site site' in page.text() and name.capitalize() in page.text(), page.text()
    asked = {one['url']: one.get('status') for one in page.requests()}
    assert asked[provider.origin + '/wsfed?wa=wsignout1.0'] == 200 and asked[world.site.cleanup] == 200, asked
    page.goto(provider.origin + '/')
    assert page.text() == 'not signed in'
    assert not signed_in(world, page)


def test_signing_out_there_signs_out_here(world, profile):
    """The partner's page loads our clean-up in a frame, which loads those of the sites that got a token here."""
    page = profile()
    sign_in(world, page, world.ada)
    assert signed_in(world, page)
    page.requests()
    page.goto(world.ada.origin + '/wsfed?wa=wsignout1.0')
    assert 'signed out at the partner' in page.text()
    asked = {one['url']: one.get('status') for one in harness.wait_for(lambda: relayed(page, world.site))}
    assert asked[world.site.cleanup] == 200
    page.goto(world.site.origin + '/')
    assert page.text() == 'not signed in'
    assert not signed_in(world, page)
    assert world.gateway.site.audit(event='signout')[-1]['protocol'] == 'wsfed'


def relayed(page, site, seen=[]):
    seen += page.requests()
    return seen if any(one['url'] == site.cleanup and one.get('status') for one in seen) else None
