# SPDX-License-Identifier: GPL-2.0-or-later
"""Protected locations in a real Chromium: to the sign-in page and back to where one was, with the form that was on its way."""
import html
import json

import pytest

import harness
from protected import APP, body, protecting, values

FORM = '<!doctype html><title>form</title><form method="post" action="/app/order?n=1"><input name="text"><button type="submit">send</button></form>'


def answer(seen):
    text = FORM if seen['path'] == '/open/form' else '<!doctype html><title>app</title><pre>%s</pre>' % html.escape(json.dumps(seen))
    return 200, [('Content-Type', 'text/html; charset=utf-8')], text.encode()


@pytest.fixture(scope='module')
def site(authority):
    with protecting(authority, APP, answer=answer) as gateway:
        yield gateway


def last(site, method, path):
    return harness.wait_for(lambda: [seen for seen in site.upstream.seen if (seen['method'], seen['path']) == (method, path)])[-1]


def test_signs_in_and_comes_back(site, profile):
    browser = profile(forgive=['404'])  # the icon that it asks for by itself
    browser.goto(site.url('/app/page?x=1&y=%C3%A4'))
    harness.wait_for(browser.asks_for_password)
    assert not site.upstream.seen
    browser.sign_in('alice', 'alice-secret')
    harness.wait_for(lambda: browser.url() == site.url('/app/page?x=1&y=%C3%A4'))
    seen = last(site, 'GET', '/app/page?x=1&y=%C3%A4')
    assert values(seen, 'X-Fedgate-Subject') and '__Host-' not in json.dumps(seen)
    browser.goto(site.url('/app/next'))
    assert browser.url() == site.url('/app/next') and not browser.asks_for_password()
    assert browser.evaluate('fetch("/app/data").then(answer => answer.status)') == 200


def test_form_is_kept_over_the_sign_in(site, profile):
    browser = profile()
    browser.goto(site.url('/open/form'))
    browser.fill(text='two & three\u00e4')
    browser.click('button')
    harness.wait_for(browser.asks_for_password)
    browser.sign_in('bob', 'bob-secret')
    seen = last(site, 'POST', '/app/order?n=1')
    assert body(seen) == b'text=two+%26+three%C3%A4' and values(seen, 'X-Fedgate-Subject')
    harness.wait_for(lambda: browser.url() == site.url('/app/order?n=1'))


def test_script_without_a_session_gets_401(site, profile):
    browser = profile(forgive=['401'])
    browser.goto(site.url('/open/form'))
    assert browser.evaluate('fetch("/app/data").then(answer => answer.status)') == 401
