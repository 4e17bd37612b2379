# SPDX-License-Identifier: GPL-2.0-or-later
"""`fedgate token show` and `explain`, over the tokens of tests/corpus."""
import base64
import json
import os
import urllib.parse

import pytest

from harness import COMMAND, run
from test_corpus import CASES, FOLDER

OPTIONS = next(case for case in CASES if case['file'] == 'saml20-sound.xml')['options']
TWIN = 'files/saml20-sound.xml'


def fedgate(*words, code=0, **options):
    done = run(os.path.abspath(COMMAND), 'token', *words, cwd=FOLDER, **options)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code < 2 else done.stderr


def sound(name='saml20-sound.xml'):
    with open(os.path.join(FOLDER, 'files', name), encoding='utf-8') as file:
        return file.read()


# ---- show


def pieces(piece):
    yield piece
    for inner in piece['inside']:
        yield from pieces(inner)


def shown(text, *words):
    return list(pieces(json.loads(fedgate('show', '--json', *words, input=text))))


def b64(text):
    return base64.b64encode(text.encode()).decode()


def har(*requests):
    return json.dumps({'log': {'entries': [{'request': {'method': 'POST', 'url': url, 'headers': [], 'postData': {'text': body}}, 'response': {}} for url, body in requests]}})


def wrappings():
    xml, quote = sound(), lambda text: urllib.parse.quote(text, safe='')
    wresult = sound('wsfed-sound.txt')
    yield 'plain', xml
    yield 'base64', b64(xml)
    yield 'base64 in lines', base64.encodebytes(xml.encode()).decode()
    yield 'base64url', base64.urlsafe_b64encode(xml.encode()).decode()
    yield 'percent', quote(xml)
    yield 'percent and base64', quote(b64(xml))
    yield 'form', 'RelayState=x&SAMLResponse=' + quote(b64(sound('response-sound.xml')))
    yield 'url', 'https://rp.example.org/x?a=b&assertion=' + quote(b64(xml))
    yield 'wresult', wresult
    yield 'page', sound('response-sound-page.html')
    yield 'soap', sound('wstrust-sound.xml')
    yield 'http', 'POST /adfs/ls/ HTTP/1.1\r\nHost: fs.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n' + wresult
    yield 'har', har(('https://a.example.org/', 'x=y'), ('https://fs.example.com/adfs/ls/', wresult))


@pytest.mark.parametrize('name, text', list(wrappings()), ids=lambda value: value if len(value) < 30 else '')
def test_show_unwraps(name, text):
    found = [one for one in shown(text) if one['kind'] in ('saml20-assertion', 'saml11-assertion')]
    assert len(found) == 1
    assert found[0]['says']['issuer'] == 'https://idp.example.org' and found[0]['says']['audience'] == 'urn:federation:ours'
    values = {claim['value'] for claim in found[0]['claims']}
    assert {'alice@example.org', 'M\u00fcller', 'Users', 'Staff'} <= values


def cut_anywhere():
    """A kind of input, and up to where what is missing can be told: behind that the rest of a form is not needed."""
    for name in ('saml11-sound.xml', 'response-sound.xml', 'wstrust-sound.xml', 'metadata-sound.xml', 'wsfed-sound.txt'):
        text = sound(name).strip()
        yield name, text, len(text)
    yield 'base64', b64(sound()), len(b64(sound())) - 3
    yield 'form', sound('response-sound-form.txt').strip(), sound('response-sound-form.txt').index('&') - 12
    yield 'page', sound('response-sound-page.html').strip(), sound('response-sound-page.html').index('"/></form>') - 4
    yield 'JSON', sound('jwt-sound-answer.txt').strip(), len(sound('jwt-sound-answer.txt').strip())


