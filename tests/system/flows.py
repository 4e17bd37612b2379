# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way through a gateway once, for those who watch it from outside: sanitizers, valgrind, memory.

What each answer must say in detail is tested elsewhere; here a status or a word shows that the flow was the one meant."""
import base64
import html
import os
import re
import signal
import urllib.parse
import uuid

import flows_messages
import harness
import protected
from messages import METADATA, MEX, PASSIVE, USERNAME, form, rst
from tokens import JwtIssuer

SOAP12, SOAP11 = 'http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'
SAML20 = 'urn:oasis:names:tc:SAML:2.0:assertion'
SIGN_IN = PASSIVE + '?wa=wsignin1.0&wtrealm=urn%3Afedgate%3Ademo&wctx=context'
SIGN_OUT = PASSIVE + '?wa=wsignout1.0'
CLEAN_UP = PASSIVE + '?wa=wsignoutcleanup1.0'

MEX_GET = """<s:Envelope xmlns:s="%s" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>
<a:Action s:mustUnderstand="1">http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>
<a:MessageID>urn:uuid:1</a:MessageID><a:To s:mustUnderstand="1">%s</a:To></s:Header><s:Body/></s:Envelope>"""


def expect(answer, status, text=''):
    statuses = status if isinstance(status, tuple) else (status,)
    assert answer.status_code in statuses and text in answer.text, '%s: %d %s' % (answer.url, answer.status_code, answer.text[:1000])
    return answer


def published(gateway):
    expect(gateway.get(METADATA), 200, 'Signature')
    expect(gateway.get(MEX), 200, 'definitions')
    expect(gateway.soap(MEX, MEX_GET % (SOAP12, gateway.base_url + MEX)), 200, 'definitions')
    expect(gateway.get('/adfs/nothing'), 404)
    expect(gateway.session.put(gateway.url(METADATA), data='x', timeout=60), 405)


def active(gateway):
    for trust, path in USERNAME.items():
        expect(gateway.soap(path, rst(gateway.base_url, trust=trust)), 200, 'Assertion')
        expect(gateway.soap(path, rst(gateway.base_url, trust=trust, token_type=SAML20)), 200, 'Assertion')
        expect(gateway.soap(path, rst(gateway.base_url, trust=trust, password='wrong')), (400, 500), 'FailedAuthentication')
        soap11 = rst(gateway.base_url, trust=trust).replace(SOAP12, SOAP11)
        expect(gateway.soap(path, soap11, headers={'Content-Type': 'text/xml; charset=utf-8'}), 200, 'Assertion')


def refused(gateway):
    path, good = USERNAME['13'], rst(gateway.base_url)
    for bad in (
        rst(gateway.base_url, user='nobody'),
        rst(gateway.base_url, realm='urn:unknown'),
        rst(gateway.base_url, token_type='urn:unknown'),
        good.replace('/Issue<', '/Renew<'),
        good.replace('<t:KeyType>', '<t:KeyType>x'),
        good.replace('UsernameToken', 'OtherToken'),
        good.replace('<u:Created>20', '<u:Created>19'),
        good[:len(good) // 2],
        '<!DOCTYPE s [<!ENTITY e "e">]>' + good,
        '<a>' * 500,
        '',
        'x' * 300000,
    ):
        answer = gateway.soap(path, bad)
        assert answer.status_code >= 400 and 'Assertion' not in answer.text, bad[:200]
    expect(gateway.post(path, 'a=b'), (400, 415, 500))
    expect(gateway.post(PASSIVE, {'wresult': 'x' * 300000}), 413)
    for query in ('', '?wa=unknown', '?wa=wsignin1.0', '?wa=wsignin1.0&wtrealm=urn:unknown', '?wa=%00', '?wa=wsignin1.0&wa=wsignin1.0'):
        expect(gateway.get(PASSIVE + query), 400)
    foreign = expect(gateway.get(SIGN_IN + '&wreply=https://evil.example/'), (200, 400))
    assert 'evil.example' not in ''.join(foreign.headers.values())


def at(gateway, action):
    return action if action.startswith('https:') else gateway.url(action or PASSIVE)


def fill_in(gateway, browser, page, user, password):
    action, fields = form(page.text)
    for name in fields:
        fields[name] = user if 'user' in name.lower() else password if 'pass' in name.lower() else fields[name]
    return browser.post(at(gateway, action), data=fields, timeout=60)


def passive(gateway):
    browser = gateway.browser()

    def get(path):
        return browser.get(gateway.url(path), timeout=60)

    page = expect(get('/demo/'), 200, 'password')  # the viewer takes only what it asked for
    page = expect(fill_in(gateway, browser, page, 'alice', 'wrong'), 200, 'password')
    action, fields = form(expect(fill_in(gateway, browser, page, 'alice', 'alice-secret'), 200, 'wresult').text)
    expect(browser.post(at(gateway, action), data=fields, timeout=60), 200, 'alice@example.com')
    for change in (lambda text: text.replace('alice@', 'bobby@'), lambda text: text[:-100], lambda text: '<x/>', lambda text: ''):
        tampered = browser.post(at(gateway, action), data={**fields, 'wresult': change(fields['wresult'])}, timeout=60)
        assert tampered.status_code >= 400, tampered.text[:500]
    expect(get(SIGN_IN), 200, 'wresult')  # single sign-on
    expect(get(SIGN_IN + '&wfresh=0'), 200, 'password')
    expect(get(CLEAN_UP), 200)
    expect(get(SIGN_OUT), 200)
    expect(get(SIGN_IN), 200, 'password')
    for cookie in browser.cookies:
        cookie.value = 'x' + cookie.value[1:]
    expect(get(SIGN_IN), 200, 'password')


LOGGED = """
log_format decisions '$fedgate_decision|$fedgate_reason|$fedgate_subject|$fedgate_rule|$fedgate_claim_role';
"""
PROTECTED = """
access_log %(folder)s/access.log decisions;
location /app/ { fedgate_protect %(conf)s; %(proxy)s }
location /rest/ { fedgate_protect %(conf)s rest; fedgate_identity_header X-Upn $fedgate_claim_upn; %(proxy)s }
location /wsman/ { fedgate_protect %(conf)s winrm; %(proxy)s }
location /moved/ { fedgate_protect %(conf)s; error_page 404 = /rest/moved; root %(folder)s; }
location /token/ { fedgate_protect %(conf)s token; proxy_set_header Authorization "Bearer $fedgate_token"; %(proxy)s }
location /soap/ { fedgate_protect %(conf)s soap; %(proxy)s }
location = /status { fedgate_status %(conf)s; }
"""


def protect(gateway, upstream, messages):
    """Adds protected locations, and who may send messages, to a gateway that is not started yet."""
    gateway.upstream = upstream
    server = flows_messages.prepare(gateway, messages)
    names = {'folder': gateway.folder, 'conf': gateway.site.conf, 'proxy': protected.PROXY.replace('UPSTREAM', str(upstream.port))}
    gateway.nginx.http = LOGGED + gateway.nginx.http.replace('location / {', server + PROTECTED % names + 'location / {', 1)
    gateway.nginx.write()
    with open(os.path.join(gateway.site.folder, 'rest.rules'), 'w') as file:
        file.write('c:[Type == "urn:fedgate:request:json:action", Value == "read"] => permit();\n[method == "GET"] => permit();\n')
    gateway.site.sections['protect "rest"'] = {'kind': 'rest', 'accept': ['session', 'basic'], 'policy': 'rest.rules'}
    gateway.site.sections['protect "winrm"'] = {'kind': 'wsman', 'accept': ['basic']}
    gateway.site.sections['protect "token"'] = {'upstream_partner': 'self'}
    gateway.site.sections['protect "soap"'] = {'kind': 'rest', 'accept': ['soap']}
    gateway.site.partners['self'] = {'realm': [gateway.base_url], 'claims': harness.CLAIMS, 'name_id': 'upn'}
    gateway.robots = JwtIssuer(gateway.authority.folder, 'https://robots.example/', 'robots')
    gateway.site.sections['identity_provider "robots"'] = {'issuer': gateway.robots.name, 'certificate': [gateway.robots.certificate]}
    add_home(gateway)
    gateway.site.write()


def answer_of_upstream(seen):
    return (protected.wsman_answer if seen['path'].startswith('/wsman/') else protected.echo)(seen)


def locations(gateway):
    """Protected locations: with and without a session, with bodies, with names and passwords, refused and moved."""
    nobody, alice = gateway.browser(), protected.signed_in(gateway)
    alice.headers['X-Fedgate-Subject'] = 'forged'
    for _ in range(2):
        expect(protected.ask(gateway, nobody, '/app/x'), 401)
        expect(protected.ask(gateway, nobody, '/app/x', headers=protected.HTML), (302, 303))
        expect(protected.ask(gateway, nobody, '/app/x', 'POST', data='a=b'), 401)
        for answer in (protected.ask(gateway, alice, '/app/x'), protected.ask(gateway, alice, '/app/x', 'POST', data='body' * 5000), protected.ask(gateway, alice, '/moved/x')):
            assert 'forged' not in expect(answer, 200, 'path').text
        expect(protected.ask(gateway, alice, '/rest/', 'POST', json={'action': 'read'}), 200)
        expect(protected.ask(gateway, alice, '/rest/', 'POST', json={'action': 'write'}), 403)
        expect(protected.ask(gateway, alice, '/rest/', 'POST', data='x' * 300000, headers={'Content-Type': 'application/json'}), 413)
        expect(protected.ask(gateway, alice, '/rest/a%2fb'), (400, 403))
        expect(protected.ask(gateway, nobody, '/rest/', 'POST', data=iter([b'{"action": ', b'"read"}']), headers={'Content-Type': 'application/json'},
                             auth=('alice', 'alice-secret')), 200)  # fmt: skip
        expect(protected.ask(gateway, nobody, '/app/', headers={'Authorization': 'Bearer nonsense'}), (400, 401))
    for path in ('/wsman/', '/wsman/chunked/', '/wsman/encoded/'):
        opened = expect(manage(gateway, 'alice', path, 'Enumerate', '<n:Enumerate/>'), 200, 'EnumerationContext')
        content = '<n:Pull>%s</n:Pull>' % re.search('<n:EnumerationContext>.*</n:EnumerationContext>', opened.text).group(0)
        expect(manage(gateway, 'bob', path, 'Pull', content), (400, 403, 500), 'Fault')
    expect(manage(gateway, 'alice', '/wsman/', 'Enumerate', '<n:Enumerate><x/></n:Enumerate><y/>'), (400, 500), 'Fault')
    expect(protected.ask(gateway, nobody, '/status'), 200, 'fedgate_store_bytes')


def manage(gateway, user, path, action, content):
    message = protected.WSMAN % (action, gateway.url(path), uuid.uuid4(), content)
    return protected.ask(gateway, gateway.browser(), path, 'POST', data=message.encode(), auth=(user, user + '-secret'),
                         headers={'Content-Type': 'application/soap+xml;charset=UTF-8'})  # fmt: skip


def credentials(gateway):
    """Tokens that programs bring, and the one that the server behind gets."""
    alice = protected.signed_in(gateway)
    for _ in range(2):
        expect(protected.ask(gateway, alice, '/token/'), 200, 'Bearer eyJ')
        for token_type in (SAML20, 'urn:oasis:names:tc:SAML:1.0:assertion'):
            text = gateway.soap(USERNAME['13'], rst(gateway.base_url, realm=gateway.base_url, token_type=token_type)).text
            text = re.search(r'<(?:\w+:)?Assertion\b.*</(?:\w+:)?Assertion>', text, re.S).group(0)
            for token, status in ((text, 200), (text, 200), (text.replace('Staff', 'staff'), 401), (text[:500], (400, 401))):
                headers = {'Authorization': 'Bearer ' + base64.b64encode(token.encode()).decode()}
                expect(protected.ask(gateway, gateway.browser(), '/app/', headers=headers), status)
            message = rst(gateway.base_url)
            for inside in (None, text, text.replace('Staff', 'staff'), text + text):
                body = message if inside is None else re.sub('<o:UsernameToken.*</o:UsernameToken>', lambda _: inside, message, flags=re.S)
                good = inside in (None, text)
                expect(protected.ask(gateway, gateway.browser(), '/soap/', 'POST', data=body.encode(),
                                     headers={'Content-Type': 'application/soap+xml; charset=utf-8'}), 200 if good else (400, 401, 500))  # fmt: skip
        for change, status in (({}, 200), ({'aud': 'urn:elsewhere'}, 401), ({'exp': 1}, 401), ({'header': {'alg': 'none'}}, 401)):
            token = gateway.robots.token(**{'aud': gateway.base_url, 'role': ['Staff'], **change})
            for _ in range(2):
                expect(protected.ask(gateway, gateway.browser(), '/app/', headers={'Authorization': 'Bearer ' + token}), status)


def add_home(gateway):
    """A second gateway in the same nginx, at which people of this one may sign in; at another host, for cookies know no ports."""
    port = harness.free_port()
    home = gateway.home = harness.Site(os.path.join(gateway.folder, 'home'), 'https://127.0.0.1:%d' % port, users={
        'hanna': {'password': 'hanna-secret', 'groups': ['Partners'], 'upn': 'hanna@home.example'}}, partners={}, sections={})  # fmt: skip
    gateway.nginx.http += harness.SERVER.format(port=port, host='127.0.0.1', certificate=gateway.authority.certificate, conf=home.conf, extra='', location='')
    gateway.nginx.write()


def federate(gateway):
    """Each reads the other's metadata, so that tokens are encrypted."""
    for base_url, path in ((gateway.base_url, 'client.xml'), (gateway.home.base_url, 'home.xml')):
        answer = expect(gateway.browser().get(base_url + METADATA, timeout=60), 200)
        for site in (gateway.site, gateway.home):
            with open(os.path.join(site.folder, path), 'wb') as file:
                file.write(answer.content)
    gateway.home.add_partner('client', metadata='client.xml', claims=['upn', 'name', 'role'], name_id='upn', token='saml20')
    gateway.site.sections['identity_provider "home"'] = {'metadata': 'home.xml', 'uri': 'urn:home', 'acceptance_rules': 'home.rules'}
    with open(os.path.join(gateway.site.folder, 'home.rules'), 'w') as file:
        file.write('@alias where = "urn:where"\nc:[role =~ "^P"] => issue(claim = c);\nc:[upn] => issue(claim = c);\n'
                   'c:[upn == "hanna@home.example"] => issue(Type = "urn:where", Value = RegexReplace(c.Value, ".*@", "at "));\n'
                   'NOT EXISTS([where]) => add(store = "people", types = ("urn:where"), query = ";mail;{0}", param = "alice");\n')  # fmt: skip
    gateway.site.write()
    assert gateway.nginx.reload()
    harness.wait_for(lambda: gateway.browser().get(gateway.url(SIGN_IN + '&whr=urn:home'), allow_redirects=False, timeout=60).status_code == 302, 60, 0.5)


