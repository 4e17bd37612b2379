# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests that gSOAP, zeep and npm soap sign: with a certificate alone, with a password besides, over both versions of SOAP.  What they get
is verified by the xmlsec1 command.  (Every message that WSS4J can make is in test_wss4j.py.)"""
import os
import re

import pytest
from lxml import etree

import harness
import peers
from messages import MEX
from wss4j import People

REALM = 'urn:test:app'
REALMS = {'saml11': REALM, 'saml20': 'urn:test:saml20'}
PASSWORD = 'robot-secret'
TYPES = {'saml11': 'saml1', 'saml20': 'saml2'}
TLS = 'ssl_client_certificate PEOPLE_CA; ssl_verify_client optional;'


@pytest.fixture(scope='module')
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp('people'))
    os.chmod(people.folder, 0o755)
    people.add('client')
    people.add_stranger('stranger')
    return people


@pytest.fixture(scope='module')
def site(authority, people):
    partner = {'claims': [*harness.CLAIMS, 'nameidentifier']}
    partners = {**harness.PARTNERS, 'app': {'realm': [REALM], **partner}, 'app20': {'realm': [REALMS['saml20']], 'token': 'saml20', **partner}}
    users = {'robot': {'password': PASSWORD, 'digest': True, 'upn': 'robot@example.com'}}
    sections = {('certificates', 'people'): {'uri': 'urn:test:people', 'ca': [people.ca]}, 'lockout': {'account_failures': 1000, 'address_failures': 1000}}
    server = TLS.replace('PEOPLE_CA', people.ca)
    with harness.Gateway(authority, partners=partners, users=users, sections=sections, server=server) as running:
        yield running


@pytest.fixture(scope='module')
def certificate(site):
    return peers.signing_certificate(site, os.path.join(site.folder, 'signing.pem'))


@pytest.fixture(scope='module')
def encryption(site):
    wsdl = etree.fromstring(site.get(MEX).content)
    path = os.path.join(site.folder, 'encryption.pem')
    peers.write_pem(path, wsdl.xpath('string((//*[local-name()="port"]//*[local-name()="X509Certificate"])[1])'))
    return path


@pytest.fixture
def take(certificate, people, tmp_path):
    """take(token, who): xmlsec1 takes it, and it is about them."""

    def check(token, who):
        token = token.encode() if isinstance(token, str) else token
        names = etree.fromstring(token).xpath('//text()')
        assert any(who in name for name in names), token
        assert peers.xmlsec1_verifies(token, certificate, tmp_path)
        assert not peers.xmlsec1_verifies(token, people.path('client.crt'), tmp_path)

    return check


def reason(site):
    return site.site.audit(event='refused')[-1]['reason']


def endpoint(site, name, trust='13'):
    return '%s/adfs/services/trust/%s/%s' % (site.base_url, trust, name)


both_kinds = pytest.mark.parametrize('kind', ['saml11', 'saml20'])


# ---- gSOAP

@pytest.fixture(scope='module')
def gsoap(site, people, certificate):
    """gSOAP knows one store for TLS and for signers."""
    path = os.path.join(site.folder, 'trust.pem')
    with open(path, 'w') as out:
        for name in (site.authority.ca, certificate):
            with open(name) as file:
                out.write(file.read())

    def call(name, *options, key='client', soap='2', kind='saml11'):
        signing = ['-key', people.path(key + '.key'), '-cert', people.path(key + '.crt')] if key else []
        return peers.run(site, 'ws/gsoap/wstc.sh', endpoint(site, name), '-soap', soap, '-aud', REALMS[kind], '-tt', TYPES[kind], *signing, *options,
                         TLSCA=path)  # fmt: skip

    return call


both_soaps = pytest.mark.parametrize('soap', ['1', '2'])


@both_soaps
@both_kinds
def test_gsoap_signs(gsoap, soap, kind):
    status, output = gsoap('certificatemixed', soap=soap, kind=kind)
    assert status == 0, output
    assert 'TokenType=' + peers.SAML[kind] in output and 'assertion signature: VERIFIED' in output
    assert 'WS-Addressing reply ok' in output


@both_soaps
def test_gsoap_signs_as_a_stranger(site, gsoap, soap):
    status, output = gsoap('certificatemixed', key='stranger', soap=soap)
    assert status == 1 and reason(site) == 'certificate_untrusted', output


def test_gsoap_signs_with_sha1(site, gsoap):
    """XS-25"""
    status, output = gsoap('certificatemixed', '-sha1')
    assert status == 1 and reason(site) == 'signature_algorithm', output


@both_soaps
@pytest.mark.parametrize('how', ['text', 'digest'])
def test_gsoap_signs_and_has_a_password(gsoap, soap, how):
    options = ['-u', 'robot', '-p', PASSWORD] + ['-digest'] * (how == 'digest')
    status, output = gsoap('usernamemixed', *options, soap=soap)
    assert status == 0 and 'assertion signature: VERIFIED' in output, output
    status, output = gsoap('usernamemixed', *options, soap=soap, key='stranger')
    assert status == 1, output


@both_soaps
def test_gsoap_verifies_signed_answers(site, gsoap, certificate, encryption, soap):
    """Signed and encrypted both ways; -verifyresp looks at the answer's own signature, over Body and Timestamp."""
    status, output = gsoap('certificate', '-enc', encryption, '-gcm', '-verifyresp', '-peer', certificate, soap=soap)
    assert status == 0, output
    assert 'assertion signature: VERIFIED' in output and 'response: timestamp ok, body signature VERIFIED' in output
    stranger = site.authority.certificate + '.crt'
    status, output = gsoap('certificate', '-enc', encryption, '-gcm', '-verifyresp', '-peer', stranger, soap=soap)
    assert status != 0 and 'body signature VERIFIED' not in output, output


