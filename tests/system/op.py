# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenID providers that nobody of fedgate wrote: npm oidc-provider, by tests/peers/oidc/op.sh."""
import os
import subprocess

import harness
from clients import FOLDER, SECRET


class Provider:
    """One instance at https://localhost:PORT, to which the gateway is the client NAME."""

    def __init__(self, name, folder, authority, options=None, **environment):
        self.name, self.folder, self.options, self.authority = name, os.path.join(folder, 'op-' + name), options or {}, authority
        os.makedirs(self.folder, exist_ok=True)
        self.port = harness.free_port()
        self.origin = self.issuer = 'https://localhost:%d' % self.port
        self.environment = environment
        self.secret_file = os.path.join(folder, 'op-%s.secret' % name)
        with open(self.secret_file, 'w') as file:
            file.write(SECRET + '\n')

    def section(self):
        """Of gateway.conf; an option that is None is left out."""
        options = {'protocol': 'openid', 'display_name': self.name.capitalize(), 'issuer': self.issuer, 'client_id': self.name,
                   'client_secret_file': self.secret_file, **self.options}  # fmt: skip
        return {name: value for name, value in options.items() if value is not None}

    def start(self, gateway, **more):
        base = gateway.base_url + '/adfs/oauth2/'
        self._run('START', REDIRECT_URIS=base + 'callback', POST_LOGOUT_URIS=base + 'signedout', BACKCHANNEL_URI=base + 'backchannel', **more)

    def stop(self):
        self._run('STOP')

    def _run(self, action, **more):
        certificate = self.authority.certificate
        environment = {**os.environ, 'WORK': self.folder, 'ISSUER': self.issuer, 'CLIENT_ID': self.name, 'CLIENT_SECRET': SECRET,
                       'FEDGATE_CA': self.authority.ca, 'CERT': certificate + '.crt', 'KEY': certificate + '.key', 'NO_PROXY': '*',
                       'no_proxy': '*', **self.environment, **more}  # fmt: skip
        done = subprocess.run([os.path.join(FOLDER, 'op.sh'), action], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def log(self):
        with open(os.path.join(self.folder, 'log'), errors='replace') as file:
            return file.read()
