# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON Web Tokens that a client sends (attack ids JW-01..11): as what proves it, as a request object, as a proof of a key. Signed by hand, so that
each can be wrong in one way; the sound twin passes beside it."""
import base64
import hashlib
import hmac
import json
import os
import time
import uuid

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import clients
import harness
from test_conformance import CALLBACK, Flow
from test_openid import make_key

API = 'urn:test:api'
ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b'=').decode()


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    private, public = make_key(folder)
    secret = os.path.join(folder, 'secret')
    with open(secret, 'w') as file:
        file.write(clients.SECRET)
    partners = {
        **harness.PARTNERS,
        'api': {'realm': [API], 'claims': ['upn']},
        'robot': {'client_id': 'robot', 'client_auth': ['private_key_jwt'], 'client_jwks': public, 'grants': ['client_credentials', 'authorization_code'],
                  'resources': [API], 'redirect_uri': [CALLBACK]},
        'both': {'client_id': 'both', 'client_auth': ['client_secret_jwt'], 'client_secret_file': secret, 'grants': ['client_credentials'],
                 'resources': [API]},
    }  # fmt: skip
    with harness.Gateway(authority, partners=partners) as gateway:
        with open(private) as file:
            jwk = json.load(file)
        number = int.from_bytes(base64.urlsafe_b64decode(jwk['d'] + '=='), 'big')
        gateway.key, gateway.kid = ec.derive_private_key(number, ec.SECP256R1()), jwk['kid']
        gateway.issuer, gateway.metadata = gateway.base_url + '/adfs', gateway.get('/adfs/.well-known/openid-configuration').json()
        yield gateway


class Token:
    """A JWT in the making; wrong: which defect it gets."""

    def __init__(self, site, **claims):
        self.site, self.key = site, site.key
        self.header = {'alg': 'ES256', 'kid': site.kid, 'typ': 'JWT'}
        now = int(time.time())
        self.claims = {'iss': 'robot', 'sub': 'robot', 'aud': site.issuer, 'iat': now, 'exp': now + 60, 'jti': str(uuid.uuid4()), **claims}
        self.payload, self.head = None, None
        self.sign = self.ecdsa
        self.finish = lambda text: text

    def ecdsa(self, data):
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, 'big') + s.to_bytes(32, 'big')

    def text(self):
        parts = b64(self.head or json.dumps(self.header)) + '.' + b64(self.payload or json.dumps(self.claims))
        return self.finish(parts + '.' + b64(self.sign(parts.encode())))


def public_pem(token):
    return token.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def own_jwk(token):
    token.key = ec.generate_private_key(ec.SECP256R1())
    numbers = token.key.public_key().public_numbers()
    return {'kty': 'EC', 'crv': 'P-256', 'x': b64(numbers.x.to_bytes(32, 'big')), 'y': b64(numbers.y.to_bytes(32, 'big'))}


def hs256(token, key):
    token.header['alg'] = 'HS256'
    token.sign = lambda data: hmac.new(key, data, hashlib.sha256).digest()


def twice(token, name):
    text = json.dumps(token.claims)
    token.payload = '{"%s": "x", %s' % (name, text[1:])


DEFECTS = {
    'JW-01 none': lambda token: (token.header.update(alg='none'), setattr(token, 'sign', lambda data: b'')),
    'JW-01 None': lambda token: (token.header.update(alg='None'), setattr(token, 'sign', lambda data: b'')),
    'JW-02 HS256 with the public key': lambda token: hs256(token, public_pem(token)),
    'JW-02 HS256 with no key': lambda token: hs256(token, b''),
    'JW-03 jwk': lambda token: token.header.update(jwk=own_jwk(token)),
    'JW-03 jku': lambda token: (own_jwk(token), token.header.update(jku='https://evil.test/jwks')),
    'JW-04 kid': lambda token: (own_jwk(token), token.header.update(kid="../../x' OR 1=1")),
    'JW-05 crit': lambda token: token.header.update(crit=['exp']),
    'JW-05 b64': lambda token: token.header.update(b64=False),
    'JW-06 iss twice': lambda token: twice(token, 'iss'),
    'JW-06 aud twice': lambda token: twice(token, 'aud'),
    'JW-07 exp 1e300': lambda token: setattr(token, 'payload', json.dumps(token.claims).replace(str(token.claims['exp']), '1e300')),
    'JW-07 exp negative': lambda token: token.claims.update(exp=-1),
    'JW-07 exp a string': lambda token: token.claims.update(exp=str(token.claims['exp'])),
    'JW-07 no exp': lambda token: token.claims.pop('exp'),
    'JW-08 padding': lambda token: setattr(token, 'finish', lambda text: text + '=='),
    'JW-08 four parts': lambda token: setattr(token, 'finish', lambda text: text + '.x'),
    'JW-10 r and s are 0': lambda token: setattr(token, 'sign', lambda data: b'\0' * 64),
    'JW-10 DER': lambda token: setattr(token, 'sign', lambda data: token.key.sign(data, ec.ECDSA(hashes.SHA256()))),
    'JW-11 logout token': lambda token: token.header.update(typ='logout+jwt'),
    'OI-01 iss': lambda token: token.claims.update(iss='both'),
    'OI-01 aud': lambda token: token.claims.update(aud='https://elsewhere.test'),
    'expired': lambda token: token.claims.update(exp=int(time.time()) - 600, iat=int(time.time()) - 660),
    'not yet': lambda token: token.claims.update(iat=int(time.time()) + 3600, exp=int(time.time()) + 3660),
}


def prove(site, token, client_id='robot'):
    fields = {'grant_type': 'client_credentials', 'resource': API, 'client_id': client_id, 'client_assertion_type': ASSERTION, 'client_assertion': token}
    return site.post('/adfs/oauth2/token', fields)


@pytest.mark.parametrize('name', DEFECTS)
def test_a_clients_assertion(site, name):
    token = Token(site)
    DEFECTS[name](token)
    answer = prove(site, token.text())
    assert answer.status_code == 401 and answer.json()['error'] == 'invalid_client', answer.text
    assert prove(site, Token(site).text()).status_code == 200


@pytest.mark.parametrize('name', DEFECTS)
def test_a_request_object(site, name):
    flow = Flow(site, client='robot')
    request = {'client_id': 'robot', 'redirect_uri': CALLBACK, 'response_type': 'code', 'scope': 'openid', 'state': 's', 'nonce': 'n'}
    token = Token(site, **request)
    DEFECTS[name](token)
    back = flow.ask(request=token.text())
    assert isinstance(back, dict) and back['error'] == 'invalid_request_object' and 'code' not in back, back
    good = flow.ask(request=Token(site, **request).text())
    assert good['code'] and good['state'] == 's'


def test_a_request_object_says_all(site):
    """RFC 9101 §6.3: what stands beside it counts for nothing."""
    flow = Flow(site, client='robot')
    request = {'client_id': 'robot', 'redirect_uri': CALLBACK, 'response_type': 'code', 'scope': 'openid', 'state': 'signed', 'nonce': 'n'}
    back = flow.ask(request=Token(site, **request).text(), response_mode='form_post', prompt='none', state='beside')
    assert back['code'] and back['state'] == 'signed'
    for wrong in ({'client_id': 'both'}, {'request': 'x'}, {'request_uri': 'https://evil.test'}, {'redirect_uri': ['a', 'b']}):
        assert 'error' in flow.ask(request=Token(site, **{**request, **wrong}).text()), wrong


def test_a_secret_signs_for_its_client_alone(site):
    def made(key, client='both'):
        token = Token(site, iss=client, sub=client)
        hs256(token, key)
        return token.text()

    assert prove(site, made(clients.SECRET.encode()), 'both').status_code == 200
    for wrong in (made(b''), made(clients.SECRET.encode()[:-1]), made(clients.SECRET.encode(), 'robot'), Token(site, iss='both', sub='both').text()):
        assert prove(site, wrong, None).status_code == 401
