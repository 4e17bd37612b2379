# SPDX-License-Identifier: GPL-2.0-or-later
"""SAML 2.0 partners that nobody of fedgate wrote, by the scripts of tests/peers/saml."""
import html
import os
import re
import subprocess
from urllib.parse import urljoin, urlencode

import requests

import harness
from messages import METADATA

FOLDER = os.path.join(harness.ROOT, 'tests', 'peers', 'saml')


class Peer:
    """One program with a metadata document of its own, started twice: it writes its metadata, the gateway reads it, and the program
    is started again with the gateway's."""

    script, role = 'pysaml2.sh', None
    environment = {}
    ip = '127.0.0.1'
    source = METADATA  # of the gateway's

    def __init__(self, name, folder, authority, *options):
        self.name, self.folder, self.options = name, os.path.join(folder, name), options
        self.authority, self.port = authority, harness.free_port()
        self.origin = 'https://%s:%d' % (self.ip, self.port)
        self.metadata = os.path.join(folder, name + '.xml')
        os.makedirs(self.folder, exist_ok=True)

    def _run(self, *arguments):
        environment = {**os.environ, 'WORK': self.folder, 'IP': self.ip, 'PORT': str(self.port), 'FEDGATE_CA': self.authority.ca, **self.environment}
        done = subprocess.run([os.path.join(FOLDER, self.script), *arguments], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def publish(self):
        """Its metadata, for the gateway's configuration."""
        self._run(self.role, 'START', '--', *self.options)
        with open(self.metadata, 'wb') as file:
            file.write(requests.get(self.origin + '/metadata', verify=False, timeout=20).content)
        self.stop()

    def start(self, gateway, *others):
        """others: metadata of more partners, files."""
        path = self.metadata + '.gateway'
        with open(path, 'wb') as file:
            file.write(gateway.get(self.source).content)
        self._run(self.role, 'START', path, *others, '--', *self.options)

    def stop(self):
        self._run(self.role, 'STOP')


class Pysaml2Sp(Peer):
    role = 'sp'

    @property
    def entity_id(self):
        return self.origin + '/sp'


class OtherPysaml2Sp(Pysaml2Sp):
    """At an address of its own: cookies do not tell ports apart."""

    ip = '127.0.7.5'


class Pysaml2Idp(Peer):
    role = 'idp'

    @property
    def entity_id(self):
        return self.origin + '/idp'


class NodeSamlSp(Peer):
    """npm @node-saml/node-saml: it needs an identity provider's metadata, whosever, before it tells its own."""

    script = 'nodesaml.sh'

    def __init__(self, name, folder, authority, stand_in, **environment):
        super().__init__(name, folder, authority)
        self.stand_in, self.environment = stand_in, environment

    def _run(self, role, action, *arguments):
        super()._run(action, *[argument for argument in arguments if argument != '--'] or ([self.stand_in] if action == 'START' else []))

    @property
    def entity_id(self):
        return self.origin + '/sp'


# ---- browsers


def form_of(response):
    """Address and fields of the only form of a page."""
    form = re.search(r'<form[^>]*?action="([^"]*)"', response.text)
    assert form, re.sub(r'<style.*?</style>', '', response.text, flags=re.S)[:2000]
    fields = {}
    for tag in re.findall(r'<input[^>]*>', response.text):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            fields[html.unescape(name.group(1))] = html.unescape(value.group(1)) if value else ''
    return urljoin(response.url, html.unescape(form.group(1))), fields


def submit(session, response, **values):
    """Sends the only form of a page."""
    address, fields = form_of(response)
    return session.post(address, data={**fields, **values}, timeout=30)


def browser():
    """Takes every certificate: those of the peers are their own CA's."""
    session = requests.Session()
    session.verify = False
    session.trust_env = False
    return session


def link(page, name):
    """Follows the button or link of that name of our home-realm page."""
    found = re.search(r'<button[^>]*name="whr"[^>]*value="([^"]*)"[^>]*>(?:(?!</button>).)*%s' % name, page.text, re.S)
    assert found, page.text[-3000:]
    return html.unescape(found.group(1))


def choose(session, page, name):
    """Picks a home realm of our page."""
    form = re.search(r'<form[^>]*?action="([^"]*)"', page.text).group(1)
    fields = [(html.unescape(n), html.unescape(v)) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)]
    return session.get(urljoin(page.url, html.unescape(form)), params=[*fields, ('whr', link(page, name))], timeout=30)


