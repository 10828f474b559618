#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""Launching and ending sandboxes over the bus, with the clients that everyone has."""

import os
import struct
import re
import pathlib
import signal

from common import (BUS, CGROUP, PROFILES, ROOT, SystemTest, UIDS, add_profile, busctl, gdbus, immurectl, launch, main,
                    pids_of, remove_profile, run_as, sandboxes, sandbox_property, start_as, wait_for)
from rawbus import bus_of


class Launch(SystemTest):
    def test_launch_with_busctl_names_the_sandbox(self):
        for user in ('alice', 'bob'):
            id, path = launch(user, 'sleep')
            self.assertEqual(id, f'sleep.{UIDS[user]}.1')
            self.assertTrue(path.startswith(f'{ROOT}/sandbox/'))
            row = sandboxes(user)[id]
            self.assertEqual((row['profile'], row['uid'], row['state'], row['path']),
                             ('sleep', UIDS[user], 'running', path))

    def test_launch_with_gdbus_names_the_sandbox(self):
        reply = gdbus('alice', 'Launch', 'sleep', "{'Instance': <'one'>}")
        match = re.fullmatch(r"\('(\S+)', (?:objectpath )?'(\S+)'\)", reply)
        self.assertEqual(match[1], 'sleep.3001.1')
        self.assertEqual(sandboxes()[match[1]]['instance'], 'one')

    def test_root_launches_what_names_nobody(self):
        id, _ = launch('root', 'nobody')
        self.assertEqual(id, 'nobody.0.1')

    def test_launches_by_turns_are_each_what_was_asked_for(self):
        def profile(name, who):
            add_profile(name, f'[Access]\nAllowUsers=alice\nArguments=append\n\n[Exec]\nExecStart=/usr/bin/bash\n'
                              f'Environment=WHO={who}\nStandardOutput=client\nUMask={who}\n')

        def said(name, argument):
            done = immurectl('alice', 'run', name, '-c', 'echo $HOSTNAME $WHO $(umask) $0', argument)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            return done.stdout.strip().removeprefix(name)

        # A keeper and its seed know the plans that they read last. These differ in a few bytes, and not in length.
        for name, who in (('turn-a', '0071'), ('turn-b', '0072')):
            profile(name, who)
            self.addCleanup(remove_profile, name)
        self.assertEqual(said('turn-a', 'one'), ' 0071 0071 one')
        seeds = pids_of('immured-seed')
        for argument in ('one', 'two', 'two', 'one'):
            for name, who in (('turn-a', '0071'), ('turn-b', '0072')):
                self.assertEqual(said(name, argument), f' {who} {who} {argument}')
        for who in ('0073', '0071', '0073'):
            profile('turn-a', who)
            for name, mask in (('turn-a', who), ('turn-b', '0072'), ('turn-a', who)):
                self.assertEqual(said(name, 'one'), f' {mask} {mask} one')
        self.assertEqual(pids_of('immured-seed'), seeds)

    def test_numbers_are_the_lowest_that_is_free(self):
        first, second = launch('alice', 'sleep')[0], launch('alice', 'sleep')[0]
        self.assertEqual((first, second), ('sleep.3001.1', 'sleep.3001.2'))
        busctl('alice', 'Stop', 's', first)
        self.assertEqual(launch('alice', 'sleep')[0], 'sleep.3001.1')

    def test_properties_say_what_runs(self):
        id, path = launch('alice', 'sleep')
        expected = {'Id': id, 'Profile': 'sleep', 'User': 'alice', 'UID': 3001, 'State': 'running',
                    'NRestarts': 0, 'ExecMainCode': 0, 'ExecMainStatus': 0}
        for name, value in expected.items():
            self.assertEqual(sandbox_property(path, name), value, name)
        self.assertRegex(sandbox_property(path, 'InvocationID'), r'^[0-9a-f]{32}$')
        leader = sandbox_property(path, 'Leader')
        self.assertEqual(pathlib.Path(f'/proc/{leader}/comm').read_text().strip(), 'immured-exec')
        words = pathlib.Path(f'/proc/{leader}/cmdline').read_text().strip('\0').split('\0')
        self.assertEqual(words[:2], ['immured-exec', sandbox_property(path, 'InvocationID')])
        main_pid = sandbox_property(path, 'MainPID')
        self.assertEqual(pathlib.Path(f'/proc/{main_pid}/comm').read_text().strip(), 'sleep')
        self.assertIn('seccomp', sandbox_property(path, 'Enforced'))

    def test_sandbox_lies_in_its_own_cgroup(self):
        id, path = launch('alice', 'sleep')
        main_pid = sandbox_property(path, 'MainPID')
        expected = CGROUP.resolve() / 'immured.slice/immured-3001.slice/immured-user@3001.service'
        expected /= sandbox_property(path, 'InvocationID')
        self.assertIn(str(main_pid), (expected / 'cgroup.procs').read_text().split())
        # As systemd's are, or systemd-cgls shows a user nothing of what is his.
        self.assertEqual(expected.stat().st_mode & 0o7777, 0o755)
        told = sandbox_property(path, 'ControlGroup')
        self.assertTrue(str(expected).endswith(told), told)

    def test_process_leads_to_its_sandbox(self):
        id, path = launch('alice', 'sleep')
        inside, outside = sandbox_property(path, 'MainPID'), os.getpid()

        def ask(user, pid):
            bus = bus_of(user)
            self.addCleanup(bus.close)
            return bus.call(BUS, ROOT, f'{BUS}.Manager', 'GetSandboxByPID', 'u', struct.pack('<I', pid))

        for user in ('alice', 'root'):
            error, body = ask(user, inside)
            self.assertIsNone(error)
            self.assertEqual(body[4:-1].decode(), path)
        for user, pid, expected in (('bob', inside, f'{BUS}.Error.NoSuchSandbox'),
                                    ('alice', outside, f'{BUS}.Error.NoSuchSandbox'),
                                    ('alice', 2 ** 31 - 1, f'{BUS}.Error.NoSuchSandbox'),
                                    ('alice', 0, 'org.freedesktop.DBus.Error.InvalidArgs'),
                                    ('alice', 2 ** 32 - 1, 'org.freedesktop.DBus.Error.InvalidArgs')):
            self.assertEqual(ask(user, pid)[0], expected)
        busctl('alice', 'Stop', 's', id)
        self.assertEqual(ask('alice', inside)[0], f'{BUS}.Error.NoSuchSandbox')

    def test_stop_ends_and_removes(self):
        id, path = launch('alice', 'sleep')
        pid = sandbox_property(path, 'MainPID')
        busctl('alice', 'Stop', 's', id)
        self.assertFalse(os.path.exists(f'/proc/{pid}'))
        wait_for('its removal', lambda: id not in sandboxes())
        self.assert_refused('NoSuchSandbox', id, gdbus, 'alice', 'Stop', id)

    def test_stop_on_the_object_does_the_same(self):
        id, path = launch('alice', 'sleep')
        busctl('alice', 'Stop', path=path, interface='Sandbox')
        wait_for('its removal', lambda: id not in sandboxes())

    def test_stop_of_a_program_that_ignores_it(self):
        id, path = launch('alice', 'stubborn')
        pid = sandbox_property(path, 'MainPID')
        busctl('alice', 'Stop', 's', id)
        self.assertFalse(os.path.exists(f'/proc/{pid}'))

    def test_kill_reaches_the_program(self):
        id, path = launch('alice', 'sleep')
        busctl('alice', 'Kill', 'ssi', id, 'main', int(signal.SIGKILL))
        wait_for('its end', lambda: sandboxes().get(id, {}).get('state') != 'running')
        self.assertEqual(sandbox_property(path, 'Result'), 'signal')
        self.assertEqual(sandbox_property(path, 'ExecMainStatus'), signal.SIGKILL)

    def test_failed_sandbox_stays_until_it_is_forgotten(self):
        id, path = launch('alice', 'python', '-c', 'raise SystemExit(3)')
        wait_for('its end', lambda: sandboxes().get(id, {}).get('state') == 'failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'exit-code')
        self.assertEqual(sandbox_property(path, 'ExecMainStatus'), 3)
        busctl('alice', 'ResetFailed', 's', id)
        self.assertNotIn(id, sandboxes())

    def test_program_that_ends_well_is_gone(self):
        id, _ = launch('alice', 'fixed')
        wait_for('its removal', lambda: id not in sandboxes())

    def test_oneshot_replies_when_it_has_ended(self):
        done = run_as('alice', 'busctl', 'call', '--', BUS, ROOT, f'{BUS}.Manager', 'Launch', 'sa{sv}', 'oneshot', '1',
                      'Arguments', 'as', '1', 'import time; time.sleep(0.3)')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse([s for s in sandboxes().values() if s['state'] == 'running'])

    def test_success_statuses_of_the_profile_count(self):
        for program in ('raise SystemExit(7)', 'import os, signal; os.kill(os.getpid(), signal.SIGUSR1)'):
            launch('alice', 'oneshot', program)
            wait_for('its removal', lambda: not sandboxes())

    def test_runtime_limit_ends_it(self):
        id, path = launch('alice', 'runtime')
        wait_for('its end', lambda: sandboxes().get(id, {}).get('state') == 'failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'timeout')

    def test_max_instances_holds_for_each_user(self):
        launch('alice', 'sleep'), launch('alice', 'sleep')
        self.assert_refused('QuotaExceeded', r'MaxInstances|2', gdbus, 'alice', 'Launch', 'sleep', '{}')
        launch('bob', 'sleep')

    def test_signals_tell_subscribers_and_nobody_else(self):
        watchers = {user: start_as(user, 'python3', '-I', '-c', WATCH) for user in ('alice', 'bob')}
        try:
            for watcher in watchers.values():
                self.assertEqual(watcher.stdout.readline(), b'subscribed\n')
            id, _ = launch('alice', 'sleep')
            busctl('alice', 'Stop', 's', id)
            mine, _ = launch('bob', 'sleep')
            busctl('bob', 'Stop', 's', mine)
            for user, expected in (('alice', id), ('bob', mine)):
                for member in ('SandboxNew', 'SandboxRemoved'):
                    self.assertEqual(watchers[user].stdout.readline().decode().split(), [member, expected])
        finally:
            for watcher in watchers.values():
                watcher.kill()
                watcher.communicate()

    def test_equal_launches_have_equal_plans(self):
        hashes = [sandbox_property(launch('alice', 'sleep')[1], 'PlanHash') for _ in range(2)]
        self.assertEqual(hashes[0], hashes[1])

    def test_a_changed_profile_shows_in_the_next_equal_launch(self):
        def says():
            return immurectl('alice', 'run', 'changing', '-c', 'import os; print(os.environ["SAYS"])').stdout.strip()

        self.addCleanup(remove_profile, 'changing')
        for word in ('one', 'one', 'two', 'two', 'one'):
            add_profile('changing', (PROFILES / 'groups.profile').read_text() + f'Environment=SAYS={word}\n')
            self.assertEqual((says(), says()), (word, word))

    def test_a_changed_group_shows_in_the_next_equal_launch(self):
        groups = pathlib.Path('/etc/group')
        before = groups.read_text()

        def shown():
            done = immurectl('bob', 'run', 'groups', '-c', 'import os; print(*os.getgroups())')
            return set(done.stdout.split()) if done.returncode == 0 else None

        self.assertIn('50', shown())
        self.assertIn('50', shown())
        self.addCleanup(busctl, 'root', 'Reload')
        self.addCleanup(groups.write_text, before)
        groups.write_text(re.sub(r'^staff:.*$', 'staff:x:51:bob', before, flags=re.M))
        # The answers of the name service are kept for some seconds.
        wait_for('the other group', lambda: '51' in (shown() or ()))

    def test_objects_are_listed_by_the_object_manager(self):
        id, path = launch('alice', 'sleep')
        for user, seen in (('alice', True), ('bob', False), ('root', True)):
            objects = busctl(user, 'GetManagedObjects', interface='org.freedesktop.DBus.ObjectManager')[0]
            self.assertEqual(path in objects, seen, user)

    def test_immurectl_launches_lists_and_stops(self):
        done = immurectl('alice', 'launch', 'sleep')
        self.assertEqual((done.returncode, done.stdout.strip()), (0, 'sleep.3001.1'), done.stderr)
        self.assertIn('sleep.3001.1', immurectl('alice', 'list').stdout)
        self.assertIn('running', immurectl('alice', 'status', 'sleep.3001.1').stdout)
        self.assertEqual(immurectl('alice', 'stop', 'sleep.3001.1').returncode, 0)
        self.assertNotIn('sleep.3001.1', immurectl('alice', 'list').stdout)


# For a process of the user's own, which may not be able to read this directory.
WATCH = (pathlib.Path(__file__).parent / 'rawbus.py').read_text() + '''
bus = RawBus()
broker = "org.immured.Broker1"
error, _ = bus.call(broker, "/org/immured/Broker1", broker + ".Manager", "Subscribe")
print(error or "subscribed", flush=True)
while True:
    member, body = bus.next_signal()
    if member in ("SandboxNew", "SandboxRemoved"):
        print(member, read_string(body), flush=True)
'''


if __name__ == '__main__':
    main()
