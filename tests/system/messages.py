# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages as clients send them, written out: what a test changes is seen."""
import datetime
import html
import re
import uuid
from xml.sax.saxutils import escape

WST13 = 'http://docs.oasis-open.org/ws-sx/ws-trust/200512'
WST2005 = 'http://schemas.xmlsoap.org/ws/2005/02/trust'
MEX = '/adfs/services/trust/mex'
METADATA = '/FederationMetadata/2007-06/FederationMetadata.xml'
PASSIVE = '/adfs/ls/'
USERNAME = {'13': '/adfs/services/trust/13/usernamemixed', '2005': '/adfs/services/trust/2005/usernamemixed'}

ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"
 xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">
<s:Header>
<a:Action s:mustUnderstand="1">{trust}/RST/Issue</a:Action>
<a:MessageID>urn:uuid:{id}</a:MessageID>
<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>
<a:To s:mustUnderstand="1">{to}</a:To>
<o:Security s:mustUnderstand="1" xmlns:o="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
<u:Timestamp u:Id="_0"><u:Created>{created}</u:Created><u:Expires>{expires}</u:Expires></u:Timestamp>
<o:UsernameToken u:Id="user"><o:Username>{user}</o:Username><o:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText">{password}</o:Password></o:UsernameToken>
</o:Security>
</s:Header>
<s:Body>
<t:RequestSecurityToken xmlns:t="{trust}">
<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"><a:EndpointReference><a:Address>{realm}</a:Address></a:EndpointReference></wsp:AppliesTo>
<t:KeyType>{key_type}</t:KeyType>
<t:RequestType>{trust}/Issue</t:RequestType>
{more}</t:RequestSecurityToken>
</s:Body>
</s:Envelope>"""


def rst(base_url, user='alice', password='alice-secret', realm='urn:federation:MicrosoftOnline', trust='13', token_type=None):
    """An RST with a UsernameToken, SOAP 1.2."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = '%Y-%m-%dT%H:%M:%SZ'
    return ENVELOPE.format(
        trust=WST13 if trust == '13' else WST2005,
        key_type=WST13 + '/Bearer' if trust == '13' else 'http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey',
        id=uuid.uuid4(),
        to=escape(base_url + USERNAME[trust]),
        created=now.strftime(stamp),
        expires=(now + datetime.timedelta(minutes=5)).strftime(stamp),
        user=escape(user),
        password=escape(password),
        realm=escape(realm),
        more='<t:TokenType>%s</t:TokenType>\n' % token_type if token_type else '',
    )


def form(page):
    """The page's form: action and the fields with their values."""
    found = re.search(r'<form\b([^>]*)>(.*?)</form>', page, re.S)
    assert found, page[:2000]
    action = re.search(r'\baction="([^"]*)"', found.group(1))
    fields = {}
    for tag in re.findall(r'<(?:input|button)\b[^>]*>', found.group(2)):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'([a-z]+)="([^"]*)"', tag)}
        if 'name' in attributes:
            fields[attributes['name']] = attributes.get('value', '')
    return html.unescape(action.group(1)) if action else '', fields
