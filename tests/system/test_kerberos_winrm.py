# SPDX-License-Identifier: GPL-2.0-or-later
"""WS-Management by a ticket of Kerberos: pywinrm, as people in a domain use it, and what the gateway cannot look into."""
import pytest

import peers
import wsman
from kerberos import gateway, header, token
from test_kerberos import NTLM

CONF = """
protect "winrm" { kind = wsman accept = {negotiate} policy = "winrm.policy" }
"""
POLICY = """
[role == "Administrators"] => permit();
[role == "Users"] && [operation == "Create"] => permit();
"""
LOCATION = 'location = /wsman { fedgate_protect CONF winrm; proxy_pass http://127.0.0.1:%d/wsman; }'
ENCRYPTED = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'


@pytest.fixture(scope='module')
def recorder():
    one = wsman.Recorder()
    yield one
    one.stop()


@pytest.fixture(scope='module')
def site(authority, domain, recorder):
    with gateway(authority, domain, LOCATION % recorder.port, CONF, files={'winrm.policy': POLICY}) as gw:
        yield gw


def winrm(site, *arguments):
    return peers.run_json(site, 'ws/winrm_driver.py', site.url('/wsman'), '', '', '--kerberos', '--ca', site.authority.ca, *arguments)


def post(site, content=None, **headers):
    return site.browser().post(site.url('/wsman'), data=wsman.get().encode() if content is None else content, headers={**wsman.HEADERS, **headers}, timeout=30)


def test_pywinrm_with_a_ticket(site, domain, recorder):
    domain.kinit('alice')
    recorder.forget()
    status, said = winrm(site)
    assert status == 0 and said['output'] == 'hello from behind\r\n', said
    assert recorder.operations() == ['Create', 'Command', 'Receive', 'Signal', 'Delete']
    assert 'authorization' not in recorder.last()[1]  # the ticket was for the gateway


def test_what_somebody_else_may(site, domain, recorder):
    domain.kinit('bob')
    recorder.forget()
    status, said = winrm(site)
    assert status == 1 and said['step'] == 'run' and 'AccessDenied' in said['fault'], said
    assert recorder.operations()[:1] == ['Create'] and 'Command' not in recorder.operations()


def test_without_a_ticket(site, domain, recorder):
    domain.kinit('alice')
    assert post(site, **header(token()[1])).status_code == 200
    recorder.forget()
    answer = post(site)
    assert answer.status_code == 401 and answer.headers['WWW-Authenticate'] == 'Negotiate'
    assert post(site, **header(NTLM)).status_code == 401
    assert site.site.audit(code='kerberos.ntlm')
    assert recorder.operations() == []


def test_messages_that_are_sealed(site, domain, recorder):
    """[MS-WSMV] §2.2.9.1: no policy could be asked about them. Clients do it without TLS, or if they are told to."""
    domain.kinit('alice')
    recorder.forget()
    sealed = (b'--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\nOriginalContent: type=application/soap+xml;'
              b'charset=UTF-8;Length=1000\r\n--Encrypted Boundary\r\nContent-Type: application/octet-stream\r\n' + bytes(1000) + b'--Encrypted Boundary--\r\n')  # fmt: skip
    answer = post(site, sealed, **{'Content-Type': ENCRYPTED, **header(token()[1])})
    assert wsman.fault(answer) == 'EncodingLimit' and 'switch message encryption off' in answer.text
    assert site.site.audit(reason='wsman_encrypted', user='alice')
    assert recorder.operations() == []
