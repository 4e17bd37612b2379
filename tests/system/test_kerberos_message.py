# SPDX-License-Identifier: GPL-2.0-or-later
"""WS-Trust by a ticket of Kerberos in the message (kerberosmixed), by WSS4J and by xmlsec; attacks on tickets at every door that takes them."""
import os
import re
import time

import pytest
from lxml import etree

import harness
import peers
from kerberos import PASSWORDS, gateway, header
from kerberos_message import binary, by_digest, by_reference, derive, message, ticket, timestamp
from messages import MEX, USERNAME
from test_kerberos import NTLM
from test_kerberos_trust import PARTNERS, REALM, SOAP, assertion
from test_kerberos_trust import path as windows_path
from wss4j import Wss4j, rst

both_versions = pytest.mark.parametrize('trust', ['13', '2005'])


@pytest.fixture(scope='module')
def site(authority, domain):
    with gateway(authority, domain, partners=PARTNERS) as gw:
        yield gw


@pytest.fixture
def alice(domain):
    return domain.kinit('alice')


@pytest.fixture(scope='module')
def java(tmp_path_factory):
    one = Wss4j(tmp_path_factory.mktemp('wss4j'))
    yield one
    one.stop()


def path(trust='13'):
    return '/adfs/services/trust/%s/kerberosmixed' % trust


def post(site, text, where=None, **headers):
    return site.browser().post(site.url(where or path()), data=text, headers={'Content-Type': SOAP, **headers}, timeout=30)


def made(site, value, key, trust='13', **how):
    tokens = how.pop('tokens', None) or [binary(value)]
    return message(site.base_url + path(trust), REALM, tokens, key, trust, **how)


def is_taken(answer):
    assert answer.status_code == 200, answer.text
    return assertion(answer.text)


def is_refused(site, answer, reason, event='refused', word='reason'):
    assert answer.status_code == 500 and 'Fault' in answer.text and 'Assertion' not in answer.text, answer.text
    reference = re.search(r'\(reference ([^)]*)\)', answer.text).group(1)
    line = site.site.audit(id=reference, event=event)[-1]
    assert line[word] == reason, line


# ---- what is taken

@both_versions
@pytest.mark.parametrize('how', ['To', 'To;keyid=sha1', 'To;sig=hmac-sha256;digest=sha256', 'To,Body'])
def test_wss4j_gets_a_token_that_is_good(site, domain, java, alice, trust, how, tmp_path):
    step = 'krb:service=HTTP@localhost;cache=%s;conf=%s;parts=Timestamp,%s' % (alice.replace('FILE:', ''), os.environ['KRB5_CONFIG'], how)
    found = is_taken(post(site, java.make(rst(site.base_url + path(trust), REALM, trust), 'ts:ttl=300', step), path(trust)))
    assert 'alice@gw.test' in [value.text for value in etree.fromstring(found).iter('{*}AttributeValue')]
    assert 'urn:federation:authentication:windows' in found
    (tmp_path / 'token.xml').write_text(found)
    certificate = peers.signing_certificate(site, tmp_path / 'signing.pem')
    told = harness.run(harness.COMMAND, 'token', 'verify', str(tmp_path / 'token.xml'), '--trust', certificate, '--audience', REALM)
    assert told.returncode == 0, told.stdout + told.stderr
    assert site.site.audit(event='signin', user='alice@GW.TEST') and site.site.audit(event='issued', partner='site', user='alice')


@both_versions
@pytest.mark.parametrize('suite', ['sha1', 'sha256'])
def test_mit_kerberos_and_xmlsec(site, alice, trust, suite):
    value, key = ticket()
    is_taken(post(site, made(site, value, key, trust, suite=suite), path(trust)))
    value, key = ticket()
    is_taken(post(site, made(site, value, key, trust, suite=suite, names=by_digest(value)), path(trust)))
    value, key = ticket('host@localhost')  # what clients of AD FS ask for
    is_taken(post(site, made(site, value, key, trust, suite=suite), path(trust)))


def test_a_derived_key(site, alice):
    """As WCF signs by default."""
    value, key = ticket()
    element, derived = derive(key)
    names = by_reference('derived', 'http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512/dk')
    is_taken(post(site, made(site, value, derived, tokens=[binary(value), element], names=names)))
    value, key = ticket()
    element, derived = derive(key)
    text = made(site, value, key, tokens=[binary(value), element], names=names)  # the control: not with the key that is derived
    is_refused(site, post(site, text), 'signature_invalid')


def test_metadata_tells_of_it(site, authority):
    root = etree.fromstring(site.get(MEX).content)
    addresses = [port.text for port in root.iterfind('.//{*}port/{*}EndpointReference/{*}Address')]
    assert all(site.base_url + path(trust) in addresses for trust in ('13', '2005'))
    assert len(root.findall('.//{*}EndorsingSupportingTokens/{*}Policy/{*}KerberosToken/{*}Policy/{*}WssGssKerberosV5ApReqToken11')) == 2
    with harness.Gateway(authority, partners=PARTNERS) as without:
        assert 'kerberosmixed' not in without.get(MEX).text
        assert post(without, b'').status_code == 404


