# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad messages to the active endpoints of the running gateway, by the ids of the list of attacks. Each test has its
control: the same message without the defect gets a token. What a refusal looks like, and that it is written to the audit
log with the right reason, is in attack.py."""
import base64
import datetime
import gzip
import hashlib
import http.client
import os
import re
import ssl
import time
from xml.sax.saxutils import escape, quoteattr

import pytest
from lxml import etree

import harness
import peers
from attack import ACTION, SOAP12, Listener, Sts, swap, to_soap11
from messages import MEX, USERNAME, WST13, WST2005, rst

PASSWORD = 'the-password-of-alice'
WRONG = 'not-the-password-of-alice'
REALM = 'https://app.example.com/Area/'
MARKUP = '"\'><b>&amp;</b>]]>'
WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
PROFILE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#'
TEXT_TYPE = ' Type="%sPasswordText"' % PROFILE
TOKEN_END = '</o:UsernameToken>'
RST_END = '</t:RequestSecurityToken>'


@pytest.fixture(scope='module')
def sts(authority):
    users = {
        'alice': {'password': PASSWORD, 'groups': ['Staff', MARKUP]},
        'robot': {'password': PASSWORD, 'digest': True},
    }
    partners = {
        'app': {'realm': [REALM], 'claims': harness.CLAIMS, 'name_id': 'upn'},
        'modern': {'realm': ['urn:test:saml20'], 'claims': harness.CLAIMS, 'token': 'saml20'},
    }
    sections = {'lockout': {'account_failures': 1000, 'address_failures': 1000}}
    with harness.Gateway(authority, users=users, partners=partners, sections=sections) as gateway:
        sts = Sts(gateway, [PASSWORD, WRONG])
        yield sts
        sts.check_logs()


@pytest.fixture
def good(sts):
    """A message that gets a token: the control of the tests that take it."""
    return make(sts)


def make(sts, trust='13', **options):
    return rst(sts.gateway.base_url, **{'password': PASSWORD, 'realm': REALM, 'trust': trust, **options})


def again(message):
    """The same with a MessageID of its own."""
    return re.sub('urn:uuid:[0-9a-f-]+', 'urn:uuid:' + os.urandom(8).hex(), message)


def stamp(seconds):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%SZ')


def in_request(message, element):
    """With one more child of the RST; of a namespace that nobody knows, it is passed over."""
    return swap(message, RST_END, element + RST_END)


def in_header(message, element):
    return swap(message, '</s:Header>', element + '</s:Header>')


def with_text(message, name, text):
    changed, count = re.subn('(<%s\\b[^>]*>).*?(</%s>)' % (name, name), lambda m: m.group(1) + text + m.group(2), message, flags=re.S)
    assert count == 1
    return changed


def without(message, name):
    changed, count = re.subn('<%s\\b.*?</%s>' % (name, name), '', message, flags=re.S)
    assert count == 1
    return changed


def test_the_controls_of_both_versions_and_soaps(sts):
    for trust in ('13', '2005'):
        sts.accept(make(sts, trust), trust=trust)
        sts.accept(to_soap11(make(sts, trust)), trust=trust)


# ---- XP: XML

def test_xp01_doctype(sts, good):
    sts.accept('<?xml version="1.0" encoding="utf-8"?>\n' + good)
    for doctype in ('<!DOCTYPE s:Envelope>', '<!DOCTYPE x [<!ELEMENT x ANY>]>', '<!DOCTYPE x PUBLIC "-//x" "x">'):
        sts.refuse(doctype + again(good), 'xml_doctype')
        sts.refuse('<?xml version="1.0"?>\n<!-- x -->' + doctype + to_soap11(good), 'xml_doctype')
    sts.refuse(swap(good, '<s:Header>', '<!DOCTYPE x><s:Header>'), 'xml_doctype')


@pytest.mark.parametrize('doctype', [
    '<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file://{fifo}">]>',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "{url}"> %p;]>',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "file://{fifo}"> %p;]>',
    '<!DOCTYPE x SYSTEM "{url}">',
    '<!DOCTYPE x SYSTEM "file://{fifo}">',
    '<!DOCTYPE x PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "{url}">',
])  # fmt: skip
def test_xp02_external_entity(sts, good, doctype):
    """XP-02: who opens the pipe would wait for its writer, who asks for the URL would be heard."""
    fifo = os.path.join(sts.gateway.folder, 'pipe')
    if not os.path.exists(fifo):
        os.mkfifo(fifo)
        os.chmod(fifo, 0o666)
    with Listener() as listener:
        before = time.monotonic()
        sts.refuse(doctype.format(url=listener.url, fifo=fifo) + with_text(good, 'o:Username', '&e;'), 'xml_doctype')
        assert time.monotonic() - before < 10 and not listener.was_called()


def test_xp02_undeclared_entity(sts, good):
    sts.accept(with_text(good, 'o:Username', '&#97;lic&#x65;'))
    sts.refuse(with_text(again(good), 'o:Username', '&alice;'), 'xml_malformed')


def test_xp03_entity_expansion(sts, good):
    laughs = '<!ENTITY a0 "ha">' + ''.join('<!ENTITY a%d "%s">' % (i, '&a%d;' % (i - 1) * 10) for i in range(1, 12))
    blowup = '<!ENTITY a "%s">' % ('x' * 100000)
    before = time.monotonic()
    sts.refuse('<!DOCTYPE x [%s]>' % laughs + with_text(good, 'o:Username', '&a11;'), 'xml_doctype')
    sts.refuse('<!DOCTYPE x [%s]>' % blowup + with_text(again(good), 'o:Username', '&a;' * 1000), 'xml_doctype')
    assert time.monotonic() - before < 10
    sts.accept(again(good))


def nested(depth):
    """In the RST, which is the third level."""
    return '<x:x xmlns:x="urn:x">' + '<x:y>' * (depth - 4) + '</x:y>' * (depth - 4) + '</x:x>'


def test_xp04_depth(sts, good):
    sts.accept(in_request(good, nested(64)))
    sts.refuse(in_request(again(good), nested(65)), 'xml_limit')
    sts.refuse(in_request(again(good), nested(12000)), 'xml_limit')


def test_xp05_attributes(sts, good):
    def element(count):
        return '<x:x xmlns:x="urn:x"%s/>' % ''.join(' a%d=""' % i for i in range(count))

    sts.accept(in_request(good, element(64)))
    sts.refuse(in_request(again(good), element(65)), 'xml_limit')
    sts.refuse(in_request(again(good), element(20000)), 'xml_limit')


def test_xp06_namespaces(sts, good):
    """XP-06: the envelope declares three, the RST one."""

    def element(count):
        return '<x0:x%s/>' % ''.join(' xmlns:x%d="urn:x%d"' % (i, i) for i in range(count))

    sts.accept(in_request(good, element(60)))
    sts.refuse(in_request(again(good), element(61)), 'xml_limit')
    bomb = element(800)[:-2] + '>' + '<x0:y/>' * 800 + '</x0:x>'
    before = time.monotonic()
    sts.refuse(in_request(again(good), bomb), 'xml_limit')
    assert time.monotonic() - before < 5


@pytest.mark.parametrize('encoding,reason', [('utf-16', 'xml_encoding'), ('utf-16-le', 'xml_encoding'), ('utf-16-be', 'xml_encoding'),
                                             ('utf-32', 'xml_encoding'), ('cp037', 'xml_encoding')])
def test_xp07_encodings(sts, good, encoding, reason):
    sts.accept('\ufeff' + good)
    message = again(good)
    sts.refuse(message.encode(encoding), reason)
    sts.refuse(('<?xml version="1.0" encoding="%s"?>' % encoding + message).encode(encoding), reason)
    sts.refuse('<?xml version="1.0" encoding="%s"?>' % encoding + message, reason)


@pytest.mark.parametrize('name', ['utf-7', 'iso-8859-1', 'us-ascii', 'x-unknown'])
def test_xp07_declared_encodings(sts, good, name):
    sts.accept('<?xml version="1.0" encoding="UTF-8"?>' + good)
    sts.refuse('<?xml version="1.0" encoding="%s"?>' % name + again(good), 'xml_encoding')
    sts.refuse(again(good), 'xml_encoding', headers={'Content-Type': 'application/soap+xml; charset=' + name})


@pytest.mark.parametrize('octets', ['c1a1', 'e080a1', 'f08080a1', 'eda080', 'f4908080', 'ff', 'c3'])
def test_xp08_bad_utf8(sts, good, octets):
    sts.accept(in_request(good, '<x:x xmlns:x="urn:x">\u00e9\U0001f600</x:x>'))
    message = in_request(again(good), '<x:x xmlns:x="urn:x">@</x:x>').encode()
    sts.refuse(message.replace(b'>@<', b'>' + bytes.fromhex(octets) + b'<'), 'xml_encoding')


@pytest.mark.parametrize('text', ['\0', '\x01', '\x1b', '\ufffe', '&#0;', '&#x0;', '&#1;', '&#xD800;', '&#xFFFE;', '&#x110000;',
                                  '&#99999999999;'])  # fmt: skip
def test_xp08_characters_that_xml_has_not(sts, good, text):
    sts.accept(in_request(good, '<x:x xmlns:x="urn:x">&#9;&#x1F600;</x:x>'))
    sts.refuse(in_request(again(good), '<x:x xmlns:x="urn:x">%s</x:x>' % text), 'xml_malformed', 'xml_encoding')
    sts.refuse(with_text(again(good), 'o:Username', 'alice' + text), 'xml_malformed', 'xml_encoding')


def test_xp09_size(sts, good):
    """XP-09: 256 KiB, whatever fills them."""
    sts.accept(good.ljust(256 * 1024))
    sts.refuse(again(good).ljust(256 * 1024 + 1), 'too_large')
    sts.refuse(in_request(again(good), '<x:x xmlns:x="urn:x">%s</x:x>' % ('x' * 300000)), 'too_large')
    sts.refuse(to_soap11(again(good)).ljust(300000), 'too_large')


def test_xp09_elements(sts, good):
    def element(count):
        return '<x:x xmlns:x="urn:x">%s</x:x>' % ('<a/>' * count)

    sts.accept(in_request(good, element(19000)))
    sts.refuse(in_request(again(good), element(20001)), 'xml_limit')


@pytest.mark.parametrize('tail', ['<x/>', 'x', '\0', '&#32;', '<![CDATA[]]>', '</s:Envelope>', '<?xml version="1.0"?>', '<!-- -- -->'])
def test_xp10_trailing_bytes(sts, good, tail):
    sts.accept(good + '\r\n<!-- the end -->\n')
    sts.refuse(again(good) + tail, 'xml_malformed', 'xml_encoding', 'xml_structure')


def test_xp10_two_messages(sts, good):
    sts.refuse(good + again(good), 'xml_malformed')
    sts.refuse('x' + again(good), 'xml_malformed')
    sts.refuse('', 'xml_malformed')
    sts.accept(again(good))


def test_xp11_nothing_is_fetched(sts, good):
    """XP-11: what points elsewhere is passed over or refused, never followed."""
    with Listener() as listener:
        include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="%s" parse="text"/>' % listener.url
        location = ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x %s" i:noNamespaceSchemaLocation="%s"'
        sts.accept(in_request(good, include))
        sts.accept(swap(again(good), '<s:Body>', '<s:Body%s>' % (location % (listener.url, listener.url))))
        sts.refuse('<?xml-stylesheet type="text/xsl" href="%s"?>' % listener.url + again(good), 'xml_structure')
        sts.refuse(in_request(again(good), '<?x y?>'), 'xml_structure')
        sts.refuse(with_text(again(good), 'o:Username', include), 'xml_structure')
        sts.refuse(with_text(again(good), 'o:Password', include), 'xml_structure')
        assert not listener.was_called()


def test_xp12_compressed(sts, good):
    """XP-12: nothing is inflated here, so that nothing can burst."""
    sts.accept(good)
    sts.refuse(gzip.compress(again(good).encode()), 'xml_encoding', 'xml_malformed', headers={'Content-Encoding': 'gzip'})


TIMES = ['', 'now', '2026-11-22', '2026-11-22 10:00:00Z', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-11-22T25:00:00Z',
         '2026-11-22T10:61:00Z', '2026-11-22T10:00:00', '2026-11-22T10:00:00+25:00', '99999999999-01-01T00:00:00Z', '-1-01-01T00:00:00Z',
         '2026-11-22T10:00:00.Z', '2026-11-22T10:00:00ZZ', '0x7ea-11-22T10:00:00Z']  # fmt: skip


@pytest.mark.parametrize('text', TIMES)
def test_xp13_malformed_times(sts, good, text):
    sts.accept(with_text(good, 'u:Created', stamp(0).replace('Z', '.1234567Z')))
    sts.refuse(with_text(again(good), 'u:Created', text), 'wss_timestamp')
    sts.refuse(with_text(again(good), 'u:Expires', text), 'wss_timestamp')
    lifetime = '<t:Lifetime><u:Expires>%s</u:Expires></t:Lifetime>'
    sts.refuse(in_request(again(good), lifetime % text), 'wst_time_range')


WRONG_PLACES = {  # old, new, reason
    'envelope': (SOAP12, 'urn:x', 'soap_version'),
    'body': ('<s:Body>', '<s:Body xmlns:s="urn:x">', 'soap_structure'),
    'rst': ('xmlns:t="%s"' % WST13, 'xmlns:t="urn:x"', 'wst_invalid_request'),
    'rst of the other version': ('xmlns:t="%s"' % WST13, 'xmlns:t="%s"' % WST2005, 'wst_invalid_request'),
    'security': ('s:mustUnderstand="1" xmlns:o="', 'xmlns:o="urn:x', 'wss_structure'),
    'utility': ('xmlns:u="', 'xmlns:u="urn:x', 'wss_unsupported'),
    'addressing': ('xmlns:a="', 'xmlns:a="urn:x', 'soap_must_understand'),
    'text in the body': ('<s:Body>', '<s:Body>x', 'soap_structure'),
    'text in the header': ('<s:Header>', '<s:Header>x', 'soap_structure'),
    'cdata in the body': ('<s:Body>', '<s:Body><![CDATA[x]]>', 'soap_structure'),
    'element in the name': ('<o:Username>alice', '<o:Username><x/>alice', 'xml_structure'),
}


@pytest.mark.parametrize('what', WRONG_PLACES)
def test_xp14_wrong_namespace_or_node(sts, good, what):
    old, new, reason = WRONG_PLACES[what]
    sts.accept(good)
    sts.refuse(swap(again(good), old, new), reason)


def test_xp14_names_without_namespace(sts, good):
    sts.accept(good)
    for name in ('KeyType', 'RequestType'):
        message = re.sub(r'</?t:%s>' % name, lambda m: m.group(0).replace('t:', ''), again(good))
        if name == 'RequestType':
            sts.refuse(message, 'wst_invalid_request')
        else:
            sts.accept(message)
    sts.refuse(re.sub(r'</?o:Username>', lambda m: m.group(0).replace('o:', ''), again(good)), 'not_signed_in')


def test_comments_and_cdata_do_not_shorten_a_value(sts, good):
    """XS-19, of a name and of a realm."""
    sts.accept(with_text(good, 'o:Username', 'al<!-- x -->i<![CDATA[ce]]>'))
    sts.refuse(with_text(again(good), 'o:Username', 'alice<!-- x -->@x'), 'wrong_user_or_password')
    address = '<a:Address>%s' % REALM
    sts.refuse(swap(again(good), address, address + '<!-- x -->.evil'), 'wst_scope')


# ---- XS-09: the envelope

def test_xs09_two_bodies(sts, good):
    body = re.search(r'<s:Body>.*</s:Body>', good, re.S).group(0)
    header = re.search(r'<s:Header>.*</s:Header>', good, re.S).group(0)
    sts.accept(good)
    for envelope in (header + body + body, header + body + '<s:Body/>', header + '<s:Body/>' + body, body + header, body + header + body,
                     header + header + body, header + body + header, header + '<x/>' + body, header + body + '<x/>',
                     header, body.replace('s:Body', 's:Header') + header + body):  # fmt: skip
        message = again(good[:good.index('<s:Header>')] + envelope + '</s:Envelope>')
        sts.refuse(message, 'soap_structure')


def test_xs09_two_requests_in_the_body(sts, good):
    request = re.search(r'<t:RequestSecurityToken .*</t:RequestSecurityToken>', good, re.S).group(0)
    for twice in (request + request, '<x/>' + request, request + '<x/>'):
        sts.refuse(swap(again(good), request, twice), 'soap_structure')
    sts.refuse(swap(again(good), request, ''), 'wst_invalid_request')
    sts.refuse(swap(again(good), request, '<x:x xmlns:x="urn:x">%s</x:x>' % request), 'wst_invalid_request')


def test_xs09_a_body_moved_elsewhere_is_not_read(sts, good):
    """The Body counts that stands where it belongs, whatever a header that is not ours wraps."""
    body = re.search(r'<s:Body>.*</s:Body>', good, re.S).group(0)
    wrapped = in_header(good, '<x:wrapper xmlns:x="urn:x">%s</x:wrapper>' % body)
    sts.accept(wrapped)
    empty = again(wrapped[:wrapped.rindex('<s:Body>')] + '<s:Body/></s:Envelope>')
    sts.refuse(empty, 'wst_invalid_request')


def test_an_empty_signature_is_refused_rather_than_passed_over(sts, good):
    signature = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'
    sts.accept(good)
    sts.refuse(swap(again(good), TOKEN_END, TOKEN_END + signature), 'signature_structure')


# ---- WT: WS-Trust

UNKNOWN = ['urn:nobody', REALM[:-1], REALM + 'x', REALM + '/', REALM.lower(), REALM.upper(), REALM.replace('https', 'HTTPS'),
           REALM.replace('.com', '.com:443'), REALM.replace('Area', '%41rea'), REALM.replace('Area', './Area'), REALM + '?', REALM + '#',
           REALM.replace('https', 'http'), REALM.replace('app', 'App'), REALM.replace('app', 'x@app'), REALM.replace('/A', ' /A'),
           REALM.replace('a', '\u0430', 1), '*', '']  # fmt: skip


@pytest.mark.parametrize('realm', UNKNOWN)
def test_wt01_unknown_relying_party(sts, good, realm):
    """WT-01: compared byte by byte, and before the password is looked at."""
    sts.accept(good)
    before = len(sts.gateway.site.audit(event='signin'))
    sts.refuse(make(sts, realm=realm), 'wst_scope')
    sts.refuse(make(sts, '2005', realm=realm), 'wst_scope', trust='2005')
    assert len(sts.gateway.site.audit(event='signin')) == before


def test_wt01_two_addresses(sts, good):
    applies_to = re.search(r'<wsp:AppliesTo.*</wsp:AppliesTo>', good, re.S).group(0)
    reference = re.search(r'<a:EndpointReference>.*</a:EndpointReference>', good, re.S).group(0)
    address = '<a:Address>%s</a:Address>' % REALM
    sts.accept(good)
    sts.refuse(swap(again(good), applies_to, applies_to + applies_to), 'wst_invalid_request')
    sts.refuse(swap(again(good), address, address + address), 'wst_scope')
    sts.refuse(swap(again(good), reference, reference + reference), 'wst_scope')
    sts.refuse(swap(again(good), applies_to, ''), 'wst_scope')


def test_wt02_what_is_no_token_stands_for_nobody(sts, good):
    """WT-02; what tokens do is in test_wstrust_tokens.py."""
    on_behalf = '<t:OnBehalfOf><x/></t:OnBehalfOf>'
    act_as = '<w:ActAs xmlns:w="http://docs.oasis-open.org/ws-sx/ws-trust/200802"><x/></w:ActAs>'
    sts.accept(good)
    for element in (on_behalf, act_as):
        sts.refuse(in_request(again(good), element), 'wss_unsupported')
    for element in ('<t:OnBehalfOf/>', on_behalf + on_behalf, on_behalf + act_as, '<t:DelegateTo/>', '<t:Participants/>'):
        sts.refuse(in_request(again(good), element), 'wst_invalid_request')


def nonce(text=None, created=None):
    text = base64.b64encode(os.urandom(16)).decode() if text is None else text
    return '<o:Nonce>%s</o:Nonce><u:Created>%s</u:Created>' % (text, stamp(0) if created is None else created)


def test_wt03_nonce_replay(sts, good):
    """WT-03: once, at whichever endpoint and worker."""
    first = nonce()
    sts.accept(swap(good, TOKEN_END, first + TOKEN_END))
    for _ in range(4):
        sts.refuse(swap(again(good), TOKEN_END, first + TOKEN_END), 'wss_replay')
    sts.refuse(swap(make(sts, '2005'), TOKEN_END, first + TOKEN_END), 'wss_replay', trust='2005')
    spaced = first.replace('<o:Nonce>', '<o:Nonce>\n ').replace('</o:Nonce>', '\t</o:Nonce>')
    sts.refuse(swap(again(good), TOKEN_END, spaced + TOKEN_END), 'wss_replay')
    sts.accept(swap(again(good), TOKEN_END, nonce() + TOKEN_END))


def test_wt03_nonce_and_its_time(sts, good):
    for created in (-100, 100):  # what the clocks may differ
        sts.accept(swap(again(good), TOKEN_END, nonce(created=stamp(created)) + TOKEN_END))
    for created in (-3600, 3600):
        sts.refuse(swap(again(good), TOKEN_END, nonce(created=stamp(created)) + TOKEN_END), 'wss_expired')
    alone = nonce()[:nonce().index('<u:Created>')]
    large = base64.b64encode(bytes(1000)).decode()
    for bad in (alone, nonce(''), nonce('***'), nonce(large), nonce() + nonce(), nonce(created='yesterday')):
        sts.refuse(swap(again(good), TOKEN_END, bad + TOKEN_END), 'wss_structure')


def with_digest(message, first, password=PASSWORD, kind='#PasswordDigest', more=None):
    """With Base64(SHA-1(nonce + created + password)) in place of the password, and more in place of the nonce it is of."""
    parts = re.search('<o:Nonce>(.*)</o:Nonce><u:Created>(.*)</u:Created>', first)
    octets = base64.b64decode(parts.group(1)) + parts.group(2).encode() + password.encode()
    text = with_text(message, 'o:Password', base64.b64encode(hashlib.sha1(octets).digest()).decode())
    return swap(swap(text, '#PasswordText', kind), TOKEN_END, (first if more is None else more) + TOKEN_END)


def test_wt03_digest_is_taken_once(sts):
    robot = make(sts, user='robot')
    first = nonce()
    sts.accept(with_digest(again(robot), first))
    for _ in range(3):
        sts.refuse(with_digest(again(robot), first), 'wss_replay')
    sts.refuse(with_digest(make(sts, '2005', user='robot'), first), 'wss_replay', trust='2005')
    sts.accept(with_digest(make(sts, '2005', user='robot'), nonce()), trust='2005')


def test_wt03_digest_needs_nonce_and_created(sts):
    robot = make(sts, user='robot')
    first = nonce()
    for more in ('', first[:first.index('<u:')], first[first.index('<u:'):]):
        sts.refuse(with_digest(again(robot), first, more=more), 'wss_structure')
    for other in (nonce(), nonce(created=stamp(-1))):  # another than the digest was made of
        sts.refuse(with_digest(again(robot), first, more=other), 'wrong_user_or_password')
    for created in (-3600, 3600):
        sts.refuse(with_digest(again(robot), nonce(created=stamp(created))), 'wss_expired')
    sts.accept(with_digest(again(robot), first))


def test_wt03_digest_of_others_looks_like_a_wrong_password(sts):
    """What is kept of a password is the administrator's business, and so is who exists."""
    faults = []
    for user, reason in (('alice', 'digest_not_possible'), ('nobody', 'wrong_user_or_password')):
        root = sts.refuse(with_digest(make(sts, user=user), nonce()), reason)
        faults.append(re.sub(r'\(reference .*?\)', '', ''.join(root.xpath('//*[local-name()="Fault"]')[0].itertext())))
    root = sts.refuse(with_digest(make(sts, user='robot'), nonce(), WRONG), 'wrong_user_or_password')
    faults.append(re.sub(r'\(reference .*?\)', '', ''.join(root.xpath('//*[local-name()="Fault"]')[0].itertext())))
    assert faults[0] == faults[1] == faults[2] and 'FailedAuthentication' in faults[0]
    sts.accept(with_digest(make(sts, user='robot'), nonce()))


