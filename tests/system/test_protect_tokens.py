# SPDX-License-Identifier: GPL-2.0-or-later
"""Tokens at protected locations: those that programs bring, in a header or in a SOAP message, and the one that the server behind gets."""
import base64
import json
import os
import re
import subprocess

import pytest

import harness
from messages import METADATA, USERNAME, rst
from protected import ask, protecting, signed_in, values

CONF = """
protect "jwt" { upstream_partner = "api" }
protect "saml" { upstream_partner = "api" upstream_token = "saml20" }
protect "few" { upstream_partner = "few" }
protect "soap" { kind = "rest" accept = {"soap"} }
protect "all" { accept = {"session", "bearer", "basic"} upstream_partner = "api" }
"""
LOCATIONS = """
location /plain/ { fedgate_protect CONF; proxy_set_header X-Token "[$fedgate_token]"; PROXY }
location /jwt/ { fedgate_protect CONF jwt; proxy_set_header Authorization "Bearer $fedgate_token"; PROXY }
location /saml/ { fedgate_protect CONF saml; proxy_set_header X-Token $fedgate_token; PROXY }
location /few/ { fedgate_protect CONF few; proxy_set_header X-Token "[$fedgate_token]"; PROXY }
location /all/ { fedgate_protect CONF all; proxy_set_header X-Token $fedgate_token; PROXY }
location /soap/ { fedgate_protect CONF soap; PROXY }
"""
RULES = '[Type == "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", Value == "Administrators"] => permit();\n'
SAML20 = 'urn:oasis:names:tc:SAML:2.0:assertion'


@pytest.fixture(scope='module')
def site(authority):
    port = harness.free_port()
    partners = {
        **harness.PARTNERS,
        'api': {'realm': ['urn:test:api'], 'claims': ['upn', 'role'], 'name_id': 'upn', 'lifetime': '5m'},
        'few': {'realm': ['urn:test:few'], 'claims': ['upn'], 'authorization_rules': 'few.rules'},
        'self': {'realm': ['https://localhost:%d' % port], 'claims': ['upn', 'role'], 'name_id': 'upn'},
    }
    with protecting(authority, LOCATIONS, gateway_conf=CONF, files={'few.rules': RULES}, partners=partners, port=port) as gateway:
        yield gateway


@pytest.fixture
def alice(site):
    return signed_in(site)


def token_behind(site, browser, path, header='X-Token', **options):
    answer = ask(site, browser, path, **options)
    assert answer.status_code == 200, answer.text
    (value,) = values(site.upstream.seen[-1], header)
    return value.removeprefix('Bearer ')


def part(token, which):
    text = token.split('.')[which]
    return json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))


def signing_key(site, folder):
    """As the metadata publishes it, for the openssl command."""
    certificate = site.get(METADATA).text.split('X509Certificate>')[1].split('<')[0]
    path = os.path.join(str(folder), 'signing.pem')
    done = subprocess.run(['openssl', 'x509', '-inform', 'DER', '-pubkey', '-noout'], input=base64.b64decode(certificate), capture_output=True)
    with open(path, 'wb') as file:
        file.write(done.stdout)
    return path


def jws_is_good(token, key, folder):
    signed, _, signature = token.rpartition('.')
    path = os.path.join(str(folder), 'signature')
    with open(path, 'wb') as file:
        file.write(base64.urlsafe_b64decode(signature + '=' * (-len(signature) % 4)))
    done = subprocess.run(['openssl', 'dgst', '-sha256', '-verify', key, '-signature', path], input=signed.encode(), capture_output=True)
    return done.returncode == 0


# ---- for the server behind


def test_jwt_for_the_server_behind(site, alice, tmp_path):
    token = token_behind(site, alice, '/jwt/', 'Authorization')
    head, body = part(token, 0), part(token, 1)
    assert head['alg'] == 'RS256' and 'jwk' not in head
    assert body['aud'] == 'urn:test:api' and body['sub'] == 'alice@example.com' and body['exp'] - body['iat'] == 300
    assert sorted(body['role']) == ['Administrators', 'Staff']
    key = signing_key(site, tmp_path)
    assert jws_is_good(token, key, tmp_path)
    assert not jws_is_good(token.replace('.', '.A', 1), key, tmp_path)


def test_saml_for_the_server_behind(site, alice, tmp_path):
    path = tmp_path / 'assertion.xml'
    path.write_bytes(base64.b64decode(token_behind(site, alice, '/saml/')))
    text = path.read_text()
    assert '<saml:Audience>urn:test:api</saml:Audience>' in text and SAML20 in text
    verify = ['xmlsec1', '--verify', '--id-attr:ID', 'Assertion', '--pubkey-pem', signing_key(site, tmp_path), '--enabled-key-data', 'key-name,rsa', str(path)]
    done = harness.run(*verify)
    assert done.returncode == 0, done.stderr
    path.write_text(text.replace('Administrators', 'administrators'))
    assert harness.run(*verify).returncode != 0


