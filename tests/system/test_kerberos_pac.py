# SPDX-License-Identifier: GPL-2.0-or-later
"""Who somebody is by what a real domain controller wrote into his ticket (the PAC), and by the directory where that is not enough."""
import re

import harness
from kerberos import gateway, header, token
from protected import values
from test_directory import service

OTHERS = {'somebody': {'password': 'somebody-secret', 'upn': 'somebody@elsewhere.test'}}
CLAIMS = ('upn', 'windowsaccountname', 'primarysid', 'primarygroupsid', 'groupsid', 'role')
LOCATION = 'location /app/ { fedgate_protect CONF app; %s PROXY }' % ''.join('proxy_set_header X-%s $fedgate_claim_%s; ' % (one, one) for one in CLAIMS)


def corp(domain):
    """The domain itself is the directory."""
    return harness.conf_section('directory', 'corp', {**service(domain), 'uri': 'urn:corp'})


def claims(gw):
    """As the server behind gets them."""
    answer = gw.browser().get(gw.url('/app/x'), headers=header(token()[1]), timeout=30)
    if answer.status_code != 200:
        return answer.status_code
    seen = answer.json()
    return {name: set(values(seen, 'X-' + name)[0].split(';')) if values(seen, 'X-' + name) else set() for name in CLAIMS}


def sid(domain, kind, name):
    return re.search(r'objectSid: (\S+)', domain.tool(kind, 'show', name, '--attributes=objectSid')).group(1)


def test_the_ticket_is_enough(authority, domain):
    """bob is no user of any directory of this gateway."""
    domain.kinit('bob')
    with gateway(authority, domain, LOCATION, kerberos={'ticket_suffices': 'true'}, users=OTHERS) as gw:
        found = claims(gw)
        assert found['upn'] == {'bob@gw.test'} and found['windowsaccountname'] == {'GW\\bob'}
        assert found['primarysid'] == {sid(domain, 'user', 'bob')} and found['primarygroupsid'] == {sid(domain, 'group', 'Domain Users')}
        # staff, which is in outer, gw-admins; a ticket has no groups of the server itself
        groups = {sid(domain, 'group', name) for name in ('staff', 'outer', 'gw-admins', 'Domain Users')}
        assert found['groupsid'] >= groups, (found['groupsid'], groups)
    with gateway(authority, domain, LOCATION, users=OTHERS) as gw:  # the control: without leave the directory is asked, which knows nobody
        assert claims(gw) == 401


def test_the_domain_is_asked(authority, domain):
    domain.kinit('alice')
    with gateway(authority, domain, LOCATION, gateway_conf=corp(domain), kerberos={'directory': 'corp'}, users=OTHERS) as gw:
        found = claims(gw)
        assert found['upn'] == {'alice@gw.test'} and found['role'] >= {'engineers', 'staff', 'outer'}
        assert sid(domain, 'group', 'outer') in found['groupsid']


def test_an_account_that_was_disabled_since(authority, domain):
    domain.kinit('alice')
    value = token()[1]
    domain.tool('user', 'disable', 'alice')
    try:
        with gateway(authority, domain, LOCATION, gateway_conf=corp(domain), kerberos={'directory': 'corp'}, users=OTHERS) as gw:
            assert gw.browser().get(gw.url('/app/x'), headers=header(value), timeout=30).status_code == 401
            assert gw.site.audit(event='signin_refused', reason='account_disabled')
    finally:
        domain.tool('user', 'enable', 'alice')
    with gateway(authority, domain, LOCATION, gateway_conf=corp(domain), kerberos={'directory': 'corp'}, users=OTHERS) as gw:
        assert gw.browser().get(gw.url('/app/x'), headers=header(token()[1]), timeout=30).status_code == 200
