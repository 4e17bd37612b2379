# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks on the running gateway: WS-Federation requests, sign-in responses at the claims viewer, cookies.

Each bad message has its control: the same one without the defect, made by the same code, is accepted. A refusal is a page with
a correlation id, and an audit line with that id and the reason.
"""
import contextlib
import copy
import datetime
import html
import http.server
import os
import re
import ssl
import threading
import urllib.parse

import pytest
from lxml import etree

import forge
import harness
from forge import DS, EXC, SAML1, SAML2, ds
from messages import METADATA, PASSIVE, form
from rp import signing_certificate

ECHO = 'https://echo.localhost:4443/'
UPN = 'alice@example.com'
MARKUP = '"\'><script>document.title=\'pwned\'</script><img src=x onerror="document.title=\'pwned\'">&amp;{{organisation}}'
SESSION = '__Host-fedgate'
ID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
RST = '<t:RequestSecurityToken xmlns:t="http://schemas.xmlsoap.org/ws/2005/02/trust"><t:TokenType>%s</t:TokenType></t:RequestSecurityToken>'
STAMP = '%Y-%m-%dT%H:%M:%S.000Z'


def passive(**parameters):
    return PASSIVE + '?' + urllib.parse.urlencode({'wa': 'wsignin1.0', **parameters})


class Person:
    """Somebody's browser, by hand."""

    def __init__(self, gateway):
        self.gateway, self.session = gateway, gateway.browser()

    def get(self, path, **options):
        return self.session.get(self.gateway.url(path), allow_redirects=False, timeout=30, **options)

    def post(self, path, data, **options):
        return self.session.post(self.gateway.url(path), data=data, allow_redirects=False, timeout=30, **options)

    def sign_in(self, path, user='alice', password='alice-secret'):
        """Through the form; the answer."""
        page = self.get(path)
        action, fields = form(page.text)
        return self.post(action.removeprefix(self.gateway.base_url), {**fields, 'username': user, 'password': password})

    def viewer_state(self):
        """A wctx that the claims viewer takes from this browser."""
        where = self.get('/demo/').headers['Location']
        return where, urllib.parse.parse_qs(urllib.parse.urlsplit(where).query)['wctx'][0]


class Bench:
    """A gateway, alice's browser, and good responses of both formats to make bad ones from."""

    def __init__(self, gateway, folder):
        self.gateway, self.alice = gateway, Person(gateway)
        self.certificate = signing_certificate(gateway, os.path.join(folder, 'signing.pem'))
        self.key = forge.gateway_key(gateway, self.certificate)
        self.foreign = forge.foreign_rsa()
        self.accepted_count = 0
        _, self.state = self.alice.viewer_state()
        self.issued = {}
        for ns, more in ((SAML2, {'wreq': RST % SAML2}), (SAML1, {'wreq': RST % SAML1})):
            path = passive(wtrealm='urn:fedgate:demo', wctx=self.state, **more)
            answer = self.alice.get(path) if self.issued else self.alice.sign_in(path)
            self.issued[ns] = form(answer.text)[1]['wresult']

    def response(self, ns=SAML2):
        """A good one, with an id of its own; to be signed."""
        made = forge.Response(self.issued[ns])
        made.key = self.key
        return made

    def send(self, wresult, person=None, **fields):
        text = wresult if isinstance(wresult, str) else wresult.text()
        return (person or self.alice).post('/demo/', {'wa': 'wsignin1.0', 'wresult': text, 'wctx': self.state, **fields})

    def accepted(self, answer):
        assert answer.status_code == 200, self.why(answer)
        assert UPN in answer.text and 'Signed in as' in answer.text
        before = self.accepted_count
        harness.wait_for(lambda: len(self.gateway.site.audit(event='accepted')) > before)
        self.accepted_count = len(self.gateway.site.audit(event='accepted'))

    def why(self, answer):
        ids = ID.findall(answer.text)
        return [line for line in self.gateway.site.audit() if line['id'] in ids] or answer.text

    def refused(self, answer, *reasons):
        """A page with an id, whose audit line has one of the reasons; nothing of a sign-in."""
        assert answer.status_code >= 400, answer.text
        assert answer.headers['Content-Type'].startswith('text/html') and 'Location' not in answer.headers
        ids = ID.findall(answer.text)
        # a busy machine: the line may come a moment after the page
        harness.wait_for(lambda: any(line['id'] in ids for line in self.gateway.site.audit(event='refused')))
        lines = [line for line in self.gateway.site.audit(event='refused') if line['id'] in ids]
        assert len(lines) == 1 and lines[0]['reason'] in reasons, self.why(answer)
        assert 'signature_' not in answer.text and 'decryption_' not in answer.text  # one public face
        assert 'alice@' not in answer.text and 'mallory' not in answer.text and 'Signed in as' not in answer.text
        assert SESSION not in answer.headers.get('Set-Cookie', '')


