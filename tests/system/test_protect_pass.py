# SPDX-License-Identifier: GPL-2.0-or-later
"""Who was let into a protected location lately is let in again without an exchange: what goes on to the server behind and what is logged
is the same, and nothing else is let in by it."""
import subprocess
import time

import pytest

import harness
from protected import access_log, ask, body, connect, cookie_of, protecting, read_answer, signed_in, values
from tokens import JwtIssuer, altered

ISSUER = 'https://tokens.example'
HTTP = "log_format decisions '$uri|$status|$fedgate_decision|$fedgate_reason|$fedgate_subject|$fedgate_claim_role|$fedgate_session_id';\n"
SITE = """
access_log FOLDER/access.log decisions;
location /app/ { fedgate_protect CONF; fedgate_identity_header X-Roles $fedgate_claim_role; fedgate_identity_header X-Taken;
    proxy_set_header X-Upn $fedgate_claim_upn; PROXY }
location /plain/ { fedgate_protect CONF; PROXY }
location /here/ { fedgate_protect CONF; fedgate_identity_header X-Path $uri; PROXY }
location /.fedgate/ { fedgate_protect CONF; PROXY }
location /named/ { fedgate_protect CONF named; PROXY }
location /missing/ { fedgate_protect CONF; root /nonexistent; error_page 404 = /second/instead; }
location /second/ { fedgate_protect CONF second; PROXY }
location /moved/ { fedgate_protect CONF; root /nonexistent; error_page 404 = /plain/instead; }
"""
MORE = 'protect "named" { audience = "urn:named" accept = {bearer} }\nprotect "second" { }\n'
AS_LATELY = 'fedgate: let in as lately'


@pytest.fixture(scope='module')
def issuer(tmp_path_factory):
    return JwtIssuer(str(tmp_path_factory.mktemp('issuer')), ISSUER)


