# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that register themselves (RFC 7591, 7592), by openid-client; rules say which."""
import os
import re

import pytest

import harness
from oauth import Agent, Refused
from test_conformance import Flow, signing_keys
from test_openid import fields_of
from tokens import altered

REALM = 'urn:test:registered'
CALLBACK = 'https://rp.localhost:4443/cb'
RULES = r"""
[registration_redirect_uri =~ "^https://rp\.localhost:4443/"] => permit();
[registration_client_name =~ "(?i)bank"] => deny();
[Type == "http://schemas.microsoft.com/2014/01/clientcontext/claims/appid", Value == "provisioner"] => permit();
"""


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    rules = os.path.join(folder, 'registration.rules')
    with open(rules, 'w') as file:
        file.write(RULES)
    provisioner, other = (Agent(name, folder, {'resources': [REALM]}) for name in ('provisioner', 'other'))
    partners = {**harness.PARTNERS, 'registered': {'realm': [REALM], 'registration_rules': rules, 'claims': harness.CLAIMS},
                'provisioner': provisioner.section(), 'other': other.section()}  # fmt: skip
    with harness.Gateway(authority, partners=partners) as gateway:
        gateway.provisioner, gateway.other = provisioner, other
        gateway.metadata = gateway.get('/adfs/.well-known/openid-configuration').json()
        gateway.keys = signing_keys(gateway)
        yield gateway


def register(site, **metadata):
    usual = {'redirect_uris': [CALLBACK], 'client_name': 'The newcomer', 'grant_types': ['authorization_code', 'refresh_token']}
    return site.provisioner.run(site, 'register', {**usual, **metadata})


def sign_in(flow, **parameters):
    """With consent, which is asked for."""
    page = flow.ask(**parameters)
    assert not isinstance(page, dict) and 'The newcomer (rp.localhost)' in page.text, page
    action = re.search(r'<form[^>]*action="([^"]*)"', page.text).group(1).replace('&amp;', '&')
    back = flow.follow(flow.browser.post(action, data={**fields_of(page), 'consent': 'yes'}, allow_redirects=False, timeout=30))
    answer = flow.trade(back['code'])
    assert answer.status_code == 200, answer.text
    flow.tokens = answer.json()
    flow.told = flow.verify(flow.tokens['id_token'], flow.nonce)
    return flow.told


def manage(site, told, method, **options):
    path = told['registration_client_uri'][len(site.base_url):]
    headers = {'Authorization': 'Bearer ' + options.pop('token', told['registration_access_token'])}
    return site.session.request(method, site.url(path), headers=headers, allow_redirects=False, timeout=30, **options)


def test_a_registered_client_signs_people_in(site):
    assert site.metadata['registration_endpoint'] == site.base_url + '/adfs/oauth2/register'
    told = register(site)
    assert told['client_secret'] and told['client_id_issued_at'] and told['redirect_uris'] == [CALLBACK]
    flow = Flow(site, client=told['client_id'], secret=told['client_secret'])
    assert sign_in(flow, scope='openid email')['upn'] == 'alice@example.com'
    assert flow.userinfo()['email'] == 'alice@example.com'
    assert isinstance(flow.ask(scope='openid email'), dict)  # consent is remembered
    wrong = Flow(site, client=told['client_id'], secret='wrong')
    wrong.browser = flow.browser
    back = wrong.ask(scope='openid email')
    assert wrong.trade(back['code']).json()['error'] == 'invalid_client'
    assert site.site.audit(event='registered', client_id=told['client_id'], request='register')


def test_rules_decide(site):
    for wrong in ({'redirect_uris': ['https://evil.test/cb']}, {'redirect_uris': [CALLBACK, 'https://evil.test/cb']}, {'client_name': 'Your Bank'}):
        with pytest.raises(Refused, match='access_denied'):
            register(site, **wrong)
    token = site.provisioner.token(site, REALM)
    assert register(site, token=token, redirect_uris=['https://partner.test/cb'])['client_id']
    with pytest.raises(Refused, match='access_denied'):
        register(site, token=site.other.token(site, REALM), redirect_uris=['https://partner.test/cb'])
    with pytest.raises(Refused):
        register(site, token=altered(token))


def test_metadata_is_checked(site):
    for wrong in ({'grant_types': ['implicit']}, {'grant_types': ['client_credentials']}, {'response_types': ['token']}, {'jwks_uri': 'https://rp.localhost/jwks'},
                  {'token_endpoint_auth_method': 'tls_client_auth'}, {'token_endpoint_auth_method': 'private_key_jwt'}, {'subject_type': 'x'},
                  {'post_logout_redirect_uris': ['javascript:alert(1)']}):  # fmt: skip
        with pytest.raises(Refused, match='invalid_client_metadata'):
            register(site, **wrong)
    for wrong in ([], ['javascript:alert(1)'], ['https://rp.localhost:4443/cb#x']):
        with pytest.raises(Refused, match='invalid_redirect_uri'):
            register(site, redirect_uris=wrong)
    assert register(site, token_endpoint_auth_method='none')['client_id']


def test_management(site):
    told, other = register(site), register(site)
    seen = manage(site, told, 'GET')
    assert seen.status_code == 200 and seen.json()['client_name'] == 'The newcomer' and 'fedgate_secret' not in seen.text
    for refused in (manage(site, told, 'GET', token=other['registration_access_token']), manage(site, told, 'DELETE', token='x')):
        assert refused.status_code == 401
    new = {'client_id': told['client_id'], 'redirect_uris': [CALLBACK + '2'], 'client_name': 'Renamed'}
    assert manage(site, told, 'PUT', json={**new, 'client_id': other['client_id']}).status_code == 400
    assert manage(site, told, 'PUT', json={**new, 'redirect_uris': ['https://evil.test/']}).status_code == 403
    changed = manage(site, told, 'PUT', json=new)
    assert changed.status_code == 200 and changed.json()['redirect_uris'] == [CALLBACK + '2'], changed.text
    page = Flow(site, client=told['client_id']).ask()
    assert not isinstance(page, dict) and page.status_code == 400  # the old address
    assert manage(site, told, 'DELETE').status_code == 204
    assert manage(site, told, 'GET').status_code == 401
    page = Flow(site, client=told['client_id']).ask(redirect_uri=CALLBACK + '2')
    assert page.status_code == 400 and 'not registered' in page.text


def test_off_unless_configured(authority):
    with harness.Gateway(authority) as gateway:
        assert 'registration_endpoint' not in gateway.get('/adfs/.well-known/openid-configuration').json()
        answer = gateway.post('/adfs/oauth2/register', '{"redirect_uris":["https://rp.localhost:4443/cb"]}', headers={'Content-Type': 'application/json'})
        assert answer.status_code == 404
