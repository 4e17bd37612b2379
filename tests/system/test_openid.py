# SPDX-License-Identifier: GPL-2.0-or-later
"""The OpenID Connect provider with clients that others wrote: openid-client (npm) and Apache's mod_auth_openidc."""
import html
import json
import os
import re
from urllib.parse import quote, urljoin

import pytest
import requests
from jwt.algorithms import ECAlgorithm

import clients
import harness
import idp
import saml
from tokens import ec_key

EDUPERSON = os.path.join(harness.ROOT, 'etc', 'policy', 'eduperson-acceptance.rules')


def make_key(folder):
    """Paths of a private JSON Web Key and of the set with its public half."""
    key = ec_key()
    private, public = os.path.join(folder, 'robot.jwk'), os.path.join(folder, 'robot.jwks')
    more = {'kid': 'robot-1', 'alg': 'ES256', 'use': 'sig'}
    with open(private, 'w') as file:
        json.dump({**json.loads(ECAlgorithm.to_jwk(key)), **more}, file)
    with open(public, 'w') as file:
        json.dump({'keys': [{**json.loads(ECAlgorithm.to_jwk(key.public_key())), **more}]}, file)
    return private, public


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    private, public = make_key(folder)
    app = clients.Client('app', folder, authority)
    app.options = {'back_channel_logout': app.origin + app.backchannel}
    robot = clients.Client('robot', folder, authority, {'client_secret_file': None, 'client_auth': ['private_key_jwt'], 'client_jwks': public},
                           AUTH='jwt', JWK=private)  # fmt: skip
    spa = clients.Client('spa', folder, authority, {'client_secret_file': None, 'client_auth': ['none'], 'origins': ['https://spa.example.com']}, AUTH='none', RESPONSE_MODE='form_post')
    apache = clients.ModAuthOpenidc('apache', folder, authority)
    apache.options = {'back_channel_logout': apache.origin + apache.backchannel}
    everybody = [app, robot, spa, apache]
    university = idp.IdentityProvider('university', folder, authority)
    college = saml.Pysaml2Idp('college', folder, authority)
    college.publish()
    with harness.Gateway(authority, partners={**harness.PARTNERS, **{client.name: client.section() for client in everybody}},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [app.origin, apache.origin], 'ca': authority.ca},
                                   ('identity_provider', 'college'): {'display_name': 'College', 'metadata': college.metadata,
                                                                      'acceptance_rules': EDUPERSON},
                                   ('identity_provider', 'university'): {'display_name': 'University', 'issuer': university.issuer,
                                                                         'certificate': [university.certificate],
                                                                         'sign_in': university.origin + '/wsfed'}}) as gateway:  # fmt: skip
        gateway.app, gateway.robot, gateway.spa, gateway.apache = everybody
        gateway.university, gateway.college = university, college
        university.start()
        college.start(gateway)
        for client in everybody:
            client.start(gateway)
        yield gateway
        for client in everybody:
            client.stop()
        university.stop()
        college.stop()


def fields_of(page):
    fields = {}
    for tag in re.findall(r'<input[^>]*>', page.text):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            fields[html.unescape(name.group(1))] = html.unescape(value.group(1)) if value else ''
    return fields


def submit(session, page, **values):
    form = re.search(r'<form[^>]*?action="([^"]*)"', page.text)
    assert form, page.text[-1500:]
    return lead(session, session.post(urljoin(page.url, html.unescape(form.group(1))), data={**fields_of(page), **values}, timeout=30))


def lead(session, page):
    """Follows a page that leads on by itself, as browsers do."""
    for _ in range(5):
        on = re.search(r'http-equiv="refresh" content="\d;url=([^"]*)"', page.text)
        if not on:
            break
        page = session.get(html.unescape(on.group(1)), timeout=30)
    return page


def open_page(session, url):
    return lead(session, session.get(url, timeout=30))


def choose(session, page, name):
    button = re.search(r'<button[^>]*name="whr" value="([^"]*)"[^>]*>\s*(?:<span>)?%s' % re.escape(name), page.text)
    assert button, page.text[-1500:]
    action = re.search(r'<form[^>]*?action="([^"]*)"', page.text).group(1)
    return session.get(html.unescape(action), params={**fields_of(page), 'whr': html.unescape(button.group(1))}, timeout=30)


def sign_in(gateway, session, client, **extra):
    """Signs alice in at a client; what the client says of her."""
    page = session.get(client.origin + '/login', params=extra, timeout=30)
    if 'name="whr"' in page.text:
        page = choose(session, page, 'people')
    assert 'name="password"' in page.text, page.text[-1500:]
    page = submit(session, page, username='alice', password='alice-secret')
    if 'name="code"' in page.text:
        page = submit(session, page)
    assert page.status_code == 200, page.text + client.log()[-2000:]
    return page.json()


def browser(gateway):
    return gateway.browser()


def careless_browser():
    """Takes every certificate: the identity provider's is its own CA's."""
    session = requests.Session()
    session.verify, session.trust_env = False, False
    return session


