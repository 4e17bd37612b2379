# SPDX-License-Identifier: GPL-2.0-or-later
"""From one protocol to another by SAML 2.0, with others' programs at both ends: SimpleSAMLphp's WS-Federation identity provider opens
SAML sites (node-saml, SimpleSAMLphp); an assertion of pysaml2 becomes a SAML 1.1 token by WS-Trust (zeep); SimpleSAMLphp at both ends in
a real Chromium."""
import base64
import json
import os
import re
import urllib.parse

import pytest
import requests
import xmlsec
from lxml import etree

import harness
import peers
import saml
from messages import METADATA, MEX
from saml import browser, choose, entity_id, submit
from test_saml import EDUPERSON

HTTP_ERROR = 'Failed to load resource: the server responded with a status of 4'
RULES = '[upn == "front@example.com"] && exists([subject_emailaddress == "alice@pysaml2.test"]) => permit();\n'
USERS = {**harness.USERS, 'front': {'password': 'front-secret', 'groups': ['Services']}}
SP_METADATA, IDP_METADATA = '/adfs/services/trust/saml/metadata/sp', '/adfs/services/trust/saml/metadata/idp'
MD = '{urn:oasis:names:tc:SAML:2.0:metadata}'
SAML11 = 'urn:oasis:names:tc:SAML:1.0:assertion'


@pytest.fixture(scope='module')
def site(authority):
    folder, port = harness.temporary_folder(), harness.free_port()
    base = 'https://localhost:%d' % port
    ssp = saml.Ssp(folder, authority, WSFED_RPS='http://localhost:%d/adfs/services/trust=%s/adfs/ls/' % (port, base))
    ssp.start()
    idp = saml.Pysaml2Idp('idp', folder, authority)
    idp.publish()
    node = saml.NodeSamlSp('node', folder, authority, idp.metadata)
    node.publish()
    idp.source, node.source = SP_METADATA, IDP_METADATA
    rules = os.path.join(folder, 'delegation.rules')
    with open(rules, 'w') as file:
        file.write(RULES)
    partners = {
        **harness.PARTNERS,
        'node': {'metadata': node.metadata, 'claims': harness.CLAIMS, 'display_name': 'A Node site'},
        'site': {'metadata': ssp.sp_metadata['default-sp'], 'claims': harness.CLAIMS},
        'old': {'realm': ['urn:old'], 'claims': harness.CLAIMS, 'token': 'saml11', 'delegation_rules': rules},
    }
    sections = {('identity_provider', 'faculty'): {'metadata': ssp.wsfed_metadata, 'display_name': 'The faculty', 'unconfirmed': 'true'},
                ('identity_provider', 'campus'): {'metadata': ssp.idp_metadata, 'acceptance_rules': EDUPERSON, 'display_name': 'The campus'},
                ('identity_provider', 'university'): {'metadata': idp.metadata, 'acceptance_rules': EDUPERSON}}  # fmt: skip
    started = []
    try:
        with harness.Gateway(authority, port=port, users=USERS, partners=partners, sections=sections) as gateway:
            idp.start(gateway, node.metadata)
            started.append(idp)
            node.start(gateway)
            started.append(node)
            ssp.add(gateway)
            gateway.ssp, gateway.idp, gateway.node = ssp, idp, node
            yield gateway
    finally:
        for peer in started:
            peer.stop()
        ssp.stop()


# ---- metadata of one role: those of the peers that read it are started with it


@pytest.mark.parametrize('path, roles', [(SP_METADATA, ['SPSSODescriptor']), (IDP_METADATA, ['IDPSSODescriptor', 'AttributeAuthorityDescriptor'])])
def test_metadata_of_one_role_is_signed(site, path, roles):
    """xmlsec judges, under the certificate of the document that all protocols share."""
    answer = site.get(path)
    assert answer.status_code == 200 and answer.headers['Content-Type'].startswith('application/samlmetadata+xml')
    root = etree.fromstring(answer.content)
    assert [child.tag for child in root if 'xmldsig' not in child.tag] == [MD + role for role in roles] and root.get('entityID') == entity_id(site)
    whole = etree.fromstring(site.get(METADATA).content)
    certificate = whole.findtext('.//%sIDPSSODescriptor/%sKeyDescriptor[@use="signing"]//{*}X509Certificate' % (MD, MD))
    for changed in (False, True):
        if changed:
            root.set('entityID', 'urn:evil')
        xmlsec.tree.add_ids(root, ['ID'])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(base64.b64decode(certificate), xmlsec.KeyFormat.CERT_DER)
        if changed:
            with pytest.raises(xmlsec.Error):
                context.verify(xmlsec.tree.find_node(root, 'Signature'))
        else:
            context.verify(xmlsec.tree.find_node(root, 'Signature'))


# ---- SimpleSAMLphp speaks WS-Federation


