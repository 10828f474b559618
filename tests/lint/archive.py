#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lint of an unpacked archive: it reads what belongs to the tree, and nothing of what a build left there.

usage: archive.py TREE
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TREE = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(TREE / 'tests'))

import tree_files

TOOLS = ['bash', 'clang-format', 'clang-format-14', 'nm']
# As meson, dpkg-buildpackage and python leave them; no rule would bear the first line.
LEFT = ['obj-x86_64-linux-gnu/meson-private/sanitycheck.c', 'obj-x86_64-linux-gnu/src/made.c', 'b/meson-private/x.h',
        'b/src/made.h', 'debian/.debhelper/generated.py', 'debian/immured/DEBIAN/control', 'debian/immured/usr/x.py',
        'tests/__pycache__/x.py']


def unpack(target):
    for name in tree_files.tree_files(TREE):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TREE / name, target / name, follow_symlinks=False)
    for name in LEFT:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text('\tabort(); \n')


def lint(target, path):
    done = subprocess.run(['/usr/bin/python3', target / 'tests/lint/lint.py', target], env={**os.environ, 'PATH': path},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end='')
    return done.returncode == 0


def main():
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        target, without_git = directory / 'project/immured', directory / 'bin'
        unpack(target)
        without_git.mkdir()
        for tool in TOOLS:
            if found := shutil.which(tool):
                (without_git / tool).symlink_to(found)
        good = tree_files.tree_files(target) == tree_files.tree_files(TREE)
        if not good:
            print('not the files of the tree:', *set(tree_files.tree_files(target)) ^ set(tree_files.tree_files(TREE)))
        good &= lint(target, str(without_git))
        if shutil.which('git'):
            # In a clone of something else, that knows none of it.
            subprocess.run(['git', 'init', '-q', directory / 'project'], check=True)
            good &= lint(target, os.environ['PATH'])
    sys.exit(not good)


if __name__ == '__main__':
    main()
