# SPDX-License-Identifier: GPL-2.0-or-later
"""The device flow (RFC 8628): the device is openid-client, the person sits at a browser, once a real one."""
import time

import pytest

import clients
import harness
from oauth import Agent, Refused, part
from test_openid import fields_of, open_page, submit
from tokens import altered


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    tv = Agent('tv', folder, {'display_name': 'The television', 'grants': ['device_code', 'refresh_token'], 'client_auth': ['none'], 'claims': harness.CLAIMS,
                              'client_secret_file': None}, AUTH='none')  # fmt: skip
    radio = Agent('radio', folder, {'grants': ['device_code'], 'claims': harness.CLAIMS})
    app = Agent('app', folder, {'grants': ['client_credentials']})
    with harness.Gateway(authority, partners={**harness.PARTNERS, **{agent.name: agent.section() for agent in (tv, radio, app)}}) as gateway:
        gateway.tv, gateway.radio, gateway.app = tv, radio, app
        yield gateway


def begin(site, agent=None):
    return (agent or site.tv).run(site, 'device', {'scope': 'openid email offline_access'})


def poll(site, device, client_id='tv', **more):
    fields = {'grant_type': 'urn:ietf:params:oauth:grant-type:device_code', 'device_code': device['device_code'], 'client_id': client_id, **more}
    return site.post('/adfs/oauth2/token', fields)


def enter(site, session, url):
    """The page that asks, of somebody who is signed in then."""
    page = open_page(session, url)
    return submit(session, page, username='alice', password='alice-secret') if 'name="password"' in page.text else page


def test_a_device_is_connected(site):
    device = begin(site)
    assert device['verification_uri'] == site.base_url + '/adfs/oauth2/deviceauth' and device['interval'] == 5 and device['expires_in'] == 600
    session = site.browser()
    page = enter(site, session, device['verification_uri'])
    assert 'Enter the code' in page.text
    page = session.get(page.url, params={'user_code': device['user_code'].lower().replace('-', ' ')}, timeout=30)
    assert 'The television' in page.text and device['user_code'] in page.text and 'e-mail' in page.text
    page = submit(session, page, device='yes')
    assert 'is connected' in page.text
    tokens = site.tv.run(site, 'poll', {**device, 'interval': 1})
    assert part(tokens['id_token'])['aud'] == 'tv' and part(tokens['id_token'])['upn'] == 'alice@example.com' and tokens['refresh_token']
    assert site.tv.run(site, 'userinfo', {'token': tokens['access_token']})['email'] == 'alice@example.com'
    assert site.site.audit(event='device', client_id='tv')
    answer = poll(site, device)
    assert (answer.status_code, answer.json()['error']) == (400, 'expired_token')  # once
    page = session.get(site.url('/adfs/oauth2/deviceauth'), params={'user_code': device['user_code']}, timeout=30)
    assert 'There is no device' in page.text  # so is the short one


def test_a_refusal_reaches_the_device(site):
    device = begin(site)
    session = site.browser()
    page = enter(site, session, device['verification_uri_complete'])
    assert 'Go on only if you began this yourself' in page.text
    assert 'was not connected' in submit(session, page, device='no').text
    with pytest.raises(Refused, match='access_denied'):
        site.tv.run(site, 'poll', {**device, 'interval': 1})


def test_who_asks_too_often_is_slowed_down(site):
    device = begin(site)
    answers = [poll(site, device).json()['error'] for _ in range(3)]
    assert answers == ['authorization_pending', 'slow_down', 'slow_down']
    other = begin(site)
    assert poll(site, other).json()['error'] == 'authorization_pending'
    time.sleep(5)
    assert poll(site, other).json()['error'] == 'authorization_pending'  # control: in its time
    assert poll(site, device).json()['error'] == 'slow_down'  # 15 seconds by now


def test_codes_are_their_devices_own(site):
    device = begin(site)
    stolen = poll(site, device, 'radio', client_secret=clients.SECRET)
    assert stolen.status_code == 400 and stolen.json()['error'] == 'invalid_grant'
    assert poll(site, {'device_code': 'f' * 32}).json()['error'] == 'expired_token'
    with pytest.raises(Refused, match='unauthorized_client'):
        begin(site, site.app)
    assert poll(site, device).json()['error'] == 'authorization_pending'


def test_a_page_of_somebody_else_connects_nothing(site):
    device = begin(site)
    session = site.browser()
    page = enter(site, session, device['verification_uri_complete'])
    csrf = fields_of(page)['csrf']
    for fields in ({'device': 'yes'}, {'device': 'yes', 'csrf': altered(csrf)}):
        assert session.post(page.url, data=fields, timeout=30).status_code == 403
    stranger = site.browser()
    enter(site, stranger, device['verification_uri'])
    assert stranger.post(page.url, data={'device': 'yes', 'csrf': csrf}, timeout=30).status_code == 403
    assert poll(site, device).json()['error'] == 'authorization_pending'
    assert 'is connected' in submit(session, page, device='yes').text  # control
    assert poll(site, device).status_code == 200


def test_codes_cannot_be_tried_out(site):
    session = site.browser()
    page = enter(site, session, site.url('/adfs/oauth2/deviceauth'))
    statuses = [session.get(page.url, params={'user_code': 'BCDF-%s' % ('BCDFGHJKLMNPQRSTVWXZ'[i % 20] * 4)}, timeout=30).status_code for i in range(30)]
    assert statuses[0] == 200 and statuses[-1] == 503, statuses


def test_in_german(site):
    session = site.browser()
    session.headers['Accept-Language'] = 'de'
    assert 'Geben Sie den Code ein' in enter(site, session, site.url('/adfs/oauth2/deviceauth')).text


def test_in_chromium(site, profile):
    device = begin(site)
    page = profile()
    page.goto(device['verification_uri'])
    page.sign_in('bob', 'bob-secret')
    harness.wait_for(lambda: page.has('input[name=user_code]'))
    page.fill(user_code=device['user_code'])
    page.click('button[type=submit]')
    harness.wait_for(lambda: page.has('button[name=device]'))
    assert 'The television' in page.text() and 'bob' in page.text()
    page.click('button[name=device][value=yes]')
    harness.wait_for(lambda: 'is connected' in page.text())
    assert part(poll(site, device).json()['id_token'])['upn'] == 'bob@example.com'
