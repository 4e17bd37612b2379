# SPDX-License-Identifier: GPL-2.0-or-later
"""The provider towards programs (openid-client): client credentials, token exchange, assertions as grants, introspection, revocation,
keys and certificates that tokens are tied to, at the gateway's endpoints and at protected locations."""
import base64
import os
import re
import subprocess
import time
import urllib.parse

import pytest
import requests

import clients
import harness
from oauth import EXCHANGE, JWT_BEARER, SAML_BEARER, TYPE, Agent, Refused, part
from protected import protecting
from test_openid import make_key, sign_in
from tokens import altered

API, BACK = 'urn:test:api', 'urn:test:back'
CLIENT = 'http://schemas.microsoft.com/2014/01/clientcontext/claims/appid'
SAML20 = 'urn:oasis:names:tc:SAML:2.0:assertion'
CONF = """
protect "api" { kind = "rest" accept = {"bearer"} audience = "urn:test:api" }
protect "back" { kind = "rest" accept = {"bearer"} audience = "urn:test:back" }
identity_provider "issuer" { issuer = "https://issuer.test" jwks = "JWKS" certificate = "CERTIFICATE" sign_in = "https://issuer.test/" }
"""
LOCATIONS = """
ssl_client_certificate CA; ssl_verify_client optional;
location /api/ { fedgate_protect CONF api; PROXY }
location /back/ { fedgate_protect CONF back; PROXY }
"""
RULES = 'c:[Type == "%s", Value == "api"] => permit();\n' % CLIENT


def client_certificate(authority, folder, name):
    path = os.path.join(folder, name)
    with open(path + '.ext', 'w') as file:
        file.write('extendedKeyUsage=clientAuth\nsubjectAltName=DNS:%s.example.com\n' % name)
    for command in (['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/O=Test/CN=' + name, '-keyout', path + '.key', '-out', path + '.csr'],
                    ['x509', '-req', '-in', path + '.csr', '-CA', authority.ca, '-CAkey', authority.key, '-CAcreateserial', '-days', '30', '-extfile',
                     path + '.ext', '-out', path + '.crt']):  # fmt: skip
        subprocess.run(['openssl', *command], check=True, capture_output=True)
    return {'CERT': path + '.crt', 'KEY': path + '.key'}


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    private, public = make_key(folder)
    issuer = client_certificate(authority, folder, 'issuer')
    robot, other = client_certificate(authority, folder, 'robot'), client_certificate(authority, folder, 'other')
    app = clients.Client('app', folder, authority, {'resources': [API]})
    spa = clients.Client('spa', folder, authority, {'client_secret_file': None, 'client_auth': ['none']}, AUTH='none', DPOP='1')
    pushed = clients.Client('pushed', folder, authority, {'pushed_requests': 'true', 'userinfo_signed': 'true'}, PAR='1')
    signed = clients.Client('signed', folder, authority, {'signed_requests': 'true', 'client_jwks': public, 'client_auth': ['private_key_jwt'],
                                                          'client_secret_file': None}, AUTH='jwt', JWK=private, JAR='1')  # fmt: skip
    target = {'claims': ['upn', 'role', CLIENT], 'name_id': 'upn', 'jwt': 'true', 'lifetime': '10m'}
    agents = {
        'api': Agent('api', folder, {'realm': [API], 'resources': [BACK], 'grants': ['client_credentials', 'token_exchange'], **target}),
        'nosy': Agent('nosy', folder, {'resources': [API, BACK], 'grants': ['client_credentials', 'token_exchange', 'jwt_bearer', 'saml2_bearer']}),
        'symmetric': Agent('symmetric', folder, {'resources': [API], 'client_auth': ['client_secret_jwt']}, AUTH='secret_jwt'),
        'asymmetric': Agent('asymmetric', folder, {'resources': [API], 'client_auth': ['private_key_jwt'], 'client_jwks': public,
                                                   'client_secret_file': None}, AUTH='jwt', JWK=private),
        'tls': Agent('tls', folder, {'resources': [API], 'client_auth': ['tls_client_auth'], 'client_certificate_subject': 'CN=robot,O=Test',
                                     'bound_tokens': 'certificate', 'client_secret_file': None}, AUTH='tls', **robot),
        'dpop': Agent('dpop', folder, {'resources': [API], 'bound_tokens': 'dpop', 'grants': ['client_credentials']}, DPOP=os.path.join(folder, 'dpop.json')),
    }  # fmt: skip
    everybody = [app, spa, pushed, signed]
    partners = {
        **harness.PARTNERS,
        'back': {'realm': [BACK], 'delegation_rules': 'back.rules', **target},
        **{name: agent.section() for name, agent in agents.items()},
        **{client.name: client.section() for client in everybody},
    }
    conf = CONF.replace('JWKS', public).replace('CERTIFICATE', issuer['CERT'])
    with protecting(authority, LOCATIONS.replace('CA;', authority.ca + ';'), gateway_conf=conf, files={'back.rules': RULES}, partners=partners) as gateway:
        gateway.agents, gateway.jwk, gateway.issuer, gateway.other = agents, private, issuer, other
        gateway.app, gateway.spa, gateway.pushed, gateway.signed = everybody
        for client in everybody:
            client.start(gateway)
        yield gateway
        for client in everybody:
            client.stop()