def test_wt05_digest_sent_as_text_is_a_wrong_password(sts):
    robot = make(sts, user='robot')
    sts.refuse(with_digest(again(robot), nonce(), kind='#PasswordText'), 'wrong_user_or_password')
    sts.refuse(swap(swap(again(robot), '#PasswordText', '#PasswordDigest'), TOKEN_END, nonce() + TOKEN_END), 'wss_structure')
    sts.accept(robot)


TIMESTAMP = re.compile(r'<u:Timestamp u:Id="_0">.*?</u:Timestamp>', re.S)


def timestamp(message, created, expires, more=''):
    given = {'Created': created, 'Expires': expires}
    times = ''.join('<u:%s>%s</u:%s>' % (name, stamp(value), name) for name, value in given.items() if value is not None)
    return TIMESTAMP.sub('<u:Timestamp u:Id="_0">%s</u:Timestamp>' % (times + more), message)


@pytest.mark.parametrize('created,expires,reason', [
    (0, -10, 'wss_timestamp'), (0, 0, 'wss_timestamp'), (None, 300, 'wss_timestamp'), (None, None, 'wss_timestamp'),
    (-3600, -3300, 'wss_expired'), (3600, 3900, 'wss_expired'), (-3600, 3600, 'wss_expired'), (-3600, None, 'wss_expired'),
])  # fmt: skip
def test_wt04_timestamp(sts, good, created, expires, reason):
    sts.accept(timestamp(good, -60, 240))
    sts.accept(timestamp(again(good), 0, None))
    sts.refuse(timestamp(again(good), created, expires), reason)


