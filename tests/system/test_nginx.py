# SPDX-License-Identifier: GPL-2.0-or-later
"""The module in nginx: threads, queues, several gateways, other proxies, reload, binary upgrade."""
import concurrent.futures
import os
import re
import shutil
import signal
import socket
import ssl
import time

import pytest
from lxml import etree

import harness
from load import Load
from messages import METADATA, MEX, PASSIVE, USERNAME, form, rst

SOAP = {'Content-Type': 'application/soap+xml; charset=utf-8'}
SIGN_IN = '?wa=wsignin1.0&wtrealm=urn%3Afedgate%3Ademo'


def sign_in(gateway, user='alice', password='alice-secret'):
    """A browser with a session."""
    browser = gateway.browser()
    page = browser.get(gateway.url(PASSIVE + SIGN_IN), timeout=30)
    action, fields = form(page.text)
    for name in fields:
        if 'user' in name.lower():
            fields[name] = user
        elif 'pass' in name.lower():
            fields[name] = password
    answer = browser.post(action if action.startswith('https') else gateway.url(action or PASSIVE), data=fields, timeout=30)
    assert 'wresult' in answer.text, answer.text[:2000]
    return browser


def cookie_header(browser):
    return '; '.join('%s=%s' % (cookie.name, cookie.value) for cookie in browser.cookies)


def slow_connection(gateway, sent):
    context = ssl.create_default_context(cafile=gateway.authority.ca)
    tcp = socket.create_connection(('127.0.0.1', gateway.port), 20)
    connection = context.wrap_socket(tcp, server_hostname='localhost')
    connection.sendall(sent)
    return connection


def test_ht07_slow_body_holds_no_thread(make_gateway):
    """HT-07: more slow clients than threads and places in the queue; nginx's timeout ends them."""
    gateway = make_gateway(location='client_body_timeout 3s;', nginx={'pools': {'fedgate': 'threads=1 max_queue=1'}, 'workers': 1})
    head = 'POST %s HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/soap+xml\r\nContent-Length: 2000\r\n\r\n<s:Env' % (
        USERNAME['13'], gateway.port)  # fmt: skip
    slow = [slow_connection(gateway, head.encode()) for _ in range(20)]
    begin = time.monotonic()
    assert gateway.get(MEX).status_code == 200
    assert gateway.soap(USERNAME['13'], rst(gateway.base_url)).status_code == 200
    assert time.monotonic() - begin < 2.5
    for connection in slow:
        answer = connection.recv(65536)
        assert answer == b'' or answer.split()[1] == b'408'
        connection.close()


def test_full_queue_answers_503(make_gateway):
    gateway = make_gateway(nginx={'pools': {'fedgate_password': 'threads=1 max_queue=1'}, 'workers': 1})

    def ask(_):
        return gateway.browser().post(gateway.url(USERNAME['13']), rst(gateway.base_url).encode(), headers=SOAP, timeout=60)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(ask, i) for i in range(36)]
        # token work has a queue of its own
        assert all(gateway.get(MEX).status_code == 200 for _ in range(10))
        answers = [one.result() for one in asked]
    busy = [answer for answer in answers if answer.status_code == 503]
    served = [answer for answer in answers if answer.status_code == 200]
    assert busy and served and len(busy) + len(served) == len(answers), [answer.status_code for answer in answers]
    assert all(int(answer.headers['Retry-After']) > 0 for answer in busy)
    assert etree.fromstring(busy[0].content).xpath('//*[local-name()="Fault"]')
    assert gateway.site.audit(reason='busy')
    assert gateway.soap(USERNAME['13'], rst(gateway.base_url)).status_code == 200


def test_two_gateways(make_gateway, authority):
    """Two server blocks, two configurations, one nginx: nothing is shared."""
    port = harness.free_port()
    other_url = 'https://localhost:%d' % port
    folder = harness.temporary_folder()
    try:
        other = harness.Site(os.path.join(folder, 'other'), other_url, users={'carol': {'password': 'carol-secret'}},
                             options={'organisation': 'Other'})  # fmt: skip
        block = harness.SERVER.format(port=port, host='localhost', certificate=authority.certificate, conf=other.conf, extra='', location='')
        gateway = make_gateway(http=block)
        browser = gateway.browser()

        def ask(base_url, **who):
            return browser.post(base_url + USERNAME['13'], rst(base_url, **who).encode(), headers=SOAP, timeout=30)

        assert ask(gateway.base_url).status_code == 200
        assert ask(other_url, user='carol', password='carol-secret').status_code == 200
        assert 'FailedAuthentication' in ask(other_url).text
        assert 'FailedAuthentication' in ask(gateway.base_url, user='carol', password='carol-secret').text
        certificates = {
            etree.fromstring(browser.get(base + METADATA, timeout=30).content).findtext('.//{http://www.w3.org/2000/09/xmldsig#}X509Certificate')
            for base in (gateway.base_url, other_url)
        }
        assert len(certificates) == 2
        assert other.audit(event='issued') and gateway.site.audit(event='issued')
    finally:
        gateway.nginx.stop()
        shutil.rmtree(folder)


