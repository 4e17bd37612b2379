# SPDX-License-Identifier: GPL-2.0-or-later
"""Relying parties that nobody of fedgate wrote: npm passport-wsfed-saml2, by tests/peers/wsfed/rp.sh."""
import os
import re
import subprocess

import harness
from messages import METADATA

SCRIPT = os.path.join(harness.ROOT, 'tests', 'peers', 'wsfed', 'rp.sh')
CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/'


class RelyingParty:
    """One instance: at https://localhost:PORT, or at https://NAME.localhost:PORT, which browsers count as another site than the gateway's.
    Of those, profiles as tests have them (private windows) get no cookies in frames: there the clean-up when signing out
    is asked for and finds no session."""

    def __init__(self, name, folder, elsewhere=False, **partner):
        self.name, self.folder, self.partner = name, os.path.join(folder, name), partner
        self.port = harness.free_port()
        self.origin = 'https://%slocalhost:%d' % (name + '.' if elsewhere else '', self.port)
        self.realm = 'urn:test:' + name
        self.reply = self.origin + '/login/callback'
        self.secure = self.origin + '/secure'
        self.cleanup = self.reply + '?wa=wsignoutcleanup1.0'
        self.more = {}

    def section(self):
        """Of gateway.conf."""
        return {'display_name': self.name.capitalize() + ' site', 'realm': [self.realm], 'reply': [self.reply, self.origin + '/'],
                'claims': harness.CLAIMS, 'name_id': 'upn', **self.partner}  # fmt: skip

    def encrypt_to(self, authority):
        """Tokens are encrypted to a certificate of its own."""
        path = authority.issue(self.name, ['DNS:localhost'])
        self.partner['certificate'] = path + '.crt'
        self.more['DECRYPTION_KEY'] = path + '.key'

    def _run(self, action, gateway=None):
        environment = {**os.environ, 'WORK': self.folder, 'PORT': str(self.port), 'ORIGIN': self.origin, 'REALM': self.realm, **self.more}
        if gateway is not None:
            environment.update(IDP_URL=gateway.base_url + '/adfs/ls/', CERT=signing_certificate(gateway, self.folder + '.pem'),
                               FEDGATE_CA=gateway.authority.ca)  # fmt: skip
        done = subprocess.run([SCRIPT, action], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, gateway):
        self._run('START', gateway)

    def stop(self):
        self._run('STOP')


def signing_certificate(gateway, path):
    """As the metadata publishes it."""
    found = re.search(r'<KeyDescriptor use="signing">.*?<(?:\w+:)?X509Certificate[^>]*>([^<]+)<', gateway.get(METADATA).text, re.S)
    assert found, 'no signing certificate in the metadata'
    with open(path, 'w') as file:
        file.write('-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n' % found.group(1).strip())
    return path
