# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Chromium for the tests; the Node script behind it is tests/peers/common/chrome_driver.mjs."""
import json
import os
import queue
import subprocess
import threading

import harness

PEERS = os.path.join(harness.ROOT, 'tests', 'peers')


class Chrome:
    """One browser process; profile() opens a fresh profile in it."""

    def __init__(self):
        command = [os.path.join(PEERS, 'common', 'node.sh'), os.path.join(PEERS, 'common', 'chrome_driver.mjs')]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.answers = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.profiles = []

    def _read(self):
        for line in self.process.stdout:
            self.answers.put(json.loads(line))
        self.answers.put({'error': 'the browser ended'})

    def command(self, **command):
        self.process.stdin.write(json.dumps(command) + '\n')
        self.process.stdin.flush()
        answer = self.answers.get(timeout=60)
        assert 'error' not in answer, '%s: %s' % (command, answer['error'])
        return answer['value']

    def profile(self, **options):
        self.profiles.append(Profile(self, self.command(do='context', **options)))
        return self.profiles[-1]

    def close_profiles(self):
        """Those that are open; what their pages complained of, in all."""
        complaints = []
        for profile in self.profiles:
            complaints += profile.complaints()
            profile.do('close')
        self.profiles = []
        return complaints

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Profile:
    """A browser profile with one page: cookies of its own."""

    def __init__(self, chrome, name):
        self.chrome, self.name = chrome, name

    def do(self, command, **arguments):
        return self.chrome.command(do=command, **{'in': self.name}, **arguments)

    def goto(self, url):
        return self.do('goto', url=url)

    def fill(self, **fields):
        """By the name of the field."""
        self.do('fill', fields={'[name="%s"]' % name: value for name, value in fields.items()})

    def click(self, selector):
        self.do('click', selector=selector)

    def sign_in(self, user, password):
        self.fill(username=user, password=password)
        self.click('form button[type=submit]')

    def url(self):
        return self.do('look')['url']

    def text(self):
        return self.do('look')['text']

    def title(self):
        return self.do('look')['title']

    def html(self):
        return self.do('html')

    def has(self, selector):
        return self.do('count', selector=selector) > 0

    def asks_for_password(self):
        return self.has('input[name=password]')

    def evaluate(self, script):
        return self.do('evaluate', script=script)

    def requests(self):
        """Those since the last call."""
        return self.do('requests')

    def complaints(self):
        """Those since the last call."""
        return self.do('complaints')