PROXY = """
server {{
    listen 127.0.0.1:{front} ssl;
    ssl_certificate {certificate}.crt;
    ssl_certificate_key {certificate}.key;
    location / {{
        proxy_pass http://127.0.0.1:{back};
        proxy_set_header Host backend.internal;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header X-Forwarded-Host localhost:{front};
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
}}
server {{
    listen 127.0.0.1:{back};
    {realip}
    location / {{ fedgate {conf}; }}
}}
"""


@pytest.mark.parametrize('realip', ['', 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;'])
@pytest.mark.parametrize('trusted', [True, False])
def test_behind_a_proxy(authority, trusted, realip):
    """TLS ends at another proxy: published addresses stay the outer ones, and only a trusted proxy is believed."""
    front, back = harness.free_port(), harness.free_port()
    base_url = 'https://localhost:%d' % front
    folder = harness.temporary_folder()
    try:
        site = harness.Site(os.path.join(folder, 'site'), base_url, options={'trusted_proxies': ['127.0.0.1' if trusted else '10.1.1.1']})
        nginx = harness.Nginx(folder, PROXY.format(front=front, back=back, certificate=authority.certificate, conf=site.conf, realip=realip))
        nginx.start(front)
        try:
            browser = harness.requests.Session()
            browser.verify, browser.trust_env = authority.ca, False
            # from another address than the proxy's, and with a lie
            answer = harness.run('curl', '-sS', '--noproxy', '*', '--interface', '127.0.0.2', '--cacert', authority.ca,
                                 '-H', 'Content-Type: application/soap+xml', '-H', 'X-Forwarded-For: 203.0.113.9',
                                 '--data-binary', '@-', base_url + USERNAME['13'], input=rst(base_url))  # fmt: skip
            if not trusted:
                assert 'Assertion' not in answer.stdout and site.audit(reason='needs_https')
                return
            assert 'Assertion' in answer.stdout
            assert [line['client'] for line in site.audit(event='issued')] == ['127.0.0.2']
            metadata = browser.get(base_url + METADATA, timeout=30).text
            assert base_url + PASSIVE in metadata and 'backend.internal' not in metadata and str(back) not in metadata
            page = browser.get(base_url + PASSIVE + SIGN_IN, timeout=30)
            assert page.status_code == 200 and 'password' in page.text
        finally:
            nginx.stop()
    finally:
        shutil.rmtree(folder)


# ---- configuration

def test_check_makes_nothing(make_gateway):
    gateway = make_gateway(start=False)
    done = gateway.nginx.check()
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(os.path.join(gateway.site.folder, 'state'))


def test_check_names_the_place(make_gateway):
    gateway = make_gateway(start=False)
    gateway.site.write('organisatoin = "x"\n')
    done = gateway.nginx.check()
    assert done.returncode != 0
    assert re.search(r'gateway\.conf:1:\d+: .*organisation', done.stderr), done.stderr


DEBIANS = '/etc/nginx/nginx.conf'


@pytest.mark.skipif(not os.path.exists(DEBIANS), reason='no nginx.conf of Debian')
@pytest.mark.parametrize('sample', ['fedgate.conf', 'fedgate-protect.conf'])
def test_samples_in_debians_nginx_conf(make_gateway, authority, sample):
    """The files of etc/nginx where Debian's own nginx.conf includes them, with the host's name and certificate put in."""
    gateway = make_gateway(start=False, sections={'protect "wiki"': {}, 'protect "winrm"': {'kind': 'wsman'}})
    folder, certificate = gateway.folder, authority.certificate
    own = [('/etc/nginx/modules-enabled', folder + '/modules'), ('/etc/nginx/conf.d', folder + '/conf.d'),
           ('include /etc/nginx/sites-enabled', '#'), ('/run/nginx.pid', gateway.nginx.pid_file),
           ('/var/log/nginx', folder)]  # fmt: skip
    host = [('modules/ngx_http_fedgate_module.so', harness.MODULE), ('/etc/fedgate/gateway.conf', gateway.site.conf),
            ('/etc/ssl/fs.example.com.crt', certificate + '.crt'), ('/etc/ssl/private/fs.example.com.key', certificate + '.key'),
            ('listen 443', 'listen 127.0.0.1:%d' % gateway.port), ('fs.example.com', 'localhost'), ('/var/log/nginx', folder)]  # fmt: skip

    def put(source, target, changes):
        with open(source) as file:
            text = file.read()
        for old, new in changes:
            text = text.replace(old, new)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, 'w') as file:
            file.write(text)

    samples = os.path.join(harness.ROOT, 'etc', 'nginx')
    put(DEBIANS, gateway.nginx.conf, own)
    put(os.path.join(samples, 'mod-http-fedgate.conf'), folder + '/modules/60-mod-http-fedgate.conf', host)
    put(os.path.join(samples, sample), folder + '/conf.d/fedgate.conf', host)
    done = gateway.nginx.check()
    assert done.returncode == 0, done.stderr
    gateway.nginx.daemon = True
    gateway.nginx.start(gateway.port)
    assert gateway.soap(USERNAME['13'], rst(gateway.base_url)).status_code == 200
    protected = gateway.get('/app/', headers={'Accept': '*/*'})
    assert protected.status_code == (401 if 'protect' in sample else 404)


def test_unknown_thread_pool_is_named(make_gateway):
    gateway = make_gateway(start=False, location='fedgate_thread_pool other;')
    done = gateway.nginx.check()
    assert done.returncode != 0 and 'unknown thread pool "other"' in done.stderr


def test_bad_reload_keeps_the_running_one(make_gateway):
    gateway = make_gateway()
    gateway.site.write('organisatoin = "x"\n')
    assert not gateway.nginx.reload()
    assert re.search(r'gateway\.conf:1:\d+: ', gateway.nginx.log())
    assert gateway.soap(USERNAME['13'], rst(gateway.base_url)).status_code == 200
    unknown = gateway.soap(USERNAME['13'], rst(gateway.base_url, realm='urn:new'))
    assert 'InvalidScope' in unknown.text
    gateway.site.add_partner('new', realm=['urn:new'], reply=['https://new.example.com/'], claims=['upn'])
    assert gateway.nginx.reload()
    harness.wait_for(lambda: gateway.browser().post(gateway.url(USERNAME['13']), rst(gateway.base_url, realm='urn:new').encode(),
                                                    headers=SOAP, timeout=30).status_code == 200)  # fmt: skip


def test_audit_file_is_reopened(make_gateway):
    gateway = make_gateway(nginx={'workers': 1})
    gateway.soap(USERNAME['13'], rst(gateway.base_url))
    assert gateway.site.audit(event='issued')
    os.rename(gateway.site.audit_log, gateway.site.audit_log + '.1')
    gateway.nginx.signal(signal.SIGUSR1)
    harness.wait_for(lambda: os.path.exists(gateway.site.audit_log))
    time.sleep(0.3)
    gateway.soap(USERNAME['13'], rst(gateway.base_url))
    assert len(gateway.site.audit(event='issued')) == 1


def test_users_are_taken_up_without_reload(make_gateway):
    gateway = make_gateway()
    asked = rst(gateway.base_url, user='dave', password='dave-secret')
    assert gateway.soap(USERNAME['13'], asked).status_code != 200
    gateway.site.add_users({'dave': {'password': 'dave-secret'}})
    harness.wait_for(lambda: gateway.soap(USERNAME['13'], rst(gateway.base_url, user='dave', password='dave-secret')).status_code == 200)


# ---- reload and binary upgrade

def load_of(gateway):
    """Programs' tokens, partners' metadata, and browsers with sessions: these slowly, for more than five tokens for one relying party in
    20 s look like a loop."""
    requests = [
        ('POST', USERNAME['13'], lambda: rst(gateway.base_url), SOAP, lambda status, text: status == 200 and 'Assertion' in text, 0.01),
        ('GET', MEX, None, {}, lambda status, text: status == 200 and 'definitions' in text, 0.01),
        ('GET', METADATA, None, {}, lambda status, text: status == 200 and 'Signature' in text, 0.01),
    ]
    for _ in range(6):
        session = {'Cookie': cookie_header(sign_in(gateway))}
        requests.append(('GET', PASSIVE + SIGN_IN, None, session, lambda status, text: status == 200 and 'wresult' in text, 5))
    return Load(gateway, requests)


def test_reload_under_load(make_gateway):
    """A reload every 200 ms for 20 s: no request and no session is lost."""
    gateway = make_gateway()
    with load_of(gateway) as load:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            gateway.nginx.signal(signal.SIGHUP)
            time.sleep(0.2)
    assert load.failures == []
    assert min(load.counts.values()) > 10, load.counts
    assert len(re.findall('reconfiguring', gateway.nginx.log())) > 10


def test_binary_upgrade_under_load(make_gateway):
    """USR2, then WINCH and QUIT to the old master: the new one has taken over."""
    gateway = make_gateway(nginx={'daemon': True})
    old = gateway.nginx.pid()
    with load_of(gateway) as load:
        time.sleep(1)
        os.kill(old, signal.SIGUSR2)
        harness.wait_for(lambda: os.path.exists(gateway.nginx.pid_file) and gateway.nginx.pid() != old)
        time.sleep(1)
        os.kill(old, signal.SIGWINCH)
        time.sleep(1)
        os.kill(old, signal.SIGQUIT)
        harness.wait_for(lambda: not harness.alive(old))
        time.sleep(1)
    assert load.failures == []
    assert min(load.counts.values()) > 5, load.counts


def test_stop_with_work_to_do(make_gateway):
    """A fast shutdown while jobs are queued does not hang and does not crash."""
    gateway = make_gateway(nginx={'workers': 1})
    load = load_of(gateway)
    with load:
        time.sleep(0.5)
        gateway.nginx.process.send_signal(signal.SIGTERM)
        assert gateway.nginx.process.wait(10) == 0
    assert not re.search(r'exited on signal|\[alert\]', gateway.nginx.log())
