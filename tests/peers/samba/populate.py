#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# populate.py SMB_CONF KEYTAB SPNHOST[,SPNHOST...]  - fills the DC's database directly (one process: ~1.5 s)
import os
import sys

import ldb
from samba.param import LoadParm
from samba.auth import system_session
from samba.samdb import SamDB
from samba.credentials import Credentials
from samba.net import Net
from samba import dckeytab  # noqa: gives Net.export_keytab

conf, keytab, spnhosts = sys.argv[1], sys.argv[2], sys.argv[3].split(',')
lp = LoadParm()
lp.load(conf)
creds = Credentials()
creds.guess(lp)
creds.set_kerberos_state(1)  # DONT_USE_KERBEROS... only local ldb is used
s = SamDB(url=lp.samdb_url(), session_info=system_session(), credentials=creds, lp=lp)
base = str(s.domain_dn())


def mod(dn, **kv):
    m = ldb.Message(ldb.Dn(s, dn))
    for k, v in kv.items():
        k = k.replace('_', '-')
        m[k] = ldb.MessageElement(v, ldb.FLAG_MOD_REPLACE, k)
    s.modify(m)


# policy: no complexity, no history, no ages, lockout after 5
mod(
    base,
    pwdProperties='0',
    minPwdLength='4',
    pwdHistoryLength='0',
    minPwdAge='0',
    maxPwdAge='-9223372036854775808',
    lockoutThreshold='5',
    lockoutDuration='-200000000',
    lockOutObservationWindow='-200000000',
)
s.add({'dn': 'OU=People,' + base, 'objectClass': 'organizationalUnit'})
s.add({'dn': 'OU=Zażółć \\, ü,' + base, 'objectClass': 'organizationalUnit'})


def user(n, pw, gn, sn, ou='OU=People', **kw):
    s.newuser(
        n,
        pw,
        userou=ou,
        givenname=gn,
        surname=sn,
        mailaddress=n + '@gw.test',
        useusernameascn=None,
        setpassword=True,
        **kw,
    )


user('alice', 'Alice.Pw1', 'Alice', 'Ängström')
user('bob', 'Bob.Pw1', 'Bob', 'Builder')
user('carol', 'Carol.Pw1', 'Carol', 'Disabled')
user('dave', 'Dave.Pw1', 'Dave', 'Mustchange', force_password_change_at_next_login_req=True)
user('erin', 'Erin.Pw1', 'Erin', 'Expired')
user('frank', 'Frank.Pw1', 'Frank', 'Lockme')
user('o(d)d', 'Odd.Pw1', 'Odd', 'Chars')
user('zoe', 'Zoë.Pässw0rd', 'Zoë', 'Unicode', ou='OU=Zażółć \\, ü')
user('ldapreader', 'Reader.Pw1', 'Ldap', 'Reader', ou='CN=Users')
user('svc-gw', 'Svc.Pw1', 'Svc', 'Gateway', ou='CN=Users')
s.toggle_userAccountFlags('(sAMAccountName=carol)', 0x2, 'disabled', on=True)
s.setexpiry('(sAMAccountName=erin)', -86400, no_expiry_req=False)
for g in ('staff', 'engineers', 'gw-admins', 'outer'):
    s.newgroup(g)
add = lambda g, m: s.add_remove_group_members(g, m, add_members_operation=True)
add('engineers', ['alice'])
add('staff', ['engineers', 'bob'])  # nested: alice -> engineers -> staff -> outer
add('outer', ['staff'])
add('gw-admins', ['bob', 'zoe'])
svc = s.search(base, expression='(sAMAccountName=svc-gw)', attrs=['dn'])[0].dn
spns = [f'{p}/{h}' for h in spnhosts for p in ('HTTP', 'host')]
mod(str(svc), servicePrincipalName=spns, msDS_SupportedEncryptionTypes='24')
mod(
    f"CN=Alice Ängström,OU=People,{base}",
    description='first\nsecond <&> "q"',
    telephoneNumber='+1 555 0100',
    department='R&D',
)
# delegation: svc-gw may act for people towards HTTP/backend, whoever has proven to the gateway who they are (protocol transition,
# [MS-SFU]); HTTP/other is on the same account, but not allowed; grace is sensitive and cannot be delegated
domain = spnhosts[0].split('.', 1)[1]
backend = [f'HTTP/backend.{domain}', f'HTTP/other.{domain}']
user('svc-backend', 'Back.Pw1', 'Svc', 'Backend', ou='CN=Users')
user('grace', 'Grace.Pw1', 'Grace', 'Sensitive')
one = lambda name: str(s.search(base, expression=f'(sAMAccountName={name})', attrs=['dn'])[0].dn)
mod(one('svc-backend'), servicePrincipalName=backend, msDS_SupportedEncryptionTypes='24')
mod(str(svc), msDS_AllowedToDelegateTo=backend[:1])
s.toggle_userAccountFlags('(sAMAccountName=svc-gw)', 0x1000000, 'trusted to authenticate for delegation', on=True)
s.toggle_userAccountFlags('(sAMAccountName=grace)', 0x100000, 'not delegated', on=True)
net = Net(creds, lp)
folder = os.path.dirname(keytab)
net.export_keytab(keytab=f'{folder}/gateway.keytab', principal='svc-gw')
for principal in backend:
    net.export_keytab(keytab=f'{folder}/backend.keytab', principal=principal)
for h in spnhosts:
    for p in ('HTTP', 'host'):
        net.export_keytab(keytab=keytab, principal=f'{p}/{h}')
# what samba_spnupdate would add (it runs only with the dnsupdate service)
dc = s.search(
    base,
    expression='(&(objectClass=computer)(userAccountControl:1.2.840.113556.1.4.803:=8192))',
    attrs=['dNSHostName'],
)[0]
h = str(dc['dNSHostName'][0])
d = h.split('.', 1)[1]
m = ldb.Message(dc.dn)
m['servicePrincipalName'] = ldb.MessageElement(
    [f'ldap/{h}', f'ldap/{h}/{d}', f'GC/{h}/{d}', f'cifs/{h}'], ldb.FLAG_MOD_ADD, 'servicePrincipalName'
)
s.modify(m)
