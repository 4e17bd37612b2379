# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway as people run it: the stock nginx with the built module, real TLS, a folder of its own.

    with Gateway(authority, partners={...}) as gateway:
        gateway.get('/adfs/services/trust/mex')

Everything listens on loopback; only what was started here is ended, by pid.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import requests

import lent_keys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('FEDGATE_BUILD') or os.path.join(ROOT, 'build')
MODULE = os.path.join(BUILD, 'ngx_module', 'ngx_http_fedgate_module.so')
COMMAND = os.path.join(BUILD, 'fedgate')
NGINX = shutil.which('nginx') or '/usr/sbin/nginx'
WORKER = 'www-data'  # whom workers run as when root starts nginx

CLAIMS = ['upn', 'name', 'emailaddress', 'givenname', 'surname', 'role']
USERS = {
    'alice': {'password': 'alice-secret', 'groups': ['Administrators', 'Staff'], 'upn': 'alice@example.com'},
    'bob': {'password': 'bob-secret', 'groups': ['Staff'], 'upn': 'bob@example.com'},
}
PARTNERS = {
    'viewer': {'realm': ['urn:fedgate:demo'], 'reply': ['BASE/demo/'], 'claims': CLAIMS},
    'microsoft': {
        'realm': ['urn:federation:MicrosoftOnline'],
        'reply': ['https://login.microsoftonline.com/login.srf'],
        'claims': ['upn', 'immutableid'],
        'name_id': 'immutableid',
    },
}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(what, seconds=20, step=0.05):
    """Its first true value."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(step)


def alive(pid):
    """Runs, and is not only waiting for its parent to look."""
    try:
        with open('/proc/%d/stat' % pid) as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def temporary_folder():
    """Like pytest's, but one that nginx's workers can get into."""
    folder = tempfile.mkdtemp(prefix='fedgate-test-')
    os.chmod(folder, 0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, WORKER, WORKER)
    return folder


class Authority:
    """A CA and server certificates, for one test run."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = os.path.join(folder, 'ca.pem')
        self.key = os.path.join(folder, 'ca.key')
        self._openssl(
            'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=fedgate test CA',
            '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign',
            '-keyout', self.key, '-out', self.ca,
        )  # fmt: skip
        self.certificate = self.issue('localhost', ['DNS:localhost', 'DNS:*.localhost', 'IP:127.0.0.1'])

    def _openssl(self, *arguments):
        subprocess.run(['openssl', *arguments], check=True, capture_output=True)

    def issue(self, name, names, days=30):
        """Path without its ending: NAME.crt, NAME.key."""
        path = os.path.join(self.folder, name)
        with open(path + '.ext', 'w') as file:
            file.write('subjectAltName=%s\nextendedKeyUsage=serverAuth\n' % ','.join(names))
        self._openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=' + name, '-keyout', path + '.key', '-out', path + '.csr')
        self._openssl(
            'x509', '-req', '-in', path + '.csr', '-CA', self.ca, '-CAkey', self.key, '-CAcreateserial', '-days', str(days),
            '-extfile', path + '.ext', '-out', path + '.crt',
        )  # fmt: skip
        return path


def conf_value(value):
    if isinstance(value, (list, tuple)):
        return '{%s}' % ', '.join(conf_value(item) for item in value)
    return '"%s"' % str(value).replace('\\', '\\\\').replace('"', '\\"')


def conf_section(name, title, options):
    lines = ['  %s = %s\n' % (key, conf_value(value)) for key, value in options.items()]
    return '%s%s {\n%s}\n' % (name, ' "%s"' % title if title else '', ''.join(lines))


