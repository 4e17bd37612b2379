# SPDX-License-Identifier: GPL-2.0-or-later
"""WS-Trust by a ticket of Kerberos, against a real Samba domain controller: windowstransport by curl, kerberosmixed by MIT Kerberos
(python3-gssapi), whose session key signs by xmlsec (python3-xmlsec)."""
import base64
import hashlib
import re

import gssapi
import gssapi.raw
import pytest
import xmlsec
from lxml import etree

import harness
import peers
from kerberos import KERBEROS, Domain, answered, gateway, header, token
from messages import MEX, USERNAME, rst
from test_kerberos import NTLM

ACTION = {
    '13': 'http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue',
    '2005': 'http://schemas.xmlsoap.org/ws/2005/02/trust/RST/Issue',
}
SOAP = 'application/soap+xml; charset=utf-8'
REALM = 'urn:test:site'
PARTNERS = {**harness.PARTNERS, 'site': {'realm': [REALM], 'claims': harness.CLAIMS + ['upn'], 'name_id': 'upn'}}
HTTP = 'http://schemas.microsoft.com/ws/06/2004/policy/http'
both_versions = pytest.mark.parametrize('trust', ['13', '2005'])


@pytest.fixture(scope='module')
def domain():
    one = Domain()
    yield one
    one.close()


@pytest.fixture(scope='module')
def site(authority, domain):
    with gateway(authority, domain, partners=PARTNERS) as gw:
        yield gw


def path(trust, name='windowstransport'):
    return '/adfs/services/trust/%s/%s' % (trust, name)


def message(site, trust, realm=REALM, name='windowstransport'):
    """The RST without a Security header: HTTP says who it is."""
    text = rst(site.base_url, realm=realm, trust=trust).replace(USERNAME[trust], path(trust, name))
    return re.sub('<o:Security.*</o:Security>', '', text, flags=re.S)


def post(site, trust, value=None, text=None):
    headers = {'Content-Type': SOAP, **(header(value) if value is not None else {})}
    return site.browser().post(site.url(path(trust)), data=(text or message(site, trust)).encode(), headers=headers, timeout=30)


def assertion(text):
    return re.search(r'<(?:\w+:)?Assertion\b.*</(?:\w+:)?Assertion>', text, re.S).group(0)


@both_versions
def test_curl_gets_a_token_that_is_good(site, domain, trust, tmp_path):
    domain.kinit('alice')
    done = harness.run('curl', '-sS', '--cacert', site.authority.ca, '--negotiate', '-u', ':', '-H', 'Content-Type: ' + SOAP,
                       '--data-binary', '@-', site.url(path(trust)), input=message(site, trust))  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = assertion(done.stdout)
    root = etree.fromstring(found)
    assert 'alice@gw.test' in [value.text for value in root.iter('{*}AttributeValue')]
    assert 'urn:federation:authentication:windows' in found
    (tmp_path / 'token.xml').write_text(found)
    certificate = peers.signing_certificate(site, tmp_path / 'signing.pem')
    told = harness.run(harness.COMMAND, 'token', 'verify', str(tmp_path / 'token.xml'), '--trust', certificate, '--audience', REALM)
    assert told.returncode == 0, told.stdout + told.stderr
    assert site.site.audit(event='signin', user='alice@GW.TEST') and site.site.audit(event='issued', partner='site', user='alice')


@both_versions
def test_the_gateway_proves_itself(site, domain, trust):
    domain.kinit('alice')
    context, first = token()
    answer = post(site, trust, first)
    assert answer.status_code == 200, answer.text
    context.step(answered(answer))
    assert context.complete


@both_versions
def test_who_has_no_ticket_is_asked_for_one(site, domain, trust):
    answer = post(site, trust)
    assert answer.status_code == 401 and answer.headers['WWW-Authenticate'] == 'Negotiate'
    assert 'Fault' in answer.text and 'Assertion' not in answer.text
    assert site.site.audit(event='refused', reason='not_signed_in', protocol='wstrust' + trust)


@both_versions
def test_kl_01_ntlm_is_refused(site, domain, trust):
    answer = post(site, trust, NTLM)
    assert answer.status_code == 401 and 'Assertion' not in answer.text
    assert site.site.audit(event='refused', code='kerberos.ntlm', protocol='wstrust' + trust)


@both_versions
def test_kl_06_a_ticket_is_good_once(site, domain, trust):
    domain.kinit('alice')
    value = token()[1]
    assert post(site, trust, value).status_code == 200
    answer = post(site, trust, value)
    assert answer.status_code == 401 and 'Assertion' not in answer.text
    assert site.site.audit(event='signin_refused', code='kerberos.replay')


