#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run.py FOLDER [PYTEST-ARGUMENT...]   all system tests, several files at a time; or what pytest makes of the arguments.

Each file waits now and then, so two more run than there are cores. The programs that tests start have fixed addresses, and the peers
keep state, so each lane has a network namespace, an /etc/hosts and a folder of peers' state of its own. Where namespaces cannot be made,
there is one lane. What pytest said of each file is in FOLDER, from which a second run also knows which take longest and begins with them.

The last line says "N passed, N failed, N skipped". Exit 0: none failed."""
import concurrent.futures
import glob
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SECONDS = 2400  # a file may take
LONGEST = ['test_sanitizers', 'test_valgrind', 'test_wstrust_peers', 'test_wstrust_signed', 'test_nginx', 'test_wsfed_browser']  # as far as nothing else is known
NAMESPACE = ['unshare', '--net', '--mount', '--', 'sh', '-ec', 'ip link set lo up; mount --bind "$0" /etc/hosts; exec "$@"']


class Lane:
    def __init__(self, folder, alone, keys):
        self.folder, self.alone, self.keys = folder, alone, keys
        os.mkdir(folder)
        self.hosts = shutil.copy('/etc/hosts', os.path.join(folder, 'hosts'))

    def command(self, *command):
        return [*NAMESPACE, self.hosts, *command] if self.alone else list(command)

    def environment(self):
        return {**os.environ, 'FEDGATE_KEYS': self.keys, **({'FEDGATE_PEERS_RUN': self.folder} if self.alone else {})}


def namespaces_work():
    try:
        return subprocess.run([*NAMESPACE, '/etc/hosts', 'true'], capture_output=True).returncode == 0
    except OSError:
        return False


def counts(path):
    """(seconds, passed, failed, skipped) of a file's results; None: there are none."""
    try:
        suites = list(xml.etree.ElementTree.parse(path).getroot().iter('testsuite'))
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    total = {name: sum(float(suite.get(name)) for suite in suites) for name in ('time', 'tests', 'failures', 'errors', 'skipped')}
    failed = int(total['failures'] + total['errors'])
    return total['time'], max(0, int(total['tests'] - total['skipped']) - failed), failed, int(total['skipped'])


def jobs_of(results):
    """{name: pytest's arguments}, longest first, so that no lane is left alone at the end."""

    def seconds(name):
        known = counts(os.path.join(results, name + '.xml'))
        return known[0] if known else 1000 - LONGEST.index(name) if name in LONGEST else 0

    files = {os.path.basename(path)[:-3]: [path] for path in sorted(glob.glob(os.path.join(HERE, 'test_*.py')))}
    return {name: files[name] for name in sorted(files, key=seconds, reverse=True)}


def run_job(name, arguments, lane, results):
    """((passed, failed, skipped), pytest's words if there is something to say)."""
    result = os.path.join(results, name + '.xml')
    if os.path.exists(result):
        os.remove(result)
    pytest = [sys.executable, '-B', '-m', 'pytest', '-p', 'no:cacheprovider', '-q', '--junitxml=' + result, *arguments]
    command = lane.command('timeout', '-k', '10', str(SECONDS), *pytest)
    done = subprocess.run(command, cwd=ROOT, env=lane.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    seconds, passed, failed, skipped = counts(result) or (0, 0, 1, 0)
    if done.returncode not in (0, 5):  # 5: nothing to test
        failed = max(failed, 1)
    print('%s: %d passed, %d failed, %d skipped in %d s' % (name, passed, failed, skipped, seconds), flush=True)
    return (passed, failed, skipped), done.stdout if failed else ''


def main():
    results, arguments = sys.argv[1], sys.argv[2:]
    os.makedirs(results, exist_ok=True)
    jobs = {'chosen': arguments} if arguments else jobs_of(results)
    alone = namespaces_work()
    count = os.cpu_count() + 2 if alone else 1
    lanes = queue.SimpleQueue()

    def one(job):
        lane = lanes.get()
        try:
            return run_job(*job, lane, results)
        finally:
            lanes.put(lane)

    with tempfile.TemporaryDirectory(prefix='fedgate-lanes-') as folder, concurrent.futures.ThreadPoolExecutor(count) as pool:
        os.chmod(folder, 0o755)
        keys = os.path.join(folder, 'keys')
        os.mkdir(keys, 0o700)
        for number in range(count):
            lanes.put(Lane(os.path.join(folder, str(number)), alone, keys))
        told = list(pool.map(one, jobs.items()))
    for _, output in told:
        if output:
            print(output)
    passed, failed, skipped = (sum(numbers[i] for numbers, _ in told) for i in range(3))
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
