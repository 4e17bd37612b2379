# SPDX-License-Identifier: GPL-2.0-or-later
"""What attackers send to the OpenID 2.0 provider; each refusal has the sound message beside it."""
import base64
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

import harness
from openid2_forge import NS, P, btwoc, encode
from test_openid import submit

FORM = {'Content-Type': 'application/x-www-form-urlencoded'}
RP = 'https://rp.example.com'


@pytest.fixture(scope='module')
def site(authority):
    port = harness.free_port()
    wiki = {'openid2_realm': [RP + '/', 'https://*.wiki.example.com/app'], 'claims': harness.CLAIMS}
    with harness.Gateway(authority, server='listen 127.0.0.1:%d;' % port, partners={**harness.PARTNERS, 'wiki': wiki}) as gateway:
        gateway.plain_port = port
        yield gateway


def direct(site, **fields):
    asked = {'openid.' + name: value for name, value in {'ns': NS, **fields}.items() if value is not None}
    answer = site.post('/adfs/openid2/server', urlencode(asked), headers=FORM)
    return answer.status_code, dict(line.split(':', 1) for line in answer.text.splitlines())


def associate(site, **changes):
    mine = 12345678901234567890
    sound = {'mode': 'associate', 'assoc_type': 'HMAC-SHA256', 'session_type': 'DH-SHA256', 'dh_consumer_public': encode(btwoc(pow(2, mine, P)))}
    return direct(site, **{**sound, **changes})


def test_numbers_that_hide_nothing_o2_07(site):
    assert associate(site)[0] == 200
    for number in (0, 1, P - 1, P, P + 5):
        status, fields = associate(site, dh_consumer_public=encode(btwoc(number)))
        assert status == 400 and 'enc_mac_key' not in fields and fields['ns'] == NS, number
    tiny, even = (1 << 511) + 111, P - 1
    for modulus in (0, 23, tiny, even, 1 << 5000):
        status, fields = associate(site, dh_modulus=encode(btwoc(modulus)), dh_gen=encode(b'\2'))
        assert status == 400 and 'enc_mac_key' not in fields, modulus
    for generator in (0, 1, P - 1, P):
        assert associate(site, dh_modulus=encode(btwoc(P)), dh_gen=encode(btwoc(generator)))[0] == 400, generator
    assert associate(site, dh_modulus=encode(btwoc(P)), dh_gen=encode(b'\2'))[0] == 200
    for bad in ('', 'x', '!!!!', encode(b'\xff')):
        assert associate(site, dh_consumer_public=bad)[0] == 400, bad


def test_types_that_are_not_served(site):
    for mac, session in (('HMAC-MD5', 'DH-SHA256'), ('HMAC-SHA256', 'DH-SHA1'), ('HMAC-SHA1', 'DH-SHA256'), ('HMAC-SHA256', ''), ('HMAC-SHA256', 'plain')):
        status, fields = associate(site, assoc_type=mac, session_type=session)
        assert status == 400 and fields['error_code'] == 'unsupported-type' and fields['assoc_type'] == 'HMAC-SHA256', (mac, session)


def test_a_secret_goes_over_tls_alone_o2_07(site):
    asked = {'openid.ns': NS, 'openid.mode': 'associate', 'openid.assoc_type': 'HMAC-SHA256', 'openid.session_type': 'no-encryption'}
    answer = site.post('/adfs/openid2/server', urlencode(asked), headers=FORM)
    assert answer.status_code == 200 and 'mac_key:' in answer.text
    session = site.browser()
    answer = session.post('http://localhost:%d/adfs/openid2/server' % site.plain_port, urlencode(asked), headers=FORM, timeout=20)
    assert answer.status_code == 400 and 'mac_key' not in answer.text and 'error:' in answer.text, answer.text


def checkid(site, session=None, **changes):
    select = NS + '/identifier_select'
    sound = {'ns': NS, 'mode': 'checkid_setup', 'realm': RP + '/', 'return_to': RP + '/back?a=b', 'claimed_id': select, 'identity': select}
    fields = {'openid.' + name: value for name, value in {**sound, **changes}.items() if value is not None}
    return (session or site.browser()).get(site.base_url + '/adfs/openid2/server', params=fields, allow_redirects=False, timeout=20)


