# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests and nginx with every flow under AddressSanitizer and UndefinedBehaviorSanitizer.

Any error fails. A leak fails if its memory was asked for by way of fedgate's code; what nginx and the libraries keep on their own account
until the process ends is theirs."""
import glob
import os
import re
import subprocess
import sys

import pytest

import flows
import harness
import sanitized
from watched import MODULE, UNIT, build, environment_of, messages, run_all, upstream  # noqa: F401

TREE = os.path.join(harness.BUILD, 'sanitizers')


@pytest.fixture(scope='session')
def tree():
    """A build with sanitizers of its own, beside the one that is tested."""
    return build(TREE, ['all'], '--enable-sanitizers', 'CFLAGS=-O1 -g1')


def test_unit_tests_with_sanitizers(tree):
    build(tree, ['tests/unit/' + name for name in UNIT])
    environment = environment_of(ASAN_OPTIONS=sanitized.asan_options(detect_stack_use_after_return=1), UBSAN_OPTIONS='print_stacktrace=1')
    programs = {name: ([os.path.join(tree, 'tests', 'unit', name)], environment) for name in UNIT}
    assert run_all(programs, tree) == []


def fedgates_leaks(report):
    """The leaks in a sanitizer's report that come by way of the module's code (frames name functions, not files); not what is
    lost only because something else is."""
    leaks = re.findall(r'^Direct leak of.*?(?:\n\n|\Z)', report, re.S | re.M)
    ours = re.compile(r' in (?:fg_|ngx_http_fedgate_)\w+')
    return [leak for leak in leaks if ours.search(leak)]


def assert_clean(nginx_log, log):
    """What the sanitizers wrote beside log."""
    reports = [open(path, errors='replace').read() for path in glob.glob(log + '.*')]
    assert not re.search(r'exited on signal|exited with (?:fatal )?code [1-9]', nginx_log), nginx_log[-3000:] + ''.join(reports)[-3000:]
    for report in reports:
        assert not re.search('ERROR: AddressSanitizer|runtime error|fatal error', report), report[:8000]
        assert not fedgates_leaks(report), ''.join(fedgates_leaks(report))[:8000]


def test_nginx_with_sanitizers(tree, make_gateway, upstream, messages):  # noqa: F811
    gateway = make_gateway(start=False)
    gateway.nginx.module = os.path.join(tree, MODULE)
    flows.protect(gateway, upstream, messages)
    log = os.path.join(gateway.folder, 'sanitizer')
    gateway.nginx.start(gateway.port, environment=sanitized.environment(log))
    flows.everything(gateway)
    gateway.nginx.stop()
    assert_clean(gateway.nginx.log(), log)


@pytest.mark.parametrize('name', ['test_directory', 'test_delegate', 'test_kerberos_trust', 'test_protect_pass'])
def test_more_with_sanitizers(tree, name):
    """What asks directories and KDCs, and what requests share: its own tests, with the module that watches."""
    folder = harness.temporary_folder()
    os.chmod(folder, 0o777)
    environment = {**os.environ, 'PYTHONPATH': os.path.dirname(__file__), 'FEDGATE_SANITIZED': os.path.join(tree, MODULE),
                   'FEDGATE_SANITIZED_LOG': os.path.join(folder, 'sanitizer')}  # fmt: skip
    pytest_itself = [sys.executable, '-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-p', 'sanitized']
    done = subprocess.run([*pytest_itself, os.path.join(os.path.dirname(__file__), name + '.py')], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)  # fmt: skip
    assert_clean('', environment['FEDGATE_SANITIZED_LOG'])
    assert done.returncode == 0, done.stdout[-4000:]
