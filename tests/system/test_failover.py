# SPDX-License-Identifier: GPL-2.0-or-later
"""Several servers of one directory, of which some are gone, frozen, slow or without what stands behind them; and slow directories beside
others."""
import os
import re
import socket
import threading
import time

import pytest

import harness
import openldap
from messages import USERNAME, rst
from openldap import PEOPLE, Slapd
from test_directory import REALM, SITE, assert_reason, sections, sign_in
from test_directory_down import NO_ANSWER

ONE_WORKER = {'workers': 1}
TIMEOUT = 4


@pytest.fixture(scope='module')
def servers():
    with Slapd() as first, Slapd() as second:
        yield first, second


def succeeds(gateway, realm):
    answer = sign_in(gateway, realm, 'alice', PEOPLE['alice'])
    return isinstance(answer, dict) and answer['name'] == ['alice']


def counted(server, action):
    """How often alice was bound there meanwhile."""
    before = server.binds('uid=alice')
    assert action()
    return server.binds('uid=alice') - before


def lines(gateway, url, state):
    return len(re.findall('directory many: %s is %s' % (re.escape(url), state), gateway.nginx.log()))


def timed(action):
    begun = time.monotonic()
    result = action()
    return result, time.monotonic() - begun


def test_the_next_serves_and_the_first_is_used_again(authority, servers):
    first, second = servers
    found = sections(many=openldap.directory(first, second, timeout='%ds' % TIMEOUT, cache='0s', negative_cache='0s'))
    with harness.Gateway(authority, partners=SITE, sections=found, nginx=ONE_WORKER) as gateway:
        def many():
            return succeeds(gateway, 'urn:many')

        assert counted(first, many) == 1 and counted(second, many) == 0
        first.stop()
        assert counted(second, many) == 1
        assert counted(second, lambda: all(many() for _ in range(4))) == 4
        assert lines(gateway, first.ldaps, 'down') == 1
        first.start()
        # although there are connections to the second
        harness.wait_for(lambda: counted(first, many), 40, 0.2)
        assert counted(second, many) == 0
        assert lines(gateway, first.ldaps, 'up again') == 1
        first.stop()
        second.stop()
        for _ in range(3):
            answer, seconds = timed(lambda: sign_in(gateway, 'urn:many', 'alice', PEOPLE['alice']))
            assert NO_ANSWER in answer.text and seconds < TIMEOUT + 1
        assert_reason(gateway, 'alice', 'directory_unavailable')
        token = gateway.soap(USERNAME['13'], rst(gateway.base_url, 'alice', 'alice-secret', REALM))
        assert token.status_code == 200 and 'alice@example.com' in token.text  # of the users file
        assert lines(gateway, first.ldaps, 'down') == 2 and lines(gateway, second.ldaps, 'down') == 1
        first.start()
        second.start()
        harness.wait_for(many, 40, 0.2)
        harness.wait_for(lambda: many() and counted(first, many), 40, 0.2)
        # one of them may have been noticed after the other, but each once
        assert lines(gateway, first.ldaps, 'up again') == 2 and lines(gateway, second.ldaps, 'up again') <= 1


def test_a_frozen_server_costs_a_part_of_the_time(authority, servers):
    first, second = servers
    found = sections(many=openldap.directory(first, second, timeout='%ds' % TIMEOUT))
    with harness.Gateway(authority, partners=SITE, sections=found, nginx=ONE_WORKER) as gateway:
        assert counted(first, lambda: succeeds(gateway, 'urn:many')) == 1
        with first.frozen():
            # by the connection that is there, whose answer does not come
            ok, seconds = timed(lambda: succeeds(gateway, 'urn:many'))
            assert ok and TIMEOUT / 2 - 0.5 < seconds < TIMEOUT + 1, seconds
            ok, seconds = timed(lambda: succeeds(gateway, 'urn:many'))
            assert ok and seconds < 1, seconds
        harness.wait_for(lambda: counted(first, lambda: succeeds(gateway, 'urn:many')), 40, 0.2)
    with harness.Gateway(authority, partners=SITE, sections=found, nginx=ONE_WORKER) as gateway, first.frozen():
        # by a new one, whose handshake nobody answers
        ok, seconds = timed(lambda: succeeds(gateway, 'urn:many'))
        assert ok and TIMEOUT / 2 - 0.5 < seconds < TIMEOUT + 1, seconds
        assert lines(gateway, first.ldaps, 'down') == 1


