#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for Entra ID: what MSAL asks of a tenant whose people sign in at a federated identity provider.

tenant.py --mex URL --cert SIGNING.pem --issuer URI --tls CERT.pem KEY.pem [--aud URN]

Serves a user realm that names the MEX document, openid-configuration, and a token endpoint that takes a SAML 1.1 or 2.0
assertion as grant. It believes none: the xmlsec1 command verifies the signature with SIGNING.pem, then issuer, audience and
times must fit. Prints its port, then runs until its standard input ends. Debian: xmlsec1 python3-lxml
"""
import argparse
import base64
import datetime
import http.server
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from lxml import etree

SAML1, SAML2 = 'urn:oasis:names:tc:SAML:1.0:assertion', 'urn:oasis:names:tc:SAML:2.0:assertion'
GRANTS = {
    'urn:ietf:params:oauth:grant-type:saml1_1-bearer': SAML1,
    'urn:ietf:params:oauth:grant-type:saml2-bearer': SAML2,
}
ID_ATTRIBUTE = {SAML1: 'AssertionID', SAML2: 'ID'}
ISSUER = {SAML1: 'string(/s:Assertion/@Issuer)', SAML2: 'string(/s:Assertion/s:Issuer)'}
SUBJECT = {
    SAML1: 'string(/s:Assertion/s:AttributeStatement/s:Subject/s:NameIdentifier)',
    SAML2: 'string(/s:Assertion/s:Subject/s:NameID)',
}


class Refused(Exception):
    pass


def need(good, what):
    if not good:
        raise Refused(what)


def signature_is_good(assertion, namespace, certificate):
    with tempfile.NamedTemporaryFile(suffix='.xml') as file:
        file.write(assertion)
        file.flush()
        command = ['xmlsec1', '--verify', '--enabled-key-data', 'key-name', '--pubkey-cert-pem', certificate,
                   '--id-attr:' + ID_ATTRIBUTE[namespace], namespace + ':Assertion', file.name]  # fmt: skip
        return subprocess.run(command, capture_output=True).returncode == 0


def check(assertion, namespace, options):
    """The subject's name, if the assertion is good."""
    root = etree.fromstring(assertion)
    need(root.tag == '{%s}Assertion' % namespace, 'grant type and assertion differ')
    names = {'s': namespace, 'ds': 'http://www.w3.org/2000/09/xmldsig#'}
    references = root.xpath('.//ds:Reference/@URI', namespaces=names)
    need(references == ['#' + root.get(ID_ATTRIBUTE[namespace])], 'not the assertion is signed')
    need(signature_is_good(assertion, namespace, options.cert), 'signature')
    need(root.xpath(ISSUER[namespace], namespaces=names) == options.issuer, 'issuer')
    need(root.xpath('s:Conditions//s:Audience/text()', namespaces=names) == [options.aud], 'audience')
    conditions = root.find('{%s}Conditions' % namespace)
    now = datetime.datetime.now(datetime.timezone.utc)
    times = [datetime.datetime.fromisoformat(conditions.get(name).replace('Z', '+00:00')) for name in ('NotBefore', 'NotOnOrAfter')]
    need(times[0] <= now + datetime.timedelta(seconds=5) and now < times[1], 'times')
    return root.xpath(SUBJECT[namespace], namespaces=names)


class Handler(http.server.BaseHTTPRequestHandler):
    options = None

    def log_message(self, *_):
        pass

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        base = 'https://' + self.headers['Host']
        if '/userrealm/' in self.path:
            return self.answer(200, {
                'ver': '1.0',
                'account_type': 'Federated',
                'federation_protocol': 'WSTrust',
                'federation_metadata_url': self.options.mex,
                'cloud_audience_urn': self.options.aud,
            })  # fmt: skip
        if self.path.endswith('/.well-known/openid-configuration'):
            return self.answer(200, {
                'issuer': base + '/tenant',
                'authorization_endpoint': base + '/tenant/authorize',
                'token_endpoint': base + '/tenant/token',
            })  # fmt: skip
        self.answer(404, {})

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers['Content-Length'])).decode()))
        try:
            need(form.get('grant_type') in GRANTS, 'grant type')
            encoded = form['assertion']
            assertion = base64.urlsafe_b64decode(encoded + '=' * (-len(encoded) % 4))
            subject = check(assertion, GRANTS[form['grant_type']], self.options)
        except Refused as refused:
            return self.answer(400, {'error': 'invalid_grant', 'error_description': str(refused)})
        self.answer(200, {'access_token': 'of ' + subject, 'token_type': 'Bearer', 'expires_in': 3600, 'scope': 's1'})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--mex', required=True)
    parser.add_argument('--cert', required=True)
    parser.add_argument('--issuer', required=True)
    parser.add_argument('--tls', nargs=2, required=True)
    parser.add_argument('--aud', default='urn:federation:MicrosoftOnline')
    Handler.options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Handler.options.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


main()
