# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that are no browsers sign in at the gateway by an identity provider of their own (SAML 2.0 ECP): the client of tests/peers
between the gateway's protected locations and pysaml2's or SimpleSAMLphp's ECP endpoint, and what it must not get away with."""
import base64
import json
import os
import re
import subprocess

import pytest
import requests

import harness
import saml
from protected import protecting
from test_saml import EDUPERSON

PAOS = {'Accept': 'text/html, application/vnd.paos+xml', 'PAOS': 'ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"'}
CONSUMER = '/adfs/services/trust/saml/paos'
NEXT = 'http://schemas.xmlsoap.org/soap/actor/next'
CONF = """
protect "app" { display_name = "The intranet" home_realm = "%(idp)s" }
protect "open" { display_name = "For all" }
protect "far" { display_name = "Elsewhere" hosts = {"127.0.0.1:%(port)d"} }
%(provider)s%(campus)s
"""
LOCATIONS = 'location /app/ { fedgate_protect CONF app; PROXY } location /open/ { fedgate_protect CONF open; PROXY }'
LOCATIONS += ' location /far/ { fedgate_protect CONF far; PROXY } location = /.fedgate/return { fedgate_protect CONF far; }'


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    idp, ssp = saml.Pysaml2Idp('ecp-idp', folder, authority), saml.Ssp(folder, authority)
    idp.publish()
    ssp.start()
    port = harness.free_port()
    conf = CONF % {'idp': idp.entity_id, 'port': port,
                   'provider': harness.conf_section('identity_provider', 'university', {'metadata': idp.metadata, 'acceptance_rules': EDUPERSON}),
                   'campus': harness.conf_section('identity_provider', 'campus', {'metadata': ssp.idp_metadata, 'acceptance_rules': EDUPERSON})}  # fmt: skip
    try:
        with protecting(authority, LOCATIONS, gateway_conf=conf, port=port) as gateway:
            ssp.add(gateway)
            idp.start(gateway)
            gateway.idp, gateway.ssp = idp, ssp
            yield gateway
            idp.stop()
    finally:
        ssp.stop()


def bundle(site, folder):
    """The peers' CA and the gateway's, for a client that talks to both."""
    path = os.path.join(str(folder), 'bundle.pem')
    with open(path, 'w') as out:
        for name in (saml.peers_ca(), site.authority.ca):
            with open(name) as file:
                out.write(file.read())
    return path


def run(site, folder, path, endpoint, credentials):
    command = [os.path.join(saml.FOLDER, 'ecp.py'), site.url(path), endpoint, credentials, bundle(site, folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def pysaml2(site):
    return site.idp.origin + '/sso/soap'


def simplesamlphp(site):
    return site.ssp.idp_origin + '/simplesaml/saml2/idp/SSOService.php'


# ---- the whole way


@pytest.mark.parametrize('path', ['/app/page?a=b', '/open/page?a=b'])
def test_a_client_signs_in_at_pysaml2(site, tmp_path, path):
    done = run(site, tmp_path, path, pysaml2(site), 'alice:alicepw')
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)
    assert seen['path'] == path
    assert ['X-Fedgate-Issuer', site.idp.entity_id] in seen['headers'], seen
    refused = run(site, tmp_path, path, pysaml2(site), 'alice:wrong')
    assert refused.returncode == 1 and 'IdP: 401' in refused.stderr, refused.stderr


def test_a_client_signs_in_at_simplesamlphp(site, tmp_path):
    done = run(site, tmp_path, '/open/page', simplesamlphp(site), 'bob:bobpw')
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)
    assert ['X-Fedgate-Issuer', site.ssp.idp_origin + '/simplesaml/saml2/idp/metadata.php'] in seen['headers'], seen
    # SA-04: a location that is one provider's people's takes no other's
    refused = run(site, tmp_path, '/app/page', simplesamlphp(site), 'bob:bobpw')
    assert refused.returncode == 1, refused.stdout
    assert site.site.audit(event='refused', reason='token_issuer') or site.site.audit(event='refused', reason='signature_invalid')


# ---- by hand, with pysaml2's answers


class Client:
    def __init__(self, site, path='/app/page'):
        self.site, self.session = site, saml.browser()
        self.page = self.session.get(site.url(path), headers=PAOS, allow_redirects=False, timeout=30)

    def request(self):
        assert self.page.status_code == 200 and self.page.headers['Content-Type'].startswith('application/vnd.paos+xml'), self.page.text
        return self.page.text

    def relay_state(self):
        return re.search(r'<ecp:RelayState[^>]*>([^<]*)<', self.request()).group(1)

    def answer(self, endpoint=None, credentials='alice:alicepw'):
        """What the identity provider says to the request, without its header."""
        envelope = re.sub(r'<soap:Header>.*</soap:Header>', '', self.request(), flags=re.S)
        headers = {'Content-Type': 'text/xml', 'Authorization': 'Basic ' + base64.b64encode(credentials.encode()).decode()}
        page = requests.post(endpoint or pysaml2(self.site), data=envelope.encode(), headers=headers, verify=False, timeout=30)
        return page

    def bring(self, text, relay_state=None, to=CONSUMER, kind='application/vnd.paos+xml'):
        header = '<ecp:RelayState xmlns:ecp="urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp" S:mustUnderstand="1" S:actor="%s">%s</ecp:RelayState>' % (NEXT, relay_state or self.relay_state())
        text = re.sub(r'<S:Header>.*</S:Header>', lambda _: '<S:Header>%s</S:Header>' % header, text, flags=re.S)
        return self.session.post(self.site.url(to), data=text.encode(), headers={'Content-Type': kind}, allow_redirects=False, timeout=30)


