# SPDX-License-Identifier: GPL-2.0-or-later
"""How clients' ID tokens are signed and encrypted, judged by openid-client: it takes the algorithm that it was registered with and no other."""
import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

import clients
import harness
from test_openid import sign_in
from tokens import ec_key

SIGNED = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
ENCRYPTED = {
    'rsa': (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm, 'RSA-OAEP-256', 'A256GCM'),
    'ecdh': (ec_key, ECAlgorithm, 'ECDH-ES', 'A128GCM'),
    'cbc': (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm, 'RSA-OAEP', 'A128CBC-HS256'),
}


def make_keys(folder, name, make, algorithm, alg):
    """Paths of a private JSON Web Key and of the set with its public half, for encryption."""
    key, paths = make(), [os.path.join(folder, name + ending) for ending in ('.jwk', '.jwks')]
    more = {'kid': name + '-1', 'alg': alg, 'use': 'enc'}
    private, public = json.loads(algorithm.to_jwk(key)), json.loads(algorithm.to_jwk(key.public_key()))
    private.pop('key_ops', None)
    public.pop('key_ops', None)
    for path, content in zip(paths, ({**private, **more}, {'keys': [{**public, **more}]})):
        with open(path, 'w') as file:
            json.dump(content, file)
    return paths


@pytest.fixture(scope='module')
def site(authority):
    folder, everybody = harness.temporary_folder(), {}
    for alg in SIGNED:
        everybody[alg] = clients.Client(alg.lower(), folder, authority, {'id_token_alg': alg}, ALG=alg)
    for name, (make, algorithm, alg, enc) in ENCRYPTED.items():
        private, public = make_keys(folder, name, make, algorithm, alg)
        everybody[name] = clients.Client(name, folder, authority, {'client_jwks': public, 'id_token_encryption': enc}, DECRYPT_JWK=private, ENC=enc)
    with harness.Gateway(authority, partners={**harness.PARTNERS, **{client.name: client.section() for client in everybody.values()}}) as gateway:
        gateway.clients = everybody
        yield gateway


@pytest.mark.parametrize('name', [*SIGNED, *ENCRYPTED])
def test_openid_client_takes_it(site, name):
    client = site.clients[name]
    client.start(site)
    try:
        session = site.browser()
        told = sign_in(site, session, client)
        assert told['claims']['iss'] == site.base_url + '/adfs' and told['userinfo']['sub'] == told['claims']['sub']
        parts = session.get(client.origin + '/tokens', timeout=20).json()['id_token'].split('.')
        assert len(parts) == (5 if name in ENCRYPTED else 3)
    finally:
        client.stop()


def test_discovery_names_them(site):
    document = site.get('/adfs/.well-known/openid-configuration').json()
    assert document['id_token_signing_alg_values_supported'] == SIGNED
    assert 'ECDH-ES' in document['id_token_encryption_alg_values_supported'] and 'A256GCM' in document['id_token_encryption_enc_values_supported']