# ---- what is not believed

def test_windowstransport_asks_before_it_reads(site, alice):
    """Clients send an empty message until they are asked."""
    answer = post(site, b'', windows_path('13'))
    assert answer.status_code == 401 and answer.headers['WWW-Authenticate'] == 'Negotiate'
    assert post(site, b'', windows_path('13'), **header(ticket()[0])).status_code == 500  # with a ticket it is no message


def test_who_only_shows_a_ticket_is_nobody(site, alice):
    """Whoever copied it does not know its key."""
    value, key = ticket()
    is_refused(site, post(site, made(site, value, None)), 'signature_missing')
    value, key = ticket()
    is_refused(site, post(site, made(site, value, bytes(len(key)))), 'signature_invalid')
    value, key = ticket()
    is_refused(site, post(site, made(site, value, ticket()[1])), 'signature_invalid')  # the key of another
    value, key = ticket()
    is_refused(site, post(site, made(site, value, key, covered=['to'])), 'wss_timestamp')
    value, key = ticket()
    is_refused(site, post(site, made(site, value, key, covered=['time'])), 'signature_missing')  # XS-28: where it goes
    value, key = ticket()
    is_refused(site, post(site, made(site, value, key, covered=['to'], time='')), 'wss_timestamp')
    value, key = ticket()
    text = made(site, value, key)
    changed = re.sub(rb'(<u:Created>\d{4})', lambda found: found.group(1)[:-1] + b'9', text)
    assert changed != text
    assert post(site, changed).status_code == 500
    value, key = ticket()
    is_refused(site, post(site, made(site, value, key, time=timestamp(-3600))), 'wss_expired')
    value, key = ticket()
    is_taken(post(site, made(site, value, key)))  # the control


def test_nobody_is_signed_in_by_a_message_that_is_refused(site, alice):
    value, key = ticket()
    before = len(site.site.audit_now(event='signin'))
    is_refused(site, post(site, made(site, value, bytes(len(key)))), 'signature_invalid')
    assert len(site.site.audit_now(event='signin')) == before
    value, key = ticket()
    is_taken(post(site, made(site, value, key)))
    harness.wait_for(lambda: len(site.site.audit_now(event='signin')) == before + 1, 5)


def test_names_that_lead_elsewhere(site, alice):
    value, key = ticket()
    is_refused(site, post(site, made(site, value, key, names=by_digest(b'another'))), 'signature_key')
    value, key = ticket()
    is_refused(site, post(site, made(site, value, key, names=by_reference('other'))), 'signature_key')
    value, key = ticket()
    second = ticket()[0]
    is_refused(site, post(site, made(site, value, key, tokens=[binary(value), binary(second, 'second')])), 'wss_structure')
    value, key = ticket()
    is_taken(post(site, made(site, value, key)))


def test_what_is_not_for_this_endpoint(site, alice):
    """A password where a ticket belongs, a ticket where a password does: it is not even opened there."""
    value, key = ticket()
    password = '<o:UsernameToken><o:Username>alice</o:Username><o:Password>alice-secret</o:Password></o:UsernameToken>'
    is_refused(site, post(site, made(site, value, key, tokens=[binary(value), password])), 'wss_unsupported')
    is_refused(site, post(site, made(site, value, None, tokens=[password])), 'not_signed_in')
    value, key = ticket()
    elsewhere = message(site.base_url + USERNAME['13'], REALM, [binary(value), password], key)
    is_refused(site, post(site, elsewhere, USERNAME['13']), 'wss_unsupported')
    is_taken(post(site, made(site, value, key)))  # the very ticket
    value, key = ticket()
    answer = post(site, message(site.base_url + windows_path('13'), REALM, [binary(value)], key), windows_path('13'))
    assert answer.status_code == 401 and 'Assertion' not in answer.text


def test_kinds_of_tokens(site, alice):
    value, key = ticket()
    unwrapped = made(site, value, key, tokens=[binary(value).replace('GSS_Kerberosv5', 'Kerberosv5')])
    is_refused(site, post(site, unwrapped), 'wss_unsupported')
    value, key = ticket()
    is_taken(post(site, made(site, value, key, tokens=[binary(value).replace('AP_REQ', 'AP_REQ4120')])))


# ---- attacks, at every door that takes tickets

def at_location(site, value, key):
    return site.browser().get(site.url('/app/x'), headers=header(value), timeout=30)


def at_windowstransport(site, value, key):
    text = rst(site.base_url + windows_path('13'), REALM)
    return post(site, text.encode(), windows_path('13'), **header(value))


def at_kerberosmixed(site, value, key):
    return post(site, made(site, value, key))


every_door = pytest.mark.parametrize('door', [at_location, at_windowstransport, at_kerberosmixed])


