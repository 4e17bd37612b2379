# SPDX-License-Identifier: GPL-2.0-or-later
"""A Samba domain controller, tickets of its people, and a gateway with its keytab."""
import base64
import contextlib
import os
import re
import shutil

import gssapi

import harness
from controller import Controller
from protected import protecting

CHROME_ON_WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
FIREFOX_ON_LINUX = 'Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0'
SPNEGO = gssapi.OID.from_int_seq('1.3.6.1.5.5.2')
KERBEROS = gssapi.OID.from_int_seq('1.2.840.113554.1.2.2')
PASSWORDS = {'alice': 'Alice.Pw1', 'bob': 'Bob.Pw1', 'svc-gw': 'Svc.Pw1', 'o(d)d': 'Odd.Pw1', 'Administrator': 'Passw0rd.Adm1n'}
USERS = {
    'alice': {'password': 'alice-secret', 'groups': ['Administrators'], 'upn': 'alice@gw.test'},
    'bob': {'password': 'bob-secret', 'groups': ['Users'], 'upn': 'bob@gw.test'},
}


class Domain(Controller):
    def __init__(self):
        super().__init__()
        self.start()
        self.keytab = self.facts['KEYTAB']
        os.environ['KRB5_CONFIG'] = self.facts['KRB5_CONFIG']

    def close(self):
        os.environ.pop('KRB5_CONFIG', None)
        os.environ.pop('KRB5CCNAME', None)
        super().close()

    def kinit(self, user, *options):
        """A cache with this person's ticket-granting ticket; used from now on."""
        cache = 'FILE:%s/cc-%s' % (self.folder, re.sub(r'\W', '_', user))
        done = harness.run('kinit', '-c', cache, *options, user, input=PASSWORDS[user] + '\n')
        assert done.returncode == 0, done.stderr
        os.environ['KRB5CCNAME'] = cache
        return cache


def token(service='HTTP@localhost', mechanism=SPNEGO, binding=None, flags=None):
    """The first token of a client with the ticket of $KRB5CCNAME, and its context."""
    name = gssapi.Name(service, gssapi.NameType.hostbased_service)
    options = {'channel_bindings': gssapi.raw.ChannelBindings(application_data=binding)} if binding else {}
    wanted = gssapi.RequirementFlag.mutual_authentication if flags is None else flags
    context = gssapi.SecurityContext(name=name, mech=mechanism, usage='initiate', flags=wanted, **options)
    return context, context.step()


def header(value):
    return {'Authorization': 'Negotiate ' + base64.b64encode(value).decode()}


def answered(answer):
    """The token of WWW-Authenticate."""
    found = re.search(r'Negotiate ([A-Za-z0-9+/=]+)', answer.headers.get('WWW-Authenticate', ''))
    return base64.b64decode(found.group(1)) if found else None


@contextlib.contextmanager
def gateway(authority, domain, locations='location /app/ { fedgate_protect CONF app; PROXY }', gateway_conf='', keytab=None, kerberos=None,
            **options):  # fmt: skip
    copy = os.path.join(domain.folder, 'gateway-%d.keytab' % harness.free_port())
    shutil.copy(keytab or domain.keytab, copy)
    shutil.chown(copy, harness.WORKER, harness.WORKER)
    text = 'protect "app" { accept = {"session", "negotiate", "bearer"} }\n' + harness.conf_section(
        'kerberos', None, {'keytab': copy, 'realms': ['GW.TEST'], **(kerberos or {})})  # fmt: skip
    options.setdefault('users', USERS)
    with protecting(authority, locations, gateway_conf=text + gateway_conf, nginx={'main': 'env KRB5_CONFIG;\n'}, **options) as gw:
        gw.keytab = copy
        yield gw
