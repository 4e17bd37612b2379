# SPDX-License-Identifier: GPL-2.0-or-later
"""WS-Management through the running gateway: pywinrm and openwsman's wsman before it, a recording WinRM server behind it. Attacks by the ids
of the list (WM-…), each with its control: the same message without the defect arrives behind, byte for byte."""
import base64
import concurrent.futures
import gzip
import json
import os
import re
import shutil
import subprocess

import pytest
from lxml import etree

import harness
import peers
import wsman
from messages import USERNAME, rst
from tokens import JwtIssuer

VECTORS = os.path.join(os.environ.get('FEDGATE_VECTORS', ''), 'wsman')
WSMAN = shutil.which('wsman')
ISSUER = 'https://robots.example/'
USERS = {
    'alice': {'password': 'alice-secret', 'groups': ['Administrators', 'Staff'], 'upn': 'alice@example.com'},
    'olga': {'password': 'olga-secret', 'groups': ['Operators', 'Staff'], 'upn': 'olga@example.com'},
    'oscar': {'password': 'oscar-secret', 'groups': ['Operators', 'Staff'], 'upn': 'oscar@example.com'},
    'vera': {'password': 'vera-secret', 'groups': ['Viewers', 'Staff'], 'upn': 'vera@example.com'},
    'bob': {'password': 'bob-secret', 'groups': ['Staff'], 'upn': 'bob@example.com'},
}
# operators read services, and run two things; viewers open shells and do nothing in them
POLICY = """

@RuleName = "administrators do everything"
[role == "Administrators"] => permit();
@RuleName = "robots do everything"
[certificate == "CN=robot"] => permit();
[operation == "Identify"] && [role == "Staff"] => permit();
@RuleName = "operators read services"
[role == "Operators"] && [operation =~ "^(Enumerate|Pull|Release|Get)$"] && [resource == "%(service)s"] && NOT EXISTS([filter =~ "."]) => permit();
@RuleName = "operators have shells"
[role == "Operators"] && [operation =~ "^(Create|Receive|Signal|Delete)$"] && [resource == "%(cmd)s"] => permit();
[role == "Operators"] && [operation == "Command"] && [command_line == "ipconfig /all"] => permit();
@RuleName = "operators look at services"
[role == "Operators"] && [operation == "Command"] && [script == "Get-Service"] => permit();
[role == "Viewers"] && [operation == "Create"] && [resource == "%(cmd)s"] => permit();
@RuleName = "nobody formats"
[command == "format"] => deny("disks are not formatted here");
"""  # fmt: skip


@pytest.fixture(scope='module')
def recorder():
    running = wsman.Recorder()
    yield running
    running.stop()


def rules():
    return POLICY % {'service': wsman.SERVICE, 'cmd': wsman.CMD}


@pytest.fixture(scope='module')
def robot(authority):
    """A client certificate."""
    folder = authority.folder
    path = os.path.join(folder, 'robot')
    harness.run('openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=robot', '-keyout', path + '.key', '-out', path + '.csr')
    with open(path + '.ext', 'w') as file:
        file.write('extendedKeyUsage=clientAuth\n')
    done = harness.run('openssl', 'x509', '-req', '-in', path + '.csr', '-CA', authority.ca, '-CAkey', authority.key, '-CAcreateserial',
                       '-days', '30', '-extfile', path + '.ext', '-out', path + '.crt')  # fmt: skip
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope='module')
def managed(authority, recorder, robot):
    """The gateway before the recorder; /wsman takes all credentials."""
    port = harness.free_port()
    base = 'https://localhost:%d' % port
    server = """ssl_client_certificate %s; ssl_verify_client optional;
    location = /wsman { fedgate_protect GATEWAY_CONF winrm; proxy_pass http://127.0.0.1:%d; }
    location = /metrics { fedgate_status GATEWAY_CONF; }""" % (authority.ca, recorder.port)
    issuers = {name: JwtIssuer(authority.folder, ISSUER, name) for name in ('provider', 'stranger')}
    sections = {
        ('protect', 'winrm'): {'kind': 'wsman', 'policy': 'winrm.policy', 'accept': ['basic', 'bearer', 'certificate', 'soap']},
        ('identity_provider', 'robots'): {'issuer': ISSUER, 'certificate': [issuers['provider'].certificate]},
        'lockout': {'account_failures': 1000, 'address_failures': 1000},
    }
    partners = {'winrm': {'realm': [base], 'claims': harness.CLAIMS, 'token': 'saml20', 'name_id': 'upn'},
                'elsewhere': {'realm': ['urn:test:elsewhere'], 'claims': harness.CLAIMS, 'token': 'saml20'}}  # fmt: skip
    gateway = harness.Gateway(authority, port=port, users=USERS, partners=partners, sections=sections, server=server)
    gateway.issuers = issuers
    write_policy(gateway, rules())
    with gateway:
        yield gateway
    assert '[alert]' not in gateway.last_log and '[crit]' not in gateway.last_log, gateway.last_log


