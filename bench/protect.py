# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests per second of protected locations beside the same location unprotected, in one run, by wrk on loopback over TLS; and what a worker
takes of memory.  make bench; bench/protect.py [ROUNDS [SECONDS]]

One worker; rounds of unprotected and protected alternate, a ratio is taken in each, and the medians are shown: that of the requests per second,
and that of the worker's CPU time per request, which does not mind what else the machine does. A page of 1 KB is a file, which costs nginx
nearly nothing, or comes from a server behind, as what people protect mostly does; for WS-Management the server behind answers a 2 KB Enumerate.
The server behind is another nginx: its time is not the worker's."""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'system'))
sys.path.insert(0, os.path.join(ROOT, 'bench'))

import harness  # noqa: E402
import wsman  # noqa: E402
from messages import PASSIVE, form  # noqa: E402
from request import cpu, memory  # noqa: E402
from tokens import JwtIssuer  # noqa: E402

CONNECTIONS = 16
POLICY = """
@RuleName = "operators read services"
[role == "Administrators"] && [operation == "Enumerate"] && [resource == "%s"] => permit();
[operation == "Delete"] => deny("nothing is deleted here");
""" % wsman.SERVICE  # fmt: skip

SERVER = """
    proxy_http_version 1.1;
    proxy_set_header Connection '';
    client_body_buffer_size 64k;
    location /open/ { alias FILES/; }
    location /closed/ { fedgate_protect GATEWAY_CONF; alias FILES/; }
    location /open-behind/ { proxy_pass http://behind/; }
    location /closed-behind/ { fedgate_protect GATEWAY_CONF; proxy_pass http://behind/; }
    location = /wsman-open { proxy_pass http://behind/wsman; }
    location = /wsman { fedgate_protect GATEWAY_CONF winrm; proxy_pass http://behind/wsman; }
"""
HTTP = 'upstream behind { server 127.0.0.1:%d; keepalive 32; }'
BEHIND = """server { listen 127.0.0.1:%d; keepalive_requests 1000000;
    location / { default_type text/html; return 200 '%s'; }
    location = /wsman { default_type application/soap+xml; return 200 '%s'; } }"""
PAGE = 'x' * 1024
ANSWER = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"><s:Header/><s:Body>'
    '<n:EnumerateResponse><n:EnumerationContext>AF7A2A29-D2B2-4C54-9F4B-5C0C6C8B0C5E</n:EnumerationContext></n:EnumerateResponse></s:Body></s:Envelope>'
)


def enumerate_of_2_kb():
    """As clients send them: with some headers that do not matter, up to 2048 bytes."""
    text = wsman.enumerate_()
    extra = '<w:Locale xml:lang="en-US"/><w:OperationTimeout>PT60.000S</w:OperationTimeout>'
    text = text.replace('</s:Header>', extra + '</s:Header>')
    return text.replace('</s:Header>', '<x:Note xmlns:x="urn:bench">%s</x:Note></s:Header>' % ('n' * (2048 - len(text) - 37)))


def wrk(worker, url, script, seconds):
    """(requests per second, CPU microseconds of the worker per request); every answer must be 200."""
    before = cpu(worker)
    done = subprocess.run(['wrk', '-t1', '-c%d' % CONNECTIONS, '-d%ds' % seconds, '-s', script, url], capture_output=True, text=True, timeout=seconds + 60)
    assert done.returncode == 0 and 'Non-2xx' not in done.stdout and 'Socket errors' not in done.stdout, done.stdout + done.stderr
    used = cpu(worker) - before
    return float(re.search(r'Requests/sec:\s*([0-9.]+)', done.stdout).group(1)), used / int(re.search(r'(\d+) requests in', done.stdout).group(1))


def script(folder, name, headers=None, body=None):
    path = os.path.join(folder, name + '.lua')
    with open(path, 'w') as file:
        if body:
            file.write('wrk.method = "POST"\nwrk.body = [==[%s]==]\n' % body)
        for key, value in (headers or {}).items():
            file.write('wrk.headers[%s] = %s\n' % (json.dumps(key), json.dumps(value)))
    return path


