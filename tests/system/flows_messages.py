# SPDX-License-Identifier: GPL-2.0-or-later
"""The rest of flows.py: every kind of message that the active endpoints and protected SOAP locations take, and what is near to them
and refused. WSS4J signs and encrypts."""
import os
import shutil

import harness
import peers
import wss4j
from messages import MEX
from trust import JWT, SAML11, SAML20, SOAP, Program, Refused, applies_to, make, token_of, token_type, within
from wss4j import TRUST, People, call, rst

ENDPOINT = '/adfs/services/trust/%s/%s'
REALM, ISSUER = 'urn:app', 'urn:test:java'
APP = applies_to(REALM)
ADDRESSING = 'Body,Timestamp,To,Action,MessageID'
RULES = '[upn == "front@example.com"] && exists([subject_role == "Staff"]) => permit();\n'
KEY_TYPE = '<t:KeyType>' + TRUST['13'] + '/%s</t:KeyType>'
SERVER = 'ssl_client_certificate %s; ssl_verify_client optional;\n'


class Messages:
    """WSS4J, and the certificates of those who send."""

    def __init__(self):
        self.folder = harness.temporary_folder()
        self.java, self.people = wss4j.Wss4j(self.folder), People(self.folder)
        for name in ('client', 'other', 'sender', 'idp'):
            self.people.add(name)
        self.people.add_stranger('stranger')

    def stop(self):
        self.java.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def prepare(gateway, messages):
    """To a gateway that is not started yet; server directives for it."""
    gateway.messages, site, people = messages, gateway.site, messages.people
    site.add_users({'front': {'password': 'front-secret', 'groups': ['Services']}, 'dora': {'password': 'dora-secret', 'digest': True}})
    site.sections['certificates "pki"'] = {'ca': [people.ca]}
    site.sections['identity_provider "java"'] = {'issuer': ISSUER, 'certificate': [people.path('idp.crt')], 'vouched_by': [people.path('sender.crt')]}
    site.partners['app'] = {
        'realm': [REALM], 'claims': [*harness.CLAIMS, 'nameidentifier'], 'token': 'saml20', 'jwt': 'true', 'renew': '8h', 'encrypt': 'false',
        'certificate': people.path('client.crt'), 'key_types': ['bearer', 'symmetric', 'public'], 'delegation_rules': 'delegation.rules'}  # fmt: skip
    # a program whose certificate is known: messages may name it without bringing it along
    site.partners['known'] = {'realm': ['urn:known'], 'certificate': people.path('client.crt'), 'claims': harness.CLAIMS}
    with open(os.path.join(site.folder, 'delegation.rules'), 'w') as file:
        file.write(RULES)
    return SERVER % people.ca


def refused(request, *arguments):
    try:
        request(*arguments)
    except Refused:
        return
    raise AssertionError('taken: %r' % (arguments,))