def test_wt04_timestamp_absent_or_twice(sts, good):
    stamped = TIMESTAMP.search(good).group(0)
    sts.accept(good)
    sts.refuse(swap(again(good), stamped, ''), 'wss_timestamp')
    sts.refuse(swap(again(good), stamped, stamped + stamped), 'wss_timestamp')
    sts.refuse(swap(again(good), TOKEN_END, TOKEN_END + stamped), 'wss_timestamp')
    sts.refuse(timestamp(again(good), 0, 300, '<u:Created>%s</u:Created>' % stamp(0)), 'wss_timestamp')
    sts.refuse(timestamp(again(good), 0, 300, '<u:Expires>%s</u:Expires>' % stamp(300)), 'wss_timestamp')


def test_wt05_password_missing_or_wrong(sts, good):
    sts.accept(good)
    sts.accept(swap(again(good), TEXT_TYPE, ''))
    for message in (with_text(good, 'o:Password', ''), without(good, 'o:Password'), without(good, 'o:Username'),
                    with_text(good, 'o:Username', ''), with_text(good, 'o:Username', ' '),
                    re.sub('<o:UsernameToken.*</o:UsernameToken>', '', good, flags=re.S)):  # fmt: skip
        sts.refuse(again(message), 'not_signed_in')
    for password in (WRONG, PASSWORD + ' ', ' ' + PASSWORD, PASSWORD.upper(), PASSWORD[:-1], PASSWORD + '&#13;'):
        sts.refuse(with_text(again(good), 'o:Password', password), 'wrong_user_or_password')


