# SPDX-License-Identifier: GPL-2.0-or-later
"""Going on to a server that takes Kerberos alone, in the name of whoever signed in, with whatever they signed in: Samba's KDC, Apache with
mod_auth_gssapi, pysaml2 as identity provider, pywinrm."""
import base64
import html
import os
import re
import subprocess
import time

import pytest
import requests

import harness
import peers
import saml
import wsman
from domain import Backend, Domain

UID = 'urn:oid:0.9.2342.19200300.100.1.1'
UPN = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn'
RULES = 'c:[Type == "%s"] => issue(Type = "%s", Value = c.Value + "@gw.test");\n' % (UID, UPN)
HTML = {'Accept': 'text/html,application/xhtml+xml,*/*;q=0.8'}
PEOPLE = 'urn:test:people'

# names that could be read as somebody else's (KL-05)
CONFUSING = ['HTTP/backend@gw.test', 'alice\\@gw.test@gw.test', 'alice@gw.test@gw.test', 'alice@other.test', 'alice@gw.test.', 'no-realm', '@gw.test',
             'DC1$@gw.test', 'alice @gw.test', 'alice@GW.TEST@']  # fmt: skip
SOUND = ['bob@GW.TEST', 'Zoe@gw.test']
PERSONS = ['alice', 'carol', 'dave', 'erin', 'frank', 'grace', 'ldapreader', 'mallory', 'administrator']


def users():
    made = {name: {'password': name + '-secret', 'upn': name + '@gw.test'} for name in PERSONS}
    for i, upn in enumerate(CONFUSING + SOUND):
        made['odd%d' % i] = {'password': 'odd%d-secret' % i, 'upn': upn}
    return made


def location(path, protect, port, to='/'):
    return 'location %s { fedgate_protect GATEWAY_CONF %s; proxy_pass http://127.0.0.1:%d%s; }\n' % (path, protect, port, to)


@pytest.fixture(scope='module')
def domain():
    domain = Domain()
    yield domain
    domain.close()


@pytest.fixture(scope='module')
def recorder():
    recorder = wsman.Recorder()
    yield recorder
    recorder.stop()


@pytest.fixture(scope='module')
def backend(domain, recorder):
    backend = Backend(domain, BEHIND=str(recorder.port))
    yield backend
    backend.close()


def sections(domain, idp, port):
    ours = ['http://localhost:%d/adfs/services/trust' % port, PEOPLE]
    to = {'upstream_kerberos': 'HTTP/backend.gw.test'}
    basic = {'kind': 'rest', 'accept': ['basic', 'bearer']}
    return {
        'delegation': {'keytab': domain.keytab, 'principal': 'svc-gw@GW.TEST', 'realms': ['GW.TEST'], 'timeout': '2s'},
        ('protect', 'app'): {**to, 'home_realm': PEOPLE},
        ('protect', 'bare'): {'home_realm': PEOPLE},
        ('protect', 'saml'): {**to, 'home_realm': idp.entity_id, 'upstream_kerberos_from': [idp.entity_id]},
        ('protect', 'unlisted'): {**to, 'home_realm': idp.entity_id},
        ('protect', 'rest'): {**to, **basic},
        ('protect', 'plain'): basic,
        ('protect', 'other'): {**basic, 'upstream_kerberos': 'HTTP/other.gw.test'},
        ('protect', 'nowhere'): {**basic, 'upstream_kerberos': 'HTTP/nowhere.gw.test'},
        'kerberos': {'keytab': domain.http_keytab, 'realms': ['GW.TEST']},
        ('protect', 'ticket'): {**to, 'kind': 'rest', 'accept': ['negotiate']},
        ('protect', 'winrm'): {**to, 'kind': 'wsman', 'accept': ['basic', 'bearer'], 'upstream_kerberos_from': ours},
        ('protect', 'tokens'): {**to, **basic, 'upstream_kerberos_from': ours},
        ('identity_provider', 'university'): {'metadata': idp.metadata, 'acceptance_rules': 'idp.rules'},
        'lockout': {'account_failures': 1000, 'address_failures': 1000},
    }


