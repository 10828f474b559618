#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the kernel counts for each user: one sandbox at its limit takes nothing from anybody else."""

import subprocess

from common import PATIENCE, add_profile, immurectl, main, remove_profile, start_as, stop_all
from test_hostile import Hostile

PROFILE = '''[Access]
AllowGroups=users
MaxInstances=8
Arguments=append
[Exec]
ExecStart=/usr/bin/python3 -I
StandardInput=client
StandardOutput=client
StandardError=client
[Namespaces]
PrivateUsers={users}
[Security]
SystemCallFilter=@system-service fanotify_init
'''

COMMON = '''
import ctypes, os, resource, sys
libc = ctypes.CDLL(None, use_errno=True)
librt = ctypes.CDLL("librt.so.1", use_errno=True)
libc.shmat.restype = ctypes.c_void_p
def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def all_of(kind):
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (hard, hard))
'''

# What takes one; everybody holds on to what they took. Those that are counted by an rlimit are counted in bytes or pieces.
TAKE = {
    'inotify instances': 'check(libc.inotify_init1(0))',
    'fanotify groups': 'check(libc.fanotify_init(0x200, 0))',  # FAN_REPORT_FID, which takes no privilege
    'queued signals': 'check(libc.sigqueue(os.getpid(), SIGNAL, None))',
    'timers': 'check(libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())))',
    'message queues': 'check(librt.mq_open(b"/q%d" % COUNT, os.O_CREAT | os.O_RDWR, 0o600, None))',
    'locked shared memory': 'check(libc.shmctl(check(libc.shmget(0, 1 << 20, 0o1600)), 11, None))',  # SHM_LOCK
}

PROGRAM = COMMON + '''
SIGNAL, COUNT = 40, 0
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [SIGNAL])
if {greedy}:
    try:
        all_of(resource.RLIMIT_NOFILE)
        while COUNT < 1000000:
            {take}
            COUNT += 1
        print("without end", flush=True)
    except OSError as e:
        print("took", COUNT, e.strerror, flush=True)
    sys.stdin.read()
else:
    try:
        {take}
        print("got one", flush=True)
    except OSError as e:
        print(e.strerror, flush=True)
'''


class Counters(Hostile):
    def setUp(self):
        for users in ('pick', 'self'):
            self.add('counted-' + users, PROFILE.format(users=users))
        self.addCleanup(stop_all)

    def greedy(self, user, profile, take):
        taker = start_as(user, 'immurectl', 'run', profile, '-c', PROGRAM.format(greedy=True, take=take), text=True)
        self.addCleanup(taker.wait, PATIENCE)
        self.addCleanup(taker.stdin.close)
        self.addCleanup(taker.stdout.close)
        self.addCleanup(taker.stderr.close)
        return taker.stdout.readline()

    def modest(self, user, profile, take):
        return immurectl(user, 'run', profile, '-c', PROGRAM.format(greedy=False, take=take)).stdout.strip()

    def test_one_sandbox_at_its_limit_takes_from_nobody_else(self):
        for what, take in TAKE.items():
            for profile in ('counted-pick', 'counted-self'):
                with self.subTest(what=what, profile=profile):
                    # Python's child of immurectl reads its standard input till its end: it holds what it took till then.
                    self.assertRegex(self.greedy('alice', profile, take), r'^took [1-9]\d* ')
                    outside = subprocess.run(['/usr/bin/python3', '-I', '-c', PROGRAM.format(greedy=False, take=take)],
                                             capture_output=True, text=True, timeout=PATIENCE)
                    self.assertEqual(outside.stdout.strip(), 'got one')
                    self.assertEqual(self.modest('bob', 'counted-pick', take), 'got one')
                    self.assertEqual(self.modest('bob', 'counted-self', take), 'got one')
                    self.assertEqual(self.modest('alice', 'counted-pick', take), 'got one')
                    stop_all()


if __name__ == '__main__':
    main()
