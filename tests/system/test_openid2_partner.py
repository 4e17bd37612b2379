# SPDX-License-Identifier: GPL-2.0-or-later
"""People of an OpenID 2.0 provider that others wrote, python3-openid's server, open applications of every kind here."""
import base64

import pytest

import clients
import harness
import openid2
from protected import HTML, protecting, values
from test_openid import choose, lead, submit
from trust import Program, Refused, applies_to, within

GROUPS = 'http://openid.net/schema/groups'
CLAIMS = ['nameidentifier', 'name', 'emailaddress', 'givenname', 'surname', GROUPS]


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    app = clients.Client('app', folder, authority, {'claims': CLAIMS, 'id_token_claims': 'true', 'name_id': 'nameidentifier'})
    op = openid2.Provider('op', folder, authority)
    plain = openid2.Provider('plain', folder, authority, arguments=['--no-assoc'])
    providers = {
        'op': op.section(openid2_attributes=[GROUPS]),
        'stateless': op.section('/?stateless', openid2_stateless='true', issuer='urn:test:stateless', display_name='Stateless'),
        'old': op.section('/html/erin', issuer='urn:test:old', display_name='Old'),
        'plain': plain.section(),
    }
    viewer = {**harness.PARTNERS['viewer'], 'claims': CLAIMS}
    with harness.Gateway(authority, partners={**harness.PARTNERS, 'viewer': viewer, 'app': app.section()},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [op.origin, plain.origin], 'ca': authority.ca},
                                   **{('identity_provider', name): options for name, options in providers.items()}}) as gateway:  # fmt: skip
        gateway.app, gateway.op, gateway.plain = app, op, plain
        for peer in (op, plain):
            peer.start()
        app.start(gateway)
        yield gateway
        for peer in (op, plain, app):
            peer.stop()


def enter(session, page, name, user='carol', **values):
    """Chooses the provider and signs in there; the page that follows."""
    page = choose(session, page, name)
    for _ in range(6):
        if 'name="user"' in page.text:
            page = submit(session, page, user=user, **(values or {'password': 'x'}))
        elif 'openid.mode' in page.text and '<form' in page.text:
            page = submit(session, page)
        else:
            break
    return lead(session, page)


def browser(gateway):
    return gateway.browser()


@pytest.mark.parametrize('name', ['Op', 'Stateless', 'Plain'])
def test_an_account_opens_a_client_of_openid_connect(site, name):
    session, client = browser(site), site.app
    page = enter(session, session.get(client.origin + '/login', timeout=30), name)
    told = page.json()
    origin = (site.plain if name == 'Plain' else site.op).origin
    assert told['claims']['iss'] == site.base_url + '/adfs', page.text
    assert told['userinfo']['email'] == 'carol@py.test' and told['userinfo']['name'] == 'Carol Ängström', told
    assert told['userinfo']['given_name'] == 'Carol' and told['userinfo']['family_name'] == 'Ängström', told
    assert told['claims']['sub'] == origin + '/id/carol', told
    groups = [value for key, value in told['claims'].items() if key.endswith('groups')]
    assert groups == ([['staff', 'engineers']] if name == 'Op' else []), told
    assert site.site.audit(event='accepted', protocol='openid2', identity_provider=name.lower())
    log = (site.plain if name == 'Plain' else site.op).log()
    assert ('mode check_authentication' in log) == (name != 'Op'), log


def test_the_claims_viewer_by_wsfederation(site):
    session = browser(site)
    page = enter(session, session.get(site.base_url + '/demo/', timeout=30), 'Op', 'dave')
    while '<form' in page.text and 'wresult' in page.text:
        page = submit(session, page)
    assert 'dave@py.test' in page.text and 'Dave' in page.text, page.text


def test_one_person_s_identifier_which_delegates(site):
    """HTML discovery; the answer is about the page, not about what the provider calls it."""
    session = browser(site)
    page = enter(session, session.get(site.app.origin + '/login', timeout=30), 'Old', 'erin')
    assert page.json()['claims']['sub'] == site.op.origin + '/html/erin', page.text
    session = browser(site)
    page = enter(session, session.get(site.app.origin + '/login', timeout=30), 'Old', 'mallory')
    assert page.status_code == 403 and 'openid2_cancelled' in page.text, page.text


