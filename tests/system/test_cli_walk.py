# SPDX-License-Identifier: GPL-2.0-or-later
"""Every subcommand, typed wrong in every way in which somebody new to it would: the exit code is that of the kind of mistake,
and what is said names what was typed and what to do."""
import os
import re
import shlex
import subprocess

import pytest

from harness import COMMAND
from test_cli import COMMANDS
from test_corpus import FOLDER

USAGE, UNREADABLE = 2, 3
TOKEN, METADATA, IDP, CA, SECRET, CONFIGURATION, RULES = (
    'files/saml20-sound.xml', 'files/metadata-sound.xml', 'keys/idp.pem', 'keys/ca.pem', 'keys/openid2.secret', 'keys/gateway.conf', 'keys/staff.rules')  # fmt: skip
ASKS = 'https://localhost:1/ --user a --password-file %s ' % SECRET

# A line for each place in which a file can be named: {} is the file.
PLACES = [
    'config check {}', 'directory test people --config {}', 'directory test people alice --password-file {} --config %s' % CONFIGURATION,
    'keys list --config {}', 'keys roll --config {}', 'keys forget --config {}',
    'metadata show {}', 'metadata lint {}', 'metadata diff {} %s' % METADATA, 'metadata diff %s {}' % METADATA, 'mex lint {}',
    'policy check {}', 'policy explain {}', 'policy explain %s --claims {}' % RULES, 'policy explain %s --json-body {}' % RULES,
    'policy explain %s --wsman {}' % RULES, 'policy test {}', 'probe https://localhost:1/ --network --ca {}',
    'token diff {} %s' % TOKEN, 'token diff %s {}' % TOKEN,
    'token explain {} --trust %s' % IDP, 'token explain %s --trust {}' % TOKEN, 'token explain %s --trust %s --original {}' % (TOKEN, IDP),
    'token make jwt --key {} --issuer a --audience b', 'token make jwt --key keys/idp.key --issuer a --audience b --claims {}',
    'token show {}', 'token show %s --decrypt-key {}' % TOKEN,
    'token translate {} --partner staff --config %s' % CONFIGURATION, 'token translate %s --partner staff --config {}' % TOKEN,
    'token verify {} --trust %s' % IDP, 'token verify %s --trust {}' % TOKEN, 'token verify %s --trust %s --decrypt-key {}' % (TOKEN, IDP),
    'token verify %s --ca {}' % TOKEN, 'token verify %s --ca %s --crl {}' % (TOKEN, CA), 'token verify %s --trust %s --secret {}' % (TOKEN, IDP),
    'token verify %s --config {}' % TOKEN, 'token verify %s --trust https://localhost:1/ --network --tls-ca {}' % TOKEN,
    'trust issue https://localhost:1/ --user a --password-file {}', 'trust issue https://localhost:1/ --certificate {}',
    'trust issue https://localhost:1/ --with-token {}', 'trust issue %s --ca {}' % ASKS, 'trust issue %s --on-behalf-of {}' % ASKS,
    'trust renew %s --token {}' % ASKS, 'trust cancel %s --token {}' % ASKS, 'trust validate %s --token {}' % ASKS,
    'user add a --password-stdin --file {}', 'user passwd a --password-stdin --file {}', 'user list --file {}', 'user list --config {}', 'user remove a --file {}',
]  # fmt: skip
# What may be without content: no rules permit nothing.
EMPTY_IS_RIGHT = ('policy check {}', 'policy explain {}')
# What is made if it is not there; what takes any text.
MADE = 'user add a --password-stdin --file {}'
ANYTHING = ('trust issue https://localhost:1/ --user a --password-file {}', 'directory test people alice --password-file {} --config %s' % CONFIGURATION)


def fedgate(line, **options):
    done = subprocess.run([os.path.abspath(COMMAND), *shlex.split(line)], cwd=FOLDER, capture_output=True, text=True, input='word\n', **options)
    return done, done.stderr + done.stdout


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('walk')
    (folder / 'empty').touch()
    (folder / 'junk').write_text('hello, this is nothing that is known\n')
    (folder / 'folder').mkdir()
    (folder / 'locked').write_text('{}')
    (folder / 'locked').chmod(0)
    return folder


