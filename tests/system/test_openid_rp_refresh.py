# SPDX-License-Identifier: GPL-2.0-or-later
"""The provider's refresh token (npm oidc-provider, which rotates them) tells whether an account is still there, whenever a client (openid-client)
refreshes what it got of that account's sign-in."""
import json
import os
import time

import pytest

import clients
import harness
import saml
from messages import PASSIVE
from op import Provider
from saml import browser, submit
from test_openid_rp import ACCEPTED, at_provider, refusal


@pytest.fixture(scope='module')
def world(authority):
    folder = harness.temporary_folder()
    rules, accounts = os.path.join(folder, 'accepted.rules'), os.path.join(folder, 'accounts.json')
    with open(rules, 'w') as file:
        file.write(ACCEPTED)
    op = Provider('ada', folder, authority, {'acceptance_rules': rules, 'refresh_interval': '1s'}, ID_TOKEN_CLAIMS='1', REFRESH='1', ACCOUNTS=accounts)
    rare = Provider('rare', folder, authority, {'acceptance_rules': rules, 'refresh_interval': '1h'}, ID_TOKEN_CLAIMS='1', REFRESH='1', ACCOUNTS=accounts)
    app, robot = (clients.Client(name, folder, authority, {'id_token_claims': 'true'}) for name in ('app', 'robot'))
    partners = {**harness.PARTNERS, 'app': app.section(), 'robot': robot.section()}
    sections = {'fetch': {'allow': [op.origin, rare.origin], 'ca': authority.ca}, ('identity_provider', 'ada'): op.section(),
                ('identity_provider', 'rare'): rare.section()}  # fmt: skip
    started = []
    try:
        with harness.Gateway(authority, partners=partners, sections=sections) as gateway:
            for peer in (op, rare, app, robot):
                peer.start(gateway)
                started.append(peer)
            gateway.op, gateway.rare, gateway.app, gateway.robot, gateway.accounts = op, rare, app, robot, accounts
            yield gateway
    finally:
        for peer in started:
            peer.stop()


def change(world, **accounts):
    with open(world.accounts, 'w') as file:
        json.dump(accounts, file)


def sign_in(world, session, user, name='Ada'):
    page = session.get(world.app.origin + '/login', timeout=30)
    page = at_provider(session, saml.choose(session, page, name), user)
    assert page.json()['refresh'] and page.json()['claims']['email'] == user + '@op.test', page.text


def refresh(world, session, client=None):
    time.sleep(1.1)  # refresh_interval
    return session.get((client or world.app).origin + '/refresh', timeout=30)


def email(world, session):
    return session.get(world.app.origin + '/userinfo', timeout=30).json()['email']


def test_claims_change_and_the_account_goes(world):
    """Core §12.2."""
    session = browser()
    change(world)
    sign_in(world, session, 'rosa')
    assert refresh(world, session).status_code == 200
    change(world, rosa={'email': 'rosa.new@op.test'})
    page = refresh(world, session)
    assert page.status_code == 200 and email(world, session) == 'rosa.new@op.test', page.text
    assert world.op.log().count('refresh_token.consumed') >= 2  # it rotates, so what the gateway keeps is the newest
    assert refresh(world, session).status_code == 200
    change(world, rosa=None)
    page = refresh(world, session)
    assert page.status_code == 400 and page.json()['error'] == 'invalid_grant', page.text
    assert world.site.audit(event='revoked', why='its identity provider does not vouch any more')
    change(world)
    page = refresh(world, session)
    assert page.status_code == 400, page.text  # the family is dead
    page = session.get(world.base_url + '/adfs/oauth2/authorize', timeout=30,
                       params={'client_id': 'app', 'response_type': 'code', 'redirect_uri': world.app.origin + '/cb', 'scope': 'openid', 'prompt': 'none',
                               'code_challenge': 'a' * 43, 'code_challenge_method': 'S256'}, allow_redirects=False)  # fmt: skip
    assert world.op.origin in page.headers['Location'] or 'login_required' in page.headers['Location'], page.headers  # and so is the session


def test_two_clients_of_one_session(world):
    """Both refresh by one token of the provider, which would take its second use for a thief's."""
    session = browser()
    change(world)
    sign_in(world, session, 'rut')
    page = session.get(world.robot.origin + '/login', timeout=30)
    assert page.json()['claims']['email'] == 'rut@op.test', page.text
    change(world, rut={'email': 'rut.new@op.test'})
    for client in (world.app, world.robot, world.app, world.robot):
        page = refresh(world, session, client)
        assert page.status_code == 200, page.text
    page = session.get(world.robot.origin + '/refresh', timeout=30)
    page = session.get(world.robot.origin + '/userinfo', timeout=30)
    assert page.json()['email'] == 'rut.new@op.test', page.text


def test_what_another_client_heard_serves_meanwhile(world):
    """Within refresh_interval nobody asks again: the control is above."""
    session = browser()
    change(world)
    sign_in(world, session, 'rike', 'Rare')
    change(world, rike=None)
    page = refresh(world, session)
    assert page.status_code == 200 and page.json()['claims']['email'] == 'rike@op.test', page.text
    assert 'refresh_token.consumed' not in world.rare.log()


def test_a_provider_that_is_down(world):
    """For an hour what was known serves."""
    session = browser()
    change(world)
    sign_in(world, session, 'ruth')
    world.op.stop()
    try:
        page = refresh(world, session)
        assert page.status_code == 200 and page.json()['claims']['email'] == 'ruth@op.test', page.text
    finally:
        world.op.start(world, GENERATION='-2')
    harness.wait_for(lambda: refresh(world, session).status_code == 400)  # it kept nothing over its restart, and says so
    assert world.site.audit(event='refused', reason='openid_grant')


def test_signing_out_revokes(world):
    """RFC 7009, and nothing of that session can be refreshed any more."""
    session = browser()
    change(world)
    sign_in(world, session, 'rolf')
    before = world.op.log().count('refresh_token.destroyed')
    page = session.get(world.url(PASSIVE), params={'wa': 'wsignout1.0'}, timeout=30)
    assert saml.next_of(page).startswith(world.op.origin), refusal(page)
    assert world.op.log().count('refresh_token.destroyed') == before + 1, world.op.log()
    page = refresh(world, session)
    assert page.status_code == 400 and page.json()['error'] == 'invalid_grant', page.text


def test_a_refresh_token_is_in_no_log(world):
    session = browser()
    change(world)
    sign_in(world, session, 'rita')
    assert refresh(world, session).status_code == 200
    assert 'refresh_token' not in world.nginx.log()
