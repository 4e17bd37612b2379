# SPDX-License-Identifier: GPL-2.0-or-later
"""Accounts of a real Samba domain that are changed for each test: other names, other ids, and reasons not to let somebody in."""
import base64
import os
import subprocess
import sys
import time
import uuid

import pytest

import harness
import openldap
from messages import USERNAME, rst
from test_directory import PEOPLE, REALM, SITE, assert_reason, directory, sections, service, sign_in

WRONG = 'The user name or password is not right.'
BASE = 'DC=gw,DC=test'
UNCACHED = {'cache': '0s', 'negative_cache': '0s'}


@pytest.fixture(scope='module')
def world(authority, controller):
    found = sections(corp=directory(controller, **UNCACHED), svc=service(controller, **UNCACHED))
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        yield gateway


def create(controller, name):
    """An account of its own for a test; its password is Fresh.Pw1."""
    controller.tool('user', 'create', name, 'Fresh.Pw1', '--use-username-as-cn')
    return 'CN=%s,CN=Users,%s' % (name, BASE)


def change(controller, dn, **attributes):
    """Values are text or bytes, over the wire by an administrator."""
    lines = ['dn: ' + dn, 'changetype: modify']
    for name, value in attributes.items():
        value = value.encode() if isinstance(value, str) else value
        name = name.replace('_', '-')
        lines += ['replace: ' + name, '%s:: %s' % (name, base64.b64encode(value).decode()), '-']
    done = subprocess.run(['ldapmodify', '-x', '-ZZ', '-H', 'ldap://dc1.gw.test', '-D', 'administrator@gw.test', '-w', 'Passw0rd.Adm1n'],
                          input='\n'.join(lines) + '\n', env={'LDAPTLS_CACERT': controller.ca, 'PATH': '/usr/bin:/bin'},
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# Over the wire pwdLastSet takes nothing but 0 and -1; the control is Samba's own (DSDB_CONTROL_PASSWORD_BYPASS_LAST_SET_OID)
SET_PASSWORD_TIME = """
import sys, ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
lp = LoadParm(sys.argv[1])
db = SamDB(url=lp.samdb_url(), session_info=system_session(), lp=lp)
message = ldb.Message(ldb.Dn(db, sys.argv[2]))
message['pwdLastSet'] = ldb.MessageElement(sys.argv[3], ldb.FLAG_MOD_REPLACE, 'pwdLastSet')
db.modify(message, controls=['local_oid:1.3.6.1.4.1.7165.4.3.20:0'])
"""


def filetime(seconds):
    """[MS-DTYP] §2.3.3: 100 ns since 1601; seconds from now."""
    return str((int(time.time()) + seconds + 11644473600) * 10**7)


def is_refused(answer, text=WRONG):
    return not isinstance(answer, dict) and 'wresult' not in answer.text and text in answer.text


def test_by_mail_address_where_an_account_searches(world, controller):
    change(controller, create(controller, 'mia'), mail='mia.other@mail.example')
    assert sign_in(world, 'urn:svc', 'mia.other@mail.example', 'Fresh.Pw1')['name'] == ['mia']
    assert is_refused(sign_in(world, 'urn:svc', 'mia.other@mail.example', 'wrong'))
    assert is_refused(sign_in(world, 'urn:svc', 'mia.*@mail.example', 'Fresh.Pw1'))
    # without one, Active Directory binds nobody by that name
    assert is_refused(sign_in(world, 'urn:corp', 'mia.other@mail.example', 'Fresh.Pw1'))
    assert sign_in(world, 'urn:corp', 'mia', 'Fresh.Pw1')['emailaddress'] == ['mia.other@mail.example']
    change(controller, create(controller, 'max'), mail='mia.other@mail.example')
    assert is_refused(sign_in(world, 'urn:svc', 'mia.other@mail.example', 'Fresh.Pw1'))  # of two


def test_the_immutable_id_is_the_consistency_guid_where_there_is_one(world, controller):
    dn = create(controller, 'guido')
    before = sign_in(world, 'urn:corp', 'guido', 'Fresh.Pw1')
    own = uuid.UUID(before['objectidentifier'][0])
    assert base64.b64decode(before['ImmutableID'][0]) == own.bytes_le
    anchor = uuid.uuid4().bytes
    change(controller, dn, mS_DS_ConsistencyGuid=anchor)
    after = sign_in(world, 'urn:corp', 'guido', 'Fresh.Pw1')
    assert base64.b64decode(after['ImmutableID'][0]) == anchor and after['objectidentifier'] == [str(own)]


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
@pytest.mark.parametrize('name,attributes', [
    ('hours', {'logonHours': bytes(21)}),  # 530
    ('stations', {'userWorkstations': 'ELSEWHERE'}),  # 531
])  # fmt: skip
def test_not_at_this_hour_and_not_from_here(world, controller, realm, name, attributes):
    name += realm[-4:].strip(':')
    dn = create(controller, name)
    assert sign_in(world, realm, name, 'Fresh.Pw1')['name'] == [name]
    change(controller, dn, **attributes)
    answer = sign_in(world, realm, name, 'Fresh.Pw1')
    assert is_refused(answer, 'may not sign in now, or not from here'), answer.text
    assert_reason(world, name, 'account_restricted')
    assert is_refused(sign_in(world, realm, name, 'wrong'))
    assert_reason(world, name, 'wrong_user_or_password')


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
def test_a_password_that_has_expired(world, controller, realm):
    name = 'aged' + realm[-4:].strip(':')
    dn = create(controller, name)
    conf = os.path.join(controller.folder, 'samba', 'smb.conf')
    controller.tool('domain', 'passwordsettings', 'set', '--max-pwd-age=30')
    try:
        assert sign_in(world, realm, name, 'Fresh.Pw1')['name'] == [name]
        done = subprocess.run([sys.executable, '-c', SET_PASSWORD_TIME, conf, dn, filetime(-31 * 86400)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert is_refused(sign_in(world, realm, name, 'Fresh.Pw1'), 'must be changed')
        assert_reason(world, name, 'password_must_change')
        assert is_refused(sign_in(world, realm, name, 'wrong'))
        assert_reason(world, name, 'wrong_user_or_password')
    finally:
        controller.tool('domain', 'passwordsettings', 'set', '--max-pwd-age=0')
    assert sign_in(world, realm, name, 'Fresh.Pw1')['name'] == [name]


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
def test_an_account_that_has_expired(world, controller, realm):
    name = 'over' + realm[-4:].strip(':')
    dn = create(controller, name)
    assert sign_in(world, realm, name, 'Fresh.Pw1')['name'] == [name]
    change(controller, dn, accountExpires=filetime(-60))
    assert is_refused(sign_in(world, realm, name, 'Fresh.Pw1'), 'expired')
    assert_reason(world, name, 'account_expired')
    assert is_refused(sign_in(world, realm, name, 'wrong'))


def guess(gateway, realm, names):
    """The reasons, in order."""
    for name in names:
        sign_in(gateway, realm, name, 'wrong')
    count = len(names)
    harness.wait_for(lambda: len(gateway.site.audit_now(event='signin_refused')) >= count, 5)
    return [line['reason'] for line in gateway.site.audit_now(event='signin_refused')][-count:]


@pytest.mark.parametrize('realm', ['urn:corp', 'urn:svc'])
@pytest.mark.parametrize('name', ['known', 'unknown'])
def test_all_forms_of_a_name_count_as_one(authority, controller, realm, name):
    name += realm[-4:].strip(':')
    if not name.startswith('un'):
        create(controller, name)
    found = sections(corp=directory(controller), svc=service(controller))
    found['lockout'] = {'account_failures': 3, 'first_wait': '1h', 'longest_wait': '1h'}
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        forms = [name, 'GW\\' + name, name + '@gw.test', 'gw.test\\' + name.upper(), name + '@GW.TEST', name]
        assert guess(gateway, realm, forms) == 4 * ['wrong_user_or_password'] + 2 * ['locked_out']
        assert is_refused(sign_in(gateway, realm, name, 'Fresh.Pw1'))
        assert sign_in(gateway, realm, 'zoe', PEOPLE['zoe'])['name'] == ['zoe']  # the control


def test_another_user_principal_name_counts_by_itself(authority, controller):
    """That it is of the same account would tell that there is one."""
    change(controller, create(controller, 'heidi'), userPrincipalName='heidi.other@gw.test')
    found = sections(svc=service(controller))
    found['lockout'] = {'account_failures': 3, 'first_wait': '1h', 'longest_wait': '1h'}
    with harness.Gateway(authority, partners=SITE, sections=found) as gateway:
        assert guess(gateway, 'urn:svc', 2 * ['heidi']) == 2 * ['wrong_user_or_password']
        assert guess(gateway, 'urn:svc', 2 * ['heidi.other@gw.test']) == 2 * ['wrong_user_or_password']
        # a success in any form of the name forgets what was counted for it
        assert sign_in(gateway, 'urn:svc', 'GW\\heidi', 'Fresh.Pw1')['name'] == ['heidi']
        assert guess(gateway, 'urn:svc', 4 * ['heidi'])[-3:] == 3 * ['wrong_user_or_password']


def test_one_that_cannot_say_whom_it_knows_ends_the_search(authority, controller):
    def ask(gateway, user, password):
        return gateway.soap(USERNAME['13'], rst(gateway.base_url, user, password, REALM)).status_code == 200

    def served(gateway):
        harness.wait_for(lambda: gateway.site.audit_now(event='signin'), 5)
        return gateway.site.audit_now(event='signin')[-1]['directory']

    with openldap.Slapd() as slapd:
        others = openldap.directory(slapd)
        # without an account that searches: the password of somebody else's account is not tried further on
        with harness.Gateway(authority, partners=SITE, sections=sections(corp=directory(controller), others=others)) as gateway:
            assert not ask(gateway, 'doe, jane', openldap.PEOPLE['doe, jane']) and slapd.binds('Doe') == 0
            assert ask(gateway, 'people.test\\alice', openldap.PEOPLE['alice']) and served(gateway) == 'others'
        with harness.Gateway(authority, partners=SITE, sections=sections(svc=service(controller), others=others)) as gateway:
            assert ask(gateway, 'doe, jane', openldap.PEOPLE['doe, jane']) and served(gateway) == 'others'
            assert ask(gateway, 'zoe', PEOPLE['zoe'])
        with harness.Gateway(authority, partners=SITE, sections=sections(others=others, corp=directory(controller))) as gateway:
            assert ask(gateway, 'zoe', PEOPLE['zoe']) and served(gateway) == 'corp'
            assert not ask(gateway, 'zoe', 'wrong')
