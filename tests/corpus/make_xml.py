# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents of the corpus before they are signed: xmlsec1 fills in the templates of signatures."""
DS = 'http://www.w3.org/2000/09/xmldsig#'
EXC = 'http://www.w3.org/2001/10/xml-exc-c14n#'
MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
ENC = 'http://www.w3.org/2001/04/xmlenc#'
IDP, OURS, ACS = 'https://idp.example.org', 'urn:federation:ours', 'https://fs.example.com/adfs/ls/'
CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims'
ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims'


def attribute(name, value):
    return '' if value is None else ' %s="%s"' % (name, value)


def signature(target='_assertion-1', method=MORE + 'rsa-sha256', digest=ENC + 'sha256', c14n=EXC, transforms=None, xpath=False, key_info=True):
    if transforms is None:
        transforms = [DS + 'enveloped-signature', EXC]
    steps = ''.join('<ds:Transform Algorithm="%s"/>' % one for one in transforms)
    if xpath:
        steps = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>' + '<ds:Transform Algorithm="%s"/>' % EXC
    return ('<ds:Signature xmlns:ds="%s"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="%s"/><ds:SignatureMethod Algorithm="%s"/>'
            '<ds:Reference URI="#%s"><ds:Transforms>%s</ds:Transforms><ds:DigestMethod Algorithm="%s"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>'
            '<ds:SignatureValue/>%s</ds:Signature>') % (DS, c14n, method, target, steps, digest, '<ds:KeyInfo><ds:X509Data/></ds:KeyInfo>' if key_info else '')


def assertion20(signature='', id='_assertion-1', issuer=IDP, issued='2026-11-28T11:59:00Z', start='2026-11-28T11:59:00Z', end='2026-11-28T13:00:00Z',
                audience=OURS, recipient=ACS, in_response_to=None, confirmation='bearer', confirmed_until='2026-11-28T12:05:00Z', condition='', version='2.0',
                names=1, proof=''):
    if end is not None and start > '2026-11-28T12:05:00Z':
        confirmed_until = end
    data = '<saml:SubjectConfirmationData%s%s%s>%s</saml:SubjectConfirmationData>' % (
        attribute('NotOnOrAfter', confirmed_until), attribute('Recipient', recipient), attribute('InResponseTo', in_response_to), proof)
    confirmed = '' if confirmation is None else '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:%s">%s</saml:SubjectConfirmation>' % (confirmation, data)
    restriction = '' if audience is None else '<saml:AudienceRestriction><saml:Audience>%s</saml:Audience></saml:AudienceRestriction>' % audience
    return ('<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" IssueInstant="%s" Version="%s"><saml:Issuer>%s</saml:Issuer>%s'
            '<saml:Subject>%s%s</saml:Subject><saml:Conditions%s%s>%s%s</saml:Conditions><saml:AttributeStatement>'
            '<saml:Attribute Name="%s/upn" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"><saml:AttributeValue>alice@example.org</saml:AttributeValue></saml:Attribute>'
            '<saml:Attribute Name="%s/surname"><saml:AttributeValue>M\u00fcller</saml:AttributeValue></saml:Attribute>'
            '<saml:Attribute Name="%s/role"><saml:AttributeValue>Users</saml:AttributeValue><saml:AttributeValue>Staff</saml:AttributeValue></saml:Attribute>'
            '</saml:AttributeStatement><saml:AuthnStatement AuthnInstant="2026-11-28T11:58:00Z" SessionIndex="_session-1"><saml:AuthnContext><saml:AuthnContextClassRef>'
            'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement></saml:Assertion>') % (
        id, issued, version, issuer, signature, '<saml:NameID>alice</saml:NameID>' * names, confirmed, attribute('NotBefore', start), attribute('NotOnOrAfter', end),
        restriction, condition, CLAIMS, CLAIMS, ROLE)


