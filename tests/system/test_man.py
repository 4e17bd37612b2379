# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages of the command: every option that the command takes stands in its page, and every example does what it
shows, typed as it stands, beside a running gateway."""
import glob
import os
import re
import subprocess

import pytest

import harness
from harness import COMMAND, run
from protected import protecting
from test_cli import COMMANDS
from test_corpus import FOLDER
from test_token import WSFED

MAN = os.path.join(FOLDER, '..', '..', 'man')


def page_of(name):
    group = {'mex': 'metadata', 'completion': None, 'help': None}.get(name.split()[0], name.split()[0])
    with open(os.path.join(MAN, 'fedgate-%s.1' % group if group else 'fedgate.1')) as file:
        return file.read()


def section(name):
    return re.search(r'(?ms)^\.Ss %s\n(.*?)(?=^\.S[sh] )' % name, page_of(name)).group(1)


def synopsis(name):
    head = page_of(name).split('.Sh DESCRIPTION')[0]
    return next((part for part in re.split(r'(?m)^\.Nm.*\n', head) if part.startswith('.Cm %s\n' % name)), None)


@pytest.mark.parametrize('name', COMMANDS)
def test_every_option_stands_in_the_page(name):
    taken = {option[1:] for option in re.findall(r'--[a-z][a-z0-9-]*', run(COMMAND, *name.split(), '--bogus').stderr.split('\n')[1])}
    shown = synopsis(name)
    assert shown is not None
    assert taken == set(re.findall(r'Fl (-[a-z][a-z0-9-]*)', shown)), name
    told = set(re.findall(r'Fl (-[a-z][a-z0-9-]*)', page_of(name).split('.Sh DESCRIPTION')[1]))
    assert taken <= told, (name, taken - told)


def examples(name):
    """(line for a shell, exit code)"""
    for block in re.findall(r'(?s)\.Bd -literal -offset indent\n(.*?)\.Ed', section(name)):
        code = 0
        for line in re.sub(r' \\e\n +', ' ', block).splitlines():
            if line.startswith('.\\" exit '):
                code = int(line.split()[2])
                continue
            yield line.replace('\\-', '-'), code
            code = 0


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_has_an_example(name):
    if name in ('completion',):
        assert 'fedgate completion bash' in page_of(name)
    else:
        assert any('fedgate %s' % name in line for line, _ in examples(name))


@pytest.fixture(scope='module')
def place(authority):
    """A gateway, and the files that the pages speak of."""
    partners = {**harness.PARTNERS, 'app': {'realm': ['urn:app'], 'claims': ['upn', 'role'], 'jwt': 'true', 'renew': '8h'}}
    with protecting(authority, '', partners=partners) as gateway:
        folder = gateway.site.folder

        def put(name, text):
            with open(os.path.join(folder, name), 'w') as file:
                file.write(text)

        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=idp', '-keyout', 'test.key', '-out', 'test.crt'], cwd=folder, check=True, capture_output=True)
        with open(os.path.join(folder, 'test.crt')) as certificate, open(os.path.join(folder, 'test.key')) as key:
            pem = certificate.read()
            put('test.pem', key.read() + pem)
        put('partner.xml', WSFED % ''.join(pem.split('-----')[2].split()))
        with open(os.path.join(FOLDER, 'files', 'metadata-sound.xml')) as file:
            put('yesterday.xml', file.read())
        with open(authority.ca) as file:
            put('ca.pem', file.read())
        put('mex.xml', gateway.get('/adfs/services/trust/mex').text)
        put('password', 'alice-secret\n')
        put('access.rules', '[role == "Operators"] && [method == "GET"] => permit();\n')
        put('cases.json', '{"policy": "access.rules", "cases": [{"name": "look", "claims": {"role": ["Operators"]}, "method": "GET", "path": "/", "expect": "permit"}, {"name": "write", "claims": {}, "method": "POST", "path": "/", "expect": "deny"}]}')
        gateway.get('/adfs/services/trust/mex')
        yield gateway


LATER = ['trust issue', 'trust validate', 'trust renew', 'trust cancel', 'user add', 'user list', 'user passwd', 'user remove',
         'keys list', 'keys roll', 'keys forget']  # fmt: skip; a key forgotten is one that the workers signed with until they saw it
ORDER = ['token make', *(name for name in COMMANDS if name not in ('completion', 'token make', *LATER)), *LATER]


def test_the_examples(place):
    """In an order in which one has what the next one wants."""
    environment = {**os.environ, 'PATH': os.path.dirname(os.path.abspath(COMMAND)) + ':' + os.environ['PATH']}
    assert len(ORDER) == len(COMMANDS) - 1
    for name in ORDER:
        for line, code in examples(name):
            typed = line.replace('https://fs.example.com', place.url('/').rstrip('/')).replace('&& nginx -t', '')
            if typed.startswith('fedgate keys') and '--config' not in typed:
                typed += ' --config gateway.conf'  # for the one that is installed
            done = subprocess.run(typed, shell=True, cwd=place.site.folder, env=environment, capture_output=True, text=True)
            assert done.returncode == code, (typed, done.stdout, done.stderr)


def test_the_pages_are_sound():
    """By groff, of which everybody reads them."""
    for page in glob.glob(os.path.join(MAN, 'fedgate*.1')):
        done = run('groff', '-mandoc', '-Tutf8', '-ww', page)
        assert done.returncode == 0 and done.stderr == '', page
