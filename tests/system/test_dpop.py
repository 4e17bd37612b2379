# SPDX-License-Identifier: GPL-2.0-or-later
"""Proofs of a key (RFC 9449 §4.3) that PyJWT makes, one thing wrong in each; the sound twin passes."""
import base64
import hashlib
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

import clients
import harness
from oauth import Agent, part
from protected import protecting
from tokens import ec_key

API = 'urn:test:api'
CONF = 'protect "api" { kind = "rest" accept = {"bearer"} audience = "urn:test:api" }\n'
LOCATIONS = 'location /api/ { fedgate_protect CONF api; PROXY }\n'
KEY, OTHER = ec_key(), ec_key()


def public(key):
    return json.loads((ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm).to_jwk(key.public_key()))


def thumbprint(jwk):
    text = json.dumps({name: jwk[name] for name in sorted(jwk) if name in ('crv', 'e', 'kty', 'n', 'x', 'y')}, separators=(',', ':'))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()


def hash_of(token):
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b'=').decode()


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    agent = Agent('agent', folder, {'resources': [API]})
    partners = {**harness.PARTNERS, 'api': {'realm': [API], 'claims': ['upn']}, 'agent': agent.section()}
    with protecting(authority, LOCATIONS, gateway_conf=CONF, partners=partners) as gateway:
        gateway.nonce = ''
        yield gateway


def prove(site, method='POST', path='/adfs/oauth2/token', token=None, key=KEY, header=None, alg='ES256', **claims):
    body = {'htm': method, 'htu': site.base_url + path, 'iat': int(time.time()), 'jti': str(uuid.uuid4()), 'nonce': site.nonce}
    if token:
        body['ath'] = hash_of(token)
    body = {name: value for name, value in {**body, **claims}.items() if value is not None}
    return jwt.encode(body, key, alg, {'typ': 'dpop+jwt', 'jwk': public(key) if not isinstance(key, bytes) else {}, **(header or {})})


def trade(site, proof, **headers):
    """Of the token endpoint: status, answer."""
    fields = {'grant_type': 'client_credentials', 'resource': API, 'client_id': 'agent', 'client_secret': clients.SECRET}
    answer = site.post('/adfs/oauth2/token', fields, headers={'DPoP': proof, **headers})
    site.nonce = answer.headers.get('DPoP-Nonce', site.nonce)
    return answer.status_code, answer.json()


@pytest.fixture
def token(site):
    trade(site, prove(site))
    status, answer = trade(site, prove(site))
    assert status == 200, answer
    return answer['access_token']


def call(site, token, proof, path='/api/x'):
    return site.get(path, headers={'Authorization': 'DPoP ' + token, 'DPoP': proof})


def test_the_first_answer_gives_a_nonce(site):
    site.nonce = ''
    status, answer = trade(site, prove(site, nonce=None))
    assert status == 400 and answer['error'] == 'use_dpop_nonce' and site.nonce
    status, answer = trade(site, prove(site))
    assert status == 200 and answer['token_type'] == 'DPoP'
    assert part(answer['access_token'])['cnf'] == {'jkt': thumbprint(public(KEY))}
    made_up = site.nonce[:-4] + 'AAAA'
    assert trade(site, prove(site, nonce=made_up))[1]['error'] == 'use_dpop_nonce'


@pytest.mark.parametrize('wrong', [
    {'method': 'GET'}, {'path': '/adfs/oauth2/par'}, {'htu': 'https://elsewhere.test/adfs/oauth2/token'}, {'htu': None}, {'htm': None},
    {'jti': None}, {'jti': 'x' * 300}, {'iat': None}, {'iat': int(time.time()) - 3600}, {'iat': int(time.time()) + 3600},
    {'header': {'typ': 'JWT'}}, {'header': {'jwk': public(OTHER)}}, {'header': {'jwk': None}}, {'header': {'jwk': json.loads(ECAlgorithm.to_jwk(KEY))}},
    {'header': {'jwk': {'kty': 'oct', 'k': 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0'}}, 'key': b'secret-secret-secret-secret', 'alg': 'HS256'},
    {'header': {'crit': ['exp'], 'exp': 1}},
])  # fmt: skip
def test_each_check_of_a_proof(site, token, wrong):
    status, answer = trade(site, prove(site, **wrong))
    assert status == 400 and answer['error'] == 'invalid_dpop_proof', (wrong, answer)
    assert trade(site, prove(site))[0] == 200


def test_a_proof_is_good_once(site, token):
    proof = prove(site)
    assert trade(site, proof)[0] == 200
    assert trade(site, proof)[1]['error'] == 'invalid_dpop_proof'
    answer = site.post('/adfs/oauth2/token', {'grant_type': 'client_credentials', 'resource': API, 'client_id': 'agent', 'client_secret': clients.SECRET},
                       headers={'DPoP': prove(site) + ', ' + prove(site)})  # fmt: skip
    assert answer.json()['error'] == 'invalid_dpop_proof'  # two in one


def test_other_algorithms(site, token):
    key = rsa.generate_private_key(65537, 2048)
    for alg in ('RS256', 'PS256'):
        status, answer = trade(site, prove(site, key=key, alg=alg))
        assert status == 200 and part(answer['access_token'])['cnf'] == {'jkt': thumbprint(public(key))}


def test_at_a_protected_location(site, token):
    def proof(**wrong):
        return prove(site, **{'method': 'GET', 'path': '/api/x', 'token': token, **wrong})

    assert call(site, token, proof()).status_code == 200
    assert call(site, token, proof(path='/api/x'), '/api/x?a=b').status_code == 200  # without the query
    assert call(site, token, proof(htu=site.base_url.upper().replace('HTTPS', 'https') + '/api/x')).status_code == 200
    for wrong in ({'method': 'POST'}, {'path': '/api/y'}, {'token': 'another'}, {'token': None}, {'key': OTHER}, {'header': {'typ': 'JWT'}}):
        answer = call(site, token, proof(**wrong))
        assert answer.status_code == 401 and 'DPoP' in answer.headers['WWW-Authenticate'], wrong
    stale = call(site, token, proof(nonce=None))
    assert stale.status_code == 401 and 'use_dpop_nonce' in stale.headers['WWW-Authenticate'] and stale.headers['DPoP-Nonce']
    once = proof()
    assert [call(site, token, once).status_code for _ in range(2)] == [200, 401]
    assert site.get('/api/x', headers={'Authorization': 'Bearer ' + token, 'DPoP': proof()}).status_code == 401