@pytest.fixture(scope='module')
def bench(authority, tmp_path_factory):
    users = {**harness.USERS, 'markup': {'password': 'markup-secret', 'upn': MARKUP, 'groups': [MARKUP]}}
    partners = {**harness.PARTNERS, 'echo': {'realm': ['urn:test:echo'], 'reply': [ECHO, ECHO + 'second?a=b'], 'claims': ['upn', 'role']},
                'markup': {'display_name': MARKUP, 'realm': ['urn:test:markup'], 'reply': [ECHO], 'claims': ['upn']}}  # fmt: skip
    partners['viewer'] = {**harness.PARTNERS['viewer'], 'name_id': 'upn'}
    # no lockout: nobody here guesses passwords
    options = {'lockout': {'account_failures': '100000', 'address_failures': '100000'},
               'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'}}  # fmt: skip
    with harness.Gateway(authority, partners=partners, users=users, sections=options) as gateway:
        yield Bench(gateway, str(tmp_path_factory.mktemp('bench')))
    assert '[alert]' not in gateway.last_log and '[crit]' not in gateway.last_log, gateway.last_log


# ---- requests (WF-01, 02, 03, 06, 07)

REPLIES = ['https://evil.example/', 'https://echo.localhost:4443', 'https://ECHO.localhost:4443/', 'https://echo.localhost:4443/x',
           'http://echo.localhost:4443/', 'https://echo.localhost:4443/@evil.example/', 'https://echo.localhost:4443@evil.example/',
           'https://echo.localhost:4443\\@evil.example/', '//echo.localhost:4443/', 'javascript:alert(1)', 'data:text/html,x',
           'https://echo.localhost:4443/?', 'https://echo.localhost:4443/#', ' https://echo.localhost:4443/', ECHO + '\r\nX: y',
           'https://localhost/demo/', 'https://login.microsoftonline.com/login.srf']  # fmt: skip


@pytest.mark.parametrize('action', ['wsignin1.0', 'wsignout1.0'])
def test_wf01_wreply(bench, action):
    person = Person(bench.gateway)
    person.sign_in(passive(wtrealm='urn:test:echo'))
    for reply in REPLIES:
        bench.refused(person.get(passive(wa=action, wtrealm='urn:test:echo', wreply=reply)), 'wsfed_reply')
    for reply in (ECHO, ECHO + 'second?a=b'):
        answer = person.get(passive(wa=action, wtrealm='urn:test:echo', wreply=reply))
        assert answer.status_code == 200 and html.escape(reply) in answer.text


def test_wf02_wctx_is_opaque(bench):
    person = Person(bench.gateway)
    answer = person.sign_in(passive(wtrealm='urn:test:echo', wctx=MARKUP))
    assert form(answer.text)[1]['wctx'] == MARKUP and '<script>document' not in answer.text
    bench.refused(person.get(passive(wtrealm='urn:test:echo', wctx='a') + '&wctx=b'), 'wsfed_request')


def test_wf03_clean_up_from_elsewhere(bench):
    """A request that another site's page makes comes without the cookie (SameSite): nobody is signed out by it."""
    person, stranger = Person(bench.gateway), Person(bench.gateway)
    assert 'wresult' in person.sign_in(passive(wtrealm='urn:test:echo')).text
    assert stranger.get(passive(wa='wsignoutcleanup1.0')).status_code == 200
    assert 'wresult' in person.get(passive(wtrealm='urn:test:echo')).text
    assert person.get(passive(wa='wsignoutcleanup1.0')).status_code == 200
    assert 'name="password"' in person.get(passive(wtrealm='urn:test:echo')).text


@contextlib.contextmanager
def evil_site(authority, page):
    """A page at another site, as its owner wants it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header('Content-Type', 'text/html')
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate + '.crt', authority.certificate + '.key')
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield 'https://evil.localhost:%d/' % server.server_address[1]
        server.shutdown()


def test_wf03_clean_up_from_elsewhere_in_chromium(bench, profile, authority):
    page = profile()
    page.do('answer', url=ECHO, body='<!doctype html><link rel=icon href="data:,">taken')
    url = bench.gateway.url(passive(wtrealm='urn:test:echo'))
    page.goto(url)
    page.sign_in('alice', 'alice-secret')
    clean = bench.gateway.url(passive(wa='wsignoutcleanup1.0'))
    with evil_site(authority, '<!doctype html><link rel=icon href="data:,"><img src="%s"><iframe src="%s"></iframe>' % (clean, clean)) as evil:
        page.goto(evil)
    assert len([one for one in page.requests() if one['url'] == clean and one.get('status') == 200]) == 2
    page.goto(url)
    assert page.text() == 'taken'


@pytest.mark.parametrize('name', ['wreqptr', 'wresultptr', 'wattrptr', 'wpseudoptr'])
def test_wf06_pointers(bench, name):
    person = Person(bench.gateway)
    bench.refused(person.get(passive(wtrealm='urn:test:echo', **{name: bench.gateway.url(METADATA)})), 'wsfed_pointer')
    bench.refused(bench.send(bench.response().sign(), **{name: bench.gateway.url(METADATA)}), 'wsfed_pointer')
    bench.accepted(bench.send(bench.response().sign()))


def test_wf07_no_weaker_sign_in(bench):
    person = Person(bench.gateway)
    password = 'urn:oasis:names:tc:SAML:1.0:am:password'
    assert 'wresult' in person.sign_in(passive(wtrealm='urn:test:echo', wauth=password)).text
    assert 'name="password"' in person.get(passive(wtrealm='urn:test:echo', wfresh='0')).text
    assert 'wresult' in person.get(passive(wtrealm='urn:test:echo', wfresh='10', wauth=password)).text
    for wauth in ('urn:oasis:names:tc:SAML:1.0:am:X509-PKI', 'urn:federation:authentication:windows', 'none'):
        bench.refused(person.get(passive(wtrealm='urn:test:echo', wauth=wauth)), 'wsfed_auth')
    bench.refused(person.get(passive(wtrealm='urn:test:echo', whr='urn:nowhere')), 'wsfed_home_realm')
    for wfresh in ('-1', '1e3', '0x1', ' 1'):
        bench.refused(person.get(passive(wtrealm='urn:test:echo', wfresh=wfresh)), 'wsfed_request')


# ---- responses (WF-04, 05, 08, 09; SA-06)

@pytest.mark.parametrize('ns', [SAML1, SAML2])
def test_control(bench, ns):
    """What is signed here with the gateway's key is as good as what it signs itself."""
    bench.accepted(bench.send(bench.issued[ns]))
    bench.accepted(bench.send(bench.response(ns).sign()))


