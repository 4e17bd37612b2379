# SPDX-License-Identifier: GPL-2.0-or-later
"""The `fedgate` command as an administrator types it: exit codes, messages, and what lies in the folders afterwards."""
import json
import os
import stat

import pytest

from harness import COMMAND, Site, run, wait_for
from messages import METADATA

DONE, FAILED, USAGE, UNREADABLE = range(4)
BASE = 'https://fs.example.com'
COMMANDS = ['completion', 'config check', 'directory test', 'keys list', 'keys roll', 'keys forget', 'metadata diff', 'metadata lint', 'metadata show', 'mex lint', 'policy check', 'policy explain', 'policy test', 'probe', 'token diff', 'token explain', 'token make', 'token show', 'token translate', 'token verify', 'trust cancel', 'trust issue', 'trust renew', 'trust validate', 'user add', 'user passwd', 'user list', 'user remove']


def fedgate(*words, stdin='', code=DONE):
    done = run(COMMAND, *words, input=stdin)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == DONE else done.stderr


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def people(path):
    with open(path) as file:
        return {user['name']: user for user in json.load(file)['users']}


@pytest.fixture
def site(tmp_path):
    return Site(str(tmp_path / 'site'), BASE)


# ---- the command itself


def test_version_and_help():
    assert fedgate('--version').startswith('fedgate ')
    listed = fedgate('help')
    for name in COMMANDS:
        assert '  %s ' % name in listed
        assert fedgate('help', *name.split()).startswith('usage: fedgate %s' % name)
        assert fedgate(*name.split(), '--help') == fedgate('help', *name.split())


@pytest.mark.parametrize('words, said', [
    ([], "a command is missing; see 'fedgate help'"),
    (['confg', 'check'], "no command 'confg'; did you mean 'config'?"),
    (['keys', 'rol'], "no command 'keys rol'; did you mean 'keys roll'?"),
    (['frobnicate'], "no command 'frobnicate'; see 'fedgate help'"),
    (['user'], "'user' wants a second word; see 'fedgate help user'"),
    (['config', 'check', 'one', 'two'], "'two' is one argument too many"),
    (['keys', 'roll', '--uses', 'signing'], "no option '--uses'; did you mean '--use'?"),
    (['keys', 'roll', '--use', 'both'], "'--use both': signing or encryption is expected"),
    (['keys', 'roll', '--use', 'signin'], "'--use signin': did you mean 'signing'?"),
    (['user', 'add', '--password-stdin'], 'NAME is missing'),
    (['policy', 'check'], 'FILE is missing'),
    (['user', 'add', 'ann', '--grup', 'Staff'], "no option '--grup'; did you mean '--group'?"),
    (['user', 'add', 'ann', '--group'], "'--group' wants a value"),
    (['user', 'add', '--', '--group', 'Staff'], "'Staff' is one argument too many"),
    (['policy', 'explain', 'file', '--clam', 'role=a'], "no option '--clam'; did you mean '--claim'?"),
    (['user', 'list', '--file', 'a', '--config', 'b'], "'--file' and '--config' exclude each other"),
    (['user', 'list', '--file', 'a', '--directory', 'b'], "'--file' and '--directory' exclude each other"),
    (['user', 'list', '--file'], "'--file' wants a value"),
])  # fmt: skip
def test_wrong_use(words, said):
    assert fedgate(*words, code=USAGE).startswith('fedgate: %s\n' % said)


# ---- config check


def test_config_check(site):
    assert fedgate('config', 'check', site.conf) == '%s: right (%s, 2 partners, 1 directory)\n' % (site.conf, BASE)
    assert not os.path.exists(os.path.join(site.folder, 'state'))  # nothing is made


@pytest.mark.parametrize('text, said', [
    ('skw = 3m\n', '1:1: found "skw", expected an option or a section of the configuration; did you mean "skew"?'),
    ('skew = 3\n', '1:8: found "3", expected a duration as 90s, 15m, 8h or 20d'),
    ('\n  keys { signing = "rsa-1024" }\n', '2:20: found "rsa-1024", expected one of '),
])  # fmt: skip
def test_config_check_of_a_wrong_file(site, text, said):
    site.write(text)
    assert fedgate('config', 'check', site.conf, code=UNREADABLE).startswith('fedgate: %s:%s' % (site.conf, said))


