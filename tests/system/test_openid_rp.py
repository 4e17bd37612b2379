# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway as relying party of OpenID providers that others wrote (npm oidc-provider), with others' programs at the far end as well:
passport-wsfed-saml2, pysaml2, openid-client, a server behind a protected location."""
import html
import json
import os
import re
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest

import clients
import harness
import saml
from messages import PASSIVE
from op import Provider
from protected import protecting, values
from rp import RelyingParty
from saml import browser, submit

# name: what its ID tokens are signed with, how the gateway proves itself
PROVIDERS = {
    'ada': ({'userinfo': 'true'}, {}),
    'pia': ({'client_auth': 'client_secret_post', 'algorithms': ['PS256']}, {'ALG': 'PS256', 'TOKEN_AUTH': 'client_secret_post', 'ID_TOKEN_CLAIMS': '1'}),
    'eva': ({'client_auth': 'private_key_jwt', 'client_secret_file': None}, {'ALG': 'ES256', 'TOKEN_AUTH': 'private_key_jwt', 'ID_TOKEN_CLAIMS': '1'}),
    'edda': ({'client_auth': 'none', 'client_secret_file': None}, {'ALG': 'EdDSA', 'TOKEN_AUTH': 'none', 'REQUIRE_PKCE': '1', 'ID_TOKEN_CLAIMS': '1'}),
    'enzo': ({}, {'ENC_ALG': 'RSA-OAEP-256', 'ENC': 'A256GCM', 'ID_TOKEN_CLAIMS': '1'}),
    'hans': ({}, {'ALG': 'HS256', 'ID_TOKEN_CLAIMS': '1'}),
    'odd': ({'algorithms': ['ES256']}, {'ALG': 'RS256', 'ID_TOKEN_CLAIMS': '1'}),
}
ACCEPTED = """c:[] => issue(claim = c);
c:[Type == "preferred_username"] => issue(Type = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", Value = c.Value + "@op.test");
c:[Type == "groups"] => issue(Type = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", Value = c.Value);
"""
LOCATIONS = 'location /app/ { fedgate_protect CONF app; PROXY } location /api/ { fedgate_protect CONF api; PROXY }'


@pytest.fixture(scope='module')
def world(authority):
    folder = harness.temporary_folder()
    with open(os.path.join(folder, 'accepted.rules'), 'w') as file:
        file.write(ACCEPTED)
    ops = {name: Provider(name, folder, authority, {'acceptance_rules': os.path.join(folder, 'accepted.rules'), **options}, **environment)
           for name, (options, environment) in PROVIDERS.items()}  # fmt: skip
    app, site, sp = clients.Client('app', folder, authority), RelyingParty('site', folder), saml.Pysaml2Sp('sp', folder, authority)
    app.options = {'back_channel_logout': app.origin + app.backchannel}
    sp.publish()
    partners = {**harness.PARTNERS, 'app': app.section(), 'site': {**site.section(), 'name_id': 'upn'},
                'sp': {'metadata': sp.metadata, 'claims': harness.CLAIMS}}  # fmt: skip
    sections = {'fetch': {'allow': [*[op.origin for op in ops.values()], app.origin], 'ca': authority.ca},
                'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'}, ('protect', 'app'): {'home_realm': ops['ada'].issuer},
                ('protect', 'api'): {'kind': 'rest', 'accept': ['bearer'], 'audience': ['https://api.example.com/']},
                **{('identity_provider', name): op.section() for name, op in ops.items()}}  # fmt: skip
    with protecting(authority, LOCATIONS, partners=partners, sections=sections) as gateway:
        started = []
        try:
            for peer in (*ops.values(), app, site, sp):
                more = {'JWKS_URI': gateway.base_url + '/adfs/discovery/keys'} if peer in (ops['eva'], ops['enzo']) else {}
                peer.start(gateway, **more)
                started.append(peer)
            gateway.ops, gateway.app, gateway.rp, gateway.sp = ops, app, site, sp
            yield gateway
        finally:
            for peer in started:
                peer.stop()


def to_provider(world, session, name, **more):
    """The provider's own sign-in page, from the gateway's claims viewer."""
    query = {'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo', 'whr': world.ops[name].issuer, **more}
    return session.get(world.url(PASSIVE), params=query, timeout=30)


def at_demo(world, session, name, user='dora'):
    """The claims viewer, by way of the provider."""
    page = session.get(world.url('/demo/'), timeout=30)
    return at_provider(session, saml.choose(session, page, name.capitalize()), user)


def at_provider(session, page, user='dora'):
    """Signs in there; the browser comes back by itself, and sends the forms that it meets."""
    assert 'name="login"' in page.text, page.text[-2000:]
    page = submit(session, page, login=user, password='x')
    for _ in range(4):
        if page.url.endswith('/demo/') or 'name="wresult"' not in page.text and 'name="SAMLResponse"' not in page.text:
            break
        page = submit(session, page)
    return page


def refusal(page):
    return re.sub(r'<style.*?</style>', '', page.text, flags=re.S)[-1500:]


# ---- the cells: OpenID provider → …


def test_to_a_wsfederation_relying_party(world):
    session = browser()
    page = session.get(world.rp.secure, timeout=30)
    page = at_provider(session, saml.choose(session, page, 'Ada'))
    assert page.url.startswith(world.rp.origin) and 'dora@op.test' in page.text, refusal(page)
    assert world.site.audit(event='accepted', protocol='openid', identity_provider='ada', token_type='id_token')
    assert world.site.audit(event='issued', protocol='wsfed', partner='site')


def test_to_a_saml_service_provider(world):
    session = browser()
    page = saml.begin(session, world, world.sp)
    page = at_provider(session, saml.choose(session, page, 'Ada'))
    assert page.url.startswith(world.sp.origin) and 'dora@op.test' in page.text, refusal(page)


def test_to_an_openid_client(world):
    session = browser()
    page = session.get(world.app.origin + '/login', timeout=30)
    page = at_provider(session, saml.choose(session, page, 'Ada'))
    told = page.json()
    assert told['claims']['iss'] == world.base_url + '/adfs' and told['userinfo']['email'] == 'dora@op.test', told


def test_to_a_protected_location(world):
    session = browser()
    page = session.get(world.url('/app/page?a=b'), headers={'Accept': 'text/html'}, timeout=30)
    assert page.url.startswith(world.ops['ada'].origin), page.url  # its home_realm
    page = at_provider(session, page)
    seen = json.loads(page.text)
    assert seen['path'] == '/app/page?a=b' and values(seen, 'X-Fedgate-Issuer') == [world.ops['ada'].issuer], seen


# ---- signatures, and ways to prove who we are


@pytest.mark.parametrize('name', ['pia', 'eva', 'edda', 'enzo'])
def test_other_signatures_and_proofs(world, name):
    """enzo encrypts its ID tokens to the key of our JWK set."""
    session = browser()
    page = at_demo(world, session, name)
    assert page.status_code == 200 and page.url == world.url('/demo/') and 'dora@op.test' in page.text, refusal(page)
    assert world.site.audit(event='accepted', protocol='openid', identity_provider=name)


@pytest.mark.parametrize('name', ['hans', 'odd'])
def test_symmetric_signatures_and_those_not_listed_are_refused(world, name):
    """JW-02; the control is test_other_signatures_and_proofs."""
    session = browser()
    page = at_provider(session, to_provider(world, session, name))
    assert page.status_code == 403, refusal(page)
    assert world.site.audit(event='refused', reason='signature_algorithm')


# ---- its tokens at a protected location


def test_an_access_token_of_the_provider_is_a_credential(world):
    """A JWT for this audience, by client credentials at the provider, verified with the keys that it publishes."""
    op = world.ops['ada']

    def token(audience):
        answer = world.browser().post(op.origin + '/token', auth=(op.name, clients.SECRET), timeout=20,
                                      data={'grant_type': 'client_credentials', 'resource': audience, 'scope': 'api'})  # fmt: skip
        assert answer.status_code == 200, answer.text + op.log()[-1500:]
        return answer.json()['access_token']

    def ask(text):
        return world.browser().get(world.url('/api/x'), headers={'Authorization': 'Bearer ' + text}, allow_redirects=False, timeout=20)

    good = token('https://api.example.com/')
    answer = ask(good)
    assert answer.status_code == 200 and values(answer.json(), 'X-Fedgate-Issuer') == [op.issuer], answer.text
    assert ask(token('https://other.example.com/')).status_code == 401
    head, body, signature = good.split('.')
    assert ask('.'.join((head, body, ('A' if signature[0] != 'A' else 'B') + signature[1:]))).status_code == 401


# ---- the way there and back


def test_the_request_has_what_binds_its_answer(world):
    """OI-03: S256 and nothing else; OI-06: state of this browser."""
    session = browser()
    page = session.get(world.url(PASSIVE), params={'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo', 'whr': world.ops['ada'].issuer},
                       allow_redirects=False, timeout=30)  # fmt: skip
    asked = {name: value[0] for name, value in parse_qs(urlsplit(page.headers['Location']).query).items()}
    assert asked['code_challenge_method'] == 'S256' and len(asked['code_challenge']) == 43 and len(asked['nonce']) == 43
    assert asked['response_type'] == 'code' and asked['redirect_uri'] == world.base_url + '/adfs/oauth2/callback'
    assert asked['scope'] == 'openid profile email' and asked['nonce'] != asked['state']


def callback_of(world, session, name='ada', user='dora'):
    """The address at which the provider's answer comes, without going there."""
    page = to_provider(world, session, name)
    form, fields = saml.form_of(page)
    page = session.post(form, data={**fields, 'login': user, 'password': 'x'}, allow_redirects=False, timeout=30)
    while not page.headers['Location'].startswith(world.base_url):
        page = session.get(urljoin(page.url, page.headers['Location']), allow_redirects=False, timeout=30)
    return page.headers['Location']


def alter(url, **changes):
    parts = urlsplit(url)
    query = {**{name: value[0] for name, value in parse_qs(parts.query).items()}, **changes}
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value is not None})).geturl()


