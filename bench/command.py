# SPDX-License-Identifier: GPL-2.0-or-later
"""`fedgate token verify` on an assertion as a whole process, start-up included, beside `xmlsec1 --verify` in the same run
(which judges the signature alone), and `fedgate token show` on 100 MB of metadata: time and memory.

usage: command.py [ROUNDS [MEGABYTES]]; FEDGATE_BUILD names the build folder.
"""
import os
import resource
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMAND = os.path.join(os.environ.get('FEDGATE_BUILD') or os.path.join(ROOT, 'build'), 'fedgate')
CORPUS = os.path.join(ROOT, 'tests', 'corpus')
TOKEN = 'files/saml20-sound.xml'
VERIFY = [COMMAND, 'token', 'verify', TOKEN, '--at', '2026-11-28T12:00:00Z', '--trust', 'keys/idp.pem', '--issuer', 'https://idp.example.org',
          '--audience', 'urn:federation:ours', '--recipient', 'https://fs.example.com/adfs/ls/']
XMLSEC = ['xmlsec1', '--verify', '--pubkey-cert-pem', 'keys/idp.pem', '--id-attr:ID', 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion', TOKEN]


def once(command):
    """Seconds on the clock and seconds of processor time."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=CORPUS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, command
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(rounds):
    times = {'fedgate': [], 'xmlsec1': []}
    for _ in range(rounds):  # in turns, so that the machine's moods fall on both
        times['fedgate'].append(once(VERIFY))
        times['xmlsec1'].append(once(XMLSEC))
    print('token verify, %d bytes, %d processes each (median, best):' % (os.path.getsize(os.path.join(CORPUS, TOKEN)), rounds))
    for name, all_of_them in times.items():
        wall, cpu = sorted(one[0] for one in all_of_them), sorted(one[1] for one in all_of_them)
        print('  %-8s %6.1f ms %6.1f ms   processor %5.1f ms %5.1f ms' % (name, 1000 * wall[rounds // 2], 1000 * wall[0], 1000 * cpu[rounds // 2], 1000 * cpu[0]))


ENTITY = ('<md:EntityDescriptor entityID="https://idp%d.example.org/idp"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
          '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>'
          '</md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp%d.example.org/sso"/></md:IDPSSODescriptor>'
          '<md:Organization><md:OrganizationName xml:lang="en">Number %d</md:OrganizationName><md:OrganizationDisplayName xml:lang="en">%s</md:OrganizationDisplayName>'
          '<md:OrganizationURL xml:lang="en">https://idp%d.example.org/</md:OrganizationURL></md:Organization></md:EntityDescriptor>\n')


def show(megabytes):
    with open(os.path.join(CORPUS, 'keys', 'idp.pem')) as file:
        certificate = ''.join(file.read().split('-----')[2].split())
    with tempfile.NamedTemporaryFile('w', suffix='.xml') as file:
        file.write('<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">\n')
        count = 0
        while file.tell() < megabytes << 20:
            file.write(ENTITY % (count, certificate, count, count, 'x' * 2000, count))
            count += 1
        file.write('</md:EntitiesDescriptor>\n')
        file.flush()
        start = time.perf_counter()
        process = subprocess.Popen([COMMAND, 'token', 'show', file.name], stdout=subprocess.PIPE, text=True)
        lines = sum(1 for _ in process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0 and lines == count + 2, (status, lines, count)
        print('token show, %d MB of metadata, %d entities: %.1f s, %.0f MB of memory at most' % (
            megabytes, count, time.perf_counter() - start, usage.ru_maxrss / 1024))


compare(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
show(int(sys.argv[2]) if len(sys.argv) > 2 else 100)
