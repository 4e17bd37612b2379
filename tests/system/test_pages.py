# SPDX-License-Identifier: GPL-2.0-or-later
"""Every page of the running gateway as people see it: phone and desktop, light and dark, without script.

FEDGATE_SHOTS names a folder for the screenshots (default: pytest's temporary one).
"""
import html
import os
import re
import subprocess
import urllib.parse

import pytest

import harness
from messages import PASSIVE

GUESTS = 'directory "guests" { path = "%s" display_name = "Guests & friends" uri = "urn:home:guests" }\n'
VIEWS = [('phone', 360, 740), ('desktop', 1280, 800)]
HTTP_ERROR = 'Failed to load resource: the server responded with a status of 4'
with open(os.path.join(os.path.dirname(__file__), 'examine.js')) as script:
    EXAMINE = script.read()


@pytest.fixture(scope='module')
def site(authority):
    partners = {'viewer': {**harness.PARTNERS['viewer'], 'display_name': 'Demo application', 'name_id': 'upn'},
                'microsoft': {**harness.PARTNERS['microsoft'], 'display_name': 'Microsoft 365'}}  # fmt: skip
    gateway = harness.Gateway(authority, partners=partners, options={'organisation': 'Example Ltd', 'contact': 'help@example.com', 'list_applications': 'true'})
    gateway.site.write(GUESTS % gateway.site.users_file)
    with gateway:
        yield gateway


@pytest.fixture(scope='module')
def shots(tmp_path_factory):
    folder = os.environ.get('FEDGATE_SHOTS') or str(tmp_path_factory.mktemp('shots'))
    os.makedirs(folder, exist_ok=True)
    return folder


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('view,width,height', VIEWS, ids=[view[0] for view in VIEWS])
def test_pages(site, profile, shots, tmp_path, view, width, height, scheme):
    page = profile(forgive=[HTTP_ERROR], script=False, scheme=scheme, width=width, height=height)
    findings = []

    def shoot(name, title):
        assert page.title().startswith(title), page.title()
        page.do('shot', path=os.path.join(shots, '%s-%s-%s.png' % (name, view, scheme)))
        findings.extend('%s: %s' % (name, finding) for finding in page.evaluate(EXAMINE))

    def passive(**parameters):
        return site.url(PASSIVE) + '?' + urllib.parse.urlencode({'wa': 'wsignin1.0', **parameters})

    landing = tmp_path / 'index.html'
    landing.write_bytes(subprocess.check_output([os.path.join(harness.ROOT, 'etc/demo/make-index.sh'), site.base_url, '/somewhere/ca.pem']))
    page.goto('file://%s' % landing)
    shoot('landing', '')
    page.goto(passive(wtrealm='urn:nobody'))
    shoot('error', 'That did not work')
    page.goto(site.url('/adfs/ls/IdpInitiatedSignOn.aspx'))
    shoot('applications', 'Where do you want to go?')
    page.goto(site.url('/demo/'))
    shoot('home_realm', 'Where do you sign in?')
    page.click('.choice')
    shoot('sign_in', 'Sign in')
    page.sign_in('alice', 'not-this')
    shoot('wrong_password', 'Sign in')
    page.sign_in('alice', 'alice-secret')
    shoot('auto_post', 'Signing you in')
    page.click('form button')
    shoot('claims', 'You are signed in')
    page.goto(passive(wtrealm='urn:federation:MicrosoftOnline'))  # so that there are two to sign out of
    page.do('answer', url='https://login.microsoftonline.com/', body='<!doctype html>')
    page.goto(passive(wa='wsignout1.0', wtrealm='urn:fedgate:demo', wreply=site.url('/demo/')))
    shoot('signed_out', 'You are signed out')
    assert findings == []


def test_links_of_the_landing_page(site):
    """Those that show an error do so, the others lead somewhere."""
    page = subprocess.check_output([os.path.join(harness.ROOT, 'etc/demo/make-index.sh'), site.base_url, '/somewhere/ca.pem'], text=True)
    links = {html.unescape(link) for link in re.findall(r'href="(%s[^"]*|/[^"]*)"' % re.escape(site.base_url), page)}
    # the demo has its claims viewer where an application of its own leaves room
    answers = {link: site.get(link.removeprefix(site.base_url).replace('/demo/claims/', '/demo/')) for link in links}
    assert len(answers) >= 6
    for link, answer in answers.items():
        wrong = 'evil' in link or 'nobody' in link
        assert answer.status_code == 400 if wrong else answer.status_code in (200, 302), (link, answer.text)


