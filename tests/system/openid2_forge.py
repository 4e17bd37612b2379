# SPDX-License-Identifier: GPL-2.0-or-later
"""A provider of OpenID 2.0 that says what a test wants it to: what attackers send.  It signs by its own arithmetic."""
import base64
import hashlib
import hmac
import http.server
import secrets
import ssl
import threading
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import harness

NS = 'http://specs.openid.net/auth/2.0'
P = int('DCF93A0B883972EC0E19989AC5A2CE310E1D37717E8D9571BB7623731866E61EF75A2E27898B057F9891C2E27A639C3F29B60814581CD3B2CA3986D26837'
        '05577D45C2E7E52DC81C7A171876E5CEA74B1448BFDFAF18828EFD2519F14E45E3826634AF1949E5B535CC829A483B8A76223E5D490A257F05BDFF16F2FB'
        '22C583AB', 16)  # fmt: skip
ASSERTED = ['op_endpoint', 'claimed_id', 'identity', 'return_to', 'response_nonce', 'assoc_handle']


def btwoc(number):
    return number.to_bytes(number.bit_length() // 8 + 1, 'big')


def encode(data):
    return base64.b64encode(data).decode()


def key_values(fields):
    return ''.join('%s:%s\n' % item for item in fields.items()).encode()


def sign(fields, secret, names):
    text = key_values({name: fields[name] for name in names if name in fields})
    return encode(hmac.new(secret, text, hashlib.sha256 if len(secret) == 32 else hashlib.sha1).digest())


def xrds(endpoint, types, local_id=None):
    service = ''.join('<Type>%s</Type>' % one for one in types) + '<URI>%s</URI>' % endpoint
    service += '<LocalID>%s</LocalID>' % local_id if local_id else ''
    return ('<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD><Service>%s</Service></XRD></xrds:XRDS>' % service).encode()


class Forge:
    def __init__(self, name, authority):
        self.name, self.port = name, harness.free_port()
        self.origin = 'https://localhost:%d' % self.port
        self.endpoint = self.origin + '/server'
        self.asked = 0
        self.pages = {}  # path: (status, headers, body) in place of its own
        self.reset()
        forge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get('Content-Length') or 0)
                status, headers, body = forge.handle(self.path, self.rfile.read(length).decode() if length else '')
                self.send_response(status)
                for item in headers.items():
                    self.send_header(*item)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate + '.crt', authority.certificate + '.key')
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        """Sound again."""
        self.change = lambda fields: None  # of the assertion, before it is signed
        self.after = lambda fields: None  # and behind
        self.location = lambda url: url
        self.signed = None  # names in place of all
        self.associate = None  # (status, fields) in place of its own, or a function of the sound one
        self.confirm = None  # (status, headers, body) in place of its own
        self.secrets, self.modes = getattr(self, 'secrets', {}), []
        self.pages.clear()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def section(self, **options):
        return {'protocol': 'openid2', 'openid2_identifier': self.origin + '/', 'issuer': 'urn:test:forge:' + self.name, **options}

    # ---- what it serves

    def handle(self, path, body):
        url = urlsplit(path)
        self.asked += 1
        if url.path in self.pages:
            return self.pages[url.path]
        if url.path == '/':
            return 200, {'Content-Type': 'application/xrds+xml'}, xrds(self.endpoint, [NS + '/server'])
        if url.path.startswith('/id/'):
            return 200, {'Content-Type': 'application/xrds+xml'}, xrds(self.endpoint, [NS + '/signon'])
        if url.path != '/server':
            return 404, {}, b''
        fields = {name[7:]: value for name, value in parse_qsl(url.query + '&' + body, keep_blank_values=True)}
        self.modes.append(fields.get('mode'))
        return {'associate': self.make_association, 'check_authentication': self.check}.get(fields.get('mode'), self.assertion)(fields)

    def make_association(self, asked):
        handle, secret = secrets.token_hex(8), secrets.token_bytes(32 if asked['assoc_type'] == 'HMAC-SHA256' else 20)
        self.secrets[handle] = secret
        theirs, mine = int.from_bytes(base64.b64decode(asked['dh_consumer_public']), 'big'), secrets.randbelow(P - 2) + 1
        digest = (hashlib.sha256 if len(secret) == 32 else hashlib.sha1)(btwoc(pow(theirs, mine, P))).digest()
        fields = {
            'ns': NS,
            'assoc_handle': handle,
            'session_type': asked['session_type'],
            'assoc_type': asked['assoc_type'],
            'expires_in': '3600',
            'dh_server_public': encode(btwoc(pow(2, mine, P))),
            'enc_mac_key': encode(bytes(a ^ b for a, b in zip(digest, secret))),
        }
        if self.associate is not None:
            status, fields = self.associate(asked, fields, secret)
            return status, {'Content-Type': 'text/plain'}, key_values(fields)
        return 200, {'Content-Type': 'text/plain'}, key_values(fields)

    def check(self, asked):
        """Of an answer of its own, under a handle that is."""
        if self.confirm is not None:
            return self.confirm
        secret = self.secrets.get(asked.get('assoc_handle'), secrets.token_bytes(32))
        asked['mode'] = 'id_res'
        good = hmac.compare_digest(sign(asked, secret, asked['signed'].split(',')), asked['sig'])
        return 200, {'Content-Type': 'text/plain'}, key_values({'ns': NS, 'is_valid': 'true' if good else 'false'})

    def assertion(self, asked):
        handle = asked.get('assoc_handle') or secrets.token_hex(8)
        self.secrets.setdefault(handle, secrets.token_bytes(32))
        fields = {
            'ns': NS,
            'mode': 'id_res',
            'op_endpoint': self.endpoint,
            'claimed_id': self.origin + '/id/eve',
            'identity': self.origin + '/id/eve',
            'return_to': asked['return_to'],
            'response_nonce': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()) + secrets.token_hex(6),
            'assoc_handle': handle,
            'ns.sreg': 'http://openid.net/extensions/sreg/1.1',
            'sreg.email': 'eve@forge.test',
        }
        self.change(fields)
        names = self.signed if self.signed is not None else [*ASSERTED, 'ns.sreg', 'sreg.email']
        fields['signed'] = ','.join(names)
        fields['sig'] = sign(fields, self.secrets.get(fields['assoc_handle'], b'?' * 32), names)
        self.after(fields)
        url = asked['return_to'] + '&' + urlencode({'openid.' + name: value for name, value in fields.items()})
        return 302, {'Location': self.location(url)}, b''