def test_wf04_sa06_replay(bench):
    good = bench.response().sign()
    bench.accepted(bench.send(good))
    bench.refused(bench.send(good), 'token_replay')
    _, other = bench.alice.viewer_state()
    bench.refused(bench.send(good, wctx=other), 'token_replay')


def test_wf05_several_responses(bench):
    good = bench.response().sign()
    token = good.assertion.getparent()
    response = token.getparent()

    def twice(element):
        two = copy.deepcopy(good)
        at = two.root if element is None else next(two.root.iter(element.tag))
        at.getparent().append(copy.deepcopy(at))
        return two

    for element in (good.assertion, token):
        bench.refused(bench.send(twice(element)), 'wsfed_result')
    ns = etree.QName(response).namespace
    pair = etree.Element('{%s}RequestSecurityTokenResponseCollection' % ns)
    pair.append(copy.deepcopy(response))
    one = etree.tostring(pair).decode()
    pair.append(copy.deepcopy(response))
    bench.refused(bench.send(etree.tostring(pair).decode()), 'wsfed_result')
    bench.refused(bench.send(''), 'wsfed_result')
    bench.accepted(bench.send(one))


def test_wf08_login_csrf(bench):
    """The response belongs to the browser that asked for it, and so does the sign-in form."""
    good = bench.response().sign()
    mallory = Person(bench.gateway)
    _, theirs = mallory.viewer_state()
    bench.refused(bench.send(good, person=Person(bench.gateway)), 'form_not_from_here')
    bench.refused(bench.send(good, wctx=theirs), 'form_not_from_here')
    bench.refused(bench.send(good, wctx=''), 'form_not_from_here')
    bench.refused(bench.send(good, wctx=bench.state[:-2]), 'form_not_from_here')
    bench.accepted(bench.send(good))
    action, fields = form(mallory.get(passive(wtrealm='urn:test:echo')).text)
    fields.update(username='bob', password='bob-secret')
    path = action.removeprefix(bench.gateway.base_url)
    bench.refused(Person(bench.gateway).post(path, fields), 'form_not_from_here')
    bench.refused(mallory.post(path, {**fields, 'csrf': ''}), 'form_not_from_here')
    assert 'wresult' in mallory.post(path, fields).text


def test_wf09_the_assertion_decides(bench):
    other = bench.response()
    other.find('Audience').text = 'urn:test:echo'
    for address in other.root.iter('{http://www.w3.org/2005/08/addressing}Address'):
        assert address.text == 'urn:fedgate:demo'
    bench.refused(bench.send(other.sign()), 'token_audience')
    good = bench.response().sign()
    for address in good.root.iter('{http://www.w3.org/2005/08/addressing}Address'):
        address.text = 'urn:test:echo'
    bench.accepted(bench.send(good))


# ---- what an assertion must say (SA-01, 02, 05, 08, 09; XP-01)

def stamp(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)).strftime(STAMP)


def drop(response, name):
    element = response.find(name)
    element.getparent().remove(element)


def put(response, name, attribute, value):
    element = response.assertion if name == 'Assertion' else response.find(name)
    if value is None:
        del element.attrib[attribute]
    else:
        element.set(attribute, value)


def text(response, name, value):
    response.find(name).text = value


