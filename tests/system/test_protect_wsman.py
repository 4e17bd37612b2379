# SPDX-License-Identifier: GPL-2.0-or-later
"""WS-Management behind nginx: answers go on as they are, and what they open belongs to who asked (WM-11)."""
import re
import uuid

import pytest

import harness
from protected import WSMAN, ask, body, protecting, signed_in, values, wsman_answer

SOAP = {'Content-Type': 'application/soap+xml;charset=UTF-8'}

SITE = """
location /wsman/ {
    fedgate_protect CONF winrm;
    proxy_set_header X-Operation $fedgate_wsman_operation;
    PROXY
    location /wsman/unbuffered/ { proxy_buffering off; proxy_set_header X-Operation $fedgate_wsman_operation; PROXY }
    location /wsman/spooled/ { limit_rate 100k; proxy_buffers 2 4k; proxy_busy_buffers_size 4k; proxy_buffer_size 4k; proxy_set_header X-Operation $fedgate_wsman_operation; PROXY }
    location /wsman/gzip/ { gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; PROXY }
}
"""
CONF = """
protect "winrm" {
  kind = "wsman"
  accept = {"basic"}
}
"""


@pytest.fixture(scope='module')
def site(authority):
    with protecting(authority, SITE, gateway_conf=CONF, answer=wsman_answer) as gateway:
        yield gateway


def send(site, user, path, action, content, **headers):
    message = WSMAN % (action, site.url(path), uuid.uuid4(), content)
    return message, ask(site, site.browser(), path, 'POST', data=message.encode(), auth=(user, user + '-secret'), headers={**SOAP, **headers})


def enumerate_(site, user, path, **headers):
    """The context that was handed out; the request went on byte for byte, without what was for the gateway."""
    message, answered = send(site, user, path, 'Enumerate', '<n:Enumerate/>', **headers)
    seen = site.upstream.seen[-1]
    assert answered.status_code in (200, 500) and body(seen) == message.encode(), answered.text[:500]
    assert values(seen, 'Authorization') == [] and values(seen, 'Accept-Encoding') == []
    return re.search('EnumerationContext>([^<]+)<', answered.text).group(1), answered


def pull(site, user, context, path='/wsman/'):
    before = len(site.upstream.seen)
    _, answered = send(site, user, path, 'Pull', '<n:Pull><n:EnumerationContext>%s</n:EnumerationContext></n:Pull>' % context)
    return answered, len(site.upstream.seen) > before


WAYS = ['/wsman/', '/wsman/chunked/', '/wsman/closed/', '/wsman/unbuffered/', '/wsman/unbuffered/chunked/', '/wsman/unbuffered/closed/',
        '/wsman/spooled/large/', '/wsman/spooled/large/chunked/', '/wsman/spooled/large/closed/', '/wsman/gzip/chunked/', '/wsman/gzip/large/']  # fmt: skip


@pytest.mark.parametrize('path', WAYS)
def test_wm11_what_an_answer_opens_belongs_to_who_asked(site, path):
    """WM-11: Pull by somebody else is refused, whichever way the answer came; by who asked it is not."""
    context, answered = enumerate_(site, 'alice', path)
    assert 'EnumerateResponse' in answered.text and answered.text.endswith('</s:Envelope>')
    refused, reached = pull(site, 'bob', context)
    assert not reached and 'Fault' in refused.text and refused.status_code >= 400
    permitted, reached = pull(site, 'alice', context)
    assert reached and permitted.status_code == 200, permitted.text


def test_wm11_what_was_not_opened_here(site):
    """WM-11: a made-up context."""
    refused, reached = pull(site, 'alice', uuid.uuid4())
    assert not reached and 'Fault' in refused.text


@pytest.mark.parametrize('path, said', [('/wsman/encoded/', 'encoded as "gzip"'), ('/wsman/huge/', 'longer than 1 MiB'), ('/wsman/huge/chunked/', 'longer than 1 MiB'),
                                        ('/wsman/failed/', None)])  # fmt: skip
def test_answers_that_cannot_be_read(site, path, said):
    """They go on all the same, but what they hand out is good for nothing."""
    context, answered = enumerate_(site, 'alice', path)
    assert answered.text.endswith('</s:Envelope>')
    refused, reached = pull(site, 'alice', context)
    assert not reached and 'Fault' in refused.text
    assert said is None or said in site.nginx.log()


def test_operation_variable(site):
    enumerate_(site, 'alice', '/wsman/')
    assert values(site.upstream.seen[-1], 'X-Operation') == ['Enumerate']


def test_wrong_password_does_not_go_on(site):
    before = len(site.upstream.seen)
    message = WSMAN % ('Enumerate', site.url('/wsman/'), uuid.uuid4(), '<n:Enumerate/>')
    for auth in (('alice', 'wrong'), None):
        refused = ask(site, site.browser(), '/wsman/', 'POST', data=message.encode(), auth=auth, headers=SOAP)
        assert refused.status_code == 401 and 'basic' in refused.headers['WWW-Authenticate'].lower(), refused.text
    assert len(site.upstream.seen) == before


def test_a_full_store_forgets_nothing(authority):
    """A small zone, and somebody who opens enumerations until no more can be remembered: what was opened before stays good, others'
    sign-ins go on, and metric and log say what is full."""
    status = 'location = /status { fedgate_status CONF; } location /app/ { fedgate_protect CONF; PROXY }'
    with protecting(authority, SITE + status, gateway_conf='store_size = 64k\n' + CONF, answer=wsman_answer) as gateway:
        first, _ = enumerate_(gateway, 'alice', '/wsman/')

        def refused_so_far():
            text = ask(gateway, gateway.session, '/status').text
            return sum(int(count) for count in re.findall(r'fedgate_store_refused_total{kind="wsman[^"]*"} (\d+)', text))

        opened = []
        while refused_so_far() == 0:
            assert len(opened) < 2000
            for _ in range(20):
                message = WSMAN % ('Enumerate', gateway.url('/wsman/'), uuid.uuid4(), '<n:Enumerate/>')
                answer = ask(gateway, gateway.session, '/wsman/', 'POST', data=message.encode(), auth=('alice', 'alice-secret'), headers=SOAP)
                opened.append(re.search('EnumerationContext>([^<]+)<', answer.text).group(1))
        useless = opened[-1]  # it was handed out, but could not be noted
        refused, reached = pull(gateway, 'alice', useless)
        assert not reached and refused.status_code >= 400
        for context in (first, opened[0], opened[-50]):
            permitted, reached = pull(gateway, 'alice', context)
            assert reached and permitted.status_code == 200, permitted.text
        assert ask(gateway, signed_in(gateway), '/app/').status_code == 200
        harness.wait_for(lambda: re.search(r'\[warn\].*store.*wsman', gateway.nginx.log()), 20)
