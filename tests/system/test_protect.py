# SPDX-License-Identifier: GPL-2.0-or-later
"""Protected locations in nginx: what gets through, what the server behind sees, what nginx knows of it."""
import os
import re
import signal
import time

import pytest

import flows
import harness
from load import Load
from protected import APP, HTML, access_log, ask, body, connect, cookie_of, protecting, read_answer, signed_in, values

HTTP = """
log_format decisions '$uri|$status|$fedgate_decision|$fedgate_reason|$fedgate_subject|$fedgate_claim_upn|$fedgate_session_id';
map $fedgate_claim_role $kind { default person; ~Administrators administrator; }
"""
SITE = """
access_log FOLDER/access.log decisions;
location /app/ {
    fedgate_protect CONF;
    proxy_set_header X-Claim-Upn $fedgate_claim_upn;
    proxy_set_header X-Kind $kind;
    proxy_set_header X-None "[$fedgate_claim_nothing]";
    proxy_set_header X-Decision $fedgate_decision;
    PROXY
}
location /open/ { proxy_set_header X-Decision $fedgate_decision; PROXY }
location /own/ {
    fedgate_protect CONF;
    fedgate_identity_header Remote_User $fedgate_claim_upn;
    fedgate_identity_header Remote-Groups "groups:$fedgate_claim_role";
    fedgate_identity_header Remote-Nothing $fedgate_claim_nothing;
    fedgate_identity_header Remote-Taken;
    PROXY
}
location /early/ {
    fedgate_protect CONF;
    if ($fedgate_claim_upn) { return 418; }
    set $before "$fedgate_subject";
    proxy_set_header X-Before "[$before]";
    proxy_set_header X-After $fedgate_subject;
    PROXY
}
location = /status { fedgate_status CONF; }
"""


@pytest.fixture(scope='module')
def site(authority):
    with protecting(authority, SITE, http=HTTP) as gateway:
        yield gateway


@pytest.fixture(scope='module')
def alice(site):
    return signed_in(site)


# ---- identity

def test_server_behind_gets_the_identity(site, alice):
    seen = ask(site, alice, '/app/x?y=1').json()
    assert seen['path'] == '/app/x?y=1'
    assert all(len(values(seen, 'X-Fedgate-' + name)) == 1 for name in ('Subject', 'Issuer', 'Auth-Method')), seen
    assert values(seen, 'X-Claim-Upn') == ['alice@example.com']
    assert values(seen, 'X-Kind') == ['administrator']
    assert values(seen, 'X-None') == ['[]']
    assert values(seen, 'X-Decision') == ['permit']


def test_variables_differ_by_who_asks(site, alice):
    seen = ask(site, signed_in(site, 'bob'), '/app/').json()
    assert values(seen, 'X-Claim-Upn') == ['bob@example.com'] and values(seen, 'X-Kind') == ['person']
    assert values(seen, 'X-Fedgate-Subject') != values(ask(site, alice, '/app/').json(), 'X-Fedgate-Subject')


def test_own_cookies_do_not_go_on(site, alice):
    alice.cookies.set('theirs', '1', domain='localhost.local', path='/')
    cookies = 'first=1; %s;last=2' % cookie_of(alice)
    assert '__Host-fedgate' in cookies
    browser = site.browser()
    seen = ask(site, browser, '/app/', headers={'Cookie': cookies}).json()
    assert '__Host-' not in str(seen) and 'first=1' in values(seen, 'Cookie')[0] and 'last=2' in values(seen, 'Cookie')[0]
    only = '; '.join(one for one in cookie_of(alice).split('; ') if one.startswith('__Host-fedgate'))
    seen = ask(site, browser, '/app/', headers={'Cookie': only}).json()
    assert values(seen, 'X-Claim-Upn') == ['alice@example.com'] and values(seen, 'Cookie') == []


def test_configured_identity_headers(site, alice):
    seen = ask(site, alice, '/own/', headers={'remote-user': 'root', 'Remote_Taken': 'x', 'Remote.Nothing': 'y', 'Remote-Users': 'z'}).json()
    assert values(seen, 'Remote_User') == ['alice@example.com'] and values(seen, 'Remote-User') == []
    assert values(seen, 'Remote-Groups')[0].startswith('groups:') and 'Administrators' in values(seen, 'Remote-Groups')[0]
    assert [key for key, _ in seen['headers'] if key.lower().startswith('remote') and key != 'Remote_User'] == ['Remote-Users', 'Remote-Groups']
    assert values(seen, 'X-Fedgate-Subject') == []


