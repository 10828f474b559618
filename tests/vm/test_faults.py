#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which limit a sandbox ran into, and whose it was: the rows, the signal, and the entry in the journal."""

import json

from booted import (BootedTest, busctl, cgroup, check, fields, immurectl, launch, main, run, sandboxes, slice_unit, systemctl,
                    wait_for)
from rawbus import bus_of, read_string

MIB = 1024 * 1024
BROKER, ROOT, MANAGER = 'org.immured.Broker1', '/org/immured/Broker1', 'org.immured.Broker1.Manager'
HEAD = '[Access]\nAllowGroups=users\nArguments=append\n[Exec]\nExecStart=/usr/bin/python3 -I -c\n'
HOG = 'held = []\nwhile True:\n    held.append(bytearray(b"x" * (4 << 20)))\n'
FORKS = '''
import os, time
for _ in range(100):
    try:
        if os.fork() == 0:
            break
    except OSError:
        time.sleep(0.2)
time.sleep(9999)
'''


def subscribe(user):
    bus = bus_of(user)
    error, _ = bus.call(BROKER, ROOT, MANAGER, 'Subscribe')
    assert error is None, error
    return bus


class Faults(BootedTest):
    def rows(self, user, id, resource):
        return [row for row in busctl(user, 'GetFaults', 's', id)[0] if row[1] == resource]

    def wait_for_row(self, user, id, resource):
        return wait_for(f'a hit of {resource}', lambda: self.rows(user, id, resource))[0]

    def limit_slice(self, user, *properties):
        systemctl('set-property', '--runtime', slice_unit(user), *properties)
        self.addCleanup(systemctl, 'revert', slice_unit(user))

    def journal_of(self, id, resource):
        check('journalctl', '--sync')
        lines = check('journalctl', '-o', 'json', f'IMMURED_ID={id}', f'IMMURED_RESOURCE={resource}').splitlines()
        return [json.loads(line) for line in lines]

    def test_memory_of_the_sandbox(self):
        self.profile('hog', HEAD + '[Resources]\nMemoryMax=64M\nMemorySwapMax=0\n')
        alice, bob = subscribe('alice'), subscribe('bob')
        self.addCleanup(alice.close), self.addCleanup(bob.close)
        id, _ = launch('alice', 'hog', HOG)
        wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')

        _, _, level, value, limit, _ = self.wait_for_row('alice', id, 'OOM')
        self.assertEqual((level, limit), ('sandbox', 64 * MIB))
        self.assertGreater(value, 60 * MIB)
        self.assertLess(value, 66 * MIB)
        self.assertEqual(self.rows('alice', id, 'MemoryMax')[0][2], 'sandbox')

        hit = None
        while hit != 'OOM':
            member, body = alice.next_signal()
            if member == 'LimitHit':
                self.assertEqual(read_string(body), id)
                offset = 4 + len(id) + 1
                hit = read_string(body, offset + -offset % 4)

        # Whoever may not see it hears of his own alone.
        launch('bob', 'sleep')
        members = []
        while 'SandboxNew' not in members:
            members.append(bob.next_signal()[0])
        self.assertNotIn('LimitHit', members)

        # The kernel counts what it killed: the application and its init may be seen as one or one after the other.
        for entry in (entries := self.journal_of(id, 'OOM')):
            self.assertEqual((entry['IMMURED_LEVEL'], entry['IMMURED_USER'], entry['IMMURED_UID']),
                             ('sandbox', 'alice', '1000'))
        self.assertEqual(len(entries), len(self.rows('alice', id, 'OOM')))
        self.assertGreater(len(entries), 0)
        self.assertIn('A sandbox ran into a limit', check('journalctl', '-x', f'MESSAGE_ID={entry["MESSAGE_ID"]}'))
        self.assertIn('OOM', immurectl('alice', 'faults', id).stdout)

        # The keeper has them, so a new broker does.
        before = busctl('alice', 'GetFaults', 's', id)
        check('systemctl', 'kill', '--signal=KILL', 'immured.service')
        wait_for('a broker', lambda: run('immurectl', 'status', id).returncode == 0)
        self.assertEqual(busctl('alice', 'GetFaults', 's', id), before)

    def test_memory_of_all_of_the_user(self):
        self.profile('glutton', HEAD + '[Resources]\nMemoryMax=1G\nMemorySwapMax=0\n')
        launch('alice', 'sleep')  # so that the slice is there
        self.limit_slice('alice', 'MemoryMax=96M', 'MemorySwapMax=0')
        id, _ = launch('alice', 'glutton', HOG)
        wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')

        row = self.wait_for_row('alice', id, 'OOM')
        self.assertEqual((row[2], row[4]), ('user', 96 * MIB))
        self.assertGreater(row[3], 64 * MIB)
        # The kill is of the one, the lack of memory of all.
        self.assertEqual(self.rows('alice', 'sleep.1000.1', 'OOM'), [])
        self.assertEqual(self.wait_for_row('alice', 'sleep.1000.1', 'MemoryMax')[2], 'user')

    def test_tasks_of_the_sandbox(self):
        self.profile('forks', HEAD + '[Resources]\nTasksMax=20\n')
        id, path = launch('alice', 'forks', FORKS)
        row = self.wait_for_row('alice', id, 'TasksMax')
        self.assertEqual((row[2], row[4]), ('sandbox', 20))
        self.assertTrue(any('python3' in process for process in row[5]), row)
        self.assertGreater(fields(cgroup(path) / 'pids.events')['max'], 0)

    def test_tasks_of_all_of_the_user(self):
        self.profile('forks', HEAD + '[Resources]\nTasksMax=500\n')
        launch('alice', 'sleep')
        self.limit_slice('alice', 'TasksMax=24')
        id, _ = launch('alice', 'forks', FORKS)
        row = self.wait_for_row('alice', id, 'TasksMax')
        self.assertEqual((row[2], row[4]), ('user', 24))

    def test_quota_of_the_processor(self):
        self.profile('busy', HEAD + '[Resources]\nCPUQuota=20%\n')
        id, path = launch('alice', 'busy', 'while True: pass')
        wait_for('it to be slowed down', lambda: fields(cgroup(path) / 'cpu.stat')['nr_throttled'] > 0)
        row = self.wait_for_row('alice', id, 'CPUQuota')
        self.assertEqual((row[2], row[4]), ('sandbox', 200000))
        self.assertGreater(row[3], 0)


if __name__ == '__main__':
    main()
