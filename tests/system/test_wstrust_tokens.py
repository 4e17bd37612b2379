# SPDX-License-Identifier: GPL-2.0-or-later
"""Tokens at the active endpoints of the running gateway: for others, renewed, cancelled, validated, translated; and what a protected
location makes of them."""
import base64
import concurrent.futures
import re

import pytest

import harness
from messages import USERNAME
from protected import protecting
from trust import JWT, SAML11, SAML20, Program, Refused, applies_to, make, token_of, token_type, within

APP = applies_to('urn:app')
RULES = '[upn == "front@example.com"] && exists([subject_role == "Staff"]) => permit();\n'
USERS = {**harness.USERS, 'front': {'password': 'front-secret', 'groups': ['Services']}}
PARTNERS = {
    **harness.PARTNERS,
    'app': {'realm': ['urn:app'], 'claims': harness.CLAIMS, 'jwt': 'true', 'renew': '8h', 'delegation_rules': 'delegation.rules', 'encrypt': 'false',
            'key_types': ['bearer', 'symmetric', 'public']},
    'plain': {'realm': ['urn:plain'], 'claims': harness.CLAIMS},
}  # fmt: skip
LOCATIONS = 'large_client_header_buffers 4 32k; location /app/ { fedgate_protect CONF app; PROXY }'
FILES = {'delegation.rules': RULES, 'app.policy': '[role == "Staff"] => permit();\n'}
SECTIONS = {('protect', 'app'): {'accept': ['bearer'], 'audience': ['urn:app'], 'policy': 'app.policy'}}


def partners_of(authority):
    return {**PARTNERS, 'app': {**PARTNERS['app'], 'certificate': authority.issue('app', ['DNS:app.example.com']) + '.crt'}}


@pytest.fixture(scope='module')
def gateway(authority):
    with protecting(authority, LOCATIONS, users=USERS, partners=partners_of(authority), sections=SECTIONS, files=FILES) as gateway:
        yield gateway


@pytest.fixture
def alice(gateway):
    return Program(gateway, 'alice')


@pytest.fixture
def bob(gateway):
    return Program(gateway, 'bob')


@pytest.fixture
def front(gateway):
    return Program(gateway, 'front')


def refused(reason, request, *arguments):
    with pytest.raises(Refused) as caught:
        request(*arguments)
    assert str(caught.value) == reason


def enter(gateway, token):
    """The status at the protected location with an assertion, or with a JWT as it came in the answer."""
    if 'BinarySecurityToken' in token:
        text = base64.b64decode(token[token.index('>') + 1:token.rindex('<')]).decode()
    else:
        text = base64.b64encode(token.encode()).decode()
    return gateway.get('/app/', headers={'Authorization': 'Bearer ' + text}).status_code


@pytest.mark.parametrize('kind', [SAML11, SAML20, JWT])
def test_wt08_cancelled_token_opens_nothing_more(gateway, alice, bob, kind):
    token, other = alice.issue(APP + token_type(kind)), alice.issue(APP + token_type(kind))
    assert enter(gateway, token) == enter(gateway, token) == 200  # the second time from the cache
    assert bob.status(token) == 'valid'
    refused('wst_owner', bob.ask, 'Cancel', within('CancelTarget', token))
    assert enter(gateway, token) == 200
    alice.ask('Cancel', within('CancelTarget', token))
    assert enter(gateway, token) == 401 and enter(gateway, other) == 200
    assert bob.status(token) == 'token_cancelled' and bob.status(other) == 'valid'


def test_wt08_renewed_by_its_owner(gateway, alice, bob):
    token = alice.issue(APP + '<t:Renewing/>')
    refused('wst_owner', bob.ask, 'Renew', within('RenewTarget', token))
    renewed = token_of(alice.ask('Renew', within('RenewTarget', token)))
    assert renewed != token and bob.status(renewed) == 'valid' and enter(gateway, renewed) == 200
    refused('wst_renew', alice.ask, 'Renew', within('RenewTarget', alice.issue(APP)))


