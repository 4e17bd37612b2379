# SPDX-License-Identifier: GPL-2.0-or-later
"""What a module needs that was built with sanitizers; as a plugin of pytest (-p sanitized) it makes every gateway of a test file load
$FEDGATE_SANITIZED and report to $FEDGATE_SANITIZED_LOG."""
import os
import subprocess


def asan_options(**more):
    return ':'.join('%s=%s' % item for item in {'detect_leaks': 1, 'abort_on_error': 0, 'exitcode': 9, **more}.items())


def library(name):
    return subprocess.run(['gcc', '-print-file-name=' + name], capture_output=True, text=True).stdout.strip()


def environment(log):
    return {
        'LD_PRELOAD': ' '.join(library(name) for name in ('libasan.so', 'libubsan.so')),
        # nginx's own leaks do not change how it ends; deep stacks, for OpenSSL and libxml2 have no frame pointers
        'ASAN_OPTIONS': asan_options(log_path=log, fast_unwind_on_malloc=0, exitcode=0),
        'UBSAN_OPTIONS': 'print_stacktrace=1:log_path=' + log,
    }


def pytest_collection_finish(session):
    import harness

    start = harness.Nginx.start

    def start_watched(self, port, **options):
        self.module = os.environ['FEDGATE_SANITIZED']
        self.write()
        start(self, port, **{**options, 'environment': environment(os.environ['FEDGATE_SANITIZED_LOG'])})

    harness.Nginx.start = start_watched
