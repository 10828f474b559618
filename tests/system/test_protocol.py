#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""What no honest client sends: hostile values for every member there is, clients that leave at once, and races."""

import os
import pathlib
import pwd
import random
import shutil
import re
import struct
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from common import (BUS, CGROUP, ERROR, PATIENCE, RIG, ROOT, SystemTest, add_profile, broker_pid, launch, main,
                    immurectl, remove_profile, sandboxes, state, stop_all, wait_for)
import rawbus
from rawbus import RawBus, bus_of, launch_body, padded, read_string, string

SECONDS = 8
SEED = 20250611
MARK = 'WRITTEN-BY-A-CLIENT'
STRINGS = ['', 'sleep', 'sleep.0.1', 'sleep.3001.1', MARK, f'\n{MARK}', f'a\n{MARK}\n', '\x1b[31m', '\x07\x08\x7f', '%n%n%s%s',
           '../../etc/passwd', '/', '.', 'a' * 33, 'x' * 4096, 'y' * 65536, '\u202e\ufeff', 'Ä', '-1', '0' * 300,
           'SIGKILL', 'main', 'all', 'MemoryMax', 'StandardInput', 'Arguments', 'Environment', 'A=b', '=', 'a' * 256]
PATHS = ['/', ROOT, ROOT + '/sandbox/_', ROOT + '/user/_30', ROOT + '/' + 'a' * 300]
NUMBERS = [0, 1, 2, 9, 127, 128, 255, 256, 3001, 65535, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1]
SIZES = {'y': 1, 'b': 4, 'n': 2, 'q': 2, 'i': 4, 'u': 4, 'x': 8, 't': 8, 'd': 8, 'h': 4}
ALIGNMENT = SIZES | {'s': 4, 'o': 4, 'g': 1, 'v': 1, 'a': 4, '(': 8, '{': 8}


def first_type(signature):
    """The length of the first complete type."""
    if signature[0] == 'a':
        return 1 + first_type(signature[1:])
    if signature[0] not in '({':
        return 1
    depth = 0
    for i, c in enumerate(signature):
        depth += (c in '({') - (c in ')}')
        if depth == 0:
            return i + 1
    raise ValueError(signature)


class Hostile:
    """Well-formed bytes of any signature, with values that nobody means."""

    def __init__(self, source):
        self.source = source
        self.n_fds = 0

    def signature(self):
        return ''.join(self.source.choice(['s', 'u', 'v', 'as', 'a{sv}', 'h', 'x', '(su)', 'ay', 'o', 'b', 'aas'])
                       for _ in range(self.source.randrange(4)))

    def values(self, signature, data=b'', depth=0):
        """data, and behind it values for the signature."""
        while signature:
            n = first_type(signature)
            data = self.value(signature[:n], padded(data, ALIGNMENT[signature[0]]), depth)
            signature = signature[n:]
        return data

    def value(self, kind, data, depth):
        if kind == 'h':
            self.n_fds = 3
            return data + struct.pack('<I', self.source.randrange(3))
        if kind == 'b':
            return data + struct.pack('<I', self.source.randrange(2))
        if kind in SIZES:
            return data + (self.source.choice(NUMBERS) % (1 << 8 * SIZES[kind])).to_bytes(SIZES[kind], 'little')
        if kind in 'so':
            return data + string(self.source.choice(STRINGS if kind == 's' else PATHS))
        if kind == 'g':
            return data + b'\2as\0'
        if kind == 'v':
            inner = self.source.choice(['s', 'as', 'u', 't', 'b', 'h', 'ay', 'a{sv}', 'a(ss)', 'i']) if depth < 4 else 'y'
            return self.values(inner, data + bytes([len(inner)]) + inner.encode() + b'\0', depth + 1)
        if kind[0] in '({':
            return self.values(kind[1:-1], data, depth + 1)
        size_at, begin = len(data), len(padded(data + b'\0' * 4, ALIGNMENT[kind[1]]))
        data = data.ljust(begin, b'\0')
        for _ in range(self.source.choice([0, 1, 2, 3, 60]) if depth < 2 else 1):
            data = self.values(kind[1:], data, depth + 1)
        return data[:size_at] + struct.pack('<I', len(data) - begin) + data[size_at + 4:]