@pytest.mark.parametrize('changes, reason', [
    (None, None),  # the control
    ({'iss': None}, 'openid_mix_up'),  # OI-02: oidc-provider says that its answers name it
    ({'iss': 'https://localhost:1'}, 'openid_mix_up'),
    ({'code': 'nothing'}, 'openid_provider'),
    ({'code': None}, 'openid_answer'),
    ({'code': None, 'error': 'access_denied'}, 'openid_provider'),
    ({'state': '0' * 32}, 'form_not_from_here'),
    ({'state': None}, 'form_not_from_here'),
])  # fmt: skip
def test_answers_that_fit_nothing_are_refused(world, changes, reason):
    session = browser()
    url = callback_of(world, session)
    page = session.get(alter(url, **changes) if changes else url, timeout=30)
    if reason is None:
        assert page.status_code == 200 and 'wresult' in page.text, refusal(page)
        return
    assert page.status_code in (400, 403, 502), refusal(page)
    assert world.site.audit(event='refused', reason=reason)


def test_answers_of_another_browser_and_second_ones_are_refused(world):
    """OI-06, WF-08."""
    victim, attacker = browser(), browser()
    url = callback_of(world, attacker)
    assert victim.get(url, timeout=30).status_code == 403
    assert 'wresult' in attacker.get(url, timeout=30).text  # the control
    assert attacker.get(url, timeout=30).status_code == 403
    attacker = browser()
    twice = callback_of(world, attacker)
    assert attacker.get(twice + '&state=x', timeout=30).status_code == 400  # OI-08


