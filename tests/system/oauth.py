# SPDX-License-Identifier: GPL-2.0-or-later
"""OAuth 2.0 without a browser: openid-client (npm), one request a run, by tests/peers/oidc/agent.mjs."""
import base64
import json
import os
import subprocess

import clients
import harness

NODE = os.path.join(harness.ROOT, 'tests', 'peers', 'common', 'node.sh')
SCRIPT = os.path.join(harness.ROOT, 'tests', 'peers', 'oidc', 'agent.mjs')
EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
SAML_BEARER = 'urn:ietf:params:oauth:grant-type:saml2-bearer'
TYPE = 'urn:ietf:params:oauth:token-type:'


class Refused(Exception):
    pass


def part(token, which=1):
    text = token.split('.')[which]
    return json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))


class Agent:
    def __init__(self, name, folder, options=None, **environment):
        self.name, self.options, self.environment = name, options or {}, environment
        self.secret_file = os.path.join(folder, name + '.secret')
        with open(self.secret_file, 'w') as file:
            file.write(clients.SECRET + '\n')

    def section(self):
        options = {'client_id': self.name, 'client_secret_file': self.secret_file, 'grants': ['client_credentials'], **self.options}
        return {name: value for name, value in options.items() if value is not None}

    def run(self, gateway, action, parameters=None, **more):
        """The answer; Refused with its error if it is one."""
        environment = {**os.environ, 'ISSUER': gateway.base_url + '/adfs', 'CLIENT_ID': self.name, 'CLIENT_SECRET': clients.SECRET,
                       'NODE_EXTRA_CA_CERTS': gateway.authority.ca, 'NO_PROXY': '*', 'no_proxy': '*', **self.environment, **more}  # fmt: skip
        done = subprocess.run([NODE, SCRIPT, action, json.dumps(parameters or {})], env=environment, capture_output=True, text=True, timeout=120)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(done.stdout + done.stderr) from None
        if done.returncode != 0:
            raise Refused('%s: %s' % (answer['error'], answer['description']))
        return answer

    def token(self, gateway, resource, **more):
        return self.run(gateway, 'credentials', {'resource': resource}, **more)['access_token']

    def exchange(self, gateway, token, kind='access_token', **parameters):
        parameters = {name: value for name, value in parameters.items() if value is not None}
        return self.run(gateway, 'grant', {'grant_type': EXCHANGE, 'subject_token': token, 'subject_token_type': TYPE + kind, **parameters})
