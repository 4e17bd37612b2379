# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of message that Apache WSS4J makes is taken or refused as it should be, and it takes the answers."""
import base64
import hmac
import itertools
import os
import re
import shutil
import subprocess

import pytest
from lxml import etree

import harness
import peers
import protected
from wss4j import TRUST, People, Wss4j, call, rst

REALM = 'urn:test:app'
OWN = 'urn:test:own'  # what is behind /own
ISSUER = 'urn:test:java'
LOCATIONS = """
ssl_client_certificate PEOPLE_CA; ssl_verify_client optional;
location /service { fedgate_protect CONF app; PROXY }
location /own { fedgate_protect CONF own; PROXY }
"""


@pytest.fixture(scope='module')
def people():
    folder = harness.temporary_folder()
    people = People(folder)
    for name in ('client', 'other', 'sender', 'idp'):
        people.add(name)
    people.add_stranger('stranger')
    yield people
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope='module')
def java(tmp_path_factory):
    running = Wss4j(tmp_path_factory.mktemp('wss4j'))
    yield running
    running.stop()


@pytest.fixture(scope='module')
def site(authority, people):
    provider = {'issuer': ISSUER, 'certificate': [people.path('idp.crt')], 'sign_in': 'https://idp.example/', 'vouched_by': [people.path('sender.crt')]}
    sections = {
        ('certificates', 'pki'): {'ca': [people.ca]},
        ('identity_provider', 'java'): provider,
        ('protect', 'app'): {'accept': ['soap']},
        ('protect', 'own'): {'accept': ['soap'], 'audience': [OWN]},
        'lockout': {'account_failures': 1000, 'address_failures': 1000},
    }
    partners = {
        'app': {'realm': [REALM], 'claims': [*harness.CLAIMS, 'nameidentifier'], 'token': 'saml20'},
        # a program whose certificate is known: messages may name it without bringing it along
        'known': {'realm': ['urn:test:known'], 'certificate': people.path('client.crt'), 'claims': harness.CLAIMS},
    }
    users = {**harness.USERS, 'dora': {'password': 'dora-secret', 'digest': True}}
    locations = LOCATIONS.replace('PEOPLE_CA', people.ca)
    with protected.protecting(authority, locations, partners=partners, sections=sections, users=users) as running:
        yield running


@pytest.fixture(scope='module')
def ours(site):
    """PEM files of the gateway's certificates."""
    certificates = {'signing': peers.signing_certificate(site, os.path.join(site.folder, 'signing.pem'))}
    wsdl = etree.fromstring(site.get('/adfs/services/trust/mex').content)
    found = wsdl.xpath('//*[local-name()="port"]//*[local-name()="X509Certificate"]/text()')
    assert len(set(found)) == 1
    certificates['encryption'] = os.path.join(site.folder, 'encryption.pem')
    peers.write_pem(certificates['encryption'], found[0])
    return certificates


def endpoint(name, trust='13'):
    return '/adfs/services/trust/%s/%s' % (trust, name)


def refusals(site):
    return site.site.audit_now(event='refused')


def reason_after(site, before):
    """Of the refusal that came then; the log is written when the answer is already out."""
    harness.wait_for(lambda: len(refusals(site)) > before)
    return refusals(site)[-1]['reason']


