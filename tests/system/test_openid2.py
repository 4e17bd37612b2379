# SPDX-License-Identifier: GPL-2.0-or-later
"""The OpenID 2.0 provider with relying parties that others wrote: python3-openid and npm openid."""
import os

import pytest

import harness
import openid2
from test_openid import choose, lead, open_page, submit

GROUPS = 'http://openid.net/schema/groups'
RULES = """
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] => issue(claim = c);
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"] => issue(claim = c);
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"] => issue(claim = c);
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"] => issue(claim = c);
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"] => issue(claim = c);
c:[Type == "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"] => issue(Type = "%s", Value = c.Value);
""" % GROUPS


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    rules = os.path.join(folder, 'groups.rules')
    with open(rules, 'w') as file:
        file.write(RULES)
    python = openid2.RelyingParty('python', folder, authority, options={'claims': [], 'issuance_rules': rules, 'openid2_check_return': 'true'})
    node = openid2.RelyingParty('node', folder, authority, ('node.sh',))
    stateless = openid2.RelyingParty('stateless', folder, authority, ('node.sh',), STATELESS='1')
    asking = openid2.RelyingParty('asking', folder, authority, options={'consent': 'true', 'subject': 'pairwise', 'display_name': 'The wiki'})
    stranger = openid2.RelyingParty('stranger', folder, authority)
    peers = [python, node, stateless, asking, stranger]
    for peer in peers:
        peer.options = {name: value for name, value in peer.section().items() if value}
    with harness.Gateway(authority, partners={**harness.PARTNERS, **{peer.name: peer.options for peer in peers[:4]}},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [python.origin, asking.origin, stranger.origin], 'ca': authority.ca}}) as gateway:  # fmt: skip
        gateway.python, gateway.node, gateway.stateless, gateway.asking, gateway.stranger = peers
        gateway.provider = gateway.base_url + '/adfs/openid2'
        for peer in peers:
            peer.start()
        yield gateway
        for peer in peers:
            peer.stop()


def sign_in(gateway, session, peer, identifier=None, **extra):
    """Signs alice in at a relying party; its last page."""
    page = session.get(peer.origin + '/login', params={'id': identifier or gateway.provider, **extra}, timeout=30)
    if '<form' in page.text and 'openid.mode' in page.text:
        page = submit(session, page)
    assert 'name="password"' in page.text, page.text[-1500:] + peer.log()[-2000:]
    return finish(session, submit(session, page, username='alice', password='alice-secret'))


def finish(session, page):
    """Sends the answer on where it came as a form."""
    return submit(session, page) if 'openid.sig' in page.text and '<form' in page.text else page


def ask(session, peer, identifier, **extra):
    return finish(session, open_page(session, peer.origin + '/login?' + '&'.join('%s=%s' % item for item in {'id': identifier, **extra}.items())))


@pytest.mark.parametrize('assoc', ['HMAC-SHA256:DH-SHA256', 'HMAC-SHA1:DH-SHA1', 'HMAC-SHA256:no-encryption', 'HMAC-SHA1:no-encryption'])
def test_python_with_associations(site, assoc):
    page = sign_in(site, site.browser(), site.python, assoc=assoc)
    told = page.json()
    assert told['status'] == 'success' and told['assoc'][0] == assoc.split(':')[0], page.text
    assert told['id'] == site.provider + '/id/alice%40example.com'
    assert told['sreg'] == {'nickname': 'alice', 'email': 'alice@example.com', 'fullname': 'Alice Test'}
    assert told['ax'] == {'http://axschema.org/contact/email': ['alice@example.com'], 'http://axschema.org/namePerson': ['Alice Test'],
                          GROUPS: ['Administrators', 'Staff']}  # fmt: skip
    assert site.site.audit(event='issued', protocol='openid2', partner='python')


def test_python_without_associations(site):
    session = site.browser()
    told = sign_in(site, session, site.python, stateless=1).json()
    assert told['status'] == 'success' and told['assoc'] is None, told
    told = ask(session, site.python, site.provider, stateless=1).json()
    assert told['status'] == 'success', told


def test_somebody_s_own_identifier(site):
    """By XRDS, and in OpenID 1.1 by what a page of links says (strict=1.1 is the peer's way to prefer it)."""
    session = site.browser()
    told = sign_in(site, session, site.python, site.provider + '/id/alice@example.com').json()
    assert told['status'] == 'success' and told['id'] == site.provider + '/id/alice@example.com', told
    other = ask(session, site.python, site.provider + '/id/bob@example.com')
    assert other.status_code == 403 and other.json()['status'] == 'failure', other.text
    assert site.site.audit(event='refused', reason='openid2_identity')


def test_immediate(site):
    session = site.browser()
    page = ask(session, site.python, site.provider, immediate=1)
    assert page.status_code == 403 and page.json()['status'] == 'setup_needed', page.text
    sign_in(site, session, site.python)
    page = ask(session, site.python, site.provider, immediate=1)
    assert page.status_code == 200 and page.json()['status'] == 'success', page.text