def test_wt02_for_others(gateway, alice, bob, front):
    token = alice.issue(applies_to('urn:plain'))
    issued = front.issue(APP + token_type(SAML20) + within('OnBehalfOf', token))
    assert 'alice@example.com' in issued and 'front@' not in issued and enter(gateway, issued) == 200
    acted = front.issue(APP + token_type(SAML20) + within('ActAs', token))
    assert 'alice@example.com' in acted and 'front' in acted
    for element in ('OnBehalfOf', 'ActAs'):
        refused('denied', bob.ask, 'Issue', APP + within(element, token))
        refused('denied', front.ask, 'Issue', applies_to('urn:plain') + within(element, token))
        refused('denied', front.ask, 'Issue', APP + within(element, front.issue(APP)))
        refused('signature_invalid', front.ask, 'Issue', APP + within(element, token.replace('alice@', 'alicf@')))
    line = gateway.site.audit(event='issued', actor='front')[-1]
    assert line['user'] == 'alice' and line['partner'] == 'app' and line['key_type'] == 'bearer'


def test_translated(bob, alice, front):
    token = alice.issue(applies_to('urn:plain') + token_type(SAML11))
    for kind in (SAML20, JWT):
        answer = front.ask('Validate', APP + token_type(kind) + within('ValidateTarget', token))
        assert '/status/valid' in answer and token_of(answer) != token
        refused('denied', bob.ask, 'Validate', APP + token_type(kind) + within('ValidateTarget', token))


def test_wt06_proof_key_is_for_the_relying_party(gateway, alice):
    answer = alice.ask('Issue', APP + '<t:KeyType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/SymmetricKey</t:KeyType>')
    assert 'BinarySecret' in answer and 'EncryptedKey' in token_of(answer) and 'holder-of-key' in token_of(answer)
    assert enter(gateway, token_of(answer)) == 401  # a bearer of it is nobody (SA-09)
    refused('wst_key', alice.ask, 'Issue', APP + '<t:KeyType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/SymmetricKey</t:KeyType><t:KeySize>64</t:KeySize>')
    refused('wst_key_type', alice.ask, 'Issue', applies_to('urn:plain') + '<t:KeyType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/SymmetricKey</t:KeyType>')


# ---- what is written down, and what goes on meanwhile

SYMMETRIC = '<t:KeyType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/SymmetricKey</t:KeyType>'
ENTROPY = '<t:Entropy><t:BinarySecret>%s</t:BinarySecret></t:Entropy>'


def secrets_of(text):
    """What an answer, or a request, holds that is nobody else's business."""
    return re.findall(r'(?:BinarySecret|SignatureValue|CipherValue|BinarySecurityToken)\b[^>]*>([^<]{20,})<', text)


def test_no_secret_is_logged(authority, monkeypatch):
    """Not even with the most that the error log can hold."""
    monkeypatch.setenv('FEDGATE_LOG', 'debug')
    users = {**USERS, 'dora': {'password': 'dora-secret', 'digest': True}}
    with protecting(authority, LOCATIONS, users=users, partners=partners_of(authority), sections=SECTIONS, files=FILES) as gateway:
        alice, front = Program(gateway, 'alice'), Program(gateway, 'front')
        share = base64.b64encode(bytes(range(32))).decode()
        answers = [alice.ask('Issue', APP + SYMMETRIC), alice.ask('Issue', APP + SYMMETRIC + ENTROPY % share), alice.ask('Issue', APP + token_type(JWT))]
        token = alice.issue(APP + token_type(SAML20) + '<t:Renewing/>')
        answers += [front.ask('Issue', APP + within('ActAs', token)), alice.ask('Renew', within('RenewTarget', token)), token]
        refused('signature_invalid', front.ask, 'Issue', APP + within('ActAs', token.replace('alice@', 'alicf@')))
        assert alice.status(token[:-20].replace('urn:app', 'urn:apq') + token[-20:]) != 'valid'
        alice.ask('Cancel', within('CancelTarget', token))
        refused('wrong_user_or_password', Program(gateway, 'alice', 'mistyped-secret').ask, 'Issue', APP)
        good = make('Issue', APP, 'dora', 'dora-secret', digested=True)
        assert gateway.soap(USERNAME['13'], good).status_code == 200
        words = ['-secret', share, re.search('PasswordDigest">([^<]*)<', good).group(1)]
        words += [secret for answer in answers for secret in secrets_of(answer)]
        assert len(words) > 12
        assert gateway.site.audit(event='cancelled') and gateway.site.audit(event='delegated')
        with open(gateway.site.audit_log) as file:
            written = gateway.nginx.log() + file.read()
        assert '[debug]' in written and '"alice"' in written
        assert [word for word in words if word in written] == []


