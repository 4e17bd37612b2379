# SPDX-License-Identifier: GPL-2.0-or-later
"""What answers where, and what a request must look like before a protocol sees it."""
import os
import socket
import ssl
import subprocess
import time

import pytest
from lxml import etree

import harness
from messages import METADATA, MEX, PASSIVE, USERNAME, form, rst

VIEWER = {'wa': 'wsignin1.0', 'wtrealm': 'urn:fedgate:demo', 'wctx': 'rm=0&id=passive'}
FAULT = '{http://www.w3.org/2003/05/soap-envelope}Fault'


def raw(gateway, data, wait=10, pause=0):
    """Sends bytes (or several, with pauses) over TLS, returns what comes back until the server closes."""
    context = ssl.create_default_context(cafile=gateway.authority.ca)
    with socket.create_connection(('127.0.0.1', gateway.port), wait) as tcp:
        with context.wrap_socket(tcp, server_hostname='localhost') as connection:
            for part in [data] if isinstance(data, bytes) else data:
                connection.sendall(part)
                time.sleep(pause)
            answer = b''
            while True:
                more = connection.recv(65536)
                if not more:
                    return answer
                answer += more


def request(gateway, path, headers, body=b'', method='POST'):
    lines = ['%s %s HTTP/1.1' % (method, path), 'Host: localhost:%d' % gateway.port, 'Connection: close', *headers]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def test_mex_is_wsdl(gateway):
    answer = gateway.get(MEX)
    assert answer.status_code == 200
    assert answer.headers['Content-Type'].startswith('text/xml')
    root = etree.fromstring(answer.content)
    assert root.tag == '{http://schemas.xmlsoap.org/wsdl/}definitions'
    addresses = root.xpath('//*[local-name()="Address"]/text()')
    assert gateway.base_url + USERNAME['13'] in addresses and gateway.base_url + USERNAME['2005'] in addresses


def test_metadata_is_signed(gateway):
    answer = gateway.get(METADATA)
    assert answer.status_code == 200
    root = etree.fromstring(answer.content)
    assert root.get('entityID') == 'http://localhost:%d/adfs/services/trust' % gateway.port
    assert root[0].tag == '{http://www.w3.org/2000/09/xmldsig#}Signature'


def test_sign_in_page_and_token(gateway):
    browser = gateway.browser()
    page = browser.get(gateway.url(PASSIVE), params=VIEWER, timeout=30)
    assert page.status_code == 200 and 'nonce-' in page.headers['Content-Security-Policy']
    action, fields = form(page.text)
    user = next(name for name in fields if 'user' in name.lower())
    password = next(name for name in fields if 'pass' in name.lower())
    fields.update({user: 'alice', password: 'alice-secret'})
    answer = browser.post(requests_url(gateway, action), data=fields, timeout=30)
    assert answer.status_code == 200
    action, fields = form(answer.text)
    assert action == gateway.base_url + '/demo/'
    assert fields['wctx'] == VIEWER['wctx']
    assert 'AttributeValue' in fields['wresult'] and 'alice@example.com' in fields['wresult']


def requests_url(gateway, action):
    return action if action.startswith('https:') else gateway.url(action or PASSIVE)


@pytest.mark.parametrize('trust', ['13', '2005'])
def test_username_token(gateway, trust):
    answer = gateway.soap(USERNAME[trust], rst(gateway.base_url, trust=trust))
    assert answer.status_code == 200, answer.text
    assert len(etree.fromstring(answer.content).xpath('//*[local-name()="Assertion"]')) == 1
    assert gateway.site.audit(event='issued')


def test_wrong_password(gateway):
    answer = gateway.soap(USERNAME['13'], rst(gateway.base_url, password='wrong'))
    assert answer.status_code >= 400 and 'FailedAuthentication' in answer.text
    assert gateway.site.audit(reason='wrong_user_or_password')


def test_unknown_path_is_not_found(gateway):
    answer = gateway.get('/adfs/nothing-here')
    assert answer.status_code == 404
    assert 'text/html' in answer.headers['Content-Type']


def test_method_not_allowed(gateway):
    assert gateway.session.put(gateway.url(METADATA), data='x', timeout=30).status_code == 405


def test_head_has_no_body(gateway):
    answer = gateway.session.head(gateway.url(MEX), timeout=30)
    assert answer.status_code == 200 and int(answer.headers['Content-Length']) > 1000 and answer.content == b''


def test_http2(gateway):
    done = harness.run('curl', '-sS', '--http2', '--noproxy', '*', '--cacert', gateway.authority.ca, '-o', '/dev/null', '-w',
                       '%{http_version} %{http_code}', '-H', 'Content-Type: application/soap+xml', '--data-binary', '@-',
                       gateway.url(USERNAME['13']), input=rst(gateway.base_url))  # fmt: skip
    assert done.stdout == '2 200', done.stderr


# ---- bodies

def padded(gateway, size):
    return rst(gateway.base_url).ljust(size)


def test_xp09_body_at_the_limit_is_read(gateway):
    """XP-09, control"""
    answer = gateway.soap(USERNAME['13'], padded(gateway, 256 * 1024))
    assert answer.status_code == 200


def test_xp09_too_large_is_a_fault(gateway):
    answer = gateway.soap(USERNAME['13'], padded(gateway, 256 * 1024 + 1))
    assert answer.status_code in (413, 500) and etree.fromstring(answer.content).find('.//' + FAULT) is not None
    assert gateway.site.audit(reason='too_large')


