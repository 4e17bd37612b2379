#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""SAML 2.0 ECP enhanced client (Debian: python3-lxml): takes the SP's PAOS request to the IdP's SOAP endpoint and back.

ecp.py SP_URL IDP_SOAP_SSO_URL USER:PASSWORD [CA.pem]

Messages pass as they are, so signatures survive (pysaml2's own ECP client re-serialises them). Each request is traced on
stderr; the SP's page is printed. Exit status: 0 the SP answered 200; 1 something on the way did not work (text says what).
"""
import base64
import http.cookiejar
import os
import ssl
import sys
import urllib.error
import urllib.request

from lxml import etree

CACHE = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
STATE = os.environ.get('FEDGATE_PEERS_DIR') or CACHE + '/fedgate-peers'
RUN = os.environ.get('FEDGATE_PEERS_RUN') or STATE + '/run'
SOAP = '{http://schemas.xmlsoap.org/soap/envelope/}'
ECP = '{urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp}'
PAOS_NAMESPACE = 'urn:liberty:paos:2003-08'
PAOS = '{%s}' % PAOS_NAMESPACE


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def opener(ca):
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca)),
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        NoRedirect(),
    )


def call(client, url, data=None, headers=None):
    try:
        response = client.open(urllib.request.Request(url, data, headers or {}), timeout=60)
    except urllib.error.HTTPError as error:
        response = error
    body = response.read()
    print(url[:100], '->', response.status, response.headers.get('Content-Type'), len(body), file=sys.stderr)
    return response, body


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    sp_url, idp_url, credentials = sys.argv[1:4]
    client = opener(sys.argv[4] if len(sys.argv) > 4 else RUN + '/bundle.pem')

    _, body = call(
        client,
        sp_url,
        headers={
            'Accept': 'text/html, application/vnd.paos+xml',
            'PAOS': f'ver="{PAOS_NAMESPACE}";"{ECP[1:-1]}"',
        },
    )
    envelope = etree.fromstring(body)
    header = envelope.find(SOAP + 'Header')
    request = header.find(PAOS + 'Request')
    consumer_url, message_id = request.get('responseConsumerURL'), request.get('messageID')
    relay_state = header.find(ECP + 'RelayState')
    envelope.remove(header)

    response, body = call(
        client,
        idp_url,
        etree.tostring(envelope),
        {
            'Content-Type': 'text/xml; charset=utf-8',
            'SOAPAction': '"http://www.oasis-open.org/committees/security"',
            'Authorization': 'Basic ' + base64.b64encode(credentials.encode()).decode(),
        },
    )
    if response.status != 200:
        sys.exit(f'IdP: {response.status} {body[:300]}')
    envelope = etree.fromstring(body)
    header = envelope.find(SOAP + 'Header')
    stated = header.find(ECP + 'Response').get('AssertionConsumerServiceURL')
    if stated != consumer_url:
        sys.exit(f'AssertionConsumerServiceURL {stated} is not the responseConsumerURL {consumer_url}')
    for child in list(header):
        header.remove(child)
    if relay_state is not None:
        header.append(relay_state)
    if message_id:
        answer = etree.SubElement(header, PAOS + 'Response', nsmap={'paos': PAOS_NAMESPACE})
        answer.set('refToMessageID', message_id)
        answer.set(SOAP + 'mustUnderstand', '1')
        answer.set(SOAP + 'actor', 'http://schemas.xmlsoap.org/soap/actor/next')

    response, _ = call(client, consumer_url, etree.tostring(envelope), {'Content-Type': 'application/vnd.paos+xml'})
    response, body = call(client, response.headers.get('Location') or sp_url)
    sys.stdout.write(body.decode())
    return 0 if response.status == 200 else 1


sys.exit(main())