@pytest.mark.parametrize('name', ['app', 'robot', 'spa'])
def test_code_flow_userinfo_and_refresh(site, name):
    client, session = getattr(site, name), browser(site)
    told = sign_in(site, session, client)
    assert told['claims']['iss'] == site.base_url + '/adfs' and told['claims']['aud'] == name
    assert told['claims']['upn'] == 'alice@example.com' and told['claims']['amr'] == ['pwd']
    assert told['userinfo']['sub'] == told['claims']['sub']
    assert told['userinfo']['email'] == 'alice@example.com' and told['userinfo']['given_name'] == 'Alice'
    assert told['refresh'] and told['token_type'] == 'bearer'
    again = session.get(client.origin + '/refresh', timeout=30)
    assert again.status_code == 200 and again.json()['refresh'], again.text
    assert session.get(client.origin + '/refresh', timeout=30).status_code == 200  # with the new one
    assert session.get(client.origin + '/userinfo', timeout=30).json()['sub'] == told['claims']['sub']
    assert site.site.audit(event='issued', protocol='openid', partner=name, token_type='id_token')


def test_a_session_answers_without_a_page_and_none_is_refused(site):
    session = browser(site)
    refused = session.get(site.app.origin + '/login', params={'prompt': 'none'}, timeout=30)
    assert refused.status_code == 400 and refused.json()['error'] == 'login_required', refused.text
    sign_in(site, session, site.app)
    page = open_page(session, site.app.origin + '/login?prompt=none')
    assert page.status_code == 200 and page.json()['claims']['upn'] == 'alice@example.com'
    page = open_page(session, site.app.origin + '/login?prompt=login')
    assert 'name="password"' in page.text or 'name="whr"' in page.text


def test_signing_out_at_one_client_ends_the_other_one_from_here(site):
    session = browser(site)
    ended = sign_in(site, session, site.app)['ended']
    page = open_page(session, site.robot.origin + '/login')
    assert page.json()['claims']['upn'] == 'alice@example.com'
    page = open_page(session, site.robot.origin + '/logout')
    assert page.json() == {'bye': 'bye1'}, page.text
    told = session.get(site.app.origin + '/', timeout=30)
    assert told.status_code == 403 and told.json()['ended'] == ended + 1, told.text + site.app.log()[-2000:]
    assert site.site.audit(event='signout', protocol='openid')


def test_signing_out_at_wsfederation_tells_the_client(site):
    session = browser(site)
    ended = sign_in(site, session, site.app)['ended']
    page = session.get(site.base_url + '/adfs/ls/?wa=wsignout1.0', timeout=30)
    assert page.status_code == 200
    told = session.get(site.app.origin + '/', timeout=30)
    assert told.status_code == 403 and told.json()['ended'] == ended + 1, told.text


def test_an_account_of_a_wsfederation_identity_provider_opens_a_client(site):
    session = careless_browser()
    page = choose(session, session.get(site.app.origin + '/login', timeout=30), 'University')
    for _ in range(5):
        if page.url.startswith(site.app.origin):
            break
        page = submit(session, page, **({'username': 'carol', 'password': 'x'} if 'username' in page.text else {}))
    told = page.json()
    assert told['claims']['iss'] == site.base_url + '/adfs' and told['claims']['sub'], told


def test_prompt_none_where_a_wsfederation_provider_would_have_to_be_asked(site):
    """WS-Federation 1.2 §13.2.1 has no way to ask without a page, so nobody is sent there."""
    session = careless_browser()
    page = choose(session, session.get(site.app.origin + '/login', timeout=30), 'University')
    assert page.url.startswith(site.university.origin), page.url  # the control; the choice is remembered from here on
    page = session.get(site.app.origin + '/login', params={'prompt': 'none'}, timeout=30)
    assert page.status_code == 400 and page.json()['error'] == 'login_required', page.text


def test_an_account_of_a_saml_identity_provider_opens_a_client(site):
    session = careless_browser()
    page = choose(session, session.get(site.app.origin + '/login', timeout=30), 'College')
    page = submit(session, page, username='alice', password='alicepw')
    for _ in range(5):
        if page.url.startswith(site.app.origin):
            break
        page = submit(session, page)
    told = page.json()
    assert told['claims']['iss'] == site.base_url + '/adfs' and told['userinfo']['email'] == 'alice@pysaml2.test', told


def test_prompt_none_goes_on_to_a_saml_identity_provider_as_is_passive(site):
    """pysaml2 answers NoPassive, and the client hears of that."""
    session = careless_browser()
    page = choose(session, session.get(site.app.origin + '/login', timeout=30), 'College')
    assert 'name="password"' in page.text, page.text  # the control; the choice is remembered from here on
    page = session.get(site.app.origin + '/login', params={'prompt': 'none'}, timeout=30)
    while 'name="SAMLResponse"' in page.text:
        page = submit(session, page)
    assert page.status_code == 400 and page.json()['error'] == 'login_required', page.text
    line = site.site.audit(event='refused', reason='saml_passive', protocol='openid')[-1]
    assert 'NoPassive' in line['detail'], line