def tokens(gateway):
    """For oneself and for others, renewed, cancelled, validated, translated."""
    alice, bob, front = (Program(gateway, name) for name in ('alice', 'bob', 'front'))
    for kind in (SAML11, SAML20, JWT):
        token = alice.issue(APP + token_type(kind) + '<t:Renewing OK="true"/>')
        renewed = token_of(alice.ask('Renew', within('RenewTarget', token)))
        refused(bob.ask, 'Renew', within('RenewTarget', token))
        for element in ('OnBehalfOf', 'ActAs'):
            front.issue(APP + token_type(kind) + within(element, token))
            refused(bob.issue, APP + within(element, token))
            refused(front.issue, APP + within(element, token[:-40]))
        assert 'status/valid' in front.ask('Validate', APP + token_type(SAML11 if kind == JWT else JWT) + within('ValidateTarget', token))
        assert bob.status(renewed) == 'valid'
        alice.ask('Cancel', within('CancelTarget', token))
        assert bob.status(token) == 'token_cancelled' and bob.status(token.replace('a', 'b')) != 'valid'
        refused(front.issue, APP + within('OnBehalfOf', token))
    for more in (KEY_TYPE % 'SymmetricKey', KEY_TYPE % 'SymmetricKey' + '<t:KeySize>128</t:KeySize><t:Entropy><t:BinarySecret>' + 'A' * 43 + '=' + '</t:BinarySecret></t:Entropy>'):
        held = alice.issue(APP + more)
        assert 'holder-of-key' in held
        alice.ask('Renew', within('RenewTarget', alice.issue(APP + more + '<t:Renewing/>')))
    claims = '<t:Claims Dialect="http://schemas.xmlsoap.org/ws/2005/05/identity"><i:ClaimType xmlns:i="http://schemas.xmlsoap.org/ws/2005/05/identity" Uri="%s"/></t:Claims>'
    alice.issue(APP + claims % 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn')
    alice.issue(APP + '<i:RequestDisplayToken xmlns:i="http://schemas.xmlsoap.org/ws/2005/05/identity"/>')
    for more in (claims % 'urn:none', KEY_TYPE % 'PublicKey', KEY_TYPE % 'SymmetricKey' + '<t:KeySize>64</t:KeySize>', '<t:Participants/>', '<t:Delegatable/>',
                 within('OnBehalfOf', '<o:UsernameToken xmlns:o="urn:x"/>'), within('ActAs', '<x/>')):  # fmt: skip
        refused(alice.issue, APP + more)
    good = make('Issue', APP, 'dora', 'dora-secret', digested=True)
    for message, status in ((good, 200), (good, 500), (good.replace('PasswordDigest', 'PasswordOther'), 500), (make('Issue', APP, 'dora', 'x', digested=True), 500)):
        assert gateway.post(ENDPOINT % ('13', 'usernamemixed'), message.encode(), headers=SOAP).status_code == status


def send(gateway, path, message, client=None, soap='1.2'):
    browser = gateway.browser()  # of its own, as connections keep their certificate
    browser.cert = (client + '.crt', client + '.key') if client else None
    headers = {'Content-Type': 'application/soap+xml; charset=utf-8' if soap == '1.2' else 'text/xml; charset=utf-8'}
    answer = browser.post(gateway.url(path), data=message, headers=headers, timeout=60)
    browser.close()
    return answer


def signed(gateway):
    """By certificates and by proof keys, with and without encryption, at every endpoint."""
    java, people = gateway.messages.java, gateway.messages.people
    ours = os.path.join(gateway.folder, 'encryption.pem')
    peers.write_pem(ours, gateway.get(MEX).text.rsplit('X509Certificate>', 2)[1].split('<')[0])
    client, stranger, other = (people.path(name + '.pem') for name in ('client', 'stranger', 'other'))

    def ask(name, *steps, trust='13', soap='1.2', good=True, with_client=None):
        path = ENDPOINT % (trust, name)
        message = java.make(rst(gateway.base_url + path, REALM, trust, soap), 'ts:ttl=300', *steps)
        answer = send(gateway, path, message, with_client, soap)
        assert (answer.status_code == 200) == good, (name, steps, answer.text[:2000])
        return message

    def assertion(v, conf, **more):
        return java.assertion(v=v, conf=conf, issuer=ISSUER, aud=gateway.base_url, key=people.path('idp.pem'), **more)

    for keyid in ('bst', 'issuer', 'ski', 'thumb', 'x509', 'keyvalue'):
        ask('certificatemixed', 'sign:key=%s;parts=Timestamp,To;keyid=%s' % (client, keyid), good=keyid != 'keyvalue')
    sent = ask('certificatemixed', 'sign:key=%s;parts=Body,Timestamp,To,STRTransform' % client, 'enc:cert=%s;sym=aes256-gcm' % ours)
    for message in (sent, sent.replace(b'CipherValue>', b'CipherValue>AAAA', 1), sent[:len(sent) // 2]):
        assert send(gateway, ENDPOINT % ('13', 'certificatemixed'), message).status_code >= 400
    for steps in (['sign:key=%s;parts=Timestamp,To' % stranger], ['sign:key=%s;parts=To' % client], ['sign:key=%s;parts=Timestamp,To;sig=rsa-sha1' % client], []):
        ask('certificatemixed', *steps, good=False)
    ask('certificatetransport', with_client=client[:-4])
    ask('certificatetransport', good=False)
    for trust in TRUST:
        for soap, symmetric in (('1.2', 'aes256-cbc'), ('1.1', 'aes256-gcm')):
            sign = 'sign:key=%s;parts=%s' % (client, ADDRESSING)
            ask('certificate', sign, 'enc:cert=%s;sym=%s' % (ours, symmetric), trust=trust, soap=soap)
            ask('certificate', sign, trust=trust, soap=soap, good=False)
        for v in ('1.1', '2.0'):
            held, bearer = 'saml:file=' + assertion(v, 'hok', proof=people.path('other.crt')), 'saml:file=' + assertion(v, 'bearer')
            for suite in ('', 'sha256'):
                name = 'issuedtokenmixedasymmetricbasic256' + suite
                ask(name, bearer, trust=trust)
                ask(name, held, 'sign:key=%s;parts=Timestamp,To;keyid=saml' % other, trust=trust)
                ask(name, held, 'sign:key=%s;parts=Timestamp,To;keyid=saml' % client, trust=trust, good=False)
    protected_soap(gateway, assertion)


def protected_soap(gateway, assertion):
    java, people = gateway.messages.java, gateway.messages.people

    def ask(*steps, good=True):
        message = java.make(call(gateway.url('/soap/')), 'ts:ttl=300', *steps)
        assert (send(gateway, '/soap/', message).status_code == 200) == good, steps

    def sign(name, more=''):
        return 'sign:key=%s;parts=Body,Timestamp%s' % (people.path(name + '.pem'), more)

    ask(sign('client'))
    ask(sign('stranger'), good=False)
    for v in ('1.1', '2.0'):
        held, vouched = 'saml:file=' + assertion(v, 'hok', proof=people.path('other.crt')), 'saml:file=%s;reference=_str' % assertion(v, 'sv')
        ask(held, sign('other', ';keyid=saml'))
        ask(held, sign('client', ';keyid=saml'), good=False)
        ask(vouched, sign('sender', ',#_str'))
        ask(vouched, sign('client', ',#_str'), good=False)


def everything(gateway):
    tokens(gateway)
    signed(gateway)
