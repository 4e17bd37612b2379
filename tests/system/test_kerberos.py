# SPDX-License-Identifier: GPL-2.0-or-later
"""Signing in by a ticket of Kerberos: a Samba domain controller, curl and GSSAPI as clients (RFC 4559, RFC 4178)."""
import base64
import hashlib
import json
import os
import ssl
import time

import pytest

import harness
from kerberos import CHROME_ON_WINDOWS, FIREFOX_ON_LINUX, KERBEROS, answered, gateway, header, token
from messages import PASSIVE
from peers import FOLDER
from protected import connect, read_answer, values

SIGN_IN = PASSIVE + '?wa=wsignin1.0&wtrealm=urn%3Afedgate%3Ademo'
NTLM = base64.b64decode('TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==')


@pytest.fixture(scope='module')
def site(authority, domain):
    with gateway(authority, domain) as gw:
        yield gw


@pytest.fixture
def alice(domain):
    return domain.kinit('alice')


def sign_in(site, value=None, agent=CHROME_ON_WINDOWS, path=SIGN_IN):
    headers = {'User-Agent': agent, **(header(value) if value is not None else {})}
    return site.browser().get(site.url(path), headers=headers, timeout=30)


def app(site, value=None):
    return site.browser().get(site.url('/app/x'), headers=header(value) if value is not None else {}, timeout=30)


def refused(site, code, value, ask=app):
    before = len(site.site.audit_now(event='signin_refused', code=code))
    answer = ask(site, value)
    try:
        harness.wait_for(lambda: len(site.site.audit_now(event='signin_refused', code=code)) > before, 5)
    except AssertionError as error:
        raise AssertionError(site.site.audit_now()[-2:]) from error
    return answer


def curl(site, *arguments):
    return harness.run('curl', '-sS', '--cacert', site.authority.ca, '--negotiate', '-u', ':', *arguments)


# ---- the sign-in page

def test_a_ticket_signs_in_without_a_form(site, alice):
    context, first = token()
    answer = sign_in(site, first)
    assert answer.status_code == 200 and 'wresult' in answer.text and 'alice@gw.test' in answer.text
    assert 'urn:federation:authentication:windows' in answer.text
    context.step(answered(answer))
    assert context.complete  # the gateway has proven itself
    line = site.site.audit(event='signin')[-1]
    assert line['user'] == 'alice@GW.TEST' and line['method'].endswith('/windows')


def test_browsers_of_the_domain_are_asked_and_have_the_form_too(site):
    answer = sign_in(site)
    assert answer.status_code == 401 and answer.headers['WWW-Authenticate'] == 'Negotiate'
    assert 'name="password"' in answer.text


@pytest.mark.parametrize('path', [SIGN_IN, SIGN_IN + '&wfresh=0'])
def test_other_browsers_get_the_form(site, path):
    answer = sign_in(site, agent=FIREFOX_ON_LINUX if path == SIGN_IN else CHROME_ON_WINDOWS, path=path)
    assert answer.status_code == 200 and 'WWW-Authenticate' not in answer.headers and 'name="password"' in answer.text


def test_who_asks_for_windows_gets_no_password_session(site, alice):
    path = SIGN_IN + '&wauth=urn%3Afederation%3Aauthentication%3Awindows'
    assert sign_in(site, agent=FIREFOX_ON_LINUX, path=path).status_code == 401
    assert 'wresult' in sign_in(site, token()[1], FIREFOX_ON_LINUX, path).text
    password = SIGN_IN + '&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword'
    assert 'name="password"' in sign_in(site, token()[1], CHROME_ON_WINDOWS, password).text  # a ticket is none