def test_config_check_without_file(tmp_path):
    path = str(tmp_path / 'none.conf')
    assert fedgate('config', 'check', path, code=UNREADABLE) == 'fedgate: %s: No such file or directory\n' % path


# ---- user


def test_user_file(tmp_path):
    path = str(tmp_path / 'users.json')
    here = ['--file', path]
    fedgate('user', 'add', 'alice', '--password-stdin', '--group', 'Staff', '--group=Admins',
            '--attribute', 'mail=a@example.com', *here, stdin='first\n')  # fmt: skip
    assert mode(path) == mode(path + '.lock') == 0o600
    alice = people(path)['alice']
    assert alice['password'].startswith('$y$') and 'first' not in alice['password']
    assert alice['groups'] == ['Staff', 'Admins'] and alice['attributes'] == {'mail': ['a@example.com']}

    fedgate('user', 'add', 'bob', '--password-stdin', *here, stdin='other')
    assert fedgate('user', 'list', *here) == 'alice\tStaff, Admins\nbob\n'

    os.chmod(path, 0o640)  # for the group of the gateway: it stays
    fedgate('user', 'passwd', 'alice', '--password-stdin', *here, stdin='second\n')
    assert people(path)['alice']['password'] != alice['password'] and mode(path) == 0o640

    fedgate('user', 'remove', 'alice', *here)
    assert fedgate('user', 'list', *here) == 'bob\n'


def test_user_digest(tmp_path):
    """A password that digests are checked with is readable in the file, and the file is nobody else's."""
    path = str(tmp_path / 'users.json')
    here = ['--file', path]
    fedgate('user', 'add', 'alice', '--password-stdin', '--group', 'Staff', *here, stdin='first\n')
    assert 'digest_password' not in people(path)['alice']
    os.chmod(path, 0o644)
    fedgate('user', 'add', 'robot', '--digest', '--password-stdin', *here, stdin='se"crèt\n')
    assert people(path)['robot']['digest_password'] == 'se"crèt' and people(path)['robot']['password'].startswith('$y$')
    assert mode(path) == 0o640
    assert fedgate('user', 'list', *here) == 'alice\tStaff\nrobot\t(digest)\n'
    fedgate('user', 'passwd', 'alice', '--digest', '--password-stdin', *here, stdin='second\n')
    assert fedgate('user', 'list', *here) == 'alice\tStaff\t(digest)\nrobot\t(digest)\n'
    fedgate('user', 'passwd', 'alice', '--password-stdin', *here, stdin='third\n')
    assert 'digest_password' not in people(path)['alice'] and 'second' not in open(path).read()


def test_user_refusals_change_nothing(tmp_path):
    path = str(tmp_path / 'users.json')
    here = ['--file', path]
    assert 'No such file' in fedgate('user', 'list', *here, code=UNREADABLE)
    assert 'No such file' in fedgate('user', 'passwd', 'alice', '--password-stdin', *here, stdin='x\n', code=UNREADABLE)
    fedgate('user', 'add', 'alice', '--password-stdin', *here, stdin='first\n')
    before = people(path)

    add = ['user', 'add', '--password-stdin', *here]
    assert fedgate(*add, 'ALICE', stdin='x\n', code=FAILED) == 'fedgate: there is a user ALICE already\n'
    assert 'no password on standard input' in fedgate(*add, 'bob', code=FAILED)
    assert 'a password has 1 to 511 bytes' in fedgate(*add, 'bob', stdin='\n', code=FAILED)
    assert 'no password' in fedgate(*add, 'bob', stdin='x' * 600 + '\n', code=FAILED)
    assert '--attribute wants NAME=VALUE' in fedgate(*add, 'bob', '--attribute', 'shoe_size', stdin='x\n', code=FAILED)
    assert 'neither a known name' in fedgate(*add, 'bob', '--attribute', 'shoe_size=44', stdin='x\n', code=UNREADABLE)
    said = fedgate(*add, 'bob', '--attribute', 'maill=b@example.com', stdin='x\n', code=UNREADABLE)
    assert said == 'fedgate: attribute "maill": did you mean "mail"?\n'
    assert 'is no terminal' in fedgate('user', 'passwd', 'alice', *here, code=FAILED)
    for words in (['passwd', '--password-stdin'], ['remove']):
        assert fedgate('user', *words, 'carol', *here, stdin='x\n', code=FAILED) == 'fedgate: there is no user carol\n'
    assert people(path) == before