def confirm_by_key(response):
    """holder-of-key with the key of somebody who is not here"""
    response.find('SubjectConfirmation').set('Method', 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key')
    response.find('SubjectConfirmationData').append(etree.fromstring('<KeyInfo xmlns="%s"><KeyName>x</KeyName></KeyInfo>' % DS))


CLAIMS = [
    ('sa01-other', SAML2, lambda r: text(r, 'Audience', 'urn:test:echo'), 'token_audience'),
    ('sa01-case', SAML2, lambda r: text(r, 'Audience', 'URN:fedgate:demo'), 'token_audience'),
    ('sa01-longer', SAML2, lambda r: text(r, 'Audience', 'urn:fedgate:demo/'), 'token_audience'),
    ('sa01-absent', SAML2, lambda r: drop(r, 'AudienceRestriction'), 'token_audience'),
    ('sa01-second-restriction', SAML2, lambda r: text(r, 'AudienceRestriction', None) or r.make(
        r.make(r.find('Conditions'), 'AudienceRestriction'), 'Audience', 'urn:test:echo'), 'token_audience'),
    ('sa01-other-11', SAML1, lambda r: text(r, 'Audience', 'urn:test:echo'), 'token_audience'),
    ('sa01-absent-11', SAML1, lambda r: drop(r, 'AudienceRestrictionCondition'), 'token_audience'),
    ('issuer', SAML2, lambda r: text(r, 'Issuer', 'http://other.example/'), 'token_issuer'),
    ('issuer-11', SAML1, lambda r: put(r, 'Assertion', 'Issuer', 'http://other.example/'), 'token_issuer'),
    ('sa02-recipient', SAML2, lambda r: put(r, 'SubjectConfirmationData', 'Recipient', ECHO), 'token_recipient'),
    ('sa02-recipient-longer', SAML2, lambda r: put(
        r, 'SubjectConfirmationData', 'Recipient', r.find('SubjectConfirmationData').get('Recipient') + 'x'), 'token_recipient'),
    ('sa05-expired', SAML2, lambda r: put(r, 'Conditions', 'NotBefore', stamp(hours=-2)) or put(
        r, 'Conditions', 'NotOnOrAfter', stamp(hours=-1)), 'token_expired'),
    ('sa05-expired-11', SAML1, lambda r: put(r, 'Conditions', 'NotBefore', stamp(hours=-2)) or put(
        r, 'Conditions', 'NotOnOrAfter', stamp(hours=-1)), 'token_expired'),
    ('sa05-not-yet', SAML2, lambda r: put(r, 'Conditions', 'NotBefore', stamp(minutes=30)), 'token_not_yet_valid'),
    ('sa05-issued-tomorrow', SAML2, lambda r: put(r, 'Assertion', 'IssueInstant', stamp(days=1)), 'token_not_yet_valid'),
    ('sa05-inverted', SAML2, lambda r: put(r, 'Conditions', 'NotBefore', r.find('Conditions').get('NotOnOrAfter')), 'token_malformed'),
    ('sa05-no-end', SAML2, lambda r: put(r, 'Conditions', 'NotOnOrAfter', None), 'token_malformed'),
    ('sa05-delivered-late', SAML2, lambda r: put(r, 'SubjectConfirmationData', 'NotOnOrAfter', stamp(hours=-1)), 'token_expired'),
    ('sa05-session-over', SAML2, lambda r: put(r, 'AuthnStatement', 'SessionNotOnOrAfter', stamp(hours=-1)), 'token_expired'),
    ('xp13-no-time', SAML2, lambda r: put(r, 'Conditions', 'NotOnOrAfter', 'tomorrow'), 'token_malformed'),
    ('sa08-unknown', SAML2, lambda r: r.make(r.find('Conditions'), 'Condition'), 'token_condition'),
    ('sa08-proxy', SAML2, lambda r: r.make(r.find('Conditions'), 'ProxyRestriction', Count='0'), 'token_condition'),
    ('sa08-unknown-11', SAML1, lambda r: r.make(r.find('Conditions'), 'Condition'), 'token_condition'),
    ('sa09-holder-of-key', SAML2, confirm_by_key, 'token_confirmation'),
    ('sa09-none', SAML2, lambda r: drop(r, 'SubjectConfirmation'), 'token_confirmation'),
    ('sa09-no-subject', SAML2, lambda r: drop(r, 'Subject'), 'token_confirmation'),
    ('sa09-sender-vouches-11', SAML1, lambda r: text(
        r, 'ConfirmationMethod', 'urn:oasis:names:tc:SAML:1.0:cm:sender-vouches'), 'token_confirmation'),
    ('sa09-none-11', SAML1, lambda r: drop(r, 'SubjectConfirmation'), 'token_confirmation'),
    ('sa03-in-response-to', SAML2, lambda r: put(r, 'SubjectConfirmationData', 'InResponseTo', '_x'), 'token_confirmation'),
]


@pytest.mark.parametrize('ns,change,reason', [case[1:] for case in CLAIMS], ids=[case[0] for case in CLAIMS])
def test_assertion(bench, ns, change, reason):
    """Signed by the right key, and still refused. test_control is the control."""
    response = bench.response(ns)
    change(response)
    bench.refused(bench.send(response.sign()), reason)


def test_assertion_control(bench):
    """What the changes above would be without their defect."""
    good = bench.response()
    good.make(good.find('AudienceRestriction'), 'Audience', 'urn:test:echo')  # one of several is enough
    good.make(good.find('Conditions'), 'OneTimeUse')
    put(good, 'Conditions', 'NotBefore', stamp(hours=-2))
    put(good, 'AuthnStatement', 'SessionNotOnOrAfter', stamp(hours=1))
    bench.accepted(bench.send(good.sign()))


DOCTYPES = ['<!DOCTYPE x>', '<!DOCTYPE x [<!ENTITY a "alice">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
            '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]>']  # fmt: skip


@pytest.mark.parametrize('doctype', DOCTYPES, ids=range(len(DOCTYPES)))
def test_xp01_doctype(bench, doctype):
    good = bench.response().sign().text()
    bench.refused(bench.send(doctype + good), 'xml_doctype')
    bench.accepted(bench.send(good))


# ---- signatures (XS-01..28)

def transforms(signed_info):
    return signed_info.find('.//' + ds('Transforms'))


def add_transform(algorithm, content='', at=2, times=1):
    def edit(signed_info):
        for _ in range(times):
            transforms(signed_info).insert(at, etree.fromstring(f'<ds:Transform xmlns:ds="{DS}" Algorithm="{algorithm}">{content}</ds:Transform>'))

    return edit


def edit_attribute(path, name, value):
    def edit(signed_info):
        element = signed_info.find(path)
        if value is None:
            element.attrib.pop(name, None)
        else:
            element.set(name, value)

    return edit


def no_reference(signed_info):
    signed_info.remove(signed_info.find(ds('Reference')))


def many_references(times):
    def edit(signed_info):
        for _ in range(times):
            signed_info.append(copy.deepcopy(signed_info.find(ds('Reference'))))

    return edit


def prefix_list(text):
    return lambda signed_info: transforms(signed_info)[1].append(
        etree.fromstring('<ec:InclusiveNamespaces xmlns:ec="%s" PrefixList="%s"/>' % (EXC, text)))


def manifest(signed_info):
    signed_info.find(ds('Reference')).set('Type', DS + 'Manifest')


XSLT = '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'
REFERENCE = ds('Reference')
SIGNED_INFO = [
    ('xs12-empty', edit_attribute(REFERENCE, 'URI', ''), 'signature_structure'),
    ('xs12-missing', edit_attribute(REFERENCE, 'URI', None), 'signature_structure'),
    ('xs12-other', edit_attribute(REFERENCE, 'URI', '#other'), 'signature_structure'),
    ('xs12-xpointer', edit_attribute(REFERENCE, 'URI', '#xpointer(/)'), 'signature_structure'),
    ('xs12-file', edit_attribute(REFERENCE, 'URI', 'file:///etc/passwd'), 'signature_structure'),
    ('xs12-http', edit_attribute(REFERENCE, 'URI', 'http://127.0.0.1:1/'), 'signature_structure'),
    ('xs13-none', no_reference, 'signature_structure'),
    ('xs13-two', many_references(1), 'signature_structure'),
    ('xs13-manifest', manifest, 'signature_structure'),
    ('xs14-xslt', add_transform('http://www.w3.org/TR/1999/REC-xslt-19991116', XSLT), ('signature_structure', 'signature_algorithm')),
    ('xs14-xslt-first', add_transform('http://www.w3.org/TR/1999/REC-xslt-19991116', XSLT, 0), ('signature_structure', 'signature_algorithm')),
    ('xs14-xpath', add_transform('http://www.w3.org/TR/1999/REC-xpath-19991116', f'<ds:XPath xmlns:ds="{DS}">false()</ds:XPath>', 0),
     ('signature_structure', 'signature_algorithm')),
    ('xs14-base64', add_transform(DS + 'base64', '', 0), 'signature_algorithm'),
    ('xs14-unknown', add_transform('urn:unknown', '', 1), 'signature_algorithm'),
    ('xs14-inclusive', lambda s: transforms(s)[1].set('Algorithm', 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'), 'signature_algorithm'),
    ('xs15-transforms', add_transform(EXC, times=1000), 'signature_structure'),
    ('xs15-references', many_references(300), ('signature_structure', 'xml_limit')),
    ('xs17-odd', prefix_list('a:b'), 'signature_structure'),
    ('xs17-flood', prefix_list(' '.join('p%d' % i for i in range(300))), 'signature_structure'),
    ('xs18-comment', lambda s: s.find('.//' + ds('DigestValue')).append(etree.Comment('x')), 'signature_structure'),
    ('xs23-hmac-length', lambda s: etree.SubElement(s.find(ds('SignatureMethod')), ds('HMACOutputLength')).__setattr__('text', '1'),
     'signature_structure'),
]  # fmt: skip


@pytest.mark.parametrize('edit,reasons', [case[1:] for case in SIGNED_INFO], ids=[case[0] for case in SIGNED_INFO])
def test_signed_info(bench, edit, reasons):
    """The right key signed it, and what it signed is not a form that is taken."""
    bench.refused(bench.send(bench.response().sign(edit=edit)), *([reasons] if isinstance(reasons, str) else reasons))


def test_signed_info_control(bench):
    bench.accepted(bench.send(bench.response().sign(edit=lambda signed_info: None)))
    bench.accepted(bench.send(bench.response().sign(edit=prefix_list('saml #default'))))


def test_xs01_to_08_wrapping(bench):
    """The signed assertion is kept somewhere, another stands where one is looked for."""
    for where in ('inside', 'object', 'advice', 'before', 'same-id'):
        good = bench.response().sign()
        evil = copy.deepcopy(good.assertion)
        for element in evil.iter('{%s}NameID' % SAML2, '{%s}AttributeValue' % SAML2):
            element.text = 'mallory@example.com'
        if where != 'same-id':
            evil.set('ID', '_evil')
        signature = evil.find(ds('Signature'))
        original = copy.deepcopy(good.assertion)
        parent = good.assertion.getparent()
        parent.replace(good.assertion, evil)
        if where == 'object':
            etree.SubElement(signature, ds('Object')).append(original)
        elif where == 'advice':
            advice = etree.Element('{%s}Advice' % SAML2)
            advice.append(original)
            evil.insert(4, advice)
        elif where == 'before':
            parent.getparent().insert(0, original)
        else:
            evil.append(original)
        bench.refused(bench.send(etree.tostring(good.root).decode()), 'signature_structure', 'signature_invalid', 'token_malformed')


def test_xs10_assertion_in_advice_is_not_read(bench):
    """Signed along with the rest, it says nothing here."""
    response = bench.response()
    inner = copy.deepcopy(response.assertion)
    inner.remove(inner.find(ds('Signature')))
    inner.set('ID', '_inner')
    for element in inner.iter('{%s}NameID' % SAML2, '{%s}AttributeValue' % SAML2):
        element.text = 'mallory@example.com'
    advice = etree.Element('{%s}Advice' % SAML2)
    advice.append(inner)
    response.find('Conditions').addnext(advice)
    answer = bench.send(response.sign())
    bench.accepted(answer)
    assert 'mallory' not in answer.text
    beside = bench.response().sign()
    beside.assertion.addnext(inner)
    bench.refused(bench.send(beside), 'wsfed_result')


IDS = ['ID', 'Id', 'id', 'AssertionID', '{http://www.w3.org/XML/1998/namespace}id', '{urn:x}ID',
       '{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id']  # fmt: skip


@pytest.mark.parametrize('name', IDS)
def test_xs11_ids(bench, name):
    """The id stands a second time, outside what is signed; with another value it is harmless."""
    for value, good in (('_another', True), (None, False)):
        response = bench.response().sign()
        response.assertion.getparent().set(name, value or response.id)
        if good:
            bench.accepted(bench.send(response))
        else:
            bench.refused(bench.send(response), 'signature_structure', 'xml_malformed')


def test_xs11_id_in_a_namespace(bench):
    response = bench.response()
    value = response.id
    del response.assertion.attrib['ID']
    response.assertion.set('{urn:x}ID', value)
    bench.refused(bench.send(response.sign(uri='#' + value)), 'signature_structure')


def test_xs16_relative_namespace(bench):
    """Canonical XML fails on it; nothing may be taken for signed then."""
    wresult = bench.response().sign().text()
    bench.refused(bench.send(wresult.replace('ID="_', 'xmlns:r="relative" ID="_', 1)), 'xml_structure', 'xml_malformed', 'signature_structure',
                  'signature_invalid')  # fmt: skip
    bench.accepted(bench.send(wresult))


def test_xs18_two_signed_infos(bench):
    response = bench.response().sign()
    signed_info = response.signature()[0]
    signed_info.addnext(copy.deepcopy(signed_info))
    bench.refused(bench.send(response), 'signature_structure')


@pytest.mark.parametrize('inside', ['<!-- -->', '<![CDATA[]]>', '<?x?>'])
def test_xs19_value_in_parts(bench, inside):
    """Exclusive canonicalisation leaves comments out, so that the signature may still fit: the whole is read, or nothing."""
    response = bench.response()
    text(response, 'NameID', UPN + '.evil.example')
    wresult = response.sign().text()
    assert UPN + '.evil' in wresult
    answer = bench.send(wresult.replace(UPN + '.evil', UPN + inside + '.evil'))
    if answer.status_code == 200:
        assert 'Signed in as ' + UPN + '.evil.example' in answer.text
    else:
        bench.refused(answer, 'signature_invalid', 'signature_structure', 'xml_structure', 'xml_malformed', 'token_malformed')
    bench.accepted(bench.send(bench.response().sign()))


def test_altered_value(bench):
    wresult = bench.response().sign().text()
    bench.refused(bench.send(wresult.replace(UPN, 'mallory@example.com')), 'signature_invalid')
    bench.refused(bench.send(re.sub('<(ds:)?SignatureValue>.', r'<\1SignatureValue>A', wresult)), 'signature_invalid', 'signature_structure')
    bench.accepted(bench.send(wresult))


def test_no_signature(bench):
    response = bench.response()
    response.drop_signature()
    bench.refused(bench.send(response), 'signature_missing')


def test_xs20_22_keys_that_come_along(bench, authority):
    """A stranger's signature, whatever certificate or key lies beside it."""
    foreign, stranger = bench.foreign, authority.certificate
    with open(stranger + '.key', 'rb') as file:
        other = forge.serialization.load_pem_private_key(file.read(), None)
    for key, info in ((foreign, ''), (foreign, forge.key_value(foreign)), (other, forge.x509_data(stranger + '.crt')),
                      (foreign, forge.x509_data(bench.certificate))):  # fmt: skip
        bench.refused(bench.send(bench.response().sign(key=key, key_info=info)), 'signature_invalid')
    bench.accepted(bench.send(bench.response().sign(key_info=forge.x509_data(bench.certificate))))
    bench.accepted(bench.send(bench.response().sign(key_info=forge.key_value(foreign))))  # not looked at


def test_xs21_22_key_info(bench):
    retrieval = f'<ds:RetrievalMethod xmlns:ds="{DS}" URI="%s"/>'
    one = forge.x509_data(bench.certificate)
    for info in (retrieval % 'http://127.0.0.1:1/', retrieval % '#_x', one + retrieval % 'file:///etc/passwd', one + one):
        bench.refused(bench.send(bench.response().sign(key_info=info)), 'signature_structure')
    bench.accepted(bench.send(bench.response().sign(key_info=one)))


def test_xs24_hmac_with_the_public_key(bench):
    der = bench.key.public_key().public_bytes(forge.serialization.Encoding.DER, forge.serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (forge.public_pem(bench.key), der, b''):
        for method in (forge.MORE + 'hmac-sha256', DS + 'hmac-sha1'):
            bench.refused(bench.send(bench.response().sign(method=method, signer=forge.sign_hmac(secret))), 'signature_algorithm')


def test_xs25_old_algorithms(bench):
    """Off unless a partner's switch says otherwise."""
    for method, digest in ((DS + 'rsa-sha1', forge.SHA256), (forge.MORE + 'rsa-md5', forge.SHA256), (forge.RSA256, DS + 'sha1'),
                           (forge.RSA256, forge.MORE + 'md5'), (DS + 'dsa-sha1', forge.SHA256)):  # fmt: skip
        bench.refused(bench.send(bench.response().sign(method=method, digest=digest)), 'signature_algorithm')


def test_xs26_weak_keys(bench):
    small = forge.foreign_rsa(1024)
    bench.refused(bench.send(bench.response().sign(key=small, key_info=forge.key_value(small))), 'signature_key', 'signature_invalid')
    ecdsa = forge.MORE + 'ecdsa-sha256'
    for value in (b'\0' * 64, b'\0' * 256, b''):
        response = bench.response().sign(method=ecdsa, signer=lambda *_: value)
        bench.refused(bench.send(response), 'signature_key', 'signature_invalid', 'signature_structure')


def test_xs27_loose_padding(bench):
    bench.refused(bench.send(bench.response().sign(signer=forge.sign_loosely)), 'signature_invalid')
    long = bench.response().sign(signer=lambda key, data, method: b'\0' + forge.sign_bytes(key, data))
    bench.refused(bench.send(long), 'signature_key', 'signature_invalid')


def test_xs28_signature_of_another_message(bench):
    """The metadata is signed by the same key."""
    metadata = etree.fromstring(bench.gateway.get(METADATA).content)
    response = bench.response()
    at = response.drop_signature()
    response.assertion.insert(at, copy.deepcopy(metadata.find(ds('Signature'))))
    bench.refused(bench.send(response), 'signature_structure')
    response.assertion.set('ID', metadata.get('ID'))
    bench.refused(bench.send(response), 'signature_structure', 'signature_invalid')
    response.assertion.getparent().replace(response.assertion, metadata)
    bench.refused(bench.send(etree.tostring(response.root).decode()), 'token_malformed')


# ---- markup that somebody else wrote (SA-12, SA-13)

def test_sa12_markup_stays_text(bench, profile):
    """Wherever it comes from, it is shown or posted and never run; no page is without its content security policy."""
    page = profile(forgive=['Failed to load resource: the server responded with a status of 4'])
    page.do('answer', url=ECHO, body='<!doctype html><title>echo</title><link rel=icon href="data:,">taken')
    url = bench.gateway.url

    def look(path, shown=None):
        answer = page.goto(url(path))
        assert "default-src 'none'" in answer['headers']['content-security-policy']
        check(shown)

    def check(shown=None):
        assert page.title() != 'pwned' and not page.has('script:not([nonce])') and not page.has('[onerror]')
        assert shown is None or shown in page.text()

    look(passive(wtrealm=MARKUP))
    look(passive(wtrealm='urn:test:echo', wreply=MARKUP))
    look(passive(wtrealm='urn:test:echo', whr=MARKUP))
    look(passive(wa=MARKUP))
    look(passive(wtrealm='urn:test:markup', wctx=MARKUP), 'to continue to ' + MARKUP)
    page.sign_in(MARKUP, 'x')
    check()
    assert page.evaluate('document.querySelector("[name=username]").value') == MARKUP
    page.requests()
    page.sign_in('markup', 'markup-secret')
    assert page.title() == 'echo'
    sent = [one for one in page.requests() if one['method'] == 'POST' and one['url'] == ECHO]
    assert dict(urllib.parse.parse_qsl(sent[0]['body']))['wctx'] == MARKUP
    look('/demo/', 'Signed in as ' + MARKUP)
    look(passive(wa='wsignout1.0'), MARKUP)


def test_sa13_markup_in_issued_xml(bench):
    """A name with markup is a value and never structure."""
    person = Person(bench.gateway)
    answer = person.sign_in(passive(wtrealm='urn:test:echo', wreq=RST % SAML2), 'markup', 'markup-secret')
    wresult = form(answer.text)[1]['wresult']
    root = etree.fromstring(wresult.encode())
    values = [value.text for value in root.iter('{%s}AttributeValue' % SAML2)]
    assert values == [MARKUP, MARKUP] and not list(root.iter('script')) and '<script' not in wresult


# ---- cookies (HT-08, 09, 10)

def session_of(person):
    return {cookie.name: cookie.value for cookie in person.session.cookies if cookie.name.startswith(SESSION)}


def cookie_header(person):
    return {'Cookie': '; '.join('%s=%s' % item for item in session_of(person).items())}


def test_ht08_new_session_at_sign_in(bench):
    """What a browser brought before signing in, or of an earlier session, is worth nothing afterwards."""
    person = Person(bench.gateway)
    person.sign_in(passive(wtrealm='urn:test:echo'))
    first = session_of(person)
    assert SESSION in first
    person.sign_in(passive(wtrealm='urn:test:echo', wfresh='0'), 'bob', 'bob-secret')
    second = session_of(person)
    assert second[SESSION] != first[SESSION]
    # mallory planted bob's session in a browser in which alice then signs in: it does not become hers
    victim = Person(bench.gateway)
    page = victim.get(passive(wtrealm='urn:test:echo', wfresh='0'), headers=cookie_header(person))
    action, fields = form(page.text)
    planted = cookie_header(person)['Cookie'] + ''.join('; %s=%s' % (one.name, one.value) for one in victim.session.cookies)
    answer = victim.post(action.removeprefix(bench.gateway.base_url), {**fields, 'username': 'alice', 'password': 'alice-secret'},
                         headers={'Cookie': planted})  # fmt: skip
    assert UPN in form(answer.text)[1]['wresult'] and session_of(victim)[SESSION] != second[SESSION]
    wresult = form(person.get(passive(wtrealm='urn:test:echo')).text)[1]['wresult']
    assert 'bob@example.com' in wresult and UPN not in wresult


def test_ht08_cookie_of_another_gateway(bench, make_gateway):
    """Sealed for one host, with keys of its own."""
    other = make_gateway()
    person = Person(bench.gateway)
    person.sign_in(passive(wtrealm='urn:fedgate:demo'))
    thief = Person(other)
    headers = cookie_header(person)
    assert 'name="password"' in thief.get(passive(wtrealm='urn:fedgate:demo'), headers=headers).text
    assert 'wresult' in Person(bench.gateway).get(passive(wtrealm='urn:fedgate:demo'), headers=headers).text  # control


def test_ht08_cookie_of_another_host(bench, make_gateway):
    """The same keys even: the host is sealed in."""
    port = harness.free_port()
    other = make_gateway(False, port=port, base_url='https://other.localhost:%d' % port)
    harness.run('cp', '-a', os.path.join(bench.gateway.site.folder, 'state'), other.site.folder)
    other.__enter__()
    person = Person(bench.gateway)
    person.sign_in(passive(wtrealm='urn:fedgate:demo'))
    headers = {**cookie_header(person), 'Host': 'other.localhost:%d' % port}
    path = passive(wtrealm='urn:fedgate:demo')
    answer = Person(other).get(path, headers=headers)
    assert answer.status_code == 200 and 'name="password"' in answer.text
    assert 'wresult' in Person(bench.gateway).get(path, headers=cookie_header(person)).text  # control


def test_ht09_attributes(bench):
    person = Person(bench.gateway)
    page = person.get(passive(wtrealm='urn:test:echo'))
    lines = page.raw.headers.getlist('Set-Cookie')
    action, fields = form(page.text)
    answer = person.post(action.removeprefix(bench.gateway.base_url), {**fields, 'username': 'alice', 'password': 'alice-secret'})
    lines += answer.raw.headers.getlist('Set-Cookie') + person.get(passive(wa='wsignout1.0')).raw.headers.getlist('Set-Cookie')
    assert len(lines) >= 3
    for line in lines:
        name, attributes = line.split('=', 1)[0], [part.strip() for part in line.split(';')[1:]]
        assert name.startswith('__Host-') and {'Secure', 'HttpOnly', 'Path=/'} <= set(attributes), line
        assert any(part in ('SameSite=Lax', 'SameSite=Strict') for part in attributes) and 'Domain' not in line, line


def test_ht10_cookie_floods(bench):
    person = Person(bench.gateway)
    person.sign_in(passive(wtrealm='urn:test:echo'))
    good = session_of(person)[SESSION]
    floods = [[(SESSION, 'x' * 3000)], [(SESSION, '9.' + good[2:])], [(SESSION, '4.' + good[2:])], [(SESSION, good), (SESSION, good)],
              [('%s-%d' % (SESSION, i), 'x' * 60) for i in range(90)], [('c%d' % i, '') for i in range(800)],
              [(SESSION, '4.' + 'A' * 1500)] + [('%s-%d' % (SESSION, i), 'A' * 1500) for i in range(1, 4)]]  # fmt: skip
    for flood in floods:
        headers = {'Cookie': '; '.join('%s=%s' % item for item in flood)}
        answer = Person(bench.gateway).get(passive(wtrealm='urn:test:echo'), headers=headers)
        assert answer.status_code == 200 and 'name="password"' in answer.text
    huge = Person(bench.gateway).get(passive(wtrealm='urn:test:echo'), headers={'Cookie': SESSION + '=' + 'x' * 70000})
    assert huge.status_code in (400, 431) and 'wresult' not in huge.text
    assert 'wresult' in Person(bench.gateway).get(passive(wtrealm='urn:test:echo'), headers={'Cookie': SESSION + '=' + good}).text


# ---- last: what all of this left behind

def test_logs_hold_no_secret(bench):
    person = Person(bench.gateway)
    person.sign_in(passive(wtrealm='urn:test:echo'), password='wrong-secret')
    answer = person.sign_in(passive(wtrealm='urn:test:echo'))
    with open(bench.gateway.site.audit_log) as file:
        logs = file.read() + bench.gateway.nginx.log()
    assert '"issued"' in logs and '"refused"' in logs
    signature = re.search('SignatureValue>([^<]{40})', form(answer.text)[1]['wresult']).group(1)
    for secret in ('alice-secret', 'wrong-secret', 'markup-secret', signature, session_of(person)[SESSION][:60], bench.state, '<saml', '<ds:',
                   'PRIVATE KEY'):  # fmt: skip
        assert secret not in logs, secret
