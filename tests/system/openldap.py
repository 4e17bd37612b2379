# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenLDAP's slapd for tests, with the accounts of tests/peers/ldap/people.ldif, and what may stand between it and the gateway."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import harness

SCRIPT = os.path.join(harness.ROOT, 'tests', 'peers', 'ldap', 'slapd.sh')
ADDRESS = '127.0.9.2'
BASE = 'dc=people,dc=test'
SERVICE = 'cn=fedgate,' + BASE
PEOPLE = {
    'alice': 'Alice.Pw1', 'bob': 'Bob.Pw1', 'zoë': 'Zoë.Pässw0rd', 'o(d)d*': 'Odd*)(uid=*\\', 'doe, jane': 'Jane\\2a', 'back@people.test': 'Back.Pw1',
    'twin1': 'Twin.Pw1', 'locked': 'Locked.Pw1', 'guessed': 'Guessed.Pw1', 'reset': 'Reset.Pw1', 'aged': 'Aged.Pw1', 'gone': 'Gone.Pw1',
}  # fmt: skip


def free_port():
    with socket.socket() as s:
        s.bind((ADDRESS, 0))
        return s.getsockname()[1]


class Slapd:
    """One of this test's own; parameters are those of slapd.sh."""

    def __init__(self, **parameters):
        self.folder = harness.temporary_folder()
        self.environment = {**os.environ, 'FEDGATE_PEERS_RUN': self.folder, 'PORT': str(free_port()), 'SPORT': str(free_port()), **parameters}
        self.facts = {}

    def run(self, action):
        done = subprocess.run([SCRIPT, action], env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        self.facts.update(re.findall(r'(\w+)=(\S+)', done.stdout))

    def start(self):
        self.run('START')
        self.facts['CA'] = shutil.copy(self.facts['CA'], os.path.join(self.folder, 'ca.pem'))  # nginx's workers may not get to the peers' folder
        return self

    def stop(self):
        self.run('STOP')

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    @contextlib.contextmanager
    def frozen(self):
        os.kill(int(self.facts['PID']), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(int(self.facts['PID']), signal.SIGCONT)

    @property
    def ldap(self):
        return self.facts['LDAP']

    @property
    def ldaps(self):
        return self.facts['LDAPS']

    def log(self):
        with open(self.facts['LOG'], errors='replace') as file:
            return file.read()

    def wait_for_log(self, text):
        """What it says of an answer may come after the answer."""
        harness.wait_for(lambda: text in self.log(), 5)

    def binds(self, name):
        """How many binds of that account it was asked for."""
        return len(re.findall(r'BIND dn="[^"]*%s[^"]*" method' % re.escape(name), self.log()))

    def tool(self, command, *arguments, **options):
        """ldapsearch and its like, as fedgate's account, with StartTLS."""
        environment = {**os.environ, 'LDAPTLS_CACERT': self.facts['CA']}
        who = options.pop('who', (SERVICE, 'Reader.Pw1'))
        return subprocess.run([command, '-x', '-ZZ', '-H', self.ldap, '-D', who[0], '-w', who[1], *arguments],
                              env=environment, capture_output=True, text=True, timeout=30, **options)  # fmt: skip


def directory(*servers, **options):
    """With fedgate's account, unless bind_dn=None; servers are slapds or URLs."""
    first = next(server for server in servers if isinstance(server, Slapd))
    made = {'type': 'ldap', 'servers': [server.ldaps if isinstance(server, Slapd) else server for server in servers],
            'ca': first.facts['CA'], 'base': BASE, 'bind_dn': SERVICE, 'timeout': '5s'}  # fmt: skip
    made.update(options)
    if made['bind_dn'] is None:
        del made['bind_dn']
        return made
    made['bind_password_file'] = os.path.join(first.folder, 'reader.txt')
    with open(made['bind_password_file'], 'w') as file:
        file.write('Reader.Pw1\n')
    os.chmod(made['bind_password_file'], 0o644)
    return made


class Listener:
    """Counts who connects, and answers nobody."""

    def __init__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.socket.accept()
                self.connections += 1
                peer.close()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class SlowPath:
    """Passes on what comes, in both directions, each piece after delay seconds; on a port of the server's own address, so that its
    certificate fits."""

    def __init__(self, port, delay=0.0):
        self.target, self.delay = port, delay
        self.socket = socket.create_server((ADDRESS, 0))
        self.port = self.socket.getsockname()[1]
        self.url = 'ldaps://%s:%d' % (ADDRESS, self.port)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.socket.accept()
                far = socket.create_connection((ADDRESS, self.target))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.delay)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