@pytest.fixture(scope='module')
def gateway(authority, domain, backend):
    os.environ['KRB5_CONFIG'] = domain.krb5_conf
    folder = harness.temporary_folder()
    idp = saml.Pysaml2Idp('idp', folder, authority)
    idp.publish()
    port = harness.free_port()
    server = ''.join(location('/%s/' % name, name, backend.port) for name in ('app', 'bare', 'saml', 'unlisted', 'rest', 'other', 'nowhere', 'tokens', 'ticket'))
    server += location('= /wsman', 'winrm', backend.port, '/wsman') + 'location /plain/ { fedgate_protect GATEWAY_CONF plain; empty_gif; }\n'
    made = sections(domain, idp, port)
    base = 'https://localhost:%d' % port
    partners = {'self': {'realm': [base], 'claims': harness.CLAIMS, 'token': 'saml20', 'name_id': 'upn'}}
    gateway = harness.Gateway(authority, port=port, users=users(), partners=partners, sections=made, server=server, directory={'uri': PEOPLE},
                              nginx={'main': 'env KRB5_CONFIG;', 'workers': 1, 'pools': {'fedgate': 'threads=4'}})  # fmt: skip
    with open(os.path.join(gateway.site.folder, 'idp.rules'), 'w') as file:
        file.write(RULES)
    with gateway:
        idp.start(gateway)
        gateway.idp = idp
        yield gateway
    idp.stop()
    del os.environ['KRB5_CONFIG']
    # neither tickets nor keys
    with open(gateway.site.audit_log) if os.path.exists(gateway.site.audit_log) else open(os.devnull) as file:
        logs = gateway.last_log + file.read()
    assert 'Negotiate Y' not in logs and 'YII' not in logs, logs
    assert '[alert]' not in gateway.last_log and 'exited on signal' not in gateway.last_log, gateway.last_log[-4000:]


def basic(gateway, path, user='alice', **options):
    return gateway.browser().get(gateway.url(path), auth=(user, user + '-secret'), timeout=60, **options)


def sign_in(gateway, path, user, password, provider=False):
    """(browser, the page that it ends at) of somebody who asks for a location and signs in there."""
    session = saml.browser()
    page = session.get(gateway.url(path), headers=HTML, timeout=30)
    page = saml.submit(session, page, username=user, password=password)
    if provider:
        page = saml.submit(session, page)
    on = re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', page.text)
    return session, session.get(html.unescape(on.group(1)), headers=HTML, timeout=30) if on else page


def refusal(gateway, answer, status):
    """The finer word of the audit log's line about this answer."""
    assert answer.status_code == status, (answer.status_code, answer.text[:300])
    reference = answer.json()['correlation_id']
    line = harness.wait_for(lambda: gateway.site.audit_now(event='refused', id=reference))[0]
    return line['code']


def is_person(answer, principal='alice@GW.TEST'):
    return answer.status_code == 200 and answer.headers.get('X-User') == principal


# ---- whoever signed in


def test_signed_in_by_a_form(gateway, backend):
    session, page = sign_in(gateway, '/app/', 'alice', 'alice-secret')
    assert is_person(page) and page.url == gateway.url('/app/'), page.text[:1000]
    harness.wait_for(lambda: [line[:2] for line in backend.seen()[-1:]] == [['alice@GW.TEST', '200']])
    # each request has a token of its own: the server behind remembers those it saw
    for _ in range(5):
        page = session.get(gateway.url('/app/'), timeout=30)
        assert is_person(page) and 'WWW-Authenticate' not in page.headers
    assert page.headers['X-Authorization'] == 'Negotiate' and 'fedgate' not in page.headers.get('X-Cookie', '')


def test_the_server_behind_takes_nothing_else(gateway, backend):
    """The controls: without the option, and past the gateway."""
    _, page = sign_in(gateway, '/bare/', 'alice', 'alice-secret')
    assert page.status_code == 401 and page.headers['WWW-Authenticate'] == 'Negotiate'
    assert requests.get('http://127.0.0.1:%d/' % backend.port, timeout=10).status_code == 401


def test_signed_in_by_saml(gateway, backend):
    _, page = sign_in(gateway, '/saml/', 'bob', 'bobpw', provider=True)
    assert is_person(page, 'bob@GW.TEST') and page.url == gateway.url('/saml/'), page.text[:1000]
    harness.wait_for(lambda: [line[:2] for line in backend.seen()[-1:]] == [['bob@GW.TEST', '200']])


def test_an_identity_provider_that_is_not_named_may_not_say_who_somebody_is(gateway, backend):
    before = len(backend.seen())
    _, page = sign_in(gateway, '/unlisted/', 'bob', 'bobpw', provider=True)
    assert page.status_code == 403 and 'You cannot be signed in at the server behind' in page.text
    assert gateway.site.audit(event='refused')[-1]['code'] == 'delegation.no-principal'
    assert len(backend.seen()) == before


