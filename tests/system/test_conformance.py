# SPDX-License-Identifier: GPL-2.0-or-later
"""The OpenID Foundation's conformance plans for providers, walked module by module: each test has the name of its module (with '_' for '-').
ID tokens are verified by PyJWT with the keys that discovery names.  doc/conformance.md lists modules and results.

OP Basic runs with response_mode default, OP Form Post is the same with form_post."""
import html
import json
import os
import re
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

import harness
from test_openid import fields_of

SECRET = 'a-random-secret-of-the-application'
CALLBACK = 'https://rp.localhost:4443/cb'  # nothing listens: the browser stops there
BYE, FRONT = 'https://rp.localhost:4443/bye', 'https://rp.localhost:4443/front'
CLAIMS = [
    *harness.CLAIMS, 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/mobilephone', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/locality',
]  # fmt: skip
RULES = """
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"] => issue(claim = c);
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"] => issue(claim = c);
c:[Type == "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"] => issue(claim = c);
=> issue(type = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/mobilephone", value = "+49 30 1234");
=> issue(type = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/locality", value = "Berlin");
"""


def signing_keys(gateway):
    keys = gateway.get(urlsplit(gateway.metadata['jwks_uri']).path).json()['keys']
    return {key['kid']: jwt.PyJWK(key) for key in keys if key['use'] == 'sig'}


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    secret, rules = os.path.join(folder, 'secret'), os.path.join(folder, 'some.rules')
    for path, text in ((secret, SECRET), (rules, RULES)):
        with open(path, 'w') as file:
            file.write(text)
    common = {'client_secret_file': secret, 'redirect_uri': [CALLBACK], 'post_logout_redirect_uri': [BYE], 'grants': ['authorization_code', 'refresh_token'],
              'issuance_rules': rules, 'front_channel_logout': FRONT}  # fmt: skip
    partners = {**harness.PARTNERS, 'one': {'client_id': 'one', **common}, 'two': {'client_id': 'two', **common}}
    with harness.Gateway(authority, partners=partners) as gateway:
        gateway.metadata = gateway.get('/adfs/.well-known/openid-configuration').json()
        gateway.keys = signing_keys(gateway)
        yield gateway


@pytest.fixture(params=['default', 'form_post'])
def flow(site, request):
    return Flow(site, request.param)