@pytest.fixture(scope='module')
def alice(site):
    """An access token for the API, which alice's application got."""
    session = site.browser()
    sign_in(site, session, site.app, resource=API)
    return session.get(site.app.origin + '/tokens', timeout=30).json()['access_token']


def call(site, path, token, scheme='Bearer', **headers):
    return site.get(path, headers={'Authorization': scheme + ' ' + token, **headers})


def without_dpop(site, agent, **environment):
    return Agent.run(site.agents[agent], site, 'credentials', {'resource': API}, **environment)


# ---- client credentials, and who the client is


@pytest.mark.parametrize('name', ['nosy', 'symmetric', 'asymmetric'])
def test_a_client_gets_a_token_for_itself(site, name):
    answer = site.agents[name].run(site, 'credentials', {'resource': API})
    told = part(answer['access_token'])
    assert told['sub'] == told['client_id'] == name and told['aud'] == API and told['iss'] == site.base_url + '/adfs'
    assert told['appid'] == name and 'refresh_token' not in answer and part(answer['access_token'], 0)['typ'] == 'at+jwt'
    assert call(site, '/api/x', answer['access_token']).status_code == 200
    assert call(site, '/back/x', answer['access_token']).status_code == 401  # for somebody else
    with pytest.raises(Refused, match='invalid_target'):
        site.agents[name].run(site, 'credentials', {'resource': 'urn:federation:MicrosoftOnline'})


def test_no_other_secret_or_way_will_do(site):
    for name, environment in (('symmetric', {'CLIENT_SECRET': 'x' * 34}), ('symmetric', {'AUTH': 'basic'}), ('asymmetric', {'AUTH': 'secret_jwt'}),
                              ('nosy', {'AUTH': 'secret_jwt'}), ('tls', {'AUTH': 'post'})):  # fmt: skip
        with pytest.raises(Refused, match='invalid_client|CHALLENGE'):  # what came in a header is answered in one
            without_dpop(site, name, **environment)
    assert site.site.audit(event='refused', reason='openid_client_auth')


def test_a_clients_assertion_is_good_once(site):
    now = int(time.time())
    claims = {'iss': 'asymmetric', 'sub': 'asymmetric', 'aud': site.base_url + '/adfs', 'exp': now + 60, 'iat': now, 'jti': os.urandom(8).hex()}
    fields = {'grant_type': 'client_credentials', 'resource': API, 'client_assertion_type': 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
              'client_assertion': site.agents['asymmetric'].run(site, 'assertion', {'key': site.jwk, 'claims': claims})}  # fmt: skip
    first, second = (site.post('/adfs/oauth2/token', fields) for _ in range(2))
    assert first.status_code == 200 and (second.status_code, second.json()['error']) == (401, 'invalid_client')