class Talk:
    """One request, its answer, and what both say."""

    def __init__(self, site, java, path, *steps, trust='13', soap='1.2', key=None, client=None, more='', realm=REALM):
        self.request = java.make(rst(site.base_url + path, realm, trust, soap, more), *steps)
        headers = {'Content-Type': 'application/soap+xml; charset=utf-8'}
        if soap == '1.1':
            headers = {'Content-Type': 'text/xml; charset=utf-8', 'SOAPAction': '"%s/RST/Issue"' % TRUST[trust]}
        before = len(refusals(site))
        browser = site.browser()  # of its own, as connections keep their certificate
        browser.cert = (client[:-4] + '.crt', client[:-4] + '.key') if client else None
        self.answer = browser.post(site.url(path), data=self.request, headers=headers, timeout=30)
        browser.close()
        self.found, self.message = [], self.answer.content
        self.ok = self.answer.status_code == 200
        if self.ok or key:
            self.found, self.message = java.verify(self.answer.content, key, *self.trusted(site))
        self.reason = '' if self.ok else reason_after(site, before)

    def trusted(self, site):
        path = os.path.join(site.folder, 'signing.pem')
        return [path] if os.path.exists(path) else []

    def assertion(self):
        assert self.ok, (self.answer.status_code, self.reason, self.answer.text)
        start = self.message.index(b'<saml')
        end = self.message.rindex(b'Assertion>') + len(b'Assertion>')
        return self.message[start:end]

    def user(self):
        return etree.fromstring(self.assertion()).xpath('string(//*[local-name()="NameID" or local-name()="NameIdentifier"])')


@pytest.fixture
def talk(site, java, ours):
    return lambda path, *steps, **options: Talk(site, java, path, *steps, **options)


both_versions = pytest.mark.parametrize('trust', ['13', '2005'])
both_soaps = pytest.mark.parametrize('soap', ['1.2', '1.1'])
both_samls = pytest.mark.parametrize('saml', ['1.1', '2.0'])

PASSWORD = 'ut:user=alice;pass=alice-secret'


# ---- UsernameToken

@both_versions
@both_soaps
@pytest.mark.parametrize('more', ['', ';nonce;created'])
def test_password(talk, java, ours, trust, soap, more):
    one = talk(endpoint('usernamemixed', trust), 'ts:ttl=300', PASSWORD + more, trust=trust, soap=soap)
    assert java.judge(one.assertion(), ours['signing']) == 'valid'
    assert 'timestamp' in one.found


@both_versions
@both_soaps
def test_password_digest(talk, java, ours, trust, soap):
    """UsernameToken profile 1.1.1 §3.1"""
    one = talk(endpoint('usernamemixed', trust), 'ts:ttl=300', 'ut:user=dora;pass=dora-secret;type=digest', trust=trust, soap=soap)
    assert java.judge(one.assertion(), ours['signing']) == 'valid'
    for user, password in (('dora', 'wrong'), ('alice', 'alice-secret')):
        one = talk(endpoint('usernamemixed', trust), 'ts:ttl=300', 'ut:user=%s;pass=%s;type=digest' % (user, password), trust=trust, soap=soap)
        assert not one.ok and one.reason == ('wrong_user_or_password' if user == 'dora' else 'digest_not_possible')


def test_wrong_password(talk):
    one = talk(endpoint('usernamemixed'), 'ts:ttl=300', 'ut:user=alice;pass=wrong')
    assert not one.ok and one.reason == 'wrong_user_or_password'


@pytest.mark.parametrize('algorithm', ['aes128-cbc', 'aes256-cbc', 'aes128-gcm', 'aes256-gcm'])
@pytest.mark.parametrize('keyid', ['issuer', 'thumb', 'ski', 'x509'])
def test_encrypted_password(talk, ours, algorithm, keyid):
    """XE-01..05: its EncryptedKey names us in every way."""
    if keyid == 'ski' and algorithm != 'aes256-gcm':
        pytest.skip('once is enough')
    steps = ['ts:ttl=300', PASSWORD, 'enc:cert=%s;parts=UsernameToken;sym=%s;keyid=%s' % (ours['encryption'], algorithm, keyid)]
    one = talk(endpoint('usernamemixed'), *steps)
    assert b'alice-secret' not in one.request
    one.assertion()


def test_encrypted_to_somebody_else(talk, people):
    one = talk(endpoint('usernamemixed'), 'ts:ttl=300', PASSWORD, 'enc:cert=%s;parts=UsernameToken' % people.path('other.crt'))
    assert not one.ok and one.reason == 'decryption_failed'