@pytest.mark.parametrize('line', PLACES)
@pytest.mark.parametrize('name, says', [
    ('missing', 'No such file or directory'), ('folder', 'directory|not a regular file'), ('empty', r'empty|found no base_url|expected|no CA|no document'),
    ('/dev/null', 'empty|not a regular file'), ('junk', r'expected|nothing that is known|holds no|no CA|no metadata|root element|Failed to connect|has no directory')])  # fmt: skip
def test_files_that_will_not_do(files, line, name, says):
    if name == 'missing' and line == MADE:
        pytest.skip('the file is made')
    path = name if name[0] == '/' else str(files / name)
    done, said = fedgate(line.format(path))
    if name == 'empty' and line in EMPTY_IS_RIGHT:
        assert done.returncode == ('explain' in line)
        return
    assert done.returncode == UNREADABLE, said
    if not (name == 'junk' and line in ANYTHING):
        assert path in said, said
    assert re.search(says, said.replace(path, '')), said
    assert said.count('\n') < 8 or 'what to do:' in said or '"error"' in said


@pytest.mark.parametrize('line', [line for line in PLACES if 'folder' not in line])
def test_files_that_may_not_be_read(files, line):
    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    folder = files
    if os.getuid() == 0:
        for above in (files, files.parent, files.parent.parent, files.parent.parent.parent):
            if str(above).startswith('/tmp/'):
                os.chmod(above, 0o755)
        try:
            if subprocess.run([os.path.abspath(COMMAND), '--version'], preexec_fn=drop, cwd=FOLDER, capture_output=True).returncode != 0:
                pytest.skip('nobody else may run the command here')
        except (PermissionError, subprocess.SubprocessError):
            pytest.skip('nobody else may run the command here')
    done, said = fedgate(line.format(folder / 'locked'), preexec_fn=drop if os.getuid() == 0 else None)
    assert done.returncode == UNREADABLE and 'Permission denied' in said and str(folder / 'locked') in said, said


@pytest.mark.parametrize('name', COMMANDS)
def test_help_at_every_level(name):
    for line in ('help %s' % name, '%s --help' % name, '%s -h' % name, '--help %s' % name):
        done, said = fedgate(line)
        assert done.returncode == 0 and said.startswith('usage: fedgate %s' % name) and '\nTo ' in said, line
    group = name.split()[0]
    done, said = fedgate('%s --help' % group)
    assert done.returncode == 0 and name in said and said.startswith('usage: ')


@pytest.mark.parametrize('name', COMMANDS)
def test_options_of_every_command(name):
    """One that there is not; and each that there is, without its value."""
    done, said = fedgate('%s --bogus' % name)
    assert done.returncode == USAGE and said.startswith("fedgate: no option '--bogus'") and "'fedgate help %s' explains it" % name in said
    usage = fedgate('help %s' % name)[1].split('\n')[0]
    for option in re.findall(r'(--[a-z0-9-]+) [A-Za-z0-9]', usage):
        done, said = fedgate('%s %s' % (name, option))
        assert done.returncode == USAGE and said.startswith("fedgate: '%s' wants a value\n" % option), (option, said)


@pytest.mark.parametrize('name', [name for name in COMMANDS if name.split()[0] not in ('keys', 'config')])
def test_arguments_of_every_command(name):
    if name in ('token show', 'metadata show', 'user list'):  # standard input; the configuration
        line = name + ' one two three'
        assert 'is one argument too many' in fedgate(line)[1]
        return
    done, said = fedgate(name)
    assert done.returncode == USAGE and re.match(r"fedgate: \S+ is missing\nusage: fedgate %s" % name, said), said
    if name != 'policy check':
        done, said = fedgate(name + ' one two three four')
        assert done.returncode == USAGE and 'is one argument too many' in said