@pytest.fixture(autouse=True)
def nothing_behind_yet(recorder):
    recorder.forget()


def write_policy(gateway, text):
    with open(os.path.join(gateway.site.folder, 'winrm.policy'), 'w') as file:
        file.write(text)


def ask(gateway, body, user='alice', headers=None, **options):
    """A message as the user; None: nobody's."""
    auth = (user, user + '-secret') if user else None
    body = body.encode() if isinstance(body, str) else body
    return gateway.post('/wsman', body, headers={**wsman.HEADERS, **(headers or {})}, auth=auth, **options)


def winrm(gateway, user='alice', *arguments, password=None):
    return peers.run_json(gateway, 'ws/winrm_driver.py', gateway.url('/wsman'), user, password or user + '-secret',
                          '--ca', gateway.authority.ca, *arguments)  # fmt: skip


# ---- pywinrm


def test_pywinrm_runs_what_is_permitted(managed, recorder):
    status, said = winrm(managed, 'olga')
    assert status == 0 and said['output'] == 'hello from behind\r\n', said
    assert recorder.operations() == ['Create', 'Command', 'Receive', 'Signal', 'Delete']
    path, headers, _ = recorder.last()
    assert path == '/wsman'
    assert 'authorization' not in headers, 'the credential was for the gateway'
    assert headers['x-fedgate-subject'] == ['olga@example.com']


def test_pywinrm_runs_a_script_that_the_policy_reads(managed, recorder):
    status, said = winrm(managed, 'olga', '--ps', 'Get-Service')
    assert status == 0, said
    recorder.forget()
    status, said = winrm(managed, 'olga', '--ps', 'Stop-Service spooler')
    assert status == 1 and said['step'] == 'run' and 'AccessDenied' in said['fault'], said
    assert recorder.operations() == ['Create']


@pytest.mark.parametrize(
    'user,run,step',
    [('bob', ['ipconfig', '/all'], 'open'), ('olga', ['format', 'c:'], 'run'), ('olga', ['ipconfig', '/release'], 'run'), ('alice', ['format', 'c:'], 'run')],
)
def test_pywinrm_is_told_that_access_is_denied(managed, recorder, user, run, step):
    status, said = winrm(managed, user, '--run', *run)
    assert status == 1 and said['step'] == step, said
    assert 'AccessDenied' in said['fault'] and "'wsmanfault_code': '5'" in said['fault'], said
    assert 'Command' not in recorder.operations()
    status, said = winrm(managed, 'alice', '--run', 'ipconfig', '/all')  # control
    assert status == 0, said


def test_pywinrm_with_a_wrong_password(managed, recorder):
    status, said = winrm(managed, 'alice', password='wrong')
    assert status == 1 and 'InvalidCredentialsError' in said['fault'], said
    assert recorder.operations() == []


def test_pywinrm_with_a_client_certificate(managed, recorder, robot):
    status, said = winrm(managed, 'x', '--cert', robot + '.crt', '--key', robot + '.key')
    assert status == 0, said
    assert recorder.operations() == ['Create', 'Command', 'Receive', 'Signal', 'Delete']
    recorder.forget()
    # of another name: verified, but the policy does not know it
    status, said = winrm(managed, 'x', '--cert', managed.authority.certificate + '.crt', '--key', managed.authority.certificate + '.key')
    assert status == 1 and recorder.operations() == [], said


# ---- tokens


def saml(gateway, user, realm=None):
    """An assertion of our own STS, as base64 of its bytes."""
    answer = gateway.soap(USERNAME['13'], rst(gateway.base_url, user, user + '-secret', realm or gateway.base_url))
    assert answer.status_code == 200, answer.text
    text = re.search(rb'<(?:\w+:)?Assertion\b.*</(?:\w+:)?Assertion>', answer.content, re.S).group(0)
    return base64.b64encode(text).decode()


