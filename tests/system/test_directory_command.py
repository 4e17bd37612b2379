# SPDX-License-Identifier: GPL-2.0-or-later
"""fedgate directory test against a real Samba domain controller and against OpenLDAP: each step, each way in which one fails, and what is
said then."""
import contextlib
import json
import os
import pty
import signal
import subprocess
import time

import pytest

import harness
import openldap
from harness import COMMAND
from openldap import Slapd
from test_directory import PEOPLE
from test_directory_down import Stripper

GOOD, FAULTY, UNREADABLE = 0, 1, 3
STEPS = ['connect', 'tls', 'bind', 'base', 'search', 'groups', 'password']


@pytest.fixture(scope='module')
def desk(controller, tmp_path_factory):
    return Desk(controller, tmp_path_factory.mktemp('desk'))


class Desk:
    """Where an administrator sits: a configuration and a shell."""

    def __init__(self, controller, folder):
        self.controller, self.folder = controller, folder
        (folder / 'reader').write_text('Reader.Pw1\n')
        (folder / 'wrong').write_text('Wrong.Pw1\n')

    def configure(self, **options):
        written = {'type': 'ad', 'servers': ['ldaps://dc1.gw.test'], 'ca': self.controller.ca, 'base': 'DC=gw,DC=test', 'timeout': '5s',
                   'bind_dn': 'ldapreader@gw.test', 'bind_password_file': str(self.folder / 'reader'), **options}  # fmt: skip
        lines = ['base_url = "https://fs.example.com"', 'directory "corp" {']
        for name, value in written.items():
            if value is not None:
                lines.append('  %s = %s' % (name, '{%s}' % ', '.join('"%s"' % item for item in value) if isinstance(value, list) else '"%s"' % value))
        (self.folder / 'gateway.conf').write_text('\n'.join(lines + ['}', '']))

    def test(self, *words, password=None, **options):
        """(exit code, what is shown, what is said)"""
        self.configure(**options)
        if password is not None:
            words += ('--password-file', '-')
        done = subprocess.run([os.path.abspath(COMMAND), 'directory', 'test', 'corp', '--config', 'gateway.conf', *words], cwd=self.folder,
                              input=password, stdin=subprocess.DEVNULL if password is None else None, capture_output=True, text=True, timeout=60)  # fmt: skip
        assert (password or 'Reader.Pw1') not in done.stdout + done.stderr and 'Reader.Pw1' not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def servers(self, *words, code=GOOD, **options):
        """Of each server its steps by their names."""
        got, shown, said = self.test(*words, '--json', **options)
        assert got == code, shown + said
        found = json.loads(shown)
        assert found['good'] == (code == GOOD)
        return [{step['step']: step for step in server['steps']} for server in found['servers']]


def test_all_steps_are_good(desk):
    code, shown, said = desk.test('alice', password=PEOPLE['alice'])
    assert code == GOOD and said == '', shown + said
    lines = [line for line in shown.splitlines() if line[:3] == '  ' + line[2:3] and line[2:3] != ' ']
    assert [line.split()[:2] for line in lines] == [[step, 'good'] for step in STEPS]
    assert all(line.split()[3] == 'ms' and 0 <= int(line.split()[2]) < 5000 for line in lines)
    for text in ('127.0.9.1 port 636', 'TLS1.', 'CN=dc1.gw.test', 'CN=GW.TEST test CA', 'dc1.gw.test, localhost', 'not after   20', 'ldapreader@gw.test',
                 'CN=Alice Ängström,OU=People,DC=gw,DC=test', 'alice@gw.test', 'all is well'):  # fmt: skip
        assert text in shown, text
    assert 'what to do' not in shown


def test_what_is_found_of_an_account(desk):
    (steps,) = desk.servers('alice', password=PEOPLE['alice'])
    assert list(steps) == STEPS
    claims = {claim['type'].rsplit('/', 1)[-1]: claim['value'] for claim in steps['search']['claims']}
    assert claims['upn'] == 'alice@gw.test' and claims['windowsaccountname'] == 'GW\\alice' and claims['surname'] == 'Ängström'
    groups = {group['name']: group['direct'] for group in steps['groups']['groups'] if 'name' in group}
    assert groups == {'engineers': True, 'staff': False, 'outer': False, 'Domain Users': False, 'Users': False}
    sids = {group['name']: group['sid'] for group in steps['groups']['groups']}
    assert len(set(sids.values())) == 5 and sids['Users'] == 'S-1-5-32-545'
    for name in ('engineers', 'outer'):
        assert 'objectSid: %s\n' % sids[name] in desk.controller.tool('group', 'show', name, '--attributes=objectSid') + '\n'
    certificate = steps['tls']['certificate']
    assert certificate['subject'] == 'CN=dc1.gw.test' and certificate['issuer'] == 'CN=GW.TEST test CA' and certificate['names'] == 'dc1.gw.test, localhost'


