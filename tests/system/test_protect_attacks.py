# SPDX-License-Identifier: GPL-2.0-or-later
"""What must not get through to what is protected, or past it; the ids are those of doc/security.md.  Each with its control."""
import time

import pytest
import requests

import harness
from messages import PASSIVE
from protected import HTML, SIGN_IN, ask, body, connect, cookie_of, protecting, read_answer, signed_in, values

SITE = """
underscores_in_headers on;
ignore_invalid_headers off;
client_body_timeout 3s;
large_client_header_buffers 8 32k;
location /app/ { fedgate_protect CONF; PROXY }
location /open/ { PROXY }
location /custom/ { fedgate_protect CONF; fedgate_identity_header Remote-User $fedgate_claim_upn; PROXY }
location /uri/ { fedgate_protect CONF; fedgate_identity_header X-Path $uri; PROXY }
location /set/ { set $fedgate_claim_path $uri; fedgate_protect CONF; fedgate_identity_header X-Path $fedgate_claim_path; PROXY }
location ~ ^/part/([^/]+) { fedgate_protect CONF; fedgate_identity_header X-Path $1; PROXY }
location /strict/ { fedgate_protect CONF strict; PROXY }
location /rest/ { fedgate_protect CONF rest; PROXY }
location /rest-big/ { fedgate_protect CONF rest; client_max_body_size 0; PROXY }
"""
OTHER = """
server {
    listen 127.0.0.1:OTHERPORT;
    underscores_in_headers on;
    error_page 400 414 = /bad;
    location / { PROXY }
    location = /bad { PROXY }
}
"""
@pytest.fixture(scope='module')
def site(authority):
    port = harness.free_port()
    with protecting(authority, SITE, after=OTHER.replace('OTHERPORT', str(port)), gateway_conf=REST, files=FILES) as gateway:
        gateway.other = 'http://127.0.0.1:%d' % port
        yield gateway


@pytest.fixture(scope='module')
def alice(site):
    return signed_in(site)


REST = """
protect "rest" {
  kind = "rest"
  accept = {"session"}
  policy = "rest.rules"
}
protect "strict" {
  policy = "strict.rules"
}
"""
FILES = {
    'rest.rules': 'c:[Type == "urn:fedgate:request:json:action", Value == "read"] => permit();\n',
    'strict.rules': 'c:[Type == "urn:fedgate:request:path"] => permit();\n',
}
FORGED = ['X-Fedgate-Subject', 'x-fedgate-subject', 'X_Fedgate_Subject', 'x-Fedgate_anything', 'X.Fedgate.Issuer', 'Remote-User', 'REMOTE_USER', 'remote-User']


def test_ht01_ht03_identity_headers_of_clients(site, alice):
    """HT-01, HT-03: whatever the path, the method, the server and the spelling."""
    nobody = site.browser()
    for name in FORGED:
        for method in ('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'):
            for who, url in ((alice, site.url('/app/')), (alice, site.url('/custom/x')), (nobody, site.url('/open/a%20b')), (nobody, site.other + '/x')):
                answer = who.request(method, url, headers={name: 'forged', 'X-Control': 'kept'}, allow_redirects=False, timeout=30)
                seen = site.upstream.seen[-1]
                assert answer.status_code == 200 and seen['method'] == method, (name, method, url)
                assert 'forged' not in str(seen), (name, method, url)
                assert values(seen, 'X-Control') == ['kept']


