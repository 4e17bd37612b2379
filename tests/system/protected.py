# SPDX-License-Identifier: GPL-2.0-or-later
"""Protected locations: a gateway with something behind it that tells what it got."""
import base64
import contextlib
import gzip
import http.server
import json
import os
import re
import socket
import ssl
import threading
import uuid

import harness
from messages import PASSIVE, form

SIGN_IN = PASSIVE + '?wa=wsignin1.0&wtrealm=urn%3Afedgate%3Ademo'
HTML = {'Accept': 'text/html,application/xhtml+xml,*/*;q=0.8'}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        seen = {'method': self.command, 'path': self.path, 'headers': self.headers.items(), 'body': base64.b64encode(body).decode()}
        self.server.seen.append(seen)
        status, headers, answer = self.server.answer(seen)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        how = dict(headers)
        if how.get('Connection') != 'close' and 'Transfer-Encoding' not in how:
            self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        if self.command == 'HEAD':
            return
        if 'Transfer-Encoding' in how:
            for i in range(0, len(answer), 100):
                self.wfile.write(b'%x\r\n%s\r\n' % (len(answer[i:i + 100]), answer[i:i + 100]))
            answer = b'0\r\n\r\n'
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_PROPFIND = handle_any

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def echo(seen):
    return 200, [('Content-Type', 'application/json')], json.dumps(seen).encode()


WSMAN = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" \
xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"><s:Header>\
<a:Action s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/09/enumeration/%s</a:Action>\
<a:To s:mustUnderstand="true">%s</a:To><w:ResourceURI s:mustUnderstand="true">http://schemas.example.com/test</w:ResourceURI>\
<a:MessageID s:mustUnderstand="true">uuid:%s</a:MessageID>\
<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo></s:Header>\
<s:Body>%s</s:Body></s:Envelope>"""
OPENED = '<n:EnumerateResponse><n:EnumerationContext>%s</n:EnumerationContext></n:EnumerateResponse>'


def wsman_answer(seen):
    """An enumeration is opened; how the answer comes is told by the path."""
    how = seen['path']
    text = WSMAN % ('EnumerateResponse', 'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous', uuid.uuid4(), OPENED % uuid.uuid4())
    if 'large' in how:
        text = text.replace('<s:Body>', '<!--%s--><s:Body>' % ('x' * 300000))
    if 'huge' in how:
        text = text.replace('<s:Body>', '<!--%s--><s:Body>' % ('x' * 1200000))
    headers = [('Content-Type', 'application/soap+xml;charset=UTF-8')]
    if 'chunked' in how:
        headers.append(('Transfer-Encoding', 'chunked'))
    if 'closed' in how:
        headers.append(('Connection', 'close'))
    data = text.encode()
    if 'encoded' in how:
        headers.append(('Content-Encoding', 'gzip'))
        data = gzip.compress(data)
    return 500 if 'failed' in how else 200, headers, data


class Upstream:
    """The server behind: answers with what it got, and remembers that."""

    def __init__(self, answer=echo):
        self.server = Server(('127.0.0.1', 0), Handler)
        self.server.seen, self.server.answer = [], answer
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def seen(self):
        return self.server.seen


def values(seen, name):
    """Of a header as the server behind got it."""
    return [value for key, value in seen['headers'] if key.lower() == name.lower()]


def body(seen):
    return base64.b64decode(seen['body'])


APP = """
location /app/ { fedgate_protect CONF; PROXY }
location /open/ { PROXY }
"""
PROXY = 'proxy_pass http://127.0.0.1:UPSTREAM; proxy_http_version 1.1;'


@contextlib.contextmanager
def protecting(authority, locations=APP, http='', gateway_conf='', answer=echo, after='', files=None, **options):
    """A running gateway, its .upstream, and these locations beside its own; http stands before, after behind the server.

    In all of them CONF is gateway.conf, PROXY hands on to the server behind.  files: beside gateway.conf.
    """
    with Upstream(answer) as upstream:
        gateway = harness.Gateway(authority, server=locations, **options)
        gateway.upstream = upstream

        def fill(text):
            return text.replace('PROXY', PROXY).replace('CONF', gateway.site.conf).replace('UPSTREAM', str(upstream.port)).replace(
                'FOLDER', gateway.folder)  # fmt: skip

        gateway.site.write(gateway_conf)
        for name, text in (files or {}).items():
            with open(os.path.join(gateway.site.folder, name), 'w') as file:
                file.write(text)
        gateway.nginx.http = fill(http + gateway.nginx.http + after)
        gateway.nginx.write()
        try:
            with gateway:
                yield gateway
        finally:
            assert '[alert]' not in gateway.last_log and 'exited on signal' not in gateway.last_log, gateway.last_log[-4000:]


def signed_in(gateway, user='alice', password=None):
    """A browser with a session, from the gateway's own sign-in page."""
    browser = gateway.browser()
    page = browser.get(gateway.url(SIGN_IN), timeout=30)
    action, fields = form(page.text)
    for name in fields:
        fields[name] = user if 'user' in name.lower() else (password or user + '-secret') if 'pass' in name.lower() else fields[name]
    answer = browser.post(action if action.startswith('https') else gateway.url(action or PASSIVE), data=fields, timeout=30)
    assert 'wresult' in answer.text, answer.text[:2000]
    return browser


def ask(gateway, browser, path, method='GET', **options):
    return browser.request(method, gateway.url(path), allow_redirects=False, timeout=30, **options)


def cookie_of(browser):
    return '; '.join('%s=%s' % (cookie.name, cookie.value) for cookie in browser.cookies)


def connect(gateway, name='localhost', client=None):
    """A connection to the server of that name, with a client certificate (path without its ending) or without."""
    context = ssl.create_default_context(cafile=gateway.authority.ca)
    if client:
        context.load_cert_chain(client + '.crt', client + '.key')
    tcp = socket.create_connection(('127.0.0.1', gateway.port), 20)
    return context.wrap_socket(tcp, server_hostname=name)


def read_answer(file):
    """One answer with a Content-Length, of a kept connection: status, headers, body."""
    status = int(file.readline().split()[1])
    headers = {}
    while True:
        line = file.readline().decode().strip()
        if not line:
            break
        name, value = line.split(':', 1)
        headers[name.lower()] = value.strip()
    return status, headers, file.read(int(headers.get('content-length', 0)))


def access_log(gateway, name='access.log'):
    path = '%s/%s' % (gateway.folder, name)
    with open(path) as file:
        return [re.split(r'\|', line.strip()) for line in file]
