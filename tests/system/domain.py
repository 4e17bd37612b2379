# SPDX-License-Identifier: GPL-2.0-or-later
"""A Samba Active Directory domain and an Apache in it that takes Kerberos alone (tests/peers/samba), with a gateway before it."""
import os
import re
import shutil
import signal
import subprocess
import time

import harness
import peers

FOLDER = os.path.join(peers.FOLDER, 'samba')


def script(name, *arguments, **environment):
    done = subprocess.run([os.path.join(FOLDER, name), *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(re.findall(r'([A-Z0-9_]+)=(\S+)', done.stdout))


class Domain:
    """.environment as samba-dc.sh prints it; its files are copied to where nginx's workers can read them."""

    def __init__(self):
        self.folder = harness.temporary_folder()
        self.environment = script('samba-dc.sh', 'START')
        self.keytab = self._copy('GATEWAY_KEYTAB', 'gateway.keytab')
        self.http_keytab = self._copy('KEYTAB', 'http.keytab')
        self.krb5_conf = self._copy('KRB5_CONFIG', 'krb5.conf')
        self.pid_file = os.path.join(os.path.dirname(self.environment['KRB5_CONFIG']), 'samba.pid')

    def _copy(self, name, to):
        path = os.path.join(self.folder, to)
        shutil.copy(self.environment[name], path)
        os.chmod(path, 0o600)
        shutil.chown(path, harness.WORKER, harness.WORKER)
        return path

    def signal(self, which):
        with open(self.pid_file) as file:
            os.killpg(int(file.read()), which)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def start(self):
        script('samba-dc.sh', 'START')

    def stop(self):
        script('samba-dc.sh', 'STOP')

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Backend:
    def __init__(self, domain, **environment):
        self.port = harness.free_port()
        self.environment = {**domain.environment, 'PORT': str(self.port), **environment}
        self.log = script('backend.sh', 'START', **self.environment)['BACKEND_LOG']

    def seen(self):
        """[user, status, method, path] of each request; Apache writes the line when the answer is out."""
        time.sleep(0.3)
        with open(self.log) as file:
            return [line.split() for line in file]

    def close(self):
        script('backend.sh', 'STOP', **self.environment)