def assertion11(signature='', id='_assertion-1', issuer=IDP, issued='2026-11-28T11:59:00Z', start='2026-11-28T11:59:00Z', end='2026-11-28T13:00:00Z',
                audience=OURS, confirmation='bearer', condition='', version='1', names=1):
    method = '' if confirmation is None else '<saml:SubjectConfirmation><saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:%s</saml:ConfirmationMethod></saml:SubjectConfirmation>' % confirmation
    subject = '<saml:Subject>%s%s</saml:Subject>' % ('<saml:NameIdentifier>alice</saml:NameIdentifier>' * names, method)
    restriction = '' if audience is None else '<saml:AudienceRestrictionCondition><saml:Audience>%s</saml:Audience></saml:AudienceRestrictionCondition>' % audience
    return ('<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" AssertionID="%s" IssueInstant="%s" Issuer="%s" MajorVersion="%s" MinorVersion="1">'
            '<saml:Conditions%s%s>%s%s</saml:Conditions><saml:AttributeStatement>%s'
            '<saml:Attribute AttributeName="upn" AttributeNamespace="%s"><saml:AttributeValue>alice@example.org</saml:AttributeValue></saml:Attribute>'
            '<saml:Attribute AttributeName="surname" AttributeNamespace="%s"><saml:AttributeValue>M\u00fcller</saml:AttributeValue></saml:Attribute>'
            '<saml:Attribute AttributeName="role" AttributeNamespace="%s"><saml:AttributeValue>Users</saml:AttributeValue><saml:AttributeValue>Staff</saml:AttributeValue></saml:Attribute>'
            '</saml:AttributeStatement><saml:AuthenticationStatement AuthenticationInstant="2026-11-28T11:58:00Z" AuthenticationMethod="urn:oasis:names:tc:SAML:1.0:am:password">%s'
            '</saml:AuthenticationStatement>%s</saml:Assertion>') % (
        id, issued, issuer, version, attribute('NotBefore', start), attribute('NotOnOrAfter', end), restriction, condition, subject, CLAIMS, CLAIMS, ROLE, subject, signature)


def response(assertion, signature='', issuer=IDP, destination=ACS, issued='2026-11-28T11:59:00Z', version='2.0', in_response_to='_request-1'):
    return ('<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_response-1" IssueInstant="%s" Version="%s"%s%s>'
            '<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer>%s<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'
            '</samlp:Status>%s</samlp:Response>') % (issued, version, attribute('Destination', destination), attribute('InResponseTo', in_response_to), issuer, signature, assertion)


def rstr(token, trust):
    ns = {'2005': 'http://schemas.xmlsoap.org/ws/2005/02/trust', '13': 'http://docs.oasis-open.org/ws-sx/ws-trust/200512'}[trust]
    one = ('<t:RequestSecurityTokenResponse xmlns:t="%s"><t:Lifetime><u:Created xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">2026-11-28T11:59:00Z'
           '</u:Created></t:Lifetime><t:RequestedSecurityToken>%s</t:RequestedSecurityToken></t:RequestSecurityTokenResponse>') % (ns, token)
    return one if trust == '2005' else '<t:RequestSecurityTokenResponseCollection xmlns:t="%s">%s</t:RequestSecurityTokenResponseCollection>' % (ns, one)


WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
PROFILE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3'
BASE64 = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary'


def soap(body, certificate=None, token='', created='2026-11-28T11:59:00Z', expires='2026-11-28T12:04:00Z', parts=('_ts', '_body')):
    security = ''
    if certificate or token:
        security = '<o:Security xmlns:o="%s" s:mustUnderstand="1"><u:Timestamp u:Id="_ts"><u:Created>%s</u:Created><u:Expires>%s</u:Expires></u:Timestamp>%s%s</o:Security>' % (
            WSSE, created, expires, token, '' if not certificate else
            '<o:BinarySecurityToken u:Id="_bst" ValueType="%s" EncodingType="%s">%s</o:BinarySecurityToken>' % (PROFILE, BASE64, certificate) +
            '<ds:Signature xmlns:ds="%s"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="%s"/><ds:SignatureMethod Algorithm="%srsa-sha256"/>' % (DS, EXC, MORE) +
            ''.join('<ds:Reference URI="#%s"><ds:Transforms><ds:Transform Algorithm="%s"/></ds:Transforms><ds:DigestMethod Algorithm="%ssha256"/><ds:DigestValue/></ds:Reference>' % (
                one, EXC, ENC) for one in parts) +
            '</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><o:SecurityTokenReference><o:Reference URI="#_bst" ValueType="%s"/></o:SecurityTokenReference></ds:KeyInfo></ds:Signature>' % PROFILE)
    return ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:u="%s"><s:Header>%s</s:Header><s:Body u:Id="_body">%s</s:Body></s:Envelope>') % (WSU, security, body)


def encrypted(content, transport):
    return ('<xenc:EncryptedData xmlns:xenc="%s" Type="%sElement"><xenc:EncryptionMethod Algorithm="%s"/><ds:KeyInfo xmlns:ds="%s"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="%s"/>'
            '<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>') % (
        ENC, ENC, content, DS, transport)


def entity(entity_id, certificate, signature='', valid_until='2027-01-01T00:00:00Z'):
    return ('<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_metadata-1" entityID="%s"%s>%s<md:IDPSSODescriptor '
            'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="%s"><ds:X509Data><ds:X509Certificate>%s'
            '</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
            'Location="https://idp.example.org/adfs/ls/"/></md:IDPSSODescriptor></md:EntityDescriptor>') % (entity_id, attribute('validUntil', valid_until), signature, DS, certificate)
