# SPDX-License-Identifier: LGPL-2.1-or-later
"""The project's Debian packages, built for a release with the libraries of that release, as the archive would."""

import fcntl
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / 'tests'))

import roots
import tree_files
from roots import Failure, say

# What is not compiled into the packages: they need not be made anew for a change in it.
BESIDE = ('tests/vm/', 'tests/system/test_', 'tests/system/common.py', 'tests/system/profiles/', '.ci/')

# Longer than anybody works with the same state of the tree.
KEEP_SECONDS = 2 * 86400

# Runs in namespaces of its own: no mount outlives it, and the root stays as it is. The tree comes in as an archive and
# the packages go out as one, so that nothing else of the machine is seen in there.
BUILD = r'''
set -eu
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind -o ro "$root" "$root" 2>/dev/null || mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$2" "$root/tmp/ccache"
mount --bind "$2" "$root/tmp/ccache"
exec chroot "$root" env -i HOME=/tmp LANG=C.UTF-8 PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin \
        CCACHE_DIR=/tmp/ccache DEB_BUILD_OPTIONS="nocheck noautodbgsym" sh -eu -c '
        mkdir -p /tmp/build/immured /tmp/out
        cd /tmp/build/immured
        tar -xf -
        dpkg-buildpackage -us -uc -b >/tmp/out/build.log 2>&1 </dev/null || { tail -n 60 /tmp/out/build.log >&2; exit 1; }
        cd ..
        status=0
        lintian --allow-root --tag-display-limit 0 --fail-on error,warning --info *.changes >/tmp/out/lintian.log 2>&1 </dev/null || status=$?
        echo $status >/tmp/out/lintian.status
        cp -- *.deb *.changes /tmp/out
        tar -C /tmp/out -cf - .'
'''


def tar_tree(target):
    """Writes the tree to a file as a tar archive, and goes back to its start."""
    subprocess.run(['tar', '-C', TREE, '--owner=0', '--group=0', '--null', '--no-recursion', '-T', '-', '-c'],
                   input='\0'.join(tree_files.tree_files(TREE)).encode(), stdout=target, check=True)
    target.seek(0)


def copy_tree(directory):
    with tempfile.TemporaryFile() as source:
        tar_tree(source)
        subprocess.run(['tar', '-C', directory, '-x'], stdin=source, check=True)


def state_of_tree():
    digest = hashlib.sha256()
    for name in tree_files.tree_files(TREE):
        if name.startswith(BESIDE):
            continue
        path = TREE / name
        content = path.read_bytes() if not path.is_symlink() else str(path.readlink()).encode()
        digest.update(f'{name} {path.lstat().st_mode & 0o111:o} {len(content)}\n'.encode() + content)
    return digest.hexdigest()[:12]


def compile_into(directory, release):
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result, \
            roots.root('builder', release) as builder:
        tar_tree(source)
        done = subprocess.run(['unshare', '--mount', '--pid', '--fork', '--kill-child', '--net', '--uts', '--ipc',
                               'sh', '-c', BUILD, 'sh', builder / 'root', roots.cache() / f'ccache{release}'],
                              stdin=source, stdout=result, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failure(f'the packages of Debian {release} could not be built:\n{done.stderr}')
        result.seek(0)
        subprocess.run(['tar', '-C', directory, '-x'], stdin=result, check=True)


def sweep():
    for old in roots.cache().glob('packages*'):
        if time.time() - old.stat().st_mtime > KEEP_SECONDS:
            roots.remove(old)


def build(release):
    """A directory with *.deb, lintian.log and lintian.status, made where this state of the tree has none yet."""
    directory = roots.cache() / f'packages{release}-{state_of_tree()}'
    with roots.locked(directory.with_suffix('.lock'), fcntl.LOCK_EX):
        if not directory.exists():
            say(f'building the packages of Debian {release}')
            start = time.monotonic()
            unfinished = pathlib.Path(tempfile.mkdtemp(prefix=f'{directory.name}.new.', dir=roots.cache()))
            try:
                compile_into(unfinished, release)
                unfinished.rename(directory)
            finally:
                roots.remove(unfinished)
            say(f'the packages of Debian {release} took {time.monotonic() - start:.0f} s')
        os.utime(directory)
    sweep()
    return directory
