#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""Each kind of launch that fails says why by name and leaves nothing behind."""

import contextlib
import os
import pathlib
import socket
import subprocess

from common import (BUS, ROOT, SystemTest, add_profile, command_as, gdbus, immurectl, launch, main, remove_profile, restart_broker, sandboxes,
                    state, stop_all, wait_for)
from rawbus import bus_of, launch_body, read_string

CONF = pathlib.Path('/etc/immured/immured.conf.d')
CLIENT = '[Access]\nAllowGroups=users\n%s[Exec]\nExecStart=/usr/bin/cat\nStandardOutput=client\n%s'

# (profile, options as gdbus writes them, error, text)
FAILING = [
    ('no-such-profile', '{}', 'NoSuchProfile', 'no-such-profile'),
    ('../etc/passwd', '{}', 'NoSuchProfile|org.freedesktop.DBus.Error.InvalidArgs', ''),
    ('nobody', '{}', 'NoSuchProfile', 'nobody'),
    ('disabled', '{}', 'ProfileDisabled', 'disabled'),
    ('fixed', "{'Arguments': <['x']>}", 'ArgumentRejected|SettingNotPermitted', 'Arguments|arguments'),
    ('pattern', "{'Arguments': <['ok', 'not OK']>}", 'ArgumentRejected', 'not OK|2'),
    ('pattern', "{'Arguments': <['okay\\nx']>}", 'ArgumentRejected', ''),
    ('python', "{'Arguments': <['" + 'x' * 5000 + "']>}", 'QuotaExceeded|ArgumentRejected', '4096|4 KiB|long'),
    ('python', "{'Arguments': <[" + ','.join(["'x'"] * 65) + "]>}", 'QuotaExceeded|ArgumentRejected', '64|many'),
    ('python', "{'Arguments': <'x'>}", 'org.freedesktop.DBus.Error.InvalidArgs', 'Arguments'),
    ('python', "{'Argument': <['x']>}", 'org.freedesktop.DBus.Error.InvalidArgs|SettingNotPermitted', 'Argument'),
    ('python', "{'Environment': <['SECRET=1']>}", 'SettingNotPermitted', 'SECRET'),
    ('python', "{'Environment': <['no assignment']>}", 'ArgumentRejected|org.freedesktop.DBus.Error.InvalidArgs', ''),
    ('python', "{'Instance': <'../x'>}", 'ArgumentRejected|org.freedesktop.DBus.Error.InvalidArgs', 'Instance|instance'),
    ('python', "{'OnDisconnect': <'sometimes'>}", 'ArgumentRejected|org.freedesktop.DBus.Error.InvalidArgs', 'OnDisconnect'),
    ('python', "{'User': <'nobody-such'>}", 'NoSuchUser|org.freedesktop.DBus.Error.AccessDenied', ''),
    ('no-program', '{}', 'SetupFailed', 'exec.*(/usr/bin/no-such-program|No such file)'),
    ('not-executable', '{}', 'SetupFailed', 'exec.*(Permission denied|EACCES)'),
    ('no-source', '{}', 'SetupFailed', '/home/alice/no-such-directory.*No such file'),
    ('foreign-source', '{}', 'SetupFailed', '/home/carol/data.*Permission denied'),
    ('no-directory', '{}', 'SetupFailed', '/no/such/directory.*No such file'),
]