class Flow:
    """One browser and one client of the code flow."""

    def __init__(self, site, mode='default', client='one', secret=SECRET):
        self.secret = secret
        self.site, self.mode, self.client, self.browser = site, mode, client, site.browser()
        self.pages = []

    def follow(self, page):
        """The parameters with which the browser comes back to the client, or the page at which it stopped."""
        for _ in range(6):
            self.pages.append(page)
            where = page.headers.get('Location')
            lead_on = re.search(r'http-equiv="refresh" content="\d;url=([^"]*)"', page.text)
            where = where or (lead_on and html.unescape(lead_on.group(1)))
            if where and where.startswith(CALLBACK):
                return {name: value[0] for name, value in parse_qs(urlsplit(where).query).items()}
            action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
            if action and html.unescape(action.group(1)) == CALLBACK:
                return fields_of(page)
            if where:
                page = self.browser.get(where, allow_redirects=False, timeout=30)
                continue
            if 'name="password"' not in page.text or not self.signs_in:
                return page
            fields = {**fields_of(page), 'username': 'alice', 'password': 'alice-secret'}
            page = self.browser.post(html.unescape(action.group(1)), data=fields, allow_redirects=False, timeout=30)
        raise AssertionError('goes round and round')

    def ask(self, signs_in=True, without=(), **parameters):
        self.signs_in, self.pages = signs_in, []
        self.state, self.nonce = secrets.token_hex(8), secrets.token_hex(8)
        query = {'client_id': self.client, 'redirect_uri': CALLBACK, 'response_type': 'code', 'scope': 'openid', 'state': self.state, 'nonce': self.nonce,
                 **({'response_mode': self.mode} if self.mode != 'default' else {}), **parameters}  # fmt: skip
        query = {name: value for name, value in query.items() if name not in without}
        return self.follow(self.browser.get(self.site.metadata['authorization_endpoint'], params=query, allow_redirects=False, timeout=30))

    def was_asked(self):
        return any('name="password"' in page.text for page in self.pages)

    def trade(self, code, **more):
        return self.site.post('/adfs/oauth2/token', {'grant_type': 'authorization_code', 'code': code, 'redirect_uri': CALLBACK, **more}, auth=(self.client, self.secret))

    def verify(self, token, nonce=None):
        key = self.site.keys[jwt.get_unverified_header(token)['kid']]
        told = jwt.decode(token, key.key, [key._jwk_data['alg']], audience=self.client, issuer=self.site.metadata['issuer'],
                          options={'require': ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time']})  # fmt: skip
        assert told.get('nonce') == nonce and told['aud'] == self.client
        return told

    def sign_in(self, without=(), **parameters):
        """Tokens and what the ID token says."""
        back = self.ask(without=without, **parameters)
        assert isinstance(back, dict) and 'code' in back, getattr(back, 'text', back)
        assert back.get('state') == (None if 'state' in without else self.state) and back['iss'] == self.site.metadata['issuer']
        answer = self.trade(back['code'])
        assert answer.status_code == 200 and answer.headers['Cache-Control'] == 'no-store', answer.text
        self.tokens = answer.json()
        assert self.tokens['token_type'] == 'Bearer'
        self.told = self.verify(self.tokens['id_token'], None if 'nonce' in without else self.nonce)
        return self.told

    def userinfo(self, **options):
        headers = {'Authorization': 'Bearer ' + self.tokens['access_token']}
        answer = self.site.get('/adfs/userinfo', headers=headers) if not options else self.site.post('/adfs/userinfo', **options)
        assert answer.status_code == 200, answer.text
        assert answer.json()['sub'] == self.told['sub']
        return answer.json()


# ---- OP Config


def test_oidcc_discovery_endpoint_verification(site):
    told = site.metadata
    assert told['issuer'] == site.base_url + '/adfs' and told['jwks_uri'].startswith('https://')
    for name in ('authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'end_session_endpoint'):
        assert told[name].startswith(site.base_url)
    assert 'code' in told['response_types_supported'] and set(told['subject_types_supported']) == {'public', 'pairwise'}
    assert 'RS256' in told['id_token_signing_alg_values_supported'] and 'openid' in told['scopes_supported']
    assert told['claims_parameter_supported'] and told['request_parameter_supported'] and not told['request_uri_parameter_supported']
    for key in site.get(urlsplit(told['jwks_uri']).path).json()['keys']:
        assert key['kid'] and key['use'] in ('sig', 'enc') and not {'d', 'p', 'q'} & set(key)


# ---- OP Basic, OP Form Post


def test_oidcc_server(flow):
    told = flow.sign_in()
    assert told['sub'] and told['acr'] and told['amr'] == ['pwd']
    access = flow.site.get('/adfs/userinfo')
    assert access.status_code == 401


def test_oidcc_response_type_missing(flow):
    back = flow.ask(without=('response_type',))
    assert back['error'] in ('invalid_request', 'unsupported_response_type') and back['state'] == flow.state


def test_oidcc_userinfo_get(flow):
    flow.sign_in()
    flow.userinfo()


def test_oidcc_userinfo_post_header(flow):
    flow.sign_in()
    flow.userinfo(headers={'Authorization': 'Bearer ' + flow.tokens['access_token'], 'Content-Type': 'application/x-www-form-urlencoded'})


def test_oidcc_userinfo_post_body(flow):
    flow.sign_in()
    flow.userinfo(data={'access_token': flow.tokens['access_token']})
    assert flow.site.get('/adfs/userinfo?access_token=' + flow.tokens['access_token']).status_code == 401  # never in the address


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(flow):
    assert 'nonce' not in flow.sign_in(without=('nonce',))


@pytest.mark.parametrize('scope,names', [
    ('profile', ['name', 'given_name']), ('email', ['email']), ('address', ['address']), ('phone', ['phone_number']),
    ('profile email address phone', ['name', 'email', 'address', 'phone_number']),
])  # fmt: skip
def test_oidcc_scope(flow, scope, names):
    """oidcc-scope-profile, -email, -address, -phone, -all"""
    flow.sign_in(scope='openid ' + scope)
    told = flow.userinfo()
    assert all(told[name] for name in names), told
    others = {'name', 'email', 'address', 'phone_number'} - set(names)
    assert not others & set(told)


def test_oidcc_ensure_other_scope_order_succeeds(flow):
    flow.sign_in(scope='email openid')
    assert flow.userinfo()['email'] == 'alice@example.com'


@pytest.mark.parametrize('display', ['page', 'popup'])
def test_oidcc_display(flow, display):
    """oidcc-display-page, oidcc-display-popup"""
    flow.sign_in(display=display)
    assert flow.was_asked()


def test_oidcc_prompt_login(flow):
    first = flow.sign_in()
    time.sleep(1.1)
    second = flow.sign_in(prompt='login')
    assert flow.was_asked() and second['auth_time'] > first['auth_time'] and second['sub'] == first['sub']


def test_oidcc_prompt_none_not_logged_in(flow):
    back = flow.ask(prompt='none')
    assert back['error'] == 'login_required' and back['state'] == flow.state


def test_oidcc_prompt_none_logged_in(flow):
    first = flow.sign_in()
    second = flow.sign_in(prompt='none')
    assert not flow.was_asked() and second['sub'] == first['sub'] and second['auth_time'] == first['auth_time']


def test_oidcc_max_age_1(flow):
    first = flow.sign_in()
    time.sleep(2)
    second = flow.sign_in(max_age='1')
    assert flow.was_asked() and second['auth_time'] > first['auth_time'] and time.time() - second['auth_time'] < 30


def test_oidcc_max_age_10000(flow):
    first = flow.sign_in()
    second = flow.sign_in(max_age='10000')
    assert not flow.was_asked() and second['auth_time'] == first['auth_time']


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(flow):
    flow.sign_in(extra='foobar')


def test_oidcc_id_token_hint(flow):
    first = flow.sign_in()
    second = flow.sign_in(prompt='none', id_token_hint=flow.tokens['id_token'])
    assert second['sub'] == first['sub']


def test_oidcc_login_hint(flow):
    flow.sign_in(login_hint='buffy@rp.localhost')
    assert any('buffy@rp.localhost' in page.text for page in flow.pages)


def test_oidcc_ui_locales(flow):
    flow.sign_in(ui_locales='de en')
    assert any('Kennwort' in page.text or 'Passwort' in page.text for page in flow.pages)


def test_oidcc_claims_locales(flow):
    flow.sign_in(claims_locales='se')


def test_oidcc_ensure_request_with_acr_values_succeeds(flow):
    assert flow.sign_in(acr_values='1 2')['acr']


def test_oidcc_codereuse(flow):
    flow.sign_in()
    back = flow.ask()
    assert flow.trade(back['code']).status_code == 200
    again = flow.trade(back['code'])
    assert again.status_code == 400 and again.json()['error'] == 'invalid_grant'


def test_oidcc_codereuse_30seconds(flow):
    """The suite waits for 30 seconds; nothing depends on how long, so we do not."""
    back = flow.ask()
    answer = flow.trade(back['code'])
    time.sleep(1)
    assert flow.trade(back['code']).status_code == 400
    headers = {'Authorization': 'Bearer ' + answer.json()['access_token']}
    assert flow.site.get('/adfs/userinfo', headers=headers).status_code == 401  # revoked by that


def test_oidcc_ensure_registered_redirect_uri(flow):
    page = flow.ask(redirect_uri=CALLBACK + '/foobar')
    assert not isinstance(page, dict) and page.status_code == 400 and 'redirect_uri' in page.text


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(flow):
    flow.sign_in()
    claims = {'client_id': 'one', 'redirect_uri': CALLBACK, 'response_type': 'code', 'scope': 'openid', 'state': 'other'}
    back = flow.ask(request=jwt.encode(claims, None, 'none'))
    assert back['error'] in ('request_not_supported', 'invalid_request_object')


def test_oidcc_claims_essential(flow):
    flow.sign_in(claims=json.dumps({'userinfo': {'name': {'essential': True}}}))
    assert flow.userinfo()['name'] == 'alice'


def test_oidcc_ensure_request_object_with_redirect_uri(flow):
    page = flow.ask(request=jwt.encode({'client_id': 'one', 'redirect_uri': CALLBACK + '/foobar', 'response_type': 'code', 'scope': 'openid'}, None, 'none'))
    assert isinstance(page, dict) and page['error'] in ('request_not_supported', 'invalid_request_object')


def test_oidcc_refresh_token(flow):
    first = flow.sign_in(scope='openid offline_access')
    answer = flow.site.post('/adfs/oauth2/token', {'grant_type': 'refresh_token', 'refresh_token': flow.tokens['refresh_token']}, auth=('one', SECRET))
    assert answer.status_code == 200
    told = flow.verify(answer.json()['id_token'], flow.nonce)
    assert told['sub'] == first['sub'] and told['auth_time'] == first['auth_time'] and told['iat'] >= first['iat']
    stolen = flow.site.post('/adfs/oauth2/token', {'grant_type': 'refresh_token', 'refresh_token': answer.json()['refresh_token']}, auth=('two', SECRET))
    assert stolen.status_code == 400 and stolen.json()['error'] == 'invalid_grant'


def test_oidcc_ensure_request_with_valid_pkce_succeeds(flow):
    verifier, challenge = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    back = flow.ask(code_challenge=challenge, code_challenge_method='S256')
    answer = flow.trade(back['code'], code_verifier=verifier)
    assert answer.status_code == 200
    flow.verify(answer.json()['id_token'], flow.nonce)


# ---- RP-Initiated Logout OP, Front-Channel Logout OP; Back-Channel: test_openid.py, with openid-client


def logout(flow, **parameters):
    return flow.browser.get(flow.site.metadata['end_session_endpoint'], params=parameters, allow_redirects=False, timeout=30)


def is_signed_out(flow):
    return flow.ask(prompt='none').get('error') == 'login_required'


@pytest.fixture
def signed_in(site):
    flow = Flow(site)
    flow.sign_in()
    return flow


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(site):
    assert site.metadata['end_session_endpoint'] == site.base_url + '/adfs/oauth2/logout'


def end(flow, page):
    """Where the browser is at last: our page tells the client by a frame and goes on."""
    on = re.search(r'(?:content="\d+;url=|href=")(https://rp\.localhost:4443/bye[^"]*)"', page.text)
    return page.headers.get('Location') or (html.unescape(on.group(1)) if on else None)


def test_oidcc_rp_initiated_logout(signed_in):
    page = logout(signed_in, id_token_hint=signed_in.tokens['id_token'], post_logout_redirect_uri=BYE, state='abc')
    assert end(signed_in, page) == BYE + '?state=abc' and is_signed_out(signed_in)


def test_oidcc_rp_initiated_logout_no_state(signed_in):
    page = logout(signed_in, id_token_hint=signed_in.tokens['id_token'], post_logout_redirect_uri=BYE)
    assert end(signed_in, page) == BYE and is_signed_out(signed_in)


@pytest.mark.parametrize('wrong', [BYE + '/foobar', BYE + '?foo=bar'])
def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(signed_in, wrong):
    """… and oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri"""
    page = logout(signed_in, id_token_hint=signed_in.tokens['id_token'], post_logout_redirect_uri=wrong)
    assert page.status_code == 400 and end(signed_in, page) is None


def test_oidcc_rp_initiated_logout_modified_id_token_hint(signed_in):
    page = logout(signed_in, id_token_hint=signed_in.tokens['id_token'][:-6] + 'AAAAAA', post_logout_redirect_uri=BYE)
    assert page.status_code == 400 and end(signed_in, page) is None and not is_signed_out(signed_in)


def test_oidcc_rp_initiated_logout_bad_id_token_hint(signed_in):
    made_up = jwt.encode({**signed_in.told, 'sub': 'x'}, SECRET, 'HS256')
    page = logout(signed_in, id_token_hint=made_up, post_logout_redirect_uri=BYE)
    assert page.status_code == 400 and end(signed_in, page) is None and not is_signed_out(signed_in)


def test_oidcc_rp_initiated_logout_no_id_token_hint(signed_in):
    page = logout(signed_in, post_logout_redirect_uri=BYE, state='abc')
    assert end(signed_in, page) is None
    page = logout(signed_in, client_id='one', post_logout_redirect_uri=BYE, state='abc')
    assert 'name="confirm"' in page.text and not is_signed_out(signed_in)
    page = confirm(signed_in, page)
    assert end(signed_in, page) == BYE + '?state=abc' and is_signed_out(signed_in)


def confirm(flow, page):
    action = html.unescape(re.search(r'<form[^>]*action="([^"]*)"', page.text).group(1))
    return flow.browser.post(action, data={**fields_of(page), 'confirm': 'yes'}, allow_redirects=False, timeout=30)


@pytest.mark.parametrize('parameters', [{}, {'state': 'abc'}])
def test_oidcc_rp_initiated_logout_no_params(signed_in, parameters):
    """… and oidcc-rp-initiated-logout-only-state"""
    page = logout(signed_in, **parameters)
    assert page.status_code == 200 and 'name="confirm"' in page.text
    page = confirm(signed_in, page)
    assert page.status_code == 200 and end(signed_in, page) is None and is_signed_out(signed_in)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(signed_in):
    page = logout(signed_in, id_token_hint=signed_in.tokens['id_token'])
    assert page.status_code == 200 and end(signed_in, page) is None and is_signed_out(signed_in)


def test_oidcc_frontchannel_logout_discovery_endpoint_verification(site):
    assert site.metadata['frontchannel_logout_supported'] and site.metadata['frontchannel_logout_session_supported']


def test_oidcc_frontchannel_rp_initiated_logout(signed_in):
    sid = signed_in.told['sid']
    second = Flow(signed_in.site, client='two')
    second.browser = signed_in.browser
    second.sign_in()
    page = logout(second, id_token_hint=second.tokens['id_token'], post_logout_redirect_uri=BYE, state='abc')
    frames = [parse_qs(urlsplit(html.unescape(url)).query) for url in re.findall(r'<iframe[^>]*src="(%s[^"]*)"' % FRONT, page.text)]
    assert {'iss': [signed_in.site.metadata['issuer']], 'sid': [sid]} in frames, page.text
    assert end(second, page) == BYE + '?state=abc' and is_signed_out(signed_in)


def test_oidcc_backchannel_logout_discovery_endpoint_verification(site):
    assert site.metadata['backchannel_logout_supported'] and site.metadata['backchannel_logout_session_supported']
