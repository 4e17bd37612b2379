#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Microsoft MSAL for Python (Debian: python3-msal) as a WS-Trust client.

msal_driver.py MEX_URL USER PASSWORD [--aud URN] [--ca PEM] [--trust 13|2005]    metadata exchange, then RST
msal_driver.py - USER PASSWORD --endpoint URL [--action ACTION]  RST alone
msal_driver.py - USER PASSWORD --full https://HOST:PORT/TENANT   MSAL's public API: user realm -> MEX -> RST -> SAML grant

MSAL prefers WS-Trust 1.3; with --trust the MEX document it gets has only the ports of that version.
Prints JSON: endpoint, action, type, type_known_to_msal, token (or error). Exit status: 0 MSAL has a token of a type
it knows; 2 no username endpoint found in the MEX document; 3 fault or no token; 4 token of a type unknown to MSAL.
"""
import argparse
import json
import os
import sys
import urllib.parse

import msal
import requests
from lxml import etree
from msal import mex, wstrust_request
from msal.wstrust_response import (
    SAML_TOKEN_TYPE_V1,
    SAML_TOKEN_TYPE_V2,
    WSS_SAML_TOKEN_PROFILE_V1_1,
    WSS_SAML_TOKEN_PROFILE_V2,
)

KNOWN_TYPES = (SAML_TOKEN_TYPE_V1, SAML_TOKEN_TYPE_V2, WSS_SAML_TOKEN_PROFILE_V1_1, WSS_SAML_TOKEN_PROFILE_V2)
CACHE = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
STATE = os.environ.get('FEDGATE_PEERS_DIR') or CACHE + '/fedgate-peers'


class HttpClient:
    """MSAL drops the port from the user realm URL: put the authority's back."""

    def __init__(self, session, authority):
        self.session = session
        self.authority = urllib.parse.urlsplit(authority)

    def url(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.hostname == self.authority.hostname and not parts.port:
            parts = parts._replace(netloc=self.authority.netloc)
        return urllib.parse.urlunsplit(parts)

    def get(self, url, params=None, headers=None, **_):
        return self.session.get(self.url(url), params=params, headers=headers)

    def post(self, url, params=None, data=None, headers=None, **_):
        return self.session.post(self.url(url), params=params, data=data, headers=headers)

    def close(self):
        pass


def leave_ports(path):
    """A hook for requests: of a WSDL's ports those stay whose address has this path in it."""

    def hook(response, **_):
        if b'definitions' not in response.content:
            return
        document = etree.fromstring(response.content)
        for port in document.xpath('//*[local-name()="port"][not(contains(., "%s"))]' % path):
            port.getparent().remove(port)
        response._content = etree.tostring(document)

    return hook


def whole_api(options, session):
    app = msal.PublicClientApplication(
        'test-client',
        authority=options.full,
        validate_authority=False,
        instance_discovery=False,
        http_client=HttpClient(session, options.full),
    )
    answer = app.acquire_token_by_username_password(options.user, options.password, scopes=['s1'])
    print(json.dumps(answer, indent=1))
    return 0 if 'access_token' in answer else 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('mex')
    parser.add_argument('user')
    parser.add_argument('password')
    parser.add_argument('--aud', default='urn:federation:MicrosoftOnline')
    parser.add_argument('--ca', default=STATE + '/ca/bundle.pem')
    parser.add_argument('--endpoint')
    parser.add_argument('--action')
    parser.add_argument('--full')
    parser.add_argument('--trust', choices=['13', '2005'])
    options = parser.parse_args()
    session = requests.Session()
    session.verify = options.ca
    session.trust_env = False
    if options.trust:
        session.hooks['response'].append(leave_ports('/trust/%s/' % options.trust))
    if options.full:
        return whole_api(options, session)
    endpoint = {'address': options.endpoint, 'action': options.action}
    if not options.endpoint:
        endpoint = mex.send_request(options.mex, session)
    if not endpoint:
        print(json.dumps({'error': 'no WS-Trust username endpoint found in MEX'}))
        return 2
    try:
        answer = wstrust_request.send_request(
            options.user, options.password, options.aud, endpoint['address'], endpoint.get('action'), session
        )
    except RuntimeError as error:
        print(json.dumps({'endpoint': endpoint, 'error': str(error)}))
        return 3
    if not answer:
        print(json.dumps({'endpoint': endpoint, 'error': 'no token in response'}))
        return 3
    known = answer['type'] in KNOWN_TYPES
    print(
        json.dumps(
            {
                'endpoint': endpoint['address'],
                'action': endpoint.get('action'),
                'type': answer['type'],
                'type_known_to_msal': known,
                'token': answer['token'].decode(),
            }
        )
    )
    return 0 if known else 4


sys.exit(main())