def session_cookies(gateway):
    session = gateway.browser()
    page = session.get(gateway.url(PASSIVE + '?wa=wsignin1.0&wtrealm=urn%3Abench'), timeout=30)
    action, fields = form(page.text)
    for name in fields:
        fields[name] = 'alice' if 'user' in name.lower() else 'alice-secret' if 'pass' in name.lower() else fields[name]
    answer = session.post(action if action.startswith('https') else gateway.url(action or PASSIVE), data=fields, timeout=30)
    assert 'wresult' in answer.text, answer.text
    return '; '.join('%s=%s' % (cookie.name, cookie.value) for cookie in session.cookies)


def main(rounds, seconds):
    folder = harness.temporary_folder()
    authority = harness.Authority(folder)
    issuer = JwtIssuer(folder, 'https://issuer.bench/')
    files = os.path.join(folder, 'files')
    os.mkdir(files)
    with open(os.path.join(files, 'page.html'), 'w') as file:
        file.write(PAGE)
    behind = server_behind()
    try:
        sections = {
            ('protect', 'winrm'): {'kind': 'wsman', 'policy': 'winrm.policy'},
            ('identity_provider', 'bench'): {'issuer': issuer.name, 'certificate': [issuer.certificate]},
        }
        partners = {'bench': {'realm': ['urn:bench'], 'reply': ['https://rp.example.com/'], 'claims': harness.CLAIMS}}
        gateway = harness.Gateway(authority, partners=partners, sections=sections, nginx={'workers': 1},
                                  server=SERVER.replace('FILES', files), http=HTTP % behind.port)  # fmt: skip
        with open(os.path.join(gateway.site.folder, 'winrm.policy'), 'w') as file:
            file.write(POLICY)
        with gateway:
            measure(gateway, folder, issuer, rounds, seconds)
    finally:
        behind.stop()
        shutil.rmtree(behind.folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def server_behind():
    port = harness.free_port()
    nginx = harness.Nginx(harness.temporary_folder(), BEHIND % (port, PAGE, ANSWER), workers=1)
    nginx.port = port
    nginx.start(port)
    return nginx


def measure(gateway, folder, issuer, rounds, seconds):
    # nginx listens before it has written its pid and has a worker
    harness.wait_for(lambda: os.path.exists(gateway.nginx.pid_file))
    worker = int(harness.wait_for(lambda: harness.run('pgrep', '-P', str(gateway.nginx.pid())).stdout.split())[0])
    idle = memory(worker)
    bearer = {'Authorization': 'Bearer ' + issuer.token(aud=gateway.base_url, role=['Administrators'])}
    soap = {**wsman.HEADERS, **bearer}
    message = enumerate_of_2_kb()
    assert len(message) == 2048, len(message)
    cookies = session_cookies(gateway)
    session, token = script(folder, 'session', {'Cookie': cookies}), script(folder, 'bearer', bearer)
    cases = {
        'session cookie, file': ('/open/page.html', '/closed/page.html', session),
        'session cookie, proxied': ('/open-behind/', '/closed-behind/', session),
        'cached bearer JWT, file': ('/open/page.html', '/closed/page.html', token),
        'cached bearer JWT, proxied': ('/open-behind/', '/closed-behind/', token),
        'WS-Management policy, 2 KB': ('/wsman-open', '/wsman', script(folder, 'soap', soap, message)),
    }
    seen = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (unprotected, protected, with_headers) in cases.items():
            plain, plain_cpu = wrk(worker, gateway.url(unprotected), with_headers, seconds)
            guarded, guarded_cpu = wrk(worker, gateway.url(protected), with_headers, seconds)
            seen[name].append((plain, guarded, guarded / plain, plain_cpu, guarded_cpu, plain_cpu / guarded_cpu))
    print('medians of %d rounds of %d s, one worker; cookies of %d bytes' % (rounds, seconds, len(cookies)))
    print('%-28s %12s %12s %8s %14s %12s %8s' % ('', 'open, 1/s', 'protected', 'ratio', 'open, CPU us', 'protected', 'ratio'))
    for name, rows in seen.items():
        print('%-28s %12.0f %12.0f %8.3f %14.1f %12.1f %8.3f' % (name, *(statistics.median(column) for column in zip(*rows))))
    for name, sizes in (('idle', idle), ('after the requests', memory(worker))):
        print('worker %-20s RSS %6.1f MiB, PSS %6.1f MiB, private %6.1f MiB' % (name, sizes['Rss'], sizes['Pss'], sizes['Private_Clean'] + sizes['Private_Dirty']))


if __name__ == '__main__':
    if not shutil.which('wrk'):
        sys.exit('protect.py: needs the wrk command (Debian package wrk)')
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
