# SPDX-License-Identifier: GPL-2.0-or-later
"""WS-Trust as programs see it that nobody of fedgate wrote. What they get is verified by another: the xmlsec1 command,
with the certificate that the federation metadata names."""
import os
import re
import subprocess

import pytest
from lxml import etree

import harness
import peers
from messages import MEX, USERNAME, rst

MICROSOFT = 'urn:federation:MicrosoftOnline'
REALMS = {'saml11': MICROSOFT, 'saml20': 'urn:test:saml20'}
NAMES = {'saml11': 'id-of-alice', 'saml20': 'alice@example.com'}
PASSWORD = 'alice-secret'
ROBOT_PASSWORD = 'p&ss <w>\'"örd'  # is kept for digests; alice's is not


@pytest.fixture(scope='module')
def site(authority):
    saml20 = {'realm': [REALMS['saml20']], 'token': 'saml20', 'claims': harness.CLAIMS, 'name_id': 'upn'}
    sealed = {'realm': ['urn:test:sealed'], 'certificate': authority.certificate + '.crt', 'claims': harness.CLAIMS}
    partners = {**harness.PARTNERS, 'saml20': saml20, 'sealed': sealed}
    # the wrong passwords of all tests come from one address
    sections = {'lockout': {'account_failures': 1000, 'address_failures': 1000}}
    users = {**harness.USERS, 'robot': {'password': ROBOT_PASSWORD, 'digest': True, 'upn': 'robot@example.com'}}
    with harness.Gateway(authority, users=users, partners=partners, sections=sections) as running:
        yield running


@pytest.fixture(scope='module')
def certificate(site):
    return peers.signing_certificate(site, os.path.join(site.folder, 'signing.pem'))


@pytest.fixture
def take(site, certificate, tmp_path):
    """take(token, token type, realm): the assertion is of that kind, for that realm, and xmlsec1 takes it as it was cut out."""

    def check(token, kind, realm):
        token = token.encode() if isinstance(token, str) else token
        root = etree.fromstring(token)
        assert root.tag == '{%s}Assertion' % peers.SAML[kind]
        assert root.xpath('//*[local-name()="Audience"]/text()') == [realm]
        assert peers.xmlsec1_verifies(token, certificate, tmp_path)
        # controls: one changed character, and the key of somebody else
        assert not peers.xmlsec1_verifies(token.replace(realm.encode(), realm.upper().encode()), certificate, tmp_path)
        assert not peers.xmlsec1_verifies(token, site.authority.certificate + '.crt', tmp_path)

    return check


def address(site, trust):
    return site.base_url + USERNAME[trust]


both_versions = pytest.mark.parametrize('trust', ['13', '2005'])
both_tokens = pytest.mark.parametrize('kind', ['saml11', 'saml20'])


# ---- MSAL

def msal(site, *arguments, user='alice', password=PASSWORD):
    mex, *options = arguments
    return peers.run_json(site, 'ws/msal_driver.py', mex, user, password, '--ca', site.authority.ca, *options)


@both_versions
@both_tokens
def test_msal_finds_its_endpoint_by_mex(site, take, trust, kind):
    status, answer = msal(site, site.url(MEX), '--trust', trust, '--aud', REALMS[kind])
    assert status == 0, answer
    assert answer['endpoint'] == address(site, trust) and answer['type'] == peers.SAML[kind]
    take(answer['token'], kind, REALMS[kind])


def test_msal_prefers_13(site):
    status, answer = msal(site, site.url(MEX))
    assert status == 0 and answer['endpoint'] == address(site, '13')


@both_versions
def test_msal_is_told_its_endpoint(site, take, trust):
    status, answer = msal(site, '-', '--endpoint', address(site, trust))
    assert status == 0, answer
    take(answer['token'], 'saml11', MICROSOFT)


@both_versions
def test_msal_sees_a_wrong_password(site, trust):
    status, answer = msal(site, '-', '--endpoint', address(site, trust), password='wrong')
    assert status == 3 and 'FailedAuthentication' in answer['error']
    assert site.site.audit(reason='wrong_user_or_password', user='alice')


@both_versions
def test_msal_sees_an_unknown_relying_party(site, trust):
    status, answer = msal(site, '-', '--endpoint', address(site, trust), '--aud', 'urn:nobody')
    assert status == 3 and 'InvalidScope' in answer['error']
    assert site.site.audit(reason='wst_scope', applies_to='urn:nobody')


# ---- MSAL's public API against a tenant that verifies

@pytest.fixture
def make_tenant(site):
    """make_tenant(realm, certificate): its authority URL."""
    running = []

    def make(realm, pinned):
        script = os.path.join(peers.FOLDER, 'ws', 'tenant.py')
        issuer = site.base_url.replace('https:', 'http:') + '/adfs/services/trust'
        tls = site.authority.certificate
        command = [script, '--mex', site.url(MEX), '--cert', pinned, '--issuer', issuer, '--aud', realm,
                   '--tls', tls + '.crt', tls + '.key']  # fmt: skip
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return 'https://localhost:%d/tenant' % int(running[-1].stdout.readline())

    yield make
    for process in running:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@both_versions