def jwt(gateway, issuer='provider', **claims):
    return gateway.issuers[issuer].token(**{'aud': gateway.base_url, 'role': ['Administrators'], **claims})


def test_pywinrm_with_a_token_of_our_own(managed, recorder):
    status, said = winrm(managed, 'x', '--bearer', saml(managed, 'olga'))
    assert status == 0, said
    _, headers, _ = recorder.last()
    assert headers['x-fedgate-subject'] == ['olga@example.com'] and 'authorization' not in headers
    recorder.forget()
    status, said = winrm(managed, 'x', '--bearer', saml(managed, 'bob'))
    assert status == 1 and 'AccessDenied' in said['fault'], said
    status, said = winrm(managed, 'x', '--bearer', saml(managed, 'alice', 'urn:test:elsewhere'))
    assert status == 1 and 'InvalidCredentialsError' in said['fault'], said
    assert recorder.operations() == []


def test_pywinrm_with_a_jwt_of_an_identity_provider(managed, recorder):
    status, said = winrm(managed, 'x', '--bearer', jwt(managed))
    assert status == 0, said
    assert recorder.last()[1]['x-fedgate-issuer'] == [ISSUER]


@pytest.mark.parametrize(
    'change',
    [{'issuer': 'stranger'}, {'aud': 'https://elsewhere.example/'}, {'iss': 'https://nobody.example/'}, {'exp': 1000000000}, {'exp': None}, {'aud': None},
     {'header': {'alg': 'none'}}, {'header': {'alg': 'HS256'}}, {'nbf': 4000000000}],
)  # fmt: skip
def test_a_jwt_that_is_not_for_us_is_refused(managed, recorder, change):
    answer = ask(managed, wsman.get(), user=None, headers={'Authorization': 'Bearer ' + jwt(managed, **change)})
    assert answer.status_code == 401 and recorder.operations() == [], answer.text
    answer = ask(managed, wsman.get(), user=None, headers={'Authorization': 'Bearer ' + jwt(managed)})  # control
    assert answer.status_code == 200, answer.text


# ---- openwsman's client


def openwsman(gateway, user, *arguments):
    done = subprocess.run([WSMAN, '--https', '-h', 'localhost', '-P', str(gateway.port), '-u', user, '-p', user + '-secret', '-y', 'basic',
                           '-c', gateway.authority.ca, *arguments], capture_output=True, text=True, timeout=60,
                          env=peers.environment(gateway))  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(not WSMAN, reason='there is no wsman command')
@pytest.mark.parametrize(
    'arguments,operations',
    [(['identify'], ['Identify']), (['enumerate', wsman.SERVICE], ['Enumerate', 'Pull']), (['get', wsman.SERVICE + '?Name=Spooler'], ['Get']),
     (['invoke', '-a', 'StopService', wsman.SERVICE + '?Name=Spooler'], ['StopService'])],
)  # fmt: skip
def test_openwsman_s_client(managed, recorder, arguments, operations):
    status, output = openwsman(managed, 'alice', *arguments)
    assert status == 0 and 'Fault' not in output, output
    assert [name for name in recorder.operations()][: len(operations)] == operations, output
    recorder.forget()
    if arguments[0] != 'identify':
        status, output = openwsman(managed, 'bob', *arguments)
        assert 'AccessDenied' in output or 'denied' in output.lower(), output
        assert recorder.operations() == []


