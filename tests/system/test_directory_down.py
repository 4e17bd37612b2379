# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory that is attacked, frozen, gone and back again: deadlines hold, nobody else notices, it recovers by itself (KL-09)."""
import socket
import threading
import time

import harness
from messages import METADATA, USERNAME, rst
from test_directory import PEOPLE, REALM, SITE, directory, sections, sign_in

NO_ANSWER = 'The directory of accounts does not answer.'
RIGHT = 'alice@gw.test'
SECONDS = 3


class Stripper:
    """Somebody on the wire who answers every request with protocolError (RFC 4511 §4.14.2: no StartTLS here) and keeps what is sent."""

    def __init__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.heard = b''
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                while data := peer.recv(65536):
                    self.heard += data
                    message_id = data[4] if data[2:4] == b'\x02\x01' else 1
                    peer.sendall(bytes([0x30, 0x0C, 0x02, 0x01, message_id, 0x78, 0x07, 0x0A, 0x01, 0x02, 0x04, 0x00, 0x04, 0x00]))

    def close(self):
        self.socket.close()


def test_kl_09_starttls_cannot_be_stripped(authority, controller):
    stripper = Stripper()
    found = sections(
        stripped=directory(controller, servers=['ldap://127.0.0.1:%d' % stripper.port]),
        whole=directory(controller, servers=['ldap://dc1.gw.test']),
    )
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        assert NO_ANSWER in sign_in(gateway, 'urn:stripped', RIGHT, PEOPLE['alice']).text
        assert stripper.heard and PEOPLE['alice'].encode() not in stripper.heard and b'alice' not in stripper.heard
        assert 'StartTLS was refused' in gateway.nginx.log()
        assert sign_in(gateway, 'urn:whole', RIGHT, PEOPLE['alice'])['upn'] == [RIGHT]
    stripper.close()


def test_another_ca_and_another_name_are_not_believed(authority, controller):
    found = sections(
        other_ca=directory(controller, ca=authority.ca),
        other_name=directory(controller, servers=['ldaps://127.0.9.1.nip.test']),
        right=directory(controller),
    )
    with open('/etc/hosts', 'a') as hosts:
        hosts.write('127.0.9.1 127.0.9.1.nip.test # samba-dc.sh\n')  # which STOP takes out again
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        for realm in ('urn:other_ca', 'urn:other_name'):
            assert NO_ANSWER in sign_in(gateway, realm, RIGHT, PEOPLE['alice']).text
        assert sign_in(gateway, 'urn:right', RIGHT, PEOPLE['alice'])['upn'] == [RIGHT]


def test_frozen_gone_and_back(authority, controller):
    options = {'timeout': '%ds' % SECONDS}
    with harness.Gateway(authority, partners=SITE, sections=sections(corp=directory(controller, **options))) as gateway:
        def corp():
            return sign_in(gateway, 'urn:corp', RIGHT, PEOPLE['alice'])

        def is_back():
            answer = corp()
            return isinstance(answer, dict) and answer['upn'] == [RIGHT]

        assert is_back()
        controller.freeze()
        try:
            told = []

            def wait():
                begun = time.monotonic()
                told.append((NO_ANSWER in corp().text, time.monotonic() - begun))

            # of two workers, each with a connection that it has and with new ones, whose handshake nobody answers
            waiting = [threading.Thread(target=wait) for _ in range(6)]
            for one in waiting:
                one.start()
            # what needs no directory goes on meanwhile
            begun = time.monotonic()
            assert gateway.get(METADATA).status_code == 200
            assert time.monotonic() - begun < 2
            for one in waiting:
                one.join()
            assert len(told) == 6 and all(right for right, _ in told)
            # each pool has two threads: the last wait for the first
            assert max(seconds for _, seconds in told) < 3 * SECONDS + 5, told
        finally:
            controller.thaw()
        token = gateway.soap(USERNAME['13'], rst(gateway.base_url, 'alice', 'alice-secret', REALM))
        assert token.status_code == 200 and 'alice@example.com' in token.text  # of the users file
        harness.wait_for(is_back, 60, 0.5)
        controller.stop()
        assert NO_ANSWER in corp().text
        controller.start()
        harness.wait_for(is_back, 60, 0.5)
        log = gateway.nginx.log()
        assert 'is down: ' in log and 'is up again' in log