def through_the_faculty(session, site, page, end):
    page = choose(session, page, 'The faculty')
    assert page.url.startswith(site.ssp.idp_origin), page.url + page.text
    page = submit(session, page, username='alice', password='alicepw')
    for _ in range(5):
        if page.url.startswith(end) and '<form' not in page.text:
            break
        page = submit(session, page)
    assert page.status_code == 200 and page.url.startswith(end), page.url + page.text
    line = site.site.audit(event='accepted', identity_provider='faculty')[-1]
    assert line['token_type'] == SAML11 and line['protocol'] == 'wsfed', line
    return page.text


def test_simplesamlphps_wsfederation_opens_a_node_site(site):
    session = browser()
    page = session.get(site.node.origin + '/login', timeout=60)
    profile = json.loads(through_the_faculty(session, site, page, site.node.origin))
    assert profile['issuer'] == entity_id(site) and 'alice@ssp.test' in str(profile), profile


def test_simplesamlphps_wsfederation_opens_its_own_saml_site(site):
    session = browser()
    page = site.ssp.app(session, **{'as': 'default-sp', 'idp': entity_id(site)})
    told = json.loads(through_the_faculty(session, site, page, site.ssp.sp_origin))
    assert told['idp'] == entity_id(site) and 'alice@ssp.test' in str(told['attributes']), told


# ---- an assertion of somebody else's SAML 2.0 becomes a SAML 1.1 token


def assertion_of(site, tmp_path, audience, user='alice'):
    """As a program gets one from pysaml2, with a password."""
    page = requests.get(site.idp.origin + '/token', params={'sp': audience}, auth=(user, user + 'pw'), verify=False, timeout=60)
    assert page.status_code == 200, page.text
    path = tmp_path / 'assertion.xml'
    path.write_text(page.text)
    return path


def ask(site, tmp_path, path, user='front', password='front-secret'):
    saved = tmp_path / 'token.xml'
    saved.unlink(missing_ok=True)
    status, output = peers.run(site, 'ws/zeep_driver.py', site.url(MEX), user, password, '--ca', site.authority.ca, '--aud', 'urn:old', '--save', str(saved),
                               '--token-type', SAML11, '--on-behalf-of', str(path))  # fmt: skip
    return status, output, saved


def test_an_assertion_of_pysaml2_becomes_a_saml11_token(site, tmp_path):
    status, output, saved = ask(site, tmp_path, assertion_of(site, tmp_path, entity_id(site)))
    assert status == 0, output
    token = etree.fromstring(saved.read_bytes())  # xmlsec replaces libxml2's way to files
    assert token.tag == '{%s}Assertion' % SAML11 and token.get('Issuer') == entity_id(site)
    text = saved.read_text()
    assert 'alice@pysaml2.test' in text and 'front' not in text and '>urn:old<' in text
    line = site.site.audit(event='issued', partner='old')[-1]
    assert line['actor'] == 'front' and line['token_type'] == SAML11, line


@pytest.mark.parametrize('case', ['audience', 'changed', 'person', 'actor'])
def test_what_is_not_for_us_or_not_permitted(site, tmp_path, case):
    """SA-01, XS-01, WT-02; the control is the test before."""
    path = assertion_of(site, tmp_path, site.node.entity_id if case == 'audience' else entity_id(site), 'bob' if case == 'person' else 'alice')
    if case == 'changed':
        path.write_text(path.read_text().replace('alice@pysaml2.test', 'alicf@pysaml2.test'))
    user = 'alice' if case == 'actor' else 'front'
    status, output, saved = ask(site, tmp_path, path, user, user + '-secret')
    assert status == 1 and not saved.exists(), output
    reason = {'audience': 'token_audience', 'changed': 'signature_invalid'}.get(case, 'denied')
    reference = re.search(r'reference ([0-9a-f-]+)', output).group(1)
    assert site.site.audit(id=reference, reason=reason), site.site.audit(id=reference)


# ---- in a real browser


def test_simplesamlphp_at_both_ends_in_a_browser(site, profile):
    page = profile(locale='en', forgive=[HTTP_ERROR])
    page.goto(site.ssp.sp_origin + '/app.php?' + urllib.parse.urlencode({'as': 'default-sp', 'idp': entity_id(site)}))
    harness.wait_for(lambda: page.has('button[name=whr]'), 30)
    page.click('button[value="%s"]' % (site.ssp.idp_origin + '/simplesaml/saml2/idp/metadata.php'))
    harness.wait_for(page.asks_for_password, 30)
    assert page.url().startswith(site.ssp.idp_origin)
    page.fill(username='alice', password='alicepw')
    page.click('[type=submit]')
    harness.wait_for(lambda: page.url().startswith(site.ssp.sp_origin + '/app.php') and 'alice@ssp.test' in page.text(), 30)
    assert entity_id(site) in page.text()
