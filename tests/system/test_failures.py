#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each kind of launch that fails says why by name and leaves nothing behind."""

import os
import pathlib
import subprocess

from common import (PATIENCE, SystemTest, command_as, gdbus, immurectl, launch, main, restart_broker, state,
                    stop_all)

CONF = pathlib.Path('/etc/immured/immured.conf.d')

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
    ('no-group', '{}', 'BadSetting', 'staff'),
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
        self.assertRegex(caught.exception.text, text)

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
        before = state()
        block = os.open('/', os.O_PATH)
        os.close(block)
        for redirection in ('</', '</proc/self/status', '</proc/self/ns/mnt'):
            with self.subTest(redirection=redirection):
                done = subprocess.run(command_as('alice', ['bash', '-c', f'exec immurectl run cat {redirection}']),
                                      capture_output=True, text=True, timeout=PATIENCE, cwd='/')
                self.assertEqual(done.returncode, 125, done.stdout)
                self.assertNotEqual(done.stderr, '')
        self.forget_failed()
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
