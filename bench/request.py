# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time of whole requests through nginx beside one bare signature and one password hash in the same run, and a worker's memory with 100
partners.  make bench; bench/request.py [ROUNDS]

A worker's CPU time is what the kernel counted for it (user and system, all its threads) over some hundred requests on one kept connection.
Rounds of requests and of bench/bare alternate; the medians are shown."""
import base64
import ctypes
import http.client
import json
import os
import re
import ssl
import statistics
import subprocess
import sys
import time
import urllib.parse
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'system'))

import harness  # noqa: E402
from messages import METADATA, MEX, PASSIVE, USERNAME, form, rst  # noqa: E402

SOAP = {'Content-Type': 'application/soap+xml; charset=utf-8'}
SIGN_IN = PASSIVE + '?wa=wsignin1.0&wtrealm=urn%3Abench%3A'


def cpu(pid):
    """Microseconds, to some nanoseconds: the scheduler's count of each thread."""
    total = 0
    for thread in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/schedstat' % (pid, thread)) as file:
            total += int(file.read().split()[0])
    return total / 1000


def memory(pid):
    with open('/proc/%d/smaps_rollup' % pid) as file:
        return {name: int(size) / 1024 for name, size in re.findall(r'^(\w+):\s+(\d+) kB', file.read(), re.M)}


METADATA_SP = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:bench:saml:%d"><md:SPSSODescriptor \
AuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">\
<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
</md:KeyDescriptor><md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" \
Location="https://sp%d.example.com/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"""
AUTHN_REQUEST = """<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="%s" ID="_bench" IssueInstant="%s" Version="2.0">\
<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">urn:bench:saml:%d</saml:Issuer></samlp:AuthnRequest>"""
SERVICE_PROVIDERS = 100


