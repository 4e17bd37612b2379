# SPDX-License-Identifier: GPL-2.0-or-later
"""Protected locations in a real Chromium: to the sign-in page and back, at the gateway's host and at another, with forms."""
import urllib.parse

import pytest

import harness
from protected import body, protecting

FORM = """<!doctype html><link rel="icon" href="data:,"><title>Form</title><form method="post" action="/app/save?a=b" enctype="%s">
<input type="hidden" name="submit" value="1"><textarea name="text">one
two &amp; three</textarea><button>go</button></form>"""
OTHER = """
server {
    listen 127.0.0.1:%d ssl http2;
    server_name app.localhost;
    ssl_certificate %s.crt;
    ssl_certificate_key %s.key;
    location / { fedgate_protect CONF app; PROXY }
    location /public/ { PROXY }
}
"""


def pages(seen):
    """The server behind: a form at /public/, and everywhere else a page that says what came."""
    if '/public/form' in seen['path']:
        kind = urllib.parse.unquote(seen['path'].partition('?')[2]) or 'application/x-www-form-urlencoded'
        return 200, [('Content-Type', 'text/html')], (FORM % kind).encode()
    return 200, [('Content-Type', 'text/html')], b'<!doctype html><link rel="icon" href="data:,"><title>Inside</title><p>inside'


@pytest.fixture
def site(authority):
    port = harness.free_port()
    conf = 'protect "app" { display_name = "The intranet" hosts = {"app.localhost:%d"} }\n' % port
    locations = 'location /app/ { fedgate_protect CONF; PROXY } location /public/ { PROXY }'
    after = OTHER % (port, authority.certificate, authority.certificate)
    with protecting(authority, locations, gateway_conf=conf, answer=pages, after=after, port=port) as gateway:
        yield gateway


def origin(site, there):
    return 'https://%s:%d' % ('app.localhost' if there else 'localhost', site.port)


def wait_for_url(page, wanted):
    harness.wait_for(lambda: page.url() == wanted, 15)


@pytest.mark.parametrize('there', [False, True])
def test_signs_in_and_comes_back(site, profile, there):
    page = profile(language='en')
    wanted = origin(site, there) + '/app/page?a=%2f&b=c'
    page.goto(wanted)
    assert page.url().startswith(origin(site, False) + '/fedgate/sign-in?to=')
    page.sign_in('alice', 'alice-secret')
    wait_for_url(page, wanted)
    page.goto(origin(site, not there) + '/app/other')  # without being asked again
    wait_for_url(page, origin(site, not there) + '/app/other')
    page.goto(origin(site, False) + '/fedgate/sign-out')
    page.goto(wanted)
    assert '/fedgate/sign-in?to=' in page.url()  # the end holds at both hosts


@pytest.mark.parametrize('there', [False, True])
@pytest.mark.parametrize('kind', ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])
def test_form_is_sent_after_signing_in(site, profile, there, kind):
    page = profile(language='en')
    page.goto(origin(site, there) + '/public/form?' + kind)
    page.click('button')
    page.sign_in('alice', 'alice-secret')
    wait_for_url(page, origin(site, there) + '/app/save?a=b')
    seen = [one for one in site.upstream.seen if one['path'].startswith('/app/save')]
    assert [one['method'] for one in seen] == ['POST']
    assert [value for name, value in seen[0]['headers'] if name.lower() == 'content-type'][0].startswith(kind)
    text = {'application/x-www-form-urlencoded': b'submit=1&text=one%0D%0Atwo+%26+three'}.get(kind, b'one\r\ntwo & three')
    assert text in body(seen[0])


def test_another_sites_form_is_not_sent(site, profile):
    """Whoever is signed in: the browser sends no cookie with it, and the way over the sign-in page must not add one."""
    page = profile(forgive=['status of 403'], locale='en')
    page.goto(origin(site, True) + '/app/')
    page.sign_in('alice', 'alice-secret')
    wait_for_url(page, origin(site, True) + '/app/')
    page.do('answer', url='https://evil.localhost:4443/', body=FORM.replace('/app/save', origin(site, True) + '/app/save') % '')
    page.goto('https://evil.localhost:4443/')
    page.click('button')
    assert [one for one in site.upstream.seen if one['path'].startswith('/app/save')] == []
    assert site.site.audit(event='refused', reason='form_not_kept') != []
