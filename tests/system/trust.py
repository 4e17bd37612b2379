# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that speaks WS-Trust to the running gateway: any request, with a name and a password or its digest."""
import base64
import datetime
import hashlib
import os
import re
import uuid

from lxml import etree

from messages import USERNAME, WST13

WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
PROFILE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#'
SAML11, SAML20, JWT = 'urn:oasis:names:tc:SAML:1.0:assertion', 'urn:oasis:names:tc:SAML:2.0:assertion', 'urn:ietf:params:oauth:token-type:jwt'
SOAP = {'Content-Type': 'application/soap+xml; charset=utf-8'}
NS = {'t': WST13, 'o': WSSE, 'u': WSU, 's': 'http://www.w3.org/2003/05/soap-envelope'}
ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>'
    '<a:Action s:mustUnderstand="1">{t}/RST/{request}</a:Action><a:MessageID>urn:uuid:{id}</a:MessageID>'
    '<o:Security s:mustUnderstand="1" xmlns:o="' + WSSE + '" xmlns:u="' + WSU + '"><u:Timestamp><u:Created>{now}</u:Created></u:Timestamp>'
    '<o:UsernameToken><o:Username>{user}</o:Username>{password}</o:UsernameToken></o:Security></s:Header><s:Body>'
    '<t:RequestSecurityToken xmlns:t="{t}"><t:RequestType>{t}/{request}</t:RequestType>{inner}</t:RequestSecurityToken></s:Body></s:Envelope>'
)


def digest(password, now):
    nonce = os.urandom(16)
    value = hashlib.sha1(nonce + now.encode() + password.encode()).digest()
    return '<o:Password Type="%sPasswordDigest">%s</o:Password><o:Nonce>%s</o:Nonce><u:Created>%s</u:Created>' % (
        PROFILE, base64.b64encode(value).decode(), base64.b64encode(nonce).decode(), now)  # fmt: skip


def make(request, inner, user, password, digested=False):
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ')[:23] + 'Z'
    words = digest(password, now) if digested else '<o:Password>%s</o:Password>' % password
    return ENVELOPE.format(t=WST13, request=request, id=uuid.uuid4(), now=now, user=user, password=words, inner=inner)


def applies_to(realm):
    return ('<p:AppliesTo xmlns:p="http://schemas.xmlsoap.org/ws/2004/09/policy"><a:EndpointReference><a:Address>%s</a:Address>'
            '</a:EndpointReference></p:AppliesTo>' % realm)  # fmt: skip


def token_type(uri):
    return '<t:TokenType>%s</t:TokenType>' % uri


def within(name, token):
    ns = 'http://docs.oasis-open.org/ws-sx/ws-trust/200802' if name == 'ActAs' else WST13
    return '<x:%s xmlns:x="%s">%s</x:%s>' % (name, ns, token, name)


def token_of(text):
    return re.search('RequestedSecurityToken>(.*)</[a-z]+:RequestedSecurityToken>', text, re.S).group(1)


class Refused(Exception):
    pass


class Program:
    def __init__(self, gateway, user, password=None):
        self.gateway, self.user, self.password = gateway, user, password or user + '-secret'
        self.post = gateway.post

    def ask(self, request, inner):
        """The answer's text; Refused with the reason that the audit log gives."""
        answer = self.post(USERNAME['13'], make(request, inner, self.user, self.password).encode(), headers=SOAP)
        if answer.status_code == 200:
            return answer.text
        reference = re.search(r'\(reference ([^)]*)\)', answer.text).group(1)
        raise Refused(self.gateway.site.audit(id=reference, event='refused')[-1]['reason'])

    def issue(self, inner):
        return token_of(self.ask('Issue', inner))

    def status(self, token):
        """'valid', or the reason why not."""
        root = etree.fromstring(self.ask('Validate', within('ValidateTarget', token)).encode())
        if root.findtext('.//t:Code', namespaces=NS).endswith('/status/valid'):
            return 'valid'
        return root.findtext('.//t:Reason', namespaces=NS).split(':')[0]
