#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""walk.py URL [--fill NAME=VALUE ...] [--jar FILE] [--ca PEM] [--stop REGEX] [--save FILE] [-q]

A small scripted browser (standard library only): cookies, redirects, forms that submit themselves (SAML, WS-Federation,
OpenID, form_post) and login forms, filled where a field has a --fill name.
--jar keeps the cookies between runs. --save writes the last wresult or decoded SAMLResponse that passed through a form.
--dump decodes SAML messages and wresults into the trace. --stop ends before requesting a URL that matches, and prints
"STOP METHOD URL BODY". --user NAME:PASSWORD adds Basic authentication, -H a header, --data a body for the first request.
The trace goes to stderr (-q: none), the last page's body to stdout.
Exit status: 0 the last page has status 2xx (or --stop matched); 1 it has not; 3 too many steps (--max, default 40).
"""
import argparse
import base64
import http.cookiejar
import os
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
import zlib
from html.parser import HTMLParser

CACHE = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
STATE = os.environ.get('FEDGATE_PEERS_DIR') or CACHE + '/fedgate-peers'
RUN = os.environ.get('FEDGATE_PEERS_RUN') or STATE + '/run'
# a form with one of these fields and nothing to type in is posted without being asked
PROTOCOL_FIELDS = {
    'SAMLResponse', 'SAMLRequest', 'SAMLart', 'wresult', 'openid.mode', 'id_token', 'code', 'RelayState', 'state',
}  # fmt: skip
NOT_TYPED = ('hidden', 'submit', 'button', 'image')
SENT_AS_IS = ('hidden', 'text', 'email', 'password')


class Field:
    def __init__(self, name, value, kind, checked=False):
        self.name, self.value, self.kind, self.checked = name, value, kind, checked


class Form:
    def __init__(self, attributes):
        self.action = attributes.get('action') or ''
        self.method = (attributes.get('method') or 'get').lower()
        self.id = attributes.get('id')
        self.fields = []


class Page(HTMLParser):
    """The forms of a page, its meta refresh, and whether it has an onload handler."""

    def __init__(self):
        super().__init__()
        self.forms, self.outside_buttons = [], []
        self.form = self.refresh = self.textarea = None
        self.onload = False

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        name, value = attributes.get('name'), attributes.get('value') or ''
        if tag == 'form':
            self.form = Form(attributes)
            self.forms.append(self.form)
        elif tag in ('input', 'button') and attributes.get('form') and self.form is None:
            self.outside_buttons.append((attributes['form'], name, value))
        elif tag in ('input', 'button', 'select') and self.form is not None:
            kind = (attributes.get('type') or ('text' if tag == 'input' else tag)).lower()
            self.form.fields.append(Field(name, value, kind, 'checked' in attributes))
        elif tag == 'textarea' and self.form is not None:
            self.textarea = Field(name, '', 'hidden')
        elif tag == 'meta' and (attributes.get('http-equiv') or '').lower() == 'refresh':
            self.refresh = attributes.get('content') or ''
        self.onload = self.onload or 'onload' in attributes

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        if self.textarea:
            self.textarea.value += data

    def handle_endtag(self, tag):
        if tag == 'form':
            self.form = None
        if tag == 'textarea' and self.textarea and self.form is not None:
            self.form.fields.append(self.textarea)
            self.textarea = None

    def automatic(self, form, fill):
        """The fields to send if the form needs no typing, else None."""
        named = [field for field in form.fields if field.name]
        names = {field.name for field in named}
        typed = [field for field in named if field.kind not in NOT_TYPED]
        if typed or not form.fields or not (names & PROTOCOL_FIELDS or self.onload or len(self.forms) == 1):
            return None
        pairs = [(field.name, field.value) for field in named if field.kind == 'hidden']
        pairs += [(name, value) for form_id, name, value in self.outside_buttons if form_id == form.id and fill.get(name) == value]
        buttons = [field.name for field in named if field.kind in ('submit', 'button') and field.name in fill]
        return pairs + [(name, fill[name]) for name in buttons[:1]]


def filled(form, fill):
    """The fields to send if the form has a field to fill in, else None."""
    if not any(field.name in fill for field in form.fields):
        return None
    pairs, seen = [], set()
    for field in form.fields:
        if not field.name or field.name in seen:
            continue
        if field.name in fill:
            seen.add(field.name)
            pairs.append((field.name, fill[field.name]))
        elif field.kind in SENT_AS_IS or (field.kind in ('checkbox', 'radio') and field.checked):
            pairs.append((field.name, field.value))
    return pairs


def decoded(value):
    data = base64.b64decode(value)
    try:
        data = zlib.decompress(data, -15)  # HTTP-Redirect binding
    except zlib.error:
        pass
    return data.decode('utf-8', 'replace')


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self, options):
        self.options = options
        self.fill = dict(item.split('=', 1) for item in options.fill)
        self.jar = http.cookiejar.LWPCookieJar(options.jar) if options.jar else http.cookiejar.CookieJar()
        if options.jar and os.path.exists(options.jar):
            self.jar.load(ignore_discard=True)
        tls = ssl.create_default_context(cafile=options.ca if os.path.exists(options.ca) else None)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=tls),
            urllib.request.HTTPCookieProcessor(self.jar),
            NoRedirect(),
        )
        self.url, self.data, self.referer, self.logins = options.url, None, None, 0
        if options.data:
            self.data = options.data.encode()

    def log(self, *words):
        if not self.options.q:
            print(*words, file=sys.stderr)

    def sent_fields(self):
        return urllib.parse.parse_qsl(self.data.decode(), keep_blank_values=True) if self.data else []

    def look_at_messages(self):
        query = urllib.parse.parse_qsl(urllib.parse.urlsplit(self.url).query)
        for name, value in query + self.sent_fields():
            if name not in ('SAMLRequest', 'SAMLResponse', 'wresult'):
                continue
            text = value if name == 'wresult' else decoded(value)
            if self.options.dump:
                self.log('    ', name, text[:6000])
            if self.options.save and name != 'SAMLRequest':
                with open(self.options.save, 'w', encoding='utf-8') as file:
                    file.write(text)

    def request(self):
        request = urllib.request.Request(self.url, data=self.data)
        request.add_header('User-Agent', 'walk.py')
        request.add_header('Accept', 'text/html,*/*')
        if self.referer:
            request.add_header('Referer', self.referer)
        if self.options.user:
            request.add_header('Authorization', 'Basic ' + base64.b64encode(self.options.user.encode()).decode())
        for header in self.options.H:
            name, value = header.split(':', 1)
            request.add_header(name, value.strip())
        try:
            response = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            response = error
        body = response.read().decode('utf-8', 'replace')
        method = 'POST' if self.data is not None else 'GET '
        fields = ','.join(name for name, _ in self.sent_fields())
        self.log(f'{method} {self.url[:200]} -> {response.status}' + (f'  fields: {fields}' if fields else ''))
        return response, body

    def go(self, url, data=None):
        self.referer, self.url, self.data = self.url, urllib.parse.urljoin(self.url, url), data

    def submit(self, form, pairs):
        action = urllib.parse.urljoin(self.url, form.action or self.url)
        encoded = urllib.parse.urlencode(pairs)
        if form.method == 'post':
            self.go(action, encoded.encode())
        else:
            self.go(action.split('?')[0] + '?' + encoded)

    def follow(self, response, body):
        """Takes the next step that the page asks for; False if it is the last page."""
        status = response.status
        if status in (301, 302, 303, 307, 308) and response.headers.get('Location'):
            self.go(response.headers['Location'], self.data if status in (307, 308) else None)
            return True
        page = Page()
        if 'html' in (response.headers.get('Content-Type') or ''):
            page.feed(body)
        if status >= 400:
            return False
        for form in page.forms:
            pairs = page.automatic(form, self.fill)
            if pairs is None and self.logins < 6:
                pairs = filled(form, self.fill)
                self.logins += pairs is not None
            if pairs is not None:
                self.submit(form, pairs)
                return True
        if page.refresh and 'url=' in page.refresh.lower():
            self.go(re.split('url=', page.refresh, flags=re.I)[1].strip('\'" '))
            return True
        return False

    def walk(self):
        for _ in range(self.options.max):
            if self.options.stop and re.search(self.options.stop, self.url):
                print('STOP', 'POST' if self.data is not None else 'GET', self.url, (self.data or b'').decode())
                return 0
            self.look_at_messages()
            response, body = self.request()
            if not self.follow(response, body):
                sys.stdout.write(body)
                return 0 if response.status < 300 else 1
        return 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('url')
    parser.add_argument('--fill', nargs='*', default=[])
    parser.add_argument('--jar')
    parser.add_argument('--ca', default=RUN + '/bundle.pem')
    parser.add_argument('--stop')
    parser.add_argument('--save')
    parser.add_argument('--dump', action='store_true')
    parser.add_argument('--user')
    parser.add_argument('--data')
    parser.add_argument('-H', action='append', default=[])
    parser.add_argument('-q', action='store_true')
    parser.add_argument('--max', type=int, default=40)
    options = parser.parse_args()
    browser = Browser(options)
    status = browser.walk()
    if options.jar:
        browser.jar.save(ignore_discard=True)
    return status


sys.exit(main())