@pytest.mark.skipif(not os.path.isdir(VECTORS), reason='FEDGATE_VECTORS is not set')
def test_recorded_requests_arrive_byte_for_byte(managed, recorder):
    def fixture(name):
        with open(os.path.join(VECTORS, name), 'rb') as file:
            return file.read()

    def passes(name):
        body = fixture(name)
        answer = ask(managed, body)
        assert answer.status_code == 200, (name, answer.text)
        path, headers, arrived = recorder.last()
        assert arrived == body and headers['content-length'] == [str(len(body))], name

    # the ids that the recorded messages name
    recorder.next_ids('63a55055-60d8-10d8-8002-01000000fc02', '67A74734-DD32-4F10-89DE-49A060483810', '1A6DEE6B-EC68-4DD6-87E9-030C0048ECC4')
    for name in ('enumerate', 'pull', 'identify', 'get', 'invoke', 'enumerate-wql', 'delete'):
        if name == 'pull':
            assert ask(managed, fixture('wsmancli/pull-request.xml'), 'olga').status_code == 500
        passes('wsmancli/%s-request.xml' % name)
        if name == 'enumerate':
            recorder.next_ids('67A74734-DD32-4F10-89DE-49A060483810', '1A6DEE6B-EC68-4DD6-87E9-030C0048ECC4')
        elif name == 'enumerate-wql':
            recorder.next_ids('67A74734-DD32-4F10-89DE-49A060483810', '1A6DEE6B-EC68-4DD6-87E9-030C0048ECC4')
    for name in ('1-create', '2-command', '3-receive', '4-signal', '5-delete'):
        passes('pywinrm/%s-request.xml' % name)
    recorder.forget()
    # events would be sent to an address of the client's choice (WM-15)
    answer = ask(managed, fixture('wsmancli/subscribe-request.xml'))
    assert wsman.fault(answer) and recorder.operations() == []


# ---- WM: messages that two readers could understand differently


def once(old, new):
    def change(text, headers):
        assert text.count(old) == 1, (old, text)
        return text.replace(old, new), headers

    return change


def header_added(element):
    return once('</s:Header>', element + '</s:Header>')


def http(**headers):
    headers = {name.replace('_', '-'): one for name, one in headers.items()}
    return lambda text, before: (text, {**before, **headers})


def gzipped(text, headers):
    return gzip.compress(text.encode()), {**headers, 'Content-Encoding': 'gzip'}


def soap11(text, headers):
    return text.replace(wsman.SOAP, 'http://schemas.xmlsoap.org/soap/envelope/'), headers


ACTION = '<a:Action s:mustUnderstand="true">%s</a:Action>'
GET = wsman.TRANSFER + 'Get'
DELETE = wsman.TRANSFER + 'Delete'
RESOURCE = '<w:ResourceURI s:mustUnderstand="true">%s</w:ResourceURI>' % wsman.SERVICE
REPLY = '<a:ReplyTo><a:Address>%s</a:Address></a:ReplyTo>'
REMOTE = 'http://attacker.example/'
CONTENT_TYPE = 'application/soap+xml;charset=UTF-8'

