# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys for gateways, made by the first ones of a run of all tests: two of RSA cost a second of CPU. Gateways that one test file starts one
after the other have different ones."""
import contextlib
import itertools
import os
import shutil
import tempfile

FOLDER = os.environ.get('FEDGATE_KEYS')  # by run.py; None: every gateway makes its own
SETS = 6
turn = itertools.count()


def keys_of(site):
    return os.path.join(site.folder, 'state', 'keys')


def copy(source, target):
    """With the owners: the workers'."""
    shutil.copytree(source, target)
    owner = os.stat(source)
    for path in (target, *(os.path.join(target, name) for name in os.listdir(target))):
        os.chown(path, owner.st_uid, owner.st_gid)


def lend(site):
    """Puts a set into a new site's state; the place where one is to be left if there is none yet, or None."""
    if FOLDER is None or 'keys' in site.sections or site.options.get('state') != 'state' or os.path.exists(os.path.dirname(keys_of(site))):
        return None
    one = os.path.join(FOLDER, str(next(turn) % SETS))
    if not os.path.exists(one):
        return one
    state = os.path.dirname(keys_of(site))
    os.mkdir(state, 0o700)
    copy(one, keys_of(site))
    shutil.chown(state, os.stat(one).st_uid, os.stat(one).st_gid)
    return None


def leave(site, place):
    """What a gateway has made; that of another one that was quicker stays."""
    if place is None:
        return
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, contextlib.suppress(OSError):
        copy(keys_of(site), os.path.join(folder, 'keys'))
        os.rename(os.path.join(folder, 'keys'), place)
