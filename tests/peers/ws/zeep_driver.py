#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""zeep (Debian: python3-zeep) as a WS-Trust client that knows nothing but the gateway's WSDL.

zeep_driver.py WSDL_URL USER PASSWORD [--trust 13|2005] [--soap11] [--digest] [--aud URN] [--ca PEM]
zeep_driver.py - USER PASSWORD --endpoint URL [--soap11]     WS-Trust 1.3 by sts.wsdl, not by the gateway's own WSDL
    ... [--on-behalf-of ASSERTION.xml] [--token-type URI]
    ... [--binding NAME] [--key KEY.pem --cert CERT.pem [--data] [--strict]] [--tls]

Reads the WSDL, takes the port whose operation is that trust version's, sends an RST with a UsernameToken and a Timestamp.
--key: signs Body, Timestamp and the addressing headers (python3-xmlsec), with a BinarySecurityToken or, with --data, the certificate in
KeyInfo; --strict: behind the token that it names, where zeep has it in front; USER "-": and no UsernameToken.  --tls: the same certificate is shown to TLS.  --binding: the WSDL's port of that name.
--soap11: the WSDL's bindings, which are SOAP 1.2, are read as if they were SOAP 1.1.
Prints the answer's elements; with --save the assertion as it came goes to a file. Exit status: 0 RSTR read, 1 fault,
2 no such port in the WSDL.
"""
import argparse
import datetime
import os
import sys

import requests
import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.wsse import signature
from zeep.wsse.compose import Compose
from zeep.wsse.username import UsernameToken
from zeep.wsse.utils import WSU, get_security_header

CACHE = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
STATE = os.environ.get('FEDGATE_PEERS_DIR') or CACHE + '/fedgate-peers'
OWN_WSDL = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'sts.wsdl')
ADDRESSING = 'http://www.w3.org/2005/08/addressing'
TRUST_13 = 'http://docs.oasis-open.org/ws-sx/ws-trust/200512'
TRUST_2005 = 'http://schemas.xmlsoap.org/ws/2005/02/trust'
VERSIONS = {  # namespace, operation, key type of a bearer token
    '13': (TRUST_13, 'Trust13IssueAsync', TRUST_13 + '/Bearer'),
    '2005': (TRUST_2005, 'TrustFeb2005IssueAsync', 'http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey'),
}
APPLIES_TO = (
    '<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy">'
    '<a:EndpointReference xmlns:a="http://www.w3.org/2005/08/addressing"><a:Address/></a:EndpointReference>'
    '</wsp:AppliesTo>'
)


class Soap11Transport(Transport):
    def load(self, url):
        return super().load(url).replace(b'http://schemas.xmlsoap.org/wsdl/soap12/', b'http://schemas.xmlsoap.org/wsdl/soap/')


class Recorder(zeep.Plugin):
    """Keeps the answer as it came: what is signed must not be written anew."""

    envelope = None

    def ingress(self, envelope, http_headers, operation):
        self.envelope = etree.fromstring(etree.tostring(envelope))
        return envelope, http_headers


def timestamp():
    now = datetime.datetime.utcnow()
    element = WSU.Timestamp()
    for tag, time in ((WSU.Created, now), (WSU.Expires, now + datetime.timedelta(minutes=5))):
        element.append(tag(time.strftime('%Y-%m-%dT%H:%M:%SZ')))
    return element


class TimestampToken:
    """For messages without a UsernameToken, which brings one along otherwise."""

    def apply(self, envelope, headers):
        get_security_header(envelope).append(timestamp())
        return envelope, headers

    def verify(self, envelope):
        pass


class Signature:
    """zeep's own, over the addressing headers as well; answers are not signed over TLS."""

    def __init__(self, options):
        self.strict = options.strict
        kind = signature.Signature if options.data else signature.BinarySignature
        self.zeep = kind(options.key, options.cert, signature_method=signature.xmlsec.Transform.RSA_SHA256,
                         digest_method=signature.xmlsec.Transform.SHA256)  # fmt: skip

    def apply(self, envelope, headers):
        sign_node = signature._sign_node
        header = get_security_header(envelope).getparent()
        more = [element for element in header if etree.QName(element).namespace == ADDRESSING]

        def sign_all(context, node, target, *rest):
            while more:
                sign_node(context, node, more.pop(), *rest)
            sign_node(context, node, target, *rest)

        signature._sign_node = sign_all
        result = self.zeep.apply(envelope, headers)
        if self.strict:
            security = get_security_header(envelope)
            security.append(security.find('{http://www.w3.org/2000/09/xmldsig#}Signature'))
        return result

    def verify(self, envelope):
        pass


