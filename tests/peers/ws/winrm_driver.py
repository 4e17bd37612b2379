#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pywinrm (Debian: python3-winrm) as a client of WS-Management: opens a shell, runs a program, reads its output, ends it, closes the shell.

winrm_driver.py ENDPOINT USER PASSWORD [--bearer TOKEN] [--cert PEM --key PEM] [--kerberos] [--ca PEM]
                [--run PROGRAM [ARGUMENT...]] [--ps SCRIPT]

Credentials: Basic by USER and PASSWORD, or --bearer (Authorization: Bearer), or a TLS client certificate, or a ticket of $KRB5CCNAME.
--ps runs a script as pywinrm does: powershell -encodedcommand. Without --ca a server's certificate is not checked.
Prints JSON: {"shell", "command", "status", "output", "errors"}, or {"fault": text, "step": "open" | "run" | ...}.
Exit status: 0 the whole sequence worked; 1 a step failed.
"""
import argparse
import base64
import json
import sys

from winrm.protocol import Protocol

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('endpoint')
parser.add_argument('user')
parser.add_argument('password')
parser.add_argument('--bearer')
parser.add_argument('--cert')
parser.add_argument('--key')
parser.add_argument('--kerberos', action='store_true')
parser.add_argument('--ca')
parser.add_argument('--run', nargs='+', default=['ipconfig', '/all'])
parser.add_argument('--ps')
options = parser.parse_args()

transport = 'plaintext' if options.endpoint.startswith('http:') else 'ssl'
protocol = Protocol(
    endpoint=options.endpoint,
    transport='certificate' if options.cert else 'kerberos' if options.kerberos else transport,
    username=options.user,
    password=options.password,
    cert_pem=options.cert,
    cert_key_pem=options.key,
    server_cert_validation='validate' if options.ca else 'ignore',
    ca_trust_path=options.ca or 'legacy_requests',
    message_encryption='never',
)
if options.bearer:
    protocol.transport.build_session()
    session = protocol.transport.session
    session.auth = None
    session.trust_env = False
    session.headers['Authorization'] = 'Bearer ' + options.bearer

program, *arguments = options.run
if options.ps:
    program, arguments = 'powershell -encodedcommand ' + base64.b64encode(options.ps.encode('utf_16_le')).decode(), []
step = 'open'
try:
    shell = protocol.open_shell()
    step = 'run'
    command = protocol.run_command(shell, program, arguments)
    step = 'read'
    output, errors, status = protocol.get_command_output(shell, command)
    step = 'end'
    protocol.cleanup_command(shell, command)
    step = 'close'
    protocol.close_shell(shell)
except Exception as error:  # what a caller of pywinrm sees
    print(json.dumps({'fault': '%s: %s' % (type(error).__name__, error), 'step': step}))
    sys.exit(1)
print(json.dumps({'shell': shell, 'command': command, 'status': status, 'output': output.decode(), 'errors': errors.decode()}))
