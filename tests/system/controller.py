# SPDX-License-Identifier: GPL-2.0-or-later
"""A Samba Active Directory domain controller (tests/peers/samba) of a test file's own: what is changed of its accounts is nobody else's."""
import os
import re
import shutil
import signal
import subprocess

import harness
import peers

FOLDER = os.path.join(peers.FOLDER, 'samba')


def script(name, *arguments, **environment):
    """What a script of tests/peers/samba prints, {NAME: value}."""
    done = subprocess.run([os.path.join(FOLDER, name), *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(re.findall(r'([A-Z0-9_]+)=(\S+)', done.stdout))


class Controller:
    """.facts: what samba-dc.sh prints when it starts."""

    def __init__(self):
        self.folder = harness.temporary_folder()
        self.facts = {}

    def run(self, action):
        self.facts.update(script('samba-dc.sh', action, FEDGATE_PEERS_RUN=self.folder))

    def start(self):
        self.run('START')

    def stop(self):
        self.run('STOP')

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def ca(self):
        return self.facts['LDAPTLS_CACERT']

    @property
    def pid(self):
        with open(os.path.join(self.folder, 'samba', 'samba.pid')) as file:
            return int(file.read())

    def freeze(self):
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.pid, signal.SIGCONT)

    def tool(self, *arguments):
        """What samba-tool prints."""
        conf = os.path.join(self.folder, 'samba', 'smb.conf')
        done = subprocess.run(['samba-tool', *arguments, '-s', conf], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def copy_for_workers(self, fact, name):
        """The file that a fact names, where nginx's workers can read it and nobody else."""
        path = os.path.join(self.folder, name)
        shutil.copy(self.facts[fact], path)
        os.chmod(path, 0o600)
        shutil.chown(path, harness.WORKER, harness.WORKER)
        return path
