#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-in WinRM server that records what reaches it: the upstream behind a gateway. Ours; winrm_driver.py is its counterpart.

winrm_recorder.py PORT SAVEDIR        listens on 127.0.0.1; start and stop it with winrm_recorder.sh

Answers Identify, Create, Command, Receive, Signal, Send, Delete, Get, Put, Enumerate, Pull, Release; any other action by an empty Body of
that action's Response. Shells, commands and enumeration contexts get ids of their own: a context is pulled twice, the second time with its
end. Ids that stand in SAVEDIR/ids, one on a line, are used up first: recorded messages of clients name them. Each request is kept as SAVEDIR/NNN-OPERATION.head (JSON: method, path, headers) and .body (the bytes as they came).
"""
import base64
import http.server
import itertools
import json
import os
import re
import sys
import threading
import uuid

ADDRESSING = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
SOAP = 'http://www.w3.org/2003/05/soap-envelope'
WSMAN = 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd'
SHELL = 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell'
IDENTITY = 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd'
THING = '<p:Thing xmlns:p="urn:thing"><p:Name>one</p:Name></p:Thing>'
STDOUT = base64.b64encode(b'hello from behind\r\n').decode()

IDENTIFY = (
    f'<s:Envelope xmlns:s="{SOAP}" xmlns:i="{IDENTITY}"><s:Header/><s:Body><i:IdentifyResponse>'
    f'<i:ProtocolVersion>{WSMAN}</i:ProtocolVersion><i:ProductVendor>stand-in</i:ProductVendor>'
    '<i:ProductVersion>1</i:ProductVersion></i:IdentifyResponse></s:Body></s:Envelope>'
)


def text_of(message, name):
    match = re.search(rf'<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)<', message)
    return match.group(1).strip() if match else ''


def fresh_id():
    """The next one of SAVEDIR/ids, or a random one."""
    with Handler.lock:
        try:
            with open(os.path.join(SAVEDIR, 'ids')) as file:
                first, *rest = file.read().split()
        except (FileNotFoundError, ValueError):
            return str(uuid.uuid4()).upper()
        with open(os.path.join(SAVEDIR, 'ids'), 'w') as file:
            file.write('\n'.join(rest))
        return first


def create(_):
    shell = fresh_id()
    return (
        f'<x:ResourceCreated><a:Address>http://localhost/wsman</a:Address><a:ReferenceParameters><w:ResourceURI>{SHELL}/cmd</w:ResourceURI>'
        f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>'
        f'<rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId></rsp:Shell>'
    )


def command(_):
    return f'<rsp:CommandResponse><rsp:CommandId>{fresh_id()}</rsp:CommandId></rsp:CommandResponse>'


def receive(message):
    one = re.search(r'CommandId="([^"]*)"', message)
    one = one.group(1) if one else ''
    return (
        f'<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="{one}">{STDOUT}</rsp:Stream>'
        f'<rsp:Stream Name="stderr" CommandId="{one}" End="true"></rsp:Stream>'
        f'<rsp:CommandState CommandId="{one}" State="{SHELL}/CommandState/Done"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>'
        '</rsp:ReceiveResponse>'
    )


def enumerate_(_):
    return f'<n:EnumerateResponse><n:EnumerationContext>{fresh_id()}</n:EnumerationContext></n:EnumerateResponse>'


def pull(message):
    context = text_of(message, 'EnumerationContext')
    Handler.pulls[context] = Handler.pulls.get(context, 0) + 1
    last = Handler.pulls[context] > 1
    more = '<n:EndOfSequence/>' if last else f'<n:EnumerationContext>{context}</n:EnumerationContext>'
    return f'<n:PullResponse>{"" if last else more}<n:Items>{THING}</n:Items>{more if last else ""}</n:PullResponse>'


# end of the action -> content of the answer's Body
ANSWERS = {
    'transfer/Create': create,
    'transfer/Get': lambda _: THING,
    'transfer/Put': lambda _: THING,
    'shell/Command': command,
    'shell/Receive': receive,
    'shell/Signal': lambda _: '<rsp:SignalResponse/>',
    'shell/Send': lambda _: '<rsp:SendResponse/>',
    'enumeration/Enumerate': enumerate_,
    'enumeration/Pull': pull,
}


def envelope(action, relates_to, body):
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}" '
        'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
        'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer"><s:Header>'
        f'<a:Action>{action}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>'
        f'<a:To>{ADDRESSING}/role/anonymous</a:To><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header>'
        f'<s:Body>{body}</s:Body></s:Envelope>'
    )


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    numbers = itertools.count(1)
    pulls = {}
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.record('GET', b'')
        self.answer(200, '')

    def do_POST(self):
        body = self.body()
        message = body.decode('utf-8', 'replace')
        action = text_of(message, 'Action')
        operation = action.rsplit('/', 1)[-1] or ('Identify' if 'Identify' in message else 'none')
        self.record(operation, body)
        if operation == 'Identify':
            return self.answer(200, IDENTIFY)
        make = next((function for end, function in ANSWERS.items() if action.endswith(end)), lambda _: '')
        return self.answer(200, envelope(action + 'Response', text_of(message, 'MessageID'), make(message)))

    def record(self, operation, body):
        name = os.path.join(SAVEDIR, '%04d-%s' % (next(Handler.numbers), re.sub(r'\W', '_', operation)))
        with open(name + '.body', 'wb') as file:
            file.write(body)
        with open(name + '.head.new', 'w') as file:
            json.dump({'method': self.command, 'path': self.path, 'headers': self.headers.items()}, file)
        os.rename(name + '.head.new', name + '.head')  # a reader sees both or neither

    def body(self):
        if self.headers.get('Transfer-Encoding') != 'chunked':
            return self.rfile.read(int(self.headers.get('Content-Length') or 0))
        data = b''
        while True:
            size = int(self.rfile.readline().split(b';')[0], 16)
            data += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return data

    def answer(self, status, body):
        data = body.encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/soap+xml;charset=UTF-8')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)


PORT, SAVEDIR = int(sys.argv[1]), sys.argv[2]
os.makedirs(SAVEDIR, exist_ok=True)
http.server.ThreadingHTTPServer(('127.0.0.1', PORT), Handler).serve_forever()
