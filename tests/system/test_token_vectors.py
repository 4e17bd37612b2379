# SPDX-License-Identifier: GPL-2.0-or-later
"""`fedgate token` over recorded documents: real AD FS servers, and node-saml's test files, at the time they were made."""
import json
import os

import pytest

from harness import COMMAND, run

VECTORS = os.environ.get('FEDGATE_VECTORS', '')
pytestmark = pytest.mark.skipif(not os.path.isdir(VECTORS), reason='FEDGATE_VECTORS names no folder')


def entries(name):
    path = os.path.join(VECTORS, name, 'manifest.json')
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return json.load(file)['entries']


def token(verb, *words):
    done = run(COMMAND, 'token', verb, '--json', *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def kinds(piece):
    return {piece['kind']}.union(*[kinds(inner) for inner in piece['inside']])


# ---- everything can be shown

SHOWN = {'metadata': 'metadata', 'mex': 'wsdl', 'rstr': 'rstr', 'wresult': 'rstr', 'rst': 'rst', 'fault': 'soap-fault', 'response': 'saml20-response', 'logout-request': 'saml20-message'}
ADFS = [entry for entry in entries('adfs')]


@pytest.mark.parametrize('entry', ADFS, ids=lambda entry: entry['file'])
def test_adfs_is_shown(entry):
    code, said = token('show', os.path.join(VECTORS, 'adfs', entry['file']))
    if entry['verdict'] == 'invalid' and entry['kind'] == 'mex':  # not well-formed
        assert code == 3 and said['error']['code'] in ('xml.not-well-formed', 'input.truncated')
        return
    assert code == 0
    assert any(kind in kinds(said) for word, kind in SHOWN.items() if word in entry['kind'])
    if 'entity_id' in entry:
        assert said['says']['entity_id'] == entry['entity_id']
        for url in entry.get('passive_endpoints', []) + entry.get('sts_endpoints', []):
            assert any(url in endpoint for endpoint in said['says']['endpoint'])


SIGNED = [entry for entry in ADFS if entry.get('signature') in ('valid', 'invalid', 'broken') and 'key' in entry]


@pytest.mark.parametrize('entry', SIGNED, ids=lambda entry: entry['file'])
def test_adfs_is_verified(entry):
    words = [os.path.join(VECTORS, 'adfs', entry['file']), '--trust', os.path.join(VECTORS, 'adfs', entry['key'])]
    words += ['--at', entry['verify_at']] if 'verify_at' in entry else []
    if 'fediz' in entry['key']:  # a key that is too weak for the gateway, whatever it signs
        done = run(COMMAND, 'token', 'verify', *words)
        assert done.returncode == 3 and 'RSA key of 1024 bits' in done.stderr
        return
    weak = 'sha1' in entry.get('algorithm', '')
    code, said = token('verify', *words, '--allow-sha1')
    if entry['signature'] == 'valid':
        assert (code, said['verdict']) == (0, 'valid'), said
        if weak:  # the control
            assert token('verify', *words)[1]['reason'] == 'signature.weak-algorithm'
    else:
        assert (code, said['verdict']) == (1, 'invalid')
        assert said['reason'] in ('signature.digest-mismatch', 'signature.value-mismatch', 'structure.invalid', 'signature.malformed'), said['reason']


# ---- node-saml

SAML = [entry for entry in entries('saml') if entry['kind'] == 'response']
SIGNATURE = ('signature.', 'structure.', 'xml.')


@pytest.mark.parametrize('entry', SAML, ids=lambda entry: '%s %s' % (entry['file'], entry.get('case', '')))
def test_node_saml(entry):
    """What its makers measured of the signatures; times and audience have their own codes."""
    folder = os.path.join(VECTORS, 'saml')
    words = [os.path.join(folder, entry['file']), '--trust', os.path.join(folder, entry['key']), '--at', entry['verify_at'], '--allow-sha1']
    if 'decryption_key' in entry:
        pytest.skip('its key is in DER')
    code, said = token('verify', *words)
    reason = said.get('reason', 'valid')
    measured = entry.get('response_signature'), entry.get('assertion_signature')
    if 'invalid' in measured[:1] or 'malformed' in measured:
        assert code == 1 and reason.startswith(SIGNATURE), said
    elif measured == ('none', 'none'):
        assert reason in ('signature.missing', 'signature.wrapped', 'time.expired')
    elif measured[0] == 'valid':
        checks = {check['name']: check['outcome'] for check in said['checks']}
        assert {checks[name] for name in ('digest', 'key', 'signature')} == {'passed'} or reason.startswith(SIGNATURE), said
        assert not reason.startswith('signature.') or measured[1] == 'invalid' or entry['verdict'] == 'invalid', said
    assert token('verify', *words[:-1])[0] == 1  # all of them are SHA-1
