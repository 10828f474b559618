#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# alone: it compares the machine before and after
# sanitizers: no, what such a broker takes of memory and time says nothing of the real one
"""Thousands of launches of every kind, good and bad, by several users at once: afterwards all is as it was.

ENDURANCE=N in its environment makes it N launches.
"""

import os
import pathlib
import re
import time

from common import BUS, CGROUP, ERROR, ROOT, SystemTest, add_profile, broker_pid, main, pids_of, remove_profile, state, stop_all
from rawbus import RawBus, launch_body, read_string
from test_flood import in_a_child_as, join

ACCESS = '[Access]\nAllowGroups=users\nMaxInstances=32\n'

# {name: (profile, error of the launch)}
KINDS = {
    'well': ('[Exec]\nExecStart=/usr/bin/true\n', None),
    'status': ('[Exec]\nExecStart=/usr/bin/false\n', None),
    'signal': ("[Exec]\nExecStart=/usr/bin/sh -c 'kill -KILL $$'\n", None),
    'children': ("[Exec]\nExecStart=/usr/bin/sh -c 'sleep 9 & exit 0'\n", None),
    'once': ('[Exec]\nExecStart=/usr/bin/true\n[Service]\nType=oneshot\n', None),
    'long': ('[Exec]\nExecStart=/usr/bin/sleep infinity\n[Service]\nRuntimeMaxSec=1ms\n', None),
    'again': ('[Exec]\nExecStart=/usr/bin/false\n[Service]\nRestart=on-failure\nRestartSec=0\nStartLimitBurst=2\n', None),
    'own': ('[Exec]\nExecStart=/usr/bin/true\n[Namespaces]\nPrivateUsers=self\n', None),
    'kept': ('[Exec]\nExecStart=/usr/bin/true\n[Files]\nPersistentHome=yes\nStateDirectory=kept\nRuntimeDirectory=kept\n', None),
    'many': ('[Exec]\nExecStart=/usr/bin/true\n[Files]\nProtectHome=tmpfs\nTemporaryFileSystem=/srv /opt\n'
             'BindReadOnlyPaths=/usr/share:/srv/a:noidmap /usr/lib:/srv/b:noidmap\nInaccessiblePaths=/usr/share/dbus-1\n', None),
    'missing': ('[Exec]\nExecStart=/usr/bin/true\n[Files]\nBindPaths=%h/none\n', 'SetupFailed'),
    'no-program': ('[Exec]\nExecStart=/usr/bin/none\n', 'SetupFailed'),
    'no-place': ('[Exec]\nExecStart=/usr/bin/true\nWorkingDirectory=/none\n', 'SetupFailed'),
    'none': (None, 'NoSuchProfile'),
}
MEMORY = ("[Exec]\nExecStart=/usr/bin/sh -c 'x=x; while :; do x=$x$x; done'\n[Resources]\nMemoryMax=16M\nMemorySwapMax=0\n", None)


def launch_many(n, kinds, offset):
    """Each kind in its turn; stops at the first answer that is not the kind's."""
    bus = RawBus()
    for i in range(n):
        name = kinds[(i + offset) % len(kinds)]
        wanted = KINDS[name][1]
        while True:
            error, body = bus.call(BUS, ROOT, BUS + '.Manager', 'Launch', 'sa{sv}', launch_body('e-' + name, []))
            if error != ERROR + 'RateLimited':
                break
            time.sleep(0.5)  # a fast machine may use up its user's share
        if error != (wanted and ERROR + wanted):
            print(f'{name}: {error} ({read_string(body) if error else ""}), and not {wanted}', flush=True)
            return False
    return True


def memory_of(pid):
    """KiB that are its own."""
    return int(re.search(r'^RssAnon:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text(), re.M)[1])


class Endurance(SystemTest):
    def setUp(self):
        if 'memory' in (CGROUP / 'cgroup.controllers').read_text().split():
            KINDS['memory'] = MEMORY
        for name, (text, _) in KINDS.items():
            if text:
                add_profile('e-' + name, ACCESS + text)
                self.addCleanup(remove_profile, 'e-' + name)

    def launch(self, n):
        kinds = list(KINDS)
        users = ('alice', 'bob', 'alice', 'bob')
        workers = [in_a_child_as(user, lambda i=i: launch_many(n // len(users), kinds, i * 4)) for i, user in enumerate(users)]
        self.assertEqual([join(pid) for pid in workers], [True] * len(users))
        stop_all()

    def test_thousands_of_launches_leave_nothing_behind(self):
        n = int(os.environ.get('ENDURANCE', 1500))
        # What the first ones need is kept for the others.
        self.launch(400)
        daemons = [broker_pid(), *pids_of('immured-keeper')]
        before, memory = state(), [memory_of(pid) for pid in daemons]
        start = time.monotonic()
        self.launch(n)
        print(f'{n} launches in {time.monotonic() - start:.1f} s', flush=True)
        self.assert_unchanged(before)
        self.assertEqual([broker_pid(), *pids_of('immured-keeper')], daemons)
        after = [memory_of(pid) for pid in daemons]
        print(f'memory of broker and keepers in KiB: {memory} before, {after} after', flush=True)
        for then, now in zip(memory, after):
            self.assertLess(now - then, 512, 'KiB more')


if __name__ == '__main__':
    main()
