#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one launch visits, in broker, keeper and immured-exec: files, functions, calls that leave their file.

usage: launch.py TREE [BUILD]        build TREE with a recorder of calls (in BUILD, made if missing), launch, count

Of one Launch over the bus with the user's keeper running already, up to the application. TREE may be any version.
"""

import bisect
import collections
import os
import pathlib
import re
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
RECORDS = pathlib.Path('/run/house')
PROGRAMS = {'immured': 'src/broker/immured', 'immured-keeper': 'src/keeper/immured-keeper',
            'immured-exec': 'src/exec/immured-exec'}
# What is done again and again on the way, and ought to be done once.
WATCHED = re.compile(r'^(access_check|plan_encode\w*|plan_decode|plan_compile|deed_\w+|\w*details\w*|sha256)$')
HEADER = struct.Struct('=32sQQ')


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def build(tree, directory):
    recorder = directory.parent / (directory.name + '-recorder.o')
    run('cc', '-O2', '-D_GNU_SOURCE', '-c', HERE / 'recorder.c', '-o', recorder)
    if not (directory / 'build.ninja').exists():
        run('meson', 'setup', directory, tree, '-Dc_args=-finstrument-functions', f'-Dc_link_args={recorder}',
            '-Dwerror=false', '-Dtests=disabled', '-Dman=disabled', stdout=subprocess.DEVNULL)
    run('ninja', '-C', directory, '--quiet', stdout=subprocess.DEVNULL)


def launch():
    call = ['busctl', '--system', '--json=short', 'call', 'org.immured.Broker1', '/org/immured/Broker1',
            'org.immured.Broker1.Manager', 'Launch', 'sa{sv}', 'sleep', '0']
    alice = ['setpriv', '--reuid=alice', '--regid=alice', '--init-groups', '--bounding-set=-all', '--']
    return run(*alice, *call, stdout=subprocess.DEVNULL)


def counts():
    return {p.name: HEADER.unpack(p.read_bytes()[:HEADER.size])[2] for p in RECORDS.iterdir()}


def inside(directory):
    """In the rig, whose broker was started before anything could be recorded: it is started again."""
    RECORDS.mkdir()
    broker = pathlib.Path('/run/rig/broker.pid')
    before = broker.read_text()
    os.kill(int(before), 9)
    while broker.read_text() == before:
        time.sleep(0.1)
    time.sleep(1)
    launch()
    time.sleep(1)
    start = counts()
    launch()
    time.sleep(1)
    report(directory, start, counts())


def symbols(program):
    """Sorted addresses of functions, with their names and files."""
    listed = run('nm', '--defined-only', '-l', program, capture_output=True, text=True).stdout
    found = {}
    for line in listed.splitlines():
        match = re.match(r'([0-9a-f]+) [tT] (\S+)(?:\t(.*):\d+)?', line)
        if match:
            found[int(match[1], 16)] = (re.sub(r'\.(constprop|isra|part|cold)\.?.*', '', match[2]), match[3] or '?')
    return found


def report(directory, start, end):
    files, functions, calls, leaving = set(), set(), 0, 0
    by_program, watched = collections.Counter(), collections.Counter()
    for path in sorted(RECORDS.iterdir()):
        data = path.read_bytes()
        name, anchor, _ = HEADER.unpack(data[:HEADER.size])
        name = name.rstrip(b'\0').decode()
        if name not in PROGRAMS or end[path.name] == start.get(path.name, 0):
            continue
        table = symbols(directory / PROGRAMS[name])
        slide = anchor - next(a for a, (n, _) in table.items() if n == '__cyg_profile_func_enter')
        order = sorted(table)
        for i in range(start.get(path.name, 0), min(end[path.name], 1 << 20)):
            function, site = struct.unpack_from('=QQ', data, HEADER.size + 16 * i)
            callee = table.get(function - slide)
            caller = table.get(nearest(order, site - slide))
            if callee is None or '/src/' not in callee[1]:
                continue
            calls += 1
            leaving += caller is not None and caller[1] != callee[1]
            file = re.sub(r'.*/src/', 'src/', callee[1])
            files.add(file)
            functions.add((name, *callee))
            by_program[name, 'calls'] += 1
            if WATCHED.match(callee[0]):
                watched[name, callee[0]] += 1
    print(f'files {len(files)}, functions {len(functions)}, calls {calls}, of them leaving their file '
          f'{100 * leaving // max(calls, 1)} %')
    for program in PROGRAMS:
        mine = {f for p, f, _ in functions if p == program}
        there = {re.sub(r'.*/src/', 'src/', file) for p, _, file in functions if p == program}
        print(f'  {program}: files {len(there)}, functions {len(mine)}, calls {by_program[program, "calls"]}')
    for (program, name), n in sorted(watched.items()):
        print(f'  {program}: {name} {n} times')


def nearest(order, address):
    i = bisect.bisect_right(order, address)
    return order[i - 1] if i else None


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    tree = pathlib.Path(sys.argv[1]).resolve()
    directory = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else f'{tree}/build-house').resolve()
    if os.environ.get('IMMURED_RIG'):
        return inside(directory)
    build(tree, directory)
    run(tree / 'dev', 'rig', '--no-build', '--profiles', tree / 'tests/system/profiles', '--',
        '/usr/bin/python3', pathlib.Path(__file__).resolve(), tree, directory,
        env={**os.environ, 'BUILD_DIR': str(directory)}, stderr=subprocess.DEVNULL)


if __name__ == '__main__':
    main()