def test_starttls(desk):
    (steps,) = desk.servers('alice', password=PEOPLE['alice'], servers=['ldap://dc1.gw.test'])
    assert list(steps) == ['connect', 'starttls', *STEPS[1:]]


def test_without_a_person_and_without_a_password(desk):
    (steps,) = desk.servers()
    assert list(steps) == STEPS[:4]
    (steps,) = desk.servers('bob@gw.test')
    assert list(steps) == STEPS[:6]


def test_a_password_that_is_typed_is_not_shown(desk):
    desk.configure()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(desk.folder)
        os.execv(os.path.abspath(COMMAND), ['fedgate', 'directory', 'test', 'corp', 'alice', '--config', 'gateway.conf'])
    shown, typed = b'', False
    while True:
        try:
            got = os.read(terminal, 65536)
        except OSError:  # it has ended
            break
        shown += got
        if b'Password' in shown and not typed:
            typed = True
            time.sleep(0.3)  # until the terminal keeps quiet
            os.write(terminal, PEOPLE['alice'].encode() + b'\n')
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == GOOD, shown
    assert b'the password is that of' in shown and PEOPLE['alice'].encode() not in shown


def test_where_people_bind_themselves(desk):
    alone = {'bind_dn': None, 'bind_password_file': None}
    (steps,) = desk.servers('alice', password=PEOPLE['alice'], **alone)
    assert list(steps) == STEPS[:6] and 'GW\\alice' in steps['bind']['text']
    (steps,) = desk.servers('alice', password='Never.Pw1', code=FAULTY, **alone)
    assert 'wrong password (Active Directory' in steps['bind']['text'] and 'sub-code 52e' in steps['bind']['text']
    (steps,) = desk.servers('alice', code=FAULTY, **alone)
    assert 'give the password' in steps['bind']['advice']


@pytest.mark.parametrize('step, advice, options', [
    ('connect', 'getent hosts nowhere.gw.test', {'servers': ['ldaps://nowhere.gw.test']}),
    ('connect', 'nothing listens at that port', {'servers': ['ldaps://dc1.gw.test:637']}),
    ('tls', 'no TLS 1.2 or 1.3 is spoken there', {'servers': ['ldaps://dc1.gw.test:389']}),
    ('tls', 'issued by CN=GW.TEST test CA, which is not in ca', {'ca': 'other-ca.pem'}),
    ('tls', 'servers names other.gw.test, but the certificate is for dc1.gw.test, localhost', {'servers': ['ldaps://other.gw.test']}),
    ('bind', 'compare bind_dn', {'bind_password_file': 'wrong'}),
    ('bind', 'compare bind_dn', {'bind_dn': 'nobody@gw.test'}),
    ('base', 'correct base: this server holds "DC=gw,DC=test"', {'base': 'DC=wg,DC=test', 'domain': 'GW', 'realm': 'GW.TEST'}),
    ('search', 'stand below base', {'base': 'CN=Users,DC=gw,DC=test', 'domain': 'GW', 'realm': 'GW.TEST'}),
])  # fmt: skip
def test_what_to_change(desk, authority, step, advice, options):
    with open(authority.ca) as ca:
        (desk.folder / 'other-ca.pem').write_text(ca.read())
    with open('/etc/hosts') as hosts:
        if 'other.gw.test' not in hosts.read():
            with open('/etc/hosts', 'a') as hosts:
                hosts.write('127.0.9.1 other.gw.test # samba-dc.sh\n')  # which STOP takes out again
    (steps,) = desk.servers('alice', code=FAULTY, **options)
    assert list(steps)[-1] == step and not steps[step]['good'] and advice in steps[step]['advice'], steps[step]
    assert all(found['good'] for name, found in steps.items() if name != step)
    code, shown, said = desk.test('alice', **options)
    assert code == FAULTY and 'what to do: ' in shown and advice in shown and 'does not work' in said
    assert desk.servers('alice')[0]['search']['good']