def test_pages_of_the_administrators_own(make_gateway, profile, tmp_path):
    """A part in place of the installed one, a language more; a mistake is named and changes nothing that runs."""
    own = tmp_path / 'pages'
    own.mkdir()
    (own / 'foot.html').write_text('<footer>{{t.own.rule}}</footer>\n')
    (own / 'texts.fr.json').write_text('{"sign_in.title": "Connexion", "own.rule": "Règles de {organisation}"}')
    (own / 'texts.en.json').write_text('{"own.rule": "Rules of {organisation}"}')
    tmp_path.chmod(0o755)
    gateway = make_gateway(options={'pages': str(own), 'organisation': 'Société <b>'}, start=False)
    with open(gateway.site.conf) as conf:
        assert str(own) in conf.read()
    done = gateway.nginx.check()
    assert done.returncode == 0, done.stderr
    gateway.nginx.start(gateway.port)
    page = profile(language='fr')
    page.goto(gateway.url('/demo/'))
    assert page.title().startswith('Connexion')
    assert page.evaluate('document.querySelector("footer").textContent') == 'Règles de Société <b>'
    assert page.evaluate('document.querySelector("label").textContent') == 'User name'  # English where there is no French
    (own / 'foot.html').write_text('<footer>\n{{t.own.rul}}</footer>\n')
    assert not gateway.nginx.reload()
    assert 'foot.html:2:1: found "own.rul"' in gateway.nginx.log()
    running = gateway.get(PASSIVE + '?wa=wsignin1.0&wtrealm=urn:fedgate:demo', headers={'Accept-Language': 'en'})
    assert 'Rules of Société &lt;b&gt;' in running.text


ENTITY = (
    '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.%(host)s/idp"><IDPSSODescriptor'
    ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><Extensions><UIInfo xmlns="urn:oasis:names:tc:SAML:metadata:ui">'
    '<DisplayName xml:lang="en">%(name)s</DisplayName></UIInfo></Extensions><SingleSignOnService Location="https://idp.%(host)s/sso"'
    ' Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"/></IDPSSODescriptor></EntityDescriptor>'
)


@pytest.fixture(scope='module')
def federation(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp('federation') / 'all.xml'
    names = ['University of Example Town %d' % i for i in range(30)] + ['Donaudampfschifffahrtsgesellschaftskapitänsakademie der Künste']
    entities = [ENTITY % {'name': name, 'host': 'e%d.a-rather-long-name-of-a-domain.example' % i} for i, name in enumerate(names)]
    path.write_text('<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">%s</EntitiesDescriptor>' % ''.join(entities), 'utf-8')
    path.chmod(0o644)
    for folder in list(path.parents)[:2]:
        folder.chmod(0o755)
    with harness.Gateway(authority, sections={'viewer': {'path': '/demo/', 'realm': 'urn:fedgate:demo'}, ('federation', 'edu'): {'metadata': str(path)}}) as gateway:
        yield gateway


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('view,width,height', VIEWS, ids=[view[0] for view in VIEWS])
def test_many_home_realms(federation, profile, shots, view, width, height, scheme):
    page = profile(script=False, scheme=scheme, width=width, height=height)
    findings = []

    def shoot(name, count):
        assert page.title().startswith('Where do you sign in?'), page.title()
        assert page.evaluate('document.querySelectorAll(".choice").length') == count
        page.do('shot', path=os.path.join(shots, '%s-%s-%s.png' % (name, view, scheme)))
        findings.extend('%s: %s' % (name, finding) for finding in page.evaluate(EXAMINE))

    page.goto(federation.url('/demo/'))
    shoot('many', 20)
    page.click('button[name=page]')
    shoot('more', 12)
    page.fill(find='künste')
    page.click('.find button')
    shoot('found', 1)
    page.fill(find='nobody')
    page.click('.find button')
    shoot('nothing', 0)
    assert findings == []