def turned_away(site, door, value, key, code):
    """Refused, with that code in the line that tells of the sign-in."""
    before = len(site.site.audit_now(event='signin_refused', code=code))
    answer = door(site, value, key)
    assert answer.status_code == (500 if door is at_kerberosmixed else 401), answer.text
    assert 'Assertion' not in answer.text
    try:
        harness.wait_for(lambda: len(site.site.audit_now(event='signin_refused', code=code)) > before, 5)
    except AssertionError as error:
        raise AssertionError(site.site.audit_now()[-2:]) from error
    return answer


def let_in(site, door):
    answer = door(site, *ticket())
    assert answer.status_code == 200, answer.text


@every_door
def test_kl_01_ntlm(site, alice, door):
    turned_away(site, door, NTLM, bytes(16), 'kerberos.ntlm')
    let_in(site, door)


@every_door
def test_kl_02_replay(site, alice, door):
    value, key = ticket()
    assert door(site, value, key).status_code == 200
    turned_away(site, door, value, key, 'kerberos.replay')
    let_in(site, door)


def test_kl_02_replay_from_door_to_door(site, alice):
    doors = [at_location, at_windowstransport, at_kerberosmixed]
    for first in doors:
        value, key = ticket()
        assert first(site, value, key).status_code == 200
        for second in doors:
            turned_away(site, second, value, key, 'kerberos.replay')


@every_door
def test_kl_02_wrong_service(site, alice, door):
    turned_away(site, door, *ticket('ldap@dc1.gw.test'), 'kerberos.unknown-service')
    let_in(site, door)


def test_kl_02_a_ticket_for_the_host_is_none_for_http(authority, domain):
    """RFC 4559 §4.1: the host's key, of another account, opens it, and messages may come with either."""
    both = os.path.join(domain.folder, 'both.keytab')
    domain.tool('user', 'create', 'svc-host', 'Host.Pw1.long')
    domain.tool('spn', 'add', 'host/machine.gw.test', 'svc-host')
    for service in ('HTTP/localhost', 'host/machine.gw.test'):
        domain.tool('domain', 'exportkeytab', both, '--principal=' + service)
    domain.kinit('alice')
    with gateway(authority, domain, keytab=both, partners=PARTNERS) as gw:
        for door in (at_location, at_windowstransport):
            turned_away(gw, door, *ticket('host@machine.gw.test'), 'kerberos.unknown-service')
            let_in(gw, door)
        answer = at_kerberosmixed(gw, *ticket('host@machine.gw.test'))
        assert answer.status_code == 200, answer.text


@every_door
def test_kl_04_size(site, alice, door):
    value, key = ticket()
    turned_away(site, door, value + b'x' * 3000, key, 'kerberos.token')
    huge = ticket()[0] + b'x' * (64 << 10)
    assert door(site, huge, key).status_code in ((500,) if door is at_kerberosmixed else (400, 414, 431, 494))
    let_in(site, door)


@every_door
def test_kl_05_a_computer_is_no_person(site, domain, door):
    if 'pc1$' not in PASSWORDS:
        PASSWORDS['pc1$'] = 'Pc1.Pw1.long'
        domain.tool('computer', 'create', 'pc1')
        domain.tool('user', 'setpassword', 'pc1$', '--newpassword=' + PASSWORDS['pc1$'])
    domain.kinit('pc1$')
    turned_away(site, door, *ticket(), 'kerberos.principal')
    domain.kinit('alice')
    let_in(site, door)


@every_door
def test_kl_05_a_name_with_brackets_is_a_name_like_any_other(site, domain, door):
    domain.kinit('o(d)d')
    turned_away(site, door, *ticket(), 'password.wrong')  # there is no such account here
    domain.kinit('alice')
    let_in(site, door)


@every_door
def test_kl_05_a_name_of_two_parts_is_no_person(site, domain, door):
    if 'part/two' not in PASSWORDS:
        PASSWORDS['part/two'] = 'Two.Pw1.long'
        domain.tool('user', 'create', 'parttwo', PASSWORDS['part/two'])
        domain.tool('user', 'rename', 'parttwo', '--upn=part/two@gw.test')
    domain.kinit('part/two')
    turned_away(site, door, *ticket(), 'kerberos.principal')
    domain.kinit('alice')
    let_in(site, door)


def test_an_expired_ticket(authority, domain, monkeypatch):
    with open(os.environ['KRB5_CONFIG']) as file:
        text = file.read().replace('[libdefaults]', '[libdefaults]\n clockskew = 1', 1)
    strict = domain.folder + '/strict.conf'
    with open(strict, 'w') as file:
        file.write(text)
    client = os.environ['KRB5_CONFIG']
    monkeypatch.setenv('KRB5_CONFIG', strict)
    with gateway(authority, domain, partners=PARTNERS) as gw:
        monkeypatch.setenv('KRB5_CONFIG', client)
        domain.kinit('alice')
        late = [(door, ticket(lifetime=4)) for door in (at_location, at_windowstransport, at_kerberosmixed)]
        time.sleep(6.5)
        for door, (value, key) in late:
            turned_away(gw, door, value, key, 'kerberos.ticket-expired')
        domain.kinit('alice')
        for door, _ in late:
            let_in(gw, door)
