# SPDX-License-Identifier: GPL-2.0-or-later
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import chrome  # noqa: E402
import harness  # noqa: E402


@pytest.fixture(scope='session')
def authority():
    folder = harness.temporary_folder()
    yield harness.Authority(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope='session')
def gateway(authority):
    """One for all tests that leave it as it was."""
    with harness.Gateway(authority) as running:
        yield running
    assert '[alert]' not in running.last_log and '[crit]' not in running.last_log, running.last_log


@pytest.fixture(scope='module')
def controller():
    """A Samba domain controller of the test file's own."""
    from controller import Controller

    running = Controller()
    running.start()
    yield running
    running.close()


@pytest.fixture(scope='module')
def domain():
    """The same for its people's tickets (kerberos.py)."""
    from kerberos import Domain

    running = Domain()
    yield running
    running.close()


@pytest.fixture
def make_gateway(authority):
    """make_gateway(...): a Gateway of the test's own, started; what it takes is in harness.py."""
    made = []

    def make(start=True, **options):
        made.append(harness.Gateway(authority, **options))
        return made[-1].__enter__() if start else made[-1]

    yield make
    for one in made:
        one.stop()
        # a worker that crashed, a lock held, a descriptor leaked: nginx says so
        assert '[alert]' not in one.last_log, one.last_log


@pytest.fixture(scope='session')
def chromium():
    """One browser process for all tests."""
    running = chrome.Chrome()
    yield running
    running.stop()


@pytest.fixture
def profile(chromium):
    """profile(...): a fresh browser profile; at the end no page of any may have complained of anything but what was forgiven."""
    forgiven = []

    def make(forgive=(), **options):
        forgiven.extend(forgive)
        return chromium.profile(**options)

    yield make
    complaints = chromium.close_profiles()
    assert [one for one in complaints if not any(word in one for word in forgiven)] == []