def test_a_server_with_nothing_behind_it_is_none(authority, servers):
    # a proxy whose own server is gone answers unavailable (RFC 4511 §A.2)
    with Slapd(PROXY='ldap://127.0.9.2:1/') as proxy:
        found = sections(many=openldap.directory(proxy, servers[1]), alone=openldap.directory(proxy))
        with harness.Gateway(authority, partners=SITE, sections=found, nginx=ONE_WORKER) as gateway:
            assert NO_ANSWER in sign_in(gateway, 'urn:alone', 'alice', PEOPLE['alice']).text
            assert counted(servers[1], lambda: succeeds(gateway, 'urn:many')) == 1
            assert lines(gateway, proxy.ldaps, 'down') == 1
            proxy.wait_for_log('err=52')


def test_a_slow_server_delays_nobody_else(authority, servers):
    first, second = servers
    path = openldap.SlowPath(int(first.environment['SPORT']), 0.05)
    found = sections(slow=openldap.directory(first, servers=[path.url], timeout='2s'), fast=openldap.directory(second))
    with harness.Gateway(authority, partners=SITE, sections=found, nginx={'workers': 1, 'pools': {'fedgate_password': 'threads=4 max_queue=64'}}) as gateway:
        assert succeeds(gateway, 'urn:slow') and succeeds(gateway, 'urn:fast')
        path.delay = 3.0
        told = []

        def wait():
            answer, seconds = timed(lambda: sign_in(gateway, 'urn:slow', 'alice', PEOPLE['alice']))
            told.append((NO_ANSWER in answer.text, seconds))

        waiting = [threading.Thread(target=wait) for _ in range(3)]
        for one in waiting:
            one.start()
        time.sleep(0.3)
        for _ in range(3):
            ok, seconds = timed(lambda: succeeds(gateway, 'urn:fast'))
            assert ok and seconds < 1, seconds
        for one in waiting:
            one.join()
        assert len(told) == 3 and all(right and seconds < 3.5 for right, seconds in told), told
        path.delay = 0.0
        harness.wait_for(lambda: succeeds(gateway, 'urn:slow'), 40, 0.3)
    path.close()


@pytest.mark.skipif(os.geteuid() != 0, reason='needs a mount namespace of its own')
def test_a_name_server_that_is_silent(authority, servers):
    # the resolver itself would wait for ten seconds (resolv.conf(5): timeout, attempts)
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(('127.0.9.53', 53))
    found = sections(alone=openldap.directory(servers[0], servers=['ldaps://nowhere.example:636'], timeout='2s'),
                     many=openldap.directory('ldaps://nowhere.example:636', servers[0], timeout='2s'))  # fmt: skip
    gateway = harness.Gateway(authority, partners=SITE, sections=found, nginx=ONE_WORKER)
    conf = os.path.join(gateway.folder, 'resolv.conf')
    with open(conf, 'w') as file:
        file.write('nameserver 127.0.9.53\n')
    os.chmod(conf, 0o644)
    try:
        gateway.nginx.start(gateway.port, wrapper=['unshare', '-m', 'sh', '-c', 'mount --bind %s /etc/resolv.conf && exec "$@"' % conf, 'sh'])
        ok, seconds = timed(lambda: succeeds(gateway, 'urn:many'))
        assert ok and seconds < 3, seconds
        answer, seconds = timed(lambda: sign_in(gateway, 'urn:alone', 'alice', PEOPLE['alice']))
        assert NO_ANSWER in answer.text and 1.5 < seconds < 3, seconds
        silent.settimeout(1)
        assert b'nowhere' in silent.recv(512)  # it was asked
        assert gateway.nginx.log().count('nowhere.example leads to no address') == 2
    finally:
        gateway.stop()
        silent.close()