@contextlib.contextmanager
def tls_server(certificate, *options):
    """A port at which openssl speaks TLS, and nothing inside it."""
    port = harness.free_port()
    command = ['openssl', 's_server', '-accept', str(port), '-cert', certificate + '.crt', '-key', certificate + '.key', '-quiet', *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            harness.wait_for(lambda: port in listening(), 5)
            yield {'servers': ['ldaps://127.0.0.1:%d' % port], 'timeout': '2s'}
        finally:
            running.kill()


def listening():
    with open('/proc/net/tcp') as four, open('/proc/net/tcp6') as six:
        return {int(line.split()[1].rsplit(':')[-1], 16) for line in [*list(four)[1:], *list(six)[1:]] if line.split()[3] == '0A'}


@pytest.mark.parametrize('names, days, options, advice', [
    (['IP:127.0.0.1'], -1, [], ['it ended at 20']),
    (['DNS:elsewhere.test'], -1, [], ['the certificate is for elsewhere.test', 'it ended at 20']),
    (['IP:127.0.0.1'], 30, ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0'], ['with older versions alone']),
    (['IP:127.0.0.1'], 30, [], None),
])  # fmt: skip
def test_certificates_and_versions(desk, authority, names, days, options, advice):
    with tls_server(authority.issue('desk', names, days=days), *options) as where:
        (steps,) = desk.servers(code=FAULTY, ca=authority.ca, **where)
    assert steps['tls']['good'] == (advice is None), steps
    assert ('-tls1_1' in options) == ('TLS1.1, neither TLS 1.2 nor 1.3' in steps['tls']['text']), steps
    assert all(text in steps['tls']['advice'] for text in advice or []), steps['tls']
    assert advice is not None or 'timeout' in steps['bind']['advice']


def test_starttls_is_refused(desk):
    """By somebody on the wire: who wants the password in clear does not get it."""
    stripper = Stripper()
    (steps,) = desk.servers('alice', password=PEOPLE['alice'], code=FAULTY, servers=['ldap://127.0.0.1:%d' % stripper.port])
    stripper.close()
    assert list(steps) == ['connect', 'starttls'] and 'StartTLS was refused' in steps['starttls']['text']
    assert 'give it a certificate' in steps['starttls']['advice'] and PEOPLE['alice'].encode() not in stripper.heard and b'Reader' not in stripper.heard


@pytest.mark.parametrize('user, password, words, advice', [
    ('alice', 'Never.Pw1', 'wrong password (Active Directory\'s sub-code 52e)', 'type it again'),
    ('carol', PEOPLE['carol'], 'the account is disabled', 'enable the account'),
    ('dave', PEOPLE['dave'], 'the password must be changed (Active Directory\'s sub-code 773)', 'must be changed before it counts'),
    ('erin', PEOPLE['erin'], 'the account has expired', 'another end'),
])  # fmt: skip
def test_why_a_password_does_not_do(desk, user, password, words, advice):
    (steps,) = desk.servers(user, password=password, code=FAULTY)
    assert not steps['password']['good'] and words in steps['password']['text'] and advice in steps['password']['advice'], steps['password']


def test_an_account_that_is_disabled_is_told_without_its_password(desk):
    (steps,) = desk.servers('carol', code=FAULTY)
    assert 'CN=Carol Disabled' in steps['search']['text'] and 'the account is disabled' in steps['search']['text']


def test_one_server_is_down(desk):
    down, up = desk.servers('alice', password=PEOPLE['alice'], code=FAULTY, servers=['ldaps://dc1.gw.test:%d' % harness.free_port(), 'ldaps://dc1.gw.test'])
    assert list(down) == ['connect'] and list(up) == STEPS and all(step['good'] for step in up.values())
    code, shown, said = desk.test('alice', servers=['ldaps://dc1.gw.test:%d' % harness.free_port(), 'ldaps://dc1.gw.test'])
    assert code == FAULTY and '1 of 2 servers without fault' in shown and 'people can sign in by the one server' in said


@pytest.mark.parametrize('scheme, last', [('ldaps', 'tls'), ('ldap', 'starttls')])
def test_a_server_that_hangs_costs_its_timeout_and_no_more(desk, scheme, last):
    os.killpg(desk.controller.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        (steps,) = desk.servers('alice', code=FAULTY, servers=[scheme + '://dc1.gw.test'], timeout='2s')
        took = time.monotonic() - begun
    finally:
        os.killpg(desk.controller.pid, signal.SIGCONT)
    assert list(steps) == ['connect', last] and 'timeout' in steps[last]['advice']
    assert 1.8 < took < 4 and 1800 <= steps[last]['ms'] < 3500
    assert desk.servers('alice')[0]['search']['good']


# ---- OpenLDAP


@pytest.fixture(scope='module')
def slapd():
    with Slapd() as running:
        yield running


def plain(slapd, **options):
    return {'domain': None, **openldap.directory(slapd, **options)}


def test_openldap(desk, slapd):
    for servers in ([slapd.ldaps], [slapd.ldap]):
        (steps,) = desk.servers('alice', password=openldap.PEOPLE['alice'], **plain(slapd, servers=servers))
        assert [step for step in steps if step != 'starttls'] == STEPS and steps['search']['text'] == 'uid=alice,ou=people,dc=people,dc=test'
        assert {'name': 'outer', 'direct': False} in steps['groups']['groups'] and {'name': 'engineers', 'direct': True} in steps['groups']['groups']


@pytest.mark.parametrize('user, words', [
    ('locked', 'the account is locked'), ('reset', 'the password must be changed')])  # fmt: skip
def test_what_the_password_policy_says(desk, slapd, user, words):
    (steps,) = desk.servers(user, password=openldap.PEOPLE[user], code=FAULTY, **plain(slapd))
    assert words in steps['search']['text'] + steps['password']['text'], steps


@pytest.mark.parametrize('parameters, scheme, step, text, advice', [
    ({'TLS': 'no'}, 'ldap', 'starttls', 'StartTLS was refused', 'give it a certificate'),
    ({'LIMIT': '2'}, 'ldaps', 'groups', 'Size limit exceeded', 'raise its limit for the account'),
])  # fmt: skip
def test_an_openldap_that_will_not(desk, parameters, scheme, step, text, advice):
    with Slapd(**parameters) as server:
        (steps,) = desk.servers('alice', password=openldap.PEOPLE['alice'], code=FAULTY, **plain(server, servers=[getattr(server, scheme)]))
        assert list(steps)[-1] == step and text in steps[step]['text'] and advice in steps[step]['advice'], steps


def test_nobody_may_search(desk):
    """Without an account that searches, and with a server that lets nobody in particular do so."""
    nobody = {'bind_dn': None, 'bind_password_file': None}
    with Slapd(ANONYMOUS='no') as server:
        (steps,) = desk.servers('alice', code=FAULTY, **{**plain(server), **nobody})
        assert list(steps)[-1] == 'bind' and 'set bind_dn' in steps['bind']['advice'], steps
    with Slapd() as server:
        (steps,) = desk.servers('alice', code=FAULTY, **{**plain(server), **nobody})
        assert list(steps)[-1] == 'base' and not steps['base']['good'], steps


def test_a_users_file(desk):
    people = desk.folder / 'users.json'
    people.unlink(missing_ok=True)
    subprocess.run([os.path.abspath(COMMAND), 'user', 'add', 'ann', '--group', 'Staff', '--file', str(people), '--password-stdin'], input='Ann.Pw1\n', text=True, check=True)
    only = dict.fromkeys(['servers', 'ca', 'base', 'timeout', 'bind_dn', 'bind_password_file'])
    options = {**only, 'type': 'file', 'path': str(people)}
    code, shown, _ = desk.test(**options)
    assert code == GOOD and 'is a users file' in shown and 'no server to ask' in shown
    code, shown, _ = desk.test('ann', password='Ann.Pw1', **options)
    assert code == GOOD and 'the password is right' in shown and 'Staff' in shown
    code, shown, said = desk.test('ann', password='Never.Pw1', **options)
    assert code == FAULTY and 'ann' in said
    code, shown, said = desk.test('bob', **options)
    assert code == FAULTY and 'bob' in said
    code, shown, _ = desk.test('ann', '--json', **options)
    assert json.loads(shown)['good'] and {'type': 'http://schemas.xmlsoap.org/claims/Group', 'value': 'Staff'} in json.loads(shown)['claims']


def test_a_directory_that_is_not_there(desk):
    desk.configure()
    done = subprocess.run([os.path.abspath(COMMAND), 'directory', 'test', 'crop', '--config', 'gateway.conf'], cwd=desk.folder, capture_output=True, text=True)
    assert done.returncode == UNREADABLE and 'has no directory "crop"; did you mean "corp"?' in done.stderr
    code, _, said = desk.test(ca='missing.pem')
    assert code == UNREADABLE and 'missing.pem' in said
