# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of WS-Management written out, faults read, and the recording server behind the gateway."""
import json
import os
import shutil
import subprocess
import uuid
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

import harness
import peers

SOAP = 'http://www.w3.org/2003/05/soap-envelope'
ADDRESSING = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
ANONYMOUS = ADDRESSING + '/role/anonymous'
TRANSFER = 'http://schemas.xmlsoap.org/ws/2004/09/transfer/'
ENUMERATION = 'http://schemas.xmlsoap.org/ws/2004/09/enumeration'
SHELL = 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell'
WQL = 'http://schemas.microsoft.com/wbem/wsman/1/WQL'
SERVICE = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service'
CMD = SHELL + '/cmd'
HEADERS = {'Content-Type': 'application/soap+xml;charset=UTF-8'}

ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"
 xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell">
<s:Header>
<a:Action s:mustUnderstand="true">{action}</a:Action>
<a:To s:mustUnderstand="true">http://windows-host:5985/wsman</a:To>
<w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>
<a:MessageID>uuid:{id}</a:MessageID>
<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
<w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize>
{selectors}</s:Header>
<s:Body>{body}</s:Body>
</s:Envelope>"""

IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
)


def message(action, resource, body='', selectors=None):
    inner = ''.join('<w:Selector Name=%s>%s</w:Selector>' % (quoteattr(name), escape(value)) for name, value in (selectors or {}).items())
    return ENVELOPE.format(action=action, resource=escape(resource), id=uuid.uuid4(), body=body,
                           selectors='<w:SelectorSet>%s</w:SelectorSet>\n' % inner if inner else '')  # fmt: skip


def get(resource=SERVICE, **selectors):
    return message(TRANSFER + 'Get', resource, selectors=selectors or {'Name': 'Spooler'})


def enumerate_(resource=SERVICE, content=''):
    return message(ENUMERATION + '/Enumerate', resource, '<n:Enumerate>%s</n:Enumerate>' % content)


def wql(text, dialect=WQL):
    return '<w:Filter Dialect=%s>%s</w:Filter>' % (quoteattr(dialect), escape(text))


def with_context(operation, context, resource=SERVICE):
    """Pull, Release, Renew, GetStatus."""
    return message(ENUMERATION + '/' + operation, resource,
                   '<n:%s><n:EnumerationContext>%s</n:EnumerationContext></n:%s>' % (operation, context, operation))  # fmt: skip


def create(command_processor=CMD):
    return message(TRANSFER + 'Create', command_processor,
                   '<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>')  # fmt: skip


def in_shell(operation, shell, body=''):
    """Command, Receive, Send, Signal of a shell."""
    return message('%s/%s' % (SHELL, operation), CMD, body, {'ShellId': shell})


def command(shell, program, *arguments):
    inner = '<rsp:Command>%s</rsp:Command>' % escape(program)
    inner += ''.join('<rsp:Arguments>%s</rsp:Arguments>' % escape(one) for one in arguments)
    return in_shell('Command', shell, '<rsp:CommandLine>%s</rsp:CommandLine>' % inner)


def receive(shell, one):
    return in_shell('Receive', shell, '<rsp:Receive><rsp:DesiredStream CommandId="%s">stdout stderr</rsp:DesiredStream></rsp:Receive>' % one)


def send(shell, one):
    return in_shell('Send', shell, '<rsp:Send><rsp:Stream Name="stdin" CommandId="%s">ZGlyDQo=</rsp:Stream></rsp:Send>' % one)


def signal(shell, one):
    return in_shell('Signal', shell, '<rsp:Signal CommandId="%s"><rsp:Code>%s/signal/terminate</rsp:Code></rsp:Signal>' % (one, SHELL))


def delete_shell(shell):
    return message(TRANSFER + 'Delete', CMD, selectors={'ShellId': shell})


def fault(answer):
    """The subcode's local name (of SOAP's own codes the code's), or None if the answer is no fault of WS-Management."""
    try:
        root = etree.fromstring(answer.content)
    except etree.XMLSyntaxError:
        return None
    value = root.findtext('{%s}Body/{%s}Fault/{%s}Code/{%s}Subcode/{%s}Value' % ((SOAP,) * 5)) or root.findtext(
        '{%s}Body/{%s}Fault/{%s}Code/{%s}Value' % ((SOAP,) * 4)
    )
    if value is None:
        return None
    # what every client needs: an Action, and a sentence
    assert root.findtext('{%s}Header/{%s}Action' % (SOAP, ADDRESSING)).endswith('/fault')
    assert root.findtext('{%s}Body/{%s}Fault/{%s}Reason/{%s}Text' % ((SOAP,) * 4))
    return value.split(':')[-1]


def value(answer, name):
    """The text of the answer's first element of that local name."""
    assert answer.status_code == 200, answer.text
    return etree.fromstring(answer.content).xpath('string(//*[local-name()="%s"])' % name)


class Recorder:
    """tests/peers/ws/winrm_recorder.sh in a folder of its own."""

    def __init__(self):
        self.port = harness.free_port()
        self.folder = harness.temporary_folder()
        self.saved = os.path.join(self.folder, 'requests')
        self.environment = {**os.environ, 'WORK': self.folder, 'PORT': str(self.port), 'SAVEDIR': self.saved}
        self.script('START')

    def script(self, what):
        subprocess.run([os.path.join(peers.FOLDER, 'ws', 'winrm_recorder.sh'), what], check=True, timeout=60, env=self.environment)

    def stop(self):
        self.script('STOP')
        shutil.rmtree(self.folder, ignore_errors=True)

    def names(self):
        return sorted(name[:-5] for name in os.listdir(self.saved) if name.endswith('.head'))

    def operations(self):
        """What arrived since the last call of forget()."""
        return [name.split('-', 1)[1] for name in self.names()]

    def forget(self):
        for name in self.names():
            os.unlink(os.path.join(self.saved, name + '.head'))
            os.unlink(os.path.join(self.saved, name + '.body'))

    def last(self):
        """(path, {header in lower case: [values]}, body) of the last request."""
        name = os.path.join(self.saved, self.names()[-1])
        with open(name + '.head') as file:
            head = json.load(file)
        headers = {}
        for key, text in head['headers']:
            headers.setdefault(key.lower(), []).append(text)
        with open(name + '.body', 'rb') as file:
            return head['path'], headers, file.read()

    def next_ids(self, *ids):
        with open(os.path.join(self.saved, 'ids'), 'w') as file:
            file.write('\n'.join(ids))
