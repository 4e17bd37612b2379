# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases that a configuration decides (keys/gateway.conf): partners, lifetimes, rules; certificates that a CA vouches for and
that will not do all the same; tokens encrypted to an EC key."""
import os
import re

from make_xml import ACS, IDP, OURS, assertion20, signature

SP, CONSUMER = 'https://sp.example.org/metadata', 'https://sp.example.org/acs'
CONFIGURATION = ['--config', 'keys/gateway.conf']


def one_line(path):
    with open(path) as file:
        return ''.join(file.read().split('-----')[2].split())


def certificates(case, keys, sign, soap, ids):
    """Of messages, and by themselves."""
    options = ['--ca', 'keys/ca.pem', '--crl', 'keys/ca.crl']
    stale = ['--ca', 'keys/ca.pem', '--crl', 'keys/ca-stale.crl']
    def message(key):
        return sign(soap('<x xmlns="urn:x">hello</x>', certificate=one_line(os.path.join(keys, key + '.pem'))), key, ids, False)
    for name, defect, code, key, how in [
        ('purpose', 'its key usage is keyEncipherment alone', 'certificate.purpose', 'signer-purpose', options),
        ('weak', 'SHA-1 is in the signature of its CA', 'certificate.weak', 'signer-sha1', options),
        ('unchecked', 'the list of those revoked is out of date', 'certificate.unchecked', 'signer', stale),
        ('unchecked-other-ca', 'the list of those revoked is of another CA', 'certificate.unchecked', 'signer', [*stale[:3], 'keys/other-ca.crl']),
    ]:
        with open(os.path.join(keys, key + '.pem')) as file:
            case('certificate-%s.pem' % name, file.read(), code, how, defect, 'certificate-sound.pem', 'certificate', 'cryptography')
        case('soap-certificate-%s.xml' % name, message(key), code, how, defect, 'soap-sound.xml', 'wstrust')
    with open(os.path.join(keys, 'signer-weak.pem')) as file:
        case('certificate-weak-key.pem', file.read(), 'certificate.weak', options, 'its key is RSA of 1024 bits', 'certificate-sound.pem', 'certificate', 'cryptography')
    case('soap-certificate-weak-key.xml', message('signer-weak'), 'signature.unknown-key', options, 'no key as short as its RSA of 1024 bits is ever tried', 'soap-sound.xml', 'wstrust')


def lifetimes(case, sign, ids):
    """identity_provider "corpus" of keys/gateway.conf: lifetime_limit is two hours."""
    for_us = [*CONFIGURATION, '--recipient', ACS]
    def make(end):
        return sign(assertion20(signature=signature(), end=end), 'idp', ids)
    for trust, name in (([], ''), (['--trust', 'corpus'], '-by-name')):
        twin = 'configured-sound%s.xml' % name
        case(twin, make('2026-11-28T13:00:00Z'), 'valid', for_us + trust, kind='saml20')
        case('configured-too-long%s.xml' % name, make('2026-11-29T12:00:00Z'), 'time.too-long', for_us + trust, 'it lives for a day', twin, 'saml20')
        case('configured-other-key%s.xml' % name, sign(assertion20(signature=signature()), 'other', ids), 'signature.wrong-key', for_us + trust, 'by another key', twin, 'saml20')
    case('configured-nobody.xml', sign(assertion20(signature=signature(), issuer='https://nobody.example.org'), 'idp', ids), 'issuer.unknown', for_us,
         'no identity_provider is the issuer', 'configured-sound.xml', 'saml20')


def jwts(case, keys):
    import jwt
    at, key = 1795867200, open(os.path.join(keys, 'idp.key')).read()
    def make(end):
        claims = {'iss': IDP, 'sub': 'alice', 'aud': OURS, 'iat': at - 60, 'exp': at + end, 'upn': 'alice@example.org', 'role': ['Users', 'Staff']}
        return jwt.encode(claims, key, algorithm='RS256', headers={'kid': 'idp'})
    by = dict(kind='jwt', by='PyJWT')
    case('configured-jwt-sound.txt', make(3600), 'valid', CONFIGURATION, **by)
    case('configured-jwt-too-long.txt', make(24 * 3600), 'time.too-long', CONFIGURATION, 'it lives for a day', 'configured-jwt-sound.txt', **by)
    case('permitted-jwt.txt', make(3600), 'valid', CONFIGURATION + ['--for', 'staff'], **by)
    case('denied-jwt.txt', make(3600), 'policy.denied', CONFIGURATION + ['--for', 'admins'], 'the rules want Admins', 'permitted-jwt.txt', **by)


def rules(case, sign, ids):
    """Relying parties whose authorization_rules want a role: "staff" one that the token says, "admins" another."""
    options = [*CONFIGURATION, '--recipient', ACS, '--for']
    token = sign(assertion20(signature=signature()), 'idp', ids)
    case('permitted.xml', token, 'valid', options + ['staff'], kind='saml20')
    for partner, defect in (('admins', 'no authorization rule permits it'), ('no-users', 'an authorization rule denies it')):
        case('denied-%s.xml' % partner, token, 'policy.denied', options + [partner], defect, 'permitted.xml', 'saml20')


def requests(case, sign):
    """A service provider of keys/gateway.conf asks."""
    ids = [('ID', 'urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest')]
    options = [*CONFIGURATION, '--destination', ACS]
    def make(issuer=SP, consumer=CONSUMER, key='other'):
        return sign('<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_request-1" Version="2.0" IssueInstant="2026-11-28T11:59:00Z" Destination="%s" '
                    'AssertionConsumerServiceURL="%s"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer>%s</samlp:AuthnRequest>' % (
                        ACS, consumer, issuer, signature('_request-1')), key, ids)
    twin, sound = 'request-sound.xml', make()
    case(twin, sound, 'valid', options, kind='saml20p')
    for name, defect, code, text in [
        ('unknown-partner', 'nobody registered who asks', 'partner.unknown', make('https://nobody.example.org')),
        ('unknown-partner-slash', 'the issuer has a slash more', 'partner.unknown', make(SP + '/')),
        ('reply-elsewhere', 'the answer is to go to an address that is not in the metadata', 'partner.reply-url', make(consumer='https://evil.example.org/acs')),
        ('reply-with-query', 'the address has a query more', 'partner.reply-url', make(consumer=CONSUMER + '?x=y')),
        ('other-key', 'by another key', 'signature.wrong-key', make(key='idp')),
        ('unsigned', 'the partner signs its requests, and this one is not', 'signature.missing', re.sub(r'<ds:Signature .*?</ds:Signature>', '', sound, flags=re.S)),
        ('edited', 'it was edited', 'signature.digest-mismatch', sound.replace('11:59:00Z', '11:59:01Z')),
    ]:
        case('request-%s.xml' % name, text, code, options, defect, twin, 'saml20p')


def agreed(case, keys, seal, sign_jwt):
    """ECDH-ES (RFC 7518 §4.6), by jose of npm: to an EC key."""
    options, by = ['--trust', 'keys/jwks.json', '--issuer', IDP, '--audience', OURS], dict(kind='jwt', by='jose')
    ours, token = options + ['--decrypt-key', 'keys/ec.key'], sign_jwt()
    for alg, enc in (('ECDH-ES', 'A128GCM'), ('ECDH-ES+A128KW', 'A256CBC-HS512'), ('ECDH-ES+A256KW', 'A256GCM')):
        word = 'jwe-' + alg.lower().replace('+', '-')
        text, twin = seal(token, alg, enc, 'ec'), word + '-sound.txt'
        case(twin, text, 'valid', ours, **by)
        parts = text.split('.')
        edited = parts[3][:-4] + ('AAAA' if parts[3][-4:] != 'AAAA' else 'BBBB')
        case(word + '-edited.txt', '.'.join([*parts[:3], edited, parts[4]]), 'encryption.failed', ours, 'its ciphertext was edited', twin, **by)
        case(word + '-without-key.txt', text, 'encryption.no-key', options, 'nobody gave the key', twin, **by)
        case(word + '-other-key.txt', text, 'encryption.failed', options + ['--decrypt-key', 'keys/ec-other.key'], 'the key is another', twin, **by)


def add(case, keys, sign):
    from make_peers import JOSE, node, seal
    from make_xml import soap
    assertion = [('ID', 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion')]
    wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
    parts = [('Id', wsu + ':Timestamp'), ('Id', 'http://www.w3.org/2003/05/soap-envelope:Body'),
             ('Id', 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd:BinarySecurityToken')]
    claims = '{"iss":"%s","aud":"%s","sub":"alice","iat":1795867140,"exp":1795870800,"upn":"alice@example.org"}' % (IDP, OURS)
    certificates(case, keys, sign, soap, parts)
    lifetimes(case, sign, assertion)
    jwts(case, keys)
    rules(case, sign, assertion)
    requests(case, sign)
    agreed(case, keys, lambda *how: seal(keys, *how), lambda: node(JOSE, os.path.join(keys, 'idp.key'), 'RS256', 'idp', claims))