def test_wt05_user_unknown_says_the_same(sts, good):
    """Whether there is such a user is nobody's business."""
    unknown = sts.refuse(with_text(good, 'o:Username', 'nobody'), 'wrong_user_or_password')
    known = sts.refuse(with_text(again(good), 'o:Password', WRONG), 'wrong_user_or_password')
    sentence = [re.sub('reference [^)]*', '', ''.join(root.itertext('{*}Text'))) for root in (unknown, known)]
    assert sentence[0] == sentence[1]


def test_wt05_two_passwords(sts, good):
    token = re.search('<o:UsernameToken.*</o:UsernameToken>', good, re.S).group(0)
    name, password = (re.search('<o:%s[> ].*?</o:%s>' % (part, part), good, re.S).group(0) for part in ('Username', 'Password'))
    sts.accept(good)
    for old in (token, name, password):
        sts.refuse(swap(again(good), old, old + old), 'wss_structure')
    sts.refuse(swap(again(good), '#PasswordText', '#PasswordTexT'), 'wss_unsupported')


def lifetime_of(root):
    conditions = root.xpath('//*[local-name()="Conditions"]')[0]
    first, last = (datetime.datetime.fromisoformat(conditions.get(name).replace('Z', '+00:00')) for name in ('NotBefore', 'NotOnOrAfter'))
    return (last - first).total_seconds()


