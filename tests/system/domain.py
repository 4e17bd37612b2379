# SPDX-License-Identifier: GPL-2.0-or-later
"""A Samba Active Directory domain and an Apache in it that takes Kerberos alone (tests/peers/samba), with a gateway before it."""
import time

import harness
from controller import Controller, script


class Domain(Controller):
    """Its files are copied to where nginx's workers can read them."""

    def __init__(self):
        super().__init__()
        self.start()
        self.keytab = self.copy_for_workers('GATEWAY_KEYTAB', 'gateway.keytab')
        self.http_keytab = self.copy_for_workers('KEYTAB', 'http.keytab')
        self.krb5_conf = self.copy_for_workers('KRB5_CONFIG', 'krb5.conf')


class Backend:
    def __init__(self, domain, **environment):
        self.port = harness.free_port()
        self.environment = {**domain.facts, 'PORT': str(self.port), **environment}
        self.log = script('backend.sh', 'START', **self.environment)['BACKEND_LOG']

    def seen(self):
        """[user, status, method, path] of each request; Apache writes the line when the answer is out."""
        time.sleep(0.3)
        with open(self.log) as file:
            return [line.split() for line in file]

    def close(self):
        script('backend.sh', 'STOP', **self.environment)