def test_rsa15_is_refused(talk, ours):
    """XE-02; its control is above."""
    one = talk(endpoint('usernamemixed'), 'ts:ttl=300', PASSWORD, 'enc:cert=%s;parts=UsernameToken;kt=rsa15' % ours['encryption'])
    assert not one.ok and one.reason == 'signature_algorithm'


def test_signed_password(talk, people):
    sign = 'sign:key=%s;parts=UsernameToken,Timestamp,Body' % people.path('client.pem')
    talk(endpoint('usernamemixed'), 'ts:ttl=300', PASSWORD, sign).assertion()
    stranger = 'sign:key=%s;parts=UsernameToken,Timestamp,Body' % people.path('stranger.pem')
    one = talk(endpoint('usernamemixed'), 'ts:ttl=300', PASSWORD, stranger)
    assert not one.ok and one.reason == 'certificate_untrusted'


# ---- signatures by certificates

@both_versions
@pytest.mark.parametrize('keyid', ['bst', 'issuer', 'ski', 'thumb', 'x509'])
def test_six_key_references(talk, java, ours, people, trust, keyid):
    one = talk(endpoint('certificatemixed', trust), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To;keyid=%s' % (people.path('client.pem'), keyid), trust=trust)
    assert java.judge(one.assertion(), ours['signing']) == 'valid'
    assert 'client' in one.message.decode()


def test_certificate_path(talk, people):
    """The sixth: a PKIPath with the CA in it."""
    talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To;path' % people.path('client.pem')).assertion()


def test_bare_key_is_nobody(talk, people):
    one = talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To;keyid=keyvalue' % people.path('client.pem'))
    assert not one.ok and one.reason == 'not_signed_in'


@pytest.mark.parametrize('keyid', ['issuer', 'thumb', 'ski'])
def test_unknown_certificate_by_name(talk, people, keyid):
    """WT-07; the control: the same certificate, brought along."""
    one = talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To;keyid=%s' % (people.path('other.pem'), keyid))
    assert not one.ok and one.reason == 'signature_key'
    talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To' % people.path('other.pem')).assertion()


def test_stranger(talk, people):
    one = talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To' % people.path('stranger.pem'))
    assert not one.ok and one.reason == 'certificate_untrusted'


@pytest.mark.parametrize('options', ['sig=rsa-sha1', 'digest=sha1', 'sig=rsa-sha1;digest=sha1'])
def test_sha1_is_refused(talk, people, options):
    """XS-25; SHA-256 is what all others here use."""
    one = talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To;%s' % (people.path('client.pem'), options))
    assert not one.ok and one.reason == 'signature_algorithm'


@pytest.mark.parametrize('parts,reason', [('To', 'wss_timestamp'), ('Timestamp', 'signature_missing'), ('Body', 'wss_timestamp')])
def test_what_must_be_signed(talk, people, parts, reason):
    """WT-04"""
    one = talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=%s' % (people.path('client.pem'), parts))
    assert not one.ok and one.reason == reason


def test_token_under_its_own_signature(talk, people):
    """The STR-Transform over the BinarySecurityToken (WS-Security 1.1 §8.3)."""
    talk(endpoint('certificatemixed'), 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To,Body,STRTransform' % people.path('client.pem')).assertion()


@pytest.mark.parametrize('order', ['sign first', 'encrypt first'])
def test_encrypted_body_at_certificatemixed(talk, people, ours, order):
    """What was signed is read, in whichever order the two were done."""
    sign = 'sign:key=%s;parts=Body,Timestamp,To' % people.path('client.pem')
    steps = [sign, 'enc:cert=%s;sym=aes128-gcm' % ours['encryption']]
    one = talk(endpoint('certificatemixed'), 'ts:ttl=300', *(steps if order == 'sign first' else reversed(steps)))
    assert b'RequestSecurityToken' not in one.request
    one.assertion()


def test_client_certificate(talk, people):
    for name in ('certificatetransport', 'certificatemixed'):
        talk(endpoint(name), 'ts:ttl=300', client=people.path('client.pem')).assertion()
        one = talk(endpoint(name), 'ts:ttl=300')
        assert not one.ok and one.reason == 'not_signed_in'


def test_replay(site, talk, people):
    """WT-03"""
    path = endpoint('certificatemixed')
    one = talk(path, 'ts:ttl=300', 'sign:key=%s;parts=Timestamp,To' % people.path('client.pem'))
    one.assertion()
    before = len(refusals(site))
    assert site.soap(path, one.request).status_code == 500 and reason_after(site, before) == 'wss_replay'


# ---- without TLS's help

ADDRESSING = 'Body,Timestamp,To,Action,MessageID'


@both_versions
@both_soaps
@pytest.mark.parametrize('symmetric', ['aes256-cbc', 'aes256-gcm'])
def test_signed_and_encrypted_both_ways(talk, java, ours, people, trust, soap, symmetric):
    key = people.path('client.pem')
    steps = ['ts:ttl=300', 'sign:key=%s;parts=%s' % (key, ADDRESSING), 'enc:cert=%s;sym=%s' % (ours['encryption'], symmetric)]
    one = talk(endpoint('certificate', trust), *steps, trust=trust, soap=soap, key=key)
    assert b'Assertion' not in one.answer.content and b'RequestSecurityToken' not in one.request
    assert java.judge(one.assertion(), ours['signing']) == 'valid'
    signature = next(word for word in one.found if word.startswith('signature'))
    for part in ('Body', 'Timestamp', 'SignatureConfirmation', 'Action', 'RelatesTo'):
        assert part in signature.split('+')
    assert 'encryption+Body' in one.found
    assert 'confirmation=' + java.values(one.request)[0] in one.found
    assert symmetric in one.answer.text


@pytest.mark.parametrize('steps,reason', [
    (['ts:ttl=300', 'sign:key=CLIENT;parts=%s' % ADDRESSING], 'decryption_failed'),
    (['ts:ttl=300', 'sign:key=CLIENT;parts=Timestamp,To,Action,MessageID', 'enc:cert=OURS'], 'signature_missing'),
    (['ts:ttl=300', 'sign:key=CLIENT;parts=Body,Timestamp,Action,MessageID', 'enc:cert=OURS'], 'signature_missing'),
    (['ts:ttl=300', 'enc:cert=OURS'], 'not_signed_in'),
    (['ts:ttl=300', 'sign:key=STRANGER;parts=%s' % ADDRESSING, 'enc:cert=OURS'], 'certificate_untrusted'),
])  # fmt: skip
def test_less_than_that_is_refused(talk, ours, people, steps, reason):
    words = {'CLIENT': people.path('client.pem'), 'STRANGER': people.path('stranger.pem'), 'OURS': ours['encryption']}
    for word, path in words.items():
        steps = [step.replace(word, path) for step in steps]
    one = talk(endpoint('certificate'), *steps)
    assert not one.ok and one.reason == reason


# ---- assertions

def make_assertion(java, people, site, saml, conf, key='idp', **more):
    return java.assertion(v=saml, conf=conf, issuer=ISSUER, aud=site.base_url, key=people.path(key + '.pem'), **more)


@both_samls
@both_versions
def test_bearer(talk, java, people, site, ours, saml, trust):
    file = make_assertion(java, people, site, saml, 'bearer')
    one = talk(endpoint('issuedtokenmixedasymmetricbasic256', trust), 'ts:ttl=300', 'saml:file=' + file, trust=trust)
    assert java.judge(one.assertion(), ours['signing']) == 'valid'
    file = make_assertion(java, people, site, saml, 'bearer', key='other')
    one = talk(endpoint('issuedtokenmixedasymmetricbasic256', trust), 'ts:ttl=300', 'saml:file=' + file, trust=trust)
    assert not one.ok and one.reason == 'signature_invalid'


@both_samls
@both_versions
@pytest.mark.parametrize('suite', ['', 'sha256'])
def test_holder_of_key(talk, java, people, site, saml, trust, suite):
    """SA-09"""
    path = endpoint('issuedtokenmixedasymmetricbasic256' + suite, trust)
    file = make_assertion(java, people, site, saml, 'hok', proof=people.path('other.crt'))

    def send(key, **more):
        sign = 'sign:key=%s;parts=Timestamp,To;keyid=saml' % people.path(key + '.pem')
        return talk(path, 'ts:ttl=300', 'saml:file=' + file, sign, trust=trust)

    send('other').assertion()
    one = send('client')
    assert not one.ok and one.reason == 'signature_invalid'
    one = talk(path, 'ts:ttl=300', 'saml:file=' + file, trust=trust)
    assert not one.ok and one.reason == 'token_confirmation'


@both_samls
def test_sha1_belongs_to_basic256(talk, java, people, site, saml):
    """The suite in the address says what is taken."""
    file = make_assertion(java, people, site, saml, 'hok', proof=people.path('other.crt'))
    sign = 'sign:key=%s;parts=Timestamp,To;keyid=saml;sig=rsa-sha1;digest=sha1' % people.path('other.pem')
    talk(endpoint('issuedtokenmixedasymmetricbasic256'), 'ts:ttl=300', 'saml:file=' + file, sign).assertion()
    one = talk(endpoint('issuedtokenmixedasymmetricbasic256sha256'), 'ts:ttl=300', 'saml:file=' + file, sign)
    assert not one.ok and one.reason == 'signature_algorithm'


@both_samls
def test_sender_vouches(talk, java, people, site, saml):
    """By the STR-Transform over the assertion."""
    file = make_assertion(java, people, site, saml, 'sv')

    def send(key, parts='Body,Timestamp,To,#_str'):
        return talk(endpoint('certificatemixed'), 'ts:ttl=300', 'saml:file=%s;reference=_str' % file, 'sign:key=%s;parts=%s' % (people.path(key + '.pem'), parts))

    send('sender').assertion()
    one = send('client')
    assert not one.ok and one.reason == 'token_confirmation'
    for parts in ('Body,Timestamp,To', 'Timestamp,To,#_str'):
        one = send('sender', parts)
        assert not one.ok and one.reason == 'token_confirmation'


# ---- protected SOAP locations

@pytest.fixture
def ask(site, java):
    def send(*steps, soap='1.2', path='/service'):
        message = java.make(call(site.url(path), soap=soap), *steps)
        media = 'application/soap+xml' if soap == '1.2' else 'text/xml'
        before, refused = len(site.upstream.seen), len(refusals(site))
        answer = site.post(path, message, headers={'Content-Type': media})
        reached = len(site.upstream.seen) - before
        if answer.status_code == 200:
            assert reached == 1 and protected.body(site.upstream.seen[-1]) == message
            return 'taken'
        assert reached == 0
        return reason_after(site, refused)

    return send


@both_soaps
def test_protected_by_certificate(ask, people, soap):
    assert ask('ts:ttl=300', 'sign:key=%s;parts=Body,Timestamp' % people.path('client.pem'), soap=soap) == 'taken'
    assert ask('ts:ttl=300', 'sign:key=%s;parts=Body,Timestamp' % people.path('stranger.pem'), soap=soap) == 'certificate_untrusted'
    assert ask('ts:ttl=300', 'sign:key=%s;parts=Body' % people.path('client.pem'), soap=soap) == 'wss_timestamp'


@both_samls
@both_soaps
def test_protected_by_holder_of_key(ask, java, people, site, saml, soap):
    file = make_assertion(java, people, site, saml, 'hok', proof=people.path('other.crt'))

    def send(key):
        return ask('ts:ttl=300', 'saml:file=' + file, 'sign:key=%s;parts=Body,Timestamp;keyid=saml' % people.path(key + '.pem'), soap=soap)

    assert send('other') == 'taken'
    assert send('client') == 'signature_invalid'
    assert ask('ts:ttl=300', 'saml:file=' + file, soap=soap) == 'token_confirmation'


@both_samls
def test_protected_by_sender_vouches(ask, java, people, site, saml):
    file = make_assertion(java, people, site, saml, 'sv')

    def send(key):
        return ask('ts:ttl=300', 'saml:file=%s;reference=_str' % file, 'sign:key=%s;parts=Body,Timestamp,#_str' % people.path(key + '.pem'))

    assert send('sender') == 'taken'
    assert send('client') == 'token_confirmation'


# ---- a token of ours, and what its holder does with it

SAML = {'1.1': 'urn:oasis:names:tc:SAML:1.0:assertion', '2.0': 'urn:oasis:names:tc:SAML:2.0:assertion'}


@pytest.fixture(scope='module')
def own(site, ours):
    """What is behind /own is a relying party, too; the gateway reads its tokens, so keys in them are encrypted to that."""
    options = {'realm': [OWN], 'claims': harness.CLAIMS, 'certificate': ours['encryption'], 'encrypt': 'false'}
    site.site.add_partner('own', key_types=['bearer', 'symmetric', 'public'], **options)
    assert site.nginx.reload()
    return OWN


def wanted(trust, saml, key_type, more=''):
    return '<t:TokenType>%s</t:TokenType><t:KeyType>%s/%s</t:KeyType>%s' % (SAML[saml], TRUST[trust], key_type, more)


def use_key(path):
    data = re.sub('-----.*?-----|\\s', '', read(path))
    holder = '<d:KeyInfo xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:X509Data><d:X509Certificate>%s</d:X509Certificate></d:X509Data></d:KeyInfo>'
    return '<t:UseKey>%s</t:UseKey>' % (holder % data)


def read(path):
    with open(path) as file:
        return file.read()


def p_sha1(secret, seed, length):
    """RFC 2246 §5"""
    out, a = b'', seed
    while len(out) < length:
        a = hmac.digest(secret, a, 'sha1')
        out += hmac.digest(secret, a + seed, 'sha1')
    return out[:length]


class Held:
    """A token that was issued to its holder, in a file, and messages with it."""

    def __init__(self, talk, java, ask, ours, path, *steps, **options):
        self.one = talk(path, 'ts:ttl=300', *steps, realm=OWN, **options)
        self.file = java.path()
        with open(self.file, 'wb') as file:
            file.write(self.one.assertion())
        assert java.judge(self.one.assertion(), ours['signing']) == 'valid'
        self.ask = ask

    def find(self, path):
        answer = etree.fromstring(self.one.message)
        return answer.xpath('string(//%s)' % '/'.join('*[local-name()="%s"]' % name for name in path.split('/')))

    def send(self, sign=None, **options):
        steps = ['ts:ttl=300', 'saml:file=' + self.file]
        if sign:
            steps.append('sign:%s;parts=Body,Timestamp;keyid=saml' % sign)
        return self.ask(*steps, path='/own', **options)


@pytest.fixture
def hold(talk, java, ask, ours, own):
    return lambda path, *steps, **options: Held(talk, java, ask, ours, path, *steps, **options)


@both_versions
@both_samls
@both_soaps
def test_public_key_of_the_requestor(hold, people, trust, saml, soap):
    """SA-09: the token that we issue is good with the key that it was issued for, and with no other."""
    client, other = ('key=' + people.path(name + '.pem') for name in ('client', 'other'))
    more = wanted(trust, saml, 'PublicKey', use_key(people.path('client.crt')))
    held = hold(endpoint('certificatemixed', trust), 'sign:%s;parts=Timestamp,To' % client, trust=trust, soap=soap, more=more)
    assert held.send(client, soap=soap) == 'taken'
    assert held.send(other, soap=soap) == 'signature_invalid'
    assert held.send(soap=soap) == 'token_confirmation'


@both_samls
def test_public_key_beside_a_password(hold, talk, people, saml):
    """UseKey needs its proof: a signature with that key."""
    client, other = ('key=' + people.path(name + '.pem') for name in ('client', 'other'))
    more = wanted('13', saml, 'PublicKey', use_key(people.path('other.crt')))
    held = hold(endpoint('usernamemixed'), PASSWORD, 'sign:%s;parts=Timestamp' % other, more=more)
    assert held.send(other) == 'taken'
    assert held.send(client) == 'signature_invalid'
    for steps in ([], ['sign:%s;parts=Timestamp' % client]):
        one = talk(endpoint('usernamemixed'), 'ts:ttl=300', PASSWORD, *steps, realm=OWN, more=more)
        assert not one.ok and one.reason == 'wst_proof'


@both_versions
@both_samls
@pytest.mark.parametrize('algorithm', ['hmac-sha256', 'hmac-sha1'])
def test_symmetric_key_of_ours(hold, trust, saml, algorithm):
    """A key that we made; HMAC-SHA1 is none that protected locations take (XS-25)."""
    held = hold(endpoint('usernamemixed', trust), PASSWORD, trust=trust, more=wanted(trust, saml, 'SymmetricKey'))
    secret = held.find('RequestedProofToken/BinarySecret')
    assert len(base64.b64decode(secret)) == 32
    if algorithm == 'hmac-sha1':
        assert held.send('secret=%s;sig=hmac-sha1;digest=sha1' % secret) == 'signature_algorithm'
        return
    assert held.send('secret=' + secret) == 'taken'
    assert held.send('secret=' + base64.b64encode(bytes(32)).decode()) == 'signature_invalid'
    assert held.send() == 'token_confirmation'


@both_samls
def test_symmetric_key_of_both(hold, saml):
    """WS-Trust 1.3 §4.4.4: each computes it from both shares."""
    share = os.urandom(32)
    entropy = '<t:Entropy><t:BinarySecret Type="%s/Nonce">%s</t:BinarySecret></t:Entropy>' % (TRUST['13'], base64.b64encode(share).decode())
    held = hold(endpoint('usernamemixed'), PASSWORD, more=wanted('13', saml, 'SymmetricKey', entropy))
    secret = p_sha1(share, base64.b64decode(held.find('Entropy/BinarySecret')), 32)
    assert held.find('RequestedProofToken/ComputedKey').endswith('/CK/PSHA1')
    assert held.send('secret=' + base64.b64encode(secret).decode()) == 'taken'
    assert held.send('secret=' + base64.b64encode(share).decode()) == 'signature_invalid'


@both_samls
def test_symmetric_key_without_tls(hold, people, ours, saml):
    """The proof key is encrypted to the requestor's certificate."""
    key = people.path('client.pem')
    steps = ['sign:key=%s;parts=%s' % (key, ADDRESSING), 'enc:cert=%s;sym=aes256-gcm' % ours['encryption']]
    held = hold(endpoint('certificate'), *steps, key=key, more=wanted('13', saml, 'SymmetricKey'))
    wrapped = base64.b64decode(held.find('RequestedProofToken/EncryptedKey/CipherData/CipherValue'))
    command = ['openssl', 'pkeyutl', '-decrypt', '-inkey', people.path('client.key'), '-pkeyopt', 'rsa_padding_mode:oaep']
    secret = subprocess.run(command, input=wrapped, check=True, capture_output=True).stdout
    assert len(secret) == 32
    assert held.send('secret=' + base64.b64encode(secret).decode()) == 'taken'
    assert held.send('key=' + key) == 'signature_key'


# ---- what the WSDL says

def test_wsdl_names_every_endpoint(site):
    wsdl = etree.fromstring(site.get('/adfs/services/trust/mex').content)
    addresses = wsdl.xpath('//*[local-name()="port"]/*[local-name()="address"]/@location')
    names = ['usernamemixed', 'certificatemixed', 'certificatetransport', 'certificate']
    names += ['issuedtokenmixed%sbasic256%s' % pair for pair in itertools.product(('symmetric', 'asymmetric'), ('', 'sha256'))]
    assert sorted(addresses) == sorted(site.base_url + endpoint(name, trust) for name in names for trust in TRUST)