def walk(browser, answer, user, password):
    """As a browser goes on: fills in names and passwords, sends forms, follows what leads on."""
    for _ in range(12):
        refresh = re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', answer.text)
        if refresh:
            answer = browser.get(html.unescape(refresh.group(1)), timeout=60)
        elif '<form' not in answer.text or answer.status_code != 200:
            return answer
        else:
            action, fields = form(answer.text)
            if 'password' in fields:
                fields.update(username=user, password=password)
            answer = browser.post(urllib.parse.urljoin(answer.url, action), data=fields, timeout=60)
    raise AssertionError('no end: ' + answer.text)


def partner(gateway):
    """To the other gateway and back, with a page, with a form, and out again."""
    federate(gateway)
    browser = gateway.browser()
    for change in (lambda text: text.replace('CipherValue>', 'CipherValue>AAAA', 1), lambda text: text[:-100], lambda text: text * 2, str):
        answer = browser.get(gateway.url(SIGN_IN + '&whr=urn:home'), headers=protected.HTML, timeout=60)
        if 'wresult' not in answer.text:  # not signed in there yet
            answer = browser.post(*filled(answer, 'hanna', 'hanna-secret'), timeout=60)
        action, fields = form(expect(answer, 200, 'wresult').text)
        wresult = change(fields['wresult'])
        good = wresult == fields['wresult']
        expect(browser.post(action, data={**fields, 'wresult': wresult}, timeout=60), 200 if good else (400, 403, 500), 'wresult' if good else '')
    expect(browser.post(action, data=fields, timeout=60), (400, 403))  # once only
    expect(protected.ask(gateway, browser, '/app/x'), 200, 'hanna@home.example')
    expect(browser.get(gateway.url(SIGN_OUT), timeout=60), 200, gateway.home.base_url)
    expect(protected.ask(gateway, browser, '/app/x'), 401)
    # a form of one's own page is kept while somebody signs in
    other = gateway.browser()
    sent = other.post(gateway.url('/app/save'), data={'kept': 'over the sign-in'}, timeout=60,
                      headers={**protected.HTML, 'Origin': gateway.base_url, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate'})  # fmt: skip
    if 'whr' in sent.text:  # where do you sign in?
        sent = other.get(sent.url + '&whr=' + urllib.parse.quote(re.search(r'name="whr" value="([^"]*people[^"]*)"', sent.text).group(1)), timeout=60)
    expect(walk(other, sent, 'alice', 'alice-secret'), 200, '/app/save')
    assert b'kept=over+the+sign-in' in protected.body(gateway.upstream.seen[-1])


def filled(page, user, password):
    action, fields = form(page.text)
    return urllib.parse.urljoin(page.url, action), {**fields, 'username': user, 'password': password}


def administration(gateway):
    """What happens to a gateway while it runs."""
    site = gateway.site
    site.add_users({'dave': {'password': 'dave-secret'}})
    harness.wait_for(lambda: token_of(gateway, user='dave', password='dave-secret'), 60, 0.5)
    key = certificate(gateway)
    for step in ('publish the next', 'use it'):
        rolled = harness.run(*as_worker(), harness.COMMAND, 'keys', 'roll', '--now', '--config', site.conf)
        assert rolled.returncode == 0, step + rolled.stderr
    harness.wait_for(lambda: certificate(gateway) != key, 60, 0.5)
    with open(site.users_file) as file:
        users = file.read()
    for text in ('not JSON', users):
        with open(site.users_file, 'w') as file:
            file.write(text)
        expect(gateway.get(MEX), 200)
    gateway.nginx.signal(signal.SIGUSR1)
    site.write('organisatoin = "x"\n')
    assert not gateway.nginx.reload()
    expect(gateway.get(METADATA), 200)
    site.add_partner('later', realm=['urn:later'], reply=['https://later.example.com/'], claims=['upn'])
    assert gateway.nginx.reload()
    harness.wait_for(lambda: token_of(gateway, realm='urn:later'), 60, 0.5)


def as_worker():
    """The command makes what nginx's workers must read."""
    return ['setpriv', '--reuid', harness.WORKER, '--regid', harness.WORKER, '--clear-groups'] if os.geteuid() == 0 else []


def token_of(gateway, **who):
    # a connection of its own: after a reload an old worker may hold the session's
    return gateway.browser().post(gateway.url(USERNAME['13']), rst(gateway.base_url, **who).encode(), timeout=60,
                                  headers={'Content-Type': 'application/soap+xml; charset=utf-8'}).status_code == 200  # fmt: skip


def certificate(gateway):
    return gateway.browser().get(gateway.url(METADATA), timeout=60).text.split('X509Certificate>')[1]


def everything(gateway):
    messages = flows_messages.everything
    for flow in (published, active, refused, passive, locations, credentials, messages, administration, active, passive, locations, credentials, messages, partner):
        flow(gateway)