def test_wt09_lifetime(sts, good):
    """WT-09: shorter as asked, never longer than the relying party's."""
    lifetime = '<t:Lifetime><u:Created>%s</u:Created><u:Expires>%s</u:Expires></t:Lifetime>'
    assert lifetime_of(sts.accept(good)) == 3600
    assert lifetime_of(sts.accept(in_request(again(good), lifetime % (stamp(0), stamp(10 * 365 * 86400))))) == 3600
    assert 500 < lifetime_of(sts.accept(in_request(again(good), lifetime % (stamp(0), stamp(600))))) <= 600
    for created, expires in ((-600, -300), (300, 100), (7200, 9000)):
        sts.refuse(in_request(again(good), lifetime % (stamp(created), stamp(expires))), 'wst_time_range')


@pytest.mark.parametrize('trust', ['13', '2005'])
def test_wt09_key_type(sts, trust):
    good = make(sts, trust)
    sts.accept(good, trust=trust)
    sts.accept(without(again(good), 't:KeyType'), trust=trust)
    for kind in ('SymmetricKey', 'PublicKey', 'bearer', 'Bearer/'):
        key_type = (WST13 if trust == '13' else WST2005) + '/' + kind
        sts.refuse(with_text(again(good), 't:KeyType', key_type), 'wst_key_type', trust=trust)
    for element in ('<t:Entropy/>', '<t:UseKey/>'):
        sts.refuse(in_request(again(good), element), 'wst_key', trust=trust)
    for element in ('<t:UseKey><x/></t:UseKey>', '<t:ProofEncryption/>'):
        sts.refuse(in_request(again(good), element), 'wst_key_type', trust=trust)


