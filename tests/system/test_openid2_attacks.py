# SPDX-License-Identifier: GPL-2.0-or-later
"""What attackers send to the OpenID 2.0 relying party; each refusal has the sound message beside it."""
import time

import pytest

import harness
from openid2_forge import ASSERTED, NS, P, Forge, btwoc, encode, key_values, sign, xrds
from test_openid import choose, submit


NUMBERS = {'zero': 0, 'one': 1, 'last': P - 1, 'modulus': P, 'beyond': P + 2}
OPTIONS = {'plain': {'openid2_stateless': 'true'}, 'lax': {'allow_sha1': 'true'}}


@pytest.fixture(scope='module')
def site(authority):
    forges = {name: Forge(name, authority) for name in ('good', 'other', 'plain', 'strict', 'lax', 'elsewhere', *NUMBERS)}
    known = [forge for name, forge in forges.items() if name != 'elsewhere']
    viewer = {**harness.PARTNERS['viewer'], 'claims': ['nameidentifier', 'emailaddress']}
    with harness.Gateway(authority, partners={**harness.PARTNERS, 'viewer': viewer},
                         sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'},
                                   'fetch': {'allow': [forge.origin for forge in known], 'ca': authority.ca},
                                   **{('identity_provider', forge.name): forge.section(**OPTIONS.get(forge.name, {})) for forge in known}}) as gateway:  # fmt: skip
        gateway.forges = forges
        gateway.good, gateway.other, gateway.plain, gateway.elsewhere = [forges[name] for name in ('good', 'other', 'plain', 'elsewhere')]
        yield gateway
        for forge in forges.values():
            forge.stop()


@pytest.fixture(autouse=True)
def sound(site):
    yield
    for forge in site.forges.values():
        forge.reset()


def enter(site, forge, session=None):
    """A fresh browser signs in there for the claims viewer; its last page."""
    session = session or site.browser()
    page = session.get(site.base_url + '/demo/', timeout=30)
    if 'name="whr"' in page.text:
        page = choose(session, page, forge.name)
    return submit(session, page) if 'wresult' in page.text else page


def accepted(site, forge, text='eve@forge.test'):
    page = enter(site, forge)
    said = site.site.audit_now(event='refused')[-1:]
    assert page.status_code == 200 and forge.origin + '/id/eve' in page.text, said
    assert (text in page.text) if text else ('eve@forge.test' not in page.text)


def refused(site, forge, reason='openid2_answer'):
    page = enter(site, forge)
    said = site.site.audit(event='refused')[-1:]
    assert page.status_code in (400, 403, 502) and reason in page.text, said


def test_the_sound_answer_passes(site):
    for forge in (site.good, site.plain):
        accepted(site, forge)
    assert 'check_authentication' not in site.good.modes and 'check_authentication' in site.plain.modes


def test_return_to_is_this_very_address_o2_01(site):
    for url in (site.base_url + '/adfs/openid2/return', site.base_url + '/adfs/openid2/return?state=x&round=y', 'https://evil.example.com/'):
        site.good.change = lambda fields: fields.update(return_to=url)
        refused(site, site.good)
    site.good.reset()
    site.good.location = lambda url: url + '&extra=1'
    refused(site, site.good)
    site.good.location = lambda url: url.replace('state=', 'state=0', 1)
    refused(site, site.good, 'form_not_from_here')
    site.good.reset()
    earlier = []
    site.good.location = lambda url: earlier.append(url) or url
    accepted(site, site.good)
    again = site.browser().get(earlier[0], timeout=30)
    assert again.status_code == 403 and 'form_not_from_here' in again.text  # another browser
    session = site.browser()
    enter(site, site.good, session)
    again = session.get(earlier[1], timeout=30)
    assert again.status_code in (400, 403), again.text  # the same again
    accepted(site, site.good)


def test_a_nonce_is_new_and_taken_once_o2_02(site):
    def nonce(seconds, tail='x'):
        return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + seconds)) + tail

    for bad in (nonce(-3600), nonce(3600), 'x' + nonce(0), nonce(0)[:19], '2026-13-01T00:00:00Zx', nonce(0, 'x' * 300)):
        site.good.change = lambda fields: fields.update(response_nonce=bad)
        refused(site, site.good)
    same = nonce(-60, 'once')
    for forge in (site.good, site.other):  # per provider
        forge.change = lambda fields: fields.update(response_nonce=same)
        accepted(site, forge)
    refused(site, site.good, 'replay')


@pytest.mark.parametrize('name', ASSERTED)
def test_what_must_be_signed_o2_03(site, name):
    site.good.signed = [one for one in ASSERTED if one != name] + ['ns.sreg', 'sreg.email']
    refused(site, site.good)