class ServiceProviders:
    """So many, with one key: their metadata files, and a signed AuthnRequest of each by Redirect."""

    def __init__(self, authority, folder):
        self.key = authority.issue('bench-sp', ['DNS:sp.example.com'])
        with open(self.key + '.crt') as file:
            certificate = re.search('BEGIN CERTIFICATE-----(.*?)-----END', file.read(), re.S).group(1).strip()
        self.sections = {}
        for i in range(SERVICE_PROVIDERS):
            path = os.path.join(folder, 'sp%d.xml' % i)
            with open(path, 'w') as file:
                file.write(METADATA_SP % (i, certificate, i))
            self.sections['saml%d' % i] = {'metadata': path, 'claims': harness.CLAIMS}

    def ask(self, gateway):
        instant = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        self.queries = [self._sign(AUTHN_REQUEST % (gateway.base_url + PASSIVE, instant, i)) for i in range(SERVICE_PROVIDERS)]

    def _sign(self, xml):
        packer = zlib.compressobj(wbits=-15)
        message = base64.b64encode(packer.compress(xml.encode()) + packer.flush()).decode()
        query = urllib.parse.urlencode({'SAMLRequest': message, 'SigAlg': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'})
        command = ['openssl', 'dgst', '-sha256', '-sign', self.key + '.key']
        signature = subprocess.run(command, input=query.encode(), check=True, capture_output=True).stdout
        return query + '&' + urllib.parse.urlencode({'Signature': base64.b64encode(signature).decode()})


def partners(count):
    made = {'bench%d' % i: {'realm': ['urn:bench:%d' % i], 'reply': ['https://rp%d.example.com/' % i], 'claims': harness.CLAIMS} for i in range(count)}
    return {**harness.PARTNERS, **made}


def bare():
    """{name: microseconds}"""
    output = subprocess.run([os.path.join(harness.BUILD, 'bench', 'bare')], check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def cheapen(users_file, name):
    """Gives someone the least costly hash: with it, a request is nearly all token."""
    with open(users_file) as file:
        users = json.load(file)
    source = "$y$j75$0123456789abcdef$"
    libcrypt = ctypes.CDLL('libcrypt.so.1')
    libcrypt.crypt.restype = ctypes.c_char_p
    cheap = libcrypt.crypt(harness.USERS[name]['password'].encode(), source.encode()).decode()
    for user in users['users']:
        if user['name'] == name:
            user['password'] = cheap
    with open(users_file, 'w') as file:
        json.dump(users, file)


class Client:
    def __init__(self, gateway):
        context = ssl.create_default_context(cafile=gateway.authority.ca)
        self.gateway = gateway
        self.connection = http.client.HTTPSConnection('localhost', gateway.port, context=context, timeout=30)

    def ask(self, method, path, body=None, headers={}, has=b''):
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200 and has in text, (answer.status, text[:300])
        return answer, text.decode()

    def token(self, _):
        self.ask('POST', USERNAME['13'], rst(self.gateway.base_url), SOAP, b'Assertion')

    def cheap_token(self, _):
        self.ask('POST', USERNAME['13'], rst(self.gateway.base_url, user='bob', password='bob-secret'), SOAP, b'Assertion')

    def metadata(self, _):
        self.ask('GET', METADATA, None, {}, b'Signature')

    def mex(self, _):
        self.ask('GET', MEX, None, {}, b'definitions')

    def browser(self, number):
        """A token for a session: no password.  Another relying party each time: many for one would look like a loop."""
        self.ask('GET', SIGN_IN + str(number % 100), None, {'Cookie': self.cookies}, b'wresult')

    def saml(self, number):
        self.ask('GET', PASSIVE + '?' + self.queries[number % SERVICE_PROVIDERS], None, {'Cookie': self.cookies}, b'SAMLResponse')

    def sign_in(self):
        session = self.gateway.browser()
        page = session.get(self.gateway.url(SIGN_IN + '0'), timeout=30)
        action, fields = form(page.text)
        for name in fields:
            fields[name] = 'alice' if 'user' in name.lower() else 'alice-secret' if 'pass' in name.lower() else fields[name]
        answer = session.post(action if action.startswith('https') else self.gateway.url(action or PASSIVE), data=fields, timeout=30)
        assert 'wresult' in answer.text
        self.cookies = '; '.join('%s=%s' % (cookie.name, cookie.value) for cookie in session.cookies)


def measure(pid, request, count):
    before = cpu(pid)
    for number in range(count):
        request(number)
    return (cpu(pid) - before) / count


def main(rounds):
    folder = harness.temporary_folder()
    authority = harness.Authority(folder)
    try:
        providers = ServiceProviders(authority, folder)
        gateway = harness.Gateway(authority, partners={**partners(100), **providers.sections}, nginx={'workers': 1})
        cheapen(gateway.site.users_file, 'bob')
        with gateway:
            pid = int(harness.run('pgrep', '-P', str(gateway.nginx.pid())).stdout.split()[0])
            idle = memory(pid)
            client = Client(gateway)
            providers.ask(gateway)
            client.queries = providers.queries
            figures = {}

            def note(name, value):
                figures.setdefault(name, []).append(value)

            for _ in range(rounds):
                for name, value in bare().items():
                    note(name, value)
                client.sign_in()
                note('RST, hash as it is', measure(pid, client.token, 20))
                note('RST, least hash', measure(pid, client.cheap_token, 200))
                note('sign-in with a session', measure(pid, client.browser, 200))
                note('SAML 2.0 sign-on with a session', measure(pid, client.saml, 200))
                note('metadata', measure(pid, client.metadata, 200))
                note('mex', measure(pid, client.mex, 200))
            show({name: statistics.median(values) for name, values in figures.items()}, idle, memory(pid))
    finally:
        harness.shutil.rmtree(folder, ignore_errors=True)


def show(figures, idle, busy):
    sign = figures['rsa-2048']
    print('%-36s %10s %12s' % ('CPU per', 'us', 'signatures'))
    # the default hash is so much that what is left beside it cannot be told
    rest = figures['RST, least hash'] - figures['yescrypt-least']
    for name, value in [*figures.items(), ('RST, least hash, less that hash', rest)]:
        print('%-36s %10.1f %11.2fx' % (name, value, value / sign))
    for name, sizes in (('idle', idle), ('after the requests', busy)):
        print('worker with 100 partners and as many service providers, %s: %.1f MiB resident, %.1f MiB its share, %.1f MiB its own' % (
            name, sizes['Rss'], sizes['Pss'], sizes['Private_Dirty'] + sizes['Private_Clean']))  # fmt: skip


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
