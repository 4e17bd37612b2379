# SPDX-License-Identifier: GPL-2.0-or-later
"""Signing in against a Samba Active Directory domain controller, beside the bare libraries in the same run.  make bench; bench/directory.py
[ROUNDS [SECONDS]]; needs root, Samba (tests/peers/install samba) and wrk.

By password: RSTs per second (WS-Trust 1.3, user name and password) beside bench/bind, which binds by bare libldap on as many connections
as the gateway keeps; the domain controller is the bottleneck of both. By Kerberos: a worker's CPU time for a request with a ticket, of a
protected location and of a WS-Federation sign-in, beside bench/accept, which takes such tickets by bare gss_accept_sec_context. Rounds
alternate; medians are shown."""
import base64
import http.client
import os
import shutil
import ssl
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'system'))
sys.path.insert(0, os.path.join(ROOT, 'bench'))

import harness  # noqa: E402
import kerberos  # noqa: E402
import protect  # noqa: E402
from controller import Controller  # noqa: E402
from messages import PASSIVE, USERNAME, rst  # noqa: E402
from request import cpu  # noqa: E402

CONNECTIONS = 4
TICKETS = 200
USER, PASSWORD = 'alice@gw.test', kerberos.PASSWORDS['alice']
SERVER = 'location /open/ { empty_gif; }\nlocation /ticket/ { fedgate_protect GATEWAY_CONF ticket; empty_gif; }\n'
PEOPLE = 'urn:people'
SIGN_IN = PASSIVE + '?wa=wsignin1.0&wtrealm=urn%3Abench&whr=urn%3Apeople'


def bare(program, *arguments, **options):
    environment = {**os.environ, **options.pop('environment', {})}
    done = subprocess.run([os.path.join(harness.BUILD, 'bench', program), *arguments], capture_output=True, text=True, env=environment, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def sections(domain, keytab):
    secret = os.path.join(domain.folder, 'reader.password')
    with open(secret, 'w') as file:
        file.write('Reader.Pw1\n')
    corp = {'type': 'ad', 'servers': ['ldaps://dc1.gw.test'], 'ca': domain.ca, 'base': 'DC=gw,DC=test', 'connections': CONNECTIONS}
    return {
        'lockout': {'account_failures': 100000, 'address_failures': 100000},
        ('directory', 'corp'): corp,
        ('directory', 'fresh'): {**corp, 'domain': 'FRESH', 'bind_dn': 'ldapreader@gw.test', 'bind_password_file': secret,
                                 'cache': '0s', 'negative_cache': '0s'},  # fmt: skip
        'kerberos': {'keytab': keytab, 'realms': ['GW.TEST']},
        ('protect', 'ticket'): {'kind': 'rest', 'accept': ['negotiate']},
    }


class Client:
    """One kept connection."""

    def __init__(self, gateway):
        context = ssl.create_default_context(cafile=gateway.authority.ca)
        self.connection = http.client.HTTPSConnection('localhost', gateway.port, context=context, timeout=60)

    def get(self, path, headers, wanted):
        self.connection.request('GET', path, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and wanted in body, (answer.status, body)


def password(gateway, domain, worker, folder, rounds, seconds):
    seen = {'corp': [], 'fresh': []}
    binds = []
    for _ in range(rounds):
        binds.append(bare('bind', 'ldaps://dc1.gw.test', domain.ca, USER, str(seconds), str(CONNECTIONS), environment={'BIND_PASSWORD': PASSWORD}))
        for name, user in (('corp', USER), ('fresh', 'FRESH\\alice')):
            script = protect.script(folder, name, {'Content-Type': 'application/soap+xml'}, rst(gateway.base_url, user, PASSWORD, 'urn:bench'))
            per_second, used = protect.wrk(worker, gateway.url(USERNAME['13']), script, seconds)
            seen[name].append((per_second, per_second / binds[-1], used))
    print('by password, %d connections, medians of %d rounds of %d s' % (CONNECTIONS, rounds, seconds))
    print('%-44s %8.0f' % ('bare binds, 1/s', statistics.median(binds)))
    for name, text in (('corp', 'sign-ins, 1/s (claims kept)'), ('fresh', 'sign-ins, 1/s (claims and groups asked for)')):
        per_second, ratio, used = (statistics.median(column) for column in zip(*seen[name]))
        print('%-44s %8.0f   %.2f of the binds, worker %.0f us each' % (text, per_second, ratio, used))


def tokens(count):
    return [kerberos.token()[1] for _ in range(count)]


def cost(worker, client, path, headers, wanted):
    """CPU microseconds of the worker for each request."""
    before = cpu(worker)
    for one in headers:
        client.get(path, one, wanted)
    return (cpu(worker) - before) / len(headers)


def tickets(gateway, domain, worker, rounds):
    domain.kinit('alice')
    client, seen = Client(gateway), {name: [] for name in ('accept', 'open', 'ticket', 'sign-in')}
    for _ in range(rounds):
        lines = '\n'.join(base64.b64encode(token).decode() for token in tokens(TICKETS))
        seen['accept'].append(bare('accept', input=lines, environment={'KRB5_KTNAME': domain.keytab}))
        for name, path, wanted in (('open', '/open/', b'GIF'), ('ticket', '/ticket/', b'GIF'), ('sign-in', SIGN_IN, b'wresult')):
            headers = [{'User-Agent': kerberos.CHROME_ON_WINDOWS, **kerberos.header(token)} for token in tokens(TICKETS)]
            seen[name].append(cost(worker, client, path, headers, wanted))
    print('by Kerberos, CPU in us of each of %d requests, medians of %d rounds' % (TICKETS, rounds))
    for name, text in (('accept', 'bare gss_accept_sec_context'), ('open', 'unprotected location'), ('ticket', 'protected location'),
                       ('sign-in', 'WS-Federation sign-in, with a token')):  # fmt: skip
        ratio = statistics.median(one / accept for one, accept in zip(seen[name], seen['accept']))
        print('%-44s %8.0f   %.2f of the bare one' % (text, statistics.median(seen[name]), ratio))


def main(rounds, seconds):
    folder = harness.temporary_folder()
    domain = kerberos.Domain()
    try:
        authority = harness.Authority(folder)
        keytab = domain.copy_for_workers('KEYTAB', 'http.keytab')
        partners = {'bench': {'realm': ['urn:bench'], 'reply': ['https://rp.example.com/'], 'claims': harness.CLAIMS, 'name_id': 'upn'}}
        nginx = {'workers': 1, 'main': 'env KRB5_CONFIG;\n', 'pools': {'fedgate_password': 'threads=%d' % CONNECTIONS}}
        with harness.Gateway(authority, partners=partners, users=kerberos.USERS, directory={'uri': PEOPLE}, sections=sections(domain, keytab),
                             server=SERVER, nginx=nginx) as gateway:  # fmt: skip
            worker = int(harness.wait_for(lambda: harness.run('pgrep', '-P', str(gateway.nginx.pid())).stdout.split())[0])
            password(gateway, domain, worker, folder, rounds, seconds)
            tickets(gateway, domain, worker, rounds)
    finally:
        domain.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    for program, package in (('wrk', 'wrk'), ('samba', 'samba')):
        if not shutil.which(program):
            sys.exit('directory.py: needs the %s command (Debian package %s)' % (program, package))
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
