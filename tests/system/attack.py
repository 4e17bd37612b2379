# SPDX-License-Identifier: GPL-2.0-or-later
"""What a refusal at an active endpoint must look like, whoever provoked it."""
import glob
import os
import re
import socket

from lxml import etree

import harness
from messages import USERNAME, WST13, WST2005

SOAP11, SOAP12 = 'http://schemas.xmlsoap.org/soap/envelope/', 'http://www.w3.org/2003/05/soap-envelope'
WSA = 'http://www.w3.org/2005/08/addressing'
WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
NAMES = {'s11': SOAP11, 's12': SOAP12, 'a': WSA}
TRUST = {'13': WST13, '2005': WST2005}
ACTION = {trust: name + '/RST/Issue' for trust, name in TRUST.items()}

# the audit line's reason: the fault's code, its status
REASONS = {
    'addressing_action': ('wsa:ActionNotSupported', 500),
    'addressing_header': ('wsa:InvalidAddressingHeader', 500),
    'bad_http_request': ('wst:InvalidRequest', 400),
    'not_signed_in': ('wsse:FailedAuthentication', 500),
    'soap_must_understand': ('soap:MustUnderstand', 500),
    'soap_structure': ('wst:InvalidRequest', 500),
    'soap_version': ('soap:VersionMismatch', 500),
    'too_large': ('wst:InvalidRequest', 413),
    'unsupported_media_type': ('wst:InvalidRequest', 415),
    'wrong_user_or_password': ('wst:FailedAuthentication', 500),
    'digest_not_possible': ('wst:FailedAuthentication', 500),
    'wss_expired': ('wsse:MessageExpired', 500),
    'wss_replay': ('wsse:InvalidSecurity', 500),
    'wss_structure': ('wsse:InvalidSecurity', 500),
    'wss_timestamp': ('wsse:InvalidSecurity', 500),
    'wss_unsupported': ('wsse:UnsupportedSecurityToken', 500),
    'signature_structure': ('wsse:FailedCheck', 500),
    'wst_claims': ('wst:BadRequest', 500),
    'wst_invalid_request': ('wst:InvalidRequest', 500),
    'wst_key': ('wst:BadRequest', 500),
    'wst_key_type': ('wst:RequestFailed', 500),
    'wst_request_type': ('wst:BadRequest', 500),
    'wst_scope': ('wst:InvalidScope', 500),
    'wst_time_range': ('wst:InvalidTimeRange', 500),
    'wst_token_type': ('wst:RequestFailed', 500),
    'xml_doctype': ('wst:InvalidRequest', 500),
    'xml_encoding': ('wst:InvalidRequest', 500),
    'xml_limit': ('wst:InvalidRequest', 500),
    'xml_malformed': ('wst:InvalidRequest', 500),
    'xml_structure': ('wst:InvalidRequest', 500),
}
# of these nothing was read that an answer could relate to; of the others here it depends on what else is wrong
UNREAD = {'bad_http_request', 'soap_version', 'too_large', 'xml_doctype', 'xml_encoding', 'xml_limit', 'xml_malformed'}
PARTLY_READ = {'soap_structure', 'unsupported_media_type', 'xml_structure'}


def swap(message, old, new):
    """The message with one thing changed."""
    assert message.count(old) == 1, old
    return message.replace(old, new)


def to_soap11(message):
    return swap(message, SOAP12, SOAP11)


def qname(element):
    prefix, _, name = element.text.rpartition(':')
    return etree.QName(element.nsmap[prefix or None], name)


