#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of profiles with the controllers of a booted machine: what is set, what it does, and what neighbours feel."""

import os
import pathlib
import statistics
import time

from booted import BootedTest, cgroup, fields, launch, main, sandbox_property, sandboxes, busctl, wait_for

MIB = 1024 * 1024
HEAD = '[Access]\nAllowGroups=users\nMaxInstances=8\nArguments=append\n[Exec]\nExecStart=/usr/bin/python3 -I -c\n'

# Works on every line it gets, and answers.
ANSWER = 'import sys\nfor line in sys.stdin:\n    sum(range(20000))\n    print(flush=True)\n'
BOMB = 'import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n'
HOG = 'held = []\nwhile True:\n    held.append(bytearray(b"x" * (4 << 20)))\n'


class Limits(BootedTest):
    def test_each_limit_is_in_its_file(self):
        root_device = os.stat('/').st_dev
        device = pathlib.Path(f'/sys/dev/block/{os.major(root_device)}:{os.minor(root_device)}').resolve().name
        self.profile('limits', HEAD + f'''[Resources]
MemoryLow=8M
MemoryHigh=48M
MemoryMax=64M
MemorySwapMax=16M
CPUWeight=37
CPUQuota=30%
AllowedCPUs=1
IOWeight=55
IOReadBandwidthMax=/dev/{device} 5M
IOWriteIOPSMax=/dev/{device} 700
TasksMax=23
''')
        _, path = launch('alice', 'limits', 'import time; time.sleep(9999)')
        place = cgroup(path)
        number = f'{os.major(root_device)}:{os.minor(root_device)}'
        for name, value in {'memory.low': 8 * MIB, 'memory.high': 48 * MIB, 'memory.max': 64 * MIB,
                            'memory.swap.max': 16 * MIB, 'memory.oom.group': 1, 'cpu.weight': 37, 'pids.max': 23,
                            'cpuset.cpus': 1, 'cpuset.cpus.effective': 1}.items():
            self.assertEqual((place / name).read_text().strip(), str(value), name)
        quota, period = (place / 'cpu.max').read_text().split()
        self.assertAlmostEqual(int(quota) / int(period), 0.3)
        self.assertIn('55', (place / 'io.weight').read_text().split() if (place / 'io.weight').exists() else ['55'])
        self.assertIn(f'{number} rbps={5 * MIB} wbps=max riops=max wiops=700', (place / 'io.max').read_text())

    def test_memory_hog_is_killed_whole_and_told_so(self):
        self.profile('hog', HEAD + '[Resources]\nMemoryMax=64M\nMemorySwapMax=0\n')
        id, path = launch('alice', 'hog', f'import os\nos.fork()\n{HOG}')
        wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'oom-kill')

    def test_fork_bomb_stays_within_its_number(self):
        self.profile('bomb', HEAD + '[Resources]\nTasksMax=40\nCPUQuota=50%\n')
        _, path = launch('alice', 'bomb', BOMB)
        place = cgroup(path)
        wait_for('its limit to be hit', lambda: fields(place / 'pids.events')['max'] > 0)
        for _ in range(20):
            self.assertLessEqual(int((place / 'pids.current').read_text()), 40)
            time.sleep(0.05)
        pids = (place / 'cgroup.procs').read_text().split()
        busctl('alice', 'Stop', 's', next(iter(sandboxes())))
        self.assertFalse(place.exists())
        self.assertEqual([pid for pid in pids if os.path.exists(f'/proc/{pid}')], [])

    def test_cpu_quota_holds(self):
        self.profile('busy', HEAD + '[Resources]\nCPUQuota=20%\n')
        _, path = launch('alice', 'busy', 'while True: pass')
        stat = cgroup(path) / 'cpu.stat'
        wait_for('it to be slowed down', lambda: fields(stat)['nr_throttled'] > 5)
        start, used = time.monotonic(), fields(stat)['usage_usec']
        time.sleep(5)
        share = (fields(stat)['usage_usec'] - used) / 1e6 / (time.monotonic() - start)
        self.assertLess(share, 0.3)


class Neighbours(BootedTest):
    """Somebody else's latency, in the presence of the one and without, by turns; medians, as the machine has moods."""

    TURNS, ASKED = 6, 25

    def ask(self, client):
        start = time.monotonic()
        client.stdin.write(b'\n')
        client.stdin.flush()
        client.stdout.readline()
        return time.monotonic() - start

    def assert_not_felt(self, appear, disappear):
        client = self.python('bob', ANSWER)
        for _ in range(self.ASKED):
            self.ask(client)
        alone, beside = [], []
        for _ in range(self.TURNS):
            alone += [self.ask(client) for _ in range(self.ASKED)]
            appear()
            beside += [self.ask(client) for _ in range(self.ASKED)]
            disappear()
        print(f'latency {statistics.median(alone) * 1000:.2f} ms alone, {statistics.median(beside) * 1000:.2f} ms beside')
        self.assertLess(statistics.median(beside), 2 * statistics.median(alone))

    def test_fork_bomb_is_not_felt_next_door(self):
        self.profile('bomb', HEAD + '[Resources]\nTasksMax=40\nCPUQuota=50%\n')
        id, path = launch('alice', 'bomb', BOMB)
        wait_for('its limit to be hit', lambda: fields(cgroup(path) / 'pids.events')['max'] > 0)
        busctl('alice', 'Freeze', 's', id)
        self.assert_not_felt(lambda: busctl('alice', 'Thaw', 's', id), lambda: busctl('alice', 'Freeze', 's', id))

    def test_memory_hog_is_not_felt_next_door(self):
        # Each time it is killed, it is started again.
        self.profile('hog', HEAD + '[Service]\nRestart=always\nRestartSec=0\nStartLimitIntervalSec=0\n'
                     '[Resources]\nMemoryMax=64M\nMemorySwapMax=0\nCPUQuota=50%\n')
        id, path = launch('alice', 'hog', HOG)
        wait_for('it to be killed', lambda: sandbox_property(path, 'NRestarts') > 0)
        busctl('alice', 'Stop', 's', id)
        running = []
        self.assert_not_felt(lambda: running.append(launch('alice', 'hog', HOG)[0]),
                             lambda: busctl('alice', 'Stop', 's', running.pop()))


if __name__ == '__main__':
    main()
