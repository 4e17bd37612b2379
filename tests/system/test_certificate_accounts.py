# SPDX-License-Identifier: GPL-2.0-or-later
"""Client certificates that belong to accounts of a directory: by user principal name, with the security identifier that Active Directory's CA
puts in; at a protected location and in a signature of WS-Security.  Each refusal has a twin that passes."""
import datetime
import json
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

import harness
import peers
from protected import ask, protecting, values

UPN, SID, SID_NAME = (ObjectIdentifier('1.3.6.1.4.1.311.' + end) for end in ('20.2.3', '25.2', '25.2.1'))
PRIMARYSID = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/primarysid'
ALICE, OTHER = ('S-1-5-21-1004336348-1177238915-682003330-%d' % rid for rid in (1104, 1105))
REALM = 'urn:test:app'


def der(tag, content):
    length = len(content)
    size = bytes([length]) if length < 128 else bytes([0x82, length >> 8, length & 255])
    return bytes([tag]) + size + content


def upn(text, tag=0x0C):
    return x509.OtherName(UPN, der(tag, text.encode() if isinstance(text, str) else text))


def sid(text, tag=0x04):
    """szOID_NTDS_CA_SECURITY_EXT, as [MS-WCCE] has it: GeneralNames with one otherName of an OCTET STRING."""
    oid = der(0x06, bytes([0x2B, 6, 1, 4, 1, 0x82, 0x37, 25, 2, 1]))
    return x509.UnrecognizedExtension(SID, der(0x30, der(0xA0, oid + der(0xA0, der(tag, text.encode())))))


class Pki:
    def __init__(self, folder):
        self.folder = str(folder)
        self.key = rsa.generate_private_key(65537, 2048)
        self.client_key = rsa.generate_private_key(65537, 2048)  # the same for all: who they are is in the certificate
        self.name = x509.Name([x509.NameAttribute(NameOID.DOMAIN_COMPONENT, 'test'), x509.NameAttribute(NameOID.DOMAIN_COMPONENT, 'gw'),
                               x509.NameAttribute(NameOID.COMMON_NAME, 'Accounts CA')])  # fmt: skip
        self.serial = 0x2B0000000011AC0000000012
        ca = self._build(self.name, self.key.public_key(), [(x509.BasicConstraints(True, None), True)])
        self.ca = self._write('ca.pem', ca)

    def _build(self, subject, key, extensions):
        self.serial += 1
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder(self.name, subject, key, self.serial, now - datetime.timedelta(1), now + datetime.timedelta(30))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name, *parts):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as out:
            for part in parts:
                out.write(part.public_bytes(serialization.Encoding.PEM) if isinstance(part, x509.Certificate) else part)
        return path

    def issue(self, name, *names, more=(), key=None):
        """Path without its ending of a client certificate CN=name with these names in SubjectAltName."""
        key = key or self.client_key
        extensions = [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)]
        extensions.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
        if names:
            extensions.append((x509.SubjectAlternativeName(names), False))
        extensions += [(one, False) for one in more]
        certificate = self._build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key(), extensions)
        key = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self._write(name + '.crt', certificate)
        self._write(name + '.key', key)
        return os.path.join(self.folder, name)


@pytest.fixture(scope='module')
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pki')
    os.chmod(folder, 0o755)
    return Pki(folder)


def users(folder):
    """alice with a security identifier, bob without, carol who is disabled; and somebody whose name is no user principal name."""
    path = os.path.join(folder, 'made.json')
    for name in ('alice', 'bob', 'carol', 'root'):
        done = harness.run(harness.COMMAND, 'user', 'add', name, '--file', path, '--password-stdin', '--group', name + 's', '--attribute',
                           'upn=%s@gw.test' % name, '--attribute', 'given_name=%s of the directory' % name, input='x-secret\n')  # fmt: skip
        assert done.returncode == 0, done.stderr
    with open(path) as file:
        content = json.load(file)
    content['users'][0]['attributes'][PRIMARYSID] = [ALICE]
    content['users'][2]['disabled'] = True
    return json.dumps(content)