def test_wt09_token_type(sts, good):
    sts.accept(in_request(good, '<t:TokenType>%s</t:TokenType>' % peers.SAML['saml20']))
    for kind in ('urn:x', peers.SAML['saml20'].upper(), '', 'urn:ietf:params:oauth:token-type:jwt'):
        sts.refuse(in_request(again(good), '<t:TokenType>%s</t:TokenType>' % kind), 'wst_token_type')


def test_wt09_claims(sts, good):
    """WT-09: a claim that the relying party does not get is not to be had by asking."""
    claims = '<t:Claims Dialect="http://schemas.xmlsoap.org/ws/2005/05/identity"><i:ClaimType Uri="%s"%s ' \
             'xmlns:i="http://schemas.xmlsoap.org/ws/2005/05/identity"/></t:Claims>'  # fmt: skip
    mine = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn'
    foreign = 'http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID'
    sts.accept(in_request(good, claims % (mine, '')))
    root = sts.accept(in_request(again(good), claims % (foreign, ' Optional="true"')))
    assert 'id-of-alice' not in etree.tostring(root).decode()
    sts.refuse(in_request(again(good), claims % (foreign, '')), 'wst_claims')


@pytest.mark.parametrize('name', ['BatchIssue', 'BatchRenew', 'IssueX', 'SCT'])
@pytest.mark.parametrize('trust', ['13', '2005'])
def test_other_requests_are_refused_clearly(sts, name, trust):
    """By the action, by the RequestType, and by both."""
    good = make(sts, trust)
    namespace = WST13 if trust == '13' else WST2005
    action, request_type = namespace + '/RST/' + name, '%s/%s' % (namespace, name)
    sts.accept(good, trust=trust)
    sts.refuse(with_text(again(good), 'a:Action', action), 'addressing_action', trust=trust)
    sts.refuse(with_text(again(good), 't:RequestType', request_type), 'wst_request_type', trust=trust)
    both = with_text(with_text(again(good), 'a:Action', action), 't:RequestType', request_type)
    sts.refuse(both, 'addressing_action', trust=trust)


@pytest.mark.parametrize('name', ['Renew', 'Cancel', 'Validate'])
@pytest.mark.parametrize('trust', ['13', '2005'])
def test_action_and_request_type_agree(sts, name, trust):
    good = make(sts, trust)
    namespace = WST13 if trust == '13' else WST2005
    sts.accept(good, trust=trust)
    sts.refuse(with_text(again(good), 'a:Action', namespace + '/RST/' + name), 'addressing_action', trust=trust)
    sts.refuse(with_text(again(good), 't:RequestType', '%s/%s' % (namespace, name)), 'wst_invalid_request', trust=trust)


def test_a_batch_is_refused_clearly(sts, good):
    request = re.search(r'<t:RequestSecurityToken .*</t:RequestSecurityToken>', good, re.S).group(0)
    collection = '<t:RequestSecurityTokenCollection xmlns:t="%s">%s</t:RequestSecurityTokenCollection>' % (WST13, request + request)
    sts.accept(good)
    sts.refuse(swap(again(good), request, collection), 'wst_request_type')
    sts.refuse(in_request(again(good), '<t:RequestType>%s/Issue</t:RequestType>' % WST13), 'wst_invalid_request')


def test_an_action_of_the_other_version(sts, good):
    sts.accept(good)
    sts.refuse(with_text(again(good), 'a:Action', ACTION['2005']), 'addressing_action')
    sts.refuse(without(again(good), 'a:Action'), 'addressing_header')
    sts.refuse(swap(again(good), '<a:MessageID>', '<a:Action>%s</a:Action><a:MessageID>' % ACTION['13']), 'addressing_header')