def test_ht01_many_headers_at_any_place(site, alice):
    """HT-01: nginx keeps headers in parts of twenty; none goes lost and none is left wherever the forged ones stand."""
    connection = connect(site)
    with connection, connection.makefile('rb') as file:
        for count in (1, 18, 19, 20, 21, 39, 40, 41, 60):
            for forged in ({0}, {count - 1}, {count // 2}, set(range(count)), set(range(0, count, 2)), set(range(0, min(count, 20))), set(range(max(0, count - 20), count))):
                for path, cookie in (('/open/', ''), ('/app/', 'Cookie: %s\r\n' % cookie_of(alice))):
                    lines = ['%s: %d' % ('X-Fedgate-Subject' if i in forged else 'X-Kept', i) for i in range(count)]
                    request = 'GET %s HTTP/1.1\r\n%s\r\nHost: localhost:%d\r\n%s\r\n' % (path, '\r\n'.join(lines), site.port, cookie)
                    connection.sendall(request.encode())
                    status, _, answer = read_answer(file)
                    seen = site.upstream.seen[-1]
                    assert status == 200 and values(seen, 'X-Kept') == [str(i) for i in range(count) if i not in forged], (count, forged, path)
                    subject = values(seen, 'X-Fedgate-Subject')
                    assert len(subject) == (1 if cookie else 0) and (not subject or not subject[0].isdigit()), (count, forged, path)


def test_ht01_request_that_nginx_cannot_read(site):
    """HT-01: also what comes to an error page because of a header that is no header is free of forged ones."""
    import socket

    for rest, status in (('Host: a\r\nHost: b\r\n', 200), ('Host: localhost\r\n', 200)):
        connection = socket.create_connection(('127.0.0.1', int(site.other.rsplit(':', 1)[1])), 20)
        with connection, connection.makefile('rb') as file:
            connection.sendall(('GET /x HTTP/1.1\r\nX-Fedgate-Subject: forged\r\n' + rest + '\r\n').encode())
            assert read_answer(file)[0] == status
            assert 'forged' not in str(site.upstream.seen[-1])
    assert any(seen['path'] == '/bad' for seen in site.upstream.seen)


def test_ht02_control_characters(site, alice):
    """HT-02: a header made of something that the client chose."""
    for path, value in (('/uri/a', '/uri/a'), ('/set/a', '/set/a'), ('/part/a', 'a')):
        assert values(ask(site, alice, path).json(), 'X-Path') == [value]
    for path in ('/uri/a%0d%0aX-Fedgate-Subject:root', '/uri/a%0ab', '/uri/a%01', '/uri/a%7f', '/set/a%0ab', '/part/a%0ab'):
        before = len(site.upstream.seen)
        assert ask(site, alice, path).status_code == 400, path
        assert len(site.upstream.seen) == before
    assert ask(site, alice, '/app/a%0d%0ab').status_code in (200, 400)


def test_ht02_separators_in_claims(authority):
    """HT-02: what a directory says of a person cannot pretend to be two values."""
    users = {'eve': {'password': 'eve-secret', 'groups': ['Staff', 'x;Administrators', '100%']}}
    locations = 'location /app/ { fedgate_protect CONF; fedgate_identity_header X-Roles $fedgate_claim_role; PROXY }'
    with protecting(authority, locations, users=users) as gateway:
        seen = ask(gateway, signed_in(gateway, 'eve'), '/app/').json()
        roles = values(seen, 'X-Roles')[0].split(';')
        assert sorted(roles) == sorted(['Staff', 'x%3BAdministrators', '100%25'])
        assert values(seen, 'X-Fedgate-Subject') == []


def test_ht05_headers_sent_twice(site, alice):
    """HT-05: two of what there may be one of."""
    connection = connect(site)
    with connection, connection.makefile('rb') as file:
        for extra, permitted in (('', True), ('Authorization: Bearer x\r\nAuthorization: Bearer y\r\n', False)):
            cookie = '' if extra else 'Cookie: %s\r\n' % cookie_of(alice)
            connection.sendall(('GET /app/ HTTP/1.1\r\nHost: localhost:%d\r\n%s%s\r\n' % (site.port, cookie, extra)).encode())
            status, _, _ = read_answer(file)
            assert (status == 200) == permitted, extra


AMBIGUOUS = ['/strict/x%2fy', '/strict//x', '/strict/%2f', '/strict/x;y', '/strict/x%3by', '/strict/%5c..%5c', '/strict/x%00', '/strict/./x',
             '/strict/x/../y', '/strict/%252e%252e/', '/open/../strict/x', '/open/%2e%2e/strict/x', '//strict/x', '/strict/x#/../y']  # fmt: skip


def test_ht06_paths_that_mean_two_things(site, alice):
    """HT-06: what the server behind may read in another way than the policy does not get there; the same without the trick does."""
    assert ask(site, alice, '/strict/x').status_code == 200 and ask(site, alice, '/strict/%C3%A4%20').status_code == 200
    for path in AMBIGUOUS:
        before = len(site.upstream.seen)
        connection = connect(site)
        with connection, connection.makefile('rb') as file:
            connection.sendall(('GET %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\nCookie: %s\r\n\r\n' % (path, site.port, cookie_of(alice))).encode())
            status = int(file.readline().split()[1])
        assert status in (400, 403, 404), (path, status)
        assert len(site.upstream.seen) == before, path


def test_ht07_slow_body_holds_no_thread(authority):
    """HT-07: more slow clients than threads and places in the queue, where the body counts."""
    locations = 'client_body_timeout 3s; location /rest/ { fedgate_protect CONF rest; PROXY } location /app/ { fedgate_protect CONF; PROXY }'
    with protecting(authority, locations, gateway_conf=REST, files=FILES,
                    nginx={'pools': {'fedgate': 'threads=1 max_queue=1'}, 'workers': 1}) as gateway:  # fmt: skip
        alice = signed_in(gateway)
        assert ask(gateway, alice, '/rest/', 'POST', json={'action': 'read'}).status_code == 200
        head = 'POST /rest/ HTTP/1.1\r\nHost: localhost:%d\r\nCookie: %s\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n{"a' % (
            gateway.port, cookie_of(alice))  # fmt: skip
        slow = []
        for _ in range(20):
            slow.append(connect(gateway))
            slow[-1].sendall(head.encode())
        begin = time.monotonic()
        assert ask(gateway, gateway.browser(), '/app/').status_code == 401
        assert time.monotonic() - begin < 2.5
        for connection in slow:
            answer = connection.recv(65536)
            assert answer == b'' or answer.split()[1] == b'408'
            connection.close()
        assert len(gateway.upstream.seen) == 1


def test_wm17_the_body_that_was_looked_at_goes_on(site, alice):
    """WM-17: byte for byte, however it came and however long it is; what is too long, or forbidden, does not."""
    for size in (0, 10, 1000, 20000, 200000):
        data = b'{"action": "read", "z": "' + b'z' * size + b'"}'

        def pieces():
            for i in range(0, len(data), 777):
                yield data[i:i + 777]

        for sent in (data, pieces()):
            seen = ask(site, alice, '/rest/', 'POST', data=sent, headers={'Content-Type': 'application/json'}).json()
            assert body(seen) == data and values(seen, 'Content-Length') == [str(len(data))] and values(seen, 'Transfer-Encoding') == []
    done = harness.run('curl', '-sS', '--http2', '--noproxy', '*', '--cacert', site.authority.ca, '-H', 'Cookie: ' + cookie_of(alice), '-H',
                       'Content-Type: application/json', '-w', '%{http_version} %{http_code}', '--data-binary', '@-', site.url('/rest/'), input=data.decode())
    assert done.stdout.endswith('2 200') and body(site.upstream.seen[-1]) == data
    before = len(site.upstream.seen)
    big = b'{"action": "read", "z": "' + b'z' * 900000 + b'"}'

    def big_pieces():
        for i in range(0, len(big), 7777):
            yield big[i:i + 7777]

    for path in ('/rest/', '/rest-big/'):
        for sent in (big, big_pieces()):
            try:
                answer = ask(site, alice, path, 'POST', data=sent, headers={'Content-Type': 'application/json'})
                assert answer.status_code == 413, answer.text[:200]
            except requests.exceptions.ConnectionError:
                pass  # the rest was not wanted
    assert ask(site, alice, '/rest/', 'POST', json={'action': 'write'}).status_code == 403
    assert ask(site, alice, '/rest/', 'POST', json={'action': 'read'}, headers={'Content-Type': 'application/json'}).status_code == 200
    assert len(site.upstream.seen) == before + 1


def test_ht08_cookies_of_another_host(authority):
    """HT-08: a session is good at its own host only, and each sign-in makes a new one."""
    with protecting(authority) as gateway:
        first, second = signed_in(gateway), signed_in(gateway)
        assert cookie_of(first) != cookie_of(second)
        session = {'Cookie': cookie_of(first)}
        nobody = gateway.browser()
        assert ask(gateway, nobody, '/app/', headers=session).status_code == 200
        elsewhere = ask(gateway, nobody, '/app/', headers={**session, 'Host': 'other.localhost:%d' % gateway.port})
        assert elsewhere.status_code in (401, 403, 404, 421) and not gateway.upstream.seen[1:]
        planted = gateway.browser()
        planted.cookies.update(first.cookies)
        before = {cookie.name: cookie.value for cookie in planted.cookies}
        planted.get(gateway.url(PASSIVE + '?wa=wsignout1.0'), timeout=30)
        assert ask(gateway, nobody, '/app/', headers={'Cookie': '; '.join('%s=%s' % pair for pair in before.items())}).status_code == 401
        assert ask(gateway, second, '/app/').status_code == 200


def test_ht09_attributes_of_cookies(site, alice):
    """HT-09: of every cookie that a protected location sets."""
    page = ask(site, site.browser(), '/app/', headers=HTML)
    lines = [value for name, value in page.raw.headers.items() if name.lower() == 'set-cookie']
    browser = site.browser()
    answer = browser.get(site.url(SIGN_IN), timeout=30)
    lines += [value for name, value in answer.raw.headers.items() if name.lower() == 'set-cookie']
    assert lines
    for line in lines:
        assert line.startswith('__Host-fedgate') and 'Secure' in line and 'HttpOnly' in line and 'SameSite=' in line and 'Path=/' in line
        assert 'Domain' not in line


def test_ht10_floods_of_cookies(site, alice):
    """HT-10: many cookies, long ones, parts that belong to nothing."""
    good = cookie_of(alice)
    name, value = next((cookie.name, cookie.value) for cookie in alice.cookies if cookie.name == '__Host-fedgate' or cookie.name.startswith('__Host-fedgate'))
    assert ask(site, site.browser(), '/app/', headers={'Cookie': good}).status_code == 200
    for flood in ('; '.join('%s%d=%s' % (name, i, 'x' * 20) for i in range(500)), '%s=%s' % (name, 'A' * 16000), '; '.join('%s.%d=%s' % (name, i, value) for i in range(1, 40)),
                  '; '.join(['a=b'] * 4000)):  # fmt: skip
        answer = ask(site, site.browser(), '/app/', headers={'Cookie': flood})
        assert answer.status_code in (400, 401), flood[:50]
    assert ask(site, site.browser(), '/app/', headers={'Cookie': '; '.join(['a=b'] * 2000) + '; ' + good}).status_code in (200, 400)


def test_ht12_errors_while_reading_a_body(site, alice):
    """HT-12: a body that ends early, or is no chunks, is not half a body to the server behind."""
    cookie = 'Cookie: %s\r\n' % cookie_of(alice)
    head = 'POST /app/ HTTP/1.1\r\nHost: localhost:%d\r\n%s' % (site.port, cookie)
    before = len(site.upstream.seen)
    for rest, closes in (('Content-Length: 100\r\n\r\nshort', True), ('Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n', False),
                         ('Transfer-Encoding: chunked\r\n\r\n5\r\nhel', True), ('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello', False)):  # fmt: skip
        connection = connect(site)
        connection.sendall((head + rest).encode())
        if closes:
            connection.close()
            continue
        answer = connection.recv(65536)
        assert answer == b'' or answer.split()[1] in (b'400', b'408'), answer[:100]
        connection.close()
    assert len(site.upstream.seen) == before
    assert body(ask(site, alice, '/app/', 'POST', data=b'whole').json()) == b'whole'
