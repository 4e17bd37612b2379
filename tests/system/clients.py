# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenID Connect clients that nobody of fedgate wrote, by the scripts of tests/peers/oidc."""
import os
import subprocess

import harness

FOLDER = os.path.join(harness.ROOT, 'tests', 'peers', 'oidc')
SECRET = 'a-random-secret-of-the-application'


class Client:
    """One program: a section of gateway.conf before the gateway runs, started afterwards."""

    script = 'rp.sh'
    callback, farewell, backchannel = '/cb', '/bye', '/backchannel'

    def __init__(self, name, folder, authority, options=None, **environment):
        self.name, self.folder, self.options = name, os.path.join(folder, name), options or {}
        os.makedirs(self.folder, exist_ok=True)
        self.authority, self.port = authority, harness.free_port()
        self.origin = 'https://localhost:%d' % self.port
        self.environment = environment
        self.secret_file = os.path.join(folder, name + '.secret')
        with open(self.secret_file, 'w') as file:
            file.write(SECRET + '\n')

    def section(self):
        """Of gateway.conf; an option that is None is left out."""
        options = {
            'client_id': self.name,
            'client_secret_file': self.secret_file,
            'redirect_uri': [self.origin + self.callback],
            'post_logout_redirect_uri': [self.origin + self.farewell],
            'grants': ['authorization_code', 'refresh_token'],
            'claims': harness.CLAIMS,
            **self.options,
        }
        return {name: value for name, value in options.items() if value is not None}

    def _run(self, action, **more):
        environment = {**os.environ, 'WORK': self.folder, 'ORIGIN': self.origin, 'PORT': str(self.port), 'CLIENT_ID': self.name,
                       'CLIENT_SECRET': SECRET, 'FEDGATE_CA': self.authority.ca, 'CERT': self.authority.certificate + '.crt',
                       'KEY': self.authority.certificate + '.key', 'NO_PROXY': '*', 'no_proxy': '*', **self.environment, **more}  # fmt: skip
        done = subprocess.run([os.path.join(FOLDER, self.script), action], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, gateway):
        self._run('START', ISSUER=gateway.base_url + '/adfs')

    def stop(self):
        self._run('STOP')

    def log(self):
        with open(os.path.join(self.folder, 'log'), errors='replace') as file:
            return file.read()


class ModAuthOpenidc(Client):
    """Apache's; what it protects is /secret/env."""

    script = 'modoidc.sh'
    callback, backchannel = '/oidc/cb', '/oidc/cb?logout=backchannel'

    def log(self):
        with open(os.path.join(self.folder, 'error.log'), errors='replace') as file:
            return file.read()
