# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests and nginx with every flow under AddressSanitizer/UndefinedBehaviorSanitizer and under valgrind.

Any error fails. A leak fails if its memory was asked for by way of fedgate's code; what nginx and the libraries keep on their own account
until the process ends is theirs."""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

import flows
import flows_messages
import harness
from protected import Upstream

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(harness.BUILD, 'sanitizers')
MODULE = os.path.join('ngx_module', 'ngx_http_fedgate_module.so')
VALGRIND = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite,possible']
# They make RSA keys, hash passwords, decrypt or read very large documents: minutes under valgrind each. The sanitizers run them.
SLOW = {'test_cli', 'test_decrypt', 'test_federations', 'test_gateway', 'test_jwe', 'test_jwt', 'test_key', 'test_keyring', 'test_proof',
        'test_saml_aggregate', 'test_saml_encrypted', 'test_saml_logout', 'test_saml_party', 'test_saml_sign_in', 'test_wsfed_response',
        'test_wss', 'test_wstrust_keys', 'test_wstrust_tokens', 'test_xml_c14n', 'test_xmldsig', 'test_xmldsig_judge', 'test_xmlenc'}  # fmt: skip
UNIT = sorted(os.path.basename(path)[:-2] for path in glob.glob(os.path.join(harness.ROOT, 'tests', 'unit', 'test_*.c')))


def build(folder, targets, *options):
    os.makedirs(folder, exist_ok=True)
    path = '/usr/lib/ccache:' + os.environ['PATH'] if shutil.which('ccache') else os.environ['PATH']
    environment = {**os.environ, 'PATH': path, 'MAKEFLAGS': ''}

    def step(*command):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]

    if not os.path.exists(os.path.join(folder, 'Makefile')):
        step(os.path.join(harness.ROOT, 'configure'), '-q', *options)
    step('make', '-s', '-j%d' % (os.cpu_count() or 1), *targets)
    return folder


@pytest.fixture(scope='session')
def tree():
    """A build with sanitizers of its own, beside the one that is tested."""
    return build(TREE, ['all'], '--enable-sanitizers', 'CFLAGS=-O1 -g1')


def environment_of(**more):
    return {**os.environ, 'FEDGATE_SRCDIR': harness.ROOT, **more}


def run_all(jobs, folder):
    """{name: (command, environment)}, run in a build folder: what did not end well."""

    def one(item):
        name, (command, environment) = item
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, errors='replace', timeout=1200)
        return None if done.returncode in (0, 77) else '%s: exit %d\n%s' % (name, done.returncode, (done.stdout + done.stderr)[-6000:])

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [text for text in pool.map(one, jobs.items()) if text]


def asan_options(**more):
    return ':'.join('%s=%s' % item for item in {'detect_leaks': 1, 'abort_on_error': 0, 'exitcode': 9, **more}.items())


def test_unit_tests_with_sanitizers(tree):
    build(tree, ['tests/unit/' + name for name in UNIT])
    environment = environment_of(ASAN_OPTIONS=asan_options(detect_stack_use_after_return=1), UBSAN_OPTIONS='print_stacktrace=1')
    programs = {name: ([os.path.join(tree, 'tests', 'unit', name)], environment) for name in UNIT}
    assert run_all(programs, tree) == []


@pytest.mark.skipif(shutil.which('valgrind') is None, reason='no valgrind')
def test_unit_tests_with_valgrind():
    build(harness.BUILD, ['tests/unit/' + name for name in UNIT])
    programs = {name: os.path.join(harness.BUILD, 'tests', 'unit', name) for name in UNIT if name not in SLOW}
    commands = {name: ([*VALGRIND, '--error-exitcode=9', path], environment_of()) for name, path in programs.items()}
    assert run_all(commands, harness.BUILD) == []


def library(name):
    return harness.run('gcc', '-print-file-name=' + name).stdout.strip()


def fedgates_leaks(report):
    """The leaks in a sanitizer's report that come by way of the module's code (frames name functions, not files); not what is
    lost only because something else is."""
    leaks = re.findall(r'^Direct leak of.*?(?:\n\n|\Z)', report, re.S | re.M)
    ours = re.compile(r' in (?:fg_|ngx_http_fedgate_)\w+')
    return [leak for leak in leaks if ours.search(leak)]


@pytest.fixture
def upstream():
    with Upstream(flows.answer_of_upstream) as running:
        yield running


@pytest.fixture
def messages():
    running = flows_messages.Messages()
    yield running
    running.stop()


def test_nginx_with_sanitizers(tree, make_gateway, upstream, messages):
    gateway = make_gateway(start=False)
    gateway.nginx.module = os.path.join(tree, MODULE)
    flows.protect(gateway, upstream, messages)
    log = os.path.join(gateway.folder, 'sanitizer')
    gateway.nginx.start(gateway.port, environment={
        'LD_PRELOAD': ' '.join(library(name) for name in ('libasan.so', 'libubsan.so')),
        # nginx's own leaks do not change how it ends; deep stacks, for OpenSSL and libxml2 have no frame pointers
        'ASAN_OPTIONS': asan_options(log_path=log, fast_unwind_on_malloc=0, exitcode=0),
        'UBSAN_OPTIONS': 'print_stacktrace=1:log_path=' + log,
    })  # fmt: skip
    flows.everything(gateway)
    gateway.nginx.stop()
    reports = [open(path, errors='replace').read() for path in glob.glob(log + '.*')]
    assert not re.search(r'exited on signal|exited with (?:fatal )?code [1-9]', gateway.nginx.log()), gateway.nginx.log()[-3000:] + ''.join(reports)[-3000:]
    for report in reports:
        assert not re.search('ERROR: AddressSanitizer|runtime error|fatal error', report), report[:8000]
        assert not fedgates_leaks(report), ''.join(fedgates_leaks(report))[:8000]


def valgrind_errors(path):
    """What valgrind says in one process's report and is not a leak of another's code."""
    text = open(path, errors='replace').read()
    if not text.rstrip().endswith('</valgrindoutput>'):
        text += '</valgrindoutput>'
    found = []
    for error in xml.etree.ElementTree.fromstring(text).iter('error'):
        frames = ['%s (%s)' % (frame.findtext('fn', '?'), os.path.basename(frame.findtext('obj', '?'))) for frame in error.iter('frame')]
        if not error.findtext('kind').startswith('Leak_') or any(os.path.basename(MODULE) in frame for frame in frames):
            what = error.findtext('what') or error.findtext('xwhat/text')
            found.append('\n    '.join(['%s %s' % (error.findtext('kind'), what), *frames]))
    return found


@pytest.mark.skipif(shutil.which('valgrind') is None, reason='no valgrind')
def test_nginx_with_valgrind(make_gateway, upstream, messages):
    gateway = make_gateway(start=False, nginx={'workers': 1})
    flows.protect(gateway, upstream, messages)
    log = os.path.join(gateway.folder, 'valgrind')
    gateway.nginx.start(gateway.port)  # makes the RSA keys, which takes minutes under valgrind
    gateway.nginx.stop()
    gateway.nginx.start(gateway.port, wrapper=[*VALGRIND, '--num-callers=40', '--xml=yes', '--xml-file=%s.%%p.xml' % log])
    flows.everything(gateway)
    gateway.nginx.stop()
    reports = glob.glob(log + '.*.xml')
    assert len(reports) >= 3  # the master, the worker, the worker after the reload
    errors = [error for path in reports for error in valgrind_errors(path)]
    assert not errors, '\n'.join(errors)[:8000]


# ---- memory that is not lost but grows

def resident(pid):
    with open('/proc/%d/smaps_rollup' % pid) as file:
        return int(re.search(r'^Pss_Anon:\s+(\d+)', file.read(), re.M).group(1))


def workers_of(pid):
    return [int(child) for child in harness.run('pgrep', '-P', str(pid)).stdout.split()]


def requests(gateway, count):
    for _ in range(count):
        flows.expect(gateway.get(flows.METADATA), 200)
        flows.expect(gateway.get(flows.SIGN_IN), 200)
        flows.expect(gateway.soap(flows.USERNAME['13'], flows.rst(gateway.base_url, realm='urn:unknown')), (400, 500))


def test_requests_do_not_grow_a_worker(make_gateway):
    gateway = make_gateway(nginx={'workers': 1})
    requests(gateway, 200)
    (worker,) = workers_of(gateway.nginx.pid())
    before = resident(worker)
    requests(gateway, 600)
    # 1800 requests: if it grew evenly, a hundred bytes of each
    assert resident(worker) - before < 180


def test_reloads_do_not_grow_the_master(make_gateway):
    gateway = make_gateway(nginx={'workers': 1})

    def reload(times):
        for _ in range(times):
            gateway.site.write('organisatoin = "x"\n')
            assert not gateway.nginx.reload()
            gateway.site.write()
            assert gateway.nginx.reload()
        return resident(gateway.nginx.pid())

    before = reload(20)
    # 30 reloads and 30 refused: less than 7 KiB of each pair stay, of some 100 KiB that a configuration takes. The lowest of three
    # readings: the allocator's own share comes and goes.
    assert min(reload(10) for _ in range(3)) - before < 200
