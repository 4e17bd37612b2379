# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenID 2.0 programs that nobody of fedgate wrote, by the scripts of tests/peers/openid2."""
import os
import subprocess

import harness

FOLDER = os.path.join(harness.ROOT, 'tests', 'peers', 'openid2')


class Peer:
    """One program: its place is known before the gateway runs, it is started afterwards."""

    def __init__(self, name, folder, authority, command, https=False, arguments=(), **environment):
        self.name, self.folder, self.authority = name, os.path.join(folder, name), authority
        os.makedirs(self.folder, exist_ok=True)
        self.port = harness.free_port()
        self.origin = '%s://localhost:%d' % ('https' if https else 'http', self.port)
        self.command, self.arguments = command, list(arguments)
        self.environment = {'CERT': authority.certificate + '.crt', 'KEY': authority.certificate + '.key'} if https else {}
        self.environment.update(environment)

    def _run(self, action, arguments=()):
        environment = {**os.environ, 'WORK': self.folder, 'ORIGIN': self.origin, 'FEDGATE_CA': self.authority.ca,
                       'NO_PROXY': '*', 'no_proxy': '*', **self.environment}  # fmt: skip
        command = [os.path.join(FOLDER, self.command[0]), *self.command[1:], action, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        self._run('START', self.arguments)

    def stop(self):
        self._run('STOP')

    def log(self):
        with open(os.path.join(self.folder, 'log'), errors='replace') as file:
            return file.read()


class RelyingParty(Peer):
    """python3-openid, or npm openid (command node.sh)."""

    def __init__(self, name, folder, authority, command=('py.sh', 'rp'), options=None, **more):
        super().__init__(name, folder, authority, command, **more)
        self.options = options or {}

    def section(self):
        """Of gateway.conf."""
        return {'openid2_realm': [self.origin + '/'], 'claims': harness.CLAIMS, **self.options}


class Provider(Peer):
    """python3-openid's server; its people are whoever says so."""

    def __init__(self, name, folder, authority, **more):
        super().__init__(name, folder, authority, ('py.sh', 'op'), https=True, **more)

    def section(self, identifier='/', **options):
        return {'display_name': self.name.capitalize(), 'protocol': 'openid2', 'openid2_identifier': self.origin + identifier, **options}
