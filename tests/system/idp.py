# SPDX-License-Identifier: GPL-2.0-or-later
"""Identity providers that nobody of fedgate wrote: npm wsfed, by tests/peers/wsfed/idp.sh."""
import os
import subprocess

import harness

SCRIPT = os.path.join(harness.ROOT, 'tests', 'peers', 'wsfed', 'idp.sh')


class IdentityProvider:
    """One instance: at https://localhost:PORT, or at https://NAME.localhost:PORT, which browsers count as another site than the gateway's."""

    def __init__(self, name, folder, authority, elsewhere=False, **environment):
        self.name, self.folder = name, os.path.join(folder, 'idp-' + name)
        self.port = harness.free_port()
        self.origin = 'https://%slocalhost:%d' % (name + '.' if elsewhere else '', self.port)
        self.issuer = 'urn:test:idp:' + name
        self.certificate = authority.issue('idp-' + name, ['DNS:localhost']) + '.crt'
        self.environment = {'PORT': str(self.port), 'ORIGIN': self.origin, 'ISSUER': self.issuer, 'WORK': self.folder,
                            'CERT': self.certificate, 'KEY': self.certificate[:-4] + '.key', **environment}  # fmt: skip

    def section(self):
        """Of gateway.conf."""
        options = {'display_name': self.name.capitalize(), 'issuer': self.issuer, 'certificate': [self.certificate], 'sign_in': self.origin + '/wsfed'}
        return harness.conf_section('identity_provider', self.name, options)

    def _run(self, action):
        done = subprocess.run([SCRIPT, action], env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, **more):
        self.environment.update(more)
        self._run('START')

    def stop(self):
        self._run('STOP')