# ---- token exchange


def test_on_behalf_of_a_person(site, alice):
    assert call(site, '/api/x', alice).status_code == 200
    answer = site.agents['api'].exchange(site, alice)
    told = part(answer['access_token'])
    assert answer['issued_token_type'] == TYPE + 'access_token' and answer['token_type'] == 'bearer'
    assert told['aud'] == BACK and told['upn'] == told['sub'] == 'alice@example.com' and told['client_id'] == 'api' and 'act' not in told
    assert told['exp'] <= part(alice)['exp']
    assert call(site, '/back/x', answer['access_token']).status_code == 200
    assert call(site, '/back/x', alice).status_code == 401
    (line,) = site.site.audit(event='delegated', delegation='onbehalfof', audience=BACK)
    assert line['actor'] == 'api' and line['user'] == part(alice)['sub']


def test_the_actor_is_named(site, alice):
    own = site.agents['api'].token(site, BACK)
    answer = site.agents['api'].exchange(site, alice, actor_token=own, actor_token_type=TYPE + 'access_token')
    told = part(answer['access_token'])
    assert told['upn'] == 'alice@example.com' and told['act']['sub'] == 'api'
    assert site.site.audit(event='delegated', delegation='actas', audience=BACK)


@pytest.mark.parametrize('kind', ['jwt', 'saml1', 'saml2'])
def test_other_formats_go_out_and_come_in(site, alice, kind):
    answer = site.agents['api'].exchange(site, alice, requested_token_type=TYPE + kind)
    assert answer['issued_token_type'] == TYPE + kind and answer['token_type'] == 'n_a'
    token = answer['access_token']
    if kind == 'jwt':
        assert part(token)['aud'] == BACK and part(token)['upn'] == 'alice@example.com'
        assert call(site, '/back/x', token).status_code == 200
        return
    text = base64.urlsafe_b64decode(token + '=' * (-len(token) % 4)).decode()
    assert 'alice@example.com' in text and BACK in text and ('SAML:2.0' if kind == 'saml2' else 'SAML:1.0') in text
    with pytest.raises(Refused, match='invalid_request'):  # it is neither for this client nor was it issued to it
        site.agents['api'].exchange(site, token, kind)
    assert call(site, '/back/x', base64.b64encode(text.encode()).decode()).status_code == 200


def test_an_assertion_of_an_identity_provider_comes_in(site):
    options = {'issuer': 'https://issuer.test', 'audiences': [site.base_url.replace('https:', 'http:') + '/adfs/services/trust'], 'lifetimeInSeconds': 300,
               'recipient': site.base_url + '/adfs/oauth2/token', 'nameIdentifier': 'pat',
               'attributes': {'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn': 'pat@issuer.test'}}  # fmt: skip
    made = site.agents['api'].run(site, 'saml', {'key': site.issuer['KEY'], 'cert': site.issuer['CERT'], 'options': options})
    request = {'grant_type': SAML_BEARER, 'assertion': made, 'resource': API}
    told = part(site.agents['nosy'].run(site, 'grant', request)['access_token'])
    assert told['aud'] == API and told['upn'] == 'pat@issuer.test' and told['client_id'] == 'nosy'
    with pytest.raises(Refused, match='invalid_grant'):  # once
        site.agents['nosy'].run(site, 'grant', request)
    with pytest.raises(Refused, match='unauthorized_client'):
        site.agents['api'].run(site, 'grant', request)
    for wrong in ({'recipient': 'https://elsewhere.test/'}, {'audiences': ['urn:elsewhere']}, {'issuer': 'https://nobody.test'}):
        made = site.agents['api'].run(site, 'saml', {'key': site.issuer['KEY'], 'cert': site.issuer['CERT'], 'options': {**options, **wrong}})
        with pytest.raises(Refused, match='invalid_grant'):
            site.agents['nosy'].run(site, 'grant', {**request, 'assertion': made})
    stranger = site.agents['api'].run(site, 'saml', {'key': site.other['KEY'], 'cert': site.other['CERT'], 'options': options})
    with pytest.raises(Refused, match='invalid_grant'):
        site.agents['nosy'].run(site, 'grant', {**request, 'assertion': stranger})