class Sts:
    """The active endpoints of a running gateway; it remembers what no log may hold."""

    def __init__(self, gateway, secrets):
        self.gateway = gateway
        self.secrets = set(secrets)

    def send(self, message, trust='13', headers=None, path=None):
        body = message if isinstance(message, bytes) else message.encode()
        soap11 = SOAP11.encode() in body[:300]
        kind = {'Content-Type': 'text/xml; charset=utf-8', 'SOAPAction': '"%s"' % ACTION[trust]} if soap11 else {}
        answer = self.gateway.soap(path or USERNAME[trust], body, headers={**kind, **(headers or {})})
        self.secrets.update(re.findall(r'<ds:SignatureValue>([^<]+)<', answer.text))
        return answer

    def accept(self, message, **options):
        """The answer's root: it is a token."""
        answer = self.send(message, **options)
        assert answer.status_code == 200, answer.text[:2000]
        root = etree.fromstring(answer.content)
        assert len(root.xpath('//*[local-name()="Assertion"]')) == 1
        return root

    def refuse(self, message, *reasons, trust='13', headers=None, path=None):
        """The answer's root: a fault as its audit line says, for one of these reasons, and nothing was issued."""
        answer = self.send(message, trust, headers, path)
        root = etree.fromstring(answer.content)
        reference = re.search(r'\(reference ([0-9a-f-]+)\)', answer.text)
        assert reference, answer.text[:2000]
        lines = self.gateway.site.audit(event='refused', id=reference.group(1))
        assert len(lines) == 1 and lines[0]['reason'] in reasons, lines
        reason = lines[0]['reason']
        assert lines[0]['detail'] and lines[0]['client'] == '127.0.0.1'
        assert not self.gateway.site.audit_now(event='issued', id=reference.group(1))
        self.check_fault(root, reason, trust, answer.status_code)
        self.check_addressing(root, reason, message if isinstance(message, str) else message.decode('utf-8', 'replace'))
        return root

    @staticmethod
    def check_addressing(root, reason, message):
        found = re.search(r'<a:MessageID>([^<]+)<', message)
        addressed = found is not None and '"%s"' % WSA in message
        relates = root.xpath('//a:RelatesTo/text()', namespaces=NAMES)
        if not addressed or reason in UNREAD:
            assert relates == []
        else:
            assert relates == [found.group(1)] or (relates == [] and reason in PARTLY_READ)
        if addressed:
            assert root.xpath('//a:Action/text()', namespaces=NAMES) == [WSA + '/soap/fault']

    @staticmethod
    def check_fault(root, reason, trust, status):
        namespace = etree.QName(root).namespace
        wanted, wanted_status = REASONS[reason]
        family, _, name = wanted.partition(':')
        code = etree.QName({'soap': namespace, 'wst': TRUST[trust], 'wsse': WSSE, 'wsa': WSA}[family], name)
        assert status == wanted_status
        if namespace == SOAP11:
            assert qname(root.find('.//faultcode')) == code and root.find('.//faultstring').text
            return
        path = 's12:Body/s12:Fault/s12:Code/s12:%s' % ('Value' if family == 'soap' else 'Subcode/s12:Value')
        assert qname(root.find(path, NAMES)) == code
        if family != 'soap':
            assert qname(root.find('s12:Body/s12:Fault/s12:Code/s12:Value', NAMES)) == etree.QName(SOAP12, 'Sender')
        text = root.find('s12:Body/s12:Fault/s12:Reason/s12:Text', NAMES)
        assert text.text and text.get('{http://www.w3.org/XML/1998/namespace}lang') == 'en'

    def logs(self):
        text = self.gateway.nginx.log()
        for path in glob.glob(os.path.join(self.gateway.folder, '**', '*.log'), recursive=True):
            with open(path, errors='replace') as file:
                text += file.read()
        return text

    def check_logs(self):
        text = self.logs()
        assert self.gateway.site.audit()
        for secret in self.secrets:
            assert secret not in text, 'a log holds ' + secret
        assert 'Assertion' not in text


class Listener:
    """Somebody on loopback whom nobody may call."""

    def __enter__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.socket.setblocking(False)
        self.url = 'http://127.0.0.1:%d/x' % self.socket.getsockname()[1]
        return self

    def __exit__(self, *_):
        self.socket.close()

    def was_called(self):
        try:
            self.socket.accept()[0].close()
            return True
        except BlockingIOError:
            return False
