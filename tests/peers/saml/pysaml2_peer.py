#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pysaml2 (Debian: python3-pysaml2 xmlsec1) as a SAML 2.0 IdP or SP over https; started by pysaml2.sh.

pysaml2_peer.py idp|sp --ip IP --port PORT --dir DIR [--peers METADATA.xml ...] [--ca PEM] [OPTION ...]

idp  entityID https://IP:PORT/idp. /metadata, /sso/redirect, /sso/post, /sso/soap (ECP, Basic authentication),
     /slo/redirect, /slo/post, /slo/soap, /ars (artifact resolution), /initslo (logs out everywhere), /unsol?sp=<entityID>
     (unsolicited response), /token?sp=<entityID> (Basic authentication: a bare assertion for that audience, as programs get one). Users alice/alicepw, bob/bobpw; form fields username, password.
     --encrypt (EncryptedAssertion) --sign-response --no-sign-assertion --want-signed-requests --artifact (answers by
     HTTP-Artifact) --sha1
sp   entityID https://IP:PORT/sp. /metadata, /login?idp=<entityID>[&binding=redirect|post][&resp=post|artifact]
     [&passive=1][&force=1][&nidf=FORMAT], /paos?idp=<entityID> (ECP), /acs/post, /acs/artifact, /acs/paos, /slo/redirect, /slo/post, /slo/soap,
     /logout[?binding=redirect|post|soap], / (JSON of the session, 403 without one)
     --allow-unsolicited --sign-requests --want-assertions-signed --want-response-signed --sha1