def test_answers_go_nowhere_else(sts, good):
    """WT-10, WM-15: the answer goes back on the connection that asked."""
    with Listener() as listener:
        sts.accept(good)
        reply_to = '<a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address>'
        sts.refuse(swap(again(good), reply_to, '<a:Address>%s</a:Address>' % listener.url), 'addressing_header')
        fault_to = '<a:FaultTo><a:Address>%s</a:Address></a:FaultTo>' % listener.url
        sts.refuse(in_header(again(good), fault_to), 'addressing_header')
        sts.refuse(with_text(again(good), 'a:To', listener.url), 'addressing_header')
        assert not listener.was_called()


# ---- WT-11: headers

def test_wt11_two_security_headers(sts, good):
    security = re.search('<o:Security.*</o:Security>', good, re.S).group(0)
    role = ' s:role="%s">'
    sts.accept(good)
    sts.accept(in_header(again(good), security.replace('>', role % 'urn:somebody-else', 1)))
    sts.refuse(in_header(again(good), security), 'wss_structure')
    sts.refuse(in_header(again(good), security.replace('>', role % (SOAP12 + '/role/next'), 1)), 'wss_structure')
    sts.refuse(in_header(again(good), security.replace('s:mustUnderstand="1"', 's:mustUnderstand="0"')), 'wss_structure')
    sts.refuse(swap(again(good), security, ''), 'wss_structure')
    sts.refuse(swap(again(good), security, security.replace('>', role % 'urn:somebody-else', 1)), 'wss_structure')


@pytest.mark.parametrize('convert', [str, to_soap11], ids=['soap12', 'soap11'])
def test_wt11_must_understand(sts, good, convert):
    header = '<x:x xmlns:x="urn:x" s:mustUnderstand="%s"/>'
    sts.accept(convert(in_header(good, header % '0')))
    sts.refuse(convert(in_header(again(good), header % '1')), 'soap_must_understand')
    sts.refuse(convert(in_header(again(good), header % 'true')), 'soap_must_understand')
    sts.refuse(convert(in_header(again(good), header % 'maybe')), 'soap_structure')


# ---- HT-05: HTTP

def post(sts, headers, message, trust='13'):
    """(status, body); headers is a list, so that one may come twice."""
    context = ssl.create_default_context(cafile=sts.gateway.authority.ca)
    connection = http.client.HTTPSConnection('localhost', sts.gateway.port, context=context, timeout=30)
    connection.putrequest('POST', USERNAME[trust])
    for name, value in [*headers, ('Content-Length', str(len(message.encode())))]:
        connection.putheader(name, value)
    connection.endheaders(message.encode())
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def refuse_http(sts, headers, message, reason):
    status, body = post(sts, headers, message)
    root = etree.fromstring(body)
    Sts.check_fault(root, reason, '13', status)
    reference = re.search(rb'\(reference ([0-9a-f-]+)\)', body).group(1).decode()
    lines = harness.wait_for(lambda: sts.gateway.site.audit(event='refused', id=reference))
    assert [line['reason'] for line in lines] == [reason]


def test_ht05_content_type_twice(sts, good):
    kind = ('Content-Type', 'application/soap+xml; charset=utf-8')
    assert post(sts, [kind], good)[0] == 200
    for other in (kind, ('Content-Type', 'text/xml'), ('content-type', 'text/plain'), ('Content-Type', '')):
        refuse_http(sts, [kind, other], again(good), 'unsupported_media_type')
        refuse_http(sts, [other, kind], again(good), 'unsupported_media_type')
    refuse_http(sts, [], again(good), 'unsupported_media_type')


@pytest.mark.parametrize('kind', ['text/plain', 'application/xml', 'application/x-www-form-urlencoded',
                                  'multipart/related; type="text/xml"', 'application/soap+xml; charset=utf-8; charset=utf-8', 'application/soap+xml; charset'])  # fmt: skip
def test_ht05_content_types_that_are_not_taken(sts, good, kind):
    """Also WT-12: attachments."""
    sts.accept(good, headers={'Content-Type': 'Application/SOAP+XML;charset="UTF-8"'})
    sts.refuse(again(good), 'unsupported_media_type', headers={'Content-Type': kind})


def test_ht05_soap_versions_mixed(sts, good):
    sts.accept(to_soap11(good))
    sts.refuse(again(good), 'unsupported_media_type', headers={'Content-Type': 'text/xml', 'SOAPAction': ACTION['13']})


def test_ht05_soap_action_twice(sts, good):
    kind, action = ('Content-Type', 'text/xml; charset=utf-8'), ('SOAPAction', '"%s"' % ACTION['13'])
    message = to_soap11(good)
    assert post(sts, [kind, action], message)[0] == 200
    for other in (action, ('SOAPAction', '"urn:other"'), ('soapaction', '""')):
        refuse_http(sts, [kind, action, other], again(message), 'bad_http_request')
        refuse_http(sts, [kind, other, action], again(message), 'bad_http_request')


def test_ht05_actions_that_differ(sts, good):
    kind = 'application/soap+xml; action="%s"'
    sts.accept(good, headers={'Content-Type': kind % ACTION['13'], 'SOAPAction': ACTION['13']})
    sts.refuse(again(good), 'addressing_action', headers={'Content-Type': kind % 'urn:other'})
    sts.refuse(again(good), 'addressing_action', headers={'SOAPAction': '"urn:other"'})
    sts.refuse(to_soap11(again(good)), 'addressing_action', headers={'SOAPAction': '"%s"' % ACTION['2005']})


# ---- metadata exchange reads messages as well

MEX_GET = '<s:Envelope xmlns:s="%s" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>' \
          '<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action><a:MessageID>urn:uuid:1</a:MessageID>' \
          '</s:Header><s:Body/></s:Envelope>' % SOAP12  # fmt: skip