def entity_id(site):
    return 'http://localhost:%d/adfs/services/trust' % site.port


def begin(session, site, sp=None, **wishes):
    return session.get((sp or site.sp).origin + '/login?' + urlencode({'idp': entity_id(site), **wishes}), timeout=30)


def sign_in_here(session, page, user='alice'):
    return submit(session, choose(session, page, 'people'), username=user, password=user + '-secret')


def load_frames(session, page):
    """What a browser does with the frames of a page: each is loaded, and its forms post themselves.  Returns what they end at."""
    frames = [html.unescape(url) for url in re.findall(r'<iframe src="([^"]*)"', page.text)]
    ends = []
    for url in frames:
        answer = session.get(url, timeout=30)
        for _ in range(4):
            if 'SAMLRe' not in answer.text or '<form' not in answer.text:
                break
            answer = submit(session, answer)
        ends.append(answer)
    return ends


def next_of(page):
    """Where our page goes on to by itself."""
    return html.unescape(re.search(r'id="next" href="([^"]*)"', page.text).group(1))


def peers_ca():
    """The CA of the peers' certificates, for what the gateway fetches."""
    state = os.environ.get('FEDGATE_PEERS_DIR') or os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'fedgate-peers')
    return os.path.join(state, 'ca', 'ca.pem')


class Ssp:
    """SimpleSAMLphp in both roles, in an Apache of its own."""

    def __init__(self, folder, authority, **environment):
        self.folder, self.authority, self.environment = os.path.join(folder, 'ssp'), authority, environment
        self.idp_ip, self.sp_ip, self.port = '127.0.7.1', '127.0.7.2', harness.free_port()
        self.idp_origin, self.sp_origin = 'https://%s:%d' % (self.idp_ip, self.port), 'https://%s:%d' % (self.sp_ip, self.port)
        self.idp_metadata = os.path.join(folder, 'ssp-idp.xml')
        self.sp_metadata = {name: os.path.join(folder, 'ssp-%s.xml' % name) for name in ('default-sp', 'sp-artifact', 'sp-signed')}
        os.makedirs(self.folder, exist_ok=True)

    def _run(self, action):
        environment = {**os.environ, 'WORK': self.folder, 'IDPIP': self.idp_ip, 'SPIP': self.sp_ip, 'PORT': str(self.port), 'FEDGATE_CA': self.authority.ca,
                       **self.environment}  # fmt: skip
        done = subprocess.run([os.path.join(FOLDER, 'ssp.sh'), action], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        """Starts it; its metadata is there then."""
        self._run('START')
        pages = {self.idp_metadata: self.idp_origin + '/simplesaml/saml2/idp/metadata.php'}
        for name, path in self.sp_metadata.items():
            pages[path] = self.sp_origin + '/simplesaml/module.php/saml/sp/metadata.php/' + name
        for path, url in pages.items():
            answer = requests.get(url, verify=False, timeout=60)
            assert answer.status_code == 200, answer.text[:2000]
            with open(path, 'wb') as file:
                file.write(answer.content)

    @property
    def wsfed_metadata(self):
        """Its WS-Federation role, a file."""
        path = os.path.join(os.path.dirname(self.folder), 'ssp-wsfed.xml')
        answer = requests.get(self.idp_origin + '/simplesaml/module.php/adfs/idp/metadata.php', verify=False, timeout=60)
        assert answer.status_code == 200, answer.text[:2000]
        with open(path, 'wb') as file:
            file.write(answer.content)
        return path

    def add(self, gateway):
        """The gateway becomes its partner; read at each request.  It resolves artifacts only where TLS is vouched for by a key of the
        metadata, so the CA is put among these."""
        path = os.path.join(os.path.realpath(self.folder), 'peers', 'gateway.xml')
        with open(self.authority.ca) as file:
            ca = re.search('-----BEGIN CERTIFICATE-----(.*?)-----END', file.read(), re.S).group(1)
        key = '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>' % ca
        with open(path, 'w') as file:
            file.write(re.sub('<KeyDescriptor', key + '<KeyDescriptor', gateway.get(METADATA).text))
        os.chmod(path, 0o644)

    def app(self, session, **parameters):
        """Its application: JSON of the session, after a sign-in if there is none."""
        return session.get(self.sp_origin + '/app.php?' + urlencode(parameters), timeout=60)

    def stop(self):
        self._run('STOP')