def test_another_providers_answer_is_refused(world):
    """OI-02: the state is that of the other one."""
    session = browser()
    mine, other = callback_of(world, session), callback_of(world, session, 'pia')
    states = [parse_qs(urlsplit(url).query)['state'][0] for url in (mine, other)]
    page = session.get(alter(mine, state=states[1]), timeout=30)
    assert page.status_code == 403 and world.site.audit(event='refused', reason='openid_mix_up'), refusal(page)


def test_a_refusal_at_the_provider_is_told(world):
    session = browser()
    page = submit(session, to_provider(world, session, 'ada'), login='', password='', deny='1')
    assert page.status_code == 403 and 'refused' in page.text, refusal(page)
    assert world.site.audit(event='refused', reason='openid_provider')


def test_signing_in_afresh(world):
    """wfresh=0 becomes prompt=login and max_age, and auth_time is held against it."""
    session, before = browser(), len(world.site.audit(event='signin', identity_provider='ada', user='Dora Ängström'))
    at_provider(session, to_provider(world, session, 'ada'))
    page = to_provider(world, session, 'ada')
    assert 'wresult' in page.text or page.url == world.url('/demo/')  # a session is enough
    page = to_provider(world, session, 'ada', wfresh='0')
    assert 'name="login"' in page.text, refusal(page)
    submit(session, page, login='dora', password='x')
    signed = world.site.audit(event='signin', identity_provider='ada', user='Dora Ängström')
    assert len(signed) == before + 2, refusal(page)


