# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests and nginx with every flow under AddressSanitizer and UndefinedBehaviorSanitizer.

Any error fails. A leak fails if its memory was asked for by way of fedgate's code; what nginx and the libraries keep on their own account
until the process ends is theirs."""
import glob
import os
import re

import pytest

import flows
import harness
from watched import MODULE, UNIT, build, environment_of, messages, run_all, upstream  # noqa: F401

TREE = os.path.join(harness.BUILD, 'sanitizers')


@pytest.fixture(scope='session')
def tree():
    """A build with sanitizers of its own, beside the one that is tested."""
    return build(TREE, ['all'], '--enable-sanitizers', 'CFLAGS=-O1 -g1')


def asan_options(**more):
    return ':'.join('%s=%s' % item for item in {'detect_leaks': 1, 'abort_on_error': 0, 'exitcode': 9, **more}.items())


def test_unit_tests_with_sanitizers(tree):
    build(tree, ['tests/unit/' + name for name in UNIT])
    environment = environment_of(ASAN_OPTIONS=asan_options(detect_stack_use_after_return=1), UBSAN_OPTIONS='print_stacktrace=1')
    programs = {name: ([os.path.join(tree, 'tests', 'unit', name)], environment) for name in UNIT}
    assert run_all(programs, tree) == []


def library(name):
    return harness.run('gcc', '-print-file-name=' + name).stdout.strip()


def fedgates_leaks(report):
    """The leaks in a sanitizer's report that come by way of the module's code (frames name functions, not files); not what is
    lost only because something else is."""
    leaks = re.findall(r'^Direct leak of.*?(?:\n\n|\Z)', report, re.S | re.M)
    ours = re.compile(r' in (?:fg_|ngx_http_fedgate_)\w+')
    return [leak for leak in leaks if ours.search(leak)]


def test_nginx_with_sanitizers(tree, make_gateway, upstream, messages):  # noqa: F811
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