class Site:
    """One gateway configuration: gateway.conf, users and state in a folder."""

    def __init__(self, folder, base_url, partners=None, users=None, options=None, sections=None, directory=None):
        self.folder, self.base_url = folder, base_url
        self.conf = os.path.join(folder, 'gateway.conf')
        self.users_file = os.path.join(folder, 'users.json')
        self.audit_log = os.path.join(folder, 'audit.log')
        self.options = {'organisation': 'Test', 'pages': os.path.join(ROOT, 'etc', 'pages'), 'state': 'state', 'audit_log': 'audit.log',
                        **(options or {})}  # fmt: skip
        self.partners = dict(PARTNERS if partners is None else partners)
        self.sections = {'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'}} if sections is None else dict(sections)
        self.directory = dict(directory or {})
        os.makedirs(folder, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(folder, WORKER, WORKER)
        self.add_users(USERS if users is None else users)
        self.write()

    def add_users(self, users):
        for name, user in users.items():
            arguments = []
            for group in user.get('groups', []):
                arguments += ['--group', group]
            attributes = {
                'upn': user.get('upn', name + '@example.com'),
                'mail': name + '@example.com',
                'given_name': name.capitalize(),
                'surname': 'Test',
                'immutable_id': 'id-of-' + name,
            }
            if 'windows_account_name' in user:
                attributes['windows_account_name'] = user['windows_account_name']
            if user.get('digest'):
                arguments.append('--digest')
            for key, value in attributes.items():
                arguments += ['--attribute', '%s=%s' % (key, value)]
            done = run(COMMAND, 'user', 'add', name, '--file', self.users_file, '--password-stdin', *arguments, input=user['password'] + '\n')
            assert done.returncode == 0, done.stderr

    def write(self, text=''):
        """Writes gateway.conf; text is put in front."""
        parts = [text, 'base_url = %s\n' % conf_value(self.base_url)]
        parts += ['%s = %s\n' % (key, conf_value(value)) for key, value in self.options.items()]
        parts.append(conf_section('directory', 'people', {'path': self.users_file, **self.directory}))
        # ('protect', 'app'): {...} is a section with a title
        parts += [conf_section(*(name if isinstance(name, tuple) else (name, None)), options) for name, options in self.sections.items()]
        for name, partner in self.partners.items():
            partner = dict(partner)
            partner['reply'] = [reply.replace('BASE', self.base_url) for reply in partner.get('reply', [])]
            parts.append(conf_section('partner', name, partner))
        with open(self.conf, 'w') as file:
            file.write(''.join(parts))

    def add_partner(self, name, **options):
        """Takes effect with the next reload."""
        self.partners[name] = options
        self.write()

    def audit(self, **wanted):
        """The lines of the audit log that have these fields. They are written when an answer may be out already: that there are
        none is said after a second; where there are some, the last one gets a moment to come."""
        time.sleep(0.02)
        with contextlib.suppress(AssertionError):
            return wait_for(lambda: self.audit_now(**wanted), 1, 0.01)
        return []

    def audit_now(self, **wanted):
        """The same without waiting."""
        if not os.path.exists(self.audit_log):
            return []
        with open(self.audit_log) as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if all(line.get(key) == value for key, value in wanted.items())]


