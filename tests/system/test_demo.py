# SPDX-License-Identifier: GPL-2.0-or-later
"""./demo itself, and the README's first five minutes: every command of both as they stand there."""
import html
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import urllib.parse

import pytest
import requests

import harness
from messages import PASSIVE, form

pytestmark = pytest.mark.skipif(os.path.realpath(harness.BUILD) != os.path.join(os.path.realpath(harness.ROOT), 'build'),
                                reason='./demo builds in build/')  # fmt: skip


class Demo:
    """A running ./demo, with a folder and a port of its own."""

    def __init__(self):
        self.folder, self.port = harness.temporary_folder(), harness.free_port()
        self.base = 'https://localhost:%d' % self.port
        self.session = self.browser()
        self.said = os.path.join(self.folder, 'said')

    def start(self):
        environment = {**os.environ, 'FEDGATE_DEMO_PORT': str(self.port), 'FEDGATE_DEMO_DIR': self.folder}
        with open(self.said, 'w') as said:
            self.process = subprocess.Popen([os.path.join(harness.ROOT, 'demo')], stdout=said, stderr=said, env=environment)
        harness.wait_for(self._ready, 300, 0.2)

    def _ready(self):
        assert self.process.poll() is None, self.output()
        with socket.socket() as probe:
            return 'Ctrl-C ends it' in self.output() and probe.connect_ex(('127.0.0.1', self.port)) == 0

    def output(self):
        with open(self.said) as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # Ctrl-C
        return self.process.wait(60)

    def browser(self):
        session = requests.Session()
        session.trust_env = False  # REQUESTS_CA_BUNDLE would go before verify
        session.verify = os.path.join(self.folder, 'ca.pem')
        session.headers['Accept'] = 'text/html'
        return session

    def url(self, path):
        return path if path.startswith('https:') else self.base + path

    def get(self, path, **options):
        return self.session.get(self.url(path), timeout=60, **options)

    def sh(self, command, code=0):
        """As somebody types it in the folder of the sources."""
        done = harness.run('bash', '-c', command, cwd=harness.ROOT)
        assert done.returncode == code, command + done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope='module')
def demo():
    running = Demo()
    try:
        running.start()
        yield running
        assert running.stop() == 0
        with open(os.path.join(running.folder, 'error.log')) as file:
            assert not re.search(r'\[(alert|crit|emerg)\]', file.read())
    finally:
        if running.process.poll() is None:
            running.stop()
        shutil.rmtree(running.folder)


def commands(page):
    return [html.unescape(re.sub('<[^>]*>', '', text)) for text in re.findall(r'<pre[^>]*>(.*?)</pre>', page, re.S)]


def test_first_start_says_what_it_made(demo):
    said = demo.output()
    for word in ('ca.pem', 'users.json', 'gateway.conf', 'urn:fedgate:demo', 'urn:federation:MicrosoftOnline', demo.base + '/demo/', 'alice-demo'):
        assert word in said


def test_links_of_the_landing_page(demo):
    page = demo.get('/').text
    links = {html.unescape(link) for link in re.findall(r'href="(https:[^"]*|/[^"]*)"', page)}
    assert len(links) >= 7
    for link in links:
        answer = demo.get(link)
        wrong = 'evil' in link or 'nobody' in link
        assert answer.status_code == (400 if wrong else 200), (link, answer.text)


# a word of each command of the landing page in their order, what it prints, its exit code
PRINTED = [
    ('FederationMetadata.xml', 'EntityDescriptor', 0),
    ('RST/Issue', 'IssueFinal', 0),
    ('ActAs', '2009/09/identity/claims/actor', 0),
    ('ValidateTarget', 'status/invalid', 0),
    ('"bob"', 'Access is denied', 1),
    ('"alice"', 'sample management endpoint', 0),
    ('Bearer $token', 'IdentifyResponse', 0),
    ('import mex', 'Assertion', 0),
]


def test_commands_of_the_landing_page(demo):
    found = commands(demo.get('/').text)
    assert len(found) == len(PRINTED)
    for command, (word, printed, code) in zip(found, PRINTED):
        assert word in command and printed in demo.sh(command, code)


