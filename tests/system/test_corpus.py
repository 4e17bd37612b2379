# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/corpus: tokens that are wrong in exactly one way, made by programs of others. The command's verdict is the code
that is expected, and the sound twin is valid."""
import json
import os
import subprocess

import pytest

from harness import COMMAND

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'corpus')
with open(os.path.join(FOLDER, 'manifest.json')) as file:
    CASES = json.load(file)
WRONG = [case for case in CASES if case['code'] != 'valid']

# What no token by itself can show: refusals of a running gateway, told in its audit log by the same words. Passwords and
# lockouts are of a sign-in; delegation takes a request with two tokens; what was cancelled stands in the gateway's store
# (`fedgate trust validate` asks it).
ELSEWHERE = {'password.wrong', 'password.missing', 'account.locked', 'delegation.denied', 'token.cancelled'}


def verify(case, *more):
    done = subprocess.run([os.path.abspath(COMMAND), 'token', 'verify', os.path.join('files', case['file']), *case['options'], *more],
                          cwd=FOLDER, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if not (case['code'] == 'certificate.unchecked' and 'CRL' in line)]
    assert told == []
    return done


@pytest.mark.parametrize('case', CASES, ids=lambda case: '%s-%s' % (case['file'], case['code']))
def test_verdict(case):
    done = verify(case, '--json')
    said = json.loads(done.stdout)
    failed = [check for check in said['checks'] if check['outcome'] == 'failed']
    if case['code'] == 'valid':
        assert said['verdict'] == 'valid', said
        assert done.returncode == 0 and 'reason' not in said and not failed
        return
    assert (said['verdict'], said['reason']) == ('invalid', case['code']), said
    assert done.returncode == (3 if case['code'].startswith('input.') else 1)
    assert said['sentence'] and said['remedy']
    if said['checks']:
        assert failed[0]['reason'] == case['code']  # the first that failed is the verdict
        assert [check['reason'] for check in failed] == [case['code']]  # wrong in exactly one way


@pytest.mark.parametrize('case', WRONG[::7] + [case for case in CASES if case['code'] == 'valid'][::9], ids=lambda case: case['file'])
def test_first_line(case):
    line = verify(case).stdout.split('\n')[0]
    assert line == 'valid' if case['code'] == 'valid' else line.startswith('invalid: %s: ' % case['code'])


def test_the_corpus_is_whole():
    sound = {case['file'] for case in CASES if case['code'] == 'valid'}
    assert len(WRONG) >= 120
    assert all(case['twin'] in sound for case in WRONG)
    assert {case['kind'] for case in WRONG} >= {'saml11', 'saml20', 'saml20p', 'wsfed', 'wstrust', 'jwt', 'openid2', 'metadata'}
    assert {case['made_by'] for case in WRONG} >= {'xmlsec1', 'PyJWT', 'jose', 'xml-crypto', 'pysaml2', 'WSS4J', 'python3-openid'}
    assert sorted(os.listdir(os.path.join(FOLDER, 'files'))) == sorted(case['file'] for case in CASES)


def test_every_code_has_a_case():
    with open(os.path.join(FOLDER, '..', '..', 'doc', 'reason-codes.md')) as page:
        codes = {line.split('`')[1] for line in page if line.startswith('| `') and '.' in line.split('`')[1]}
    assert codes - {case['code'] for case in WRONG} == ELSEWHERE