def test_a_jwt_of_an_identity_provider_comes_in(site):
    def made(**claims):
        now = int(time.time())
        usual = {'iss': 'https://issuer.test', 'sub': 'pat', 'aud': site.base_url + '/adfs', 'exp': now + 60, 'iat': now, 'jti': os.urandom(8).hex(), 'upn': 'pat@issuer.test'}
        return site.agents['nosy'].run(site, 'assertion', {'key': site.jwk, 'claims': {name: value for name, value in {**usual, **claims}.items() if value}})

    def trade(token):
        return site.agents['nosy'].run(site, 'grant', {'grant_type': JWT_BEARER, 'assertion': token, 'resource': API})

    token = made()
    answer = trade(token)
    assert part(answer['access_token'])['upn'] == 'pat@issuer.test' and answer['expires_in'] <= 60
    with pytest.raises(Refused, match='invalid_grant'):
        trade(token)
    for wrong in ({'aud': 'https://elsewhere.test'}, {'iss': 'https://nobody.test'}, {'exp': int(time.time()) - 600}, {'jti': None}):
        with pytest.raises(Refused, match='invalid_grant'):
            trade(made(**wrong))


def test_what_is_not_allowed_is_not_exchanged(site, alice):
    api, nosy = site.agents['api'], site.agents['nosy']
    with pytest.raises(Refused, match='invalid_request'):  # a token that is neither for it nor its own
        nosy.exchange(site, alice, resource=BACK)
    own = nosy.token(site, API)
    with pytest.raises(Refused, match='invalid_grant'):  # no rule permits it
        nosy.exchange(site, own, resource=BACK)
    with pytest.raises(Refused, match='invalid_grant'):  # no delegation rules there
        nosy.exchange(site, own, resource=API)
    for wrong in ({'subject_token': altered(alice)}, {'subject_token_type': TYPE + 'saml2'}, {'subject_token_type': 'urn:x'}, {'actor_token': alice},
                  {'requested_token_type': TYPE + 'id_token'}):  # fmt: skip
        request = {'grant_type': EXCHANGE, 'subject_token': alice, 'subject_token_type': TYPE + 'access_token', **wrong}
        with pytest.raises(Refused, match='invalid_request'):
            api.run(site, 'grant', request)
    assert site.site.audit(event='refused', reason='denied')


def test_on_behalf_of_as_ad_fs_has_it(site, alice):
    request = {'grant_type': JWT_BEARER, 'requested_token_use': 'on_behalf_of', 'assertion': alice, 'resource': BACK}
    with pytest.raises(Refused, match='unauthorized_client'):  # not one of its grants
        site.agents['api'].run(site, 'grant', request)
    with pytest.raises(Refused, match='invalid_request'):
        site.agents['nosy'].run(site, 'grant', request)


# ---- introspection and revocation


def test_introspection_tells_whom_it_concerns(site, alice):
    told = site.agents['api'].run(site, 'introspect', {'token': alice})
    assert told['active'] and told['aud'] == API and told['client_id'] == 'app' and told['token_type'] == 'Bearer'
    assert site.agents['nosy'].run(site, 'introspect', {'token': alice}) == {'active': False}
    assert site.agents['api'].run(site, 'introspect', {'token': altered(alice)}) == {'active': False}
    answer = site.post('/adfs/oauth2/introspect', {'token': alice, 'client_id': 'spa'})
    assert answer.status_code == 401