def test_what_is_not_signed_is_not_read_o2_03(site):
    site.good.signed = ASSERTED
    accepted(site, site.good, None)
    site.good.signed = [*ASSERTED, 'sreg.email']  # whose field it is is not signed
    accepted(site, site.good, None)
    site.good.reset()
    site.good.after = lambda fields: fields.update({'ns.ax': 'http://openid.net/srv/ax/1.0', 'ax.mode': 'fetch_response',
                                                    'ax.type.e': 'http://axschema.org/contact/email', 'ax.value.e': 'root@forge.test'})  # fmt: skip
    page = enter(site, site.good)
    assert 'eve@forge.test' in page.text and 'root@forge.test' not in page.text
    site.good.reset()
    site.good.after = lambda fields: fields.update({'sreg.email': 'root@forge.test'})
    refused(site, site.good)


def test_the_identifier_names_its_provider_o2_04(site):
    victim = site.other.origin + '/id/victim'
    for forge in (site.good, site.plain):
        forge.change = lambda fields: fields.update(claimed_id=victim, identity=victim)
        refused(site, forge, 'openid2_discovery')
        forge.change = lambda fields: fields.update(claimed_id=victim)
        refused(site, forge, 'openid2_discovery')
        forge.change = lambda fields: fields.update(identity=forge.origin + '/id/else')
        refused(site, forge, 'openid2_discovery')
        forge.change = lambda fields: fields.update(op_endpoint=site.other.endpoint)
        refused(site, forge)
    site.good.reset()
    site.good.pages['/id/eve'] = (200, {'Content-Type': 'application/xrds+xml'}, xrds(site.good.endpoint + '?x', [NS + '/signon']))
    refused(site, site.good, 'openid2_discovery')
    site.good.pages['/id/eve'] = (200, {'Content-Type': 'application/xrds+xml'}, xrds(site.good.endpoint, [NS + '/signon'], 'urn:other'))
    refused(site, site.good, 'openid2_discovery')
    site.good.pages.clear()
    # delegation that the identifier itself asks for
    site.other.pages['/id/eve'] = (200, {'Content-Type': 'application/xrds+xml'}, xrds(site.good.endpoint, [NS + '/signon'], 'urn:local'))
    site.good.change = lambda fields: fields.update(claimed_id=site.other.origin + '/id/eve', identity='urn:local')
    page = enter(site, site.good)
    assert page.status_code == 200 and site.other.origin + '/id/eve' in page.text, page.text


def test_a_handle_counts_for_its_provider_alone_o2_05(site):
    accepted(site, site.good)
    accepted(site, site.other)
    foreign = next(reversed(site.other.secrets))
    site.good.change = lambda fields: fields.update(assoc_handle=foreign)
    site.good.secrets.pop(foreign, None)
    secret = site.other.secrets[foreign]
    site.good.after = lambda fields: fields.update(sig=sign(fields, secret, fields['signed'].split(',')))
    refused(site, site.good)
    assert 'check_authentication' in site.good.modes  # whose it is was asked there


def test_who_confirms_and_who_forgets_o2_06(site):
    yes = key_values({'ns': NS, 'is_valid': 'true'})
    site.plain.confirm = (200, {}, key_values({'ns': NS, 'is_valid': 'false'}))
    refused(site, site.plain)
    site.plain.confirm = (302, {'Location': site.other.origin + '/yes'}, yes)
    site.other.pages['/yes'] = (200, {}, yes)
    refused(site, site.plain, 'fetch_failed')
    site.plain.confirm = (200, {}, b'is_valid:true\nis_valid:false\n')
    refused(site, site.plain)
    site.plain.confirm = None
    site.plain.after = lambda fields: fields.update({'sreg.email': 'root@forge.test'})
    refused(site, site.plain)
    accepted(site, site.good)
    # a handle is not forgotten because somebody writes so into an answer
    site.good.after = lambda fields: fields.update(invalidate_handle=fields['assoc_handle'])
    accepted(site, site.good)
    accepted(site, site.good)
    assert 'associate' not in site.good.modes and 'check_authentication' not in site.good.modes
    # the provider itself may say so
    site.good.change = lambda fields: fields.update(assoc_handle='private', invalidate_handle=fields['assoc_handle'])
    site.good.secrets['private'] = b'p' * 32
    handles = []
    site.good.after = lambda fields: handles.append(fields['invalidate_handle'])
    sound_check = site.good.check

    def check(asked):
        status, headers, body = sound_check(asked)
        return status, headers, body + ('invalidate_handle:%s\n' % handles[-1]).encode()

    site.good.check = check
    try:
        accepted(site, site.good)
    finally:
        del site.good.check
    site.good.reset()
    accepted(site, site.good)
    assert 'associate' in site.good.modes