def test_with_a_token_of_the_gateway(gateway):
    """Where the gateway's own tokens are named, and where they are not."""
    token = saml_token(gateway)
    assert is_person(gateway.browser().get(gateway.url('/tokens/'), headers={'Authorization': 'Bearer ' + token}, timeout=30))
    answer = gateway.browser().get(gateway.url('/rest/'), headers={'Authorization': 'Bearer ' + token}, timeout=30)
    assert refusal(gateway, answer, 403) == 'delegation.no-principal'
    assert is_person(basic(gateway, '/rest/'))


def saml_token(gateway, user='alice'):
    import trust

    token = trust.Program(gateway, user).issue(trust.applies_to(gateway.base_url) + trust.token_type(trust.SAML20))
    return base64.b64encode(token.encode()).decode()


def test_signed_in_by_a_ticket(gateway, domain):
    """The gateway's proof to the client stays, and the ticket for the gateway does not go on."""
    environment = {**os.environ, 'KRB5CCNAME': 'FILE:%s/cc' % domain.folder}
    done = subprocess.run(['kinit', 'bob'], input='Bob.Pw1\n', env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = subprocess.run(['curl', '-sSi', '--noproxy', '*', '--cacert', gateway.authority.ca, '--negotiate', '-u', ':', gateway.url('/ticket/')], env=environment,
                          capture_output=True, text=True, timeout=30).stdout  # fmt: skip
    last = said[said.rindex('HTTP/'):]
    assert re.search('(?im)^x-user: bob@GW.TEST', last), said
    assert len(re.findall('(?im)^www-authenticate: negotiate .', last)) == 1, last


# ---- who may not


@pytest.mark.parametrize('user, path, status, code', [
    ('mallory', '/rest/', 403, 'delegation.unknown-person'),
    ('carol', '/rest/', 403, 'delegation.account'),  # disabled
    ('erin', '/rest/', 403, 'delegation.account'),  # expired
    ('grace', '/rest/', 403, 'delegation.sensitive'),
    ('alice', '/other/', 502, 'delegation.not-allowed'),
    ('alice', '/nowhere/', 502, 'delegation.backend'),
])  # fmt: skip
def test_refused_by_the_kdc(gateway, backend, user, path, status, code):
    before = len(backend.seen())
    answer = basic(gateway, path, user)
    assert refusal(gateway, answer, status) == code
    assert 'WWW-Authenticate' not in answer.headers and len(backend.seen()) == before
    assert refusal(gateway, basic(gateway, path, user), status) == code  # as it is remembered
    assert is_person(basic(gateway, '/rest/'))


@pytest.mark.parametrize('number', range(len(CONFUSING)))
def test_confusing_names_are_nobodys_kl05(gateway, backend, number):
    before = len(backend.seen())
    assert refusal(gateway, basic(gateway, '/rest/', 'odd%d' % number), 403) == 'delegation.no-principal'
    assert len(backend.seen()) == before


def test_the_sound_twins_are_somebodys(gateway):
    for i, upn in enumerate(SOUND, len(CONFUSING)):
        answer = basic(gateway, '/rest/', 'odd%d' % i)
        assert answer.status_code == 200 and answer.headers['X-User'].lower() == upn.lower(), (upn, answer.headers)


def test_what_the_client_sends_does_not_go_on(gateway):
    """Neither its Authorization nor another's ticket beside a session."""
    session, _ = sign_in(gateway, '/app/', 'alice', 'alice-secret')
    answer = session.get(gateway.url('/app/'), headers={'Authorization': 'Negotiate YIIabc'}, timeout=30)
    assert is_person(answer) and answer.headers['X-Authorization'] == 'Negotiate'


# ---- WinRM


def winrm(gateway, user, *arguments):
    return peers.run_json(gateway, 'ws/winrm_driver.py', gateway.url('/wsman'), user, user + '-secret', '--ca', gateway.authority.ca, *arguments)


def test_pywinrm_reaches_a_server_that_takes_kerberos_alone(gateway, backend, recorder):
    recorder.forget()
    for user, more in (('alice', []), ('x', ['--bearer', saml_token(gateway)])):
        recorder.forget()
        status, said = winrm(gateway, user, *more)
        assert status == 0, said
        assert recorder.operations()
    assert {line[0] for line in backend.seen() if line[3] == '/wsman'} == {'alice@GW.TEST'}
    status, said = winrm(gateway, 'grace')
    assert status != 0, said
    answer = gateway.post('/wsman', wsman.get().encode(), headers=wsman.HEADERS, auth=('grace', 'grace-secret'))
    assert wsman.fault(answer) == 'AccessDenied'


# ---- the KDC is away


def count(gateway, event):
    return len(gateway.site.audit_now(event=event))


@pytest.mark.parametrize('how', ['frozen', 'stopped'])
def test_the_kdc_is_away(gateway, domain, how):
    """One waits for its deadline, the next are told at once; what is known goes on, and so does everything else; it recovers by itself."""
    new = {'frozen': ['frank', 'dave'], 'stopped': ['ldapreader', 'administrator']}[how]
    assert is_person(basic(gateway, '/rest/'))
    (domain.freeze if how == 'frozen' else domain.stop)()
    try:
        begin = time.monotonic()
        answer = basic(gateway, '/rest/', new[0])
        assert refusal(gateway, answer, 503) == 'delegation.unreachable' and answer.headers['Retry-After']
        assert time.monotonic() - begin < 5
        begin = time.monotonic()
        for worker in range(8):  # each worker learns it by itself
            assert refusal(gateway, basic(gateway, '/rest/', new[0]), 503) == 'delegation.unreachable'
        assert time.monotonic() - begin < 5
        begin = time.monotonic()
        assert gateway.get('/plain/').status_code == 401 and basic(gateway, '/plain/', new[1]).headers['Content-Type'] == 'image/gif'
        assert time.monotonic() - begin < 2
        fault = gateway.post('/wsman', wsman.get().encode(), headers=wsman.HEADERS, auth=(new[1], new[1] + '-secret'))
        assert fault.status_code in (500, 503) and wsman.fault(fault) == 'EndpointUnavailable'
    finally:
        (domain.thaw if how == 'frozen' else domain.start)()
    harness.wait_for(lambda: is_person(basic(gateway, '/rest/', new[0]), new[0] + '@GW.TEST'), 40, 0.5)


def test_known_tickets_outlive_the_kdc(gateway, domain):
    for _ in range(8):
        assert is_person(basic(gateway, '/rest/'))
    domain.freeze()
    try:
        for _ in range(8):
            assert is_person(basic(gateway, '/rest/'))
    finally:
        domain.thaw()


# ---- gateway.conf


@pytest.mark.parametrize('text, wanted', [
    ('delegation {\n  keytab = "KEYTAB"\n  principal = "svc-gw@GW.TEST"\n}\nprotect "a" {\n  upstream_kerberos = "HTTP/app.gw.test"\n}\n', None),
    ('delegation {\n  keytab = "KEYTAB"\n  principal = "svc-other@GW.TEST"\n}\n', 'expected a keytab with a key of svc-other@GW.TEST'),
    ('delegation {\n  keytab = "none"\n  principal = "svc-gw@GW.TEST"\n}\n', 'expected a keytab with a key of svc-gw@GW.TEST'),
    ('delegation {\n  keytab = "KEYTAB"\n  principal = "svc-gw"\n}\n', 'expected an account with its realm'),
    ('delegation {\n  keytab = "KEYTAB"\n  principal = "svc-gw@GW.TEST"\n  timeout = 31s\n}\n', 'expected from 1s to 30s'),
    ('protect "a" {\n  upstream_kerberos = "HTTP/app.gw.test"\n}\n', 'expected it where there is a section delegation'),
    ('protect "a" {\n  upstream_kerberos = "app.gw.test"\n}\n', 'expected a service as'),
    ('protect "a" {\n  upstream_kerberos_from = "urn:x"\n}\n', 'expected it beside upstream_kerberos'),
])  # fmt: skip
def test_config_check(domain, tmp_path, text, wanted):
    site = harness.Site(str(tmp_path / 'site'), 'https://fs.example.com')
    site.write(text.replace('KEYTAB', domain.keytab))
    done = subprocess.run([harness.COMMAND, 'config', 'check', site.conf], capture_output=True, text=True, env={**os.environ, 'KRB5_CONFIG': domain.krb5_conf})
    assert (done.returncode == 0) == (wanted is None), done.stderr
    assert wanted is None or wanted in done.stderr, done.stderr
