# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the third-party programs of tests/peers, and the xmlsec1 command as the judge of what they got."""
import json
import os
import subprocess

from lxml import etree

import harness
from messages import METADATA

FOLDER = os.path.join(harness.ROOT, 'tests', 'peers')
DS = '{http://www.w3.org/2000/09/xmldsig#}'
MD = '{urn:oasis:names:tc:SAML:2.0:metadata}'
SAML = {
    'saml11': 'urn:oasis:names:tc:SAML:1.0:assertion',
    'saml20': 'urn:oasis:names:tc:SAML:2.0:assertion',
}
ID_ATTRIBUTE = {SAML['saml11']: 'AssertionID', SAML['saml20']: 'ID'}


def environment(gateway):
    """Peers trust the gateway's CA and go through no proxy."""
    return {**os.environ, 'NODE_EXTRA_CA_CERTS': gateway.authority.ca, 'TLSCA': gateway.authority.ca, 'NO_PROXY': '*', 'no_proxy': '*'}


def run(gateway, script, *arguments, **extra):
    """(exit status, output) of one of tests/peers."""
    command = [os.path.join(FOLDER, script)]
    if script.endswith('.js'):
        command = [os.path.join(FOLDER, 'common', 'node.sh'), os.path.join(FOLDER, script)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300, env={**environment(gateway), **extra})
    return done.returncode, done.stdout or done.stderr


def run_json(gateway, script, *arguments, **extra):
    status, output = run(gateway, script, *arguments, **extra)
    try:
        return status, json.loads(output)
    except ValueError:
        raise AssertionError('%s: %s' % (script, output)) from None


def signing_certificate(gateway, path):
    """The certificate that the federation metadata names for signing, as a PEM file: what a partner's administrator pins."""
    root = etree.fromstring(gateway.get(METADATA).content)
    found = {element.text.strip() for element in root.iterfind('.//%sKeyDescriptor[@use="signing"]//%sX509Certificate' % (MD, DS))}
    assert len(found) == 1
    write_pem(path, found.pop())
    return os.fspath(path)


def write_pem(path, base64):
    with open(path, 'w') as file:
        file.write('-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n' % base64)


def xmlsec1_verifies(token, certificate, folder):
    """True if the xmlsec1 command says that this key, and no key that the token brings along, signed the assertion."""
    path = os.path.join(folder, 'token.xml')
    with open(path, 'wb') as file:
        file.write(token)
    root = etree.fromstring(token)
    namespace = etree.QName(root).namespace
    reference = root.find('%sSignature/%sSignedInfo/%sReference' % (DS, DS, DS))
    assert reference is not None and reference.get('URI') == '#' + root.get(ID_ATTRIBUTE[namespace])
    done = subprocess.run(
        ['xmlsec1', '--verify', '--enabled-key-data', 'key-name', '--enabled-reference-uris', 'same-doc', '--pubkey-cert-pem', certificate,
         '--id-attr:' + ID_ATTRIBUTE[namespace], namespace + ':Assertion', path],
        capture_output=True, text=True, timeout=60)  # fmt: skip
    return done.returncode == 0
