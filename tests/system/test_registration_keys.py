# SPDX-License-Identifier: GPL-2.0-or-later
"""A client (openid-client) that registered itself with addresses: of its keys (jwks_uri), and where it is told of sign-outs."""
import json
import os

import pytest
import requests
from jwt.algorithms import ECAlgorithm

import clients
import harness
import saml
from messages import PASSIVE
from oauth import Agent, Refused
from test_openid import lead, submit
from tokens import ec_key

REALM = 'urn:test:registered'
RULES = '[registration_redirect_uri =~ "^https://localhost:"] => permit();\n'


def make_key(path, kid):
    with open(path, 'w') as file:
        json.dump({**json.loads(ECAlgorithm.to_jwk(ec_key())), 'kid': kid, 'alg': 'ES256', 'use': 'sig'}, file)


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    rules = os.path.join(folder, 'registration.rules')
    with open(rules, 'w') as file:
        file.write(RULES)
    provisioner, apps = Agent('provisioner', folder), {}
    for name in ('back', 'front', 'hidden'):
        jwk = os.path.join(folder, name + '.jwk')
        make_key(jwk, 'one')
        apps[name] = clients.Client(name, folder, authority, AUTH='jwt', JWK=jwk)
    partners = {**harness.PARTNERS, 'registered': {'realm': [REALM], 'registration_rules': rules, 'claims': harness.CLAIMS},
                'provisioner': provisioner.section()}  # fmt: skip
    sections = {'fetch': {'allow': [apps['back'].origin, apps['front'].origin], 'ca': authority.ca}}
    with harness.Gateway(authority, partners=partners, sections=sections) as gateway:
        gateway.provisioner, gateway.apps = provisioner, apps
        for app, way in ((apps['back'], 'backchannel'), (apps['front'], 'frontchannel'), (apps['hidden'], None)):
            more = {way + '_logout_uri': app.origin + '/' + way, way + '_logout_session_required': True} if way else {}
            told = register(gateway, app, **more)
            app.environment['CLIENT_ID'] = told['client_id']
            app.start(gateway)
            assert all(told[name] == value for name, value in more.items()), told
        yield gateway
        for app in apps.values():
            app.stop()


def register(site, app, **metadata):
    usual = {'redirect_uris': [app.origin + '/cb'], 'post_logout_redirect_uris': [app.origin + '/bye'], 'client_name': 'The newcomer',
             'token_endpoint_auth_method': 'private_key_jwt', 'jwks_uri': app.origin + '/jwks', 'grant_types': ['authorization_code', 'refresh_token']}  # fmt: skip
    sent = {**usual, **metadata}
    return site.provisioner.run(site, 'register', {name: value for name, value in sent.items() if value is not None})


def sign_in(site, session, app, scope='openid email'):
    page = session.get(app.origin + '/login', params={'scope': scope}, timeout=30)
    if 'name="password"' in page.text:
        page = submit(session, page, username='alice', password='alice-secret')
    if 'name="consent"' in page.text:
        page = submit(session, page, consent='yes')
    return page


def test_keys_at_an_address_are_fetched_kept_and_asked_for_again(site):
    app = site.apps['back']
    for _ in range(2):
        page = sign_in(site, site.browser(), app)
        assert page.status_code == 200 and page.json()['claims']['upn'] == 'alice@example.com', page.text
    assert app.log().count('jwks asked') == 1  # kept
    make_key(app.environment['JWK'], 'two')
    app.stop()
    app.start(site)  # with a new log
    page = sign_in(site, site.browser(), app)
    assert page.status_code == 200, page.text
    assert app.log().count('jwks asked') == 1  # a key that was not known
    make_key(app.environment['JWK'], 'three')
    app.stop()
    app.start(site)
    page = sign_in(site, site.browser(), app)
    assert page.status_code == 400 and page.json()['error'] == 'invalid_client', page.text  # not twice in half a minute
    assert 'jwks asked' not in app.log()


def test_an_address_where_the_gateway_may_not_go(site):
    """OI-09; the control is above."""
    page = sign_in(site, site.browser(), site.apps['hidden'])
    assert page.status_code == 400 and page.json()['error'] == 'invalid_client', page.text
    assert 'jwks asked' not in site.apps['hidden'].log()


@pytest.mark.parametrize('metadata', [
    {'jwks_uri': 'http://localhost/jwks'}, {'jwks_uri': 5}, {'jwks': {'keys': []}}, {'jwks_uri': None},
    {'token_endpoint_auth_method': 'client_secret_basic'},
    {'backchannel_logout_uri': 'https://elsewhere.example.com/x'}, {'backchannel_logout_uri': 'http://localhost/x'}, {'backchannel_logout_uri': []},
    {'frontchannel_logout_uri': 'https://elsewhere.example.com/x'}, {'frontchannel_logout_session_required': 'yes'},
])  # fmt: skip
def test_metadata_is_checked(site, metadata):
    with pytest.raises(Refused, match='invalid_client_metadata'):
        register(site, site.apps['back'], **metadata)


def test_it_is_told_from_here(site):
    """Back-channel logout 1.0; that session ended is openid-client's word, which checks the logout token."""
    app, session = site.apps['front'], site.browser()
    back = site.apps['back']
    make_key(back.environment['JWK'], 'one')  # its keys are of no matter here, but must be known
    told = register(site, back, token_endpoint_auth_method='none', jwks_uri=None, backchannel_logout_uri=back.origin + '/backchannel')
    back.stop()
    back.environment.update({'CLIENT_ID': told['client_id'], 'AUTH': 'none'})
    back.start(site)
    assert sign_in(site, session, back).status_code == 200
    assert sign_in(site, session, app).status_code == 200
    page = session.get(site.url(PASSIVE), params={'wa': 'wsignout1.0'}, timeout=30)
    ended = session.get(back.origin + '/', timeout=30)
    assert ended.status_code == 403 and ended.json()['ended'] == 1, ended.text
    saml.load_frames(session, page)  # and the other one by the browser
    ended = session.get(app.origin + '/', timeout=30)
    assert ended.status_code == 403 and ended.json()['ended'] == 1, ended.text


def test_it_signs_out_and_comes_back(site):
    app, session = site.apps['front'], site.browser()
    assert sign_in(site, session, app).status_code == 200
    page = lead(session, session.get(app.origin + '/logout', timeout=30))
    assert page.json() == {'bye': 'bye1'}, page.text


def test_in_chromium(site, profile):
    """The frame of the signed-out page may load its address."""
    page = profile(forgive=['401', '403'])
    app = site.apps['front']
    before = session_count(app)
    page.goto(app.origin + '/login')
    page.sign_in('alice', 'alice-secret')
    if page.has('button[name=consent]'):
        page.click('button[name=consent][value=yes]')
    harness.wait_for(lambda: page.url() == app.origin + '/')
    page.goto(site.url(PASSIVE) + '?wa=wsignout1.0')
    harness.wait_for(lambda: session_count(app) == before + 1)


def session_count(app):
    """Of sessions that ended there."""
    return requests.get(app.origin + '/', verify=app.authority.ca, timeout=30).json()['ended']