def walk(bus, path='/'):
    """[(path, interface, member, signature)] of all methods, and [(path, interface, name)] of all properties."""
    error, content = bus.call(BUS, path, 'org.freedesktop.DBus.Introspectable', 'Introspect')
    assert error is None, (path, error)
    methods, properties = [], []
    tree = ElementTree.fromstring(read_string(content))
    for interface in tree.iter('interface'):
        for m in interface.iter('method'):
            signature = ''.join(a.get('type') for a in m.iter('arg') if a.get('direction', 'in') == 'in')
            methods.append((path, interface.get('name'), m.get('name'), signature))
        properties += [(path, interface.get('name'), p.get('name')) for p in interface.iter('property')]
    for node in tree.findall('node'):
        more = walk(bus, path.rstrip('/') + '/' + node.get('name'))
        methods += more[0]
        properties += more[1]
    return methods, properties


class Protocol(SystemTest):
    def setUp(self):
        self.pid = broker_pid()
        for user in 'root', 'alice':
            launch(user, 'sleep')  # from here on both have a keeper
        stop_all()

    def descriptors(self):
        """Three that are no streams, no pidfds, or half closed."""
        r, w = os.pipe()
        os.close(w)
        fds = [r, os.open('/', os.O_RDONLY), os.memfd_create('x')]
        self.addCleanup(lambda: [os.close(fd) for fd in fds])
        return fds

    def test_hostile_values_for_every_member_end_as_errors(self):
        before = state()
        launch('alice', 'sleep')
        fds = self.descriptors()
        source = random.Random(SEED)
        bus = RawBus()
        bus.socket.settimeout(PATIENCE)
        methods, properties = walk(bus)
        self.assertGreater(len(methods), 30)
        self.assertGreater(len(properties), 10)
        answers = {}
        end = time.monotonic() + SECONDS
        # Each at least once, whatever the time says, on one object of each kind; then what chance brings.
        rounds = list({call[1:]: call for call in
                       (*methods, *[(p, 'org.freedesktop.DBus.Properties', m, i, n)
                                    for p, i, n in properties for m in ('Get', 'Set')])}.values())
        while rounds or time.monotonic() < end:
            path, interface, member, *rest = rounds.pop() if rounds else source.choice(methods)
            hostile = Hostile(source)
            if len(rest) == 2:  # a property: what can be read, and the same with a value for it
                signature, body = 'ss', padded(string(rest[0]), 4) + string(rest[1])
                if member == 'Set':
                    signature, body = 'ssv', hostile.values('v', body)
            else:
                signature = rest[0] if source.random() < 0.8 else hostile.signature()
                body = hostile.values(signature)
            error, _ = bus.call(BUS, path, interface, member, signature, body, fds[:hostile.n_fds])
            answers[error] = answers.get(error, 0) + 1
            if error is not None:
                self.assertTrue(error.startswith((ERROR, 'org.freedesktop.DBus.Error.')), error)
                self.assertNotIn(error.rpartition('.')[2], ('NoReply', 'NoMemory', 'Failed', 'IOError'))
        print({str(error).rpartition('.')[2]: n for error, n in answers.items()})
        bus.close()
        self.assertEqual(broker_pid(), self.pid, 'it was started again')
        stop_all()
        self.assert_unchanged(before)
        self.assert_log_is_clean()

    def assert_log_is_clean(self):
        """No client writes a line of its own, nor to a terminal."""
        log = (RIG / 'broker.log').read_bytes()
        self.assertNotIn(b'\x1b', log)
        self.assertEqual([line for line in log.splitlines() if line.startswith(MARK.encode())], [])

    def test_what_is_no_message_ends_its_own_connection_only(self):
        for body in (struct.pack('<I', 2) + b'\xff\xfe\0', struct.pack('<I', 99) + b'short\0', struct.pack('<I', 2) + b'a\0b\0'):
            bus = bus_of('alice')
            bus.socket.settimeout(PATIENCE)
            with self.assertRaises((EOFError, ConnectionError)):
                bus.call(BUS, ROOT, BUS + '.Manager', 'GetProfile', 's', body)
            bus.close()
        launch('alice', 'sleep')
        self.assertEqual(broker_pid(), self.pid)

    def test_clients_that_leave_at_once_leave_nothing(self):
        before = state()
        for i in range(1000):
            bus = bus_of('alice')
            member = ('Launch', 'ListSandboxes', 'Launch', 'Subscribe')[i % 4]
            signature, body = ('sa{sv}', launch_body('sleep', [])) if member == 'Launch' else ('', b'')
            bus.send(BUS, ROOT, BUS + '.Manager', member, signature, body)
            bus.close()
        wait_for('an answer again', lambda: bus_of('root').call(BUS, ROOT, BUS + '.Manager', 'ListSandboxes')[0] is None)
        stop_all()
        self.assert_unchanged(before)
        self.assertEqual(broker_pid(), self.pid)

    def test_fifty_clients_at_one_name_make_one_sandbox(self):
        add_profile('one', '[Access]\nAllowGroups=users\nMaxInstances=1\n[Exec]\nExecStart=/usr/bin/sleep infinity\n')
        self.addCleanup(remove_profile, 'one')
        clients = [bus_of('alice') for _ in range(50)]
        for bus in clients:
            bus.socket.settimeout(PATIENCE)

        def ask_all(member, signature, body):
            """All ask before the first answer is read: the errors, None for each success."""
            for bus in clients:
                bus.send(BUS, ROOT, BUS + '.Manager', member, signature, body)
            return [self.answer(bus) for bus in clients]

        for _ in range(2):
            # Who was over his share might not be answered.
            time.sleep(1.5)
            errors = ask_all('Launch', 'sa{sv}', launch_body('one', []))
            self.assertEqual(errors.count(None), 1, errors)
            groups = [p for p in CGROUP.resolve().rglob('*') if p.is_dir() and re.fullmatch('[0-9a-f]{32}', p.name)]
            self.assertEqual(len(groups), 1)
            id, = sandboxes()
            self.assertIn(None, ask_all('Stop', 's', string(id)))
            self.assertEqual(sandboxes(), {})
        for bus in clients:
            bus.close()
        self.assertEqual(broker_pid(), self.pid)

    def test_fifty_clients_that_launch_and_stop_at_once_never_make_two(self):
        """Each sandbox takes a lock as long as it lives: one that met another would have ended for that."""
        home = pathlib.Path(pwd.getpwnam('alice').pw_dir) / 'race'
        home.mkdir()
        os.chown(home, *pwd.getpwnam('alice')[2:4])
        self.addCleanup(shutil.rmtree, home)
        add_profile('lone', '[Access]\nAllowGroups=users\nMaxInstances=1\n[Files]\nBindPaths=%h/race\n[Exec]\n'
                            'ExecStart=/usr/bin/flock --nonblock --conflict-exit-code=9 %h/race/lock /bin/sleep infinity\n')
        self.addCleanup(remove_profile, 'lone')
        clients = [bus_of('alice') for _ in range(50)]
        for bus in clients:
            bus.socket.settimeout(PATIENCE)
        calls = {'Launch': ('sa{sv}', launch_body('lone', [])), 'Stop': ('s', string('lone.3001.1'))}
        dice, done = random.Random(SEED), {'Launch': 0, 'Stop': 0}

        for _ in range(6):
            time.sleep(1.5)
            asked = [dice.choice(sorted(calls)) for _ in clients]
            for bus, member in zip(clients, asked):
                bus.send(BUS, ROOT, BUS + '.Manager', member, *calls[member])
            for bus, member in zip(clients, asked):
                # One that is stopped while it starts was made all the same.
                done[member] += self.answer(bus) in (None, ERROR + 'SetupFailed')
            failed = [id for id, row in sandboxes().items() if row['state'] not in ('running', 'stopping')]
            self.assertEqual([immurectl('root', 'status', id).stdout for id in failed],
                             [])
        # Several were told that the one sandbox has ended, but nobody that there was a second one.
        self.assertGreater(done['Launch'], 1, done)
        for bus in clients:
            bus.close()
        stop_all()

        # What the lock is worth: whoever takes it beside a sandbox gets the status that would have been seen above.
        launch('alice', 'lone')
        # Not by taking it over and over, which would be in the sandbox's way.
        lock = f':{(home / "lock").stat().st_ino} '
        wait_for('the lock', lambda: lock in pathlib.Path('/proc/locks').read_text())
        self.assertEqual(subprocess.run(['flock', '--nonblock', '--conflict-exit-code=9', home / 'lock',
                                         'true']).returncode, 9)
        self.assertEqual(broker_pid(), self.pid)

    def answer(self, bus):
        while True:
            kind, values, _ = bus.read()
            if values.get(5) == bus.serial:
                return values.get(4) if kind == rawbus.ERROR else None


if __name__ == '__main__':
    main()