class Failures(SystemTest):
    @classmethod
    def setUpClass(cls):
        carol = pathlib.Path('/home/carol/data')
        carol.mkdir(mode=0o700, exist_ok=True)
        # Warm: a keeper that is there already is not left behind by a launch.
        launch('alice', 'sleep')
        stop_all()

    def assert_fails(self, profile, options, error, text):
        names = [n if '.' in n else f'org.immured.Broker1.Error.{n}' for n in error.split('|')]
        with self.assertRaises(Exception) as caught:
            gdbus('alice', 'Launch', profile, options)
        self.assertIn(caught.exception.name, names, caught.exception.text)
        self.assertRegex(caught.exception.text, text or '.')

    def forget_failed(self):
        stop_all()

    def test_failing_launches_leave_nothing_behind(self):
        for profile, options, error, text in FAILING:
            with self.subTest(profile=profile, options=options[:60]):
                before = state()
                self.assert_fails(profile, options, error, text)
                self.forget_failed()
                self.assert_unchanged(before)

    def test_missing_layer_refuses_and_leaves_nothing_behind(self):
        had = set((pathlib.Path('/run/rig/cgroup') / 'cgroup.controllers').read_text().split())
        if 'pids' in had:
            self.skipTest('this machine has the pids controller')
        conf = CONF / '10-rig.conf'
        text = conf.read_text()
        try:
            conf.write_text(text.replace(' pids', ''))
            restart_broker()
            with self.assertRaises(Exception):
                launch('alice', 'sleep')
            before = state()
            self.assert_fails('sleep', '{}', 'LayerUnavailable', 'pids')
            self.forget_failed()
            self.assert_unchanged(before)
        finally:
            conf.write_text(text)
            restart_broker()
        launch('alice', 'sleep')

    def test_descriptors_of_other_kinds_are_refused(self):
        pair = socket.socketpair()
        stream, listener = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM), socket.create_server(('127.0.0.1', 0))
        kinds = {
            'a directory': os.open('/', os.O_RDONLY),
            'a path': os.open('/etc/passwd', os.O_PATH),
            'a file of procfs': os.open('/proc/self/status', os.O_RDONLY),
            'a namespace': os.open('/proc/self/ns/mnt', os.O_RDONLY),
            'a control group': os.open('/run/rig/cgroup/cgroup.procs', os.O_RDONLY),
            'a file of sysfs': os.open('/sys/kernel/mm/transparent_hugepage/enabled', os.O_RDONLY)
            if os.path.exists('/sys/kernel/mm/transparent_hugepage/enabled') else os.open('/sys/kernel', os.O_RDONLY),
            'a socket': pair[0].fileno(),
            'a stream socket': stream[0].fileno(),
            'a listening socket': listener.fileno(),
            'a process': os.pidfd_open(os.getpid()),
            'an event counter': os.eventfd(0),
            'zeros': os.open('/dev/zero', os.O_RDONLY),
            'a plain file': os.open('/etc/hostname', os.O_RDONLY | os.O_CREAT),
            'a file without a name': os.memfd_create('data'),
        }
        bus = bus_of('alice')
        before = state()
        for kind, fd in kinds.items():
            for name in ('stdin', 'stdout'):
                with self.subTest(kind=kind, stream=name):
                    error, text, lease = bus.launch_leased('cat', [name])
                    self.assertIsNone(error, text)
                    lease.send_streams({name: fd})
                    self.assert_not_set_up(lease, 'neither a pipe, a terminal nor /dev/null')
        self.assert_unchanged(before)
        for kind, fd in kinds.items():
            if 'socket' not in kind:
                os.close(fd)
        for s in (*pair, *stream, listener):
            s.close()
        bus.close()

    def test_streams_that_the_profile_does_not_leave_to_the_client_are_refused(self):
        bus = bus_of('alice')
        before = state()
        self.assertEqual(bus.launch_leased('sleep', ['stdin'])[0], f'{BUS}.Error.SettingNotPermitted')
        self.assertEqual(bus.launch_leased('cat', ['stdin', 'control-group'])[0],
                         'org.freedesktop.DBus.Error.NotSupported')
        self.assertEqual(bus.launch_leased('cat', ['stdlog'])[0], 'org.freedesktop.DBus.Error.InvalidArgs')
        # Nothing could bring them.
        error, _ = bus.call(BUS, ROOT, f'{BUS}.Manager', 'Launch', 'sa{sv}', launch_body('cat', [('Streams', ['stdin'])]))
        self.assertEqual(error, 'org.freedesktop.DBus.Error.InvalidArgs')
        # An index without a descriptor is no message of D-Bus at all: the bus ends the connection, or the broker refuses.
        with contextlib.suppress(EOFError, ConnectionError):
            error, _ = bus.call(BUS, ROOT, f'{BUS}.Manager', 'Launch', 'sa{sv}', launch_body('cat', [('StandardInput', 7)]))
            self.assertIsNotNone(error)
        bus.close()
        self.assert_unchanged(before)

    def add(self, name, text):
        add_profile(name, text)
        self.addCleanup(remove_profile, name)

    def assert_not_set_up(self, lease, text):
        """The word of a launch that was answered before it failed."""
        packet = lease.wait('RESULT')
        self.assertEqual((packet.get('RESULT'), packet.get('ERROR')), ('setup', f'{BUS}.Error.SetupFailed'))
        self.assertIn(text, packet['TEXT'])
        self.assertTrue(packet['TEXT'].startswith('streams: '), packet)
        self.assertEqual(lease.read(), {})
        lease.close()

    def test_streams_come_first_and_as_announced(self):
        bus, null = bus_of('alice'), os.open('/dev/null', os.O_RDWR)
        self.addCleanup(os.close, null)
        self.addCleanup(bus.close)
        before = state()
        for packet, n in (('SIGNAL=2', 0), ('STOP=1', 2), ('STREAMS=stdin', 1), ('STREAMS=stdin stdout', 1),
                          ('STREAMS=stdin stdout', 5), ('STREAMS=stdin stderr', 2), ('STREAMS=', 0),
                          ('STREAMS=stdin stdin', 2), ('STREAMS=stdin stdout\nSTREAMS=stdin stdout', 2)):
            with self.subTest(packet=packet, n=n):
                error, text, lease = bus.launch_leased('cat', ['stdin', 'stdout'])
                self.assertIsNone(error, text)
                lease.send(packet, [null] * n)
                self.assert_not_set_up(lease, 'announced')
        self.assert_unchanged(before)

    def test_nobody_is_told_of_a_sandbox_whose_streams_have_not_come(self):
        self.add('single', CLIENT % ('MaxInstances=1\n', ''))
        bus, watcher = bus_of('alice'), bus_of('root')
        self.addCleanup(bus.close)
        self.addCleanup(watcher.close)
        watcher.call(BUS, ROOT, f'{BUS}.Manager', 'Subscribe')
        before = state()
        # It counts: MaxInstances= of one.
        error, id, lease = bus.launch_leased('single', ['stdout'])
        self.assertIsNone(error, id)
        self.assertEqual(bus.launch_leased('single', ['stdout'])[0], f'{BUS}.Error.QuotaExceeded')
        self.assertEqual(sandboxes(), {})
        self.assert_refused('NoSuchSandbox', id, gdbus, 'alice', 'Stop', id)
        lease.close()
        wait_for('its end', lambda: state()['cgroups'] == before['cgroups'])
        self.assert_unchanged(before)

        launch('alice', 'sleep')
        while (signal := watcher.next_signal())[0] != 'SandboxNew':
            self.assertNotEqual(signal[0], 'SandboxRemoved')
        self.assertEqual(read_string(signal[1]), 'sleep.3001.1')
        stop_all()

    def test_streams_that_do_not_come_end_the_launch(self):
        self.add('impatient', CLIENT % ('', '[Service]\nTimeoutStartSec=1s\n'))
        bus = bus_of('alice')
        self.addCleanup(bus.close)
        before = state()
        error, text, lease = bus.launch_leased('impatient', ['stdout'])
        self.assertIsNone(error, text)
        self.assert_not_set_up(lease, 'TimeoutStartSec=')
        self.assert_unchanged(before)

    def test_client_that_goes_away_leaves_nothing_behind(self):
        before = state()
        for delay in (0, 0.002, 0.005, 0.01, 0.02, 0.05):
            client = subprocess.Popen(command_as('alice', ['immurectl', 'run', '--on-disconnect=stop', 'cat']),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd='/')
            try:
                client.wait(delay)
            except subprocess.TimeoutExpired:
                client.kill()
            client.communicate()
        stop_all()
        self.assert_unchanged(before)

    def test_thirty_launches_leave_nothing_behind(self):
        before = state()
        for _ in range(30):
            self.assertEqual(immurectl('alice', 'run', 'cat').returncode, 0)
        self.assert_unchanged(before)


if __name__ == '__main__':
    main()