def test_user_by_configuration(site):
    """The file that the configuration names: of its first directory, or of the one named; it need not be there yet."""
    with open(site.conf, 'a') as file:
        file.write('directory "guests" { path = "guests.json" }\n')
    here, guests = ['--config', site.conf], os.path.join(site.folder, 'guests.json')
    fedgate('user', 'add', 'carol', '--password-stdin', *here, stdin='x\n')
    fedgate('user', 'add', 'dora', '--password-stdin', '--directory', 'guests', *here, stdin='x\n')
    assert 'carol' in people(site.users_file) and list(people(guests)) == ['dora'] and mode(guests) == 0o600
    assert fedgate('user', 'list', '--directory', 'guests', *here) == 'dora\n'
    assert fedgate('user', 'list', *here) == fedgate('user', 'list', '--file', site.users_file)
    said = fedgate('user', 'list', '--directory', 'gests', *here, code=UNREADABLE)
    assert said == 'fedgate: %s has no file directory "gests"; did you mean "guests"?\n' % site.conf
    said = fedgate('user', 'list', '--directory', 'elsewhere', *here, code=UNREADABLE)
    assert said == 'fedgate: %s has no file directory "elsewhere"\n' % site.conf
    site.write('skw = 3m\n')
    assert fedgate('user', 'list', *here, code=UNREADABLE).startswith('fedgate: %s:1:1: ' % site.conf)


# ---- keys


def rows(listed):
    """(use, state) -> id"""
    return {(use, state): words[3] for use, state, *words in (line.split() for line in listed.splitlines()[1:])}


def test_keys_are_not_made_by_the_command(site):
    assert 'there are no keys yet' in fedgate('keys', 'list', '--config', site.conf, code=UNREADABLE)


def test_keys_of_a_running_gateway(make_gateway):
    gateway = make_gateway()
    here = ['--config', gateway.site.conf]
    folder = os.path.join(gateway.site.folder, 'state', 'keys')

    def certificates():
        return gateway.get(METADATA).text.count('use="signing"')

    first = rows(fedgate('keys', 'list', *here))
    assert set(first) == {('signing', 'active'), ('encryption', 'active')}
    published = certificates()

    rolled = rows(fedgate('keys', 'roll', '--use', 'signing', *here))
    assert set(rolled) == set(first) | {('signing', 'next')}
    assert rolled == rows(fedgate('keys', 'roll', '--use=signing', *here))  # there is one already
    wait_for(lambda: certificates() > published)  # the gateway need not be told

    now = rows(fedgate('keys', 'roll', '--now', *here))
    assert now['signing', 'active'] == rolled['signing', 'next']
    assert now['signing', 'previous'] == first['signing', 'active']
    assert now['encryption', 'previous'] == first['encryption', 'active'] != now['encryption', 'active']

    forgotten = rows(fedgate('keys', 'forget', *here))
    assert forgotten == {key: value for key, value in now.items() if key[1] == 'active'}
    wait_for(lambda: certificates() == published)

    owner = os.stat(folder)
    assert mode(folder) == 0o700
    for name in os.listdir(folder):
        status = os.stat(os.path.join(folder, name))
        assert stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == owner.st_uid, name
    assert not any(first['signing', 'active'] in name for name in os.listdir(folder))
