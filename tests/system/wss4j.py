# SPDX-License-Identifier: GPL-2.0-or-later
"""WSS4J as a requestor and as the judge of answers: tests/peers/ws/wss4j, and the certificates that it works with."""
import os
import subprocess
import uuid
from xml.sax.saxutils import escape

import peers

SCRIPT = os.path.join(peers.FOLDER, 'ws', 'wss4j', 'wss.sh')
TRUST = {'13': 'http://docs.oasis-open.org/ws-sx/ws-trust/200512', '2005': 'http://schemas.xmlsoap.org/ws/2005/02/trust'}
SOAP = {'1.2': 'http://www.w3.org/2003/05/soap-envelope', '1.1': 'http://schemas.xmlsoap.org/soap/envelope/'}

REQUEST = """<s:Envelope xmlns:s="{soap}" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>\
<a:Action s:mustUnderstand="1">{action}</a:Action><a:MessageID>urn:uuid:{id}</a:MessageID>\
<a:To s:mustUnderstand="1">{to}</a:To></s:Header><s:Body>{body}</s:Body></s:Envelope>"""
RST = """<t:RequestSecurityToken xmlns:t="{trust}"><t:RequestType>{trust}/Issue</t:RequestType>\
<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"><a:EndpointReference><a:Address>{realm}</a:Address>\
</a:EndpointReference></wsp:AppliesTo>{more}</t:RequestSecurityToken>"""


def rst(to, realm, trust='13', soap='1.2', more=''):
    body = RST.format(trust=TRUST[trust], realm=escape(realm), more=more)
    return REQUEST.format(soap=SOAP[soap], action=TRUST[trust] + '/RST/Issue', id=uuid.uuid4(), to=escape(to), body=body)


def call(to, body='<x xmlns="urn:x">hello</x>', soap='1.2'):
    return REQUEST.format(soap=SOAP[soap], action='urn:x:call', id=uuid.uuid4(), to=escape(to), body=body)


class Refused(Exception):
    """By WSS4J, with its reason."""


class Wss4j:
    """One Java process for many messages."""

    def __init__(self, folder):
        self.folder, self.count = str(folder), 0
        self.process = subprocess.Popen([SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding='utf-8')

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def path(self, kind='xml'):
        self.count += 1
        return os.path.join(self.folder, 'wss4j-%d.%s' % (self.count, kind))

    def command(self, *words):
        self.process.stdin.write('\t'.join(words) + '\n')
        self.process.stdin.flush()
        word, _, rest = self.process.stdout.readline().strip().partition(' ')
        if word == 'refused':
            raise Refused(rest)
        assert word in ('ok', 'valid', 'invalid', 'unsigned'), (words, word, rest)
        return rest if word == 'ok' else word

    def _write(self, data):
        path = self.path()
        with open(path, 'wb') as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return path

    def _read(self, path):
        with open(path, 'rb') as file:
            return file.read()

    def make(self, envelope, *steps):
        out = self.path()
        self.command('make', self._write(envelope), out, *steps)
        return self._read(out)

    def assertion(self, **options):
        """Path of an assertion's file."""
        out = self.path()
        self.command('saml', out, ';'.join('%s=%s' % item for item in options.items()))
        return out

    def verify(self, message, key, *trusted):
        """(what was found, the message as it was decrypted)"""
        out = self.path()
        found = self.command('verify', self._write(message), out, key or '-', *trusted)
        return found.split(), self._read(out)

    def values(self, message):
        return self.command('values', self._write(message)).split()

    def judge(self, token, certificate):
        return self.command('dsig', self._write(token), certificate)


class People:
    """A CA, and certificates below it: NAME.pem has certificate and key, NAME.crt and NAME.key the same apart."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.ca = self.path('ca.crt')
        self.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=people CA/O=Test', '-keyout', self.path('ca.key'),
                     '-out', self.ca, '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign')  # fmt: skip

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(['openssl', *arguments], check=True, capture_output=True)

    def add(self, name):
        """Path of NAME.pem."""
        base = self.path(name)
        with open(base + '.ext', 'w') as file:
            file.write('extendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n')
        self.openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=%s/O=Test' % name, '-keyout', base + '.key', '-out', base + '.csr')
        self.openssl('x509', '-req', '-in', base + '.csr', '-CA', self.ca, '-CAkey', self.path('ca.key'), '-CAcreateserial', '-days', '30', '-extfile',
                     base + '.ext', '-out', base + '.crt')  # fmt: skip
        return self.join(base)

    def add_stranger(self, name):
        """The same, vouched for by nobody."""
        base = self.path(name)
        self.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=%s/O=Test' % name, '-keyout', base + '.key', '-out',
                     base + '.crt')  # fmt: skip
        return self.join(base)

    def join(self, base):
        with open(base + '.pem', 'w') as out:
            for ending in ('.crt', '.key'):
                with open(base + ending) as file:
                    out.write(file.read())
        return base + '.pem'