def test_what_is_not_for_this_endpoint(site, domain):
    """A password where a ticket belongs, a ticket where a password does."""
    domain.kinit('alice')
    with_password = rst(site.base_url, realm=REALM).replace(USERNAME['13'], path('13'))
    assert post(site, '13', text=with_password).status_code == 401
    refused = post(site, '13', token()[1], text=with_password)
    assert refused.status_code != 200 and 'Assertion' not in refused.text
    text = message(site, '13').replace(path('13'), USERNAME['13'])
    answer = site.browser().post(site.url(USERNAME['13']), data=text.encode(), headers={'Content-Type': SOAP, **header(token()[1])}, timeout=30)
    assert answer.status_code == 500 and 'Assertion' not in answer.text
    assert post(site, '13', token()[1]).status_code == 200


def test_an_unknown_relying_party(site, domain):
    domain.kinit('alice')
    answer = post(site, '13', token()[1], message(site, '13', 'urn:nobody'))
    assert answer.status_code == 500 and 'InvalidScope' in answer.text


def test_metadata_tells_of_it_where_there_is_a_keytab(site, domain, authority):
    root = etree.fromstring(site.get(MEX).content)
    addresses = [port.text for port in root.iterfind('.//{*}port/{*}EndpointReference/{*}Address')]
    assert all(site.base_url + path(trust) in addresses for trust in ('13', '2005'))
    assert all(site.base_url + path(trust, 'kerberosmixed') in addresses for trust in ('13', '2005'))
    assert len(root.findall('.//{%s}NegotiateAuthentication' % HTTP)) == 2
    assert len(root.findall('.//{*}EndorsingSupportingTokens/{*}Policy/{*}KerberosToken/{*}Policy/{*}WssGssKerberosV5ApReqToken11')) == 2
    assert {spn.text for spn in root.iter('{*}Spn')} == {'HTTP/localhost'}
    with harness.Gateway(authority, partners=PARTNERS) as without:
        assert 'windowstransport' not in without.get(MEX).text and 'kerberosmixed' not in without.get(MEX).text
        assert post(without, '13').status_code == 404
        assert send(without, '13', '<a/>').status_code == 404


# ---- kerberosmixed

PROFILE = 'http://docs.oasis-open.org/wss/oasis-wss-kerberos-token-profile-1.1#'
WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
DS = 'http://www.w3.org/2000/09/xmldsig#'
SESSION_KEY = gssapi.OID.from_int_seq('1.2.840.113554.1.2.2.5.5')  # MIT: GSS_C_INQ_SSPI_SESSION_KEY
REFERENCE = '<o:Reference URI="#ticket" ValueType="%sGSS_Kerberosv5_AP_REQ"/>' % PROFILE
TEMPLATE = """<o:Security s:mustUnderstand="1" xmlns:o="{wsse}">{timestamp}
<o:BinarySecurityToken u:Id="ticket" ValueType="{type}" EncodingType="{encoding}">{ticket}</o:BinarySecurityToken>
<ds:Signature xmlns:ds="{ds}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{c14n}"/><ds:SignatureMethod Algorithm="{ds}hmac-sha1"/>
{references}</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><o:SecurityTokenReference>{reference}</o:SecurityTokenReference></ds:KeyInfo></ds:Signature>
</o:Security>"""
SIGNED = """<ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="{c14n}"/></ds:Transforms><ds:DigestMethod Algorithm="{ds}sha1"/><ds:DigestValue/>\
</ds:Reference>"""
C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#'


def ticket(service='HTTP@localhost'):
    """(token, key): a client that waits for no answer, as a message has none."""
    context, first = token(service, KERBEROS, flags=[gssapi.RequirementFlag.integrity])
    return first, gssapi.raw.inquire_sec_context_by_oid(context, SESSION_KEY)[0]


def signed(site, trust, value, key, covered=('timestamp', 'to'), reference=REFERENCE, kind='GSS_Kerberosv5_AP_REQ', realm=REALM):
    text = rst(site.base_url, realm=realm, trust=trust).replace(USERNAME[trust], path(trust, 'kerberosmixed'))
    timestamp = re.search('<u:Timestamp.*</u:Timestamp>', text, re.S).group(0).replace('u:Id="_0"', 'u:Id="timestamp"')
    names = {'wsse': WSSE, 'ds': DS, 'c14n': C14N}
    security = TEMPLATE.format(timestamp=timestamp, type=PROFILE + kind, ticket=base64.b64encode(value).decode(), reference=reference,
                               references=''.join(SIGNED.format(id=one, **names) for one in covered), **names,
                               encoding='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary')  # fmt: skip
    text = re.sub('<o:Security.*</o:Security>', lambda _: security, text, flags=re.S).replace('<a:To ', '<a:To u:Id="to" ')
    root = etree.fromstring(text)
    xmlsec.tree.add_ids(root, ['Id'])
    context = xmlsec.SignatureContext()
    for element in root.iter('{*}Timestamp', '{*}To'):
        context.register_id(element, 'Id', WSU)
    context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, key)
    context.sign(root.find('.//{%s}Signature' % DS))
    return etree.tostring(root).decode()