# ---- without a page


def forget(session, provider=False):
    """The browser's cookies of ours, but for which home realm was chosen; and the provider's."""
    for cookie in list(session.cookies):
        ours = cookie.name.startswith('__Host-fedgate') and not cookie.name.startswith('__Host-fedgate-m-')
        if ours or (provider and cookie.name.startswith('_session')):
            session.cookies.clear(cookie.domain, cookie.path, cookie.name)


def test_prompt_none_goes_on_to_the_provider_and_its_answer_to_the_client(world):
    """Core §3.1.2.6.  The control: as long as the provider knows the person."""
    session = browser()
    signed_in_client(world, session, 'ingrid')
    forget(session)
    page = session.get(world.app.origin + '/login?prompt=none', timeout=30)
    assert page.status_code == 200 and page.json()['userinfo']['email'] == 'ingrid@op.test', page.text
    forget(session, provider=True)
    page = session.get(world.app.origin + '/login?prompt=none', timeout=30)
    assert page.status_code == 400 and page.json()['error'] == 'login_required', refusal(page)
    line = world.site.audit(event='refused', reason='saml_passive', protocol='openid', partner='app')[-1]
    assert '"ada"' in line['detail'] and 'login_required' in line['detail'], line
    page = session.get(world.app.origin + '/login', timeout=30)
    assert 'name="login"' in page.text, refusal(page)  # asked again, the provider may show its page


def test_the_note_of_a_refusal_is_for_one_request(world):
    """What was refused once may be asked again, and the note fits no other request."""
    session = browser()
    signed_in_client(world, session, 'ilse')
    forget(session, provider=True)
    first = callback_and_back(session, world.app.origin + '/login?prompt=none')
    assert 'refused=' in first
    other = session.get(world.app.origin + '/login?prompt=none', allow_redirects=False, timeout=30).headers['Location']
    page = session.get(other, allow_redirects=False, timeout=30)
    assert page.headers['Location'].startswith(world.ops['ada'].origin), page.headers
    note = parse_qs(urlsplit(first).query)['refused'][0]
    page = session.get(alter(first, refused=note[:-8] + 'AAAAAAAA'), allow_redirects=False, timeout=30)
    assert page.headers['Location'].startswith(world.ops['ada'].origin), page.headers  # altered, it says nothing
    page = session.get(first, allow_redirects=False, timeout=30)
    assert 'error=login_required' in page.headers['Location'], page.headers  # the control


def callback_and_back(session, url):
    """Follows until the gateway sends the browser back to its own request."""
    for _ in range(8):
        url = urljoin(url, session.get(url, allow_redirects=False, timeout=30).headers['Location'])
        if 'refused=' in url:
            break
    return url


def test_is_passive_goes_on_to_the_provider_and_its_answer_to_the_service_provider(world):
    """SAML core §3.4.1: NoPassive."""
    session = browser()
    page = saml.begin(session, world, world.sp)
    page = at_provider(session, saml.choose(session, page, 'Ada'), 'ivo')
    assert 'ivo@op.test' in page.text, refusal(page)
    forget(session)
    page = submit(session, saml.begin(session, world, world.sp, passive=1))
    assert page.status_code == 200 and 'ivo@op.test' in page.text, refusal(page)
    forget(session, provider=True)
    page = submit(session, saml.begin(session, world, world.sp, passive=1))
    assert 'NoPassive' in page.text, refusal(page)
    assert world.site.audit(event='refused', reason='saml_passive', protocol='saml')