def enter_apache(site, session):
    page = open_page(session, site.apache.origin + '/secret/env')
    if 'name="whr"' in page.text:
        page = choose(session, page, 'people')
    if 'name="password"' in page.text:
        page = submit(session, page, username='alice', password='alice-secret')
    return page


def test_mod_auth_openidc_signs_in_and_out(site):
    session = browser(site)
    page = enter_apache(site, session)
    assert 'REMOTE_USER=alice@example.com' in page.text, page.text + site.apache.log()[-3000:]
    assert 'OIDC_CLAIM_email=alice@example.com' in page.text and 'OIDC_CLAIM_given_name=Alice' in page.text
    page = open_page(session, site.apache.origin + '/oidc/cb?logout=' + quote(site.apache.origin + '/bye', safe=''))
    assert page.url.startswith(site.apache.origin + '/bye') and page.text == 'bye\n', page.text
    page = open_page(session, site.apache.origin + '/secret/env')
    assert 'name="password"' in page.text or 'name="whr"' in page.text


def test_mod_auth_openidc_is_told_from_here(site):
    session = browser(site)
    assert 'REMOTE_USER=alice@example.com' in enter_apache(site, session).text
    assert open_page(session, site.robot.origin + '/login').json()['claims']['upn'] == 'alice@example.com'
    assert 'REMOTE_USER' in session.get(site.apache.origin + '/secret/env', timeout=30).text
    open_page(session, site.robot.origin + '/logout')
    assert 'REMOTE_USER' not in open_page(session, site.apache.origin + '/secret/env').text, site.apache.log()[-3000:]


def test_scripts_of_registered_origins_may_call(site):
    url, session = site.base_url + '/adfs/userinfo', browser(site)
    asked = session.options(url, headers={'Origin': 'https://spa.example.com', 'Access-Control-Request-Method': 'GET'}, timeout=20)
    assert asked.status_code == 204 and asked.headers['Access-Control-Allow-Origin'] == 'https://spa.example.com', asked.headers
    asked = session.options(url, headers={'Origin': 'https://evil.example.com', 'Access-Control-Request-Method': 'GET'}, timeout=20)
    assert 'Access-Control-Allow-Origin' not in asked.headers
    refused = session.options(site.base_url + '/adfs/oauth2/authorize', timeout=20)
    assert refused.status_code == 405
    fields = {'grant_type': 'authorization_code', 'code': 'x', 'client_id': 'spa'}
    for origin, allowed in (('https://spa.example.com', True), ('https://evil.example.com', False)):
        answer = session.post(site.base_url + '/adfs/oauth2/token', data=fields, headers={'Origin': origin}, timeout=20)
        assert answer.status_code == 400 and answer.json()['error'] == 'invalid_grant', answer.text
        assert ('Access-Control-Allow-Origin' in answer.headers) == allowed


# ---- a real browser


def test_in_chromium(site, profile):
    page = profile()
    page.goto(site.app.origin + '/login')
    if page.has('button[name=whr]'):
        page.click('button[name=whr]:has-text("people")')
    page.sign_in('alice', 'alice-secret')
    harness.wait_for(lambda: page.url() == site.app.origin + '/')
    assert 'alice@example.com' in page.text()
    page.goto(site.robot.origin + '/login?prompt=consent')
    assert page.has('button[name=consent]') and 'alice' in page.text()
    page.click('button[name=consent][value=yes]')
    harness.wait_for(lambda: page.url() == site.robot.origin + '/')
    page.goto(site.spa.origin + '/login')  # comes back by a form
    harness.wait_for(lambda: page.url() == site.spa.origin + '/')
    page.goto(site.base_url + '/adfs/oauth2/logout')
    assert page.has('button[name=confirm]')
    page.click('button[name=confirm]')
    harness.wait_for(lambda: not page.has('button[name=confirm]'))
    page.goto(site.base_url + '/adfs/oauth2/logout')
    assert not page.has('button[name=confirm]')  # nobody is signed in any more


def test_in_chromium_from_a_wsfederation_provider(site, profile):
    page = profile()
    page.goto(site.app.origin + '/login')
    page.click('button[name=whr]:has-text("University")')
    harness.wait_for(lambda: page.url().startswith(site.university.origin))
    page.click('form button, form input[type=submit]')
    harness.wait_for(lambda: page.url() == site.app.origin + '/')
    assert site.base_url + '/adfs' in page.text() and '"amr"' in page.text(), page.text()


def test_in_chromium_from_a_saml_provider(site, profile):
    page = profile(forgive=[site.college.origin])  # its pages have no icon
    page.goto(site.app.origin + '/login')
    page.click('button[name=whr]:has-text("College")')
    harness.wait_for(lambda: page.url().startswith(site.college.origin))
    page.fill(username='alice', password='alicepw')
    page.click('form input[type=submit]')
    harness.wait_for(lambda: page.url() == site.app.origin + '/')
    assert 'alice@pysaml2.test' in page.text(), page.text()
