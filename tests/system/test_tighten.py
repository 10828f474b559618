#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""What a launching user may tighten: it is in force, it is in the plan, and nothing looser gets through."""

import json

from common import (SystemTest, add_profile, busctl, gdbus, immurectl, main, remove_profile, sandbox_property)

TEXT = '''[Access]
AllowUsers=alice
Arguments=append
MaxInstances=4
UserSettable=MemoryMax TasksMax RestrictAddressFamilies SystemCallFilter InaccessiblePaths LimitNOFILE RuntimeMaxSec
[Exec]
ExecStart=/usr/bin/python3 -c
StandardOutput=client
StandardError=client
LimitNOFILE=64
[Resources]
MemoryMax=256M
TasksMax=20
'''

# What is asked for on the command line -> a program, and what it prints with and without.
IN_FORCE = {
    'LimitNOFILE=32': ('import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])', '32', '64'),
    'RestrictAddressFamilies=AF_UNIX': ('''
import socket
try:
    socket.socket(socket.AF_INET); print('made')
except OSError as e:
    print(e.strerror)''', 'Address family not supported by protocol', 'made'),
    'SystemCallFilter=~chmod:EXDEV': ('''
import os
try:
    os.chmod('/tmp/x', 0o755)
except OSError as e:
    print(e.errno)''', None, None),
    'InaccessiblePaths=/usr/share/doc': ('''
import os
try:
    print(len(os.listdir('/usr/share/doc')) > 0)
except OSError as e:
    print(e.strerror)''', 'Permission denied', 'True'),
}