def refused(page, site, reason):
    assert page.status_code >= 400 and 'Location' not in page.headers, page.text
    assert 'Set-Cookie' not in page.headers or '__Host-fedgate=' not in page.headers['Set-Cookie'], page.headers
    reference = re.search(r'reference ([0-9a-zA-Z_-]+)', page.text).group(1)
    assert site.site.audit(id=reference, reason=reason), (reason, site.site.audit(id=reference))


def test_the_answer_by_hand_and_again(site):
    client = Client(site)
    text = client.answer().text
    done = client.bring(text)
    assert done.status_code == 303 and done.headers['Location'] == site.url('/app/page'), done.text
    assert client.session.get(done.headers['Location'], timeout=30).json()['path'] == '/app/page'
    refused(client.bring(text), site, 'form_not_from_here')  # SA-06
    other = Client(site)  # another client, with the first one's answer
    refused(other.bring(text), site, 'form_not_from_here')
    refused(other.bring(text, client.relay_state()), site, 'form_not_from_here')
    assert other.bring(other.answer().text).status_code == 303


def test_relay_state_and_kind_of_message(site):
    client = Client(site)
    text = client.answer().text
    refused(client.bring(text, relay_state='abcdefghijklmnopqrstuvwxyz234567'), site, 'form_not_from_here')
    assert client.bring(text, kind='text/xml').status_code == 415
    assert client.bring(text, to='/adfs/services/trust/saml/ecp').status_code >= 400
    assert client.bring(text).status_code == 303


def test_without_either_header_it_is_no_such_client(site):
    session = saml.browser()
    page = session.get(site.url('/app/page'), headers={'Accept': PAOS['Accept']}, allow_redirects=False, timeout=30)
    assert page.status_code == 302 and '/fedgate/sign-in' in page.headers['Location'], page.text
    page = session.get(site.url('/app/page'), headers={'Accept': 'application/json', 'PAOS': PAOS['PAOS']}, allow_redirects=False, timeout=30)
    assert page.status_code == 401, page.text
    page = session.get(site.url('/app/page'), headers=PAOS, allow_redirects=False, timeout=30)
    assert page.status_code == 200 and 'responseConsumerURL' in page.text


def test_an_answer_for_another_consumer(site):
    """What was made for the client's address is nothing for the browsers', and a Response that says another one is not what was signed
    (SA-02; tests/unit/test_saml_paos.c has those that are signed so)."""
    client = Client(site)
    text = client.answer().text
    response = re.search(r'<S:Body>(.*)</S:Body>', text, re.S).group(1)
    form = {'SAMLResponse': base64.b64encode(response.encode()).decode(), 'RelayState': client.relay_state()}
    page = client.session.post(site.url('/adfs/ls/'), data=form, allow_redirects=False, timeout=30)
    assert page.status_code == 403 and 'Location' not in page.headers, page.text
    assert site.site.audit(event='refused', reason='form_not_from_here', path='/adfs/ls/')
    client = Client(site)
    text = client.answer().text
    refused(client.bring(text.replace(CONSUMER + '"', '/adfs/ls/"')), site, 'signature_invalid')
    client = Client(site)
    assert client.bring(client.answer().text).status_code == 303


def test_our_own_identity_provider_is_a_loop(site):
    """The client brings our request to ourselves."""
    client = Client(site, '/open/page')
    page = client.answer(site.url('/adfs/services/trust/saml/ecp'), 'alice:alice-secret')
    assert page.status_code == 500 and 'Assertion' not in page.text, page.text
    reference = re.search(r'reference ([0-9a-zA-Z_-]+)', page.text).group(1)
    assert site.site.audit(id=reference, reason='saml_loop')
    assert client.bring(client.answer().text).status_code == 303


def test_a_location_at_another_host(site):
    """It is sent to the gateway's own host, whose cookies come with the answer, and comes back by the ticket."""
    session = saml.browser()
    address = 'https://127.0.0.1:%d/far/page?x=1' % site.port
    page = session.get(address, headers=PAOS, allow_redirects=False, timeout=30)
    assert page.status_code in (302, 303), page.text
    client = Client.__new__(Client)
    client.site, client.session = site, session
    client.page = session.get(page.headers['Location'], headers=PAOS, allow_redirects=False, timeout=30)
    done = client.bring(client.answer().text)
    assert done.status_code == 303, done.text
    page = session.get(done.headers['Location'], timeout=30)
    assert page.url == address and page.json()['path'] == '/far/page?x=1', page.url + page.text
