# SPDX-License-Identifier: GPL-2.0-or-later
"""Client certificates whose revocation the gateway asks for: CRL files, CRLs on a web server, OpenSSL's OCSP responder."""
import contextlib
import http.server
import os
import shutil
import threading
import time

import pytest

import harness
from protected import ask, protecting, values

CONFIG = """
[ca]
default_ca = the_ca
[the_ca]
database = DIR/NAME.index
new_certs_dir = DIR
serial = DIR/NAME.serial
crlnumber = DIR/NAME.crlnumber
certificate = DIR/NAME.pem
private_key = DIR/NAME.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[sub]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client_net]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://127.0.0.1:CRL_PORT/NAME.crl
authorityInfoAccess = OCSP;URI:http://127.0.0.1:OCSP_PORT/
[ocsp]
extendedKeyUsage = OCSPSigning
noCheck = yes
"""


class Pki:
    """A root, a CA below it and what they issue, by the openssl command."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = {'CRL_PORT': harness.free_port(), 'OCSP_PORT': harness.free_port()}
        self.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=Root', '-keyout', self.path('root.key'), '-out', self.path('root.pem'),
                     '-addext', 'keyUsage=critical,keyCertSign,cRLSign')  # fmt: skip
        self._database('root')
        self.issue('root', 'middle', 'sub')
        self._database('middle')
        for name in ('root', 'middle'):
            self.write_crl(name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        done = harness.run('openssl', *arguments)
        assert done.returncode == 0, done.stderr

    def _database(self, name):
        text = CONFIG.replace('DIR', self.folder).replace('NAME', name)
        for key, port in self.ports.items():
            text = text.replace(key, str(port))
        for ending, content in (('cnf', text), ('index', ''), ('serial', '1000\n'), ('crlnumber', '01\n')):
            with open(self.path('%s.%s' % (name, ending)), 'w') as file:
                file.write(content)

    def issue(self, ca, name, section):
        path = self.path(name)
        self.openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=' + name, '-keyout', path + '.key', '-out', path + '.csr')
        self.openssl('ca', '-batch', '-notext', '-config', self.path(ca + '.cnf'), '-extensions', section, '-in', path + '.csr', '-out', path + '.pem')
        # what a client sends: its own and the one between
        with open(path + '.chain', 'w') as out:
            for part in [name] + (['middle'] if ca == 'middle' else []):
                with open(self.path(part + '.pem')) as file:
                    out.write(file.read())
        return path

    def revoke(self, ca, name):
        self.openssl('ca', '-config', self.path(ca + '.cnf'), '-revoke', self.path(name + '.pem'))

    def write_crl(self, ca):
        self.openssl('ca', '-config', self.path(ca + '.cnf'), '-gencrl', '-out', self.path(ca + '.crl.new'))
        self.openssl('crl', '-in', self.path(ca + '.crl.new'), '-outform', 'DER', '-out', self.path(ca + '.der'))
        os.rename(self.path(ca + '.crl.new'), self.path(ca + '.crl'))

    def serving_crls(self):
        """Yields the list of what was asked for."""
        def answer(path, _):
            file = self.path(os.path.basename(path).replace('.crl', '.der'))
            return read(file) if os.path.exists(file) else None

        return serving(self.ports['CRL_PORT'], answer)

    def responding(self, signer='middle'):
        """OpenSSL's responder over the database of middle; by itself it would listen on every address."""
        def answer(_, request):
            with open(self.path('request.der'), 'wb') as file:
                file.write(request)
            self.openssl('ocsp', '-index', self.path('middle.index'), '-CA', self.path('middle.pem'), '-rsigner', self.path(signer + '.pem'),
                         '-rkey', self.path(signer + '.key'), '-nmin', '5', '-reqin', self.path('request.der'), '-respout', self.path('response.der'))  # fmt: skip
            return read(self.path('response.der'))

        return serving(self.ports['OCSP_PORT'], answer)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


