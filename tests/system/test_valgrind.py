# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests and nginx with every flow under valgrind. Errors and leaks fail as in test_sanitizers.py."""
import glob
import os
import shutil
import xml.etree.ElementTree

import pytest

import flows
import harness
from watched import MODULE, UNIT, build, environment_of, messages, run_all, upstream  # noqa: F401

VALGRIND = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite,possible']
# They make RSA keys, hash passwords, decrypt, read very large documents or very many: minutes under valgrind each. The sanitizers run them.
SLOW = {'test_access', 'test_access_certificates', 'test_access_message', 'test_access_wrapping', 'test_access_wsman', 'test_assertion',
        'test_cli', 'test_decrypt', 'test_encrypt', 'test_federations', 'test_gateway', 'test_jwe', 'test_jwt', 'test_key', 'test_keyring',
        'test_policy', 'test_proof', 'test_recent', 'test_rules', 'test_saml_aggregate', 'test_saml_encrypted', 'test_saml_logout',
        'test_saml_party', 'test_saml_sign_in', 'test_standing', 'test_wsfed_response', 'test_wss', 'test_wstrust_keys', 'test_wstrust_tokens',
        'test_x509', 'test_xml_c14n', 'test_xml_plain', 'test_xmldsig', 'test_xmldsig_judge', 'test_xmldsig_message', 'test_xmldsig_vectors',
        'test_xmlenc'}  # fmt: skip

pytestmark = pytest.mark.skipif(shutil.which('valgrind') is None, reason='no valgrind')


def test_unit_tests_with_valgrind():
    build(harness.BUILD, ['tests/unit/' + name for name in UNIT])
    programs = {name: os.path.join(harness.BUILD, 'tests', 'unit', name) for name in UNIT if name not in SLOW}
    commands = {name: ([*VALGRIND, '--error-exitcode=9', path], environment_of()) for name, path in programs.items()}
    assert run_all(commands, harness.BUILD) == []


def valgrind_errors(path):
    """What valgrind says in one process's report and is not a leak of another's code."""
    text = open(path, errors='replace').read()
    if not text.rstrip().endswith('</valgrindoutput>'):
        text += '</valgrindoutput>'
    found = []
    for error in xml.etree.ElementTree.fromstring(text).iter('error'):
        frames = ['%s (%s)' % (frame.findtext('fn', '?'), os.path.basename(frame.findtext('obj', '?'))) for frame in error.iter('frame')]
        if not error.findtext('kind').startswith('Leak_') or any(os.path.basename(MODULE) in frame for frame in frames):
            what = error.findtext('what') or error.findtext('xwhat/text')
            found.append('\n    '.join(['%s %s' % (error.findtext('kind'), what), *frames]))
    return found


def test_nginx_with_valgrind(make_gateway, upstream, messages):  # noqa: F811
    gateway = make_gateway(start=False, nginx={'workers': 1})
    flows.protect(gateway, upstream, messages)
    log = os.path.join(gateway.folder, 'valgrind')
    gateway.nginx.start(gateway.port)  # makes the RSA keys, which takes minutes under valgrind
    gateway.nginx.stop()
    gateway.nginx.start(gateway.port, wrapper=[*VALGRIND, '--num-callers=40', '--xml=yes', '--xml-file=%s.%%p.xml' % log])
    flows.everything(gateway)
    gateway.nginx.stop()
    reports = glob.glob(log + '.*.xml')
    assert len(reports) >= 3  # the master, the worker, the worker after the reload
    errors = [error for path in reports for error in valgrind_errors(path)]
    assert not errors, '\n'.join(errors)[:8000]