class Tighten(SystemTest):
    @classmethod
    def setUpClass(cls):
        add_profile('loose', TEXT)

    @classmethod
    def tearDownClass(cls):
        remove_profile('loose')

    def plan(self, *settings):
        done = immurectl('alice', 'plan', '--json=short', *(f'-p{s}' for s in settings), 'loose', 'pass')
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_what_is_asked_for_is_in_force(self):
        for setting, (program, tightened, whole) in IN_FORCE.items():
            with self.subTest(setting=setting):
                with_it = immurectl('alice', 'run', '--property', setting, 'loose', program)
                without = immurectl('alice', 'run', 'loose', program)
                self.assertEqual((with_it.returncode, without.returncode), (0, 0), with_it.stderr + without.stderr)
                if tightened:
                    self.assertEqual((with_it.stdout.strip(), without.stdout.strip()), (tightened, whole))
                self.assertNotEqual(with_it.stdout, without.stdout)

    def test_limits_of_the_group_are_in_the_plan_that_runs(self):
        options = ['sa{sv}', 'loose', 2, 'Arguments', 'as', 1, 'import time; time.sleep(600)',
                   'Properties', 'a(sv)', 2, 'MemoryMax', 's', '128M', 'TasksMax', 't', 7]
        plan, digest = busctl('alice', 'Plan', *options)
        values = {row['File']: row['Value'] for row in json.loads(plan)['ControlGroup']}
        self.assertEqual((values['memory.max'], values['pids.max']), (str(128 << 20), '7'))
        id, path = busctl('alice', 'Launch', *options)
        self.assertEqual(sandbox_property(path, 'PlanHash'), bytes(digest).hex())

    def test_plan_and_its_hash_are_those_of_the_launch(self):
        plan, whole = self.plan('RuntimeMaxSec=1h', 'MemoryMax=128M'), self.plan()
        self.assertEqual(plan['Plan']['RuntimeMaxUSec'], 3600 * 10**6)
        self.assertNotEqual(plan['PlanHash'], whole['PlanHash'])
        self.assertEqual(plan['Plan']['ProfileHash'], whole['Plan']['ProfileHash'])
        done = immurectl('alice', 'launch', '-p', 'RuntimeMaxSec=1h', '-p', 'MemoryMax=128M', 'loose',
                         'import time; time.sleep(600)')
        self.assertEqual(done.returncode, 0, done.stderr)
        path = busctl('alice', 'GetSandbox', 's', done.stdout.strip())[0]
        again = immurectl('alice', 'plan', '-q', '-p', 'RuntimeMaxSec=1h', '-p', 'MemoryMax=128M', 'loose',
                          'import time; time.sleep(600)')
        self.assertEqual(sandbox_property(path, 'PlanHash'), again.stdout.strip())

    def test_lease_takes_them_too(self):
        done = immurectl('alice', 'run', '-p', 'LimitNOFILE=8:16', 'loose',
                         'import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))')
        self.assertEqual((done.returncode, done.stdout.strip()), (0, '8 16'), done.stderr)

    def test_what_is_refused_is_named(self):
        cases = [
            ('CPUQuota', '<"10%">', 'SettingNotPermitted', 'CPUQuota'),
            ('ExecStart', '<"/bin/sh">', 'SettingNotPermitted', 'ExecStart'),
            ('MemoryMax', '<"1G">', 'SettingNotPermitted', 'MemoryMax=1G.*256M'),
            ('MemoryMax', '<uint64 18446744073709551615>', 'BadSetting', 'infinity'),
            ('MemoryMax', '<"infinity">', 'SettingNotPermitted', 'MemoryMax.*256M'),
            ('TasksMax', '<uint32 21>', 'SettingNotPermitted', 'TasksMax=21.*20'),
            ('SystemCallFilter', '<["~ptrace", "ptrace"]>', 'SettingNotPermitted', 'SystemCallFilter.*@system-service'),
            ('RestrictAddressFamilies', '<["AF_UNIX", "AF_PACKET"]>', 'SettingNotPermitted', 'AF_INET6'),
            ('InaccessiblePaths', '<"relative">', 'BadSetting', 'InaccessiblePaths=relative'),
            ('SystemCallFilter', '<"~execve">', 'BadSetting', 'execve cannot be refused'),
            ('SystemCallFilter', '<"~no_such_call">', 'BadSetting', 'no_such_call'),
            ('MemoryMax', '<"some">', 'BadSetting', 'MemoryMax=some'),
            ('MemoryMax', '<1.5>', 'org.freedesktop.DBus.Error.InvalidArgs', 'MemoryMax'),
        ]
        for method in ('Launch', 'LaunchLeased', 'Plan'):
            for key, value, error, text in cases:
                with self.subTest(method=method, key=key, value=value):
                    self.assert_refused(error, text, gdbus, 'alice', method, 'loose',
                                        f'{{"Properties": <[("{key}", {value})]>}}')

    def test_more_than_can_be_said_is_refused(self):
        many = ', '.join(['("TasksMax", <"1">)'] * 65)
        self.assert_refused('QuotaExceeded', 'more than 64', gdbus, 'alice', 'Plan', 'loose', f'{{"Properties": <[{many}]>}}')

    def test_profile_that_lists_nothing_lets_nothing_be_set(self):
        self.assert_refused('SettingNotPermitted', 'TasksMax', gdbus, 'alice', 'Launch', 'sleep',
                            '{"Properties": <[("TasksMax", <"1">)]>}')

    def test_who_sees_the_profile_sees_what_may_be_set(self):
        path = busctl('alice', 'GetProfile', 's', 'loose')[0]
        keys = busctl('alice', 'Get', 'ss', 'org.immured.Broker1.Profile', 'UserSettable', path=path,
                      interface='org.freedesktop.DBus.Properties')[0]['data']
        self.assertEqual(keys, TEXT.split('UserSettable=')[1].splitlines()[0].split())

    def test_command_line_says_what_a_property_looks_like(self):
        for word in ('MemoryMax', '=1M'):
            done = immurectl('alice', 'plan', '-p', word, 'loose')
            self.assertEqual(done.returncode, 1)
            self.assertIn('KEY=VALUE', done.stderr)


if __name__ == '__main__':
    main()
