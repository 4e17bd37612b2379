#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the corpus: tokens that are wrong in exactly one way, each with its sound twin, by programs of others.

usage: make.py [FOLDER]
       make.py --configured    only the cases of make_configured.py again; the keys and all others stay

Signed by xmlsec1, PyJWT and the stacks of make_peers.py, encrypted by xmlsec1, with certificates by python3-cryptography.  What is committed
is the result: signatures and keys differ at each run.  The keys are for this corpus alone.  manifest.json has a line for
each case: file, kind, program, what is wrong, the options of `fedgate token verify`, the code expected ("valid" for the
sound ones), the sound twin.
"""
import base64
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import zlib

CONFIGURED = sys.argv[1:] == ['--configured']
HERE = sys.argv[1] if len(sys.argv) > 1 and not CONFIGURED else os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from make_keys import make_keys, make_more  # noqa: E402
from make_xml import DS, assertion11, assertion20, encrypted, response, rstr, signature, soap  # noqa: E402

AT = '2026-11-28T12:00:00Z'
IDP, OURS, ACS, REQUEST = 'https://idp.example.org', 'urn:federation:ours', 'https://fs.example.com/adfs/ls/', '_request-1'
KEYS = os.path.join(HERE, 'keys')
FILES = os.path.join(HERE, 'files')
cases = []


# ---- writing


def save(name, content):
    with open(os.path.join(FILES, name), 'wb') as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def case(name, content, code, options, defect='', twin=None, kind='', by='xmlsec1', at=AT):
    save(name, content)
    assert (code == 'valid') == (twin is None), name
    cases.append({'file': name, 'kind': kind, 'made_by': by, 'defect': defect, 'options': ['--at', at] + options,
                  'code': code, 'twin': twin})


def sign(xml, key='idp', ids=(), certificate=True, more=()):
    """By xmlsec1: every template in the document, or the one that more selects."""
    with tempfile.NamedTemporaryFile('w', suffix='.xml', encoding='utf-8') as source:
        source.write('<?xml version="1.0" encoding="UTF-8"?>' + xml)
        source.flush()
        pem = os.path.join(KEYS, key + '.key')
        if certificate:
            pem += ',' + os.path.join(KEYS, key + '.pem')
        command = ['xmlsec1', '--sign', '--privkey-pem', pem]
        for one in ids:
            command += ['--id-attr:' + one[0], one[1]]
        done = subprocess.run(command + list(more) + [source.name], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + xml
        return re.sub(r'^<\?xml[^>]*\?>\n', '', done.stdout).rstrip('\n')


ID20 = ('ID', 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion')
ID11 = ('AssertionID', 'urn:oasis:names:tc:SAML:1.0:assertion:Assertion')
IDR = ('ID', 'urn:oasis:names:tc:SAML:2.0:protocol:Response')


class Format:
    """One version of assertions: how it is made, signed and judged."""

    def __init__(self, kind, make, ids, options):
        self.kind, self.make, self.ids, self.options = kind, make, ids, options

    def signed(self, key='idp', sig=None, **how):
        return sign(self.make(signature=signature(how.get('id', '_assertion-1'), **(sig or {})), **how), key, self.ids)


TRUST = ['--trust', 'keys/idp.pem', '--issuer', IDP, '--audience', OURS]
FORMATS = [Format('saml20', assertion20, [ID20], TRUST + ['--recipient', ACS]), Format('saml11', assertion11, [ID11], TRUST)]


# ---- what is wrong with an assertion after it was signed: text → text


def sub(old, new, count=1):
    def change(xml):
        assert old in xml, old
        return xml.replace(old, new, count)
    return change


def regex(pattern, new, count=1):
    def change(xml):
        assert re.search(pattern, xml, re.S), pattern
        return re.sub(pattern, new, xml, count=count, flags=re.S)
    return change


def flip_base64(element):
    """Another character in the middle of a value."""
    def change(xml):
        found = re.search('<(?:\w+:)?%s[^>]*>([^<]*)<' % element, xml)
        at = found.start(1) + len(found.group(1)) // 2
        while not xml[at].isalnum():
            at += 1
        return xml[:at] + ('A' if xml[at] != 'A' else 'B') + xml[at + 1:]
    return change


def pretty(xml):
    return xml.replace('><', '>\n  <')


def second_reference(xml):
    return re.sub(r'(<ds:Reference .*?</ds:Reference>)', r'\1\1', xml, flags=re.S)


def second_signature(xml):
    return re.sub(r'(<ds:Signature .*?</ds:Signature>)', r'\1\1', xml, flags=re.S)


AFTER = [
    ('value-edited', 'a claim was edited', 'signature.digest-mismatch', sub('alice@example.org', 'mallory@example.org')),
    ('role-edited', 'a role was edited', 'signature.digest-mismatch', sub('Users', 'Admins')),
    ('audience-edited', 'the audience was edited', 'signature.digest-mismatch', sub(OURS, OURS + '2')),
    ('space-added', 'a blank was put behind a value', 'signature.digest-mismatch', sub('>Users<', '>Users <')),
    ('pretty-printed', 'it was indented', 'signature.digest-mismatch', pretty),
    ('attribute-added', 'an attribute was added', 'signature.digest-mismatch', regex(r'(<saml:Attribute )', r'\1extra="1" ')),
    ('digest-edited', 'DigestValue was edited', 'signature.digest-mismatch', flip_base64('DigestValue')),
    ('character-normalised', 'an umlaut was decomposed', 'signature.digest-mismatch', sub('\u00fc', 'u\u0308')),
    ('signature-value-edited', 'SignatureValue was edited', 'signature.value-mismatch', flip_base64('SignatureValue')),
    ('signed-info-edited', 'SignedInfo got an Id after signing', 'signature.value-mismatch', sub('<ds:SignedInfo>', '<ds:SignedInfo Id="x">')),
    ('unsigned', 'the signature was taken out', 'signature.missing', regex(r'<ds:Signature .*?</ds:Signature>', '')),
    ('two-signatures', 'the signature is there twice', 'structure.ambiguous', second_signature),
    ('two-references', 'the signature has two references', 'structure.ambiguous', second_reference),
    ('same-id-again', 'another element has the same id', 'structure.ambiguous', regex(r'(<saml:Attribute )', r'\1xml:id="_assertion-1" ')),
    ('reference-empty', 'the reference is to the whole document', 'signature.forbidden-reference', sub('URI="#_assertion-1"', 'URI=""')),
    ('reference-outside', 'the reference is to another document', 'signature.forbidden-reference', sub('URI="#_assertion-1"', 'URI="https://evil.example/a.xml"')),
    ('reference-pointer', 'the reference is an XPointer', 'signature.forbidden-reference', sub('URI="#_assertion-1"', 'URI="#xpointer(id(\'_assertion-1\'))"')),
    ('reference-nowhere', 'the reference is to an id that is nowhere', 'signature.not-covering', sub('URI="#_assertion-1"', 'URI="#_assertion-2"')),
    ('object-in-signature', 'the signature carries an Object', 'signature.malformed', sub('</ds:Signature>', '<ds:Object>x</ds:Object></ds:Signature>')),
    ('comment-in-signature', 'a comment stands in the signature', 'signature.malformed', sub('<ds:SignedInfo>', '<ds:SignedInfo><!-- x -->')),
    ('doctype', 'it has a DOCTYPE', 'xml.doctype', lambda xml: '<!DOCTYPE a [<!ENTITY b "c">]>' + xml),
    ('end-tag-wrong', 'an end tag has another name', 'xml.not-well-formed', regex(r'</saml:Conditions>', '</saml:Condition>')),
    ('entity-unknown', 'an entity that nobody declares', 'xml.not-well-formed', sub('Users', 'Us&eacute;rs')),
    ('latin-1', 'it is ISO 8859-1', 'xml.encoding', lambda xml: ('<?xml version="1.0" encoding="ISO-8859-1"?>' + xml).encode('iso-8859-1')),
    ('not-utf-8', 'a byte is no UTF-8', 'xml.encoding', lambda xml: xml.encode().replace(b'\xc3\xbc', b'\xfc')),
    ('too-deep', 'elements are 80 deep', 'xml.limit', sub('>Users<', '>' + '<x>' * 80 + '</x>' * 80 + '<')),
    ('truncated', 'the last third is missing', 'input.truncated', lambda xml: xml[:len(xml) * 2 // 3]),
]

# ---- what an issuer did wrong: the assertion is signed as it is

BEFORE = [
    ('expired', 'it has expired', 'time.expired', dict(start='2026-11-28T10:00:00Z', end='2026-11-28T11:00:00Z')),
    ('not-yet-valid', 'it is not valid yet', 'time.not-yet-valid', dict(start='2026-11-28T13:00:00Z', end='2026-11-28T14:00:00Z')),
    ('issued-in-the-future', 'IssueInstant is to come', 'time.not-yet-valid', dict(issued='2026-11-28T12:30:00Z')),
    ('no-end', 'it has no NotOnOrAfter', 'time.missing', dict(end=None)),
    ('end-before-start', 'it ends before it begins', 'structure.invalid', dict(start='2026-11-28T12:30:00Z', end='2026-11-28T12:00:00Z')),
    ('no-zone', 'a time has no zone', 'structure.invalid', dict(end='2026-11-28T13:00:00')),
    ('other-issuer', 'the issuer has a slash more', 'issuer.mismatch', dict(issuer=IDP + '/')),
    ('other-audience', 'it is for somebody else', 'audience.mismatch', dict(audience='urn:federation:theirs')),
    ('audience-with-slash', 'the audience has a slash more', 'audience.mismatch', dict(audience=OURS + '/')),
    ('no-audience', 'it is for nobody', 'audience.missing', dict(audience=None)),
    ('sender-vouches', 'somebody else would have to vouch', 'confirmation.unsupported', dict(confirmation='sender-vouches')),
    ('holder-of-key', 'a key would have to be shown', 'confirmation.unsupported', dict(confirmation='holder-of-key')),
    ('no-confirmation', 'nobody may wield it', 'confirmation.missing', dict(confirmation=None)),
    ('condition-unknown', 'it has a condition of its own', 'condition.unknown', dict(condition='<x:Only xmlns:x="urn:x"/>')),
    ('version', 'it is of another version', 'structure.invalid', dict(version='3')),
    ('two-names', 'its subject has two names', 'structure.invalid', dict(names=2)),
]

SIGNED_OTHERWISE = [
    ('rsa-sha1', 'RSA-SHA1', 'signature.weak-algorithm', dict(method=DS + 'rsa-sha1'), ['--allow-sha1']),
    ('digest-sha1', 'the digest is SHA-1', 'signature.weak-algorithm', dict(digest=DS + 'sha1'), ['--allow-sha1']),
    ('inclusive-c14n', 'inclusive canonicalisation of SignedInfo', 'signature.forbidden-transform', dict(c14n='http://www.w3.org/TR/2001/REC-xml-c14n-20010315'), None),
    ('inclusive-transform', 'inclusive canonicalisation of the content', 'signature.forbidden-transform', dict(transforms=[DS + 'enveloped-signature', 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315']), None),
    ('with-comments', 'canonicalisation with comments', 'signature.forbidden-transform', dict(transforms=[DS + 'enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments']), None),
    ('xpath', 'a transform by XPath', 'signature.forbidden-transform', dict(xpath=True), None),
    ('c14n-twice', 'three transforms', 'signature.malformed', dict(transforms=[DS + 'enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#', 'http://www.w3.org/2001/10/xml-exc-c14n#']), None),
]


def assertions():
    for f in FORMATS:
        sound, twin = f.signed(), f.kind + '-sound.xml'
        case(twin, sound, 'valid', f.options, kind=f.kind)
        # what does not change what was signed
        for name, change in [('attributes-in-another-order', regex(r'Name="([^"]*)" (\w+)="([^"]*)"', r'\2="\3" Name="\1"') if f.kind == 'saml20' else regex(r'AttributeName="([^"]*)" AttributeNamespace="([^"]*)"', r'AttributeNamespace="\2" AttributeName="\1"')),
                             ('single-quotes', lambda xml: re.sub(r'="([^"\']*)"', r"='\1'", xml)),
                             ('space-in-tags', regex(r'<saml:Conditions ', '<saml:Conditions   ')),
                             ('character-references', lambda xml: xml.replace('\u00fc', '&#xFC;')),
                             ('signature-on-one-line', lambda xml: re.sub(r'(<ds:(?:SignatureValue|X509Certificate)>)([^<]*)', lambda m: m.group(1) + re.sub(r'\s', '', m.group(2)), xml))]:
            case('%s-sound-%s.xml' % (f.kind, name), change(sound), 'valid', f.options, kind=f.kind)
        for name, defect, code, change in AFTER:
            case('%s-%s.xml' % (f.kind, name), change(sound), code, f.options, defect, twin, f.kind)
        for name, defect, code, how in BEFORE:
            case('%s-%s.xml' % (f.kind, name), f.signed(**how), code, f.options, defect, twin, f.kind)
        for name, defect, code, how, cure in SIGNED_OTHERWISE:
            xml = f.signed(sig=how)
            other = twin
            if cure:
                other = '%s-%s-allowed.xml' % (f.kind, name)
                case(other, xml, 'valid', f.options + cure, kind=f.kind)
            case('%s-%s.xml' % (f.kind, name), xml, code, f.options, defect, other, f.kind)
        case(f.kind + '-other-key.xml', f.signed('other'), 'signature.wrong-key', f.options, 'another key, whose certificate it names', twin, f.kind)
        case(f.kind + '-other-key-unnamed.xml', sign(f.make(signature=signature(key_info=False)), 'other', f.ids, False), 'signature.value-mismatch', f.options, 'another key, and no certificate', twin, f.kind)
        case(f.kind + '-key-of-another-kind.xml', sign(f.make(signature=signature(method='http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256')), 'ec', f.ids), 'signature.unknown-key', f.options, 'an EC key where RSA is trusted', f.kind + '-ec.xml', f.kind)
        case(f.kind + '-ec.xml', sign(f.make(signature=signature(method='http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256')), 'ec', f.ids), 'valid', ['--trust', 'keys/ec.pem'] + f.options[2:], kind=f.kind)
        case(f.kind + '-used-before.xml', sound, 'replay.seen', f.options + ['--seen', '_assertion-1'], 'it was used before', twin, f.kind)
        case(f.kind + '-issuer-not-in-metadata.xml', f.signed(issuer='https://nobody.example.org'), 'issuer.unknown', ['--trust', 'keys/two-entities.xml', '--audience', OURS], 'nobody in the metadata', f.kind + '-by-metadata.xml', f.kind)
        case(f.kind + '-by-metadata.xml', sound, 'valid', ['--trust', 'keys/two-entities.xml', '--audience', OURS], kind=f.kind)
        case(f.kind + '-metadata-expired.xml', sound, 'time.expired', ['--trust', 'keys/expired-metadata.xml', '--audience', OURS], 'the metadata has expired', f.kind + '-by-metadata.xml', f.kind)


def only_saml20():
    f = FORMATS[0]
    twin, sound = 'saml20-sound.xml', f.signed()
    case('saml20-other-recipient.xml', f.signed(recipient='https://fs.example.com/other'), 'recipient.mismatch', f.options, 'it was to go elsewhere', twin, 'saml20')
    case('saml20-answers-nothing.xml', f.signed(in_response_to='_other'), 'request.mismatch', f.options + ['--in-response-to', REQUEST], 'it answers another request', 'saml20-answers.xml', 'saml20')
    case('saml20-answers.xml', f.signed(in_response_to=REQUEST), 'valid', f.options + ['--in-response-to', REQUEST], kind='saml20')
    case('saml20-proxy-restriction.xml', f.signed(condition='<saml:ProxyRestriction Count="0"/>'), 'condition.unknown', f.options, 'it may not be passed on', twin, 'saml20')
    case('saml20-confirmation-expired.xml', f.signed(confirmed_until='2026-11-28T11:00:00Z'), 'time.expired', f.options, 'it had to be delivered an hour ago', twin, 'saml20')
    evil = re.sub(r'<ds:Signature .*?</ds:Signature>', '', sound, flags=re.S).replace('_assertion-1', '_evil').replace('alice@', 'mallory@')
    advice = evil.replace('<saml:AttributeStatement>', '<saml:Advice>' + sound + '</saml:Advice><saml:AttributeStatement>')
    case('saml20-wrapped-in-advice.xml', advice, 'signature.wrapped', f.options, 'the signed assertion stands in the Advice of another one', twin, 'saml20')
    moved = sound.replace('ID="_assertion-1"', 'ID="_evil"', 1).replace('alice@', 'mallory@')
    inner = re.sub(r'<ds:Signature .*?</ds:Signature>', '', sound, flags=re.S)
    moved = moved.replace('<saml:AttributeStatement>', '<saml:Advice>' + inner + '</saml:Advice><saml:AttributeStatement>')
    case('saml20-wrapped-with-signature.xml', moved, 'signature.wrapped', f.options, 'the signature of another assertion was moved into this one', twin, 'saml20')
    # in what carries it
    for name, content in [('base64', base64.encodebytes(sound.encode()).decode()), ('base64url', base64.urlsafe_b64encode(sound.encode()).decode().rstrip('=')),
                          ('percent', urllib.parse.quote(sound, safe=''))]:
        case('saml20-in-%s.txt' % name, content, 'valid', f.options, kind='saml20')
    whole = base64.b64encode(sound.encode()).decode().rstrip('=')
    cut = whole[:len(whole) // 8 * 4 + 1]
    case('saml20-in-base64-truncated.txt', cut, 'input.truncated', f.options, 'base64 that was cut', 'saml20-in-base64.txt', 'saml20')
    case('unrecognised.txt', 'Dear partner, your token is invalid.\n', 'input.unrecognised', f.options, 'no token', twin, 'saml20', 'hand')
    case('empty.txt', '', 'input.unrecognised', f.options, 'nothing at all', twin, 'saml20', 'hand')
    case('too-large.xml', sound.replace('Users', 'U' * 300000), 'input.too-large', f.options, 'over 256 KiB', twin, 'saml20')


# ---- encrypted


def encryption():
    f = FORMATS[0]
    sound = f.signed()
    options, twin = f.options + ['--decrypt-key', 'keys/enc.key'], 'encrypted-sound.xml'
    def encrypt(content='http://www.w3.org/2009/xmlenc11#aes256-gcm', transport='http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p', session='aes-256', key='enc'):
        with tempfile.TemporaryDirectory() as folder:
            data, template = os.path.join(folder, 'data.xml'), os.path.join(folder, 'template.xml')
            open(data, 'w').write(sound)
            open(template, 'w').write(encrypted(content, transport))
            done = subprocess.run(['xmlsec1', '--encrypt', '--pubkey-cert-pem', os.path.join(KEYS, key + '.pem'), '--session-key', session,
                                   '--xml-data', data, template], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            inner = re.sub(r'^<\?xml[^>]*\?>\n', '', done.stdout).strip()
        return '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:EncryptedAssertion>' % inner
    xml = encrypt()
    case(twin, xml, 'valid', options, kind='saml20')
    case('encrypted-cbc.xml', encrypt('http://www.w3.org/2001/04/xmlenc#aes256-cbc'), 'valid', options, kind='saml20')
    case('encrypted-no-key.xml', xml, 'encryption.no-key', f.options, 'no key is given', twin, 'saml20')
    case('encrypted-other-key.xml', encrypt(key='other'), 'encryption.failed', options, 'it is encrypted to another key', twin, 'saml20')
    case('encrypted-cipher-edited.xml', flip_base64('CipherValue')(xml), 'encryption.failed', options, 'the encrypted key was edited', twin, 'saml20')
    case('encrypted-rsa15.xml', encrypt(transport='http://www.w3.org/2001/04/xmlenc#rsa-1_5'), 'encryption.weak-algorithm', options, 'RSA 1.5', twin, 'saml20')
    case('encrypted-3des.xml', encrypt('http://www.w3.org/2001/04/xmlenc#tripledes-cbc', session='des-192'), 'encryption.weak-algorithm', options, 'Triple DES', twin, 'saml20')


# ---- messages of SAML 2.0


def messages():
    options = ['--trust', 'keys/idp.pem', '--issuer', IDP, '--audience', OURS, '--recipient', ACS, '--destination', ACS, '--in-response-to', REQUEST]
    def make(sign_message=False, sign_assertion=True, key='idp', inner=None, **how):
        token = inner if inner is not None else assertion20(signature=signature() if sign_assertion else '', in_response_to=REQUEST)
        if sign_assertion and inner is None:
            token = sign(token, key, [ID20])
        xml = response(token, signature=signature('_response-1') if sign_message else '', **how)
        return sign(xml, key, [IDR, ID20], more=['--node-xpath', '/*/*[local-name()="Signature"]']) if sign_message else xml
    def form(xml):
        return 'SAMLResponse=%s&RelayState=abc' % urllib.parse.quote(base64.b64encode(xml.encode()).decode(), safe='')
    sound, twin = make(), 'response-sound.xml'
    case(twin, sound, 'valid', options, kind='saml20p')
    case('response-sound-signed-twice.xml', make(True), 'valid', options, kind='saml20p')
    case('response-sound-message-signed.xml', make(True, False), 'valid', options, kind='saml20p')
    case('response-sound-form.txt', form(sound), 'valid', options, kind='saml20p')
    case('response-sound-page.html', '<!DOCTYPE html><html><body><form method="post" action="%s"><input type="hidden" name="SAMLResponse" value="%s"/></form></body></html>' % (ACS, base64.b64encode(sound.encode()).decode()), 'valid', options, kind='saml20p')
    m = 'response-sound-message-signed.xml'
    for name, defect, code, xml, other in [
        ('other-destination', 'it was meant for another address', 'destination.mismatch', make(True, False, destination='https://fs.example.com/other'), m),
        ('destination-missing', 'a signed message without Destination', 'destination.mismatch', make(True, False, destination=None), m),
        ('message-expired', 'it was sent two hours ago', 'time.expired', make(True, False, issued='2026-11-28T10:00:00Z'), m),
        ('message-in-the-future', 'it is sent in an hour', 'time.not-yet-valid', make(True, False, issued='2026-11-28T13:00:00Z'), m),
        ('message-edited', 'the signed message was edited', 'signature.digest-mismatch', make(True, False).replace('Success', 'Success2'), m),
        ('message-other-key', 'the message is signed by another key', 'signature.wrong-key', make(True, False, 'other'), m),
        ('other-issuer', 'it is from somebody else', 'issuer.mismatch', make(True, False, issuer='https://other.example.org'), m),
        ('unsigned', 'nothing is signed', 'signature.missing', make(False, False), twin),
        ('two-assertions', 'it has two assertions', 'structure.ambiguous', make(inner=sign(assertion20(signature=signature(), in_response_to=REQUEST), 'idp', [ID20]) + assertion20(id='_assertion-2', signature='', in_response_to=REQUEST)), twin),
        ('no-assertion', 'it has no assertion', 'structure.invalid', make(inner=''), twin),
        ('version', 'SAML 1.1 messages are not spoken', 'structure.invalid', make(version='1.1'), twin),
        ('answers-nothing', 'its assertion answers another request', 'request.mismatch', make(inner=sign(assertion20(signature=signature(), in_response_to='_other'), 'idp', [ID20])), twin),
        ('unsolicited', 'its assertion answers no request', 'request.mismatch', make(inner=sign(assertion20(signature=signature()), 'idp', [ID20])), twin),
        ('recipient-missing', 'its assertion names no Recipient', 'recipient.mismatch', make(inner=sign(assertion20(signature=signature(), in_response_to=REQUEST, recipient=None), 'idp', [ID20])), twin),
        ('delivery-without-end', 'its confirmation never ends', 'time.missing', make(inner=sign(assertion20(signature=signature(), in_response_to=REQUEST, confirmed_until=None), 'idp', [ID20])), twin),
    ]:
        case('response-%s.xml' % name, xml, code, options, defect, other, 'saml20p')
    case('response-parameter-twice.txt', form(sound) + '&SAMLResponse=x', 'structure.ambiguous', options, 'SAMLResponse is there twice', 'response-sound-form.txt', 'saml20p')
    # the signed assertion moved into an extension, a forged one in its place
    forged = re.sub(r'<ds:Signature .*?</ds:Signature>', '', sound, flags=re.S)
    token = re.search(r'<saml:Assertion .*</saml:Assertion>', sound, re.S).group(0)
    forged = forged.replace('_assertion-1', '_evil').replace('alice@', 'mallory@').replace('<samlp:Status>', '<samlp:Extensions>%s</samlp:Extensions><samlp:Status>' % token)
    case('response-wrapped.xml', forged, 'signature.wrapped', options, 'the signed assertion stands in Extensions', twin, 'saml20p')
    redirect()


def redirect():
    """A LogoutRequest by the Redirect binding, signed beside the message (openssl by python3-cryptography)."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding
    options = ['--trust', 'keys/idp.pem', '--issuer', IDP, '--destination', ACS]
    xml = ('<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_logout-1" Version="2.0" IssueInstant="2026-11-28T11:59:00Z" '
           'Destination="%s"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">alice</saml:NameID>'
           '</samlp:LogoutRequest>' % (ACS, IDP))
    def query(key='idp', alg='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', digest=hashes.SHA256, signed=True):
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        text = 'SAMLRequest=' + urllib.parse.quote(base64.b64encode(deflate.compress(xml.encode()) + deflate.flush()).decode(), safe='') + '&RelayState=r'
        if not signed:
            return text
        text += '&SigAlg=' + urllib.parse.quote(alg, safe='')
        private = serialization.load_pem_private_key(open(os.path.join(KEYS, key + '.key'), 'rb').read(), None)
        return text + '&Signature=' + urllib.parse.quote(base64.b64encode(private.sign(text.encode(), padding.PKCS1v15(), digest())).decode(), safe='')
    url, twin = ACS + '?' + query(), 'redirect-sound.txt'
    case(twin, url, 'valid', options, kind='saml20p', by='cryptography')
    lower = re.sub('%[0-9A-F]{2}', lambda m: m.group(0).lower(), url)
    for name, defect, code, text, more in [
        ('percent-case', 'a proxy has written the escapes in lower case', 'signature.value-mismatch', lower, []),
        ('relay-state-edited', 'RelayState was edited', 'signature.value-mismatch', url.replace('RelayState=r', 'RelayState=s'), []),
        ('other-key', 'signed by another key', 'signature.value-mismatch', ACS + '?' + query('other'), []),
        ('sha1', 'signed with SHA-1', 'signature.weak-algorithm', ACS + '?' + query(alg=DS + 'rsa-sha1', digest=hashes.SHA1), []),
        ('unsigned', 'it is not signed', 'signature.missing', ACS + '?' + query(signed=False), []),
        ('signature-cut', 'SigAlg without Signature', 'structure.invalid', re.sub('&Signature=.*', '', url), []),
    ]:
        case('redirect-%s.txt' % name, text, code, options, defect, twin, 'saml20p', 'cryptography')