def test_variables_before_the_decision_are_empty(site, alice):
    """In if and set there is nothing yet, and what was not there then is there later, in the log as well."""
    seen = ask(site, alice, '/early/x').json()
    assert values(seen, 'X-Before') == ['[]'] and values(seen, 'X-After') == values(seen, 'X-Fedgate-Subject') != []
    line = harness.wait_for(lambda: [one for one in access_log(site) if one[0] == '/early/x'])[0]
    assert line[1:4] == ['200', 'permit', 'permit'] and line[5] == 'alice@example.com'


def test_log_knows_decisions(site, alice):
    ask(site, alice, '/app/logged')
    ask(site, site.browser(), '/app/refused')
    ask(site, alice, '/open/logged')

    def line(path):
        return harness.wait_for(lambda: [one for one in access_log(site) if one[0] == path])[0]

    permitted, refused, unprotected = line('/app/logged'), line('/app/refused'), line('/open/logged')
    assert permitted[1:4] == ['200', 'permit', 'permit'] and permitted[5] == 'alice@example.com' and len(permitted[6]) > 8
    assert refused[2] == 'deny' and refused[3] not in ('-', 'permit') and refused[4:6] == ['-', '-']
    assert unprotected[1:] == ['200', 'none', '-', '-', '-', '-']


# ---- refusals

