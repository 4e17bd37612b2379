# SPDX-License-Identifier: GPL-2.0-or-later
"""`fedgate trust`, `probe` and `token` against the running gateway: what the command says is what the gateway does."""
import email.utils
import json
import os
import re
import socket
import subprocess
import time

import pytest

import harness
from harness import COMMAND, run
from protected import protecting
from test_corpus import FOLDER
from tokens import JwtIssuer
from trust import Program, applies_to

PARTNERS = {
    **harness.PARTNERS,
    'app': {'realm': ['urn:app'], 'claims': ['upn', 'role'], 'jwt': 'true', 'renew': '8h'},
    'few': {'realm': ['urn:few'], 'claims': ['upn']},
}
PATH = '/adfs/services/trust/%s/usernamemixed'


@pytest.fixture(scope='module')
def gateway(authority):
    with protecting(authority, '', partners=PARTNERS) as gateway:
        yield gateway


@pytest.fixture
def password(tmp_path):
    path = tmp_path / 'password'
    path.write_text('alice-secret\n')
    return str(path)


def fedgate(*words, code=0):
    done = run(COMMAND, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def trust(gateway, password, verb, *words, code=0, version='13', user='alice'):
    return fedgate('trust', verb, gateway.url(PATH % version), '--user', user, '--password-file', password, '--ca', gateway.authority.ca, *words, code=code)


def raw(gateway, password, verb, *words, **options):
    return trust(gateway, password, verb, '--raw', *words, **options)


@pytest.mark.parametrize('version, kind, title', [('13', 'saml20', 'SAML 2.0 assertion'), ('13', 'saml11', 'SAML 1.1 assertion'), ('13', 'jwt', 'JSON Web Token'), ('2005', 'saml11', 'SAML 1.1 assertion')])
def test_issue(gateway, password, tmp_path, version, kind, title):
    said = trust(gateway, password, 'issue', '--applies-to', 'urn:app', '--token-type', kind, version=version)
    assert title in said and 'alice@example.com' in said and 'for urn:app' in said
    path = tmp_path / 'answer'
    path.write_text(raw(gateway, password, 'issue', '--applies-to', 'urn:app', '--token-type', kind, version=version))
    metadata = tmp_path / 'metadata.xml'
    metadata.write_bytes(gateway.get('/FederationMetadata/2007-06/FederationMetadata.xml').content)
    words = ['token', 'verify', str(path), '--trust', str(metadata)]
    assert fedgate(*words, '--audience', 'urn:app').startswith('valid\n')
    assert fedgate(*words, '--audience', 'urn:other', code=1).startswith('invalid: audience.mismatch: ')


def test_renew_validate_cancel(gateway, password, tmp_path):
    path = tmp_path / 'token'
    path.write_text(raw(gateway, password, 'issue', '--applies-to', 'urn:app', '--token-type', 'saml20', '--renewable'))
    token = ['--token', str(path)]
    assert 'valid' in trust(gateway, password, 'validate', *token)
    assert 'SAML 2.0 assertion' in trust(gateway, password, 'renew', *token, '--applies-to', 'urn:app')
    trust(gateway, password, 'cancel', *token)
    assert 'cancelled' in trust(gateway, password, 'validate', *token, code=1)


def test_faults_are_decoded(gateway, password, tmp_path):
    wrong = tmp_path / 'wrong'
    wrong.write_text('not this')
    said = trust(gateway, str(wrong), 'issue', '--applies-to', 'urn:app', code=1, user='bob')
    assert 'refused: FailedAuthentication: the user name or the password is wrong' in said
    harness.wait_for(lambda: [line for line in gateway.site.audit(event='signin_refused') if line['code'] == 'password.wrong'])
    said = trust(gateway, password, 'issue', '--applies-to', 'urn:nobody', code=1)
    assert 'refused: InvalidScope: AppliesTo is no relying party' in said
    harness.wait_for(lambda: [line for line in gateway.site.audit(event='refused') if line['code'] == 'partner.unknown'])
    assert 'is it a WS-Trust endpoint?' in fedgate('trust', 'issue', gateway.url('/nothing'), '--user', 'alice', '--password-file', password, '--ca', gateway.authority.ca, code=1)
    assert 'certificate' in fedgate('trust', 'issue', gateway.url(PATH % '13'), '--user', 'alice', '--password-file', password, code=3)  # of a CA that nobody named


def test_show_request_sends_nothing(gateway, password):
    before = len(gateway.site.audit())
    said = trust(gateway, password, 'issue', '--applies-to', 'urn:app', '--show-request')
    assert 'RequestSecurityToken' in said and 'alice-secret' not in said
    assert len(gateway.site.audit()) == before


def test_probe(gateway):
    assert 'without --network' in fedgate('probe', gateway.url('/'), code=2)
    said = fedgate('probe', gateway.url('/'), '--network', '--ca', gateway.authority.ca)
    assert 'federation metadata: metadata of an entity' in said and 'clock: as here' in said and 'TLS: the certificate is believed' in said
    assert 'entity_id: http://localhost' in said
    assert re.search(r'TLS: TLSv1\.[23] / \S+', said) and '  certificate CN=localhost\n    issued by CN=fedgate test CA\n    for localhost, *.localhost\n' in said
    assert re.search(r'    until 20\S+Z \(in 29 days\)', said)


def test_probe_of_a_certificate_that_is_not_believed(gateway):
    """It is shown all the same, with why; and nothing is asked of the server."""
    said = fedgate('probe', gateway.url('/'), '--network', code=1)
    assert 'TLS: the certificate is not believed: SSL certificate problem: ' in said and 'name it with --ca' in said
    assert '  certificate CN=localhost' in said and 'metadata of an entity' not in said and 'clock' not in said


@pytest.fixture
def server(authority, tmp_path):
    """openssl's own server, which answers with a file as it stands: (certificate, seconds its clock is off, options) -> URL."""
    started = []

    def start(certificate, seconds=0, *options):
        folder = tmp_path / 'FederationMetadata' / '2007-06'
        folder.mkdir(parents=True)
        with open(os.path.join(FOLDER, 'files', 'metadata-sound.xml')) as file:
            body = file.read()
        date = email.utils.formatdate(time.time() + seconds, usegmt=True)
        (folder / 'FederationMetadata.xml').write_bytes(('HTTP/1.0 200 OK\r\nDate: %s\r\nContent-Type: text/xml\r\n\r\n%s' % (date, body)).encode())
        port = harness.free_port()
        with open(tmp_path / 'log', 'w') as log:
            started.append(subprocess.Popen(['openssl', 's_server', '-accept', '127.0.0.1:%d' % port, '-HTTP', '-cert', certificate + '.crt', '-key', certificate + '.key', *options],
                                            cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log))  # fmt: skip
        harness.wait_for(lambda: socket.socket().connect_ex(('127.0.0.1', port)) == 0)
        return 'https://localhost:%d/' % port

    yield start
    for process in started:
        process.kill()
        process.wait()


def probe(url, authority, code=0):
    return fedgate('probe', url, '--network', '--ca', authority.ca, code=code)


@pytest.mark.parametrize('seconds, told', [(0, 'clock: as here\n'), (600, ' s later than here: more than is taken by default (skew), tokens will be refused\n'), (-90, ' s earlier than here\n')])
def test_probe_of_a_clock(server, authority, seconds, told):
    said = probe(server(authority.certificate, seconds, '-tls1_2'), authority)
    line = next(line + '\n' for line in said.splitlines() if line.startswith('clock: '))
    assert line.endswith(told) and (seconds == 0 or abs(abs(seconds) - int(line.split()[1])) < 10)
    assert 'TLS: TLSv1.2 / ' in said and 'entity_id: https://idp.example.org' in said


def test_probe_of_an_expired_certificate(server, authority):
    said = probe(server(authority.issue('late', ['DNS:localhost'], days=-1)), authority, code=1)
    assert 'not believed: SSL certificate problem: certificate has expired' in said and '  warning: the certificate ' in said and 'has expired' in said


def test_probe_of_a_certificate_of_another_name(server, authority):
    said = probe(server(authority.issue('elsewhere.example.org', ['DNS:elsewhere.example.org'])), authority, code=1)
    assert '    for elsewhere.example.org\n' in said and "not believed: SSL: no alternative certificate subject name matches target host name 'localhost'" in said


def test_probe_where_there_is_no_tls(gateway):
    port = harness.free_port()
    assert 'cannot be reached by TLS: Failed to connect to localhost port %d' % port in fedgate('probe', 'https://localhost:%d/' % port, '--network', code=1)


def test_trust_by_address(gateway, password, tmp_path):
    path = tmp_path / 'answer'
    path.write_text(raw(gateway, password, 'issue', '--applies-to', 'urn:app', '--token-type', 'jwt'))
    url = gateway.url('/FederationMetadata/2007-06/FederationMetadata.xml')
    verify = ['token', 'verify', str(path), '--trust', url, '--audience', 'urn:app']
    assert 'is fetched with --network alone' in fedgate(*verify, code=3)
    assert 'certificate' in fedgate(*verify, '--network', code=3)  # of a CA that nobody named
    assert fedgate(*verify, '--network', '--tls-ca', gateway.authority.ca).startswith('valid\n')
    other = os.path.join(FOLDER, 'keys', 'ca.pem')
    assert 'certificate' in fedgate(*verify, '--network', '--tls-ca', other, code=3)
    discovery = gateway.url('/adfs/.well-known/openid-configuration')
    said = fedgate('token', 'verify', str(path), '--trust', discovery, '--audience', 'urn:app', '--network', '--tls-ca', gateway.authority.ca, code=1)
    assert said.startswith('invalid: issuer.mismatch: ') and 'passed       key' in said  # WS-Trust's tokens have another issuer than OpenID Connect's


def test_translate(gateway, tmp_path):
    token = Program(gateway, 'alice').issue(applies_to('urn:app'))
    path = tmp_path / 'token.xml'
    path.write_text(token)
    said = json.loads(fedgate('token', 'translate', str(path), '--partner', 'few', '--to', 'jwt', '--config', gateway.site.conf, '--json').split('\nfedgate:')[0])
    assert [(claim['name'], claim['value']) for claim in said['claims']] == [('upn', 'alice@example.com')]
    assert {claim['value'] for claim in said['dropped']} == {'Administrators', 'Staff'}
    assert 'did you mean "few"?' in fedgate('token', 'translate', str(path), '--partner', 'fwe', '--config', gateway.site.conf, code=3)


def test_our_own_metadata_is_clean(gateway, tmp_path):
    path = tmp_path / 'metadata.xml'
    path.write_bytes(gateway.get('/FederationMetadata/2007-06/FederationMetadata.xml').content)
    assert ': 0 errors' in fedgate('metadata', 'lint', str(path))
    assert fedgate('metadata', 'diff', str(path), str(path)) == 'they say the same\n'
    mex = tmp_path / 'mex.xml'
    mex.write_bytes(gateway.get('/adfs/services/trust/mex').content)
    assert 'MSAL and ADAL take: %s (WS-Trust 1.3)' % gateway.url(PATH % '13') in fedgate('mex', 'lint', str(mex))


def test_partner_of_the_configuration(gateway, tmp_path):
    """Without --trust the configuration says whom to believe: of this gateway's own issuer, nobody."""
    path = tmp_path / 'token.xml'
    path.write_text(Program(gateway, 'alice').issue(applies_to('urn:app')))
    assert fedgate('token', 'verify', str(path), '--config', gateway.site.conf, code=1).startswith('invalid: issuer.unknown: ')
    assert 'neither a file nor a partner of the configuration' in fedgate('token', 'verify', str(path), '--config', gateway.site.conf, '--trust', 'nobody', code=3)


def test_an_identity_provider_of_the_configuration(authority, make_gateway, tmp_path):
    """By name, or, without --trust, by the token's issuer."""
    issuer, other = JwtIssuer(str(tmp_path), 'https://issuer.test/'), JwtIssuer(str(tmp_path), 'https://issuer.test/', 'other')
    section = {('identity_provider', 'robots'): {'issuer': issuer.name, 'certificate': [issuer.certificate]}}
    conf = make_gateway(sections=section, start=False).site.conf
    for trust in (['--trust', 'robots'], []):
        for by, audience, verdict, code in ((issuer, 'urn:app', 'valid', 0), (other, 'urn:app', 'invalid: signature.value-mismatch: ', 1),
                                            (issuer, 'urn:other', 'invalid: audience.mismatch: ', 1)):  # fmt: skip
            path = tmp_path / 'token.txt'
            path.write_text(by.token(aud=audience))
            said = fedgate('token', 'verify', str(path), '--config', conf, *trust, '--audience', 'urn:app', code=code)
            assert said.startswith(verdict), said


# ---- another service: tests/peers/ws/sts.js, whose tokens npm's saml package makes


@pytest.fixture(scope='module')
def other_service(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp('sts'), harness.free_port()
    env = {**os.environ, 'PORT': str(port), 'WORK': str(folder), 'LOGDIR': str(folder / 'requests'), 'TT': 'saml20'}
    script = os.path.join(harness.ROOT, 'tests', 'peers', 'ws', 'sts.sh')
    state = os.environ.get('FEDGATE_PEERS_DIR') or os.path.expanduser('~/.cache/fedgate-peers')
    started = run(script, 'START', env=env)
    assert started.returncode == 0, started.stderr
    yield 'https://localhost:%d' % port, os.path.join(state, 'ca', 'ca.pem'), os.path.join(state, 'certs', 'idp.crt')
    run(script, 'STOP', env=env)


@pytest.mark.parametrize('version', ['13', '2005'])
@pytest.mark.parametrize('soap', ['1.2', '1.1'])
def test_another_service(other_service, tmp_path, version, soap):
    base, ca, certificate = other_service
    secret, answer = tmp_path / 'secret', tmp_path / 'answer'
    secret.write_text('secret')
    words = ['trust', 'issue', base + PATH % version, '--user', 'alice', '--password-file', str(secret), '--ca', ca, '--soap', soap, '--applies-to', 'urn:app']
    assert 'SAML 2.0 assertion' in fedgate(*words)
    answer.write_text(fedgate(*words, '--raw'))
    assert fedgate('token', 'verify', str(answer), '--trust', certificate, '--issuer', base + '/sts', '--audience', 'urn:app').startswith('valid\n')
    secret.write_text('wrong')
    assert 'refused: FailedAuthentication' in fedgate(*words, code=1)


def test_probe_another_service(other_service):
    base, ca, _ = other_service
    said = fedgate('probe', base + '/mex', '--network', '--ca', ca)
    assert 'the address itself: WSDL' in said and 'TLS: the certificate is believed' in said