def test_attributes_cannot_be_stored(site):
    """AX 1.0 §6.2, signed; the person is signed in all the same."""
    page = sign_in(site, site.browser(), site.python, store=1)
    assert page.status_code == 200, page.text + site.python.log()[-1500:]
    told = page.json()
    assert told['status'] == 'success' and told['ax'] is None, told
    assert told['store'] == {'mode': 'store_response_failure', 'error': 'Attributes cannot be stored here.'}, told
    told = sign_in(site, site.browser(), site.python).json()
    assert told['store']['mode'] == 'fetch_response', told


def test_a_request_by_form(site):
    told = sign_in(site, site.browser(), site.python, post=1).json()
    assert told['status'] == 'success', told


@pytest.mark.parametrize('name', ['node', 'stateless'])
def test_npm_openid(site, name):
    peer, session = getattr(site, name), site.browser()
    page = sign_in(site, session, peer)
    told = page.json()
    assert page.status_code == 200 and told['authenticated'], page.text
    assert told['claimedIdentifier'] == site.provider + '/id/alice%40example.com'
    assert told['email'] == 'alice@example.com' and told['firstname'] == 'Alice', told
    page = ask(session, peer, site.provider, immediate=1)
    assert page.status_code == 200 and page.json()['authenticated'], page.text
    page = ask(session, peer, site.provider + '/id/alice%40example.com')
    assert page.status_code == 200 and page.json()['authenticated'], page.text


def test_the_trust_page_is_remembered(site):
    session, peer = site.browser(), site.asking
    page = sign_in(site, session, peer)
    assert 'name="consent"' in page.text and 'The wiki' in page.text and peer.origin in page.text and 'alice@example.com' in page.text, page.text
    refused = submit(session, page, consent='no')
    assert refused.json()['status'] == 'cancel', refused.text
    page = ask(session, peer, site.provider)
    told = finish(session, submit(session, page, consent='yes', remember='')).json()
    assert told['status'] == 'success', told
    assert told['id'].startswith(site.provider + '/id/~') and 'alice' not in told['id']
    page = ask(session, peer, site.provider)
    assert 'name="consent"' in page.text  # it was not to be remembered
    assert ask(session, peer, site.provider, immediate=1).json()['status'] == 'setup_needed'
    again = finish(session, submit(session, page, consent='yes', remember='yes')).json()
    assert again['status'] == 'success' and again['id'] == told['id']
    assert ask(session, peer, site.provider).json()['status'] == 'success'
    assert ask(session, peer, site.provider, immediate=1).json()['status'] == 'success'


def test_a_site_without_registration_is_refused(site):
    page = site.browser().get(site.stranger.origin + '/login', params={'id': site.provider}, timeout=30)
    assert page.status_code == 400 and page.url.startswith(site.base_url) and 'openid2_realm' in page.text, page.text
    assert site.site.audit(event='refused', reason='openid2_realm')


def test_an_open_partner_takes_sites_that_show_who_they_are(site, authority):
    """Any site, after a question; its own document must name the address that the answer goes to."""
    folder = harness.temporary_folder()
    shown, hidden = openid2.RelyingParty('shown', folder, authority), openid2.RelyingParty('hidden', folder, authority, ('node.sh',))
    open_to_all = {'openid2_open': 'true', 'claims': harness.CLAIMS}
    with harness.Gateway(authority, partners={**harness.PARTNERS, 'all': open_to_all},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [shown.origin, hidden.origin], 'ca': authority.ca}}) as gateway:  # fmt: skip
        gateway.provider = gateway.base_url + '/adfs/openid2'
        for peer in (shown, hidden):
            peer.start()
        session = gateway.browser()
        page = sign_in(gateway, session, shown)
        assert 'name="consent"' in page.text and 'localhost:%d?' % shown.port in page.text and shown.origin + '/' in page.text, page.text
        assert finish(session, submit(session, page, consent='yes')).json()['status'] == 'success'
        page = session.get(hidden.origin + '/login', params={'id': gateway.provider}, timeout=30)
        assert page.status_code == 403 and 'openid2_discovery' in page.text, page.text
        page = session.get(hidden.origin + '/login', params={'id': gateway.provider, 'immediate': '1'}, timeout=30)
        assert page.status_code == 403 and page.url.startswith(gateway.base_url), page.text  # nobody is sent to such an address
        for peer in (shown, hidden):
            peer.stop()


# ---- a real browser


def test_in_chromium(site, profile):
    page, peer = profile(), site.asking
    page.goto(peer.origin + '/login?id=' + site.provider)
    page.sign_in('alice', 'alice-secret')
    assert page.has('button[name=consent]') and 'The wiki' in page.text() and peer.origin in page.text()
    page.evaluate('document.querySelector("input[name=remember]").click()')
    page.click('button[name=consent][value=yes]')
    harness.wait_for(lambda: page.url().startswith(peer.origin + '/ret'))
    assert '"success"' in page.text() and 'alice@example.com' in page.text(), page.text()
    page.goto(peer.origin + '/login?id=%s&immediate=1' % site.provider)  # remembered
    harness.wait_for(lambda: page.url().startswith(peer.origin + '/ret'))
    assert '"success"' in page.text(), page.text()
    page.goto(site.python.origin + '/login?id=%s&post=1' % site.provider)  # the site's page sends a form by itself
    harness.wait_for(lambda: page.url().startswith(site.python.origin + '/ret'))
    assert '"success"' in page.text(), page.text()
    page.goto(site.provider + '/id/alice@example.com')
    assert 'alice@example.com' in page.text()