@pytest.mark.parametrize('line, code, says', [
    ('-x', USAGE, "no option '-x' without a command; see 'fedgate help'"),
    ('completion tcsh', USAGE, "'tcsh': bash, zsh or fish is expected"),
    ('metadata lint %s --days x' % METADATA, USAGE, "'--days x': a number of days is expected"),
    ('metadata lint %s --at noon' % METADATA, USAGE, 'a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected'),
    ('token show %s --at @' % TOKEN, USAGE, 'a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected'),
    ('token show %s --json --raw' % TOKEN, USAGE, 'exclude each other'),
    ('token verify %s --at 2026-01-31' % TOKEN, USAGE, 'a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected'),
    ('token verify %s --skew 3m' % TOKEN, USAGE, "'--skew 3m': seconds are expected"),
    ('token verify %s --skew -1' % TOKEN, USAGE, "'--skew -1': seconds are expected"),
    ('token verify %s --trust %s --crl keys/ca.crl' % (TOKEN, IDP), USAGE, 'name the CA by --ca'),
    ('token verify %s --trust %s --tls-ca %s' % (TOKEN, IDP, CA), USAGE, 'without --network'),
    ('token verify %s --trust https://localhost:1/' % TOKEN, UNREADABLE, 'is fetched with --network alone'),
    ('token verify %s' % TOKEN, UNREADABLE, 'nobody is trusted: give --trust'),
    ('token verify %s --config %s --for stff' % (TOKEN, CONFIGURATION), UNREADABLE, 'did you mean "staff"?'),
    ('token explain %s --trust %s --canonical --json' % (TOKEN, IDP), USAGE, 'exclude each other'),
    ('token make jwt', USAGE, '--key, --issuer and --audience are needed'),
    ('token make xml --key keys/idp.key --issuer a --audience b', USAGE, 'saml11, saml20, jwt, wresult, rstrc or response is expected'),
    ('token make jwt --key keys/idp.key --issuer a --audience b --lifetime 1h', USAGE, 'seconds are expected'),
    ('token translate %s' % TOKEN, USAGE, '--partner is needed'),
    ('token translate %s --partner staff --to xml --config %s' % (TOKEN, CONFIGURATION), USAGE, 'saml11, saml20 or jwt is expected'),
    ('token diff %s' % TOKEN, USAGE, 'B is missing: two files are compared'),
    ('policy explain %s --claim role' % RULES, USAGE, 'expected TYPE=VALUE'),
    ('policy explain %s --time noon' % RULES, USAGE, 'expected a time as 2026-01-31T12:00:00Z'),
    ('policy explain %s --address here' % RULES, USAGE, 'expected an address as 192.0.2.1'),
    ('probe https://localhost:1/', USAGE, 'nothing is asked of the network without --network'),
    ('probe localhost --network', UNREADABLE, 'https://HOST/ is expected'),
    ('trust issue https://localhost:1/', USAGE, 'who asks? --user, --certificate or --with-token is needed'),
    ('trust issue https://localhost:1/ --user a', UNREADABLE, 'name a file by --password-file'),
    ('trust issue localhost --user a --password-file %s' % SECRET, UNREADABLE, 'https://HOST/... is expected'),
    ('trust issue %s --version 14' % ASKS, USAGE, '13 or 2005 is expected'),
    ('trust issue %s --soap 2' % ASKS, USAGE, '1.2 or 1.1 is expected'),
    ('trust issue %s --token-type xml' % ASKS, USAGE, 'saml11, saml20, jwt or a URI is expected'),
    ('trust renew %s' % ASKS, USAGE, '--token is needed'),
    ('directory test', USAGE, 'NAME is missing'),
    ('directory test people --password-file %s --config %s' % (SECRET, CONFIGURATION), USAGE, 'whose password is it?'),
    ('directory test peple --config %s' % CONFIGURATION, UNREADABLE, 'has no directory'),
    ('keys roll --use both', USAGE, 'signing or encryption is expected'),
    ('user list --file a --config b', USAGE, 'exclude each other'),
])  # fmt: skip
def test_values_that_will_not_do(line, code, says):
    done, said = fedgate(line)
    assert done.returncode == code and says in said.split('\n')[0], said
    assert said.startswith('fedgate: ')


def test_a_token_instead_of_a_file():
    with open(os.path.join(FOLDER, 'files', 'jwt-sound.txt')) as file:
        done, said = fedgate('token show ' + file.read().strip())
    assert done.returncode == UNREADABLE and 'a token itself goes through a pipe, with - as FILE' in said and len(said) < 300
