# SPDX-License-Identifier: GPL-2.0-or-later
"""Tokens of the corpus by whole stacks of others, some of which know no clock but the real one: Apache WSS4J, pysaml2,
python3-openid, and node's xml-crypto and jose (tests/peers/install)."""
import base64
import datetime
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

from make_xml import ACS, IDP, OURS, assertion20

PEERS = os.environ.get('FEDGATE_PEERS_DIR') or os.path.expanduser('~/.cache/fedgate-peers')
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def later(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)).strftime('%Y-%m-%dT%H:%M:%SZ')


def wss4j(case, keys):
    """SAML assertions by WSS4J's own writer (OpenSAML)."""
    sys.path.insert(0, os.path.join(ROOT, 'tests', 'system'))
    os.environ.setdefault('FEDGATE_BUILD', os.path.join(ROOT, 'build'))
    from wss4j import Wss4j
    at, much = later(seconds=30), later(hours=12)
    options = ['--trust', 'keys/idp.pem', '--issuer', IDP, '--audience', OURS]
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for name in ('idp', 'other'):
            names[name] = os.path.join(folder, name + '.pem')
            with open(names[name], 'w') as file:
                file.write(open(os.path.join(keys, name + '.pem')).read() + open(os.path.join(keys, name + '.key')).read())
        w = Wss4j(folder)
        try:
            for version, kind in (('1.1', 'saml11'), ('2.0', 'saml20')):
                def make(key='idp', aud=OURS, issuer=IDP, conf='bearer'):
                    return open(w.assertion(v=version, conf=conf, issuer=issuer, aud=aud, sub='alice', key=names[key])).read()
                sound, twin = make(), 'wss4j-%s-sound.xml' % kind
                by = dict(kind=kind, by='WSS4J', at=at)
                case(twin, sound, 'valid', options, **by)
                for name, defect, code, text, extra in [
                    ('edited', 'the subject was edited', 'signature.digest-mismatch', sound.replace('>alice<', '>mallory<'), {}),
                    ('indented', 'it was indented', 'signature.digest-mismatch', sound.replace('><', '>\n<'), {}),
                    ('other-key', 'another key', 'signature.wrong-key', make('other'), {}),
                    ('other-audience', 'it is for somebody else', 'audience.mismatch', make(aud='urn:x'), {}),
                    ('other-issuer', 'it is from somebody else', 'issuer.mismatch', make(issuer='urn:x'), {}),
                    ('sender-vouches', 'somebody would have to vouch', 'confirmation.unsupported', make(conf='sv'), {}),
                    ('unsigned', 'it is not signed', 'signature.missing', re.sub(r'<(\w+:)?Signature\b.*?</(\w+:)?Signature>', '', sound, flags=re.S), {}),
                    ('expired', 'it is judged half a day later', 'time.expired', sound, {'at': much}),
                ]:
                    case('wss4j-%s-%s.xml' % (kind, name), text, code, options, defect, twin, **{**by, **extra})
        finally:
            w.stop()


