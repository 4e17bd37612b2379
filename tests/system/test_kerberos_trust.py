# SPDX-License-Identifier: GPL-2.0-or-later
"""WS-Trust by a ticket of Kerberos, against a real Samba domain controller: windowstransport by curl and by python3-gssapi."""
import re

import pytest
from lxml import etree

import harness
import peers
from kerberos import answered, gateway, header, token
from messages import MEX, USERNAME, rst
from test_kerberos import NTLM

ACTION = {
    '13': 'http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue',
    '2005': 'http://schemas.xmlsoap.org/ws/2005/02/trust/RST/Issue',
}
SOAP = 'application/soap+xml; charset=utf-8'
REALM = 'urn:test:site'
PARTNERS = {**harness.PARTNERS, 'site': {'realm': [REALM], 'claims': harness.CLAIMS + ['upn'], 'name_id': 'upn'}}
HTTP = 'http://schemas.microsoft.com/ws/06/2004/policy/http'
both_versions = pytest.mark.parametrize('trust', ['13', '2005'])


@pytest.fixture(scope='module')
def site(authority, domain):
    with gateway(authority, domain, partners=PARTNERS) as gw:
        yield gw


def path(trust):
    return '/adfs/services/trust/%s/windowstransport' % trust


def message(site, trust, realm=REALM):
    """The RST without a Security header: HTTP says who it is."""
    text = rst(site.base_url, realm=realm, trust=trust).replace(USERNAME[trust], path(trust))
    return re.sub('<o:Security.*</o:Security>', '', text, flags=re.S)


def post(site, trust, value=None, text=None):
    headers = {'Content-Type': SOAP, **(header(value) if value is not None else {})}
    return site.browser().post(site.url(path(trust)), data=(text or message(site, trust)).encode(), headers=headers, timeout=30)


def assertion(text):
    return re.search(r'<(?:\w+:)?Assertion\b.*</(?:\w+:)?Assertion>', text, re.S).group(0)


@both_versions
def test_curl_gets_a_token_that_is_good(site, domain, trust, tmp_path):
    domain.kinit('alice')
    done = harness.run('curl', '-sS', '--cacert', site.authority.ca, '--negotiate', '-u', ':', '-H', 'Content-Type: ' + SOAP,
                       '--data-binary', '@-', site.url(path(trust)), input=message(site, trust))  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = assertion(done.stdout)
    root = etree.fromstring(found)
    assert 'alice@gw.test' in [value.text for value in root.iter('{*}AttributeValue')]
    assert 'urn:federation:authentication:windows' in found
    (tmp_path / 'token.xml').write_text(found)
    certificate = peers.signing_certificate(site, tmp_path / 'signing.pem')
    told = harness.run(harness.COMMAND, 'token', 'verify', str(tmp_path / 'token.xml'), '--trust', certificate, '--audience', REALM)
    assert told.returncode == 0, told.stdout + told.stderr
    assert site.site.audit(event='signin', user='alice@GW.TEST') and site.site.audit(event='issued', partner='site', user='alice')


@both_versions
def test_the_gateway_proves_itself(site, domain, trust):
    domain.kinit('alice')
    context, first = token()
    answer = post(site, trust, first)
    assert answer.status_code == 200, answer.text
    context.step(answered(answer))
    assert context.complete


@both_versions
def test_who_has_no_ticket_is_asked_for_one(site, domain, trust):
    answer = post(site, trust)
    assert answer.status_code == 401 and answer.headers['WWW-Authenticate'] == 'Negotiate'
    assert 'Fault' in answer.text and 'Assertion' not in answer.text
    assert site.site.audit(event='refused', reason='not_signed_in', protocol='wstrust' + trust)


@both_versions
def test_kl_01_ntlm_is_refused(site, domain, trust):
    answer = post(site, trust, NTLM)
    assert answer.status_code == 401 and 'Assertion' not in answer.text
    assert site.site.audit(event='refused', code='kerberos.ntlm', protocol='wstrust' + trust)


@both_versions
def test_kl_06_a_ticket_is_good_once(site, domain, trust):
    domain.kinit('alice')
    value = token()[1]
    assert post(site, trust, value).status_code == 200
    answer = post(site, trust, value)
    assert answer.status_code == 401 and 'Assertion' not in answer.text
    assert site.site.audit(event='signin_refused', code='kerberos.replay')


def test_what_is_not_for_this_endpoint(site, domain):
    """A password where a ticket belongs, a ticket where a password does."""
    domain.kinit('alice')
    with_password = rst(site.base_url, realm=REALM).replace(USERNAME['13'], path('13'))
    assert post(site, '13', text=with_password).status_code == 401
    refused = post(site, '13', token()[1], text=with_password)
    assert refused.status_code != 200 and 'Assertion' not in refused.text
    text = message(site, '13').replace(path('13'), USERNAME['13'])
    answer = site.browser().post(site.url(USERNAME['13']), data=text.encode(), headers={'Content-Type': SOAP, **header(token()[1])}, timeout=30)
    assert answer.status_code == 500 and 'Assertion' not in answer.text
    assert post(site, '13', token()[1]).status_code == 200


def test_an_unknown_relying_party(site, domain):
    domain.kinit('alice')
    answer = post(site, '13', token()[1], message(site, '13', 'urn:nobody'))
    assert answer.status_code == 500 and 'InvalidScope' in answer.text


def test_metadata_tells_of_it_where_there_is_a_keytab(site, domain, authority):
    root = etree.fromstring(site.get(MEX).content)
    addresses = [port.text for port in root.iterfind('.//{*}port/{*}EndpointReference/{*}Address')]
    assert all(site.base_url + path(trust) in addresses for trust in ('13', '2005'))
    assert len(root.findall('.//{%s}NegotiateAuthentication' % HTTP)) == 2
    assert {spn.text for spn in root.iter('{*}Spn')} == {'HTTP/localhost'}
    with harness.Gateway(authority, partners=PARTNERS) as without:
        assert 'windowstransport' not in without.get(MEX).text
        assert post(without, '13').status_code == 404