CONF = """protect "cert" { accept = {"certificate"} }
certificates "pki" { ca = "%s" directory = "people" map = %s }
"""
LOCATION = """ssl_verify_client optional; ssl_client_certificate %s;
location /app/ { fedgate_protect CONF cert; fedgate_identity_header X-Who $fedgate_subject;
    fedgate_identity_header X-Roles $fedgate_claim_role; fedgate_identity_header X-Given $fedgate_claim_givenname;
    fedgate_identity_header X-Name $fedgate_claim_name; fedgate_identity_header X-Mail $fedgate_claim_emailaddress; PROXY }"""


@pytest.fixture(scope='module')
def gateway(authority, pki, tmp_path_factory):
    conf = CONF % (pki.ca, '{"upn", "issuer-serial", "alt-security-identities"}')
    partners = {**harness.PARTNERS, 'app': {'realm': [REALM], 'claims': [*harness.CLAIMS, 'nameidentifier']}}
    files = {'users.json': users(str(tmp_path_factory.mktemp('users')))}
    with protecting(authority, LOCATION % pki.ca, gateway_conf=conf, files=files, partners=partners) as gateway:
        yield gateway


def judged(gateway, path):
    """What the server behind is told of who it is, or the reason and its finer word in the audit log."""
    before = len(gateway.site.audit_now(event='refused'))
    answered = ask(gateway, gateway.browser(), '/app/', cert=(path + '.crt', path + '.key'))
    if answered.status_code == 200:
        return answered.json()
    assert answered.status_code == 401
    line = harness.wait_for(lambda: gateway.site.audit_now(event='refused')[before:])[0]
    # what it was is nothing for whoever shows the certificate
    assert line['reason'] not in answered.text.replace('certificate_untrusted', '') and 'S-1-5' not in answered.text
    return line['reason'], line['code']


def is_person(seen, name):
    return (isinstance(seen, dict) and values(seen, 'X-Who') == [name + '@gw.test'] and values(seen, 'X-Roles') == [name + 's']
            and values(seen, 'X-Given') == [name + ' of the directory'])  # fmt: skip


def test_the_account_is_the_directorys(gateway, pki):
    mail = x509.RFC822Name('boss@example.com')
    seen = judged(gateway, pki.issue('somebody', upn('alice@gw.test'), mail))
    assert is_person(seen, 'alice'), seen
    # of the certificate nothing is taken that says who it is
    assert values(seen, 'X-Name') == ['alice'] and values(seen, 'X-Mail') == []
    line = gateway.site.audit(event='signin')[-1]
    assert (line['user'], line['account'], line['certificate'], line['directory']) == ('alice', 'alice@gw.test', 'CN=somebody', 'people')
    assert line['method'].endswith('/tlsclient')


NO_ACCOUNT = ('certificate_account', 'certificate.no-account')
NAMES = ('certificate_names', 'certificate.names')
REFUSED = {
    'nobody': ([upn('mallory@gw.test')], [], NO_ACCOUNT),
    'no-name': ([], [], NO_ACCOUNT),
    'mail-alone': ([x509.RFC822Name('alice@gw.test')], [], NO_ACCOUNT),  # a weak form
    'disabled': ([upn('carol@gw.test')], [], NO_ACCOUNT),
    'two': ([upn('alice@gw.test'), upn('bob@gw.test')], [], NAMES),
    'twice': ([upn('alice@gw.test'), upn('alice@gw.test')], [], NAMES),
    'nul': ([upn(b'alice@gw.test\0.example.com')], [], NAMES),  # KL-05
    'newline': ([upn('alice@gw.test\n')], [], NAMES),
    'not-utf8': ([upn(b'alic\xe9@gw.test')], [], NAMES),
    'ia5': ([upn('alice@gw.test', tag=0x16)], [], NAMES),
    'no-suffix': ([upn('root')], [], NAMES),  # KL-05: an account's plain name
    'two-suffixes': ([upn('alice@gw.test@example.com')], [], NAMES),
    'other-sid': ([upn('alice@gw.test')], [sid(OTHER)], ('certificate_sid', 'certificate.other-account')),
    'no-sid': ([upn('alice@gw.test')], [sid('alice')], NAMES),
    'sid-type': ([upn('alice@gw.test')], [sid(ALICE, tag=0x0C)], NAMES),
    'sid-mangled': ([upn('alice@gw.test')], [x509.UnrecognizedExtension(SID, b'\x30\x03\x01')], NAMES),
}