def test_programs_get_401_and_browsers_the_sign_in(site):
    browser = site.browser()
    for headers in ({}, {'Accept': 'application/json'}, {'Accept': 'text/html', 'X-Requested-With': 'XMLHttpRequest'},
                    {'Accept': 'text/html', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty'}):  # fmt: skip
        before = len(site.upstream.seen)
        answer = ask(site, browser, '/app/', headers=headers)
        assert answer.status_code == 401 and 'WWW-Authenticate' in answer.headers and 'Location' not in answer.headers
        assert len(site.upstream.seen) == before
    assert ask(site, browser, '/app/', 'POST', data='x').status_code == 401


def test_own_endpoints_stay_reachable_under_a_protected_server(authority):
    with protecting(authority, 'fedgate_protect CONF;') as gateway:
        assert ask(gateway, gateway.browser(), '/adfs/services/trust/mex').status_code == 200
        assert 'password' in gateway.browser().get(gateway.url('/demo/'), timeout=30).text


def test_server_level_protection_reaches_what_is_inside(authority):
    """Also a location inside that of the gateway, and not one that says off."""
    locations = 'fedgate_protect CONF; location /in/ { PROXY } location /off/ { fedgate_protect off; PROXY } location /off/on/ { fedgate_protect CONF; PROXY }'
    with protecting(authority, locations, location='location /inside/ { PROXY }') as gateway:
        browser, alice = gateway.browser(), signed_in(gateway)
        for path, refused in (('/in/', True), ('/inside/', True), ('/off/', False), ('/off/on/', True)):
            assert ask(gateway, browser, path).status_code == (401 if refused else 200), path
            assert ask(gateway, alice, path).status_code == 200
    with protecting(authority, location='fedgate_protect CONF;') as gateway:
        assert ask(gateway, gateway.browser(), '/adfs/services/trust/mex').status_code == 401


def test_configuration_errors_name_the_place(make_gateway):
    for line, wanted in (
        ('fedgate_protect %s nobody;', r'has no section protect "nobody" in .*nginx\.conf:\d+'),
        ('fedgate_protect %s; fedgate_protect off;', r'"fedgate_protect" directive is duplicate in .*nginx\.conf:\d+'),
        ('fedgate_identity_header Authorization x; # %s', r'"Authorization" means something else to nginx.*nginx\.conf:\d+'),
        ('fedgate_identity_header "X Y" x; # %s', r'"X Y" is no header name.*nginx\.conf:\d+'),
        ('fedgate_identity_header X-Y $nothing; # %s', r'unknown "nothing" variable'),
    ):
        gateway = make_gateway(start=False)
        gateway.nginx.http = gateway.nginx.http.replace('location /', line % gateway.site.conf + '\nlocation /', 1)
        gateway.nginx.write()
        done = gateway.nginx.check()
        assert done.returncode != 0 and re.search(wanted, done.stderr), done.stderr


# ---- connections

def test_kept_connection_after_refusals(site, alice):
    """Whatever the refused request brought with it, the next one on the connection is understood; two sent at once as well."""
    cookie = 'Cookie: %s\r\n' % cookie_of(alice)
    chunked = 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    refused = ['Content-Length: 5\r\n\r\nhello', chunked, 'Content-Length: 100000\r\n\r\n' + 100000 * 'x', '\r\n']
    connection = connect(site)
    with connection, connection.makefile('rb') as file:
        for rest in refused:
            connection.sendall(('POST /app/a HTTP/1.1\r\nHost: localhost:%d\r\n%s' % (site.port, rest)).encode())
            assert read_answer(file)[0] == 401
            connection.sendall(('POST /app/b HTTP/1.1\r\nHost: localhost:%d\r\n%sContent-Length: 5\r\n\r\nhello' % (site.port, cookie)).encode())
            status, _, answer = read_answer(file)
            assert status == 200 and b'"aGVsbG8="' in answer
        two = 'POST /app/c HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 5\r\n\r\nhelloGET /app/d HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n'
        connection.sendall((two % (site.port, site.port, cookie)).encode())
        assert read_answer(file)[0] == 401 and b'/app/d' in read_answer(file)[2]


def test_http2(site, alice):
    arguments = ['curl', '-sS', '--http2', '--noproxy', '*', '--cacert', site.authority.ca, '-H', 'X-Fedgate-Subject: root', '-w', '%{http_version} %{http_code}']
    done = harness.run(*arguments, '-H', 'Cookie: ' + cookie_of(alice), '--data-binary', 'hello', site.url('/app/'))
    assert done.stdout.endswith('2 200') and 'aGVsbG8=' in done.stdout and 'root' not in done.stdout, done.stdout + done.stderr
    done = harness.run(*arguments, '--data-binary', '@-', site.url('/app/'), input=100000 * 'x')
    assert done.stdout.endswith('2 401'), done.stdout + done.stderr


def test_bodies_go_on_as_they_are(site, alice):
    data = bytes(range(256)) * 4000
    seen = ask(site, alice, '/app/', 'PUT', data=data).json()
    assert seen['method'] == 'PUT' and body(seen) == data

    def pieces():
        for i in range(10):
            yield data[i * 1000:(i + 1) * 1000]

    assert body(ask(site, alice, '/app/', 'POST', data=pieces()).json()) == data[:10000]


def test_clients_that_go_away(site):
    for _ in range(20):
        connection = connect(site)
        connection.sendall(('GET /app/ HTTP/1.1\r\nHost: localhost:%d\r\n\r\n' % site.port).encode())
        connection.close()
    assert ask(site, signed_in(site), '/app/').status_code == 200


# ---- other nginx features

NEIGHBOURS = """
location /any/ { satisfy any; allow all; fedgate_protect CONF; PROXY }
location /denied/ { deny all; fedgate_protect CONF; PROXY }
location /any-denied/ { satisfy any; deny all; fedgate_protect CONF; PROXY }
location /rewritten/ { rewrite ^/rewritten/(.*)$ /app/$1; }
location /tried/ { try_files /nothing /app/tried; root FOLDER; }
location /named/ { try_files /nothing @named; root FOLDER; }
location @named { fedgate_protect CONF; PROXY }
location /missing/ { error_page 404 = /app/missing; root FOLDER; }
location /broken { fedgate_protect CONF; error_page 502 504 /app/fallback; proxy_pass http://127.0.0.1:1; }
location /other/ { fedgate_protect CONF; error_page 502 504 /second/; proxy_pass http://127.0.0.1:1; }
location /second/ { fedgate_protect CONF second; fedgate_identity_header X-Second $fedgate_claim_upn; PROXY }
location /ssi/ { ssi on; ssi_types *; root FOLDER; }
location /ssi-inside/ { fedgate_protect CONF; ssi on; ssi_types *; root FOLDER; }
location /asked/ { auth_request /ask; fedgate_protect CONF; PROXY }
location = /ask { internal; fedgate_protect CONF; proxy_pass_request_body off; proxy_set_header Content-Length ""; PROXY }
location /asked-open/ { auth_request /ask; PROXY }
location /app/ { fedgate_protect CONF; PROXY }
"""


@pytest.fixture(scope='module')
def neighbours(authority):
    import os

    with protecting(authority, NEIGHBOURS, gateway_conf='protect "second" {\n}\n') as gateway:
        for folder in ('ssi', 'ssi-inside'):
            os.makedirs(os.path.join(gateway.folder, folder), exist_ok=True)
            with open(os.path.join(gateway.folder, folder, 'page'), 'w') as file:
                file.write('[<!--#include virtual="/app/included" -->]')
        yield gateway


def test_ht11_nothing_lets_anybody_past(neighbours):
    """HT-11: neither satisfy any nor a way around leads to a protected location."""
    alice, nobody = signed_in(neighbours), neighbours.browser()
    for path in ('/any/', '/rewritten/x', '/tried/x', '/named/x', '/missing/x', '/broken', '/other/', '/asked/'):
        before = len(neighbours.upstream.seen)
        assert ask(neighbours, nobody, path).status_code == 401, path
        assert len(neighbours.upstream.seen) == before, path
        assert ask(neighbours, alice, path).status_code in (200, 502), path
        assert len(neighbours.upstream.seen) > before, path


def test_other_access_directives_hold_as_well(neighbours):
    alice, nobody = signed_in(neighbours), neighbours.browser()
    assert ask(neighbours, alice, '/denied/').status_code == 403
    assert ask(neighbours, nobody, '/denied/').status_code == 401
    assert ask(neighbours, alice, '/any-denied/').status_code == 200
    assert ask(neighbours, nobody, '/any-denied/').status_code == 401


def test_identity_survives_internal_redirects(neighbours):
    alice = signed_in(neighbours)
    for path in ('/rewritten/x', '/tried/x', '/named/x', '/missing/x', '/broken'):
        ask(neighbours, alice, path, headers={'X-Fedgate-Subject': 'root'})
        seen = neighbours.upstream.seen[-1]
        assert len(values(seen, 'X-Fedgate-Subject')) == 1 and 'root' not in str(seen), path
        assert '__Host-' not in str(seen)


def test_another_protection_decides_anew(neighbours):
    alice = signed_in(neighbours)
    ask(neighbours, alice, '/other/')
    seen = neighbours.upstream.seen[-1]
    assert seen['path'].startswith('/second/')
    assert values(seen, 'X-Second') == ['alice@example.com'] and values(seen, 'X-Fedgate-Subject') == []
    assert '__Host-' not in str(seen)


def test_subrequests(neighbours):
    """Into a protected location only out of one with the same protection."""
    alice, nobody = signed_in(neighbours), neighbours.browser()
    before = len(neighbours.upstream.seen)
    assert '/app/included' not in ask(neighbours, alice, '/ssi/page').text
    assert ask(neighbours, nobody, '/asked-open/').status_code == 403
    assert len(neighbours.upstream.seen) == before
    assert '/app/included' in ask(neighbours, alice, '/ssi-inside/page').text
    assert values(neighbours.upstream.seen[-1], 'X-Fedgate-Subject')
    assert ask(neighbours, nobody, '/ssi-inside/page').status_code == 401


# ---- client certificates

def test_client_certificates(authority):
    """One that nginx verified for this server is a credential; without ssl_verify_client none is, whatever the client shows."""
    client = authority.issue('alice', ['DNS:alice'])
    harness.run('openssl', 'x509', '-req', '-in', client + '.csr', '-CA', authority.ca, '-CAkey', authority.key, '-CAcreateserial', '-days', '30', '-out', client + '.crt')
    for verify, wanted in (('ssl_verify_client optional; ssl_client_certificate %s;' % authority.ca, 200), ('', 401)):
        with protecting(authority, verify + 'location /app/ { fedgate_protect CONF cert; fedgate_identity_header X-Who $fedgate_subject; PROXY }',
                        gateway_conf='protect "cert" {\n  accept = {"certificate"}\n}\n') as gateway:  # fmt: skip
            assert ask(gateway, gateway.browser(), '/app/').status_code == 401
            answered = ask(gateway, gateway.browser(), '/app/', cert=(client + '.crt', client + '.key'))
            assert answered.status_code == wanted, answered.text
            assert wanted != 200 or 'alice' in values(answered.json(), 'X-Who')[0]


def test_certificate_verified_for_another_server(authority):
    """The connection names one server, which asks for certificates; the request names another, which does not."""
    client = authority.issue('alice', ['DNS:alice'])
    harness.run('openssl', 'x509', '-req', '-in', client + '.csr', '-CA', authority.ca, '-CAkey', authority.key, '-CAcreateserial', '-days', '30', '-out', client + '.crt')
    asking = """
server {
    listen 127.0.0.1:PORT ssl;
    server_name other.localhost;
    ssl_certificate CERTIFICATE.crt; ssl_certificate_key CERTIFICATE.key;
    ssl_verify_client optional; ssl_client_certificate CA;
    location /app/ { fedgate_protect CONF cert; PROXY }
}
"""
    port = harness.free_port()
    asking = asking.replace('PORT', str(port)).replace('CERTIFICATE', authority.issue('other', ['DNS:other.localhost'])).replace('CA;', authority.ca + ';')
    with protecting(authority, 'location /app/ { fedgate_protect CONF cert; PROXY }', after=asking, port=port,
                    gateway_conf='protect "cert" {\n  accept = {"certificate"}\n  hosts = {"other.localhost:%d"}\n}\n' % port) as gateway:  # fmt: skip
        for host, wanted in (('other.localhost', 200), ('localhost', 401)):
            connection = connect(gateway, 'other.localhost', client)
            with connection, connection.makefile('rb') as file:
                connection.sendall(('GET /app/ HTTP/1.1\r\nHost: %s:%d\r\n\r\n' % (host, port)).encode())
                assert read_answer(file)[0] == wanted, host


# ---- sessions

def test_a_large_session_outlives_keys(authority):
    """In several cookies, which come in one line; a roll of the keys signs nobody out, forgetting them does."""
    buffers = 'large_client_header_buffers 4 32k;\n'
    with protecting(authority, buffers + APP) as gateway:
        texts = [os.urandom(50).hex() for _ in range(30)]
        attributes = [word for i, text in enumerate(texts) for word in ('--attribute', 'urn:test:%d=%s' % (i, text))]
        added = harness.run(harness.COMMAND, 'user', 'add', 'carol', '--password-stdin', '--config', gateway.site.conf, *attributes, input='carol-secret\n')
        assert added.returncode == 0, added.stderr
        # both workers know her
        harness.wait_for(lambda: len(re.findall(r'directory \S+ read \d+ users', gateway.nginx.log())) == 2)
        carol = signed_in(gateway, 'carol')
        assert len([cookie for cookie in carol.cookies if re.fullmatch(r'__Host-fedgate(-\d)?', cookie.name)]) >= 2
        assert ask(gateway, carol, '/app/').status_code == 200

        def command(*words):
            done = harness.run(*flows.as_worker(), harness.COMMAND, *words, '--config', gateway.site.conf)
            assert done.returncode == 0, done.stderr

        key = flows.certificate(gateway)
        command('keys', 'roll', '--now')
        harness.wait_for(lambda: flows.certificate(gateway) != key, 20, 0.5)
        for _ in range(6):  # of both workers
            assert ask(gateway, carol, '/app/', headers={'Connection': 'close'}).status_code == 200
        command('keys', 'forget')
        harness.wait_for(lambda: ask(gateway, carol, '/app/', headers={'Connection': 'close'}).status_code == 401, 20, 0.5)


# ---- status

def test_status(site):
    answer = ask(site, site.browser(), '/status')
    assert answer.status_code == 200 and answer.headers['Content-Type'] == 'text/plain; version=0.0.4'
    numbers = dict(re.findall(r'^(\w+)(?:{kind="other"})? (\d+)$', answer.text, re.M))
    assert int(numbers['fedgate_store_bytes']) > 4 << 20
    assert {'fedgate_store_used_bytes', 'fedgate_store_entries', 'fedgate_store_refused_total', 'fedgate_store_displaced_total'} <= set(numbers)
    assert all(line.startswith('# HELP fedgate_') or line.startswith('# TYPE fedgate_') or re.match(r'fedgate_[a-z_]+({kind="[a-z_-]+"})? \d+$', line)
               for line in answer.text.splitlines())  # fmt: skip
    assert ask(site, site.browser(), '/status', 'HEAD').text == ''
    assert ask(site, site.browser(), '/status', 'POST', data='x').status_code == 405


# ---- reload and end

def test_reload_under_load(authority):
    with protecting(authority) as gateway:
        session = {'Cookie': cookie_of(signed_in(gateway))}

        def permitted(status, text):
            return status == 200 and 'X-Fedgate-Subject' in text

        requests = [('GET', '/app/a', None, session, permitted, 0.01), ('POST', '/app/b', lambda: 'body', session, permitted, 0.01),
                    ('GET', '/app/c', None, {}, lambda status, text: status == 401, 0.01),
                    ('POST', '/app/d', lambda: 'body', {}, lambda status, text: status == 401, 0.01)]  # fmt: skip
        with Load(gateway, requests) as load:
            end = time.monotonic() + 8
            while time.monotonic() < end:
                gateway.nginx.signal(signal.SIGHUP)
                time.sleep(0.3)
        assert load.failures == []
        assert min(load.counts.values()) > 10, load.counts