def security(options):
    tokens = []
    if options.user != '-':
        tokens.append(UsernameToken(options.user, options.password, use_digest=options.digest, timestamp_token=timestamp()))
    elif not options.tls:
        tokens.append(TimestampToken())
    if options.key and not options.tls:
        tokens.append(Signature(options))
    return tokens


def find_port(client, operation, name):
    for service_name, service in client.wsdl.services.items():
        for port_name, port in service.ports.items():
            if operation in port.binding.all() and name in (None, port_name):
                return client.bind(service_name, port_name)
    return None


def find_service(client, operation, options):
    if not options.endpoint:
        return find_port(client, operation, options.binding), operation
    return client.create_service('{%s}%s' % (TRUST_13, 'Soap11' if options.soap11 else 'Soap12'), options.endpoint), 'Issue'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('wsdl')
    parser.add_argument('user')
    parser.add_argument('password')
    parser.add_argument('--trust', choices=sorted(VERSIONS), default='13')
    parser.add_argument('--endpoint')
    parser.add_argument('--soap11', action='store_true')
    parser.add_argument('--digest', action='store_true')
    parser.add_argument('--aud', default='urn:federation:MicrosoftOnline')
    parser.add_argument('--ca', default=STATE + '/ca/bundle.pem')
    parser.add_argument('--save')
    parser.add_argument('--binding')
    parser.add_argument('--on-behalf-of')
    parser.add_argument('--token-type')
    parser.add_argument('--key')
    parser.add_argument('--cert')
    parser.add_argument('--data', action='store_true')
    parser.add_argument('--strict', action='store_true')
    parser.add_argument('--tls', action='store_true')
    options = parser.parse_args()
    namespace, operation, key_type = VERSIONS[options.trust]

    session = requests.Session()
    session.verify = options.ca
    session.trust_env = False
    if options.tls:
        session.cert = (options.cert, options.key)
    recorder = Recorder()
    transport = (Soap11Transport if options.soap11 and not options.endpoint else Transport)(session=session)
    wsdl = OWN_WSDL if options.endpoint else options.wsdl
    client = zeep.Client(wsdl, transport=transport, wsse=Compose(security(options)), plugins=[recorder])
    port, operation = find_service(client, operation, options)
    if port is None:
        print('no port with', operation)
        return 2

    applies_to = etree.fromstring(APPLIES_TO)
    applies_to[0][0].text = options.aud
    more, words = [applies_to], {'RequestType': namespace + '/Issue', 'KeyType': key_type}
    if options.on_behalf_of:
        element = etree.Element('{%s}OnBehalfOf' % namespace)
        element.append(etree.parse(options.on_behalf_of).getroot())
        more.append(element)
    if options.token_type:
        words['TokenType'] = options.token_type
    try:
        port[operation](_value_1=more, **words)
    except zeep.exceptions.Fault as fault:
        print('FAULT', fault.code, *(code.text for code in fault.subcodes or []), fault.message)
        return 1
    for element in recorder.envelope.iter():
        print(element.tag)
        if options.save and etree.QName(element).localname == 'Assertion':
            with open(options.save, 'wb') as file:
                file.write(etree.tostring(element, with_tail=False))
    return 0


sys.exit(main())