def test_a_revoked_token_is_nothing_any_more(site):
    session = site.browser()
    sign_in(site, session, site.app, resource=API)
    tokens = session.get(site.app.origin + '/tokens', timeout=30).json()
    assert call(site, '/api/x', tokens['access_token']).status_code == 200
    owner = Agent('app', site.folder)
    with pytest.raises(Refused):
        site.agents['nosy'].run(site, 'revoke', {'token': tokens['refresh_token']})
    assert owner.run(site, 'introspect', {'token': tokens['refresh_token']})['active']
    owner.run(site, 'revoke', {'token': tokens['refresh_token']})
    assert owner.run(site, 'introspect', {'token': tokens['refresh_token']}) == {'active': False}
    assert site.agents['api'].run(site, 'introspect', {'token': tokens['access_token']}) == {'active': False}
    assert session.get(site.app.origin + '/refresh', timeout=30).status_code == 400
    harness.wait_for(lambda: call(site, '/api/x', tokens['access_token']).status_code == 401)
    own = site.agents['nosy'].token(site, API)
    assert call(site, '/api/x', own).status_code == 200
    site.agents['nosy'].run(site, 'revoke', {'token': own})
    assert call(site, '/api/x', own).status_code == 401


# ---- certificates (RFC 8705)


def presenting(site, files):
    session = requests.Session()
    session.verify, session.trust_env = site.authority.ca, False
    if files:
        session.cert = (files['CERT'], files['KEY'])
    return session


def test_a_certificate_proves_the_client_and_binds_the_token(site):
    agent = site.agents['tls']
    token = agent.token(site, API)
    assert 'x5t#S256' in part(token)['cnf']
    with pytest.raises(Refused, match='invalid_client'):
        agent.token(site, API, **site.other)
    with pytest.raises(Refused, match='invalid_client'):  # none at all
        agent.run(site, 'credentials', {'resource': API}, CERT='', KEY='')
    headers = {'Authorization': 'Bearer ' + token}
    # each often enough for every worker to know the token by then
    for files, status in 8 * ((agent.environment, 200),) + 4 * ((site.other, 401), (None, 401)) + ((agent.environment, 200),):
        answer = presenting(site, files).get(site.url('/api/x'), headers=headers, timeout=30)
        assert answer.status_code == status, answer.text


# ---- DPoP (RFC 9449)


def test_a_key_binds_the_token(site):
    agent = site.agents['dpop']
    answer = agent.run(site, 'credentials', {'resource': API})
    token = answer['access_token']
    assert answer['token_type'] == 'dpop' and part(token)['cnf']['jkt']
    seen = agent.run(site, 'fetch', {'token': token, 'url': site.url('/api/x?y=1')})
    assert seen['status'] == 200, seen
    assert call(site, '/api/x', token).status_code == 401  # as a bearer token
    refused = call(site, '/api/x', token, 'DPoP')
    assert refused.status_code == 401 and 'invalid_dpop_proof' in refused.headers['WWW-Authenticate']
    with pytest.raises(Refused, match='invalid_token'):  # with another key
        agent.run(site, 'fetch', {'token': token, 'url': site.url('/api/x')}, DPOP=os.path.join(site.folder, 'another.json'))
    with pytest.raises(Refused, match='invalid_dpop_proof'):  # it must have one
        without_dpop(site, 'dpop', DPOP='')
    free = site.agents['nosy'].token(site, API)
    with pytest.raises(Refused, match='invalid_token'):  # a token that is tied to none
        agent.run(site, 'fetch', {'token': free, 'url': site.url('/api/x')})


def test_a_public_clients_key_is_asked_for_again(site):
    session = site.browser()
    told = sign_in(site, session, site.spa)
    assert told['token_type'] == 'dpop' and told['userinfo']['email'] == 'alice@example.com'
    assert session.get(site.spa.origin + '/refresh', timeout=30).status_code == 200
    tokens = session.get(site.spa.origin + '/tokens', timeout=30).json()
    assert site.get('/adfs/userinfo', headers={'Authorization': 'Bearer ' + tokens['access_token']}).status_code == 401
    stolen = site.post('/adfs/oauth2/token', {'grant_type': 'refresh_token', 'refresh_token': tokens['refresh_token'], 'client_id': 'spa'})
    assert stolen.status_code == 400 and stolen.json()['error'] == 'invalid_grant'