def test_reload_under_token_load(gateway, alice, front):
    """Delegation, renewal and cancelling go on over reloads: what was issued before one is the owner's after it."""
    token = alice.issue(APP + token_type(SAML20) + '<t:Renewing/>')
    going = True

    def browser_post(path, data, **options):
        with gateway.browser() as browser:
            return browser.post(gateway.url(path), data=data, timeout=60, **options)

    def work(number):
        done = 0
        while going or done == 0:
            who = Program(gateway, 'alice')
            who.post = browser_post  # after a reload an old worker may hold the session's connection
            own = who.issue(APP + '<t:Renewing/>')
            renewed = token_of(who.ask('Renew', within('RenewTarget', own)))
            who.ask('Cancel', within('CancelTarget', own))
            assert who.status(own) == 'token_cancelled' and who.status(renewed) == 'valid', number
            done += 1
        return done

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work, number) for number in range(3)]
        try:
            for _ in range(4):
                assert gateway.nginx.reload()
        finally:
            going = False
        assert sum(worker.result(120) for worker in workers) >= 3
    assert front.issue(APP + within('ActAs', token_of(alice.ask('Renew', within('RenewTarget', token)))))


def id_of(token):
    return re.search(r'\bID="([^"]*)"', token).group(1)


def fields(line, *names):
    return {name: line.get(name) for name in names}


def test_each_request_is_written_down(gateway, alice, bob, front):
    """Who, for whom, to whom, and why not."""
    token = alice.issue(APP + token_type(SAML20) + '<t:Renewing/>')
    own, audit = id_of(token), gateway.site.audit
    for issued, request, actor in (
        (token, 'issue', None),
        (token_of(alice.ask('Renew', within('RenewTarget', token))), 'renew', None),
        (front.issue(APP + token_type(SAML20) + within('ActAs', token)), 'issue', 'front'),
        (token_of(front.ask('Validate', APP + token_type(SAML20) + within('ValidateTarget', token))), 'validate', 'front'),
    ):
        (line,) = audit(event='issued', token_id=id_of(issued))
        assert fields(line, 'user', 'actor', 'partner', 'audience', 'protocol', 'request') == {
            'user': 'alice', 'actor': actor, 'partner': 'app', 'audience': 'urn:app', 'protocol': 'wstrust13', 'request': request}  # fmt: skip
        if actor:
            (line,) = audit(event='delegated', id=line['id'])
            assert (line['user'], line['actor'], line['partner'], line['audience']) == ('alice', 'front', 'app', 'urn:app')
            assert line['delegation'] == ('actas' if request == 'issue' else 'onbehalfof')
    assert bob.status(token) == 'valid'
    alice.ask('Cancel', within('CancelTarget', token))
    assert bob.status(token) == 'token_cancelled'
    (line,) = audit(event='cancelled', token_id=own)
    assert line['user'] == 'alice' and line['audience'] == 'urn:app'
    (line,) = audit(event='validated', token_id=own, reason='token_cancelled')
    assert line['actor'] == 'bob' and 'user' not in line and own in line['detail']
    good = [line for line in audit(event='validated', token_id=own, actor='bob') if 'reason' not in line]
    assert [line['user'] for line in good] == ['alice']
    refused('denied', bob.ask, 'Issue', APP + within('OnBehalfOf', alice.issue(APP)))
    line = audit(event='refused', reason='denied', user='bob')[-1]
    assert line['request'] == 'issue' and line['partner'] == 'app' and line['applies_to'] == 'urn:app' and 'alice' in line['detail']
