# SPDX-License-Identifier: GPL-2.0-or-later
"""Partners from a federation's metadata: fetched from a server, signed by somebody else's canonical form, kept over a restart (SA-18)."""
import hashlib
import http.server
import json
import os
import ssl
import threading
import time

import pytest
from cryptography.hazmat.primitives import serialization
from lxml import etree

import forge
import harness
import saml
from saml import begin, browser, choose, submit

EDUPERSON = os.path.join(harness.ROOT, 'etc', 'policy', 'eduperson-acceptance.rules')
MD = 'urn:oasis:names:tc:SAML:2.0:metadata'
SIGNATURE = (
    '<ds:Signature xmlns:ds="%s"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="%s"/><ds:SignatureMethod Algorithm="%s"/>'
    '<ds:Reference URI="#_all"><ds:Transforms><ds:Transform Algorithm="%s"/><ds:Transform Algorithm="%s"/></ds:Transforms>'
    '<ds:DigestMethod Algorithm="%s"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>'
) % (forge.DS, forge.EXC, forge.RSA256, forge.ENVELOPED, forge.EXC, forge.SHA256)


def aggregate(files, key, name='urn:federation', nested=True):
    """One document of others, as a federation writes it: namespaces declared at the top, comments, one level of nesting."""
    root = etree.fromstring('<md:EntitiesDescriptor xmlns:md="%s" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" ID="_all" Name="%s"'
                            ' validUntil="2036-01-01T00:00:00Z"><!-- all of us -->\n</md:EntitiesDescriptor>' % (MD, name))  # fmt: skip
    for path in files:
        parent = root
        if nested:
            parent = etree.SubElement(root, '{%s}EntitiesDescriptor' % MD, Name='urn:part')
        with open(path, 'rb') as file:
            parent.append(etree.fromstring(file.read()))
    digest = forge.b64(hashlib.sha256(etree.tostring(root, method='c14n', exclusive=True, with_comments=False)).digest())
    signature = etree.fromstring(SIGNATURE)
    root.insert(0, signature)
    next(signature.iter(forge.ds('DigestValue'))).text = digest
    info = signature.find(forge.ds('SignedInfo'))
    next(signature.iter(forge.ds('SignatureValue'))).text = forge.b64(
        forge.sign_bytes(key, etree.tostring(info, method='c14n', exclusive=True, with_comments=False))
    )
    return etree.tostring(root, xml_declaration=True, encoding='UTF-8')


class MetadataServer:
    def __init__(self, authority):
        self.body, self.etag, self.asked = b'', 0, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                etag = '"%d"' % outer.etag
                outer.asked.append(self.headers.get('If-None-Match'))
                same = outer.asked[-1] == etag
                self.send_response(304 if same else 200)
                self.send_header('ETag', etag)
                self.send_header('Content-Length', '0' if same else str(len(outer.body)))
                self.end_headers()
                if not same:
                    self.wfile.write(outer.body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate + '.crt', authority.certificate + '.key')
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = 'https://localhost:%d/all.xml' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, body):
        self.body, self.etag = body, self.etag + 1

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def load_key(path):
    with open(path + '.key', 'rb') as file:
        return serialization.load_pem_private_key(file.read(), None)


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    sp, idp = saml.Pysaml2Sp('sp', folder, authority), saml.Pysaml2Idp('idp', folder, authority)
    sp.publish()
    idp.publish()
    signer = authority.issue('federation', ['DNS:federation.example'])
    server = MetadataServer(authority)
    key = load_key(signer)
    server.serve(aggregate([sp.metadata, idp.metadata], key))
    sections = {
        'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
        'fetch': {'allow': [server.url], 'ca': authority.ca},
        ('federation', 'edu'): {'url': server.url, 'certificate': [signer + '.crt'], 'claims': harness.CLAIMS, 'acceptance_rules': EDUPERSON, 'refresh': '1m'},
    }
    with harness.Gateway(authority, sections=sections) as gateway:
        gateway.sp, gateway.idp, gateway.server, gateway.signing = sp, idp, server, key
        harness.wait_for(lambda: 'has 2 entities' in gateway.nginx.log())
        sp.start(gateway)
        idp.start(gateway)
        yield gateway
        sp.stop()
        idp.stop()
        server.stop()


def sign_on(site):
    session = browser()
    page = begin(session, site)
    if 'name="whr"' in page.text:  # there is an identity provider to choose beside our own people
        page = choose(session, page, 'people')
    page = submit(session, submit(session, page, username='alice', password='alice-secret'))
    assert page.status_code == 200, page.text
    assert 'alice@example.com' in json.dumps(json.loads(page.text))


def test_one_worker_asked(site):
    time.sleep(3)
    assert len(site.server.asked) == 1


def test_a_service_provider_of_the_federation_gets_an_assertion(site):
    sign_on(site)


def test_the_page_can_be_searched(site):
    session = browser()
    page = session.get(site.url('/demo/'))
    assert 'name="find"' in page.text and site.idp.entity_id in page.text and 'value="http' in page.text
    address, fields = saml.form_of(page)
    nothing = session.get(address, params={**fields, 'find': 'nobody here'})
    assert 'Nothing was found' in nothing.text and 'name="whr"' not in nothing.text
    found = session.get(address, params={**fields, 'find': '127.0.0.1'})
    assert found.text.count('name="whr"') == 1 and site.idp.entity_id in found.text


def test_a_person_of_an_identity_provider_of_the_federation(site):
    session = browser()
    page = session.get(site.url('/demo/'))
    page = choose(session, page, site.idp.entity_id.replace('.', r'\.'))
    assert page.url.startswith(site.idp.origin), page.url


def test_sa18_a_restart_without_network_and_a_bad_document(site):
    """The copy on disk is enough; a document signed by somebody else is not taken."""
    site.server.serve(aggregate([site.sp.metadata], forge.foreign_rsa(), nested=False))
    site.nginx.stop()
    for name in os.listdir(os.path.join(site.site.folder, 'state', 'metadata')):
        if name.endswith('.note'):
            os.unlink(os.path.join(site.site.folder, 'state', 'metadata', name))  # so that it is asked at once
    site.nginx.start(site.port)
    harness.wait_for(lambda: 'the last good copy stays' in site.nginx.log())
    sign_on(site)
    # the control
    site.server.serve(aggregate([site.sp.metadata], site.signing, nested=False))
    site.nginx.stop()
    for name in os.listdir(os.path.join(site.site.folder, 'state', 'metadata')):
        if name.endswith('.note'):
            os.unlink(os.path.join(site.site.folder, 'state', 'metadata', name))
    site.nginx.start(site.port)
    harness.wait_for(lambda: 'has 1 entity' in site.nginx.log())
    sign_on(site)
