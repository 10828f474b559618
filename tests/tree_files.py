# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which files belong to the tree: by git where it is a clone, else all but what a build has left there."""

import os
import pathlib
import shutil
import subprocess

# Directories that hold one of these were made by meson, or by debhelper for a package; they may have any name.
MADE = {'meson-private', 'DEBIAN'}
BESIDE = {'.git', '.cache', '.debhelper', '.pc', '__pycache__'}


def by_git(root):
    # An archive may be unpacked within somebody's clone of another project, which knows nothing of it.
    if not (root / '.git').exists() or not shutil.which('git'):
        return []
    listed = subprocess.run(['git', '-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                            capture_output=True, check=False)
    return [name for name in listed.stdout.decode().split('\0') if name] if listed.returncode == 0 else []


def by_walking(root):
    for directory, below, names in os.walk(root):
        if MADE & set(below) and pathlib.Path(directory) != root:
            below.clear()
            continue
        below[:] = [name for name in below if name not in BESIDE]
        yield from (os.path.relpath(os.path.join(directory, name), root) for name in names)


def tree_files(root):
    """Names below root, in order, of files and of links that lead nowhere."""
    root = pathlib.Path(root)
    names = by_git(root) or by_walking(root)
    return sorted(name for name in set(names) if (root / name).is_file() or (root / name).is_symlink())
