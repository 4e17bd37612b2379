# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of WS-Security with a ticket of Kerberos (Kerberos Token Profile 1.1): the ticket by MIT Kerberos, the signature by xmlsec."""
import base64
import datetime
import hashlib
import hmac

import gssapi
import xmlsec
from lxml import etree

import wss4j
from kerberos import KERBEROS
from trust import WSSE, WSU

PROFILE = 'http://docs.oasis-open.org/wss/oasis-wss-kerberos-token-profile-1.1#'
GSS = PROFILE + 'GSS_Kerberosv5_AP_REQ'
WSC = 'http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512'
SESSION_KEY = gssapi.OID.from_int_seq('1.2.840.113554.1.2.2.5.5')  # GSS_C_INQ_SSPI_SESSION_KEY
BASE64 = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary'
DS, C14N = 'http://www.w3.org/2000/09/xmldsig#', 'http://www.w3.org/2001/10/xml-exc-c14n#'
SUITES = {
    'sha1': (DS + 'hmac-sha1', DS + 'sha1'),
    'sha256': ('http://www.w3.org/2001/04/xmldsig-more#hmac-sha256', 'http://www.w3.org/2001/04/xmlenc#sha256'),
}


def ticket(service='HTTP@localhost', lifetime=None):
    """(GSS-API's token, its key): without mutual authentication, as one message has no answer to it."""
    name = gssapi.Name(service, gssapi.NameType.hostbased_service)
    context = gssapi.SecurityContext(name=name, mech=KERBEROS, usage='initiate', flags=gssapi.RequirementFlag.integrity, lifetime=lifetime)
    value = context.step()
    return value, gssapi.raw.inquire_sec_context_by_oid(context, SESSION_KEY)[0]


def timestamp(seconds=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    times = [(now + datetime.timedelta(minutes=more)).strftime('%Y-%m-%dT%H:%M:%SZ') for more in (0, 5)]
    return '<u:Timestamp u:Id="time"><u:Created>%s</u:Created><u:Expires>%s</u:Expires></u:Timestamp>' % tuple(times)


def binary(value, name='ticket', kind=GSS):
    text = base64.b64encode(value).decode()
    return '<o:BinarySecurityToken u:Id="%s" ValueType="%s" EncodingType="%s">%s</o:BinarySecurityToken>' % (name, kind, BASE64, text)


def by_reference(name='ticket', kind=GSS):
    return '<o:SecurityTokenReference><o:Reference URI="#%s" ValueType="%s"/></o:SecurityTokenReference>' % (name, kind)


def by_digest(value):
    text = base64.b64encode(hashlib.sha1(value).digest()).decode()
    return '<o:SecurityTokenReference><o:KeyIdentifier ValueType="%sKerberosv5APREQSHA1">%s</o:KeyIdentifier></o:SecurityTokenReference>' % (
        PROFILE, text)  # fmt: skip


def derive(key, length=24):
    """(DerivedKeyToken, its key): WS-SecureConversation 1.3 §7, as WCF does by default; P_SHA1 of RFC 5246 §5."""
    nonce = hashlib.sha256(key).digest()[:16]
    seed = b'WS-SecureConversation' * 2 + nonce
    out, a = b'', seed
    while len(out) < length:
        a = hmac.new(key, a, 'sha1').digest()
        out += hmac.new(key, a + seed, 'sha1').digest()
    element = '<c:DerivedKeyToken u:Id="derived" xmlns:c="%s">%s<c:Offset>0</c:Offset><c:Length>%d</c:Length><c:Nonce>%s</c:Nonce></c:DerivedKeyToken>' % (
        WSC, by_reference(), length, base64.b64encode(nonce).decode())  # fmt: skip
    return element, out[:length]


def template(covered, names, suite):
    reference = ('<d:Reference URI="#%s"><d:Transforms><d:Transform Algorithm="' + C14N + '"/></d:Transforms><d:DigestMethod Algorithm="' +
                 SUITES[suite][1] + '"/><d:DigestValue/></d:Reference>')  # fmt: skip
    return ('<d:Signature xmlns:d="%s"><d:SignedInfo><d:CanonicalizationMethod Algorithm="%s"/><d:SignatureMethod Algorithm="%s"/>%s'
            '</d:SignedInfo><d:SignatureValue/><d:KeyInfo>%s</d:KeyInfo></d:Signature>') % (
        DS, C14N, SUITES[suite][0], ''.join(reference % one for one in covered), names)  # fmt: skip


def message(to, realm, tokens, key=None, trust='13', covered=('time', 'to'), names=None, suite='sha1', time=None):
    """An RST whose Security header has a Timestamp, the tokens, and a signature with key, unless that is None."""
    text = wss4j.rst(to, realm, trust).replace('<a:To ', '<a:To u:Id="to" xmlns:u="%s" ' % WSU)
    signature = template(covered, names or by_reference(), suite) if key is not None else ''
    security = '<o:Security s:mustUnderstand="1" xmlns:o="%s" xmlns:u="%s">%s</o:Security>' % (
        WSSE, WSU, (timestamp() if time is None else time) + ''.join(tokens) + signature)  # fmt: skip
    root = etree.fromstring(text.replace('</s:Header>', security + '</s:Header>'))
    if key is not None:
        xmlsec.tree.add_ids(root, ['Id'])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, key)
        context.sign(root.find('.//{%s}Signature' % DS))
    return etree.tostring(root)
