# SPDX-License-Identifier: GPL-2.0-or-later
"""Client certificates that belong to accounts of a Samba Active Directory domain: by altSecurityIdentities, by user principal name."""
import os
import subprocess
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography import x509

from domain import Domain
from protected import protecting, values
from test_certificate_accounts import CONF, LOCATION, Pki, judged, sid, upn

CA = 'DC=test,DC=gw,CN=Accounts CA'  # the order of the certificate
PEOPLE = {'alice': 'CN=Alice Ängström', 'bob': 'CN=Bob Builder', 'carol': 'CN=Carol Disabled', 'frank': 'CN=Frank Lockme', 'erin': 'CN=Erin Expired'}
NOBODY = ('certificate_account', 'certificate.no-account')


def issuer_serial(path):
    with open(path + '.crt', 'rb') as file:
        serial = x509.load_pem_x509_certificate(file.read()).serial_number
    digits = serial.to_bytes((serial.bit_length() + 7) // 8, 'little').hex()
    return 'X509:<I>%s<SR>%s' % (CA, digits)


def key_id(key):
    return 'X509:<SKI>' + x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()


@pytest.fixture(scope='module')
def domain():
    domain = Domain()
    domain.password = os.path.join(domain.folder, 'reader.password')
    with open(domain.password, 'w') as file:
        file.write('Reader.Pw1\n')
    yield domain
    domain.close()


def ldap(domain, program, *arguments, text=None):
    values = domain.facts
    done = subprocess.run([program, '-x', '-H', 'ldaps://' + values['DC_HOST'], '-D', 'Administrator@GW.TEST', '-w', values['ADMINPW'], *arguments],
                          env={**os.environ, 'LDAPTLS_CACERT': values['LDAPTLS_CACERT']}, input=text, capture_output=True, text=True, timeout=30)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def enter(domain, who, *identities):
    dn = '%s,OU=People,%s' % (PEOPLE[who], domain.facts['BASE_DN'])
    lines = ''.join('altSecurityIdentities: %s\n' % one for one in identities)
    ldap(domain, 'ldapmodify', text='dn: %s\nchangetype: modify\nreplace: altSecurityIdentities\n%s' % (dn, lines))


def sid_of(domain, who):
    out = subprocess.run(['/usr/bin/python3', '-c', 'import base64,sys\nfrom samba.dcerpc import security\nfrom samba.ndr import ndr_unpack\n'
                          'print(ndr_unpack(security.dom_sid, base64.b64decode(sys.argv[1])))',
                          ldap(domain, 'ldapsearch', '-LLL', '-b', domain.facts['BASE_DN'], '(sAMAccountName=%s)' % who, 'objectSid')
                          .split('objectSid:: ')[1].split()[0]], capture_output=True, text=True)  # fmt: skip
    assert out.returncode == 0, out.stderr
    return out.stdout.strip()


@pytest.fixture(scope='module')
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pki')
    os.chmod(folder, 0o755)
    return Pki(folder)


def conf(domain, pki, map):
    values = domain.facts
    return (CONF % (pki.ca, map)).replace('"people"', '"corp"') + (
        'directory "corp" {\n  type = "ad"\n  servers = "ldaps://%s"\n  ca = "%s"\n  base = "%s"\n  bind_dn = "CN=Ldap Reader,CN=Users,%s"\n'
        '  bind_password_file = "%s"\n  cache = 1s\n  negative_cache = 1s\n}\n' % (values['DC_HOST'], domain.ca, values['BASE_DN'], values['BASE_DN'], domain.password)
    )


@pytest.fixture(scope='module')
def gateway(authority, domain, pki):
    with protecting(authority, LOCATION % pki.ca, gateway_conf=conf(domain, pki, '{"upn", "alt-security-identities"}')) as gateway:
        yield gateway


def is_account(seen, name, *groups):
    assert isinstance(seen, dict), seen
    assert values(seen, 'X-Who') == [name + '@gw.test']
    assert set(groups) <= set(values(seen, 'X-Roles')[0].split(';')), seen
    return True


def test_issuer_and_serial_number(gateway, domain, pki):
    path = pki.issue('card-of-alice')
    assert judged(gateway, path) == NOBODY  # the control: it is not entered yet
    enter(domain, 'alice', issuer_serial(path))
    again = pki.issue('another-card')
    assert judged(gateway, again) == NOBODY
    enter(domain, 'alice', issuer_serial(path), issuer_serial(again))
    time.sleep(1.2)  # negative_cache
    # nested groups
    assert is_account(judged(gateway, again), 'alice', 'engineers', 'staff', 'outer')


def test_keys(gateway, domain, pki):
    key = rsa.generate_private_key(65537, 2048)
    enter(domain, 'bob', key_id(key))
    assert is_account(judged(gateway, pki.issue('key-of-bob', key=key)), 'bob', 'staff')
    # the public key's hash is the same number here (RFC 5280 §4.2.1.2 method 1)
    enter(domain, 'bob', key_id(key).replace('SKI', 'SHA1-PUKEY'))
    assert is_account(judged(gateway, pki.issue('renewed-key-of-bob', key=key)), 'bob', 'staff')
    assert judged(gateway, pki.issue('another-key', key=rsa.generate_private_key(65537, 2048))) == NOBODY


def test_weak_forms_are_not_looked_at(gateway, domain, pki):
    path = pki.issue('weak', x509.RFC822Name('weak@gw.test'))
    weak = ['X509:<I>%s<S>CN=weak' % CA, 'X509:<S>CN=weak', 'X509:<RFC822>weak@gw.test']
    enter(domain, 'frank', *weak)
    assert judged(gateway, path) == NOBODY
    twin = pki.issue('weak', x509.RFC822Name('weak@gw.test'))
    enter(domain, 'frank', *weak, issuer_serial(twin))
    assert is_account(judged(gateway, twin), 'frank')


def test_accounts_that_may_not_be_used(gateway, domain, pki):
    carols, erins, two = (pki.issue(name) for name in ('card-of-carol', 'card-of-erin', 'card-of-two'))
    enter(domain, 'carol', issuer_serial(carols))
    enter(domain, 'erin', issuer_serial(erins), issuer_serial(two))
    enter(domain, 'frank', issuer_serial(two))
    for path in (carols, erins, two):
        reason, _ = judged(gateway, path)
        assert reason in ('certificate_account', 'account_disabled', 'account_expired'), (path, reason)


def test_user_principal_names(gateway, domain, pki):
    own = sid_of(domain, 'alice')
    assert is_account(judged(gateway, pki.issue('upn-of-alice', upn('alice@gw.test'))), 'alice', 'outer')
    assert is_account(judged(gateway, pki.issue('sid-of-alice', upn('alice@gw.test'), more=[sid(own)])), 'alice')
    other = pki.issue('sid-of-bob', upn('alice@gw.test'), more=[sid(sid_of(domain, 'bob'))])
    assert judged(gateway, other) == ('certificate_sid', 'certificate.other-account')
    assert judged(gateway, pki.issue('upn-of-nobody', upn('*@gw.test'))) == NOBODY  # KL-07


def test_issuer_serial_alone(authority, domain, pki):
    key = rsa.generate_private_key(65537, 2048)
    path = pki.issue('key-alone', key=key)
    enter(domain, 'bob', key_id(key))
    with protecting(authority, LOCATION % pki.ca, gateway_conf=conf(domain, pki, '"issuer-serial"')) as gateway:
        assert judged(gateway, path) == NOBODY
        twin = pki.issue('serial-alone', key=key)
        enter(domain, 'bob', issuer_serial(twin))
        assert is_account(judged(gateway, twin), 'bob')
