#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: timeout=900
"""What the kernel counts for each user, with limits that only a machine of the tests' own can have that low."""

import contextlib
import pathlib

from booted import PATIENCE, BootedTest, immurectl, main, run, start_as, stop_all
from test_counters import PROFILE, PROGRAM

NAMESPACES = {'user': 0x10000000, 'pid': 0x20000000, 'uts': 0x4000000, 'ipc': 0x8000000, 'net': 0x40000000,
              'mnt': 0x20000, 'cgroup': 0x2000000, 'time': 0x80}
# What the expressions below call: a child that keeps a namespace till its parent ends, and a watch of a new directory.
FUNCTIONS = '''
import select, signal
def unshare(kind):
    r, w = os.pipe()
    if os.fork() == 0:
        libc.prctl(1, 9)
        os.write(w, bytes([ctypes.get_errno() if libc.unshare(0x10000000 | kind) < 0 else 0]))
        signal.pause()
    error = os.read(r, 1)[0]
    os.close(r)
    os.close(w)
    if error:
        raise OSError(error, os.strerror(error))
watches = libc.inotify_init1(0)
def watch(n):
    name = f"/tmp/{os.getpid()}/{n}"
    os.makedirs(name)
    check(libc.inotify_add_watch(watches, name.encode(), 2))
polled = select.epoll()
def add_key(n):
    check(libc.syscall(248 if os.uname().machine == "x86_64" else 217, b"user", b"k%d" % n, b"x", 1, -3))
'''
PROGRAM = PROGRAM.replace('SIGNAL, COUNT', FUNCTIONS.replace('{', '{{').replace('}', '}}') + 'SIGNAL, COUNT', 1)

# {what: (sysctl, value, what takes one, whether it goes by the application's own id)}
COUNTED = {f'{name} namespaces': (f'user/max_{name}_namespaces', 100, f'unshare({kind})', False)
           for name, kind in NAMESPACES.items()} | {
    'inotify watches': ('user/max_inotify_watches', 600, 'watch(COUNT)', False),
    'epoll watches': ('fs/epoll/max_user_watches', 600, 'polled.register(os.eventfd(0))', True),
    'pages of pipes': ('fs/pipe-user-pages-hard', 400, 'os.pipe()', True),
    'keys': ('kernel/keys/maxkeys', 20, 'add_key(COUNT)', True),
}
KEYS = 'RestrictNamespaces=no\n[Security]\nSystemCallFilter=@system-service unshare @keyring\n'


@contextlib.contextmanager
def sysctl(name, value):
    path = pathlib.Path('/proc/sys', name)
    before = path.read_text()
    path.write_text(str(value))
    try:
        yield
    finally:
        path.write_text(before)


class Counters(BootedTest):
    def setUp(self):
        super().setUp()
        for users in ('pick', 'self'):
            text = PROFILE.format(users=users)
            self.profile('counted-' + users, text[:text.index('[Security]')] + KEYS)

    def modest(self, user, take):
        return immurectl(user, 'run', 'counted-pick', '-c', PROGRAM.format(greedy=False, take=take)).stdout.strip()

    def one_takes_from_nobody_else(self, profile, take):
        taker = start_as('alice', 'immurectl', 'run', profile, '-c', PROGRAM.format(greedy=True, take=take), text=True)
        try:
            self.assertRegex(taker.stdout.readline(), r'^took [1-9]\d* ')
            outside = run('/usr/bin/python3', '-I', '-c', PROGRAM.format(greedy=False, take=take), timeout=PATIENCE)
            self.assertEqual(outside.stdout.strip(), 'got one', outside.stderr)
            self.assertEqual(self.modest('bob', take), 'got one')
            self.assertEqual(self.modest('alice', take), 'got one')
        finally:
            stop_all()
            taker.communicate(timeout=PATIENCE)

    def test_one_sandbox_at_its_limit_takes_from_nobody_else(self):
        for what, (name, value, take, by_own_id) in COUNTED.items():
            for profile in ('counted-pick',) if by_own_id else ('counted-pick', 'counted-self'):
                with self.subTest(what=what, profile=profile), sysctl(name, value):
                    self.one_takes_from_nobody_else(profile, take)


if __name__ == '__main__':
    main()