@both_tokens
def test_msal_signs_in_at_a_federated_tenant(site, certificate, make_tenant, trust, kind):
    tenant = make_tenant(REALMS[kind], certificate)
    status, answer = msal(site, '-', '--full', tenant, '--trust', trust)
    assert status == 0, answer
    assert answer['access_token'] == 'of ' + NAMES[kind]


def test_msal_tenant_refuses_what_another_signed(site, make_tenant):
    """The control of the tests above: the tenant does look."""
    tenant = make_tenant(MICROSOFT, site.authority.certificate + '.crt')
    status, answer = msal(site, '-', '--full', tenant)
    assert status == 3 and answer['error'] == 'invalid_grant' and answer['error_description'] == 'signature'


# ---- adal-node

def adal(site, trust, realm=MICROSOFT, password=PASSWORD):
    return peers.run_json(site, 'ws/adal_driver.js', site.url(MEX), 'alice', password, realm, TRUST=trust)


@both_versions
@both_tokens
def test_adal_node(site, take, trust, kind):
    status, answer = adal(site, trust, REALMS[kind])
    assert status == 0, answer
    assert answer['endpoint'] == address(site, trust) and answer['type'] == peers.SAML[kind]
    take(answer['token'], kind, REALMS[kind])


@both_versions
def test_adal_node_sees_a_wrong_password(site, trust):
    status, answer = adal(site, trust, password='wrong')
    assert status == 3 and 'FailedAuthentication' in str(answer), answer


@both_versions
def test_adal_node_sees_an_unknown_relying_party(site, trust):
    status, answer = adal(site, trust, 'urn:nobody')
    assert status == 3 and 'InvalidScope' in str(answer), answer


# ---- gSOAP, which verifies by itself

def gsoap(site, *options, user='alice', password=PASSWORD, **extra):
    return peers.run(site, 'ws/gsoap/wstc.sh', address(site, '13'), '-u', user, '-p', password, *options, **extra)


both_soaps = pytest.mark.parametrize('soap', ['1', '2'])
GSOAP_TYPES = {'saml11': 'saml1', 'saml20': 'saml2'}


@pytest.fixture(scope='module')
def gsoap_trust(site, certificate):
    """gSOAP knows one store for TLS and for signers: the CA and the pinned certificate."""
    path = os.path.join(site.folder, 'trust.pem')
    with open(path, 'w') as out:
        for name in (site.authority.ca, certificate):
            with open(name) as file:
                out.write(file.read())
    return {'TLSCA': path}


@both_soaps
@both_tokens
def test_gsoap(site, gsoap_trust, soap, kind):
    status, output = gsoap(site, '-soap', soap, '-aud', REALMS[kind], '-tt', GSOAP_TYPES[kind], **gsoap_trust)
    assert status == 0, output
    assert 'TokenType=' + peers.SAML[kind] in output and 'RSTRs=1' in output
    assert 'assertion signature: VERIFIED' in output
    assert 'WS-Addressing reply ok' in output and '/RSTRC/IssueFinal' in output


def test_gsoap_takes_no_signature_of_a_stranger(site):
    """The control of the test above: it does look."""
    status, output = gsoap(site, '-aud', MICROSOFT)
    assert status == 3 and 'assertion signature: FAILED' in output, output


@both_soaps
def test_gsoap_without_a_token_type(site, gsoap_trust, soap):
    status, output = gsoap(site, '-soap', soap, '-aud', MICROSOFT, '-tt', 'none', **gsoap_trust)
    assert status == 0 and 'TokenType=' + peers.SAML['saml11'] in output, output


@both_soaps
def test_gsoap_sees_a_wrong_password(site, soap):
    status, output = gsoap(site, '-soap', soap, '-aud', MICROSOFT, password='wrong')
    assert status == 1 and 'FailedAuthentication' in output


@both_soaps
def test_gsoap_sees_an_unknown_relying_party(site, soap):
    status, output = gsoap(site, '-soap', soap, '-aud', 'urn:nobody')
    assert status == 1 and 'InvalidScope' in output


@both_soaps
def test_gsoap_digest(site, gsoap_trust, soap):
    status, output = gsoap(site, '-soap', soap, '-aud', MICROSOFT, '-digest', user='robot', password=ROBOT_PASSWORD, **gsoap_trust)
    assert status == 0 and 'assertion signature: VERIFIED' in output, output


@both_soaps
def test_gsoap_digest_of_others_looks_like_a_wrong_password(site, soap):
    """WT-03's control is above: the same message for an account that keeps its password is taken."""
    for user, reason in (('alice', 'digest_not_possible'), ('nobody', 'wrong_user_or_password')):
        status, output = gsoap(site, '-soap', soap, '-aud', MICROSOFT, '-digest', user=user)
        assert status == 1 and 'FailedAuthentication' in output
        assert site.site.audit(event='signin_refused', reason=reason, user=user)
    status, output = gsoap(site, '-soap', soap, '-aud', MICROSOFT, '-digest', user='robot', password='wrong')
    assert status == 1 and 'FailedAuthentication' in output


