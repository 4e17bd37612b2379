# SPDX-License-Identifier: GPL-2.0-or-later
"""Building and running programs under something that watches their memory, and what nginx is then asked."""
import concurrent.futures
import glob
import os
import shutil
import subprocess

import pytest

import flows
import flows_messages
import harness
from protected import Upstream

MODULE = os.path.join('ngx_module', 'ngx_http_fedgate_module.so')
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


@pytest.fixture
def upstream():
    with Upstream(flows.answer_of_upstream) as running:
        yield running


@pytest.fixture
def messages():
    running = flows_messages.Messages()
    yield running
    running.stop()
