#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13
"""What one user's sandboxes may have together is a matter of immured-UID.slice, with nothing but systemd."""

import os

from booted import (BootedTest, cgroup, drop_in, fields, is_active, keeper_unit, launch, main, sandbox_property,
                    sandboxes, slice_unit, systemctl, unit_property, wait_for)

MIB = 1024 * 1024

# Takes so many MiB and not a moment more, says so, and holds them.
HOLD = """
import time
held = bytearray({} << 20)
for i in range(0, len(held), 4096):
    held[i] = 1
print("held", flush=True)
time.sleep(9999)
"""


class Slices(BootedTest):
    def test_sandboxes_are_below_the_slice_of_their_user(self):
        for user in 'alice', 'bob':
            _, path = launch(user, 'sleep')
            self.assertTrue(cgroup(path).is_dir())
            self.assertEqual(cgroup(path).parent, cgroup(keeper_unit(user)))
            self.assertEqual(cgroup(path).parent.parent, cgroup(slice_unit(user)))
            self.assertEqual(cgroup(slice_unit(user)).parent, cgroup('immured.slice'))
            self.assertIn(str(sandbox_property(path, 'Leader')), (cgroup(path) / 'cgroup.procs').read_text().split())

    def test_stop_of_a_slice_ends_all_of_its_user_and_nobody_else(self):
        ended = [launch('alice', 'sleep') for _ in range(3)]
        kept = [launch('bob', 'sleep') for _ in range(2)]
        pids = {path: sandbox_property(path, 'MainPID') for _, path in ended + kept}
        client = self.python('alice', 'print(1, flush=True); import time; time.sleep(9999)')
        self.assertEqual(client.stdout.readline(), b'1\n')
        systemctl('stop', slice_unit('alice'))
        for _, path in ended:
            self.assertFalse(os.path.exists(f'/proc/{pids[path]}'))
        self.assertNotEqual(client.wait(120), 0)
        self.assertFalse(is_active(keeper_unit('alice')))
        for _, path in kept:
            self.assertEqual(sandbox_property(path, 'MainPID'), pids[path])
            self.assertTrue(os.path.exists(f'/proc/{pids[path]}'))
        wait_for('the broker to know', lambda: {row['uid'] for row in sandboxes().values()
                                                if row['state'] == 'running'} == {1001})
        launch('alice', 'sleep')  # and may start anew

    def test_limit_of_a_slice_that_runs(self):
        launch('alice', 'sleep')
        systemctl('set-property', '--runtime', slice_unit('alice'), 'MemoryMax=300M', 'TasksMax=77')
        try:
            place = cgroup(slice_unit('alice'))
            self.assertEqual((place / 'memory.max').read_text().strip(), str(300 * MIB))
            self.assertEqual((place / 'pids.max').read_text().strip(), '77')
            self.assertEqual(sorted(row['state'] for row in sandboxes().values()), ['running'])
        finally:
            systemctl('revert', slice_unit('alice'))

    def test_drop_in_for_the_slices_of_all_users(self):
        for user in 'alice', 'bob':  # one that is there already takes its new settings when it starts the next time
            systemctl('stop', slice_unit(user))
        with drop_in('immured-.slice', '[Slice]\nMemoryMax=400M\n'):
            for user in 'alice', 'bob':
                launch(user, 'sleep')
                self.assertEqual((cgroup(slice_unit(user)) / 'memory.max').read_text().strip(), str(400 * MIB))

    def test_total_holds_over_three_sandboxes(self):
        # Each may have as much as its profile says; all of them together only what the slice says.
        other = self.python('bob', HOLD.format(100))
        self.assertEqual(other.stdout.readline(), b'held\n')
        systemctl('start', slice_unit('alice'))
        systemctl('set-property', '--runtime', slice_unit('alice'), 'MemoryMax=200M', 'MemorySwapMax=0')
        try:
            first, second = (self.python('alice', HOLD.format(60)) for _ in range(2))
            for client in first, second:
                self.assertEqual(client.stdout.readline(), b'held\n')
            before = fields(cgroup(slice_unit('alice')) / 'memory.events')
            third = self.python('alice', HOLD.format(120))
            wait_for('an end', lambda: any(client.poll() is not None for client in (first, second, third)))
            place = cgroup(slice_unit('alice'))
            self.assertGreater(fields(place / 'memory.events')['oom_kill'], before['oom_kill'])
            self.assertLessEqual(int((place / 'memory.peak').read_text()), 200 * MIB)
            # Whole sandboxes, not single processes of them, and no other user's, and not the keeper.
            self.assertIsNone(other.poll())
            self.assertTrue(is_active(keeper_unit('alice')))
            self.assertIn('failed', [row['state'] for row in sandboxes('alice').values()])
            self.assertEqual([row['state'] for row in sandboxes('bob').values()], ['running'])
        finally:
            systemctl('revert', slice_unit('alice'))


if __name__ == '__main__':
    main()