# id, message, what is changed; administrators are permitted everything, so only the message can be what is refused
AMBIGUOUS = [
    ('WM-01 SOAPAction', wsman.get, http(SOAPAction='"%s"' % DELETE)),
    ('WM-01 action of Content-Type', wsman.get, http(Content_Type=CONTENT_TYPE + ';action="%s"' % DELETE)),
    ('WM-01 Body of another operation', wsman.enumerate_, once(wsman.ENUMERATION + '/Enumerate<', wsman.ENUMERATION + '/Pull<')),
    ('WM-01 Body of an operation in Get', wsman.get, once('<s:Body>', '<s:Body><n:Enumerate/>')),
    ('WM-02 no Action', wsman.get, once(ACTION % GET, '')),
    ('WM-02 two Actions', wsman.get, header_added(ACTION % DELETE)),
    ('WM-02 two equal Actions', wsman.get, header_added(ACTION % GET)),
    ('WM-02 Action nested', wsman.get, lambda text, headers: (text.replace(ACTION % GET, '<a:RelatesTo>%s</a:RelatesTo>' % (ACTION % GET)), headers)),
    ('WM-02 no ResourceURI', wsman.get, once(RESOURCE, '')),
    ('WM-02 two ResourceURI', wsman.get, header_added(RESOURCE)),
    ('WM-02 two To', wsman.get, header_added('<a:To>http://other/wsman</a:To>')),
    ('WM-02 no To', wsman.get, once('<a:To s:mustUnderstand="true">http://windows-host:5985/wsman</a:To>\n', '')),
    ('WM-02 Action of another namespace', wsman.get, header_added('<b:Action xmlns:b="http://www.w3.org/2005/08/addressing">%s</b:Action>' % DELETE)),
    ('WM-03 two Bodies', wsman.get, once('</s:Envelope>', '<s:Body/></s:Envelope>')),
    ('WM-03 two children', wsman.enumerate_, once('</s:Body>', '<n:Enumerate/></s:Body>')),
    ('WM-03 Body before Header', wsman.get, once('<s:Header>', '<s:Body/><s:Header>')),
    ('WM-03 two Headers', wsman.get, once('<s:Header>', '<s:Header/><s:Header>')),
    ('WM-04 unknown header that must be understood', wsman.get, header_added('<x:Odd xmlns:x="urn:x" s:mustUnderstand="true"/>')),
    ('WM-05 SOAP 1.1', wsman.get, soap11),
    ('WM-05 Content-Type of SOAP 1.1', wsman.get, http(Content_Type='text/xml;charset=UTF-8')),
    ('WM-06 gzip', wsman.get, gzipped),
    ('WM-06 unknown charset', wsman.get, http(Content_Type='application/soap+xml;charset=UTF-7')),
    ('WM-06 declared encoding', wsman.get, lambda text, headers: ('<?xml version="1.0" encoding="utf-7"?>' + text, headers)),
    ('WM-07 encrypted body', wsman.get,
     http(Content_Type='multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"')),
    ('WM-09 white space in the ResourceURI', wsman.get, once('Win32_Service<', 'Win32_Service <')),
    ('WM-10 selector twice', wsman.get, once('</w:SelectorSet>', '<w:Selector Name="Name">Other</w:Selector></w:SelectorSet>')),
    ('WM-10 selector twice, other case', wsman.get, once('</w:SelectorSet>', '<w:Selector Name="NAME">Other</w:Selector></w:SelectorSet>')),
    ('WM-10 address in a selector', wsman.get,
     once('>Spooler<', '><a:EndpointReference><a:Address>http://x/</a:Address></a:EndpointReference><')),
    ('WM-10 two SelectorSets', wsman.get, header_added('<w:SelectorSet><w:Selector Name="Name">Other</w:Selector></w:SelectorSet>')),
    ('WM-14 MaxElements', wsman.enumerate_, once('<n:Enumerate>', '<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>4000000000</w:MaxElements>')),
    ('WM-14 MaxElements is no number', wsman.enumerate_, once('<n:Enumerate>', '<n:Enumerate><w:MaxElements>-1</w:MaxElements>')),
    ('WM-14 MaxEnvelopeSize', wsman.get, once('>153600<', '>99999999999<')),
    ('WM-15 ReplyTo', wsman.get, once(REPLY % wsman.ANONYMOUS, REPLY % REMOTE)),
    ('WM-15 FaultTo', wsman.get, header_added('<a:FaultTo><a:Address>%s</a:Address></a:FaultTo>' % REMOTE)),
    ('WM-17 DOCTYPE', wsman.get, lambda text, headers: ('<!DOCTYPE s:Envelope [<!ENTITY e "Get">]>' + text, headers)),
]  # fmt: skip


@pytest.mark.parametrize('make,change', [row[1:] for row in AMBIGUOUS], ids=[row[0] for row in AMBIGUOUS])
def test_wm_ambiguous_messages_do_not_arrive(managed, recorder, make, change):
    before = len(managed.site.audit())
    body, headers = change(make(), {})
    answer = ask(managed, body, headers=headers)
    assert answer.status_code in (400, 413, 415, 500), answer.status_code
    assert wsman.fault(answer), answer.text
    assert recorder.operations() == []
    # the line is written when the answer is on its way
    harness.wait_for(lambda: len(managed.site.audit()) > before)
    control = make()
    assert ask(managed, control).status_code == 200
    assert recorder.last()[2] == control.encode()


# what a strict reader takes, the server behind gets as it is
HARMLESS = [
    ('WM-01 SOAPAction', wsman.get, http(SOAPAction='"%s"' % GET)),
    ('WM-01 action of Content-Type', wsman.get, http(Content_Type=CONTENT_TYPE + ';action="%s"' % GET)),
    ('WM-04 unknown header', wsman.get, header_added('<x:Odd xmlns:x="urn:x"><x:y/></x:Odd>')),
    ('WM-06 UTF-8 said twice', wsman.get, lambda text, headers: ('<?xml version="1.0" encoding="utf-8"?>\n' + text, headers)),
    ('WM-10 two selectors', wsman.get, once('</w:SelectorSet>', '<w:Selector Name="Host">Other</w:Selector></w:SelectorSet>')),
    ('WM-14 MaxElements', wsman.enumerate_, once('<n:Enumerate>', '<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>20</w:MaxElements>')),
    ('WM-17 odd but equal for all', wsman.get, once('<s:Header>', '<s:Header  >\r\n\t')),
]  # fmt: skip