def pysaml2(case, keys):
    """Responses by pysaml2 as an identity provider."""
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
    from saml2.config import IdPConfig
    from saml2.saml import NAMEID_FORMAT_UNSPECIFIED, NameID
    from saml2.server import Server
    sp = ('<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
          '<md:AssertionConsumerService Binding="%s" Location="%s" index="0"/></md:SPSSODescriptor></md:EntityDescriptor>') % (OURS, BINDING_HTTP_POST, ACS)

    def make(key='idp', audience=OURS, sign_response=False, sign_assertion=True, destination=ACS):
        server = Server(config=IdPConfig().load({
            'entityid': IDP, 'key_file': os.path.join(keys, key + '.key'), 'cert_file': os.path.join(keys, key + '.pem'), 'xmlsec_binary': '/usr/bin/xmlsec1',
            'metadata': {'inline': [sp]},
            'service': {'idp': {'endpoints': {'single_sign_on_service': [('https://idp.example.org/sso', BINDING_HTTP_REDIRECT)]},
                                'policy': {'default': {'lifetime': {'minutes': 60}, 'attribute_restrictions': None, 'name_form': 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri'}}}}}))
        return str(server.create_authn_response(
            {'mail': ['alice@example.org'], 'givenName': ['Alice']}, in_response_to='_request-1', destination=destination, sp_entity_id=audience,
            name_id=NameID(format=NAMEID_FORMAT_UNSPECIFIED, text='alice'), authn={'class_ref': PASSWORDPROTECTEDTRANSPORT, 'authn_instant': 0}, sign_assertion=sign_assertion,
            sign_response=sign_response, sign_alg='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', digest_alg='http://www.w3.org/2001/04/xmlenc#sha256'))
    at = later(seconds=30)
    options = ['--trust', 'keys/idp.pem', '--issuer', IDP, '--audience', OURS, '--recipient', ACS, '--destination', ACS, '--in-response-to', '_request-1']
    by = dict(kind='saml20p', by='pysaml2', at=at)
    sound, twin = make(), 'pysaml2-sound.xml'
    case(twin, sound, 'valid', options, **by)
    case('pysaml2-sound-both.xml', make(sign_response=True), 'valid', options, **by)
    for name, defect, code, text, extra in [
        ('edited', 'a claim was edited', 'signature.digest-mismatch', sound.replace('alice@example.org', 'mallory@example.org'), {}),
        ('other-key', 'another key', 'signature.wrong-key', make('other'), {}),
        ('unsigned', 'it is not signed', 'signature.missing', make(sign_assertion=False), {}),
        ('other-destination', 'it is for another address', 'destination.mismatch', make(destination='https://fs.example.com/x'), {}),
        ('expired', 'it is judged half a day later', 'time.expired', sound, {'at': later(hours=12)}),
    ]:
        case('pysaml2-%s.xml' % name, text, code, options, defect, twin, **{**by, **extra})


XMLCRYPTO = """
const { SignedXml } = require('xml-crypto'); const fs = require('fs');
const [file, key, certificate] = process.argv.slice(2);
const base64 = fs.readFileSync(certificate, 'utf8').split('-----')[2].replace(/\\s/g, '');
const s = new SignedXml();
s.signingKey = fs.readFileSync(key);
s.signatureAlgorithm = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512';
s.canonicalizationAlgorithm = 'http://www.w3.org/2001/10/xml-exc-c14n#';
s.keyInfoProvider = { getKeyInfo: () => `<ds:X509Data><ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data>` };
s.addReference('/*', ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'], 'http://www.w3.org/2001/04/xmlenc#sha512');
s.computeSignature(fs.readFileSync(file, 'utf8'), { location: { reference: "//*[local-name(.)='Issuer']", action: 'after' }, prefix: 'ds' });
process.stdout.write(s.getSignedXml());
"""
JOSE = """
(async () => { const jose = await import(require.resolve('jose')); const fs = require('fs');
const [key, alg, kid, claims] = process.argv.slice(2);
const k = await jose.importPKCS8(fs.readFileSync(key, 'utf8'), alg);
process.stdout.write(await new jose.SignJWT(JSON.parse(claims)).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(k)); })();
"""
JOSE_ENCRYPT = """
(async () => { const jose = await import(require.resolve('jose')); const fs = require('fs');
const [certificate, alg, enc, token] = process.argv.slice(2);
const to = await jose.importX509(fs.readFileSync(certificate, 'utf8'), alg);
process.stdout.write(await new jose.CompactEncrypt(new TextEncoder().encode(token)).setProtectedHeader({ alg, enc, cty: 'JWT' }).encrypt(to)); })();
"""


def node(script, *arguments):
    modules = os.path.join(PEERS, 'node', 'node_modules')
    path = os.path.join(PEERS, 'node-runtime', 'bin') + ':' + os.environ['PATH']
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, 'script.js')
        open(name, 'w').write(script)
        return subprocess.run(['node', name, *arguments], stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, 'NODE_PATH': modules, 'PATH': path}).stdout


def node_tokens(case, keys):
    options = ['--trust', 'keys/idp.pem', '--issuer', IDP, '--audience', OURS, '--recipient', ACS]
    with tempfile.NamedTemporaryFile('w', suffix='.xml', encoding='utf-8') as file:
        file.write(assertion20())
        file.flush()
        sound = node(XMLCRYPTO, file.name, os.path.join(keys, 'idp.key'), os.path.join(keys, 'idp.pem'))
    by = dict(kind='saml20', by='xml-crypto')
    case('xml-crypto-sound.xml', sound, 'valid', options, **by)
    case('xml-crypto-edited.xml', sound.replace('alice@', 'mallory@'), 'signature.digest-mismatch', options, 'a claim was edited', 'xml-crypto-sound.xml', **by)
    case('xml-crypto-transcoded.xml', sound.replace('\u00fc', '\u00c3\u00bc'), 'signature.digest-mismatch', options, 'it was transcoded', 'xml-crypto-sound.xml', **by)
    claims = '{"iss":"%s","aud":"%s","sub":"alice","iat":1795867140,"exp":1795870800,"upn":"alice@example.org"}' % (IDP, OURS)
    options, by = ['--trust', 'keys/jwks.json', '--issuer', IDP, '--audience', OURS], dict(kind='jwt', by='jose')
    for alg, name in (('RS512', 'idp'), ('PS512', 'idp'), ('ES256', 'ec')):
        token, twin = node(JOSE, os.path.join(keys, name + '.key'), alg, name, claims), 'jose-%s-sound.txt' % alg.lower()
        case(twin, token, 'valid', options, **by)
        head, body, value = token.split('.')
        case('jose-%s-edited.txt' % alg.lower(), '.'.join([head, base64.urlsafe_b64encode(claims.replace('alice', 'mallory').encode()).decode().rstrip('='), value]),
             'signature.value-mismatch', options, 'a claim was edited', twin, **by)


def seal(keys, text, alg='RSA-OAEP-256', enc='A256GCM', to='enc'):
    return node(JOSE_ENCRYPT, os.path.join(keys, to + '.pem'), alg, enc, text)


def encrypted_tokens(case, keys):
    """A signed token inside an encrypted one (RFC 7519 §5.2)."""
    options, by = ['--trust', 'keys/jwks.json', '--issuer', IDP, '--audience', OURS], dict(kind='jwt', by='jose')
    claims = '{"iss":"%s","aud":"%s","sub":"alice","iat":1795867140,"exp":1795870800,"upn":"alice@example.org"}' % (IDP, OURS)
    token, ours = node(JOSE, os.path.join(keys, 'idp.key'), 'RS256', 'idp', claims), options + ['--decrypt-key', 'keys/enc.key']
    close = lambda *how, **to: seal(keys, *how, **to)  # noqa: E731
    sound, twin = close(token), 'jwe-sound.txt'
    case(twin, sound, 'valid', ours, **by)
    case('jwe-cbc-sound.txt', close(token, 'RSA-OAEP', 'A128CBC-HS256'), 'valid', ours, **by)
    case('jwe-without-key.txt', sound, 'encryption.no-key', options, 'nobody gave the key', twin, **by)
    case('jwe-to-another.txt', close(token, to='other'), 'encryption.failed', ours, 'it is encrypted to somebody else', twin, **by)
    case('jwe-edited.txt', sound[:-6] + 'AAAAAA', 'encryption.failed', ours, 'its tag was edited', twin, **by)
    case('jwe-192.txt', close(token, enc='A192GCM'), 'encryption.weak-algorithm', ours, 'an algorithm of no list', twin, **by)
    case('jwe-unsigned.txt', close(claims), 'signature.missing', ours, 'it is encrypted, but nobody signed it', twin, **by)
    head, body, value = token.split('.')
    edited = base64.urlsafe_b64encode(claims.replace('alice', 'mallory').encode()).decode().rstrip('=')
    case('jwe-inner-edited.txt', close('.'.join([head, edited, value])), 'signature.value-mismatch', ours, 'a claim of the inner token was edited', twin, **by)


def openid2(case, keys):
    """Positive assertions by python3-openid as a provider."""
    from openid.server import server as op
    from openid.store.memstore import MemoryStore
    store, endpoint, back = MemoryStore(), 'https://op.example.org/server', 'https://fs.example.com/adfs/openid2/return?state=s'
    server = op.Server(store, endpoint)
    association = server.signatory.createAssociation(dumb=False, assoc_type='HMAC-SHA256')
    with open(os.path.join(keys, 'openid2.secret'), 'w') as file:
        file.write(base64.b64encode(association.secret).decode() + '\n')
    with open(os.path.join(keys, 'openid2-other.secret'), 'w') as file:
        file.write(base64.b64encode(b'x' * 32).decode() + '\n')
    fields = {'openid.ns': 'http://specs.openid.net/auth/2.0', 'openid.mode': 'checkid_setup', 'openid.identity': 'https://op.example.org/alice', 'openid.claimed_id': 'https://op.example.org/alice',
              'openid.return_to': back, 'openid.realm': 'https://fs.example.com/', 'openid.assoc_handle': association.handle}
    answer = server.encodeResponse(server.decodeRequest(fields).answer(True))
    sound = answer.headers['location']
    nonce = re.search(r'openid.response_nonce=([^&]*)', sound).group(1)
    options = ['--issuer', endpoint, '--recipient', back, '--secret', 'keys/openid2.secret']
    at, twin, by = later(seconds=30), 'openid2-sound.txt', dict(kind='openid2', by='python3-openid')
    case(twin, sound, 'valid', options, at=at, **by)
    def without(name):
        return re.sub(r'(openid.signed=[^&]*)', lambda m: m.group(1).replace('%%2C%s' % name, ''), sound)
    for name, defect, code, text, more, when in [
        ('edited', 'the identifier was edited', 'signature.value-mismatch', sound.replace('%2Falice', '%2Fmallory'), options, at),
        ('other-secret', 'by another association', 'signature.value-mismatch', sound, options[:4] + ['--secret', 'keys/openid2-other.secret'], at),
        ('other-return-to', 'return_to is another address', 'openid.return-to-mismatch', sound, options[:2] + ['--recipient', back + '2'] + options[4:], at),
        ('unsigned-claimed-id', 'claimed_id is not signed', 'openid.unsigned-field', without('claimed_id'), options, at),
        ('unsigned-nonce', 'response_nonce is not signed', 'openid.unsigned-field', without('response_nonce'), options, at),
        ('old', 'it is judged an hour later', 'openid.nonce', sound, options, later(hours=1)),
        ('early', 'its nonce is to come', 'openid.nonce', sound, options, later(hours=-1)),
        ('other-provider', 'another provider made it', 'issuer.mismatch', sound, ['--issuer', 'https://other.example.org/'] + options[2:], at),
        ('used-before', 'it was used before', 'replay.seen', sound, options + ['--seen', urllib.parse.unquote(nonce)], at),
        ('field-twice', 'identity is there twice', 'structure.invalid', sound + '&openid.identity=x', options, at),
        ('no-assertion', 'the provider refuses', 'structure.invalid', 'openid.ns=http%3A%2F%2Fspecs.openid.net%2Fauth%2F2.0&openid.mode=cancel', options, at),
    ]:
        case('openid2-%s.txt' % name, text, code, more, defect, twin, at=when, **by)


def add(case, keys, _):
    for make in (node_tokens, encrypted_tokens, openid2, pysaml2, wss4j):
        make(case, keys)