def test_who_breaks_off_comes_back_to_a_page(site):
    session = browser(site)
    page = enter(session, session.get(site.app.origin + '/login', timeout=30), 'Op', deny='1')
    assert page.status_code == 403 and 'openid2_cancelled' in page.text, page.text
    assert site.site.audit(event='refused', reason='openid2_cancelled')


def without_our_session(session):
    """The same browser without the gateway's session: the provider still knows it."""
    for cookie in list(session.cookies):
        if cookie.name.startswith('__Host-fedgate') and not cookie.name.startswith('__Host-fedgate-m-'):
            session.cookies.clear(cookie.domain, cookie.path, cookie.name)


def test_immediate(site):
    """prompt=none goes on as checkid_immediate: the provider knows the browser, or says that it would have to ask, and the client
    hears that."""
    session = browser(site)
    assert enter(session, session.get(site.app.origin + '/login', timeout=30), 'Op', 'frank').status_code == 200
    without_our_session(session)
    page = lead(session, session.get(site.app.origin + '/login', params={'prompt': 'none'}, timeout=30))
    while 'openid.mode' in page.text and '<form' in page.text:
        page = lead(session, submit(session, page))
    assert 'mode checkid_immediate' in site.op.log()
    assert page.status_code == 200 and page.json()['claims']['sub'] == site.op.origin + '/id/frank', page.text
    without_our_session(session)
    for cookie in list(session.cookies):
        if cookie.name == 'PYOIDop':
            session.cookies.clear(cookie.domain, cookie.path, cookie.name)
    page = session.get(site.app.origin + '/login', params={'prompt': 'none'}, timeout=30)
    while 'openid.mode' in page.text and '<form' in page.text:
        page = submit(session, page)
    assert page.status_code == 400 and page.json()['error'] == 'login_required', page.text
    assert site.site.audit(event='refused', reason='saml_passive', protocol='openid', partner='app')


def test_on_to_ws_trust(authority):
    """A protected application gets a token of whom the provider vouches for, and asks the STS for another on that person's behalf."""
    folder = harness.temporary_folder()
    op = openid2.Provider('op', folder, authority)
    locations = 'large_client_header_buffers 4 32k; location /app/ { fedgate_protect CONF app; proxy_set_header X-Token $fedgate_token; PROXY }'
    partners = {
        **harness.PARTNERS,
        'app': {'realm': ['urn:app'], 'claims': CLAIMS},
        'back': {'realm': ['urn:back'], 'claims': CLAIMS, 'delegation_rules': 'delegation.rules'},
    }
    rules = '[upn == "front@example.com"] && exists([subject_emailaddress =~ "@py.test$"]) => permit();\n'
    sections = {
        'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
        'fetch': {'allow': [op.origin], 'ca': authority.ca},
        ('protect', 'app'): {'upstream_partner': 'app', 'upstream_token': 'saml20'},
        ('identity_provider', 'op'): op.section(),
    }
    users = {**harness.USERS, 'front': {'password': 'front-secret'}}
    op.start()
    with protecting(authority, locations, users=users, partners=partners, sections=sections, files={'delegation.rules': rules}) as gateway:
        session = gateway.browser()
        page = enter(session, session.get(gateway.url('/app/'), headers=HTML, timeout=30), 'Op', 'grace')
        assert page.status_code == 200, page.text
        (token,) = values(gateway.upstream.seen[-1], 'X-Token')
        issued = Program(gateway, 'front').issue(applies_to('urn:back') + within('OnBehalfOf', base64.b64decode(token).decode()))
        assert op.origin + '/id/grace' in issued and 'grace@py.test' in issued and 'urn:back' in issued, issued
        with pytest.raises(Refused):
            Program(gateway, 'bob').issue(applies_to('urn:back') + within('OnBehalfOf', base64.b64decode(token).decode()))
        line = gateway.site.audit(event='issued', actor='front')[-1]
        assert line['partner'] == 'back'
    op.stop()
