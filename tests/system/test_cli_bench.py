# SPDX-License-Identifier: GPL-2.0-or-later
"""The offline commands around tokens: make, metadata, mex, policy test, completion."""
import json
import os
import subprocess
import sys

import pytest

from harness import COMMAND, run
from test_corpus import FOLDER

VECTORS = os.environ.get('FEDGATE_VECTORS', '')
AT = '2026-11-28T12:00:00Z'


def fedgate(*words, code=0):
    done = run(COMMAND, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code < 2 else done.stderr


@pytest.fixture
def key(tmp_path):
    path = tmp_path / 'key.pem'
    path.write_text(''.join(open(os.path.join(FOLDER, 'keys', 'idp' + end)).read() for end in ('.key', '.pem')))
    return str(path)


# ---- token make


@pytest.mark.parametrize('kind', ['saml11', 'saml20', 'jwt', 'wresult', 'rstrc', 'response'])
def test_make(kind, key, tmp_path):
    claims, path = tmp_path / 'claims.json', tmp_path / 'token'
    claims.write_text('{"role": ["a", "b"], "upn": "bob@example.org"}')
    words = ['token', 'make', kind, '--key', key, '--issuer', 'urn:i', '--audience', 'urn:a', '--subject', 'bob', '--claims', str(claims), '--at', AT, '--recipient', 'https://a.example/']
    made = fedgate(*words)
    assert made == fedgate(*words)  # the same again
    path.write_text(made)
    verify = ['token', 'verify', str(path), '--trust', os.path.join(FOLDER, 'keys', 'idp.pem'), '--issuer', 'urn:i', '--at', AT, '--recipient', 'https://a.example/']
    assert fedgate(*verify, '--audience', 'urn:a').startswith('valid\n')
    assert fedgate(*verify, '--audience', 'urn:b', code=1).startswith('invalid: ')
    shown = fedgate('token', 'show', str(path))
    assert 'bob@example.org' in shown and 'about bob, for urn:a' in shown


def test_what_is_made_is_taken_by_others(key, tmp_path):
    import jwt
    made = fedgate('token', 'make', 'saml20', '--key', key, '--issuer', 'urn:i', '--audience', 'urn:a')
    path = tmp_path / 'token.xml'
    path.write_text(made)
    subprocess.run(['xmlsec1', '--verify', '--pubkey-cert-pem', os.path.join(FOLDER, 'keys', 'idp.pem'), '--id-attr:ID', 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion', str(path)],
                   check=True, capture_output=True)
    from cryptography import x509
    public = x509.load_pem_x509_certificate(open(os.path.join(FOLDER, 'keys', 'idp.pem'), 'rb').read()).public_key()
    token = fedgate('token', 'make', 'jwt', '--key', key, '--issuer', 'urn:i', '--audience', 'urn:a', '--subject', 'bob').strip()
    assert jwt.decode(token, public, ['RS256'], audience='urn:a', issuer='urn:i')['sub'] == 'bob'


@pytest.mark.parametrize('words, said', [
    (['saml30', '--key', 'k', '--issuer', 'i', '--audience', 'a'], "'saml30': saml11, saml20, jwt, wresult, rstrc or response is expected"),
    (['jwt', '--issuer', 'i', '--audience', 'a'], '--key, --issuer and --audience are needed'),
    (['jwt', '--key', 'k', '--issuer', 'i', '--audience', 'a', '--at', 'noon'], "'--at noon': a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected"),
])  # fmt: skip
def test_make_is_told_what_is_missing(words, said):
    assert said in fedgate('token', 'make', *words, code=2)


# ---- metadata lint


def entity(body='', **attributes):
    more = ''.join(' %s="%s"' % item for item in attributes.items())
    return '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://sp.example.org"%s>%s</EntityDescriptor>' % (more, body)


def role(body, protocols='urn:oasis:names:tc:SAML:2.0:protocol'):
    return '<SPSSODescriptor protocolSupportEnumeration="%s">%s</SPSSODescriptor>' % (protocols, body)


def consumer(url='https://sp.example.org/acs', index='0'):
    return '<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%s"%s/>' % (url, ' index="%s"' % index if index else '')


@pytest.mark.parametrize('text, said', [
    (entity(), 'has no role'),
    (entity(role('')), 'SPSSODescriptor without AssertionConsumerService'),
    (entity(role(consumer('http://sp.example.org/acs'))), 'AD FS refuses the document'),
    (entity(role(consumer(index=''))), 'has no index'),
    (entity(role(consumer() + consumer('https://sp.example.org/2'))), 'two AssertionConsumerServices have the index 0'),
    (entity(role(consumer()), validUntil='2020-01-01T00:00:00Z'), 'was valid until 2020-01-01T00:00:00Z'),
    ('<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">%s</EntitiesDescriptor>' % entity(role(consumer())), 'AD FS reads documents with one'),
])  # fmt: skip
def test_metadata_lint(tmp_path, text, said):
    sound, path = tmp_path / 'sound.xml', tmp_path / 'metadata.xml'
    sound.write_text(entity(role(consumer())))
    path.write_text(text)
    assert ': 0 errors, 0 warnings' in fedgate('metadata', 'lint', str(sound))  # the control
    assert said in fedgate('metadata', 'lint', str(path), code=1)


def test_metadata_lint_tells_ends_of_certificates():
    path = os.path.join(FOLDER, 'files', 'metadata-sound.xml')
    assert '0 warnings' in fedgate('metadata', 'lint', path, '--at', AT, '--days', '5')
    assert 'every signing certificate of IDPSSODescriptor has expired' in fedgate('metadata', 'lint', path, '--at', '2050-01-01T00:00:00Z', code=1)


def test_metadata_diff(tmp_path):
    a, b = tmp_path / 'a.xml', tmp_path / 'b.xml'
    a.write_text(entity(role(consumer())))
    b.write_text(entity(role(consumer('https://sp.example.org/new'))))
    said = fedgate('metadata', 'diff', str(a), str(b), code=1)
    assert said == ('- endpoint  AssertionConsumerService HTTP-POST https://sp.example.org/acs\n'
                    '+ endpoint  AssertionConsumerService HTTP-POST https://sp.example.org/new\n')


# ---- mex lint, beside MSAL itself


@pytest.mark.skipif(not os.path.isdir(VECTORS), reason='FEDGATE_VECTORS names no folder')
def test_mex_lint_takes_what_msal_takes():
    mex = pytest.importorskip('msal.mex')
    folder, compared = os.path.join(VECTORS, 'adfs', 'mex'), 0
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            taken = mex.Mex(open(path, encoding='utf-8-sig').read()).get_wstrust_username_password_endpoint()
        except Exception:  # not well-formed, or more than MSAL bears
            continue
        compared += 1
        done = run(COMMAND, 'mex', 'lint', path)
        chosen = [line.split(': ')[1].split(' (')[0] for line in done.stdout.split('\n') if line.startswith(('MSAL takes:', 'MSAL and ADAL take:'))]
        assert chosen == [taken['address'] if taken else 'none'], name
    assert compared >= 8


# ---- policy test


def test_policy_test(tmp_path):
    (tmp_path / 'a.rules').write_text('[role == "Staff"] && [method == "GET"] => permit();\n')
    cases = [{'name': 'staff reads', 'claims': {'role': ['Staff']}, 'method': 'GET', 'path': '/', 'expect': 'permit'},
             {'name': 'nobody else', 'claims': {}, 'method': 'GET', 'path': '/', 'expect': 'deny'}]
    table = tmp_path / 'table.json'
    table.write_text(json.dumps({'policy': 'a.rules', 'cases': cases}))
    assert fedgate('policy', 'test', str(table)) == 'passed  1  staff reads\npassed  2  nobody else\n2 passed, 0 failed\n'
    table.write_text(json.dumps({'policy': 'a.rules', 'cases': [{**cases[0], 'method': 'POST'}, cases[1]]}))
    said = fedgate('policy', 'test', str(table), code=1)
    assert said.startswith('failed  1  staff reads\n        expected: permit\n') and said.endswith('1 passed, 1 failed\n')
    table.write_text('{"cases": [{}]}')
    assert 'expected "policy"' in fedgate('policy', 'test', str(table), code=3)
    table.write_text(json.dumps({'policy': 'a.rules', 'cases': [{'expect': 'maybe'}]}))
    assert 'expected "expect": "permit" or "deny"' in fedgate('policy', 'test', str(table), code=3)


# ---- completion


def test_completion_knows_every_command(tmp_path):
    listed = [line[2:18].split() for line in fedgate('help').split('\n') if line.startswith('  ')]
    script = tmp_path / 'script'
    script.write_text(fedgate('completion', 'bash'))
    for first, second in [words for words in listed if len(words) == 2]:
        probe = 'source %s; COMP_WORDS=(fedgate %s ""); COMP_CWORD=2; _fedgate; echo "${COMPREPLY[@]}"' % (script, first)
        words = subprocess.run(['bash', '-c', probe], capture_output=True, text=True, check=True).stdout.split()
        assert second in words
    probe = 'source %s; COMP_WORDS=(fedgate token verify --aud); COMP_CWORD=3; _fedgate; echo "${COMPREPLY[@]}"' % script
    assert subprocess.run(['bash', '-c', probe], capture_output=True, text=True, check=True).stdout == '--audience\n'
    for shell in ('zsh', 'fish'):
        assert 'in-response-to' in fedgate('completion', shell)
    assert "'tcsh': bash, zsh or fish is expected" in fedgate('completion', 'tcsh', code=2)


# ---- large metadata


def test_large_metadata_is_listed_in_little_memory(tmp_path):
    path = tmp_path / 'aggregate.xml'
    with open(path, 'w') as file:
        file.write('<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">')
        for number in range(12000):
            file.write(entity('<!-- %s -->%s' % ('x' * 2500, role(consumer()))).replace('sp.example.org"', 'sp%d.example.org"' % number, 1))
        file.write('</EntitiesDescriptor>')
    assert os.path.getsize(path) > 32 << 20
    # a process counts what its parent had when it was made: one in between has little
    measure = 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)'
    done = subprocess.run([sys.executable, '-c', measure, COMMAND, 'metadata', 'show', str(path)], capture_output=True, text=True)
    lines = done.stdout.split('\n')
    assert done.returncode == 0 and '  12000 entities' in lines and '      sp  https://sp11999.example.org' in lines
    assert int(lines[-2]) < 60 * 1024 or 'Sanitizer' in os.environ.get('ASAN_OPTIONS', '')