@pytest.fixture(scope='module')
def start(authority, issuer):
    """A gateway of one worker whose log tells what it does."""
    sections = {('identity_provider', 'tokens'): {'issuer': ISSUER, 'certificate': [issuer.certificate]}}

    def make(site=SITE, more=MORE, **options):
        return protecting(authority, site, http=HTTP, gateway_conf=more, nginx={'workers': 1}, sections={**sections, **options.pop('sections', {})}, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('FEDGATE_LOG', 'debug')
        yield make


@pytest.fixture(scope='module')
def site(start):
    with start() as gateway:
        yield gateway


@pytest.fixture
def alice(site):
    return signed_in(site)


def passes(gateway):
    return gateway.nginx.log().count(AS_LATELY)


class Asking:
    """Requests of one kind, and how many of them were let in as lately."""

    def __init__(self, gateway, browser, path, **options):
        self.gateway, self.browser, self.path, self.options = gateway, browser, path, options

    def __call__(self, **more):
        before = passes(self.gateway)
        answer = ask(self.gateway, self.browser, self.path, **{**self.options, **more})
        return answer, passes(self.gateway) - before

    def until_let_in(self):
        answers = []
        for _ in range(4):
            answer, quick = self()
            answers.append(answer)
            if quick:
                return answers
        raise AssertionError('never let in as lately')


def test_the_server_behind_sees_no_difference(site, alice):
    headers = {'Cookie': 'theirs=1; %s; last=2' % cookie_of(alice), 'X-Fedgate-Subject': 'mallory', 'X_Roles': 'Root', 'X-Taken': 'forged', 'X-Other': 'stays'}
    answers = Asking(site, site.browser(), '/app/x?y=1', headers=headers).until_let_in()
    assert len(answers) == 3  # opened, remembered, let in as lately
    seen = [answer.json() for answer in answers]
    assert seen[0] == seen[1] == seen[2]
    assert values(seen[2], 'X-Roles') == ['Administrators;Staff'] and values(seen[2], 'X-Upn') == ['alice@example.com']
    assert values(seen[2], 'Cookie') == ['theirs=1; last=2'] and values(seen[2], 'X-Other') == ['stays']
    assert 'mallory' not in str(seen) and 'Root' not in str(seen) and 'forged' not in str(seen)
    lines = harness.wait_for(lambda: [line for line in access_log(site) if line[0] == '/app/x'][2:], 5) and access_log(site)
    lines = [line for line in lines if line[0] == '/app/x']
    assert lines[0] == lines[1] == lines[2] and lines[2][2:4] == ['permit', 'permit'] and lines[2][5] == 'Administrators;Staff', lines


def test_a_body_goes_on_as_it_came(site, alice):
    asking = Asking(site, alice, '/plain/form')
    asking.until_let_in()
    answer, quick = asking(method='POST', data=b'a=1&b=' + b'2' * 200000)
    assert quick == 1 and answer.json()['method'] == 'POST' and body(answer.json()) == b'a=1&b=' + b'2' * 200000
    assert values(answer.json(), 'X-Fedgate-Subject') == values(asking()[0].json(), 'X-Fedgate-Subject') != []


def test_with_a_bearer_token(site, issuer):
    token = issuer.token(aud=site.base_url, sub='robot', role=['Robots'])
    asking = Asking(site, site.browser(), '/app/', headers={'Authorization': 'Bearer ' + token})
    seen = [answer.json() for answer in asking.until_let_in()]
    assert all(one == seen[0] for one in seen) and values(seen[0], 'X-Roles') == ['Robots'] and values(seen[0], 'Authorization') == []
    # another token, and the same with something else beside it
    middle = len(token) // 2
    for headers, status in (({'Authorization': 'Bearer ' + token[:middle] + ('A' if token[middle] != 'A' else 'B') + token[middle + 1:]}, 401),
                            ({'Authorization': 'Bearer ' + altered(token)}, 401),
                            ({'Authorization': 'bearer ' + token}, 200), ({'Authorization': 'Bearer ' + token, 'Cookie': 'a=1'}, 200)):  # fmt: skip
        answer, quick = asking(headers=headers)
        assert (answer.status_code, quick) == (status, 0), headers


def test_another_place_decides_for_itself(site, issuer, alice):
    """What is let in at one location, host or path is not at another."""
    token = issuer.token(aud=site.base_url, sub='robot')
    asking = Asking(site, site.browser(), '/plain/', headers={'Authorization': 'Bearer ' + token})
    asking.until_let_in()
    named = Asking(site, site.browser(), '/named/', headers=asking.options['headers'])
    for _ in range(3):
        answer, quick = named()
        assert (answer.status_code, quick) == (401, 0)
    asking = Asking(site, site.browser(), '/plain/', headers={'Cookie': cookie_of(alice)})
    asking.until_let_in()
    for host in ('elsewhere.example', 'localhost:%d.' % site.port, 'localhost'):
        answer, quick = asking(headers={**asking.options['headers'], 'Host': host})
        assert quick == 0 and answer.status_code != 200, host
    assert asking()[1] == 1  # control
    # where browsers come back from signing in
    asking.path = '/.fedgate/'
    asking.until_let_in()
    asking.path = '/.fedgate/return'
    answer, quick = asking()
    assert quick == 0 and answer.status_code != 200


def test_two_cookie_headers_go_the_long_way(site, alice):
    Asking(site, site.browser(), '/plain/', headers={'Cookie': cookie_of(alice)}).until_let_in()
    with connect(site) as connection, connection.makefile('rb') as file:
        for extra, quick in (('Cookie: a=1\r\n', 0), ('Authorization: Basic eDp5\r\n', 0), ('', 1)):
            before = passes(site)
            request = 'GET /plain/ HTTP/1.1\r\nHost: localhost:%d\r\nCookie: %s\r\n%s\r\n' % (site.port, cookie_of(alice), extra)
            connection.sendall(request.encode())
            assert read_answer(file)[0] == 200 and passes(site) - before == quick, extra


def test_headers_of_the_request_are_made_for_each(site, alice):
    asking = Asking(site, alice, '/here/')
    for path in ('/here/a', '/here/b', '/here/c', '/here/c'):
        asking.path = path
        answer, quick = asking()
        assert quick == 0 and values(answer.json(), 'X-Path') == [path]


def test_sent_on_within_nginx(site, alice):
    """To a location of the same protection, and to one of another, which looks at what the client sent."""
    moved = Asking(site, alice, '/moved/')
    answers = [answer.json() for answer in moved.until_let_in()]
    assert all(one == answers[0] for one in answers) and values(answers[0], 'X-Fedgate-Subject') != []
    answers = [answer.json() for answer in Asking(site, alice, '/missing/').until_let_in()]
    assert all(one == answers[0] for one in answers) and answers[0]['path'] == '/second/instead' and values(answers[0], 'X-Fedgate-Subject') != []


def test_what_is_left_of_cookies_lets_nobody_in(site, alice):
    """The second decision on a request is made when its session does not stand in its headers any more."""
    left = 'theirs=' + 40 * 'x'
    both = Asking(site, site.browser(), '/missing/', headers={'Cookie': left + '; ' + cookie_of(alice)})
    assert [both()[0].json()['path'] for _ in range(5)] == ['/second/instead'] * 5
    answer, quick = Asking(site, site.browser(), '/second/', headers={'Cookie': left})()
    assert (answer.status_code, quick) == (401, 0)


def test_a_session_that_was_ended(site, alice):
    asking = Asking(site, site.browser(), '/plain/', headers={'Cookie': cookie_of(alice)})
    asking.until_let_in()
    other = signed_in(site, 'bob')
    other.get(site.url('/adfs/ls/?wa=wsignout1.0'), timeout=30)
    asking.until_let_in()  # control: that was somebody else's
    alice.get(site.url('/adfs/ls/?wa=wsignout1.0'), timeout=30)
    answer, quick = asking()
    assert (answer.status_code, quick) == (401, 0)


def test_keys_that_were_forgotten(start):
    """Sessions end with them at once, without a reload."""
    with start() as gateway:
        asking = Asking(gateway, signed_in(gateway), '/plain/')
        asking.until_let_in()
        for command in (['keys', 'roll', '--now'], ['keys', 'forget']):
            subprocess.run([harness.COMMAND, *command, '--config', gateway.site.conf], check=True, capture_output=True)
        harness.wait_for(lambda: asking()[0].status_code == 401, 20, 0.2)
        assert asking()[1] == 0


def test_a_session_is_renewed_in_time(start):
    """A tenth of its idle time after it was used the cookie is made anew."""
    with start(sections={'session': {'idle': '1m'}}) as gateway:
        asking = Asking(gateway, signed_in(gateway), '/plain/')
        asking.until_let_in()
        cookie = cookie_of(asking.browser)
        time.sleep(6.1)
        answer, quick = asking()
        assert quick == 0 and 'Set-Cookie' in answer.headers and cookie_of(asking.browser) != cookie
        asking.until_let_in()


def test_behind_a_trusted_proxy_everything_is_looked_at(start):
    with start(options={'trusted_proxies': ['127.0.0.1/32']}) as gateway:
        asking = Asking(gateway, signed_in(gateway), '/plain/')
        assert [asking()[1] for _ in range(4)] == [0] * 4
        assert asking(headers={'X-Forwarded-Proto': 'http'})[0].status_code != 200


def test_a_certificate_goes_before_a_session(authority, start):
    """Where a server asks for certificates, requests of one session may be different people's."""
    client = authority.issue('alice', ['DNS:alice'])
    harness.run('openssl', 'x509', '-req', '-in', client + '.csr', '-CA', authority.ca, '-CAkey', authority.key, '-CAcreateserial', '-days', '30', '-out', client + '.crt')
    asks = 'ssl_verify_client optional; ssl_client_certificate %s;\n' % authority.ca
    for verify, quick in ((asks, 0), ('', 1)):
        with start(more='protect "both" { accept = {certificate, session} }\n',
                   site=verify + 'location /app/ { fedgate_protect CONF both; fedgate_identity_header X-Method $fedgate_auth_method; PROXY }') as gateway:  # fmt: skip
            asking = Asking(gateway, signed_in(gateway, 'bob'), '/app/')
            methods = [values(asking()[0].json(), 'X-Method') for _ in range(3)]
            assert asking()[1] == quick and methods[0] == methods[1] == methods[2]
            with_certificate = Asking(gateway, gateway.browser(), '/app/', headers={'Cookie': cookie_of(asking.browser)}, cert=(client + '.crt', client + '.key'))
            shown = values(with_certificate()[0].json(), 'X-Method')
            assert (shown == methods[0]) == bool(quick)


def test_many_sessions(site, alice):
    """More than there is room for: each is let in as itself."""
    people = [signed_in(site, name) for name in ('alice', 'bob') * 4]
    asking = [Asking(site, one, '/app/') for one in people]
    for round in range(4):
        for number, one in enumerate(asking):
            answer, _ = one()
            assert values(answer.json(), 'X-Upn') == ['%s@example.com' % ('alice', 'bob')[number % 2]]
    assert all(one()[1] == 1 for one in asking)
