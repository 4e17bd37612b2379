# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten thousand sign-ins against a directory, while its server is frozen, gone, slow and back: neither memory nor descriptors grow."""
import http.client
import os
import ssl
import threading

import pytest

import harness
import openldap
from messages import USERNAME, rst
from openldap import PEOPLE, SlowPath, Slapd
from test_directory import NO_LOCKOUT, REALM, SITE
from test_growth import resident, workers_of

THREADS = 4
CONNECTIONS = 4


@pytest.fixture(scope='module')
def slapd():
    with Slapd() as running:
        yield running


def sign_ins(gateway, messages, count):
    """{status: how many} of so many sign-ins over kept connections."""
    context = ssl.create_default_context(cafile=gateway.authority.ca)
    lock, seen = threading.Lock(), {}

    def run(share):
        connection = http.client.HTTPSConnection('localhost', gateway.port, context=context, timeout=60)
        for i in range(share):
            connection.request('POST', USERNAME['13'], messages[i % len(messages)], {'Content-Type': 'application/soap+xml; charset=utf-8'})
            answer = connection.getresponse()
            answer.read()
            with lock:
                seen[answer.status] = seen.get(answer.status, 0) + 1
        connection.close()

    threads = [threading.Thread(target=run, args=(count // THREADS,)) for _ in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return seen


def descriptors(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


def test_ten_thousand_sign_ins(authority, slapd):
    slow = SlowPath(int(slapd.environment['SPORT']))
    directory = openldap.directory(slow.url, slapd, servers=[slow.url], timeout='2s', connections=CONNECTIONS)
    sections = {'lockout': NO_LOCKOUT, 'keys': {'signing': 'ec-p256'}, ('directory', 'ldap'): {'uri': 'urn:ldap', 'domain': 'LDAP', **directory}}
    options = {'workers': 1, 'pools': {'fedgate_password': 'threads=%d max_queue=64' % CONNECTIONS}}
    with harness.Gateway(authority, partners=SITE, sections=sections, nginx=options) as gateway:
        (worker,) = workers_of(gateway.nginx.pid())

        def message(user, password):
            return rst(gateway.base_url, 'LDAP\\' + user, password, REALM).encode()

        mixed = [message(user, PEOPLE[user]) for user in ('alice', 'bob', 'zoë')] + [message('nobody', 'wrong')]

        def trouble():
            """What a server does now and then, under load."""
            with slapd.frozen():
                assert 200 not in sign_ins(gateway, mixed, 16)
            slow.delay = 0.05
            sign_ins(gateway, mixed, 16)
            slow.delay = 0
            slapd.stop()
            assert 200 not in sign_ins(gateway, mixed, 100)
            slapd.start()
            harness.wait_for(lambda: 200 in sign_ins(gateway, [mixed[0]], THREADS), 60, 0.5)

        trouble()
        sign_ins(gateway, mixed, 1000)
        memory, open_files = resident(worker), descriptors(worker)
        seen = sign_ins(gateway, mixed, 5000)
        assert seen[200] == 3752 and sum(seen.values()) == 5000, seen
        trouble()
        seen = sign_ins(gateway, mixed, 4000)
        assert sum(seen.values()) == 4000 and seen[200] == 3000, seen
        # 40 bytes of each, if it grew evenly; pooled connections come and go
        assert resident(worker) - memory < 400
        assert descriptors(worker) <= open_files + CONNECTIONS
    slow.close()