# ---- WS-Federation and WS-Trust


def trust_responses():
    for trust, f, kind in [('2005', FORMATS[1], 'wsfed'), ('13', FORMATS[0], 'wstrust')]:
        token = f.signed()
        xml = rstr(token, trust)
        if kind == 'wsfed':
            wrap = lambda body: 'wa=wsignin1.0&wctx=c&wresult=' + urllib.parse.quote(body, safe='')  # noqa: E731
        else:
            wrap = soap
        ext, options = ('txt' if kind == 'wsfed' else 'xml'), TRUST + ([] if kind == 'wsfed' else ['--recipient', ACS])
        twin = '%s-sound.%s' % (kind, ext)
        case(twin, wrap(xml), 'valid', options, kind=kind)
        case('%s-two-tokens.%s' % (kind, ext), wrap(rstr(token + '</t:RequestedSecurityToken><t:RequestedSecurityToken>' + f.signed(id='_assertion-2'), trust)), 'structure.ambiguous', options, 'it holds two tokens', twin, kind)
        case('%s-empty.%s' % (kind, ext), wrap(rstr('', trust)), 'structure.invalid', options, 'it holds no token', twin, kind)
        case('%s-edited.%s' % (kind, ext), wrap(rstr(token.replace('alice@', 'mallory@'), trust)), 'signature.digest-mismatch', options, 'a claim was edited', twin, kind)
        case('%s-pretty.%s' % (kind, ext), wrap(pretty(xml)), 'signature.digest-mismatch', options, 'it was indented', twin, kind)
        case('%s-unsigned.%s' % (kind, ext), wrap(rstr(f.make(signature=''), trust)), 'signature.missing', options, 'the token is not signed', twin, kind)
        case('%s-other-key.%s' % (kind, ext), wrap(rstr(f.signed('other'), trust)), 'signature.wrong-key', options, 'by another key', twin, kind)
        case('%s-expired.%s' % (kind, ext), wrap(rstr(f.signed(start='2026-11-28T10:00:00Z', end='2026-11-28T11:00:00Z'), trust)), 'time.expired', options, 'the token has expired', twin, kind)
        case('%s-other-audience.%s' % (kind, ext), wrap(rstr(f.signed(audience='urn:x'), trust)), 'audience.mismatch', options, 'the token is for somebody else', twin, kind)
        case('%s-other-issuer.%s' % (kind, ext), wrap(rstr(f.signed(issuer='urn:x'), trust)), 'issuer.mismatch', options, 'the token is from somebody else', twin, kind)