def test_whose_site_it_is_o2_08(site):
    assert 'name="password"' in checkid(site).text
    assert 'name="password"' in checkid(site, realm='https://*.wiki.example.com/app', return_to='https://a.b.wiki.example.com/app/x').text
    for realm, return_to in (
        ('https://*.com/', RP + '/'),
        ('https://*/', RP + '/'),
        ('https://*.co.uk/', 'https://a.co.uk/'),
        ('https://evil.example.net/', 'https://evil.example.net/'),
        (RP + '/', 'https://rp.example.com.evil.net/'),
        (RP + '/', 'https://rp.example.com@evil.net/'),
        (RP + '/', 'https://rp.example.com:8443/'),
        (RP + '/', 'http://rp.example.com/'),
        (RP + '/', 'https://rp.example.com\\@evil.net/'),
        (RP + '/', 'https://evil.net/#https://rp.example.com/'),
        (RP + '/', 'https://sub.rp.example.com/'),
        (RP + '/', 'javascript:alert(1)'),
        (RP + '/', RP + '/back#fragment'),
        (RP + '/#x', RP + '/'),
        ('https://*.wiki.example.com/app', 'https://a.wiki.example.com/app/../x'),
        ('https://*.wiki.example.com/app', 'https://a.wiki.example.com/application'),
        ('https://*.wiki.example.com/app', 'https://awiki.example.com/app'),
        ('https://a.wiki.example.com/app', 'https://a.wiki.example.com/app'),
        ('https://*.example.com/', RP + '/'),
        (RP + '/', None),
    ):
        page = checkid(site, realm=realm, return_to=return_to)
        assert page.status_code == 400 and 'openid2_realm' in page.text and 'Location' not in page.headers, (realm, return_to, page.text)


def test_requests_that_are_wrong(site):
    page = checkid(site, identity=None)
    assert page.status_code == 302 and page.headers['Location'].startswith(RP + '/back?a=b&openid.ns=') and 'openid.mode=error' in page.headers['Location']
    for changes in ({'ns': 'urn:other'}, {'mode': 'checkid'}, {'mode': None}):
        page = checkid(site, **changes)
        assert page.status_code == 400 and 'openid2_request' in page.text, changes
    twice = site.get('/adfs/openid2/server?openid.mode=checkid_setup&openid.mode=checkid_immediate')
    assert twice.status_code == 400 and 'openid2_request' in twice.text


def signed_in(site):
    """A browser in which alice signed in."""
    session = site.browser()
    page = session.get(site.base_url + '/adfs/ls/?wa=wsignin1.0&wtrealm=urn:fedgate:demo', timeout=30)
    assert 'wresult' in submit(session, page, username='alice', password='alice-secret').text
    return session


def fields_of(answer):
    return {name[7:]: value for name, value in parse_qsl(urlsplit(answer.headers['Location']).query, keep_blank_values=True) if name.startswith('openid.')}


def test_an_answer_is_confirmed_once_and_as_it_was(site):
    session = signed_in(site)
    told = fields_of(checkid(site, session))
    assert told['mode'] == 'id_res' and told['op_endpoint'] == site.base_url + '/adfs/openid2/server'
    question = {**told, 'mode': 'check_authentication'}
    assert direct(site, **{**question, 'claimed_id': site.base_url + '/adfs/openid2/id/bob'})[1]['is_valid'] == 'false'
    assert direct(site, **{**question, 'signed': 'op_endpoint'})[1]['is_valid'] == 'false'
    assert direct(site, **question)[1]['is_valid'] == 'true'
    assert direct(site, **question)[1]['is_valid'] == 'false'
    # under an association the provider confirms nothing: whoever made it could sign what it likes
    handle, = [fields['assoc_handle'] for _, fields in [associate(site)]]
    told = fields_of(checkid(site, session, assoc_handle=handle))
    assert told['assoc_handle'] == handle and 'invalidate_handle' not in told
    assert direct(site, **{**told, 'mode': 'check_authentication'})[1]['is_valid'] == 'false'
    # a handle that is none
    told = fields_of(checkid(site, session, assoc_handle='made-up'))
    assert told['invalidate_handle'] == 'made-up' and told['assoc_handle'] != 'made-up'
    status, said = direct(site, **{**told, 'mode': 'check_authentication'})
    assert said['is_valid'] == 'true' and said['invalidate_handle'] == 'made-up'


def test_openid_1_1(site):
    """No ns, one identifier, trust_root; the refusal of checkid_immediate leads on by user_setup_url."""
    own = site.base_url + '/adfs/openid2/id/alice@example.com'
    old = {'ns': None, 'claimed_id': None, 'realm': None, 'trust_root': RP + '/', 'identity': own}
    told = fields_of(checkid(site, mode='checkid_immediate', **old))
    assert told['mode'] == 'id_res' and told['user_setup_url'].startswith(site.base_url + '/adfs/openid2/server?') and 'sig' not in told
    session = signed_in(site)
    told = fields_of(checkid(site, session, mode='checkid_immediate', **old))
    assert told['identity'] == own and 'ns' not in told and 'claimed_id' not in told and len(base64.b64decode(told['sig'])) == 20
    status, said = direct(site, ns=None, **{**told, 'mode': 'check_authentication'})
    assert said == {'is_valid': 'true'}
    status, said = direct(site, ns=None, mode='associate', assoc_type='HMAC-SHA1', session_type='')
    assert status == 200 and len(base64.b64decode(said['mac_key'])) == 20 and 'ns' not in said