# ---- zeep, which knows nothing but our WSDL

def zeep(site, *options, user='alice', password=PASSWORD):
    return peers.run(site, 'ws/zeep_driver.py', site.url(MEX), user, password, '--ca', site.authority.ca, *options)


@both_versions
@both_tokens
@pytest.mark.parametrize('soap', [[], ['--soap11']], ids=['soap12', 'soap11'])
def test_zeep(site, take, tmp_path, trust, kind, soap):
    saved = tmp_path / 'assertion.xml'
    status, output = zeep(site, '--trust', trust, '--aud', REALMS[kind], '--save', str(saved), *soap)
    assert status == 0, output
    take(saved.read_bytes(), kind, REALMS[kind])


@both_tokens
@pytest.mark.parametrize('soap', [[], ['--soap11']], ids=['soap12', 'soap11'])
def test_zeep_with_a_wsdl_of_its_own(site, take, tmp_path, kind, soap):
    saved = tmp_path / 'assertion.xml'
    status, output = peers.run(site, 'ws/zeep_driver.py', '-', 'alice', PASSWORD, '--endpoint', address(site, '13'), '--aud', REALMS[kind],
                               '--save', str(saved), '--ca', site.authority.ca, *soap)  # fmt: skip
    assert status == 0, output
    take(saved.read_bytes(), kind, REALMS[kind])


@both_versions
def test_zeep_sees_a_wrong_password(site, trust):
    status, output = zeep(site, '--trust', trust, password='wrong')
    assert status == 1 and 'FailedAuthentication' in output


@both_versions
def test_zeep_sees_an_unknown_relying_party(site, trust):
    status, output = zeep(site, '--trust', trust, '--aud', 'urn:nobody')
    assert status == 1 and 'InvalidScope' in output


@both_versions
@pytest.mark.parametrize('soap', [[], ['--soap11']], ids=['soap12', 'soap11'])
def test_zeep_digest(site, take, tmp_path, trust, soap):
    saved = tmp_path / 'assertion.xml'
    status, output = zeep(site, '--digest', '--trust', trust, '--save', str(saved), *soap, user='robot', password=ROBOT_PASSWORD)
    assert status == 0, output
    take(saved.read_bytes(), 'saml11', MICROSOFT)


def test_zeep_digest_of_another_looks_like_a_wrong_password(site):
    for user, password in (('alice', PASSWORD), ('robot', 'wrong'), ('nobody', PASSWORD)):
        status, output = zeep(site, '--digest', user=user, password=password)
        assert status == 1 and 'FailedAuthentication' in output


# ---- npm soap

def npm_soap(site, mode, realm=MICROSOFT, user='robot', password=ROBOT_PASSWORD, soap='12'):
    wsdl = os.path.join(peers.FOLDER, 'ws', 'sts.wsdl')
    return peers.run_json(site, 'ws/soap_driver.js', address(site, '13'), user, password, mode, realm, SOAP=soap, WSDL=wsdl)


@both_tokens
@pytest.mark.parametrize('soap', ['12', '11'])
@pytest.mark.parametrize('mode', ['text', 'digest'])
def test_npm_soap(site, take, mode, soap, kind):
    status, answer = npm_soap(site, mode, REALMS[kind], soap=soap)
    assert status == 0, answer
    assert answer['type'] == peers.SAML[kind]
    take(answer['token'], kind, REALMS[kind])


@pytest.mark.parametrize('mode', ['text', 'digest'])
def test_npm_soap_sees_a_wrong_password(site, mode):
    status, answer = npm_soap(site, mode, password='wrong')
    assert status == 1 and 'FailedAuthentication' in str(answer)


# ---- tokens for a relying party with a certificate

@both_versions
@both_tokens
def test_xmlsec1_decrypts_what_is_sealed(site, take, tmp_path, trust, kind):
    message = rst(site.base_url, realm='urn:test:sealed', trust=trust, token_type=peers.SAML[kind])
    answer = site.soap(USERNAME[trust], message).text
    token = re.search('RequestedSecurityToken>(.*)</[a-z]+:RequestedSecurityToken>', answer).group(1)
    assert 'EncryptedData' in token and 'alice' not in token and 'AttributeValue' not in token
    sealed, opened = tmp_path / 'sealed.xml', tmp_path / 'opened.xml'
    sealed.write_text(token)
    done = harness.run('xmlsec1', '--decrypt', '--privkey-pem', site.authority.certificate + '.key', '--output', str(opened), str(sealed))
    assert done.returncode == 0, done.stderr
    assertion = re.search(b'<saml:Assertion .*</saml:Assertion>', opened.read_bytes()).group(0)
    take(assertion, kind, 'urn:test:sealed')