# ---- keys


def test_keys_that_roll_are_found(world):
    op, session = world.ops['pia'], browser()
    assert at_demo(world, session, 'pia').status_code == 200
    op.stop()
    op.start(world, GENERATION='-2')
    session = browser()
    page = at_demo(world, session, 'pia')
    assert page.status_code == 200 and page.url == world.url('/demo/'), refusal(page)


def test_what_was_fetched_outlives_a_reload(world):
    """And a restart: it is in files, so workers share it, and a provider that is down at that moment stops nobody later on."""
    op = world.ops['edda']
    assert at_demo(world, browser(), 'edda').status_code == 200
    asked = op.log().count('asked ')
    assert asked >= 2
    assert world.nginx.reload()
    page = at_demo(world, browser(), 'edda')
    assert page.status_code == 200 and page.url == world.url('/demo/'), refusal(page)
    assert op.log().count('asked ') == asked
    op.stop()
    try:
        assert world.nginx.reload()
        query = {'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo', 'whr': op.issuer}
        page = browser().get(world.url(PASSIVE), params=query, allow_redirects=False, timeout=30)
        assert page.status_code == 302 and page.headers['Location'].startswith(op.origin + '/auth'), refusal(page)
    finally:
        op.start(world, GENERATION='-2')
    page = at_demo(world, browser(), 'edda')  # its keys rolled meanwhile
    assert page.status_code == 200 and page.url == world.url('/demo/'), refusal(page)


# ---- signing out


def signed_in_client(world, session, user):
    page = session.get(world.app.origin + '/login', timeout=30)
    page = at_provider(session, saml.choose(session, page, 'Ada'), user)
    assert page.json()['userinfo']['email'] == user + '@op.test', page.text
    return page.json()['ended']


def test_signing_out_here_ends_the_session_there(world):
    """RP-initiated logout, with the ID token as hint."""
    session = browser()
    at_provider(session, to_provider(world, session, 'ada', wfresh='0'), 'greta')
    page = session.get(world.url(PASSIVE), params={'wa': 'wsignout1.0'}, timeout=30)
    there = saml.next_of(page)
    assert there.startswith(world.ops['ada'].origin) and 'id_token_hint=' in there, page.text[-2000:]
    page = session.get(there, timeout=30)
    page = submit(session, page, logout='yes')
    assert page.url.startswith(world.base_url + '/adfs/oauth2/signedout'), refusal(page)
    assert page.status_code == 200, refusal(page)
    page = to_provider(world, session, 'ada')
    assert 'name="login"' in page.text, refusal(page)  # it knows nobody any more


def test_signing_out_there_ends_the_sessions_here_and_at_the_client(world):
    """Back-channel logout comes in, and goes on to openid-client."""
    session = browser()
    ended = signed_in_client(world, session, 'heidi')
    op = world.ops['ada']
    page = session.get(op.origin + '/session/end', timeout=30)
    submit(session, page, logout='yes')
    assert world.site.audit(event='signout', protocol='openid', identity_provider='ada', user='heidi'), op.log()
    told = session.get(world.app.origin + '/', timeout=30)
    assert told.status_code == 403 and told.json()['ended'] == ended + 1, told.text
    page = session.get(world.url(PASSIVE), params={'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo'}, timeout=30)
    assert 'wresult' not in page.text  # the cookie opens nothing any more


def test_in_chromium(world, profile):
    page = profile(forgive=['/interaction/', '/session/end', 'NAME_NOT_RESOLVED'])  # of the provider's own pages
    page.goto(world.app.origin + '/login')
    page.click('button[name=whr]:has-text("Ada")')
    harness.wait_for(lambda: page.has('[name=login]'))
    page.fill(login='ines', password='x')
    page.click('button[type=submit]')
    harness.wait_for(lambda: page.url() == world.app.origin + '/')
    assert 'ines@op.test' in page.text()
    page.goto(world.url(PASSIVE) + '?wa=wsignout1.0')
    harness.wait_for(lambda: page.url().startswith(world.ops['ada'].origin))
    page.click('button[value=yes]')
    harness.wait_for(lambda: page.url().startswith(world.base_url + '/adfs/oauth2/signedout'))
