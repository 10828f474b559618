# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roots of Debian releases, made from the archive's packages and kept outside the tree: one to boot, one to build in."""

import contextlib
import fcntl
import hashlib
import inspect
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import recipe

# What nobody has used for so long was made by another recipe, and goes.
KEEP_SECONDS = 14 * 86400


class Failure(Exception):
    """Says in words what did not work."""


def say(text):
    print(f'vm: {text}', file=sys.stderr, flush=True)


def cache():
    base = os.environ.get('XDG_CACHE_HOME') or '/var/cache'
    path = pathlib.Path(base) / 'immured-dev'
    path.mkdir(parents=True, exist_ok=True)
    return path


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', **options)
    if done.returncode != 0:
        tail = '\n'.join(done.stdout.splitlines()[-30:])
        raise Failure(f'{command[0]} failed with status {done.returncode}:\n{tail}')
    return done.stdout


def remove(directory):
    """All of it, but never what is mounted there."""
    subprocess.run(['rm', '-rf', '--one-file-system', '--', directory], check=False)


# ------------------------------------------------------------------------------------- the machine's own archive

def host_codename():
    for line in pathlib.Path('/etc/os-release').read_text().splitlines():
        if line.startswith('VERSION_CODENAME='):
            return line.partition('=')[2].strip('"')
    raise Failure('/etc/os-release names no release')


def archives():
    """{'': URI, '-security': URI…} of the archives that this machine's apt uses for its own release."""
    own, found = host_codename(), {}
    listed = run('apt-get', 'indextargets', '--format', '$(RELEASE) $(COMPONENT) $(REPO_URI)', 'Identifier: Packages')
    for line in listed.splitlines():
        release, component, uri = line.split()
        if component == 'main' and release.startswith(own):
            found.setdefault(release[len(own):], uri)
    if '' not in found:
        raise Failure(f'apt has no archive of {own}, which the others would be asked for beside')
    return {suffix: uri for suffix, uri in found.items() if suffix in ('', '-updates', '-security')}


def apt_options():
    """How this machine reaches its archive: proxies and what it thinks of dates."""
    options = []
    for line in run('apt-config', 'dump', 'Acquire').splitlines():
        match = re.fullmatch(r'(Acquire::(?:Check-[\w-]+|Retries|(?:http|https)::[\w:.-]+)) "(.+)";', line)
        if match:
            options.append(f'{match[1]} "{match[2]}"')
    return options


LEFT_OUT = '/etc/dpkg/dpkg.cfg.d/vm'

# Runs a command with the directory $root, which becomes the target. In namespaces of its own, so that what is mounted
# below is gone with it, however it ends; and in memory where there is enough: packages are unpacked with a thousand waits
# for the disk, none of which a root needs.
MAKE_ROOT = r'''
set -eu
target=$1 command=$2
shift 2
export root="$target"
if [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -gt 6291456 ]; then
        mount -t tmpfs -o size=4G,mode=0755 tmpfs /mnt
        root=/mnt/root
fi
eval "$command"
[ "$root" = "$target" ] || cp -a "$root" "$target"
'''


def mmdebstrap(release, packages, target, *options):
    codename = recipe.RELEASES[release]
    sources = [f'deb {uri} {codename}{suffix} main' for suffix, uri in archives().items()]
    command = ['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', '--format=directory',
               f'--include={",".join(packages)}', '--aptopt=Acquire::Languages "none"',
               *(f'--aptopt={option}' for option in apt_options()),
               # By hand, as the option of this name has every package rewritten on its way.
               f'--setup-hook=printf "path-exclude=%s\\n" {shlex.join(recipe.PATHS_LEFT_OUT)} >"$1{LEFT_OUT}"', *options]
    script = f'{shlex.join(command)} {codename} "$root" {shlex.join(sources)}'
    # A mirror that is slow or drops a connection is no reason to fail.
    for attempt in 1, 2, 3:
        try:
            return run('unshare', '--mount', '--propagation', 'private', '--pid', '--mount-proc', '--fork',
                       '--kill-child', 'sh', '-c', MAKE_ROOT, 'sh', target, script,
                       env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C.UTF-8',
                            'DEBIAN_FRONTEND': 'noninteractive'})
        except Failure as error:
            if attempt == 3:
                raise
            say(f'once more: {error}')
            remove(target)
            time.sleep(5)