def test_application_knows_who_signed_in(demo):
    with demo.browser() as browser:
        page = browser.get(demo.url('/demo/?x=1'), timeout=60)
        action, fields = form(page.text)
        fields.update(username='alice', password='alice-demo')
        page = browser.post(urllib.parse.urljoin(page.url, action), data=fields, timeout=60)
        assert '<a href="%s">' % demo.url('/demo/?x=1') in page.text  # a browser goes there by itself
        page = browser.get(demo.url('/demo/?x=1'), timeout=60)
        assert 'Hello, alice' in page.text and 'Administrators;Staff' in page.text
        assert '__Host-' not in page.text
        viewer = browser.get(demo.url('/demo/claims/'), timeout=60)
        assert 'Signing you in' in viewer.text or 'alice@example.com' in viewer.text
        browser.get(demo.url(PASSIVE + '?wa=wsignout1.0'), timeout=60)
        assert 'name="password"' in browser.get(demo.url('/demo/'), timeout=60).text


def test_the_readme_s_first_five_minutes(demo):
    """README.md, "The first five minutes": steps 3 to 6, with this demo's port and folder."""
    with open(os.path.join(harness.ROOT, 'README.md')) as file:
        tour = re.search(r'## The first five minutes\n(.*?)\n## ', file.read(), re.S).group(1)
    for there, here in (('https://localhost:8443', demo.base), ('demo-state', demo.folder)):
        assert there in tour
        tour = tour.replace(there, here)
    ask = re.search(r'etc/demo/rst\.sh .*?/usernamemixed', tour, re.S).group()
    assert 'IssueFinal' in demo.sh(ask)
    refused = demo.sh(ask.replace('alice-demo', 'wrong'))
    reference = re.search(r'\(reference ([0-9a-f-]{36})\)', refused).group(1)
    with open(os.path.join(demo.folder, 'audit.log')) as file:
        assert [line for line in file if reference in line and 'wrong password' in line]

    partner = re.search(r'^ {7}(partner "my-app" \{.*?^ {7}\})', tour, re.S | re.M).group(1)
    check, reload, *rest = [command for command in re.findall(r'`((?:build/fedgate|kill) [^`]*)`', tour)]
    file = os.path.join(demo.folder, 'partners.d', 'my-app.conf')
    with open(file, 'w') as out:
        out.write(partner.replace('realm', 'relm'))
    assert '%s:2:' % file in demo.sh(check, 3) and 'did you mean "realm"?' in demo.sh(check, 3)
    with open(file, 'w') as out:
        out.write(partner)
    assert ': right (' in demo.sh(check)
    mine = ask.replace('alice-demo', 'alice-demo urn:my-app')
    assert 'InvalidScope' in demo.sh(mine)  # not before the reload
    demo.sh(reload)
    harness.wait_for(lambda: 'IssueFinal' in demo.sh(mine), 20, 0.5)

    add, keys, explain = rest
    demo.sh('printf secret | %s --password-stdin' % add)
    dave = ask.replace('alice alice-demo', shlex.join(['dave', 'secret']))
    harness.wait_for(lambda: 'IssueFinal' in demo.sh(dave), 20, 0.5)
    assert re.search(r'^signing +active +rsa-2048 ', demo.sh(keys), re.M)

    why = re.search(r'^ {7}(curl [^\n]*-o metadata\.xml .*?)\n\n', tour, re.S | re.M).group(1)
    for name in ('answer.xml', 'metadata.xml'):
        why, explain = (text.replace(name, os.path.join(demo.folder, name)) for text in (why, explain))
    answer, original = (os.path.join(demo.folder, name) for name in ('answer.xml', 'original.xml'))
    demo.sh('%s >%s; cp %s %s' % (ask, answer, answer, original))
    fetch, show, verify = (line.strip() for line in why.splitlines())
    demo.sh(fetch)
    assert 'alice@example.com' in demo.sh(show)
    assert demo.sh(verify).startswith('valid\n')
    demo.sh('sed -i s/alice@example.com/alicf@example.com/ ' + answer)
    arguments = verify.split('token verify', 1)[1]
    told = demo.sh('%s%s --original %s' % (explain, arguments, original), 1)
    assert 'signature.digest-mismatch' in told and 'alicf@example.com' in told


def test_another_start_keeps_what_the_first_made(demo):
    before = {name: os.stat(os.path.join(demo.folder, name)) for name in ('users.json', 'ca.pem', 'gateway.conf')}
    assert demo.stop() == 0
    demo.start()
    assert '  made ' not in demo.output() and demo.get('/').status_code == 200
    for name, was in before.items():
        assert os.stat(os.path.join(demo.folder, name)).st_mtime_ns == was.st_mtime_ns