class Nginx:
    """The stock nginx with the module, in the foreground."""

    def __init__(self, folder, http, main='', workers=2, pools=None, daemon=False):
        self.folder = folder
        self.conf = os.path.join(folder, 'nginx.conf')
        self.error_log = os.path.join(folder, 'error.log')
        self.pid_file = os.path.join(folder, 'nginx.pid')
        self.main, self.workers, self.http, self.daemon = main, workers, http, daemon
        self.pools = {'fedgate': 'threads=2 max_queue=1024', 'fedgate_password': 'threads=2 max_queue=64', **(pools or {})}
        self.module = MODULE
        self.process = None
        self.write()

    def write(self):
        user = 'user %s;\n' % WORKER if os.geteuid() == 0 else ''
        pools = ''.join('thread_pool %s %s;\n' % item for item in self.pools.items())
        temporary = ''.join('%s_temp_path %s/%s;\n' % (kind, self.folder, kind)
                            for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))  # fmt: skip
        with open(self.conf, 'w') as file:
            file.write(
                f'load_module {self.module};\n{user}daemon {"on" if self.daemon else "off"};\npid {self.pid_file};\nerror_log {self.error_log} {os.environ.get("FEDGATE_LOG", "info")};\n'
                f'lock_file {self.folder}/nginx.lock;\n'
                f'worker_processes {self.workers};\n{pools}{self.main}\nevents {{ worker_connections 1024; }}\n'
                f'http {{\naccess_log off;\n{temporary}{self.http}\n}}\n'
            )

    def command(self, *arguments):
        return [NGINX, '-e', self.error_log, '-p', self.folder, '-c', self.conf, *arguments]

    def check(self):
        """nginx -t"""
        return run(*self.command('-t'))

    def start(self, port, wrapper=(), environment=None):
        self.process = subprocess.Popen(
            [*wrapper, *self.command()], env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=open(os.path.join(self.folder, 'output.log'), 'ab'), stderr=subprocess.STDOUT,
        )  # fmt: skip

        def listens():
            assert self.process.poll() in ((None, 0) if self.daemon else (None,)), self.log()
            with contextlib.suppress(OSError):
                socket.create_connection(('127.0.0.1', port), 1).close()
                return True

        wait_for(listens, 120)
        # it listens before it says who it is
        wait_for(lambda: os.path.exists(self.pid_file) and os.path.getsize(self.pid_file) > 1, 60)

    def pid(self):
        with open(self.pid_file) as file:
            return int(file.read())

    def signal(self, which):
        os.kill(self.pid(), which)

    def reload(self):
        """Sends HUP and waits until it was looked at; False: refused."""
        before = len(self.log())
        self.signal(signal.SIGHUP)
        # a worker of the start before may still say that it started
        outcome = re.compile(r'reconfiguring.*?(\[emerg\]|start worker process)', re.S)
        seen = wait_for(lambda: outcome.search(self.log()[before:]), 60)
        return seen.group(1) != '[emerg]'

    def log(self):
        text = ''
        for name in ('output.log', 'error.log'):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, errors='replace') as file:
                    text += file.read()
        return text

    def stop(self):
        """Ends it gracefully, or says that it did not end."""
        if self.process is None:
            return
        process, self.process = self.process, None
        pids = {process.pid}
        if os.path.exists(self.pid_file):
            pids.add(self.pid())
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        try:
            wait_for(lambda: process.poll() is not None and not any(alive(pid) for pid in pids), 40)
        except AssertionError:
            for pid in filter(alive, pids):
                os.kill(pid, signal.SIGKILL)
            raise AssertionError('nginx did not stop: ' + self.log()[-2000:])


SERVER = """
server {{
    listen 127.0.0.1:{port} ssl http2;
    server_name {host};
    ssl_certificate {certificate}.crt;
    ssl_certificate_key {certificate}.key;
    {extra}
    location / {{ fedgate {conf}; {location} }}
}}
"""


class Gateway:
    """One site in one nginx: what most tests need."""

    def __init__(self, authority, *, port=None, base_url=None, server='', location='', http='', nginx=None, **site):
        self.authority = authority
        self.port = port or free_port()
        self.folder = temporary_folder()
        self.base_url = base_url or 'https://localhost:%d' % self.port
        self.site = Site(os.path.join(self.folder, 'site'), self.base_url, **site)
        block = SERVER.format(port=self.port, host='localhost', certificate=authority.certificate, conf=self.site.conf,
                              extra=server.replace('GATEWAY_CONF', self.site.conf), location=location)  # fmt: skip
        self.nginx = Nginx(self.folder, block + http, **(nginx or {}))
        self.session = self.browser()
        self.last_log = ''

    def __enter__(self):
        place = lent_keys.lend(self.site)
        self.nginx.start(self.port)
        lent_keys.leave(self.site, place)
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        try:
            return self.nginx.stop()
        finally:
            self.last_log = self.nginx.log()
            if not os.environ.get('FEDGATE_KEEP'):
                shutil.rmtree(self.folder, ignore_errors=True)

    def browser(self):
        """A client with cookies of its own that trusts the CA and no proxy settings."""
        session = requests.Session()
        session.verify = self.authority.ca
        session.trust_env = False
        return session

    def url(self, path):
        return 'https://localhost:%d%s' % (self.port, path)

    def get(self, path, **options):
        return self.session.get(self.url(path), allow_redirects=False, timeout=30, **options)

    def post(self, path, data=None, **options):
        return self.session.post(self.url(path), data=data, allow_redirects=False, timeout=30, **options)

    def soap(self, path, message, **options):
        headers = {'Content-Type': 'application/soap+xml; charset=utf-8', **options.pop('headers', {})}
        return self.post(path, message.encode() if isinstance(message, str) else message, headers=headers, **options)