@both_soaps
def test_gsoap_encrypts_with_cbc(site, gsoap, encryption, soap):
    """Without -verifyresp: gSOAP leaves the padding of what it decrypts in what it digests, if it looks like white space; and it does not
    look at signatures in what was encrypted then."""
    status, output = gsoap('certificate', '-enc', encryption, soap=soap)
    assert status == 3 and 'RSTRs=1' in output and 'SAML1.1 assertion id=' in output, output
    status, output = gsoap('certificate', soap=soap)
    assert status == 1 and reason(site) == 'decryption_failed', output


def test_gsoap_finds_answers_unsigned(gsoap):
    """The control of the test above: over TLS answers are not signed."""
    status, output = gsoap('certificatemixed', '-verifyresp')
    assert status != 0 and 'body signature VERIFIED' not in output, output


# ---- zeep

@pytest.fixture
def zeep(site, people, tmp_path):
    saved = tmp_path / 'saved.xml'

    def call(name, *options, user='-', key='client', trust='13', own=False):
        signing = ['--key', people.path(key + '.key'), '--cert', people.path(key + '.crt')] if key else []
        wsdl = ['-', user, PASSWORD, '--endpoint', endpoint(site, name, trust)] if own else [site.url(MEX), user, PASSWORD, '--binding', name]
        status, output = peers.run(site, 'ws/zeep_driver.py', *wsdl, '--trust', trust, '--ca', site.authority.ca, '--aud', REALM, '--save', str(saved),
                                   *signing, *options)  # fmt: skip
        return status, saved.read_bytes() if status == 0 else output

    return call


BINDINGS = {'13': 'CertificateWSTrustBinding_IWSTrust13Async', '2005': 'CertificateWSTrustBinding_IWSTrustFeb2005Async'}
both_versions = pytest.mark.parametrize('trust', ['13', '2005'])


@both_versions
@pytest.mark.parametrize('form', [[], ['--data']], ids=['token', 'data'])
@pytest.mark.parametrize('soap', [[], ['--soap11']], ids=['soap12', 'soap11'])
def test_zeep_signs(zeep, take, trust, form, soap):
    status, output = zeep(BINDINGS[trust], *form, *soap, trust=trust)
    assert status == 0, output
    take(output, 'client')


def test_zeep_signs_as_a_stranger(site, zeep):
    status, output = zeep(BINDINGS['13'], key='stranger')
    assert status == 1 and reason(site) == 'certificate_untrusted', output


@pytest.mark.parametrize('how', [[], ['--digest']], ids=['text', 'digest'])
@pytest.mark.parametrize('soap', [[], ['--soap11']], ids=['soap12', 'soap11'])
def test_zeep_signs_and_has_a_password(site, zeep, take, how, soap):
    status, output = zeep('usernamemixed', '--strict', *how, *soap, user='robot', own=True)
    assert status == 0, output
    take(output, 'robot@example.com')
    status, output = zeep('usernamemixed', '--strict', *how, *soap, user='robot', own=True, key='stranger')
    assert status == 1 and reason(site) == 'certificate_untrusted', output
    # zeep itself has the signature before the token that it names: not in the strict layout of usernamemixed (WS-SecurityPolicy 1.2 §6.7.1)
    status, output = zeep('usernamemixed', *how, *soap, user='robot', own=True)
    assert status == 1 and reason(site) == 'wss_structure', output


