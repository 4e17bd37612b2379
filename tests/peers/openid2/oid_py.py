#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""python3-openid (Debian: python3-openid) as an OpenID 1.1/2.0 provider or relying party; started by py.sh.

oid_py.py op|rp --base http://127.0.6.1:9101 [--cert PEM --key PEM] [--ca PEM] [--no-assoc]

op   OP identifier BASE/ (XRDS by X-XRDS-Location), claimed identifiers BASE/id/USER (Yadis) and BASE/html/USER (HTML
     discovery only), endpoint BASE/server. Any user with a non-empty password; fields user, password; button deny.
     Answers SREG and AX (fetch; groups has two values). --no-assoc refuses associations: RPs must check_authentication.
rp   BASE/login?id=IDENTIFIER[&immediate=1][&stateless=1][&post=1][&store=1][&assoc=HMAC-SHA256:DH-SHA256|HMAC-SHA1:DH-SHA1|
     HMAC-SHA256:no-encryption|HMAC-SHA1:no-encryption], then BASE/ret: JSON (status, id, assoc, sreg, ax), 403 unless
     success. BASE/xrds is its own discovery document (return_to).
"""
import sys, argparse, json, ssl, uuid, urllib.parse, http.cookies, traceback, html, os
from http.server import ThreadingHTTPServer, BaseHTTPRequestHandler

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('role', choices=['op', 'rp'])
parser.add_argument('--base', required=True)
parser.add_argument('--cert')
parser.add_argument('--key')
parser.add_argument('--ca')
parser.add_argument('--no-assoc', action='store_true')
options = parser.parse_args()
BASE = options.base
if options.ca:
    os.environ['SSL_CERT_FILE'] = os.environ['CURL_CA_BUNDLE'] = os.environ['REQUESTS_CA_BUNDLE'] = options.ca
os.environ['no_proxy'] = '*'
from openid.consumer import consumer, discover
from openid.server import server
from openid.store.memstore import MemoryStore
from openid.extensions import sreg, ax
from openid.yadis.constants import YADIS_CONTENT_TYPE, YADIS_HEADER_NAME
from openid.fetchers import setDefaultFetcher, Urllib2Fetcher

setDefaultFetcher(Urllib2Fetcher(), wrap_exceptions=True)
store = MemoryStore()
SESSIONS = {}
STORES = {'': store}  # one association store per requested preference
AX_VALUES = {
    'http://axschema.org/contact/email': lambda user: [user + '@py.test'],
    'http://axschema.org/namePerson': lambda user: [user.title() + ' Ängström'],
    'http://axschema.org/namePerson/friendly': lambda user: [user],
    'http://axschema.org/namePerson/first': lambda user: [user.title()],
    'http://axschema.org/namePerson/last': lambda user: ['Ängström'],
    'http://openid.net/schema/groups': lambda user: ['staff', 'engineers'],
}
sreg_values = lambda user: {
    'nickname': user,
    'email': user + '@py.test',
    'fullname': user.title() + ' Ängström',
    'dob': '1990-01-02',
    'gender': 'F',
    'postcode': '12345',
    'country': 'PL',
    'language': 'pl',
    'timezone': 'Europe/Warsaw',
}
if options.role == 'op':
    oserver = server.Server(store, BASE + '/server')
    if options.no_assoc:

        def refuse(req):
            raise server.ProtocolError(req.message, 'associations refused')

        oserver.openid_associate = refuse


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def out(self, code, body='', ct='text/html; charset=utf-8', h=()):
        b = body if isinstance(body, bytes) else body.encode()
        self.send_response(code)
        self.send_header('Content-Type', ct)
        self.send_header('Content-Length', str(len(b)))
        for k, v in list(h):
            self.send_header(k, v)
        if self.new_session:
            self.send_header('Set-Cookie', f'PYOID{options.role}={self.new_session}; Path=/')
        self.end_headers()
        self.wfile.write(b)

    def go(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.new_session = None
        if self.command == 'POST':
            self.query.update(
                urllib.parse.parse_qsl(
                    self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode(),
                    keep_blank_values=True,
                )
            )
        c = http.cookies.SimpleCookie(self.headers.get('Cookie') or '')
        k = f'PYOID{options.role}'
        self.session_id = c[k].value if k in c else None
        if self.session_id not in SESSIONS:
            self.session_id = self.new_session = uuid.uuid4().hex
            SESSIONS[self.session_id] = {}
        self.session = SESSIONS[self.session_id]
        try:
            getattr(self, options.role)(url.path)
        except Exception as e:
            traceback.print_exc()
            self.out(500, f'{type(e).__name__}: {e}\n', 'text/plain')

    do_GET = do_POST = go

    # ---- OP
    def xrds(self, types, local=None):
        return (
            '<?xml version="1.0" encoding="UTF-8"?><xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD><Service priority="0">'
            + ''.join(f'<Type>{t}</Type>' for t in types)
            + f'<URI>{BASE}/server</URI>'
            + (f'<LocalID>{local}</LocalID>' if local else '')
            + '</Service></XRD></xrds:XRDS>'
        )

    def op(self, p):
        ext = [sreg.ns_uri, 'http://openid.net/srv/ax/1.0']
        if p == '/' or p.startswith('/id/'):
            us = p[4:]
            doc = (
                self.xrds([discover.OPENID_IDP_2_0_TYPE] + ext)
                if p == '/'
                else self.xrds([discover.OPENID_2_0_TYPE, discover.OPENID_1_1_TYPE] + ext, BASE + p)
            )
            if YADIS_CONTENT_TYPE in (self.headers.get('Accept') or '') and p != '/':
                return self.out(200, doc, YADIS_CONTENT_TYPE)
            return self.out(
                200,
                f'<html><head><title>{us}</title></head><body>identity page</body></html>',
                h=[(YADIS_HEADER_NAME, BASE + '/xrds' + p)],
            )
        if p.startswith('/xrds/'):
            q = p[5:]
            return self.out(
                200,
                self.xrds([discover.OPENID_IDP_2_0_TYPE] + ext)
                if q == '/'
                else self.xrds([discover.OPENID_2_0_TYPE, discover.OPENID_1_1_TYPE] + ext, BASE + q),
                YADIS_CONTENT_TYPE,
            )
        if p.startswith('/html/'):
            return self.out(
                200,
                f'<html><head><link rel="openid2.provider" href="{BASE}/server"/>\n<link rel="openid2.local_id" href="{BASE}/id/{p[6:]}"/>\n<link rel="openid.server" href="{BASE}/server"/>\n<link rel="openid.delegate" href="{BASE}/id/{p[6:]}"/></head><body>x</body></html>',
            )
        if p == '/server':
            sys.stderr.write('op mode %s\n' % self.query.get('openid.mode'))
            try:
                rq = oserver.decodeRequest(self.query)
            except server.ProtocolError as e:
                return self.web(e)
            if rq is None:
                return self.out(200, 'OpenID endpoint', 'text/plain')
            if rq.mode in ('checkid_setup', 'checkid_immediate'):
                if self.session.get('user') and self.okid(rq, self.session['user']):
                    return self.answer(rq, True)
                if rq.immediate:
                    return self.web(rq.answer(False, server_url=BASE + '/server'))
                self.session['rq'] = rq
                return self.out(
                    200,
                    f'<html><body>{html.escape(rq.trust_root)}<form method="post" action="/login"><input name="user"><input type="password" name="password"><button name="deny" value="1">deny</button><input type="submit" value="Login"></form></body></html>',
                )
            return self.web(oserver.handleRequest(rq))
        if p == '/login':
            rq = self.session.pop('rq')
            if self.query.get('deny') or not self.query.get('password'):
                return self.web(rq.answer(False))
            self.session['user'] = self.query['user']
            return self.answer(rq, self.okid(rq, self.query['user']))
        self.out(404, 'no')

    def okid(self, rq, us):
        return rq.idSelect() or rq.identity == f'{BASE}/id/{us}'

    def answer(self, rq, ok):
        us = self.session['user']
        r = rq.answer(ok, identity=f'{BASE}/id/{us}' if rq.idSelect() else None) if ok else rq.answer(False)
        if ok:
            q = sreg.SRegRequest.fromOpenIDRequest(rq)
            if q.required or q.optional:
                r.addExtension(sreg.SRegResponse.extractResponse(q, sreg_values(us)))
            f = ax.FetchRequest.fromOpenIDRequest(rq)
            if f:
                a = ax.FetchResponse(f)
                for t in f.requested_attributes:
                    vals = AX_VALUES.get(t, lambda url: [])(us)
                    n = f.requested_attributes[t].count
                    for v in vals[: len(vals) if n == 'unlimited' else int(n)]:
                        a.addValue(t, v)
                r.addExtension(a)
        self.web(r)

    def web(self, r):
        try:
            w = oserver.encodeResponse(r)
        except server.EncodingError as e:
            return self.out(400, str(e.response.encodeToKVForm()), 'text/plain')
        self.out(
            w.code,
            w.body or '',
            'text/plain'
            if w.code != 200 or not (w.body or '').lstrip().startswith('<')
            else 'text/html; charset=utf-8',
            list(w.headers.items()),
        )

    # ---- RP
    def rp(self, p):
        if p == '/xrds':
            return self.out(
                200,
                f'<?xml version="1.0"?><xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD><Service><Type>http://specs.openid.net/auth/2.0/return_to</Type><URI>{BASE}/ret</URI></Service></XRD></xrds:XRDS>',
                YADIS_CONTENT_TYPE,
            )
        if p == '/login':
            self.session['stateless'] = self.query.get('stateless') == '1'
            self.session['st'] = self.query.get('assoc', '')
            c = consumer.Consumer(
                self.session,
                None if self.session['stateless'] else STORES.setdefault(self.session['st'], MemoryStore()),
            )
            if self.query.get('assoc'):
                c.setAssociationPreference([tuple(tls.split(':')) for tls in self.query['assoc'].split(',')])
            rq = c.begin(self.query['id'])
            rq.addExtension(
                sreg.SRegRequest(required=['nickname', 'email'], optional=['fullname', 'language', 'dob'])
            )
            f = ax.StoreRequest() if self.query.get('store') else ax.FetchRequest()
            for t, al, req, n in (
                ('http://axschema.org/contact/email', 'email', True, 1),
                ('http://axschema.org/namePerson', 'name', False, 1),
                ('http://openid.net/schema/groups', 'groups', False, ax.UNLIMITED_VALUES),
            ):
                if self.query.get('store'):  # §6 in place of §5: a message has one of them
                    f.addValue(t, 'a value')
                else:
                    f.add(ax.AttrInfo(t, count=n, required=req, alias=al))
            rq.addExtension(f)
            im = self.query.get('immediate') == '1'
            self.session['assoc'] = rq.assoc and [rq.assoc.assoc_type, rq.assoc.handle[:12]]
            self.session['ep'] = [rq.endpoint.server_url, rq.endpoint.type_uris, rq.endpoint.local_id]
            if self.query.get('post'):
                return self.out(200, rq.htmlMarkup(BASE + '/', BASE + '/ret', immediate=im))
            return self.out(302, h=[('Location', rq.redirectURL(BASE + '/', BASE + '/ret', immediate=im))])
        if p == '/ret':
            c = consumer.Consumer(
                self.session,
                None if self.session.get('stateless') else STORES.get(self.session.get('st', ''), store),
            )
            r = c.complete(self.query, BASE + self.path if self.command == 'GET' else BASE + self.path)
            d = {
                'status': r.status,
                'id': r.getDisplayIdentifier() if r.status == 'success' else getattr(r, 'identity_url', None),
                'assoc': self.session.get('assoc'),
                'endpoint': self.session.get('ep'),
                'message': getattr(r, 'message', None) if r.status == 'failure' else None,
            }
            if r.status == 'success':
                tls = sreg.SRegResponse.fromSuccessResponse(r)
                d['sreg'] = dict(tls.items()) if tls else None
                said = r.extensionResponse(ax.AXMessage.ns_uri, True)  # its signed fields
                fetched = (said or {}).get('mode') == 'fetch_response'
                a = ax.FetchResponse.fromSuccessResponse(r) if fetched else None
                d['ax'] = a.data if a else None
                d['store'] = said
            return self.out(
                200 if r.status == 'success' else 403,
                json.dumps(d, ensure_ascii=False, default=str) + '\n',
                'application/json; charset=utf-8',
            )
        self.out(
            200,
            f'<html><head><meta http-equiv="X-XRDS-Location" content="{BASE}/xrds"></head><body>rp</body></html>',
            h=[(YADIS_HEADER_NAME, BASE + '/xrds')],
        )

    def log_message(self, f, *a):
        sys.stderr.write(options.role + ' ' + f % a + '\n')


url = urllib.parse.urlsplit(BASE)
server_socket = ThreadingHTTPServer((url.hostname, url.port), Handler)
server_socket.daemon_threads = True
if url.scheme == 'https':
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.cert, options.key)
    server_socket.socket = tls.wrap_socket(
        server_socket.socket, server_side=True, do_handshake_on_connect=False
    )
print('ready', BASE, flush=True)
server_socket.serve_forever()