Errors are answered by status 400 and the exception's text. Metadata is read at start and again on GET /reload.
"""
import sys, os, ssl, argparse, json, base64, logging, urllib.parse, uuid, time, http.cookies, traceback, zlib
from http.server import ThreadingHTTPServer, BaseHTTPRequestHandler
from saml2 import (
    BINDING_HTTP_REDIRECT as REDIRECT,
    BINDING_HTTP_POST as POST,
    BINDING_SOAP as SOAP,
    BINDING_HTTP_ARTIFACT as ARTIFACT,
    BINDING_PAOS as PAOS,
)
from saml2 import saml, samlp, soap, time_util
from saml2.config import Config
from saml2.server import Server
from saml2.client import Saml2Client
from saml2.metadata import entity_descriptor
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.sigver import get_xmlsec_binary
from saml2.xmldsig import DefaultSignature
from saml2.s_utils import UnknownPrincipal, UnsupportedBinding

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('role', choices=['idp', 'sp'])
parser.add_argument('--ip', default='127.0.7.4')
parser.add_argument('--port', type=int, default=8445)
parser.add_argument('--peers', nargs='*', default=[])
parser.add_argument('--dir', required=True, help='has tls.{key,crt} sign.{key,crt}')
parser.add_argument('--ca')
for f in (
    'encrypt',
    'sign-response',
    'no-sign-assertion',
    'want-signed-requests',
    'sha1',
    'artifact',
    'allow-unsolicited',
    'sign-requests',
    'want-assertions-signed',
    'want-response-signed',
    'debug',
):
    parser.add_argument('--' + f, action='store_true')
options = parser.parse_args()
BASE = f'https://{options.ip}:{options.port}'
logging.basicConfig(level=logging.DEBUG if options.debug else logging.INFO, stream=sys.stderr)
alg = (
    dict(
        signing_algorithm='http://www.w3.org/2000/09/xmldsig#rsa-sha1',
        digest_algorithm='http://www.w3.org/2000/09/xmldsig#sha1',
    )
    if options.sha1
    else dict(
        signing_algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
        digest_algorithm='http://www.w3.org/2001/04/xmlenc#sha256',
    )
)

DefaultSignature(alg['signing_algorithm'], alg['digest_algorithm'])  # logout and artifacts ask here, not in the configuration

if options.encrypt:  # its default is triple DES, which nobody should take: AES by its own parameters
    import functools
    import saml2.entity, saml2.sigver

    saml2.entity.pre_encryption_part = functools.partial(
        saml2.entity.pre_encryption_part, msg_enc='http://www.w3.org/2001/04/xmlenc#aes256-cbc'
    )
    saml2.sigver.SecurityContext.encrypt_assertion = functools.partialmethod(
        saml2.sigver.SecurityContext.encrypt_assertion, key_type='aes-256'
    )


def conf():
    c = {
        'entityid': f'{BASE}/{options.role}',
        'xmlsec_binary': get_xmlsec_binary(['/usr/bin']),
        'key_file': f'{options.dir}/sign.key',
        'cert_file': f'{options.dir}/sign.crt',
        'encryption_keypairs': [
            {'key_file': f'{options.dir}/sign.key', 'cert_file': f'{options.dir}/sign.crt'}
        ],
        'metadata': {'local': [p for p in options.peers if os.path.getsize(p)]},
        'allow_unknown_attributes': True,
        'accepted_time_diff': 60,
        'ca_certs': options.ca,
        **alg,
    }
    slo = [(f'{BASE}/slo/redirect', REDIRECT), (f'{BASE}/slo/post', POST), (f'{BASE}/slo/soap', SOAP)]
    if options.role == 'idp':
        c['service'] = {
            'idp': {
                'name': 'pysaml2 idp',
                'endpoints': {
                    'single_sign_on_service': [
                        (f'{BASE}/sso/redirect', REDIRECT),
                        (f'{BASE}/sso/post', POST),
                        (f'{BASE}/sso/soap', SOAP),
                    ],
                    'single_logout_service': slo,
                    'artifact_resolution_service': [(f'{BASE}/ars', SOAP)],
                },
                'policy': {
                    'default': {
                        'lifetime': {'minutes': 15},
                        'attribute_restrictions': None,
                        'name_form': 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
                    }
                },
                'name_id_format': [
                    saml.NAMEID_FORMAT_TRANSIENT,
                    saml.NAMEID_FORMAT_PERSISTENT,
                    saml.NAMEID_FORMAT_EMAILADDRESS,
                ],
                'subject_data': f'{options.dir}/idp.subject',
                'want_authn_requests_signed': options.want_signed_requests,
                'sign_response': options.sign_response,
                'sign_assertion': not options.no_sign_assertion,
            }
        }
    else:
        c['service'] = {
            'sp': {
                'name': 'pysaml2 sp',
                'endpoints': {
                    'assertion_consumer_service': [
                        (f'{BASE}/acs/post', POST),
                        (f'{BASE}/acs/artifact', ARTIFACT),
                        (f'{BASE}/acs/paos', PAOS),
                    ],
                    'single_logout_service': slo,
                },
                'allow_unsolicited': options.allow_unsolicited,
                'authn_requests_signed': options.sign_requests,
                'logout_requests_signed': True,
                'want_assertions_signed': options.want_assertions_signed,
                'want_response_signed': options.want_response_signed,
                'name_id_format': [
                    saml.NAMEID_FORMAT_TRANSIENT,
                    saml.NAMEID_FORMAT_PERSISTENT,
                    saml.NAMEID_FORMAT_EMAILADDRESS,
                ],
            }
        }
    x = Config()
    x.load(c)
    x.context = options.role
    return x


USERS = {
    'alice': (
        'alicepw',
        {
            'uid': ['alice'],
            'mail': ['alice@pysaml2.test'],
            'displayName': ['Alice Ängström'],
            'eduPersonAffiliation': ['member', 'staff'],
            'eduPersonPrincipalName': ['alice@pysaml2.test'],
        },
    ),
    'bob': (
        'bobpw',
        {
            'uid': ['bob'],
            'mail': ['bob@pysaml2.test'],
            'displayName': ['Bob <&>'],
            'eduPersonAffiliation': ['member'],
            'eduPersonPrincipalName': ['bob@pysaml2.test'],
        },
    ),
}
SESSIONS, PENDING, OUTSTANDING = {}, {}, {}


def build():
    global config, entity
    config = conf()
    entity = Server(config=config) if options.role == 'idp' else Saml2Client(config=config)


build()


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def out(self, code, body, ct='text/html; charset=utf-8', **h):
        b = body if isinstance(body, bytes) else str(body).encode()
        self.send_response(code)
        self.send_header('Content-Type', ct)
        self.send_header('Content-Length', str(len(b)))
        for k, v in h.items():
            self.send_header(k.replace('_', '-'), v)
        if getattr(self, 'new_session', None):
            self.send_header(
                'Set-Cookie', f'PYS{options.role}={self.new_session}; Path=/; HttpOnly; Secure; SameSite=None'
            )
        self.end_headers()
        self.wfile.write(b)

    def http_args(self, info):  # what apply_binding returned
        h = dict(info['headers']) if info.get('headers') else {}
        if 'Location' in h:
            return self.out(303, '', Location=h['Location'])
        d = info['data']
        self.out(
            int(info.get('status') or 200),
            d if isinstance(d, (bytes, str)) else ''.join(d),
            ct='text/html; charset=utf-8',
        )

    def handle_one(self):
        u = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(u.query, keep_blank_values=True))
        self.raw = b''
        if self.command == 'POST':
            self.raw = self.rfile.read(int(self.headers.get('Content-Length') or 0))
            if 'urlencoded' in (self.headers.get('Content-Type') or ''):
                self.query.update(urllib.parse.parse_qsl(self.raw.decode(), keep_blank_values=True))
        c = http.cookies.SimpleCookie(self.headers.get('Cookie') or '')
        self.session_id = c[f'PYS{options.role}'].value if f'PYS{options.role}' in c else None
        self.new_session = None
        self.session = SESSIONS.get(self.session_id)
        p = u.path
        try:
            if p == '/metadata':
                return self.out(200, str(entity_descriptor(config)), 'application/samlmetadata+xml')
            if p == '/reload':
                build()
                return self.out(200, 'ok')
            (self.idp if options.role == 'idp' else self.sp)(p)
        except Exception as e:
            traceback.print_exc()
            self.out(400, f'{type(e).__module__}.{type(e).__name__}: {e}\n', 'text/plain; charset=utf-8')

    do_GET = do_POST = handle_one

    def check_redirect_signature(
        self, b, m, what, must
    ):  # pysaml2 7.0 leaves the Redirect-binding signature to the application
        if b != REDIRECT:
            return
        if not self.query.get('Signature'):
            if must:
                raise ValueError('unsigned redirect ' + what)
            return
        from saml2.sigver import verify_redirect_signature

        i = {k: self.query[k] for k in (what, 'RelayState', 'SigAlg', 'Signature') if k in self.query}
        cs = [
            c[1] if isinstance(c, tuple) else c
            for c in entity.metadata.certs(m.issuer.text, 'any', 'signing')
        ]
        if not any(verify_redirect_signature(dict(i), entity.sec.sec_backend, c) for c in cs):
            raise ValueError('bad redirect signature')
        print('redirect signature of', m.issuer.text, 'verified', self.query['SigAlg'], file=sys.stderr)

    # ---------------------------------------------------------------- IdP
    def idp(self, p):
        if p in ('/sso/redirect', '/sso/post'):
            b = REDIRECT if p.endswith('redirect') else POST
            ri = entity.parse_authn_request(self.query['SAMLRequest'], b)
            self.check_redirect_signature(b, ri.message, 'SAMLRequest', options.want_signed_requests)
            req = ri.message
            rs = self.query.get('RelayState', '')
            if self.session and req.force_authn != 'true':
                return self.answer(req, rs, self.session['user'])
            if req.is_passive == 'true':
                a = entity.response_args(req)
                r = entity.create_error_response(
                    a['in_response_to'], a['destination'], (samlp.STATUS_NO_PASSIVE, 'no session'), sign=True
                )
                return self.http_args(
                    entity.apply_binding(a['binding'], str(r), a['destination'], rs, response=True)
                )
            k = uuid.uuid4().hex
            PENDING[k] = (req, rs)
            return self.login(k)
        if p == '/login':
            u, pw = self.query.get('username'), self.query.get('password')
            if u not in USERS or USERS[u][0] != pw:
                return self.login(self.query.get('k'), 'bad')
            self.new_session = uuid.uuid4().hex
            self.session = SESSIONS[self.new_session] = {'user': u, 'sps': []}
            k = PENDING.pop(self.query['k'])
            return self.unsol(k[1], u) if k[0] is None else self.answer(k[0], k[1], u)
        if p == '/unsol':
            if not self.session:
                k = uuid.uuid4().hex
                PENDING[k] = (None, self.query['sp'])
                return self.login(k)
            return self.unsol(self.query['sp'], self.session['user'])
        if p in ('/sso/soap', '/token'):
            au = self.headers.get('Authorization') or ''
            try:
                u, pw = base64.b64decode(au.split()[1]).decode().split(':', 1)
            except Exception:
                u = pw = None
            if u not in USERS or USERS[u][0] != pw:
                return self.out(401, '', WWW_Authenticate='Basic realm="idp"')
        if p == '/token':
            from lxml import etree

            self.new_session = uuid.uuid4().hex
            SESSIONS[self.new_session] = {'user': u, 'sps': []}
            args = {'in_response_to': None, 'destination': None, 'sp_entity_id': self.query['sp'], 'name_id_policy': None}
            response = etree.fromstring(str(self.mk(args, u)).encode())
            return self.out(200, etree.tostring(response.find('{%s}Assertion' % saml.NAMESPACE)).decode(), 'text/xml')
        if p == '/sso/soap':  # ECP
            from lxml import etree  # by text: pysaml2 re-serialises SOAP bodies, which breaks signatures
            import html, re

            t = etree.fromstring(self.raw).find('.//{urn:oasis:names:tc:SAML:2.0:protocol}AuthnRequest')
            req = entity.parse_authn_request(base64.b64encode(etree.tostring(t)), POST).message
            a = {
                'in_response_to': req.id,
                'sp_entity_id': req.issuer.text,
                'name_id_policy': req.name_id_policy,
                'destination': req.assertion_consumer_service_url,
            }
            if not a['destination']:
                a['destination'] = entity.metadata.assertion_consumer_service(req.issuer.text, PAOS)[0][
                    'location'
                ]
            r = entity.create_authn_response(
                USERS[u][1],
                userid=u,
                authn={'class_ref': PASSWORDPROTECTEDTRANSPORT, 'authn_auth': BASE},
                sign_assertion=not options.no_sign_assertion,
                sign_response=True,
                encrypt_assertion=options.encrypt,
                sign_alg=alg['signing_algorithm'],
                digest_alg=alg['digest_algorithm'],
                **a,
            )
            body = re.sub(r'^<\?xml[^>]*\?>\s*', '', str(r))
            return self.out(
                200,
                '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header><ecp:Response xmlns:ecp="urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp" S:mustUnderstand="1" '
                f'S:actor="http://schemas.xmlsoap.org/soap/actor/next" AssertionConsumerServiceURL="{html.escape(a["destination"])}"/></S:Header><S:Body>{body}</S:Body></S:Envelope>',
                'text/xml; charset=utf-8',
            )
        if p == '/ars':
            return self.out(200, self.artifact_resolve(), 'text/xml; charset=utf-8')
        if p.startswith('/slo/'):
            return self.slo(p)
        if p == '/initslo':
            return self.initslo()
        self.out(404, 'no')

    def login(self, k, err=''):
        self.out(
            200,
            f'<html><body>{err}<form method="post" action="/login"><input type="hidden" name="k" value="{k}"><input name="username"><input type="password" name="password"><input type="submit" value="Login"></form></body></html>',
        )

    def mk(self, a, user):
        a = dict(a)
        sess = SESSIONS[self.new_session or self.session_id]
        r = entity.create_authn_response(
            USERS[user][1],
            userid=user,
            authn={
                'class_ref': PASSWORDPROTECTEDTRANSPORT,
                'authn_auth': BASE,
                'authn_instant': int(time.time()),
            },
            sign_assertion=not options.no_sign_assertion,
            sign_response=options.sign_response,
            encrypt_assertion=options.encrypt,
            sign_alg=alg['signing_algorithm'],
            digest_alg=alg['digest_algorithm'],
            **a,
        )
        sess['sps'].append(a['sp_entity_id'])
        return r

    def answer(self, req, rs, user):
        a = entity.response_args(req, [ARTIFACT] if options.artifact else None)
        b = a['binding']
        r = self.mk(a, user)
        if b == ARTIFACT:
            art = entity.use_artifact(r, 1)
            return self.out(
                303,
                '',
                Location=a['destination']
                + ('&' if '?' in a['destination'] else '?')
                + urllib.parse.urlencode(
                    {'SAMLart': art.decode() if isinstance(art, bytes) else art, 'RelayState': rs}
                ),
            )
        self.http_args(entity.apply_binding(b, str(r), a['destination'], rs, response=True))

    def unsol(self, sp, user):
        b, dest = entity.pick_binding('assertion_consumer_service', [POST], 'spsso', entity_id=sp)
        r = self.mk(
            {'in_response_to': None, 'destination': dest, 'sp_entity_id': sp, 'name_id_policy': None}, user
        )
        self.http_args(entity.apply_binding(b, str(r), dest, self.query.get('RelayState', ''), response=True))

    def artifact_resolve(self):  # by text: pysaml2's own create_artifact_response takes only unsigned objects
        import html, re

        ar = entity.parse_artifact_resolve(self.raw.decode())
        m = entity.artifact.pop(ar.artifact.text, None)
        now = time_util.instant()
        body = re.sub(r'^<\?xml[^>]*\?>\s*', '', str(m)) if m is not None else ''
        return (
            '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><p:ArtifactResponse xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" '
            f'ID="_{uuid.uuid4().hex}" Version="2.0" IssueInstant="{now}" InResponseTo="{html.escape(ar.id)}"><a:Issuer>{config.entityid}</a:Issuer><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'
            f'{body}</p:ArtifactResponse></S:Body></S:Envelope>'
        )

    # ---------------------------------------------------------------- both: SLO
    def soap_logout_request(self):  # by text: pysaml2 re-serialises SOAP bodies, which breaks signatures
        from lxml import etree

        t = etree.fromstring(self.raw).find('.//{urn:oasis:names:tc:SAML:2.0:protocol}LogoutRequest')
        e = config.endpoint
        config.endpoint = lambda sv, b=None, c=None: e(sv, SOAP if b == POST else b, c)
        try:
            return entity.parse_logout_request(base64.b64encode(etree.tostring(t)), POST)
        finally:
            config.endpoint = e

    def slo(self, p):
        b = {'redirect': REDIRECT, 'post': POST, 'soap': SOAP}[p.split('/')[-1]]
        if 'SAMLResponse' in self.query:
            r = entity.parse_logout_request_response(self.query['SAMLResponse'], b)
            q = OUTSTANDING.pop(r.in_response_to, None) if r else None
            return (
                q(self)
                if q
                else self.out(
                    200,
                    'logged out (status ' + self.status_of(r) + ')\n',
                    'text/plain',
                )
            )
        rq = self.soap_logout_request() if b == SOAP else entity.parse_logout_request(self.query['SAMLRequest'], b)
        m = rq.message
        self.check_redirect_signature(b, m, 'SAMLRequest', True)
        if options.role == 'sp':
            entity.users.remove_person(m.name_id) if entity.users.issuers_of_info(m.name_id) else None
        for k in [
            k
            for k, v in SESSIONS.items()
            if (options.role == 'idp' and k == self.session_id)
            or (options.role == 'sp' and (k == self.session_id or str(v.get('nid')) == str(m.name_id)))
        ]:
            SESSIONS.pop(k)
        resp = (
            entity.create_logout_response(m, [b], sign=True)
            if b != SOAP
            else entity.create_logout_response(m, [SOAP], sign=True)
        )
        if b == SOAP:
            from saml2.pack import make_soap_enveloped_saml_thingy

            return self.out(200, make_soap_enveloped_saml_thingy(resp), 'text/xml; charset=utf-8')
        role = 'spsso' if options.role == 'idp' else 'idpsso'
        bb, dest = entity.pick_binding('single_logout_service', [b, REDIRECT, POST], role, request=m)
        d = entity.metadata.single_logout_service(m.issuer.text, bb, role)
        dest = (d[0].get('response_location') or d[0]['location']) if d else dest
        self.http_args(
            entity.apply_binding(
                bb, str(resp), dest, self.query.get('RelayState', ''), response=True, sign=True
            )
        )

    def initslo(self):
        if not self.session or not self.session['sps']:
            SESSIONS.pop(self.session_id, None)
            return self.out(200, 'logged out\n', 'text/plain')
        sp = self.session['sps'].pop()
        nid = [
            n for n in entity.ident.find_nameid(self.session['user']) if n.sp_name_qualifier in (sp, None)
        ][-1]
        b, dest = entity.pick_binding('single_logout_service', [REDIRECT, POST], 'spsso', entity_id=sp)
        i, rq = entity.create_logout_request(dest, sp, name_id=nid, reason='user', sign=b == POST)
        OUTSTANDING[i] = lambda h: h.initslo()
        self.http_args(entity.apply_binding(b, str(rq), dest, 'slo', sign=True))

    def by_text(self, t, binding):
        from lxml import etree

        e = config.endpoint
        config.endpoint = lambda sv, b=None, c=None: e(
            sv, binding if sv == 'assertion_consumer_service' else b, c
        )
        try:
            return entity.parse_authn_request_response(
                base64.b64encode(etree.tostring(t)), POST, outstanding=OUTSTANDING
            )
        finally:
            config.endpoint = e

    def status_of(self, r):
        code = r.response.status.status_code if r else None
        return ' '.join(c.value for c in (code, code and code.status_code) if c) or '?'

    def soap_logout(self, sess):  # by text: pysaml2 re-serialises what it reads, which breaks signatures
        issuer = sess['info']['issuer']
        dest = entity.metadata.single_logout_service(issuer, SOAP, 'idpsso')[0]['location']
        _, rq = entity.create_logout_request(
            dest, issuer, name_id=sess['nid'], session_indexes=[sess['info']['session_index']], sign=True
        )
        r = entity.send_using_soap(rq, dest)
        self.out(200, 'logged out via soap: ' + r.text + '\n', 'text/plain')

    # ---------------------------------------------------------------- SP
    def sp(self, p):
        if p == '/login':
            b = {'redirect': REDIRECT, 'post': POST}[self.query.get('binding', 'redirect')]
            rb = ARTIFACT if self.query.get('resp') == 'artifact' else POST
            kw = {}
            if self.query.get('passive'):
                kw['is_passive'] = 'true'
            if self.query.get('force'):
                kw['force_authn'] = 'true'
            if self.query.get('nidf'):
                kw['nameid_format'] = self.query['nidf']
            rid, used, info = entity.prepare_for_negotiated_authenticate(
                entityid=self.query['idp'],
                relay_state=self.query.get('rs', '/'),
                binding=b,
                response_binding=rb,
                sign=options.sign_requests,
                **kw,
            )
            OUTSTANDING[rid] = self.query.get('rs', '/')
            return self.http_args(info)
        if p == '/paos':
            from saml2.ecp import ecp_auth_request

            rid, envelope = ecp_auth_request(entity, self.query['idp'], sign=options.sign_requests)
            OUTSTANDING[rid] = '/'
            return self.out(200, envelope, 'application/vnd.paos+xml')
        if p in ('/acs/post', '/acs/artifact', '/acs/paos'):
            if p.endswith('paos'):
                from lxml import etree

                t = etree.fromstring(self.raw).find('.//{urn:oasis:names:tc:SAML:2.0:protocol}Response')
                r = self.by_text(t, PAOS)
            elif p.endswith('post'):
                r = entity.parse_authn_request_response(
                    self.query['SAMLResponse'], POST, outstanding=OUTSTANDING
                )
            else:
                from lxml import etree

                t = etree.fromstring(entity.artifact2message(self.query['SAMLart'], 'idpsso', sign=True).content).find(
                    './/{urn:oasis:names:tc:SAML:2.0:protocol}Response'
                )
                if t is None:
                    return self.out(400, 'artifact not resolved\n', 'text/plain')
                r = (
                    entity.parse_authn_request_response(
                        base64.b64encode(etree.tostring(t)), POST, outstanding=OUTSTANDING
                    )
                    if not t.get('Destination', '').endswith('/acs/artifact')
                    else self.by_text(t, ARTIFACT)
                )
            if r is None:
                return self.out(400, 'no response\n')
            OUTSTANDING.pop(r.in_response_to, None)
            self.new_session = uuid.uuid4().hex
            si = r.session_info()
            SESSIONS[self.new_session] = {
                'nid': r.name_id,
                'info': {
                    'issuer': si['issuer'],
                    'ava': si['ava'],
                    'nameid': [r.name_id.text, r.name_id.format],
                    'session_index': si['session_index'],
                    'authn': [list(map(str, x)) for x in si['authn_info']],
                    'relay': self.query.get('RelayState'),
                },
            }
            entity.users.add_information_about_person(si)
            return self.out(303, '', Location=BASE + '/')
        if p == '/':
            return self.out(
                200 if self.session else 403,
                json.dumps(
                    self.session['info'] if self.session else {'error': 'not logged in'}, ensure_ascii=False
                )
                + '\n',
                'application/json',
            )
        if p == '/logout':
            if not self.session:
                return self.out(200, 'no session\n', 'text/plain')
            sess = SESSIONS.pop(self.session_id)
            if self.query.get('binding') == 'soap':
                return self.soap_logout(sess)
            d = entity.do_logout(
                sess['nid'],
                entity.users.issuers_of_info(sess['nid']),
                'urn:oasis:names:tc:SAML:2.0:logout:user',
                time_util.in_a_while(minutes=5),
                True,
                {'post': POST, 'soap': SOAP}.get(self.query.get('binding'), REDIRECT),
            )
            for ent, v in d.items():
                if isinstance(v, tuple):
                    return self.http_args(v[1])
            return self.out(
                200,
                'logged out via soap: '
                + str(
                    {
                        k: getattr(getattr(v, 'response', None), 'status', None) is not None
                        for k, v in d.items()
                    }
                )
                + '\n',
                'text/plain',
            )
        if p.startswith('/slo/'):
            return self.slo(p)
        self.out(404, 'no')

    def log_message(self, f, *a):
        sys.stderr.write(f'{options.role} ' + f % a + '\n')


server = ThreadingHTTPServer((options.ip, options.port), Handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f'{options.dir}/tls.crt', f'{options.dir}/tls.key')
server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.daemon_threads = True
print('ready', BASE, flush=True)
server.serve_forever()