def soap_messages():
    """Requests signed by a certificate (WS-Security X.509 token profile), by xmlsec1."""
    options, twin = ['--ca', 'keys/ca.pem', '--crl', 'keys/ca.crl'], 'soap-sound.xml'
    wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
    ids = [('Id', wsu + ':Timestamp'), ('Id', 'http://www.w3.org/2003/05/soap-envelope:Body'), ('Id', 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd:BinarySecurityToken')]
    def make(key='signer', **how):
        certificate = ''.join(open(os.path.join(KEYS, key + '.pem')).read().split('-----')[2].split())
        return sign(soap('<x xmlns="urn:x">hello</x>', certificate=certificate, **how), key, ids, False)
    sound = make()
    case(twin, sound, 'valid', options, kind='wstrust')
    for name, defect, code, xml in [
        ('body-edited', 'the Body was edited', 'signature.digest-mismatch', sound.replace('hello', 'goodbye')),
        ('timestamp-edited', 'the Timestamp was edited', 'signature.digest-mismatch', sound.replace('11:59:00Z', '11:59:01Z')),
        ('value-edited', 'SignatureValue was edited', 'signature.value-mismatch', flip_base64('SignatureValue')(sound)),
        ('expired', 'it was sent an hour ago', 'time.expired', make(created='2026-11-28T10:55:00Z', expires='2026-11-28T11:00:00Z')),
        ('in-the-future', 'it is sent in an hour', 'time.not-yet-valid', make(created='2026-11-28T13:00:00Z', expires='2026-11-28T13:05:00Z')),
        ('body-not-signed', 'only the Timestamp is signed', 'signature.not-covering', make(parts=['_ts'])),
        ('timestamp-not-signed', 'only the Body is signed', 'signature.not-covering', make(parts=['_body'])),
        ('same-id-again', 'another element has the id of the Body', 'structure.ambiguous', sound.replace('<x xmlns="urn:x">', '<x xmlns="urn:x" Id="_body">')),
        ('two-timestamps', 'it has two Timestamps', 'structure.ambiguous', re.sub(r'(<u:Timestamp .*?</u:Timestamp>)', r'\1<u:Timestamp><u:Created>2026-11-28T11:59:00Z</u:Created></u:Timestamp>', sound, flags=re.S)),
        ('certificate-expired', 'the certificate has expired', 'certificate.expired', make('signer-expired')),
        ('certificate-not-yet-valid', 'the certificate is not valid yet', 'certificate.not-yet-valid', make('signer-future')),
        ('certificate-revoked', 'the certificate was revoked', 'certificate.revoked', make('signer-revoked')),
        ('certificate-untrusted', 'another CA issued the certificate', 'certificate.untrusted', make('other')),
        ('reference-outside', 'a reference to another document', 'signature.forbidden-reference', sound.replace('URI="#_body"', 'URI="https://evil.example/"')),
        ('unsigned', 'nothing is signed', 'signature.missing', re.sub(r'<ds:Signature .*?</ds:Signature>', '', sound, flags=re.S)),
    ]:
        case('soap-%s.xml' % name, xml, code, options, defect, twin, 'wstrust')
    # an assertion that its holder's key must prove
    proof = '<ds:KeyInfo xmlns:ds="%s"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>' % (DS, ''.join(open(os.path.join(KEYS, 'signer.pem')).read().split('-----')[2].split()))
    token = FORMATS[0].signed(confirmation='holder-of-key', proof=proof, recipient=None, confirmed_until=None)
    both = ['--trust', 'keys/idp.pem', '--issuer', IDP, '--audience', OURS] + options
    case('soap-no-proof.xml', soap('<x xmlns="urn:x">hello</x>', token=token), 'confirmation.no-proof', both, 'the holder of the key did not sign', 'soap-bearer.xml', 'wstrust')
    case('soap-bearer.xml', soap('<x xmlns="urn:x">hello</x>', token=FORMATS[0].signed(recipient=None, confirmed_until=None)), 'valid', both, kind='wstrust')


# ---- JSON Web Tokens, by PyJWT


def jwts():
    import jwt
    now = int(datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.timezone.utc).timestamp())
    key = open(os.path.join(KEYS, 'idp.key')).read()
    other, ec = open(os.path.join(KEYS, 'other.key')).read(), open(os.path.join(KEYS, 'ec.key')).read()
    options, twin = ['--trust', 'keys/jwks.json', '--issuer', IDP, '--audience', OURS], 'jwt-sound.txt'
    claims = {'iss': IDP, 'sub': 'alice', 'aud': OURS, 'iat': now - 60, 'nbf': now - 60, 'exp': now + 3600, 'jti': 'jwt-1', 'upn': 'alice@example.org', 'role': ['Users', 'Staff']}
    def make(key=key, alg='RS256', kid='idp', headers=None, drop=(), **changes):
        payload = {name: value for name, value in {**claims, **changes}.items() if name not in drop}
        head = {**({'kid': kid} if kid else {}), **(headers or {})}
        return jwt.encode(payload, key, algorithm=alg, headers=head)
    sound = make()
    head, body, value = sound.split('.')
    b64 = lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')  # noqa: E731
    for name, text in [('sound', sound), ('sound-ec', make(ec, 'ES256', 'ec')), ('sound-pss', make(key, 'PS256')), ('sound-without-kid', make(kid=None)), ('sound-bearer', 'Bearer ' + sound),
                       ('sound-list', make(aud=['urn:x', OURS])), ('sound-url', 'https://rp.example.org/cb#id_token=%s&state=s' % sound), ('sound-answer', json.dumps({'access_token': 'opaque', 'token_type': 'bearer', 'id_token': sound}))]:
        case('jwt-%s.txt' % name, text, 'valid', options, kind='jwt', by='PyJWT')
    case('jwt-sound-nonce.txt', make(nonce='n-1'), 'valid', options + ['--nonce', 'n-1'], kind='jwt', by='PyJWT')
    hmac = 'secret' * 8
    for name, defect, code, text, more in [
        ('payload-edited', 'a claim was edited', 'signature.value-mismatch', '.'.join([head, b64(json.dumps({**claims, 'upn': 'mallory@example.org'})), value]), []),
        ('signature-edited', 'the signature was edited', 'signature.value-mismatch', sound[:-20] + ('A' if sound[-20] != 'A' else 'B') + sound[-19:], []),
        ('other-key', 'another key under the same kid', 'signature.value-mismatch', make(other), []),
        ('unknown-kid', 'a kid that nobody has', 'signature.unknown-key', make(other, kid='rolled'), []),
        ('alg-none', 'it is not signed', 'jwt.alg-none', jwt.encode(claims, None, algorithm='none'), []),
        ('alg-none-in-capitals', 'it is not signed', 'jwt.alg-none', '.'.join([b64('{"alg":"NONE"}'), body, '']), []),
        ('hmac', 'signed with a secret', 'jwt.alg-mismatch', jwt.encode(claims, hmac, algorithm='HS256', headers={'kid': 'idp'}), []),
        ('alg-of-another-key', 'alg is not that of the key', 'jwt.alg-mismatch', make(ec, 'ES256', 'idp'), []),
        ('crit', 'an extension must be understood', 'jwt.crit', make(headers={'crit': ['exp2'], 'exp2': 1}), []),
        ('expired', 'it has expired', 'time.expired', make(exp=now - 600), []),
        ('not-yet-valid', 'it is not valid yet', 'time.not-yet-valid', make(nbf=now + 600), []),
        ('issued-in-the-future', 'iat is to come', 'time.not-yet-valid', make(iat=now + 600), []),
        ('no-exp', 'it never ends', 'time.missing', make(drop=['exp']), []),
        ('exp-no-number', 'exp is a text', 'jwt.malformed', '.'.join([head, b64(json.dumps({**claims, 'exp': 'tomorrow'})), value]), 'resign'),
        ('other-issuer', 'it is from somebody else', 'issuer.mismatch', make(iss=IDP + '/'), []),
        ('no-issuer', 'it is from nobody', 'issuer.mismatch', make(drop=['iss']), []),
        ('other-audience', 'it is for somebody else', 'audience.mismatch', make(aud='urn:x'), []),
        ('no-audience', 'it is for nobody', 'audience.missing', make(drop=['aud']), []),
        ('used-before', 'it was used before', 'replay.seen', sound, ['--seen', 'jwt-1']),
        ('two-parts', 'the signature is missing', 'jwt.malformed', head + '.' + body, []),
        ('padded', 'base64 with padding', 'jwt.malformed', head + '=.' + body + '.' + value, []),
        ('payload-no-json', 'the payload is no JSON', 'jwt.malformed', None, []),
        ('nonce', 'the nonce is another', 'request.mismatch', make(nonce='n-2'), ['--nonce', 'n-1']),
        ('no-nonce', 'it has no nonce', 'request.mismatch', sound, ['--nonce', 'n-1']),
        ('jwe', 'it is encrypted', 'encryption.no-key', '.'.join([b64('{"alg":"RSA-OAEP","enc":"A256GCM"}'), 'AAAA', 'AAAAAAAAAAAAAAAA', 'AAAA', 'AAAAAAAAAAAAAAAAAAAAAA']), []),
    ]:
        if name == 'payload-no-json':
            text = jwt.PyJWS().encode(b'hello', key, algorithm='RS256', headers={'kid': 'idp', 'typ': 'JWT'})
        if more == 'resign':
            text, more = jwt.PyJWS().encode(json.dumps({**claims, 'exp': 'tomorrow'}).encode(), key, algorithm='RS256', headers={'kid': 'idp', 'typ': 'JWT'}), []
        case('jwt-%s.txt' % name, text, code, options + more, defect, 'jwt-sound-nonce.txt' if 'nonce' in name else twin, 'jwt', 'PyJWT')
    case('jwt-duplicate-member.txt', jwt.PyJWS().encode(('{"iss":"x",' + json.dumps(claims)[1:]).encode(), key, algorithm='RS256', headers={'kid': 'idp', 'typ': 'JWT'}), 'jwt.malformed', options, 'iss is there twice', twin, 'jwt', 'PyJWT')


# ---- metadata and certificates


def metadata():
    from make_xml import entity
    certificate = ''.join(open(os.path.join(KEYS, 'idp.pem')).read().split('-----')[2].split())
    ids = [('ID', 'urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor')]
    options, twin = ['--trust', 'keys/idp.pem'], 'metadata-sound.xml'
    make = lambda key='idp', **how: sign(entity(IDP, certificate, signature=signature('_metadata-1'), **how), key, ids)  # noqa: E731
    sound = make()
    case(twin, sound, 'valid', options, kind='metadata')
    case('metadata-expired.xml', make(valid_until='2026-11-01T00:00:00Z'), 'time.expired', options, 'validUntil has passed', twin, 'metadata')
    case('metadata-edited.xml', sound.replace('/adfs/ls/', '/evil/'), 'signature.digest-mismatch', options, 'an address was edited', twin, 'metadata')
    case('metadata-other-key.xml', make('other'), 'signature.wrong-key', options, 'by another key', twin, 'metadata')
    case('metadata-unsigned.xml', entity(IDP, certificate), 'signature.missing', options, 'it is not signed', twin, 'metadata')
    read = lambda name: open(os.path.join(KEYS, name + '.pem')).read()  # noqa: E731
    cas = ['--ca', 'keys/ca.pem', '--crl', 'keys/ca.crl']
    case('certificate-sound.pem', read('signer'), 'valid', cas, kind='certificate', by='cryptography')
    for name, code in [('expired', 'expired'), ('future', 'not-yet-valid'), ('revoked', 'revoked')]:
        case('certificate-%s.pem' % name, read('signer-' + name), 'certificate.' + code, cas, name, 'certificate-sound.pem', 'certificate', 'cryptography')
    case('certificate-untrusted.pem', read('other'), 'certificate.untrusted', cas, 'of another CA', 'certificate-sound.pem', 'certificate', 'cryptography')


def main():
    import make_configured
    import make_peers
    os.makedirs(FILES, exist_ok=True)
    manifest = os.path.join(HERE, 'manifest.json')
    if CONFIGURED:
        make_more(KEYS, IDP)
        make_configured.add(case, KEYS, sign)
        made = {one['file'] for one in cases}
        with open(manifest) as file:
            cases[:0] = [one for one in json.load(file) if one['file'] not in made]
    else:
        make_keys(KEYS, IDP)
        for make in (assertions, only_saml20, encryption, messages, trust_responses, soap_messages, jwts, metadata):
            make()
        make_peers.add(case, KEYS, AT)
        make_configured.add(case, KEYS, sign)
    with open(manifest, 'w') as file:
        file.write('[\n' + ',\n'.join(json.dumps(one) for one in cases) + '\n]\n')
    print('%d cases, %d of them wrong' % (len(cases), sum(one['code'] != 'valid' for one in cases)))


main()