@contextlib.contextmanager
def serving(port, answer):
    seen, lock = [], threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            request = self.rfile.read(int(self.headers.get('Content-Length', 0)))
            with lock:
                seen.append(self.path)
                data = answer(self.path, request)
            self.send_response(404 if data is None else 200)
            self.end_headers()
            self.wfile.write(data or b'')

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope='module')
def pki():
    folder = harness.temporary_folder()
    yield Pki(folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def gateway_with(authority, pki, section, fetch=''):
    """A location for certificates, which nginx asks for and the gateway judges."""
    location = """ssl_verify_client optional; ssl_verify_depth 3; ssl_client_certificate %s;
        location /app/ { fedgate_protect CONF cert; fedgate_identity_header X-Who $fedgate_subject; PROXY }""" % pki.path('root.pem')
    conf = 'protect "cert" {\n  accept = {"certificate"}\n}\ncertificates "pki" {\n  ca = "%s"\n  %s\n}\n%s' % (pki.path('root.pem'), section, fetch)
    with protecting(authority, location, gateway_conf=conf) as gateway:
        yield gateway


def judged(gateway, path):
    """None, or the reason of a refusal in the audit log, where the line may come a moment after the answer."""
    before = len(gateway.site.audit_now(event='refused'))
    answered = ask(gateway, gateway.browser(), '/app/', cert=(path + '.chain', path + '.key'))
    if answered.status_code == 200:
        assert os.path.basename(path) in values(answered.json(), 'X-Who')[0]
        return None
    assert answered.status_code == 401 and 'revoked' not in answered.text
    harness.wait_for(lambda: len(gateway.site.audit_now(event='refused')) > before)
    return gateway.site.audit(event='refused')[-1]['reason']


def test_crl_files(authority, pki):
    section = 'crl = {"%s", "%s"}' % (pki.path('root.crl'), pki.path('middle.crl'))
    alice, bob, carol = (pki.issue('middle', name, 'client') for name in ('alice', 'bob', 'carol'))
    with gateway_with(authority, pki, section) as gateway:
        assert judged(gateway, alice) is None
        pki.revoke('middle', 'bob')
        pki.write_crl('middle')
        harness.wait_for(lambda: 'certificates "pki": files read again' in gateway.nginx.log())
        time.sleep(1.2)  # the other worker, too
        assert judged(gateway, bob) == 'certificate_revoked'
        assert judged(gateway, carol) is None
        with open(pki.path('middle.crl'), 'w') as file:
            file.write('nonsense')
        harness.wait_for(lambda: 'what was read last stays' in gateway.nginx.log())
        assert judged(gateway, bob) == 'certificate_revoked'
        pki.write_crl('middle')


def test_crls_are_fetched_where_the_certificate_says(authority, pki):
    dora, erin = (pki.issue('middle', name, 'client_net') for name in ('dora', 'erin'))
    pki.revoke('middle', 'erin')
    pki.write_crl('middle')
    allowed = 'fetch {\n  allow = {"http://127.0.0.1:%d/"}\n}\n' % pki.ports['CRL_PORT']
    # the root's own certificates name no address: its file tells
    section = 'crl = "%s"\n  revocation = {"fetch", "crl"}' % pki.path('root.crl')
    with gateway_with(authority, pki, section, allowed) as gateway:
        assert judged(gateway, dora) == 'certificate_unchecked'  # nobody listens
        with pki.serving_crls() as seen:
            time.sleep(5.2)  # it is asked again after five seconds
            assert judged(gateway, dora) is None
            assert judged(gateway, erin) == 'certificate_revoked'
            assert seen and set(seen) == {'/middle.crl'} and len(seen) <= 2  # once for each worker
    elsewhere = 'fetch {\n  allow = {"http://127.0.0.1:%d/"}\n}\n' % (pki.ports['CRL_PORT'] + 1)
    with gateway_with(authority, pki, section, elsewhere) as gateway, pki.serving_crls() as seen:
        assert judged(gateway, dora) == 'certificate_unchecked'  # WT-10: not named
        assert seen == []


@pytest.mark.parametrize('signer', ['middle', 'responder'])
def test_ocsp(authority, pki, signer):
    pki.issue('middle', 'responder', 'ocsp')
    fred, gina, hugo = (pki.issue('middle', name + '-' + signer, 'client_net') for name in ('fred', 'gina', 'hugo'))
    pki.revoke('middle', os.path.basename(gina))
    allowed = 'fetch {\n  allow = {"http://127.0.0.1:%d/"}\n}\n' % pki.ports['OCSP_PORT']
    section = 'crl = "%s"\n  revocation = {"ocsp", "crl"}' % pki.path('root.crl')
    with gateway_with(authority, pki, section, allowed) as gateway:
        assert judged(gateway, hugo) == 'certificate_unchecked'  # the responder is down
        with pki.responding(signer):
            assert judged(gateway, fred) is None
            assert judged(gateway, gina) == 'certificate_revoked'
            assert judged(gateway, hugo) is None


def test_intermediates(authority, pki):
    """A client that does not send the certificate between, as after a resumed session, is known by the gateway's own."""
    ivan = pki.issue('middle', 'ivan', 'client')
    shutil.copy(ivan + '.pem', ivan + '.chain')
    location_ca = 'ssl_trusted_certificate %s;' % pki.path('middle.pem')
    for more, wanted in (('', 'certificate_untrusted'), ('intermediates = "%s"' % pki.path('middle.pem'), None)):
        location = """ssl_verify_client optional; ssl_verify_depth 3; ssl_client_certificate %s; %s
            location /app/ { fedgate_protect CONF cert; fedgate_identity_header X-Who $fedgate_subject; PROXY }""" % (pki.path('root.pem'), location_ca)
        conf = 'protect "cert" {\n  accept = {"certificate"}\n}\ncertificates "pki" {\n  ca = "%s"\n  %s\n}\n' % (pki.path('root.pem'), more)
        with protecting(authority, location, gateway_conf=conf) as gateway:
            assert judged(gateway, ivan) == wanted


def test_config_check(pki, tmp_path):
    site = harness.Site(str(tmp_path / 'site'), 'https://fs.example.com')
    section = 'certificates "pki" {\n  ca = "%s"\n  crl = "%s"\n  revocation = %s\n}\n'
    for revocation, wanted in (('"crl"', 0), ('{"ocsp"}', 3)):
        site.write(section % (pki.path('root.pem'), pki.path('root.crl'), revocation))
        done = harness.run(harness.COMMAND, 'config', 'check', site.conf)
        assert done.returncode == wanted, done.stdout + done.stderr
    assert 'expected it only where fetch' in done.stderr
