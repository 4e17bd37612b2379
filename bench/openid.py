# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time of a request to the token endpoint (a code for an ID token and a JWT as access token) beside two bare signatures, and beside npm
oidc-provider, in the same run, with RSA-2048 and with P-256.  make bench; bench/openid.py [ROUNDS]

Codes are fetched before, and do not count. What counts is the CPU time of the worker, or of node's process, over a hundred requests on one
kept connection over TLS; node has answered some hundreds before. Rounds alternate; the medians are shown."""
import base64
import html
import http.client
import os
import re
import ssl
import statistics
import subprocess
import sys
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'system'))
sys.path.insert(0, os.path.join(ROOT, 'bench'))

import harness  # noqa: E402
import requests  # noqa: E402
from request import bare, cpu  # noqa: E402
from test_openid import fields_of  # noqa: E402

COUNT, WARM, BATCH = 100, 300, 25  # oidc-provider forgets codes when there are many
SECRET, CALLBACK, RESOURCE = 'a-random-secret-of-the-application', 'https://rp.localhost:4443/cb', 'https://api.example.com/'
NODE = os.path.join(ROOT, 'tests', 'peers', 'common', 'node.sh')


class Client:
    """Of one provider, with a browser that is signed in there."""

    def __init__(self, authority, port, authorize, token):
        self.authorize, self.token = 'https://localhost:%d%s' % (port, authorize), token
        self.browser = requests.Session()
        self.browser.verify, self.browser.trust_env = authority.ca, False
        self.connection = http.client.HTTPSConnection('localhost', port, context=ssl.create_default_context(cafile=authority.ca), timeout=30)
        self.headers = {'Content-Type': 'application/x-www-form-urlencoded',
                        'Authorization': 'Basic ' + base64.b64encode(('bench:' + SECRET).encode()).decode()}  # fmt: skip

    def code(self):
        query = {'client_id': 'bench', 'redirect_uri': CALLBACK, 'response_type': 'code', 'scope': 'openid', 'nonce': 'n-0S6_WzA2Mj', 'resource': RESOURCE}
        answer = self.browser.get(self.authorize, params=query, allow_redirects=False, timeout=30)
        while not answer.headers.get('Location', '').startswith(CALLBACK):
            if 'Location' in answer.headers:
                answer = self.browser.get(urllib.parse.urljoin(answer.url, answer.headers['Location']), allow_redirects=False, timeout=30)
            else:
                action = html.unescape(re.search(r'<form[^>]*action="([^"]*)"', answer.text).group(1))
                self.browser.post(action, data={**fields_of(answer), 'username': 'alice', 'password': 'alice-secret'}, allow_redirects=False, timeout=30)
                answer = self.browser.get(self.authorize, params=query, allow_redirects=False, timeout=30)
        return urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers['Location']).query)['code'][0]

    def trade(self, code):
        body = urllib.parse.urlencode({'grant_type': 'authorization_code', 'code': code, 'redirect_uri': CALLBACK})
        self.connection.request('POST', self.token, body, self.headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200 and 'id_token' in text, text
        return text

    def measure(self, pid, count=COUNT):
        spent = 0
        for _ in range(count // BATCH):
            codes = [self.code() for _ in range(BATCH)]
            before = cpu(pid)
            for code in codes:
                self.trade(code)
            spent += cpu(pid) - before
        return spent / count


class OidcProvider:
    def __init__(self, authority, alg):
        self.port = harness.free_port()
        environment = {**os.environ, 'ISSUER': 'https://localhost:%d' % self.port, 'CERT': authority.certificate + '.crt', 'KEY': authority.certificate + '.key',
                       'ALG': alg, 'SECRET': SECRET, 'CALLBACK': CALLBACK, 'RESOURCE': RESOURCE}  # fmt: skip
        self.process = subprocess.Popen([NODE, os.path.join(ROOT, 'bench', 'openid_provider.mjs')], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if line.strip() == 'ready':
                return
        raise SystemExit('oidc-provider did not start')

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def run(authority, key, alg, rounds):
    """{name: microseconds}"""
    folder = harness.temporary_folder()
    secret = os.path.join(folder, 'secret')
    with open(secret, 'w') as file:
        file.write(SECRET)
    partners = {'api': {'realm': [RESOURCE], 'claims': harness.CLAIMS},
                'bench': {'client_id': 'bench', 'client_secret_file': secret, 'redirect_uri': [CALLBACK], 'resources': [RESOURCE], 'claims': harness.CLAIMS}}  # fmt: skip
    other = OidcProvider(authority, alg)
    try:
        with harness.Gateway(authority, partners=partners, sections={'keys': {'signing': key}}, nginx={'workers': 1}) as gateway:
            pid = int(harness.run('pgrep', '-P', str(gateway.nginx.pid())).stdout.split()[0])
            ours = Client(authority, gateway.port, '/adfs/oauth2/authorize', '/adfs/oauth2/token')
            theirs = Client(authority, other.port, '/auth', '/token')
            theirs.measure(other.process.pid, WARM)
            figures = {}
            for _ in range(rounds):
                for name, value in [*bare().items(), ('fedgate', ours.measure(pid)), ('oidc-provider', theirs.measure(other.process.pid))]:
                    figures.setdefault(name, []).append(value)
    finally:
        other.stop()
        harness.shutil.rmtree(folder, ignore_errors=True)
    return {name: statistics.median(values) for name, values in figures.items()}


def main(rounds):
    folder = harness.temporary_folder()
    authority = harness.Authority(folder)
    try:
        for key, alg in (('rsa-2048', 'RS256'), ('ec-p256', 'ES256')):
            figures = run(authority, key, alg, rounds)
            print('%s: two bare signatures %.1f us' % (key, 2 * figures[key]))
            for name in ('fedgate', 'oidc-provider'):
                print('  %-16s %8.1f us CPU per code  %5.2fx of both, %5.2fx of fedgate' % (
                    name, figures[name], figures[name] / figures[key] / 2, figures[name] / figures['fedgate']))  # fmt: skip
    finally:
        harness.shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