@pytest.mark.parametrize('id,change,reason', [
    ('XP-01', lambda m: '<!DOCTYPE x>' + m, 'xml_doctype'),
    ('XP-04', lambda m: m.replace('<s:Body/>', '<s:Body>%s</s:Body>' % nested(70)), 'xml_limit'),
    ('XP-07', lambda m: m.encode('utf-16'), 'xml_encoding'),
    ('XP-09', lambda m: m.ljust(300000), 'too_large'),
    ('XP-10', lambda m: m + m, 'xml_malformed'),
    ('XS-09', lambda m: m.replace('<s:Body/>', '<s:Body/><s:Body/>'), 'soap_structure'),
    ('WT-11', lambda m: in_header(m, '<x s:mustUnderstand="1"/>'), 'soap_must_understand'),
    ('Action', lambda m: m.replace('/Get<', '/Put<'), 'addressing_action'),
])  # fmt: skip
def test_metadata_exchange(sts, id, change, reason):
    answer = sts.gateway.soap(MEX, MEX_GET)
    assert answer.status_code == 200 and b'definitions' in answer.content
    sts.refuse(change(MEX_GET), reason, path=MEX)


# ---- SA-13: input that is copied

def context_of(root):
    return root.xpath('//*[local-name()="RequestSecurityTokenResponse"]/@Context')


@pytest.mark.parametrize('trust', ['13', '2005'])
@pytest.mark.parametrize('text', ['urn:plain', MARKUP, '\n\t\r', '\u2028\u202e\u00a0\x85\U0001f600', '-->', 'x' * 2000])
def test_sa13_context_comes_back_as_it_was(sts, trust, text):
    value = quoteattr(text, {'\n': '&#10;', '\t': '&#9;', '\r': '&#13;', '\x85': '&#x85;'})
    message = swap(make(sts, trust), '<t:RequestSecurityToken ', '<t:RequestSecurityToken Context=%s ' % value)
    assert context_of(sts.accept(message, trust=trust)) == [text]


def test_sa13_message_id_comes_back_as_it_was(sts, good):
    text = 'urn:x:' + MARKUP + '\u202e'
    root = sts.accept(with_text(good, 'a:MessageID', escape(text)))
    assert root.xpath('//*[local-name()="RelatesTo"]/text()') == [text]


NAMES = [MARKUP, 'alice"}\n{"event":"issued"', 'alice\r\nX: y', '../alice', 'alice\u202e', '\u0430lice', 'alice,', "' or '1'='1",
         'x' * 5000]  # fmt: skip


@pytest.mark.parametrize('name', NAMES)
def test_sa13_user_names(sts, good, name):
    """A name is data wherever it goes: to the directory, into the fault, into a line of the audit log."""
    sts.accept(good)
    before = len(sts.gateway.site.audit(event='issued'))
    text = escape(name, {'\n': '&#10;', '\t': '&#9;', '\r': '&#13;'})
    root = sts.refuse(with_text(again(good), 'o:Username', text), 'wrong_user_or_password')
    assert name not in ''.join(root.itertext())
    lines = sts.gateway.site.audit(event='signin_refused', reason='wrong_user_or_password')
    assert lines[-1]['user'] and name.strip().startswith(lines[-1]['user'])
    assert len(sts.gateway.site.audit(event='issued')) == before


def test_sa13_a_name_in_other_letters_is_the_directorys_in_the_token(sts, good):
    root = sts.accept(with_text(good, 'o:Username', ' ALIce&#9;'))
    values = root.xpath('//*[local-name()="AttributeValue"]/text()')
    assert 'alice' in values and 'ALIce' not in values


@pytest.mark.parametrize('realm', ['urn:x' + MARKUP, REALM + '\n{"event":"issued"}', REALM + '\u202e', 'x' * 5000])
def test_sa13_applies_to(sts, good, realm):
    sts.accept(good)
    text = escape(realm, {'\n': '&#10;'})
    reference = '<a:EndpointReference><a:Address>%s</a:Address></a:EndpointReference>' % text
    root = sts.refuse(with_text(again(good), 'wsp:AppliesTo', reference), 'wst_scope')
    assert realm not in ''.join(root.itertext())
    line = sts.gateway.site.audit(event='refused', reason='wst_scope')[-1]
    assert realm.startswith(line['applies_to'])


@pytest.mark.parametrize('realm', [REALM, 'urn:test:saml20'])
def test_sa13_attributes_with_markup_are_escaped_and_signed(sts, tmp_path, realm):
    answer = sts.send(make(sts, realm=realm))
    token = re.search(rb'RequestedSecurityToken>(.*)</trust:RequestedSecurityToken>', answer.content, re.S).group(1)
    root = etree.fromstring(token)
    assert MARKUP in root.xpath('//*[local-name()="AttributeValue"]/text()')
    assert not root.xpath('//*[local-name()="b"]')
    certificate = peers.signing_certificate(sts.gateway, tmp_path / 'signing.pem')
    assert peers.xmlsec1_verifies(token, certificate, tmp_path)


# ---- logs

def test_no_log_holds_a_password_or_a_token(sts, good):
    """After one of each kind, with the password where no password belongs; and once more when all tests are through."""
    sts.accept(good)
    for place, reason in (('o:Password', 'xml_malformed'), ('a:Action', 'xml_malformed')):
        sts.refuse(with_text(again(good), place, PASSWORD + '<'), reason)
    sts.refuse(with_text(again(good), 'o:Password', PASSWORD + '<x/>'), 'xml_structure')
    sts.refuse(again(good).ljust(300000), 'too_large')
    sts.check_logs()
    assert PASSWORD in sts.secrets and len(sts.secrets) > 2