def test_xp09_too_large_form_is_a_page(gateway):
    answer = gateway.post(PASSIVE, {'wresult': 'x' * 300000})
    assert answer.status_code == 413 and 'text/html' in answer.headers['Content-Type']


def chunks(data, size):
    for start in range(0, len(data), size):
        yield data[start:start + size].encode()


def test_xp09_chunked_is_read(gateway):
    """XP-09, control"""
    answer = gateway.post(USERNAME['13'], chunks(padded(gateway, 200000), 7000), headers={'Content-Type': 'application/soap+xml'})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize('pause', [0, 0.02])
def test_xp09_chunked_too_large_is_a_fault(gateway, pause):
    """With pauses, so that the rest of it comes while the answer is made."""
    body = padded(gateway, 400000).encode()
    chunked = [b'%x\r\n%s\r\n' % (len(body[i:i + 9000]), body[i:i + 9000]) for i in range(0, len(body), 9000)] + [b'0\r\n\r\n']
    head = request(gateway, USERNAME['13'], ['Content-Type: application/soap+xml', 'Transfer-Encoding: chunked'])
    answer = raw(gateway, [head, *chunked], pause=pause)
    assert answer.split()[1] in (b'413', b'500') and b'Fault' in answer


def test_ht12_client_goes_away_in_the_body(gateway):
    """HT-12: nothing is worked on, and the worker lives."""
    before = len(gateway.site.audit())
    context = ssl.create_default_context(cafile=gateway.authority.ca)
    for body in (b'', b'<s:Envelope'):
        with socket.create_connection(('127.0.0.1', gateway.port), 10) as tcp:
            with context.wrap_socket(tcp, server_hostname='localhost') as connection:
                connection.sendall(request(gateway, USERNAME['13'], ['Content-Type: application/soap+xml', 'Content-Length: 5000'], body))
    assert gateway.get(MEX).status_code == 200
    assert len(gateway.site.audit()) == before


@pytest.mark.parametrize('broken', [b'zz\r\n', b'-1\r\n', b'5\r\nabcdeXX'])
def test_ht12_broken_chunks(gateway, broken):
    answer = raw(gateway, request(gateway, USERNAME['13'], ['Content-Type: application/soap+xml', 'Transfer-Encoding: chunked'], broken))
    assert answer.split()[1] == b'400'
    assert gateway.get(MEX).status_code == 200


def test_client_goes_away_while_its_password_is_checked(gateway):
    context = ssl.create_default_context(cafile=gateway.authority.ca)
    body = rst(gateway.base_url).encode()
    for _ in range(5):
        with socket.create_connection(('127.0.0.1', gateway.port), 10) as tcp:
            with context.wrap_socket(tcp, server_hostname='localhost') as connection:
                connection.sendall(request(gateway, USERNAME['13'],
                                           ['Content-Type: application/soap+xml', 'Content-Length: %d' % len(body)], body))  # fmt: skip
    assert gateway.soap(USERNAME['13'], rst(gateway.base_url)).status_code == 200


# ---- HT-05

SOAP12 = 'Content-Type: application/soap+xml; charset=utf-8'


def test_ht05_duplicate_content_type(gateway):
    body = rst(gateway.base_url).encode()
    length = 'Content-Length: %d' % len(body)
    once = raw(gateway, request(gateway, USERNAME['13'], [SOAP12, length], body))
    twice = raw(gateway, request(gateway, USERNAME['13'], [SOAP12, 'Content-Type: text/xml', length], body))
    same = raw(gateway, request(gateway, USERNAME['13'], [SOAP12, SOAP12, length], body))
    assert once.split()[1] == b'200'
    assert twice.split()[1] != b'200' and same.split()[1] != b'200'
    assert b'Assertion' not in twice + same


def test_ht05_duplicate_soap_action(gateway):
    soap11 = rst(gateway.base_url).replace('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/')
    body = soap11.encode()
    action = 'SOAPAction: "http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue"'
    headers = ['Content-Type: text/xml; charset=utf-8', 'Content-Length: %d' % len(body)]
    once = raw(gateway, request(gateway, USERNAME['13'], [*headers, action], body))
    twice = raw(gateway, request(gateway, USERNAME['13'], [*headers, action, 'SOAPAction: "urn:other"'], body))
    assert once.split()[1] == b'200', once
    assert twice.split()[1] != b'200' and b'Assertion' not in twice


def test_xmlsec1_takes_the_metadata(gateway, tmp_path):
    """A third program verifies the signature with the certificate that the metadata names."""
    document = gateway.get(METADATA).content
    certificate = etree.fromstring(document).findtext('.//{http://www.w3.org/2000/09/xmldsig#}X509Certificate')
    pem = tmp_path / 'signing.pem'
    pem.write_text('-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n' % certificate.strip())
    file = tmp_path / 'metadata.xml'
    command = ['xmlsec1', '--verify', '--enabled-key-data', 'x509', '--pubkey-cert-pem', os.fspath(pem), '--id-attr:ID',
               'urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor', os.fspath(file)]  # fmt: skip
    file.write_bytes(document)
    assert subprocess.run(command, capture_output=True).returncode == 0
    file.write_bytes(document.replace(b'localhost', b'localhosT', 1))
    assert subprocess.run(command, capture_output=True).returncode != 0