@both_versions
def test_zeep_shows_its_certificate_to_tls(site, zeep, take, trust):
    status, output = zeep(BINDINGS[trust] + '1', '--tls', trust=trust)
    assert status == 0, output
    take(output, 'client')
    status, output = zeep(BINDINGS[trust] + '1', key=None, trust=trust)
    assert status == 1, output


# ---- npm soap, whose ids are unqualified attributes

@pytest.fixture
def soap(site, people):
    wsdl = os.path.join(peers.FOLDER, 'ws', 'sts.wsdl')

    def call(name, mode, version='12', key='client', password=PASSWORD):
        return peers.run_json(site, 'ws/soap_driver.js', endpoint(site, name), 'robot', password, mode, REALM, SOAP=version, WSDL=wsdl,
                              KEY=people.path(key + '.key'), CERT=people.path(key + '.crt'))  # fmt: skip

    return call


both_soap_versions = pytest.mark.parametrize('version', ['12', '11'])


@both_soap_versions
def test_npm_soap_signs(site, soap, take, version):
    status, answer = soap('certificatemixed', 'x509', version)
    assert status == 0, answer
    take(answer['token'], 'client')
    status, answer = soap('certificatemixed', 'x509', version, key='stranger')
    assert status == 1 and reason(site) == 'certificate_untrusted', answer


@both_soap_versions
def test_npm_soap_signs_and_has_a_password(site, soap, take, version):
    status, answer = soap('usernamemixed', 'plus', version)
    assert status == 0, answer
    take(answer['token'], 'robot@example.com')
    status, answer = soap('usernamemixed', 'plus', version, password='wrong')
    assert status == 1 and reason(site) == 'wrong_user_or_password', answer
    status, answer = soap('usernamemixed', 'plus', version, key='stranger')
    assert status == 1 and reason(site) == 'certificate_untrusted', answer


def test_npm_soap_signs_without_key_info(site, soap):
    """Its WSSecurityCertWithToken leaves KeyInfo out and puts what belongs in it into the signature itself."""
    status, answer = soap('usernamemixed', 'mixed')
    assert status == 1 and reason(site) == 'signature_structure', answer


# ---- the command, `fedgate trust`


def ask(site, endpoint, *words, code=0):
    done = harness.run(harness.COMMAND, 'trust', 'issue', site.url('/adfs/services/trust/' + endpoint), '--applies-to', REALM, '--ca', site.authority.ca, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize('trust', ['13', '2005'])
@both_soap_versions
def test_the_command_signs(site, people, trust, version):
    words = ['--soap', '1.' + version[1]]
    assert re.search(r'name +client\n', ask(site, trust + '/certificatemixed', '--certificate', people.path('client.pem'), *words))
    said = ask(site, trust + '/certificatemixed', '--certificate', people.path('stranger.pem'), *words, code=1)
    assert 'InvalidSecurityToken' in said and reason(site) == 'certificate_untrusted', said


def test_the_command_brings_a_token(make_gateway, tmp_path):
    """One of this service, for itself; changed, or for somebody else, it is good for nothing."""
    us, password, token = 'http://fs.test/adfs/services/trust', tmp_path / 'password', tmp_path / 'token.xml'
    password.write_text('alice-secret\n')
    partners = {**harness.PARTNERS, 'app': {'realm': [REALM], 'claims': ['upn']}, 'us': {'realm': [us], 'claims': ['upn', 'name']}}
    gateway = make_gateway(partners=partners, options={'entity_id': us})
    for realm, code in ((us, 0), (REALM, 1)):
        made = harness.run(harness.COMMAND, 'trust', 'issue', gateway.url('/adfs/services/trust/13/usernamemixed'), '--applies-to', realm, '--user', 'alice',
                           '--password-file', str(password), '--ca', gateway.authority.ca, '--raw')  # fmt: skip
        assert made.returncode == 0, made.stderr
        token.write_text(made.stdout)
        said = ask(gateway, '13/issuedtokenmixedasymmetricbasic256', '--with-token', str(token), code=code)
        assert ('alice@example.com' if code == 0 else 'InvalidSecurityToken') in said
    token.write_text(made.stdout.replace('alice@', 'bob@'))
    assert 'FailedCheck' in ask(gateway, '13/issuedtokenmixedasymmetricbasic256', '--with-token', str(token), code=1)