def send(site, trust, text):
    return site.browser().post(site.url(path(trust, 'kerberosmixed')), data=text.encode(), headers={'Content-Type': SOAP}, timeout=30)


def refused(site, answer, **audit):
    told = answer.status_code == 500 and 'Fault' in answer.text and 'Assertion' not in answer.text and site.site.audit(event='refused', **audit)
    assert told, site.site.audit_now()[-2:]
    return told


@both_versions
def test_a_message_signed_by_the_tickets_key(site, domain, trust):
    domain.kinit('alice')
    answer = send(site, trust, signed(site, trust, *ticket()))
    assert answer.status_code == 200, answer.text
    found = assertion(answer.text)
    assert 'alice@gw.test' in found and 'urn:federation:authentication:windows' in found


def test_a_ticket_named_by_its_digest(site, domain):
    domain.kinit('alice')
    value, key = ticket('host@localhost')  # as Windows' clients ask for it
    by_digest = '<o:KeyIdentifier ValueType="%sKerberosv5APREQSHA1">%s</o:KeyIdentifier>'
    digest = base64.b64encode(hashlib.sha1(value).digest()).decode()
    assert send(site, '13', signed(site, '13', value, key, reference=by_digest % (PROFILE, digest))).status_code == 200, site.site.audit(event='refused')[-1]
    other = base64.b64encode(hashlib.sha1(b'another').digest()).decode()
    value, key = ticket()
    assert refused(site, send(site, '13', signed(site, '13', value, key, reference=by_digest % (PROFILE, other))), reason='signature_key')


def test_who_has_a_ticket_and_not_its_key(site, domain):
    """Whoever sees a ticket pass by has no more of it than its bytes; nobody has signed in then."""
    domain.kinit('bob')
    before = len(site.site.audit_now(event='signin', user='bob@GW.TEST'))
    value, _ = ticket()
    assert refused(site, send(site, '13', signed(site, '13', value, b'k' * 32)), code='signature.value-mismatch')
    value, key = ticket()
    text = signed(site, '13', value, key)
    assert refused(site, send(site, '13', text.replace('13/kerberosmixed</a:To>', '13/kerberosmixed/</a:To>')), code='signature.value-mismatch')
    unsigned = re.sub('<ds:Signature.*</ds:Signature>', '', signed(site, '13', *ticket()), flags=re.S)
    assert refused(site, send(site, '13', unsigned), reason='not_signed_in')
    assert len(site.site.audit_now(event='signin', user='bob@GW.TEST')) == before


@pytest.mark.parametrize('covered,reason', [(('to',), 'wss_timestamp'), (('timestamp',), 'signature_missing')])
def test_what_must_be_signed(site, domain, covered, reason):
    """WT-04, XS-28."""
    domain.kinit('alice')
    assert refused(site, send(site, '13', signed(site, '13', *ticket(), covered=covered)), reason=reason)


@both_versions
def test_kl_06_a_message_is_good_once(site, domain, trust):
    """And so is its ticket, in another message and in HTTP's header."""
    domain.kinit('alice')
    value, key = ticket()
    text = signed(site, trust, value, key)
    assert send(site, trust, text).status_code == 200
    assert refused(site, send(site, trust, text), code='kerberos.replay')
    assert refused(site, send(site, trust, signed(site, trust, value, key)), code='kerberos.replay')
    assert post(site, trust, value).status_code == 401


@pytest.mark.parametrize('change,audit', [
    (lambda text: re.sub('(<o:BinarySecurityToken.*</o:BinarySecurityToken>)', r'\1\1', text, count=1, flags=re.S), {}),
    (lambda text: text.replace('#GSS_Kerberosv5_AP_REQ"', '#Kerberosv5_AP_REQ"'), {'reason': 'wss_unsupported'}),
    (lambda text: re.sub('(<o:BinarySecurityToken[^>]*>)[^<]*', r'\1' + 'QUFB' * 30000, text), {'reason': 'wss_structure'}),  # KL-04
    (lambda text: re.sub('(<o:BinarySecurityToken[^>]*>)[^<]*', r'\1' + base64.b64encode(NTLM).decode(), text), {'code': 'kerberos.ntlm'}),
])  # fmt: skip
def test_other_tokens(site, domain, change, audit):
    domain.kinit('alice')
    text = signed(site, '13', *ticket())
    assert refused(site, send(site, '13', change(text)), **audit)


def test_at_other_endpoints_a_ticket_is_nothing(site, domain):
    domain.kinit('alice')
    text = signed(site, '13', *ticket()).replace(path('13', 'kerberosmixed'), USERNAME['13'])
    answer = site.browser().post(site.url(USERNAME['13']), data=text.encode(), headers={'Content-Type': SOAP}, timeout=30)
    assert refused(site, answer, reason='wss_unsupported')
