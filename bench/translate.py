# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time of translating a token through nginx (a signed SAML 1.1 assertion in OnBehalfOf, a SAML 2.0 assertion out) beside one bare
verification and one bare signature in the same run, with RSA-2048 and with P-256.  make bench; bench/translate.py [ROUNDS]

The requestor is known by the digest of its password, which costs no slow hash.  A worker's CPU time is what the kernel counted for it over
some hundred requests on one kept connection; the same requests without OnBehalfOf, and those that only ask whether the token is good, tell
what is spent on what.  Rounds alternate; the medians are shown.  Where the peers' JDK and WSS4J are installed (tests/peers/install wss4j),
the same token is translated in Java besides, by a warmed-up loop in one thread, and how often the gateway does it in the same CPU time."""
import http.client
import os
import ssl
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'system'))
sys.path.insert(0, os.path.join(ROOT, 'bench'))

import harness  # noqa: E402
from messages import USERNAME  # noqa: E402
from request import bare, cpu  # noqa: E402
from trust import SAML11, SAML20, SOAP, applies_to, make, token_of, token_type, within  # noqa: E402

COUNT = 200
SECONDS = os.environ.get('JAVA_SECONDS', '10')
JAVA = os.path.join(ROOT, 'tests', 'peers', 'ws', 'wss4j', 'wss.sh')
USERS = {'front': {'password': 'front-secret', 'groups': ['Services'], 'digest': True}, 'alice': harness.USERS['alice']}
PARTNERS = {'app': {'realm': ['urn:app'], 'claims': harness.CLAIMS, 'delegation_rules': 'delegation.rules'}}
RULES = '[upn == "front@example.com"] && exists([subject_role == "Staff"]) => permit();\n'
TRANSLATE, ISSUE, VALIDATE = 'translation', 'SAML 2.0 for the requestor itself', 'validation'


class Client:
    def __init__(self, gateway):
        context = ssl.create_default_context(cafile=gateway.authority.ca)
        self.connection = http.client.HTTPSConnection('localhost', gateway.port, context=context, timeout=30)
        to = applies_to('urn:app')
        self.token = token_of(self.send(make('Issue', to + token_type(SAML11), 'alice', 'alice-secret')))
        self.requests = {
            TRANSLATE: ('Issue', to + token_type(SAML20) + within('OnBehalfOf', self.token)),
            ISSUE: ('Issue', to + token_type(SAML20)),
            VALIDATE: ('Validate', within('ValidateTarget', self.token)),
        }

    def send(self, message):
        self.connection.request('POST', USERNAME['13'], message.encode(), SOAP)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text[:600]
        return text

    def measure(self, pid, name):
        request, inner = self.requests[name]
        messages = [make(request, inner, 'front', 'front-secret', digested=True) for _ in range(COUNT)]
        before = cpu(pid)
        for message in messages:
            self.send(message)
        return (cpu(pid) - before) / COUNT


def java(gateway, client):
    """{name: microseconds}: the request that was measured, with the gateway's own key."""
    if not os.path.exists('/usr/share/java/wss4j.jar'):
        return {}
    request, inner = client.requests[TRANSLATE]
    message = os.path.join(gateway.folder, 'request.xml')
    with open(message, 'w') as file:
        file.write(make(request, inner, 'front', 'front-secret', digested=True))
    keys = os.path.join(gateway.site.folder, 'state', 'keys')
    signing = next(os.path.join(keys, name) for name in os.listdir(keys) if name.startswith('signing-'))
    done = subprocess.run([JAVA, 'bench', message, signing, 'front-secret', SECONDS], check=True, stdout=subprocess.PIPE, text=True)
    return {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}


def run(authority, key, rounds):
    """{name: microseconds}"""
    gateway = harness.Gateway(authority, users=USERS, partners=PARTNERS, sections={'keys': {'signing': key}}, nginx={'workers': 1})
    with open(os.path.join(gateway.site.folder, 'delegation.rules'), 'w') as file:
        file.write(RULES)
    with gateway:
        pid = int(harness.run('pgrep', '-P', str(gateway.nginx.pid())).stdout.split()[0])
        client = Client(gateway)
        figures = {}
        for _ in range(rounds):
            for name, value in [*bare().items(), *((name, client.measure(pid, name)) for name in client.requests)]:
                figures.setdefault(name, []).append(value)
        for name, value in java(gateway, client).items():
            figures[name] = [value]
    return {name: statistics.median(values) for name, values in figures.items()}


def main(rounds):
    folder = harness.temporary_folder()
    authority = harness.Authority(folder)
    try:
        for key in ('rsa-2048', 'ec-p256'):
            figures = run(authority, key, rounds)
            yardstick = figures[key] + figures[key + '-verify']
            print('%s: one bare verification %.1f us, one bare signature %.1f us' % (key, figures[key + '-verify'], figures[key]))
            for name in (TRANSLATE, ISSUE, VALIDATE):
                print('  %-40s %8.1f us CPU per request  %5.2fx of both' % (name, figures[name], figures[name] / yardstick))
            for name, what in (('java-bare', 'JDK: verification and signature'), ('java-message', 'WSS4J and JDK: the Security header, too')):
                if name in figures:
                    print('  %-40s %8.1f us, the gateway does %.2f times as many' % (what, figures[name], figures[name] / figures[TRANSLATE]))
    finally:
        harness.shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