@pytest.mark.parametrize('name, text, end', list(cut_anywhere()), ids=lambda value: value if str(value)[:30] == value else '')
def test_what_was_cut_says_so(name, text, end):
    verify = [os.path.abspath(COMMAND), 'token', 'verify', '--trust', 'keys/idp.pem', '-']
    assert run(*verify, cwd=FOLDER, input=text).returncode in (0, 1)  # whole, it is judged
    for at in [*range(200, end, max(1, end // 40)), *range(end - 8, end)]:
        done = run(*verify, cwd=FOLDER, input=text[:at])
        assert done.returncode == 3 and done.stdout.startswith('invalid: input.truncated: '), (at, done.stdout, done.stderr)


def test_show_says_what_about_whom_until_when():
    text = fedgate('show', TWIN, '--at', '2026-11-28T12:00:00Z')
    assert 'https://idp.example.org about alice, for urn:federation:ours, until 2026-11-28T13:00:00Z (in 60 minutes)' in text
    assert 'warning' not in text and '\033' not in text
    assert 'warning: it has expired 2 days ago' in fedgate('show', TWIN, '--at', '2026-11-30T13:00:00Z')


def test_show_hides_what_is_secret():
    token = '<wsse:UsernameToken xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><wsse:Username>bob</wsse:Username><wsse:Password>hunter2hunter2</wsse:Password></wsse:UsernameToken>'
    assert 'hunter2' not in fedgate('show', input=token) and 'bob' in fedgate('show', input=token)
    assert 'hunter2hunter2' in fedgate('show', '--reveal', input=token)
    value = json.loads(fedgate('show', '--json', '--reveal', TWIN))['says']['signature_value']
    assert value not in fedgate('show', TWIN) and value not in fedgate('show', '--json', TWIN)


def test_show_raw_and_claims():
    assert fedgate('show', '--raw', 'files/saml20-in-base64.txt').strip() == sound().strip()
    assert 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn\talice@example.org\n' in fedgate('show', '--claims', 'files/wsfed-sound.txt')
    assert 'upn\talice@example.org\n' in fedgate('show', '--claims', 'files/jwt-sound-url.txt')


def test_show_opens_what_is_encrypted():
    assert 'alice' not in fedgate('show', 'files/encrypted-sound.xml')
    assert 'alice@example.org' in fedgate('show', 'files/encrypted-sound.xml', '--decrypt-key', 'keys/enc.key')


def test_show_knows_the_documents_of_openid_connect():
    kinds = {one['kind'] for text in ('{"issuer":"https://op.example.org","jwks_uri":"https://op.example.org/k"}', sound('jwt-sound-answer.txt')) for one in shown(text)}
    assert {'discovery', 'token-response', 'jwt'} <= kinds
    assert [one['kind'] for one in shown(open(os.path.join(FOLDER, 'keys', 'jwks.json')).read())] == ['jwks']
    assert shown('openid.ns=http%3A%2F%2Fspecs.openid.net%2Fauth%2F2.0&openid.mode=id_res&openid.claimed_id=https%3A%2F%2Fa.example')[0]['kind'] == 'openid2-message'


def test_show_ends():
    """What is wrapped for ever, and what is nothing."""
    text = sound()
    for _ in range(18):
        text = b64(text)
    assert 'at most 400 pieces, 16 inside one another' in fedgate('show', input=text, code=3)
    assert 'input.unrecognised' in fedgate('show', input='hello there', code=3)
    assert 'input.unrecognised' in fedgate('show', input='', code=3)
    assert 'No such file' in fedgate('show', 'files/none.xml', code=3)


# ---- explain


def explained(tmp_path, text, *more, code=1, options=OPTIONS):
    path = tmp_path / 'token'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return '\n'.join(json.loads(fedgate('explain', str(path), '--json', *options, *more, code=code))['findings'])


MUTATIONS = [
    ('pretty-printing', lambda xml: xml.replace('><', '>\n  <'), 'it was indented'),
    ('white space', lambda xml: xml.replace('>Users<', '>\n Users <'), 'white space was put around values'),
    ('carriage returns', lambda xml: xml.replace('Users', 'Us&#13;ers'), 'carriage returns were put in'),
    ('transcoding', lambda xml: xml.replace('\u00fc', '\u00c3\u00bc'), 'UTF-8 was read as ISO 8859-1'),
    ('decomposition', lambda xml: xml.replace('\u00fc', 'u\u0308'), 'decomposed'),
    ('prefix', lambda xml: xml.replace('saml:', 'ns0:').replace('xmlns:saml', 'xmlns:ns0'), 'the prefix of the namespace was "saml" and became "ns0"'),
    ('attribute', lambda xml: xml.replace('<saml:Attribute ', '<saml:Attribute x="1" ', 1), 'the attribute x of <Attribute> was added'),
    ('element', lambda xml: xml.replace('<saml:AttributeValue>Users', '<saml:AttributeValue>Admins</saml:AttributeValue><saml:AttributeValue>Users', 1), '<AttributeValue> in <Attribute> was added'),
    ('two things', lambda xml: xml.replace('><', '>\n<').replace('\u00fc', '\u00c3\u00bc'), 'ISO 8859-1'),
    ('one value', lambda xml: xml.replace('alice@', 'mallory@'), '--original FILE tells which'),
]


@pytest.mark.parametrize('name, change, finding', MUTATIONS, ids=[row[0] for row in MUTATIONS])
def test_explain_finds_the_mutation(tmp_path, name, change, finding):
    assert 'found' not in explained(tmp_path, sound(), code=0)  # the control
    said = explained(tmp_path, change(sound()))
    assert finding in said, said


def test_explain_compares_with_the_original(tmp_path):
    said = explained(tmp_path, sound().replace('>Users<', '>Admins<'), '--original', TWIN)
    assert '<AttributeValue> in <Attribute> was edited: "Users" became "Admins"' in said
    said = explained(tmp_path, sound().replace('SessionIndex="_session-1"', 'SessionIndex="_2"'), '--original', TWIN)
    assert 'the attribute SessionIndex of <AuthnStatement> was edited: "_session-1" became "_2"' in said


def test_explain_prints_what_is_digested(tmp_path):
    """The bytes are those that a program of others digests: DigestValue is their SHA-256."""
    import hashlib
    import re
    done = run(os.path.abspath(COMMAND), 'token', 'explain', TWIN, '--canonical', *OPTIONS, cwd=FOLDER)
    digest = base64.b64encode(hashlib.sha256(done.stdout.encode()).digest()).decode()
    assert digest == re.search('<ds:DigestValue>([^<]*)', sound()).group(1)


def test_explain_keys(tmp_path):
    said = fedgate('explain', 'files/saml20-other-key.xml', *OPTIONS, code=1)
    assert 'the signature holds under that certificate' in said and 'its subject is another' in said


def test_explain_a_rolled_key(tmp_path):
    """The partner's next certificate has the same subject and begins later."""
    key = tmp_path / 'new.pem'
    made = run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=corpus idp', '-keyout', str(tmp_path / 'k'), '-out', str(tmp_path / 'c'))
    assert made.returncode == 0, made.stderr
    key.write_text((tmp_path / 'k').read_text() + (tmp_path / 'c').read_text())
    path = tmp_path / 'token.xml'
    path.write_text(fedgate('make', 'saml20', '--key', str(key), '--issuer', 'https://idp.example.org', '--audience', 'urn:federation:ours'))
    said = fedgate('explain', str(path), '--trust', 'keys/idp.pem', '--trust', 'keys/signer-expired.pem', code=1)
    assert said.startswith('invalid: signature.wrong-key: ') and 'the partner has rolled its key' in said and 'which has expired' in said


def test_explain_times_and_names():
    assert 'over by 3600 s' in fedgate('explain', 'files/saml20-expired.xml', *OPTIONS, code=1)
    late = ['--at', '2026-11-28T13:05:00Z'] + OPTIONS[2:]
    assert 'clocks that differ by some minutes would explain it' in fedgate('explain', 'files/saml11-sound.xml', *late[:8], code=1)
    assert 'they differ in a slash at the end' in fedgate('explain', 'files/saml20-audience-with-slash.xml', *OPTIONS, code=1)


def test_explain_a_rewritten_query():
    case = next(case for case in CASES if case['file'] == 'redirect-percent-case.txt')
    assert 'arrived in lower case' in fedgate('explain', 'files/' + case['file'], *case['options'], code=1)


# ---- a partner of whom there is WS-Federation metadata alone

WSFED = '''<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.org">
<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706"
  xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<fed:PassiveRequestorEndpoint><wsa:EndpointReference xmlns:wsa="http://www.w3.org/2005/08/addressing"><wsa:Address>https://idp.example.org/adfs/ls/</wsa:Address></wsa:EndpointReference></fed:PassiveRequestorEndpoint>
</md:RoleDescriptor></md:EntityDescriptor>'''  # WS-Federation 1.2 §3.1.2, as AD FS writes it


def wsfed_configuration(folder, key):
    with open(os.path.join(FOLDER, 'keys', key + '.pem')) as file:
        certificate = ''.join(file.read().split('-----')[2].split())
    (folder / 'partner.xml').write_text(WSFED % certificate)
    (folder / 'gateway.conf').write_text('base_url = "https://fs.example.com"\npages = "%s"\nstate = "%s"\nidentity_provider "adfs" { metadata = "partner.xml" realm = "urn:federation:ours" }\n'
                                         % (os.path.join(FOLDER, '..', '..', 'etc', 'pages'), folder / 'state'))
    return ['--config', str(folder / 'gateway.conf'), '--at', '2026-11-28T12:00:00Z', '--json']


@pytest.mark.parametrize('trust', [['--trust', 'adfs'], []], ids=['by its title', 'by the issuer'])
@pytest.mark.parametrize('name, code', [
    ('wsfed-sound.txt', 'valid'), ('wsfed-edited.txt', 'signature.digest-mismatch'), ('wsfed-other-key.txt', 'signature.wrong-key'),
    ('wsfed-other-audience.txt', 'audience.mismatch'), ('wsfed-expired.txt', 'time.expired')])  # fmt: skip
def test_verify_by_wsfederation_metadata(tmp_path, trust, name, code):
    said = json.loads(fedgate('verify', 'files/' + name, *trust, *wsfed_configuration(tmp_path, 'idp'), code=int(code != 'valid')))
    assert said.get('reason', said['verdict']) == code
    assert all(check['outcome'] == 'passed' for check in said['checks'] if code == 'valid' and check['name'] in ('key', 'issuer', 'audience', 'times'))


def test_verify_by_wsfederation_metadata_of_another_key(tmp_path):
    """The same token and issuer; what the metadata has is another certificate."""
    said = json.loads(fedgate('verify', 'files/wsfed-sound.txt', '--trust', 'adfs', *wsfed_configuration(tmp_path, 'other'), code=1))
    assert said['reason'] == 'signature.wrong-key'
    assert "did you mean \"adfs\"" in fedgate('verify', 'files/wsfed-sound.txt', '--trust', 'adsf', *wsfed_configuration(tmp_path, 'idp'), code=3)


def test_explain_by_wsfederation_metadata(tmp_path):
    said = fedgate('explain', 'files/wsfed-sound.txt', '--trust', 'adfs', *wsfed_configuration(tmp_path, 'other')[:-1], code=1)
    assert 'signature.wrong-key' in said and 'rolled' in said
