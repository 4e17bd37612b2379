# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of the corpus, and what is trusted: certificates, a CA with a list of those that it revoked, a JWK set, metadata."""
import base64
import datetime
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from make_xml import entity

YEAR = datetime.timedelta(days=365)
NOW = datetime.datetime(2026, 11, 28, 12)


def certificate(name, key, issuer=None, issuer_key=None, start=NOW - 6 * YEAR, end=NOW + 20 * YEAR, ca=False, signs=True, digest=None):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
               .add_extension(x509.BasicConstraints(ca, None), True))
    builder = builder.add_extension(x509.KeyUsage(not ca and signs, False, not signs, False, False, ca, ca, False, False), True)
    return builder.sign(issuer_key or key, digest or hashes.SHA256())


def number(value, size):
    return base64.urlsafe_b64encode(value.to_bytes(size, 'big')).decode().rstrip('=')


def make_keys(folder, idp):
    os.makedirs(folder, exist_ok=True)

    def write(name, content):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def pem(one):
        return one.public_bytes(serialization.Encoding.PEM)

    def keep(name, key, one, private):
        write(name + '.pem', pem(one))
        write(name + '.key', key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    keys = {name: rsa.generate_private_key(65537, 2048) for name in ('idp', 'other', 'enc', 'ca', 'signer')}
    keys['ec'] = ec.generate_private_key(ec.SECP256R1())
    certificates = {name: certificate('corpus ' + name, key, ca=name == 'ca') for name, key in keys.items()}
    for name in ('idp', 'other', 'enc', 'ec', 'ca'):
        keep(name, keys[name], certificates[name], True)
    made = {}
    for name, start, end in [('signer', NOW - YEAR, NOW + 20 * YEAR), ('signer-expired', NOW - 3 * YEAR, NOW - YEAR), ('signer-future', NOW + YEAR, NOW + 20 * YEAR),
                             ('signer-revoked', NOW - YEAR, NOW + 20 * YEAR)]:
        made[name] = certificate('corpus ' + name, keys['signer'], certificates['ca'], keys['ca'], start, end)
        keep(name, keys['signer'], made[name], True)
    revoked = x509.RevokedCertificateBuilder().serial_number(made['signer-revoked'].serial_number).revocation_date(NOW - YEAR / 2).build()
    crl = (x509.CertificateRevocationListBuilder().issuer_name(certificates['ca'].subject).last_update(NOW - YEAR / 2).next_update(NOW + 20 * YEAR)
           .add_revoked_certificate(revoked).sign(keys['ca'], hashes.SHA256()))
    write('ca.crl', pem(crl))
    n, p = keys['idp'].public_key().public_numbers(), keys['ec'].public_key().public_numbers()
    write('jwks.json', json.dumps({'keys': [{'kty': 'RSA', 'use': 'sig', 'kid': 'idp', 'n': number(n.n, 256), 'e': 'AQAB'},
                                            {'kty': 'EC', 'use': 'sig', 'kid': 'ec', 'crv': 'P-256', 'x': number(p.x, 32), 'y': number(p.y, 32)}]}))
    def der(name):
        return base64.b64encode(certificates[name].public_bytes(serialization.Encoding.DER)).decode()
    two = entity(idp, der('idp')) + entity('https://second.example.org', der('other')).replace('_metadata-1', '_metadata-2')
    write('two-entities.xml', '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">%s</md:EntitiesDescriptor>' % two)
    write('expired-metadata.xml', entity(idp, der('idp'), valid_until='2026-11-01T00:00:00Z'))
    make_more(folder, idp)


SP = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://sp.example.org/metadata"><md:SPSSODescriptor AuthnRequestsSigned="true"
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://sp.example.org/acs" index="0"/></md:SPSSODescriptor></md:EntityDescriptor>
"""
ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'
RULE = 'exists([Type == "%s", Value == "%s"]) => issue(Type = "http://schemas.microsoft.com/authorization/claims/%s", Value = "true");\n'
CONFIGURATION = """# The configuration that the cases with --config are judged by.
base_url = "https://fs.example.com"
pages = "../../../etc/pages"
state = "/nonexistent/fedgate-corpus"

identity_provider "corpus" {
  metadata = "idp-metadata.xml"
  jwks = "jwks.json"
  realm = "urn:federation:ours"
  lifetime_limit = 2h
}

partner "service" {
  metadata = "sp-metadata.xml"
  claims = {"upn"}
}

partner "staff" {
  realm = {"urn:staff"}
  claims = {"upn"}
  authorization_rules = "staff.rules"
}

partner "admins" {
  realm = {"urn:admins"}
  claims = {"upn"}
  authorization_rules = "admins.rules"
}

partner "no-users" {
  realm = {"urn:no-users"}
  claims = {"upn"}
  authorization_rules = "no-users.rules"
}
"""


def make_more(folder, idp):
    """What the cases of make_configured.py want, from the keys that are there."""
    def write(name, content):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def read(name):
        with open(os.path.join(folder, name), 'rb') as file:
            return file.read()

    def keep(name, key, one):
        write(name + '.pem', one.public_bytes(serialization.Encoding.PEM))
        write(name + '.key', key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def der(name):
        return ''.join(read(name + '.pem').decode().split('-----')[2].split())

    def crl(issuer, key, until):
        made = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).last_update(NOW - YEAR / 2).next_update(until)
        return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    ca, ca_key = x509.load_pem_x509_certificate(read('ca.pem')), serialization.load_pem_private_key(read('ca.key'), None)
    for name, bits, signs, digest in (('signer-purpose', 2048, False, None), ('signer-weak', 1024, True, None), ('signer-sha1', 2048, True, hashes.SHA1())):  # noqa: S303
        key = rsa.generate_private_key(65537, bits)
        keep(name, key, certificate('corpus ' + name, key, ca, ca_key, NOW - YEAR, signs=signs, digest=digest))
    other_key = rsa.generate_private_key(65537, 2048)
    write('ca-stale.crl', crl(ca, ca_key, NOW - YEAR / 4))
    write('other-ca.crl', crl(certificate('corpus other ca', other_key, ca=True), other_key, NOW + 20 * YEAR))
    other_ec = ec.generate_private_key(ec.SECP256R1())
    keep('ec-other', other_ec, certificate('corpus ec-other', other_ec))
    write('idp-metadata.xml', entity(idp, der('idp')))
    write('sp-metadata.xml', SP % der('other'))
    write('staff.rules', RULE % (ROLE, 'Staff', 'permit'))
    write('admins.rules', RULE % (ROLE, 'Admins', 'permit'))
    write('no-users.rules', RULE % (ROLE, 'Staff', 'permit') + RULE % (ROLE, 'Users', 'deny'))
    write('gateway.conf', CONFIGURATION)