# ----------------------------------------------------------------------------------------------------- the roots

def write_files(root, files):
    for name, text in files.items():
        path = root / name.lstrip('/')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_machine(release, directory):
    """disk.ext4, vmlinuz and initrd in an empty directory."""
    root = directory / 'root'
    with tempfile.TemporaryDirectory(prefix='vm-initramfs.') as before:
        write_files(pathlib.Path(before), recipe.INITRAMFS)
        mmdebstrap(release, recipe.MACHINE_PACKAGES, root, f'--essential-hook=cp -R {before}/. "$1"')
    # What is installed later is installed whole.
    (root / LEFT_OUT.lstrip('/')).unlink()
    remove(root / 'var/lib/apt/lists')
    write_files(root, recipe.MACHINE_FILES)
    for name, (uid, groups) in recipe.USERS.items():
        run('chroot', root, 'useradd', '--create-home', '--user-group', '--uid', uid, '--shell', '/bin/bash',
            '--groups', ','.join(groups), '--key', 'HOME_MODE=0700', name)
    run('systemctl', f'--root={root}', 'set-default', 'vm.target')
    run('systemctl', f'--root={root}', 'add-wants', 'vm.target', 'vm-job.service')
    for unit in recipe.MASKED:
        (root / 'etc/systemd/system' / unit).unlink(missing_ok=True)
        (root / 'etc/systemd/system' / unit).symlink_to('/dev/null')
    for name in 'vmlinuz', 'initrd.img':
        shutil.copyfile(sorted((root / 'boot').glob(f'{name}-*'))[-1], directory / name)
    run('mke2fs', '-q', '-F', '-t', 'ext4', '-d', root, directory / 'disk.ext4', recipe.MACHINE_SIZE)
    remove(root)


def make_builder(release, directory):
    mmdebstrap(release, recipe.BUILD_PACKAGES, directory / 'root')


MAKERS = {'machine': make_machine, 'builder': make_builder}


def name_of(kind, release):
    source = pathlib.Path(recipe.__file__).read_text() + inspect.getsource(MAKERS[kind])
    return f'{kind}{release}-{hashlib.sha256(source.encode()).hexdigest()[:12]}'


@contextlib.contextmanager
def locked(path, how):
    with open(path, 'a') as file:
        fcntl.flock(file, how)
        yield


def sweep():
    for unfinished in cache().glob('*.new.*'):
        if time.time() - unfinished.stat().st_mtime > 86400:
            remove(unfinished)
    for used in cache().glob('*.used'):
        kept = used.with_suffix('')
        if time.time() - used.stat().st_mtime < KEEP_SECONDS:
            continue
        with contextlib.suppress(BlockingIOError), locked(kept.with_suffix('.lock'), fcntl.LOCK_EX | fcntl.LOCK_NB):
            remove(kept)
            used.unlink(missing_ok=True)


def make(kind, release, directory):
    say(f'making a {kind} of Debian {release}, once; this takes minutes')
    start = time.monotonic()
    unfinished = pathlib.Path(tempfile.mkdtemp(prefix=f'{directory.name}.new.', dir=cache()))
    try:
        unfinished.chmod(0o755)
        MAKERS[kind](release, unfinished)
        unfinished.rename(directory)
    finally:
        remove(unfinished)
    say(f'the {kind} of Debian {release} took {time.monotonic() - start:.0f} s')


@contextlib.contextmanager
def root(kind, release):
    """The directory of a root, made where there is none yet; nobody takes it away within."""
    directory = cache() / name_of(kind, release)
    lock, used = directory.with_suffix('.lock'), directory.with_suffix('.used')
    while True:
        # Shared by all who use it, alone for whoever makes it.
        with locked(lock, fcntl.LOCK_SH):
            if directory.exists():
                used.touch()
                yield directory
                return
        with locked(lock, fcntl.LOCK_EX):
            if not directory.exists():
                make(kind, release, directory)
        sweep()