def chromium(address, **environment):
    """(last address, text) of a real browser."""
    script = [os.path.join(FOLDER, 'common', name) for name in ('node.sh', 'chrome.mjs')]
    done = harness.run(*script, address, env={**os.environ, 'NO_PROXY': '*', **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split('\n', 1)


def test_a_browser_with_a_ticket_sees_no_form(authority, domain, alice):
    with gateway(authority, domain, kerberos={'agents': ['HeadlessChrome']}) as gw:
        address, text = chromium(gw.url('/demo/'), SPNEGO='localhost')  # the claims viewer, a relying party by WS-Federation
        assert address.startswith(gw.url('/demo/')) and 'alice@gw.test' in text
        where, told = chromium(gw.url('/app/x'), SPNEGO='localhost')
        assert where == gw.url('/app/x'), where + told
        # without leave to use the ticket, and with nobody's: the form
        for environment in ({}, {'SPNEGO': 'localhost', 'KRB5CCNAME': 'FILE:/nonexistent'}):
            where, told = chromium(gw.url('/demo/'), **environment)
            assert not where.startswith(gw.url('/demo/')) and 'alice@gw.test' not in told and 'Password' in told, where + told


def test_networks_that_are_not_named_are_not_asked(authority, domain, alice):
    with gateway(authority, domain, kerberos={'networks': ['192.0.2.0/24'], 'agents': ['Firefox']}) as gw:
        assert sign_in(gw, agent=FIREFOX_ON_LINUX).status_code == 200
        assert 'wresult' in sign_in(gw, token()[1]).text  # who comes with a ticket is let in
    with gateway(authority, domain, kerberos={'networks': ['127.0.0.0/8'], 'agents': ['Firefox']}) as gw:
        assert sign_in(gw, agent=FIREFOX_ON_LINUX).status_code == 401
        assert sign_in(gw).status_code == 200


def test_a_ticket_that_is_refused_leads_to_the_form(site, alice):
    answer = refused(site, 'kerberos.token', b'nothing', sign_in)
    assert answer.status_code == 200 and 'name="password"' in answer.text and 'WWW-Authenticate' not in answer.headers


# ---- protected locations

def test_programs_are_asked_and_get_in(site, alice):
    asked = app(site)
    challenges = asked.headers['WWW-Authenticate']
    assert asked.status_code == 401 and 'Negotiate' in challenges and 'Bearer' in challenges
    context, first = token()
    answer = app(site, first)
    assert answer.status_code == 200 and values(answer.json(), 'X-Fedgate-Subject') == ['alice@gw.test']
    assert values(answer.json(), 'Authorization') == []  # it was for us
    context.step(answered(answer))
    assert context.complete
    done = curl(site, '-w', '%{http_code}', site.url('/app/y'))
    assert done.stdout.endswith('200') and json.loads(done.stdout[:-3])['path'] == '/app/y', done


def test_raw_kerberos_without_spnego_is_taken(site, alice):
    assert app(site, token(mechanism=KERBEROS)[1]).status_code == 200


def test_policy_decides_over_tickets(authority, domain):
    rules = 'c:[Type == "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", Value == "Administrators"] => issue(Type = "http://schemas.microsoft.com/authorization/claims/permit", Value = "true");'
    conf = 'protect "hr" { kind = "rest" accept = {"negotiate"} policy = "hr.rules" }\n'
    with gateway(authority, domain, 'location /hr/ { fedgate_protect CONF hr; PROXY }', conf, files={'hr.rules': rules}) as gw:
        for user, status in (('alice', 200), ('bob', 403)):
            domain.kinit(user)
            answer = gw.browser().get(gw.url('/hr/x'), headers=header(token()[1]), timeout=30)
            assert answer.status_code == status, answer.text


# ---- attacks

def test_kl_01_ntlm(site, alice):
    ntlm_in_spnego = bytes.fromhex('60' '28' '06062b0601050502' 'a01e' '301c' 'a00e' '300c' '060a2b06010401823702020a' 'a20a' '0408') + NTLM[:8]
    for bad in (NTLM, ntlm_in_spnego):
        answer = refused(site, 'kerberos.ntlm', bad)
        assert answer.status_code == 401
    assert app(site, token()[1]).status_code == 200


def test_kl_02_replay(site, alice):
    first = token()[1]
    assert app(site, first).status_code == 200
    assert refused(site, 'kerberos.replay', first).status_code == 401
    assert app(site, token()[1]).status_code == 200


def test_kl_02_wrong_service(site, alice):
    assert app(site, token('HTTP@gw.gw.test')[1]).status_code == 200  # the control: it is in the keytab
    assert refused(site, 'kerberos.unknown-service', token('ldap@dc1.gw.test')[1]).status_code == 401


def test_kl_04_size_and_rounds(site, alice):
    good = token()[1]
    with pytest.raises(AssertionError):
        refused(site, 'kerberos.token', good)  # the control
    assert refused(site, 'kerberos.token', good + b'x' * (3 << 10)).status_code == 401
    # Kerberos is only second in the list, and nothing comes with it: another round would be needed
    two = bytes.fromhex('602706062b0601050502a01d301ba0193017060a2b06010401823702021e06092a864886f712010202')
    refused(site, 'kerberos.rounds', two)


def test_kl_05_principals(authority, domain, site):
    domain.kinit('o(d)d')
    refused(site, 'password.wrong', token()[1])  # a name like any other: no account here
    with gateway(authority, domain, kerberos={'realms': ['gw.test']}) as gw:
        domain.kinit('alice')
        refused(gw, 'kerberos.foreign-realm', token()[1])
    assert app(site, token()[1]).status_code == 200


def test_kl_06_each_request_for_itself(site, alice):
    with connect(site) as tls:
        file = tls.makefile('rb')
        for value, status in ((token()[1], 200), (None, 401), (token()[1], 200), (None, 401)):
            more = 'Authorization: %s\r\n' % header(value)['Authorization'] if value else ''
            tls.sendall(('GET /app/x HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n' % (site.port, more)).encode())
            assert read_answer(file)[0] == status


def test_channel_binding(site, alice):
    with open(site.authority.certificate + '.crt') as file:
        der = ssl.PEM_cert_to_DER_cert(file.read().split('-----END')[0] + '-----END CERTIFICATE-----\n')
    good = b'tls-server-end-point:' + hashlib.sha256(der).digest()
    assert app(site, token(binding=good)[1]).status_code == 200
    refused(site, 'kerberos.channel-binding', token(binding=good[:-1] + b'\0')[1])


def test_clocks(authority, domain, monkeypatch):
    with open(os.environ['KRB5_CONFIG']) as file:
        text = file.read().replace('[libdefaults]', '[libdefaults]\n clockskew = 2', 1)
    strict = domain.folder + '/strict.conf'
    with open(strict, 'w') as file:
        file.write(text)
    client = os.environ['KRB5_CONFIG']
    monkeypatch.setenv('KRB5_CONFIG', strict)
    with gateway(authority, domain) as gw:
        monkeypatch.setenv('KRB5_CONFIG', client)
        domain.kinit('alice')
        first = token()[1]
        assert app(gw, first).status_code == 200
        late = token()[1]
        time.sleep(4)
        refused(gw, 'kerberos.clock-skew', late)


def test_a_keytab_that_cannot_be_read(authority, domain):
    with gateway(authority, domain) as gw:
        domain.kinit('alice')
        with open(gw.keytab, 'rb+') as file:
            whole = file.read()
            file.truncate(2)
        assert refused(gw, 'kerberos.keytab', token()[1]).status_code == 401
        with open(gw.keytab, 'wb') as file:
            file.write(whole)
        assert app(gw, token()[1]).status_code == 200


def exported(domain, name, *principals):
    path = os.path.join(domain.folder, name)
    for principal in principals:
        domain.tool('domain', 'exportkeytab', path, '--principal=' + principal)
    return path


def test_a_keytab_of_a_whole_computer(authority, domain, alice):
    """One account, one key, and the name that is not HTTP's first, as those who join a computer to a domain get it."""
    with gateway(authority, domain, keytab=exported(domain, 'computer.keytab', 'host/localhost', 'HTTP/localhost')) as gw:
        assert app(gw, token()[1]).status_code == 200


def test_a_keytab_without_http(authority, domain):
    with pytest.raises(AssertionError, match='gateway.conf:[0-9]+:[0-9]+: .*HTTP'):
        with gateway(authority, domain, keytab=exported(domain, 'host.keytab', 'host/localhost')):
            pass


# ---- the last one: it changes the domain

def test_a_new_key_while_running(authority, domain):
    with gateway(authority, domain) as gw:
        domain.kinit('alice')
        assert app(gw, token()[1]).status_code == 200
        before = os.environ['KRB5CCNAME']
        domain.tool('user', 'setpassword', 'svc-gw', '--newpassword=N3w.Password')
        domain.kinit('bob')
        assert refused(gw, 'kerberos.wrong-key', token()[1]).status_code == 401  # its key is not here yet
        for host in ('localhost', 'gw.gw.test'):
            domain.tool('domain', 'exportkeytab', gw.keytab, '--principal=HTTP/' + host)
        assert app(gw, token()[1]).status_code == 200
        os.environ['KRB5CCNAME'] = before
        assert app(gw, token()[1]).status_code == 200  # a ticket of before, by the old key
