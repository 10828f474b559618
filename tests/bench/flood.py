#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user's flood on the bus costs another: the time of his calls, and whose processor time it was."""

import argparse
import collections
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'system'))

from common import BUS, ROOT, broker_pid, launch, open_files, stop_all
from rawbus import DBUS, DBUS_PATH, bus_of, launch_body, read_string, string
from test_flood import Flooder, flood_for, in_a_child_as, join, memory_of

ONLY_THE_BUS = 'only the bus'  # nothing of it is for the broker
Flooder.CONTENT[ONLY_THE_BUS] = lambda bus: [bus.message(DBUS, DBUS_PATH, DBUS, 'GetId')
                                             for _ in range(64)]


def processor_time(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def waiting_time(pid):
    """How long it was ready to run and another did."""
    return int(pathlib.Path(f'/proc/{pid}/schedstat').read_text().split()[1]) / 1e9


def pid_of_bus():
    for path in pathlib.Path('/proc').glob('[0-9]*/comm'):
        if path.read_text().strip().startswith('dbus-'):
            return int(path.parent.name)
    return None


class Victim:
    def __init__(self):
        self.bus = bus_of('bob')
        self.times, self.errors = {}, collections.Counter()
        self.slowest = (0, 0)  # time of a launch with its stop, and when it began

    def ask(self, what, *arguments):
        start = time.monotonic()
        error, content = self.bus.call(*arguments)
        if error is None:
            self.times.setdefault(what, []).append(time.monotonic() - start)
            return content
        self.errors[f'{what}: {error}'] += 1
        return None

    def turn(self):
        self.ask('GetId of the bus', DBUS, DBUS_PATH, DBUS, 'GetId')
        self.ask('Ping of the broker', BUS, ROOT, DBUS + '.Peer', 'Ping')
        start = time.monotonic()
        content = self.ask('Launch', BUS, ROOT, BUS + '.Manager', 'Launch', 'sa{sv}', launch_body('sleep', []))
        while content is not None:
            if self.ask('Stop', BUS, ROOT, BUS + '.Manager', 'Stop', 's', string(read_string(content))) is not None:
                self.times.setdefault('Launch and Stop', []).append(time.monotonic() - start)
                self.slowest = max(self.slowest, (time.monotonic() - start, start))
                break


def measure(kinds, n, seconds):
    pids = {'bus': pid_of_bus(), 'broker': broker_pid()}
    for user in 'alice', 'bob':
        launch(user, 'sleep')  # from here on both have a keeper
    stop_all()
    n_files = len(open_files(pids['broker']))
    victim = Victim()
    victim.turn()
    victim.times.clear()
    victim.slowest = (0, 0)
    flooders = []
    try:
        for i in range(n):
            flooders.append(Flooder(kinds[i % len(kinds)]))
    except (OSError, EOFError, AssertionError):
        pass  # no more for one user
    begin = time.monotonic()
    used = {name: (processor_time(pid), waiting_time(pid)) for name, pid in pids.items()}
    others = [in_a_child_as('alice', lambda: flood_for(seconds, flooders[i::4])) for i in range(4)]
    for flooder in flooders:
        flooder.bus.close()
    rss, n_files_most = 0, 0
    while time.monotonic() - begin < seconds:
        victim.turn()
        rss = max(rss, memory_of(pids['broker'], 'VmRSS'))
        n_files_most = max(n_files_most, len(open_files(pids['broker'])))
    taken = time.monotonic() - begin
    shares = {name: ((processor_time(pid) - used[name][0]) / taken, (waiting_time(pid) - used[name][1]) / taken)
              for name, pid in pids.items()}
    shares['flooders'] = (sum(map(processor_time, others)) / taken, sum(map(waiting_time, others)) / taken)
    print(f'{len(flooders)} connections, {", ".join(kinds)}: {taken:.1f} s')
    for what, times in victim.times.items():
        times.sort()
        print(f'  {what:20} {len(times):5} times, median {times[len(times) // 2] * 1000:9.1f} ms, '
              f'99 of 100 within {times[min(len(times) * 99 // 100, len(times) - 1)] * 1000:9.1f} ms')
    print(f'  the slowest launch with its stop took {victim.slowest[0] * 1000:.1f} ms and began '
          f'{victim.slowest[1] - begin:.1f} s into the flood')
    print(f'  errors: {dict(victim.errors) or "none"}')
    print('  processor: ' + ', '.join(f'{name} {share:.0%} and {wait:.0%} waiting for one' for name, (share, wait) in shares.items()))
    print(f'  broker: {rss >> 10} KiB and once {memory_of(pids["broker"], "VmHWM") >> 10} KiB, descriptors {n_files} before and at most {n_files_most} meanwhile; '
          f'bus: {memory_of(pids["bus"], "VmRSS") >> 10} KiB', flush=True)
    for other in others:
        join(other)
    victim.bus.close()
    stop_all()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--connections', type=int, default=248)
    parser.add_argument('--kind', action='append', choices=list(Flooder.CONTENT), help='by default all but the last')
    options = parser.parse_args()
    kinds = options.kind or [kind for kind in Flooder.CONTENT if kind != ONLY_THE_BUS]
    measure(kinds, options.connections, options.seconds)


if __name__ == '__main__':
    main()
