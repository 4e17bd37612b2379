# SPDX-License-Identifier: GPL-2.0-or-later
"""One session in two protocols: openid-client and pysaml2 end it for each other, and a WS-Federation site is told as well."""
import pytest

import clients
import harness
import saml
from saml import begin, browser, load_frames, next_of, submit
from test_saml_logout import SUCCESS, has_session, is_signed_in


@pytest.fixture(scope='module')
def site(authority):
    folder = harness.temporary_folder()
    app = clients.Client('app', folder, authority)
    app.options = {'back_channel_logout': app.origin + app.backchannel}
    sp = saml.Pysaml2Sp('sp', folder, authority)
    sp.publish()
    partners = {**harness.PARTNERS, 'app': app.section(), 'sp': {'metadata': sp.metadata, 'claims': harness.CLAIMS}}
    with harness.Gateway(authority, partners=partners,
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'}, 'fetch': {'allow': [app.origin], 'ca': authority.ca}}) as gateway:  # fmt: skip
        gateway.app, gateway.sp = app, sp
        sp.start(gateway)
        app.start(gateway)
        yield gateway
        app.stop()
        sp.stop()


@pytest.fixture
def everywhere(site):
    """A browser that is signed in at the service provider, the client, and the viewer (WS-Federation)."""
    session = browser()
    page = submit(session, begin(session, site), username='alice', password='alice-secret')
    assert 'nameid' in submit(session, page).text
    page = session.get(site.app.origin + '/login', timeout=30)
    assert page.json()['claims']['upn'] == 'alice@example.com', page.text
    assert has_session(session, site) and is_signed_in(session, site.sp)
    return session


def at_client(session, site):
    return session.get(site.app.origin + '/', timeout=30)


def test_the_client_ends_it(site, everywhere):
    page = everywhere.get(site.app.origin + '/logout', timeout=30)  # it ends its own first
    ends = load_frames(everywhere, page)
    assert ends and not is_signed_in(everywhere, site.sp), page.text
    assert not has_session(everywhere, site)
    assert 'wsignoutcleanup1.0' in page.text  # and the viewer
    assert everywhere.get(next_of(page), timeout=30).json() == {'bye': 'bye1'}


def test_the_service_provider_ends_it(site, everywhere):
    ended = at_client(everywhere, site).json()['ended']
    page = everywhere.get(site.sp.origin + '/logout', params={'binding': 'redirect'}, timeout=30)
    while 'name="SAMLRe' in page.text:
        page = submit(everywhere, page)
    harness.wait_for(lambda: at_client(everywhere, site).status_code == 403)
    assert at_client(everywhere, site).json()['ended'] == ended + 1
    assert not has_session(everywhere, site)
    assert site.site.audit(event='signout', protocol='saml')
    assert SUCCESS in page.text or 'id="next"' in page.text


def test_the_wsfederation_page_ends_it(site, everywhere):
    page = everywhere.get(site.base_url + '/adfs/ls/?wa=wsignout1.0', timeout=30)
    load_frames(everywhere, page)
    assert not is_signed_in(everywhere, site.sp)
    harness.wait_for(lambda: at_client(everywhere, site).status_code == 403)