def test_made_once_for_a_session_and_an_audience(site, alice):
    def issued():
        return len(site.site.audit(event='issued', audience='urn:test:api'))

    before = issued()
    first = token_behind(site, alice, '/jwt/', 'Authorization')
    assert all(token_behind(site, alice, '/jwt/%d' % i, 'Authorization') == first for i in range(5))
    harness.wait_for(lambda: issued() == before + 1)
    other = token_behind(site, signed_in(site), '/jwt/', 'Authorization')
    bob = token_behind(site, signed_in(site, 'bob'), '/jwt/', 'Authorization')
    assert len({first, other, bob}) == 3 and part(bob, 1)['sub'] == 'bob@example.com'
    harness.wait_for(lambda: issued() == before + 3)


def test_no_token_without_a_partner(site, alice):
    assert token_behind(site, alice, '/plain/') == '[]'


def test_who_may_have_none_gets_none(site, alice):
    """Authorization rules of the partner hold for the server behind as well."""
    assert part(token_behind(site, alice, '/few/').strip('[]'), 1)['aud'] == 'urn:test:few'
    site.upstream.seen.clear()
    assert ask(site, signed_in(site, 'bob'), '/few/').status_code == 403 and site.upstream.seen == []
    assert site.site.audit(event='refused', reason='denied')


def test_ht01_clients_say_nothing_in_its_place(site, alice):
    """HT-01: neither an Authorization header nor a header of the token's name gets behind."""
    nobody = site.browser()
    assert ask(site, nobody, '/jwt/', headers={'Authorization': 'Bearer forged'}).status_code == 401
    token = token_behind(site, alice, '/all/', headers={'X-Token': 'forged'})
    assert token.count('.') == 2 and part(token, 1)['sub'] == 'alice@example.com'
    token = token_behind(site, nobody, '/all/', auth=('bob', 'bob-secret'))
    assert part(token, 1)['sub'] == 'bob@example.com' and values(site.upstream.seen[-1], 'Authorization') == []


# ---- that programs bring


def assertion(site, realm=None, user='alice', token_type=SAML20):
    answer = site.soap(USERNAME['13'], rst(site.base_url, user, user + '-secret', realm or site.base_url, token_type=token_type))
    assert answer.status_code == 200, answer.text
    return re.search(r'<(?:\w+:)?Assertion\b.*</(?:\w+:)?Assertion>', answer.text, re.S).group(0)


def bearer(text):
    return {'Authorization': 'Bearer ' + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize('token_type', [SAML20, 'urn:oasis:names:tc:SAML:1.0:assertion'])
def test_assertion_as_a_bearer_token(site, token_type):
    """Twice, as it may be used until it expires; not changed, and not for another audience (SA-01)."""
    text = assertion(site, token_type=token_type)
    for _ in range(2):
        answer = ask(site, site.browser(), '/plain/', headers=bearer(text))
        assert answer.status_code == 200 and values(site.upstream.seen[-1], 'X-Fedgate-Subject') == ['alice@example.com']
        assert values(site.upstream.seen[-1], 'Authorization') == []
    assert ask(site, site.browser(), '/plain/', headers=bearer(text.replace('Staff', 'staff'))).status_code == 401
    elsewhere = assertion(site, 'urn:federation:MicrosoftOnline', token_type=token_type)
    assert ask(site, site.browser(), '/plain/', headers=bearer(elsewhere)).status_code == 401


SOAP = {'Content-Type': 'application/soap+xml; charset=utf-8'}
USERNAME_TOKEN = re.compile(r'<o:UsernameToken.*</o:UsernameToken>', re.S)


def soap(site, text):
    return ask(site, site.browser(), '/soap/', 'POST', data=text.encode(), headers=SOAP)


def test_user_name_token_in_a_soap_message(site):
    answer = soap(site, rst(site.base_url))
    assert answer.status_code == 200, answer.text
    assert values(site.upstream.seen[-1], 'X-Fedgate-Subject') == ['alice@example.com']
    assert base64.b64decode(site.upstream.seen[-1]['body']).decode().startswith('<s:Envelope')
    site.upstream.seen.clear()
    good = rst(site.base_url)
    for bad in (rst(site.base_url, password='wrong'), USERNAME_TOKEN.sub('', good), good.replace('o:Security', 'o:Security2'),
                good.replace('</s:Header>', good[good.index('<o:Security'):good.index('</s:Header>')] + '</s:Header>'),  # WT-11
                '<!DOCTYPE x>' + good):  # XP-01
        assert soap(site, bad).status_code >= 400, bad
    assert ask(site, site.browser(), '/soap/', auth=('alice', 'alice-secret')).status_code == 401  # not in its list
    assert site.upstream.seen == []


def test_assertion_in_a_soap_message(site):
    def message(text):
        return USERNAME_TOKEN.sub(lambda _: text, rst(site.base_url))

    text = assertion(site)
    answer = soap(site, message(text))
    assert answer.status_code == 200, answer.text
    assert values(site.upstream.seen[-1], 'X-Fedgate-Subject') == ['alice@example.com']
    site.upstream.seen.clear()
    for bad in (text.replace('Staff', 'staff'), text + text, assertion(site, 'urn:federation:MicrosoftOnline'), re.sub(r'<ds:Signature.*</ds:Signature>', '', text, flags=re.S)):
        answer = soap(site, message(bad))
        assert answer.status_code >= 400 and 'alice' not in answer.text, bad[:300]
    assert site.upstream.seen == []