@pytest.mark.parametrize('name', NUMBERS)
def test_a_secret_that_everybody_knows_o2_07(site, name):
    """A forger between the two answers for the provider; what was meant to be secret is then not used."""
    forge = site.forges[name]

    def number(asked, fields, secret):
        return 200, {**fields, 'dh_server_public': encode(btwoc(NUMBERS[name]))}

    def clear(asked, fields, secret):
        return 200, {**fields, 'session_type': 'no-encryption', 'mac_key': encode(secret)}

    def short(asked, fields, secret):
        return 200, {**fields, 'enc_mac_key': fields['enc_mac_key'][:8]}

    for forged in (number, clear, short):
        forge.reset()
        forge.associate = forged
        accepted(site, forge)
        assert forge.modes.count('associate') == 1 and 'check_authentication' in forge.modes, forge.modes
    forge.reset()
    accepted(site, forge)
    assert 'check_authentication' not in forge.modes, forge.modes


def entity(text):
    return b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + text.replace(b'<Service>', b'<Service><!-- --><Type>&b;</Type>')


def test_documents_that_do_harm_o2_09(site):
    document = xrds(site.good.endpoint, [NS + '/server'])
    html = b'<html><head><link rel="openid2.provider" href="%s"></head></html>' % site.good.endpoint.encode()
    accepted(site, site.good)
    for body in (entity(document), b'<xrds:XRDS xmlns:xrds="xri://$xrds">' * 5000, document[:-5], b'\xff' + document):
        site.good.pages['/'] = (200, {'Content-Type': 'application/xrds+xml'}, body)
        refused(site, site.good, 'openid2_discovery')
    site.good.pages['/'] = (200, {'Content-Type': 'text/html', 'X-XRDS-Location': site.good.origin + '/'}, b'<html>')  # itself
    refused(site, site.good, 'openid2_discovery')
    site.good.pages['/'] = (200, {'Content-Type': 'text/html'}, b'<html><head><script>' + b'<' * (200 << 10))
    refused(site, site.good, 'openid2_discovery')
    site.good.pages['/'] = (200, {'Content-Type': 'text/html'}, b'<html><head><link \0 rel\0=\0 \0="\0')
    refused(site, site.good, 'openid2_discovery')
    site.good.pages['/'] = (200, {'Content-Type': 'text/html'}, b'<html><head></head><body>' + html)  # a comment on a blog
    refused(site, site.good, 'openid2_discovery')
    site.good.pages['/id/eve'] = (200, {'Content-Type': 'text/html'}, html)
    del site.good.pages['/']
    accepted(site, site.good)
    site.other.pages['/'] = (200, {'Content-Type': 'text/html'}, b'<p>' * (1 << 20) + html)
    refused(site, site.other, 'fetch_failed')


def test_where_the_gateway_goes_o2_10(site):
    place = site.elsewhere.origin + '/id/eve'  # not in allow
    site.good.change = lambda fields: fields.update(claimed_id=place, identity=place)
    refused(site, site.good, 'fetch_refused')
    assert site.elsewhere.modes == []
    targets = (place, 'http://169.254.169.254/latest', 'file:///etc/passwd', site.good.origin + '/id/3')
    for i, target in enumerate(targets):  # what failed is not asked for again for a while: another address each
        own = '/id/%d' % i
        site.good.change = lambda fields: fields.update(claimed_id=site.good.origin + own, identity=site.good.origin + own)
        site.good.pages[own] = (302, {'Location': target}, b'')
        refused(site, site.good, 'fetch_')
        site.good.pages[own + 'x'] = (200, {'Content-Type': 'text/html', 'X-XRDS-Location': target}, b'')
        own += 'x'
        refused(site, site.good, 'openid2_discovery')
    assert site.elsewhere.modes == [] and site.elsewhere.asked == 0
    site.good.reset()
    accepted(site, site.good)


def test_no_better_association_is_no_reason_o2_11(site):
    def offer(asked, fields, secret):
        if asked['assoc_type'] == 'HMAC-SHA1':
            return 200, fields
        return 400, {'ns': NS, 'error': 'no', 'error_code': 'unsupported-type', 'assoc_type': 'HMAC-SHA1', 'session_type': 'DH-SHA1'}

    for name in ('strict', 'lax'):
        forge = site.forges[name]
        forge.associate = offer
        accepted(site, forge)
        assert forge.modes.count('associate') == (2 if name == 'lax' else 1), forge.modes
        assert ('check_authentication' in forge.modes) == (name == 'strict'), forge.modes