# ---- requests that are pushed or signed


def test_a_pushed_request_signs_in(site):
    session = site.browser()
    told = sign_in(site, session, site.pushed)
    assert told['claims']['aud'] == 'pushed' and told['userinfo']['email'] == 'alice@example.com'  # signed, and verified by the client
    query = {'client_id': 'pushed', 'redirect_uri': site.pushed.origin + '/cb', 'response_type': 'code', 'scope': 'openid', 'state': 's'}
    plain = session.get(site.url('/adfs/oauth2/authorize'), params=query, allow_redirects=False, timeout=30)
    assert plain.status_code == 302 and 'error=invalid_request_uri' in plain.headers['Location']
    url = session.get(site.pushed.origin + '/login', allow_redirects=False, timeout=30).headers['Location']
    assert 'code=' in session.get(url, allow_redirects=False, timeout=30).headers['Location']
    again = session.get(url, allow_redirects=False, timeout=30)  # once
    assert 'Location' not in again.headers or 'code=' not in again.headers['Location']


@pytest.mark.parametrize('alg, enc', [('RSA-OAEP-256', 'A256GCM'), ('RSA-OAEP', 'A128CBC-HS256')])
def test_a_signed_request_may_be_encrypted(site, alg, enc):
    """RFC 9101 §4: signed, then encrypted to the key that the gateway publishes for it."""
    session = site.browser()
    sign_in(site, session, site.signed)
    url = session.get(site.signed.origin + '/login', allow_redirects=False, timeout=30).headers['Location']
    address, query = url.split('?')
    fields = {name: values[0] for name, values in urllib.parse.parse_qs(query).items()}
    (jwk,) = [key for key in session.get(site.url('/adfs/discovery/keys'), timeout=30).json()['keys'] if key.get('use') == 'enc'][:1]

    def ask(token, key=jwk):
        sealed = site.agents['api'].run(site, 'encrypt', {'token': token, 'jwk': key, 'alg': alg, 'enc': enc})
        return session.get(address, params={**fields, 'request': sealed}, allow_redirects=False, timeout=30).headers['Location']

    assert 'code=' in ask(fields['request'])
    head, body, signature = fields['request'].split('.')
    for bad in (ask('.'.join([head, body, signature[:-8] + 'AAAAAAAA'])), ask(body)):  # encrypted by anybody, signed by nobody
        assert 'error=invalid_request_object' in bad and 'code=' not in bad
    (other,) = [key for key in session.get(site.url('/adfs/discovery/keys'), timeout=30).json()['keys'] if key.get('use') == 'sig'][:1]
    assert 'error=invalid_request_object' in ask(fields['request'], {**other, 'kid': jwk['kid'], 'use': 'enc', 'alg': alg})


def test_a_signed_request_signs_in(site):
    session = site.browser()
    told = sign_in(site, session, site.signed)
    assert told['claims']['aud'] == 'signed' and told['userinfo']['email'] == 'alice@example.com'
    url = session.get(site.signed.origin + '/login', allow_redirects=False, timeout=30).headers['Location']
    assert 'code=' in session.get(url, allow_redirects=False, timeout=30).headers['Location']
    bad = re.sub(r'(request=[^&]*)....(&|$)', r'\1AAAA\2', url) + '&redirect_uri=' + site.signed.origin + '/cb'
    bad = session.get(bad, allow_redirects=False, timeout=30)
    assert 'error=invalid_request_object' in bad.headers['Location'] and 'code=' not in bad.headers['Location']
    query = {'client_id': 'signed', 'redirect_uri': site.signed.origin + '/cb', 'response_type': 'code', 'scope': 'openid', 'state': 's'}
    plain = session.get(site.url('/adfs/oauth2/authorize'), params=query, allow_redirects=False, timeout=30)
    assert 'error=invalid_request_object' in plain.headers['Location']