@pytest.mark.parametrize('make,change', [row[1:] for row in HARMLESS], ids=[row[0] for row in HARMLESS])
def test_wm_what_is_clear_arrives_as_it_was_sent(managed, recorder, make, change):
    body, headers = change(make(), {})
    answer = ask(managed, body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert recorder.last()[2] == body.encode()


def test_wm08_without_credentials(managed, recorder):
    for headers in ({}, {'Authorization': ''}, {'Authorization': 'Basic'}, {'Authorization': 'Basic !'}, {'Authorization': 'Negotiate abc'},
                    {'Authorization': 'Bearer'}, {'Cookie': '__Host-fedgate=x'}):  # fmt: skip
        for body in (wsman.get(), wsman.IDENTIFY):
            answer = ask(managed, body, user=None, headers=headers)
            assert answer.status_code == 401 and 'Basic' in answer.headers['WWW-Authenticate'], (headers, answer.status_code)
    assert recorder.operations() == []
    assert ask(managed, wsman.get()).status_code == 200


def refused(managed, recorder, body, user, code='AccessDenied', **options):
    recorder.forget()
    answer = ask(managed, body, user, **options)
    assert wsman.fault(answer) == code, answer.text
    assert recorder.operations() == []


@pytest.mark.parametrize('resource', [
    wsman.SERVICE.upper(), wsman.SERVICE.replace('Win32_Service', 'win32_service'), wsman.SERVICE.replace('S', '%53'), wsman.SERVICE + '/',
    wsman.SERVICE + 's', wsman.SERVICE + '?x=y', wsman.SERVICE.replace('/wbem/', '//wbem/'), wsman.SERVICE[:-1]])  # fmt: skip
def test_wm09_a_resource_is_compared_byte_for_byte(managed, recorder, resource):
    assert ask(managed, wsman.get(), 'olga').status_code == 200
    recorder.forget()
    answer = ask(managed, wsman.get(resource), 'olga')
    assert wsman.fault(answer) and recorder.operations() == []


def test_wm11_enumerations_belong_to_whoever_began_them(managed, recorder):
    context = wsman.value(ask(managed, wsman.enumerate_(), 'olga'), 'EnumerationContext')
    # oscar may do the same things, alice everything: but not with what is olga's
    for user in ('oscar', 'alice'):
        for operation in ('Pull', 'Release'):
            recorder.forget()
            answer = ask(managed, wsman.with_context(operation, context), user)
            assert wsman.fault(answer) and recorder.operations() == [], answer.text
    for operation in ('Renew', 'GetStatus'):
        answer = ask(managed, wsman.with_context(operation, context), 'alice')
        assert wsman.fault(answer) and recorder.operations() == []
    refused_context = ask(managed, wsman.with_context('Pull', 'never-was'), 'olga')
    assert wsman.fault(refused_context) and recorder.operations() == []
    assert ask(managed, wsman.with_context('Pull', context), 'olga').status_code == 200
    assert ask(managed, wsman.with_context('Release', context), 'olga').status_code == 200
    recorder.forget()
    assert wsman.fault(ask(managed, wsman.with_context('Pull', context), 'olga')), 'it was released'
    assert recorder.operations() == []


def test_wm11_shells_belong_to_whoever_opened_them(managed, recorder):
    shell = wsman.value(ask(managed, wsman.create(), 'olga'), 'ShellId')
    one = wsman.value(ask(managed, wsman.command(shell, 'ipconfig', '/all'), 'olga'), 'CommandId')
    messages = [wsman.command(shell, 'ipconfig', '/all'), wsman.receive(shell, one), wsman.send(shell, one), wsman.signal(shell, one),
                wsman.delete_shell(shell)]  # fmt: skip
    recorder.forget()
    for body in messages:
        answer = ask(managed, body, 'alice')
        assert wsman.fault(answer) and recorder.operations() == [], answer.text
    assert ask(managed, wsman.receive(shell, one), 'olga').status_code == 200
    assert ask(managed, wsman.signal(shell, one), 'olga').status_code == 200
    assert ask(managed, wsman.delete_shell(shell), 'olga').status_code == 200
    recorder.forget()
    assert wsman.fault(ask(managed, wsman.receive(shell, one), 'olga')), 'it was closed'
    assert recorder.operations() == []


def test_wm11_the_same_person_with_another_credential(managed, recorder):
    """A shell opened with a password is used with a token of the same person: the subject counts."""
    shell = wsman.value(ask(managed, wsman.create(), 'olga'), 'ShellId')
    bearer = {'Authorization': 'Bearer ' + saml(managed, 'oscar')}
    assert wsman.fault(ask(managed, wsman.delete_shell(shell), None, headers=bearer))
    assert ask(managed, wsman.delete_shell(shell), 'olga').status_code == 200


def test_wm12_a_filter_is_a_permission_of_its_own(managed, recorder):
    assert ask(managed, wsman.enumerate_(), 'olga').status_code == 200
    for body in (wsman.enumerate_(content=wsman.wql('select * from Win32_UserAccount')),
                 wsman.enumerate_(content='<n:Filter>//x</n:Filter>'),
                 wsman.enumerate_(content=wsman.wql('select Name from Win32_Service', 'http://example.test/dialect'))):  # fmt: skip
        recorder.forget()
        answer = ask(managed, body, 'olga')
        assert wsman.fault(answer) and recorder.operations() == [], answer.text
    assert ask(managed, wsman.enumerate_(content=wsman.wql('select Name from Win32_Service')), 'alice').status_code == 200


def test_wm13_create_does_not_permit_what_comes_after_it(managed, recorder):
    shell = wsman.value(ask(managed, wsman.create(), 'vera'), 'ShellId')
    for body in (wsman.command(shell, 'ipconfig', '/all'), wsman.send(shell, 'x'), wsman.receive(shell, 'x'), wsman.signal(shell, 'x'),
                 wsman.delete_shell(shell)):  # fmt: skip
        refused(managed, recorder, body, 'vera')
    shell = wsman.value(ask(managed, wsman.create(), 'olga'), 'ShellId')
    one = wsman.value(ask(managed, wsman.command(shell, 'ipconfig', '/all'), 'olga'), 'CommandId')
    refused(managed, recorder, wsman.send(shell, one), 'olga')
    refused(managed, recorder, wsman.command(shell, 'cmd', '/c', 'del', 'x'), 'olga')
    refused(managed, recorder, wsman.command(shell, 'ipconfig', '/all & del x'), 'olga')
    assert ask(managed, wsman.delete_shell(shell), 'olga').status_code == 200


def test_wm16_identity_comes_from_credentials_alone(managed, recorder):
    forged = {'X-Fedgate-Subject': 'alice@example.com', 'X_Fedgate_Subject': 'alice@example.com', 'X-Remote-User': 'alice', 'x-fedgate-role': 'Administrators'}
    for user, status in (('bob', 500), ('alice', 200)):
        recorder.forget()
        answer = managed.post('/wsman?user=alice&role=Administrators', wsman.get().encode(), headers={**wsman.HEADERS, **forged}, auth=(user, user + '-secret'))
        assert answer.status_code == status, answer.text
    _, headers, _ = recorder.last()
    assert headers['x-fedgate-subject'] == ['alice@example.com'] and 'x-fedgate-role' not in headers
    assert 'x_fedgate_subject' not in headers
    recorder.forget()
    with_header = wsman.get().replace('</s:Header>', '<x:role xmlns:x="urn:fedgate:request:">Administrators</x:role></s:Header>')
    refused(managed, recorder, with_header, 'bob')


def test_wm17_chunked_bodies_arrive_as_they_were_checked(managed, recorder):
    body = wsman.get().encode()
    answer = ask(managed, iter([body[:100], body[100:300], body[300:]]))
    assert answer.status_code == 200, answer.text
    path, headers, arrived = recorder.last()
    assert arrived == body and headers['content-length'] == [str(len(body))] and 'transfer-encoding' not in headers


def test_wm18_a_policy_that_fails_changes_nothing(managed, recorder, make_gateway):
    text = rules()
    try:
        write_policy(managed, text.replace('[role == "Administrators"] => permit();', '[role == "Administrators"] => permit('))
        harness.wait_for(lambda: 'the last good one stays' in managed.nginx.log() or 'keeps' in managed.nginx.log(), 15)
        assert ask(managed, wsman.get()).status_code == 200
        refused(managed, recorder, wsman.get(), 'bob')
        assert not managed.nginx.reload(), 'a reload with a wrong policy is refused'
        assert ask(managed, wsman.get()).status_code == 200
        # one that can be read is taken up without a reload
        write_policy(managed, text.replace('role == "Administrators"', 'role == "Nobody"'))
        harness.wait_for(lambda: ask(managed, wsman.get()).status_code == 500, 15)
    finally:
        write_policy(managed, text)
    harness.wait_for(lambda: ask(managed, wsman.get()).status_code == 200, 15)
    cold = make_gateway(start=False, sections={('protect', 'winrm'): {'kind': 'wsman', 'policy': 'winrm.policy'}}, partners={},
                        server='location = /wsman { fedgate_protect GATEWAY_CONF winrm; }')  # fmt: skip
    write_policy(cold, 'no rule')
    done = cold.nginx.check()
    assert done.returncode != 0 and 'winrm.policy:1:' in done.stderr, done.stderr


# ---- what is written down


def test_every_decision_is_written_to_the_audit_log(managed, recorder):
    before = len(managed.site.audit())
    shell = wsman.value(ask(managed, wsman.create(), 'olga'), 'ShellId')
    assert ask(managed, wsman.command(shell, 'ipconfig', '/all'), 'olga').status_code == 200
    refused(managed, recorder, wsman.command(shell, 'format', 'c:'), 'olga')
    refused(managed, recorder, wsman.get(), 'bob')
    harness.wait_for(lambda: len(decisions(managed, before)) == 4)
    create, command, formatted, get = decisions(managed, before)
    for line in (create, command, formatted, get):
        assert line['protect'] == 'winrm' and line['credential'] == 'basic' and line['issuer'] == 'people', line
    assert create['event'] == command['event'] == 'permitted' and formatted['event'] == get['event'] == 'refused'
    assert create['operation'] == 'Create' and create['rule_name'] == 'operators have shells' and re.search(r'winrm\.policy:\d+$', create['rule'])
    assert command['command_line'] == 'ipconfig /all' and command['user'] == 'olga'
    assert formatted['command_line'] == 'format c:' and formatted['rule_name'] == 'nobody formats'
    assert get['user'] == 'bob' and get['resource'] == wsman.SERVICE and 'rule' not in get
    text = json.dumps(managed.site.audit()[before:])
    assert 'olga-secret' not in text and 'bob-secret' not in text


def decisions(gateway, before):
    return [line for line in gateway.site.audit()[before:] if line.get('protect')]


def test_no_line_is_lost_at_a_reload_or_at_the_end(authority):
    """Lines are written once per turn of the event loop: also those of a worker's last turn, whole, and each once."""
    issuer = JwtIssuer(authority.folder, ISSUER, 'provider')
    sections = {('protect', 'api'): {'kind': 'rest', 'policy': 'api.policy', 'accept': ['bearer']},
                ('identity_provider', 'robots'): {'issuer': ISSUER, 'certificate': [issuer.certificate]}}  # fmt: skip
    gateway = harness.Gateway(authority, sections=sections, server='location /api/ { fedgate_protect GATEWAY_CONF api; alias %s/; }' % authority.folder)
    with open(os.path.join(gateway.site.folder, 'api.policy'), 'w') as file:
        file.write('=> permit();')
    headers = {'Authorization': 'Bearer ' + issuer.token(aud=gateway.base_url)}

    def ask_many(client):
        return [gateway.browser().get(gateway.url('/api/?%d-%d' % (client, i)), headers=headers, timeout=30).status_code for i in range(25)]

    with gateway:
        with concurrent.futures.ThreadPoolExecutor(4) as clients:
            running = [clients.submit(ask_many, client) for client in range(4)]
            assert gateway.nginx.reload()
            statuses = [status for one in running for status in one.result()]
        gateway.nginx.stop()
        lines = gateway.site.audit(event='permitted')
    # a folder has no page: what matters is that all were let through
    assert statuses and set(statuses) == {403}, statuses
    assert len(lines) == len(statuses) == len({line['id'] for line in lines})
    assert '[alert]' not in gateway.last_log, gateway.last_log


def test_the_store_says_what_it_holds(managed):
    ask(managed, wsman.enumerate_())
    page = managed.get('/metrics').text
    entries = {kind: int(number) for kind, number in re.findall(r'fedgate_store_entries\{kind="([a-z-]+)"\} (\d+)', page)}
    assert entries['wsman'] >= 1, page
    assert 'fedgate_store_refused_total{kind="replay"} 0' in page