@pytest.mark.parametrize('name', REFUSED)
def test_refused(gateway, pki, name):
    names, more, wanted = REFUSED[name]
    assert judged(gateway, pki.issue(name, *names, more=more)) == wanted
    line = gateway.site.audit(event='signin_refused')[-1]
    assert line['certificate'] == 'CN=' + name and line['code'] == wanted[1]


@pytest.mark.parametrize('who, more', [('alice', []), ('alice', [sid(ALICE)]), ('bob', [sid(OTHER)]), ('root', [])])
def test_the_sound_twins_pass(gateway, pki, who, more):
    """bob's account has no security identifier to compare with."""
    assert is_person(judged(gateway, pki.issue('twin', upn(who + '@gw.test'), more=more)), who)


def test_signatures_in_ws_security(gateway, pki, tmp_path):
    """gSOAP signs at certificatemixed; the token is about the account."""
    trust = tmp_path / 'trust.pem'
    trust.write_bytes(b''.join(open(path, 'rb').read() for path in (gateway.authority.ca, peers.signing_certificate(gateway, tmp_path / 'signing.pem'))))
    endpoint = gateway.base_url + '/adfs/services/trust/13/certificatemixed'

    def call(path):
        return peers.run(gateway, 'ws/gsoap/wstc.sh', endpoint, '-soap', '2', '-aud', REALM, '-tt', 'saml1', '-key', path + '.key', '-cert', path + '.crt',
                         TLSCA=str(trust))  # fmt: skip

    status, output = call(pki.issue('signer', upn('bob@gw.test')))
    assert status == 0 and 'assertion signature: VERIFIED' in output, output
    line = gateway.site.audit(event='signin')[-1]
    assert line['user'] == 'bob' and line['certificate'] == 'CN=signer'
    issued = gateway.site.audit(event='issued')[-1]
    assert 'bob' in issued['user'], issued
    status, output = call(pki.issue('signer-of-carol', upn('carol@gw.test')))
    assert status == 1 and gateway.site.audit(event='refused')[-1]['code'] == NO_ACCOUNT[1], output


def test_without_a_directory_the_certificate_speaks_for_itself(authority, pki):
    """The control: the same certificate of nobody, where the section names no directory."""
    conf = 'protect "cert" { accept = {"certificate"} }\ncertificates "pki" { ca = "%s" }\n' % pki.ca
    with protecting(authority, LOCATION % pki.ca, gateway_conf=conf) as gateway:
        seen = judged(gateway, pki.issue('nobody', upn('mallory@gw.test')))
        assert values(seen, 'X-Who') == ['CN=nobody']


@pytest.mark.parametrize('options, wanted', [
    ('map = "upn"', 'found "upn", expected it beside directory = "NAME"'),
    ('directory = "peeple"', 'found "peeple", expected the name of a directory'),
    ('directory = "people" map = "subject"', 'found "subject", expected one of upn, issuer-serial, alt-security-identities'),
    ('directory = "people" map = {"upn", "alt-security-identities"}', None),
    ('directory = "people"', None),
])  # fmt: skip
def test_config_check(pki, tmp_path, options, wanted):
    site = harness.Site(str(tmp_path / 'site'), 'https://fs.example.com')
    site.write('certificates "pki" {\n  ca = "%s"\n  %s\n}\n' % (pki.ca, options))
    done = harness.run(harness.COMMAND, 'config', 'check', site.conf)
    assert (done.returncode == 0) == (wanted is None), done.stderr
    assert wanted is None or wanted in done.stderr, done.stderr
