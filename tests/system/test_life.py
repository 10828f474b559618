#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""What comes between the launch and the end: freezing, restarting, looking at processes; and every way to end."""

import contextlib
import json
import os
import pathlib
import signal

from common import (CGROUP, PATIENCE, BusError, SystemTest, add_profile, broker_pid, busctl, gdbus, immurectl, launch,
                    main, open_files, open_targets, pids_of, remove_profile, restart_broker, sandboxes,
                    sandbox_property, start_as, state, wait_for, wait_for_launch)

PYTHON = '[Access]\nAllowGroups=users\nArguments=append\n[Exec]\nExecStart=/usr/bin/python3 -I -c\n'
CLIENT = 'StandardInput=client\nStandardOutput=client\n'


def cgroup_of(path):
    told = sandbox_property(path, 'ControlGroup')
    # The rig's hierarchy may be mounted from elsewhere than its root.
    name = '/'.join(told.split('/')[-4:])
    return CGROUP.resolve() / name


def is_frozen(path):
    return 'frozen 1' in (cgroup_of(path) / 'cgroup.events').read_text()


class LifeTest(SystemTest):
    def profile(self, text, name='life'):
        add_profile(name, text)
        self.addCleanup(remove_profile, name)


class Freezing(LifeTest):
    def test_frozen_is_what_the_kernel_says(self):
        id, path = launch('alice', 'sleep')
        for _ in range(2):  # a second time it changes nothing
            busctl('alice', 'Freeze', 's', id)
            self.assertTrue(is_frozen(path))
            self.assertEqual(sandbox_property(path, 'State'), 'running')
            self.assertEqual(sandbox_property(path, 'SubState'), 'frozen')
        for _ in range(2):
            busctl('alice', 'Thaw', path=path, interface='Sandbox')
            self.assertFalse(is_frozen(path))
            self.assertEqual(sandbox_property(path, 'SubState'), 'running')

    def test_frozen_sandbox_can_be_stopped_and_killed(self):
        for method, *rest in (('Stop', 's'), ('Kill', 'ssi')):
            with self.subTest(method):
                id, path = launch('alice', 'sleep')
                busctl('alice', 'Freeze', 's', id)
                busctl('alice', method, *rest, id, *(['all', 9] if method == 'Kill' else []))
                if method == 'Kill':
                    wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')
                    self.assertEqual(sandbox_property(path, 'Result'), 'signal')
                    busctl('alice', 'ResetFailed', 's', id)
                self.assertNotIn(id, sandboxes())

    def test_time_goes_on_for_the_frozen(self):
        self.profile(PYTHON + '[Service]\nRuntimeMaxSec=1s\n')
        id, path = launch('alice', 'life', 'import time; time.sleep(999)')
        busctl('alice', 'Freeze', 's', id)
        wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'timeout')

    def test_what_does_not_run_is_not_frozen(self):
        id, path = launch('alice', 'sleep')
        busctl('alice', 'Kill', 'ssi', id, 'main', 9)
        wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')
        self.assert_refused('SandboxNotRunning', '', gdbus, 'alice', 'Freeze', id)
        self.assert_refused('SandboxNotRunning', '', gdbus, 'alice', 'Thaw', id)

    def test_frozen_outlives_the_broker(self):
        id, path = launch('alice', 'sleep')
        busctl('alice', 'Freeze', 's', id)
        restart_broker(signal.SIGKILL)
        wait_for('the keeper', lambda: id in sandboxes())
        self.assertEqual(sandbox_property(path, 'SubState'), 'frozen')
        self.assertEqual(immurectl('alice', 'thaw', id).returncode, 0)
        self.assertFalse(is_frozen(path))


class Processes(LifeTest):
    PROGRAM = r'import subprocess; subprocess.Popen(["sleep", "1e9"]); print("x\033[2J", flush=True); input()'

    def test_processes_are_listed_with_their_command_lines(self):
        client = start_as('alice', 'immurectl', 'run', 'python', '-c', self.PROGRAM)
        client.stdout.readline()
        path = sandboxes()['python.3001.1']['path']
        rows = {row[1]: row for row in busctl('alice', 'GetProcesses', 's', 'python.3001.1')[0]}
        self.assertEqual(rows[sandbox_property(path, 'MainPID')][2][:18], '/usr/bin/python3 -')
        self.assertTrue(any(row[2] == 'sleep 1e9' for row in rows.values()), rows)
        self.assertIn(sandbox_property(path, 'Leader'), rows)
        self.assertEqual({row[0] for row in rows.values()}, {'/'})
        self.assertEqual(rows, {row[1]: row for row in
                                busctl('alice', 'GetProcesses', path=path, interface='Sandbox')[0]})
        for row in rows.values():
            self.assertNotRegex(row[2], r'[\x00-\x1f]')
        told = json.loads(immurectl('alice', 'ps', '--json=short', 'python.3001.1').stdout)
        self.assertEqual({(r['pid'], r['command']) for r in told}, {(r[1], r[2]) for r in rows.values()})
        client.communicate(b'\n', timeout=PATIENCE)

    def test_limits_that_were_hit_are_shown_to_whoever_may_see_the_sandbox(self):
        id, path = launch('alice', 'managed')
        self.assert_refused('NoSuchSandbox', '', gdbus, 'bob', 'GetFaults', id)
        for user in ('alice', 'carol', 'root'):
            self.assertEqual(busctl(user, 'GetFaults', 's', id), [[]])
            self.assertEqual(busctl(user, 'GetFaults', path=path, interface='Sandbox'), [[]])
        self.assertEqual(immurectl('alice', 'faults').stdout, 'No hits of limits.\n')
        self.assertEqual(json.loads(immurectl('alice', 'faults', '--json=short', id).stdout), [])

    def test_processes_are_shown_to_whoever_may_see_the_sandbox(self):
        id, _ = launch('alice', 'managed')
        self.assert_refused('NoSuchSandbox', '', gdbus, 'bob', 'GetProcesses', id)
        for user in ('alice', 'carol', 'root'):
            self.assertEqual(len(busctl(user, 'GetProcesses', 's', id)[0]), 2)


class Restarting(LifeTest):
    def test_restart_is_another_run_of_the_same_sandbox(self):
        id, path = launch('alice', 'sleep')
        constant = ('InvocationID', 'Timestamp', 'PlanHash', 'ControlGroup')
        before = {n: sandbox_property(path, n) for n in constant}
        pid = sandbox_property(path, 'MainPID')
        for _ in range(3):
            busctl('alice', 'Restart', 's', id)
            self.assertFalse(os.path.exists(f'/proc/{pid}'))
            pid = sandbox_property(path, 'MainPID')
            self.assertEqual(pathlib.Path(f'/proc/{pid}/comm').read_text().strip(), 'sleep')
            self.assertEqual(before, {n: sandbox_property(path, n) for n in constant})
            self.assertEqual(sandbox_property(path, 'NRestarts'), 0)
            self.assertEqual(sandbox_property(path, 'State'), 'running')
            self.assertIn('seccomp', sandbox_property(path, 'Enforced'))

    def test_restarts_leave_nothing_behind(self):
        self.profile('[Access]\nAllowGroups=users\n[Exec]\nExecStart=/usr/bin/sleep infinity\n'
                     '[Service]\nStartLimitBurst=0\n')
        id, _ = launch('alice', 'life')
        keeper = next(p for p in os.listdir('/proc') if p.isdigit() and
                      b'--uid=3001' in pathlib.Path(f'/proc/{p}/cmdline').read_bytes())
        before = sorted(os.listdir(f'/proc/{keeper}/fd'))
        for _ in range(10):
            busctl('alice', 'Restart', 's', id)
        self.assertEqual(len(os.listdir(f'/proc/{keeper}/fd')), len(before))
        self.assertEqual(len(busctl('alice', 'GetProcesses', 's', id)[0]), 2)

    def test_restart_of_the_frozen_thaws(self):
        id, path = launch('alice', 'sleep')
        busctl('alice', 'Freeze', 's', id)
        busctl('alice', 'Restart', 's', id)
        self.assertFalse(is_frozen(path))
        self.assertEqual(sandbox_property(path, 'SubState'), 'running')

    def test_restarts_count_against_the_start_limit(self):
        self.profile('[Access]\nAllowGroups=users\n[Exec]\nExecStart=/usr/bin/sleep infinity\n'
                     '[Service]\nStartLimitBurst=2\nStartLimitIntervalSec=infinity\n')
        id, path = launch('alice', 'life')
        busctl('alice', 'Restart', 's', id)
        pid = sandbox_property(path, 'MainPID')
        self.assert_refused('RateLimited', 'StartLimitBurst', gdbus, 'alice', 'Restart', id)
        self.assertEqual(sandbox_property(path, 'MainPID'), pid, 'what was refused has stopped nothing')

    def test_what_cannot_be_restarted_is_refused_and_goes_on(self):
        client = start_as('alice', 'immurectl', 'run', 'cat')
        id = wait_for('the launch', lambda: next((i for i, row in sandboxes().items() if row['state'] == 'running'), None))
        self.assert_refused('SettingNotPermitted', 'streams', gdbus, 'alice', 'Restart', id)
        self.assertEqual(client.communicate(b'still here', timeout=PATIENCE)[0], b'still here')
        self.assert_refused('NoSuchSandbox', '', gdbus, 'alice', 'Restart', 'sleep.3001.1')
        id, _ = launch('alice', 'sleep')
        self.assert_refused('NoSuchSandbox', '', gdbus, 'bob', 'Restart', id)
        busctl('alice', 'Kill', 'ssi', id, 'main', 9)
        wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')
        self.assert_refused('SandboxNotRunning', '', gdbus, 'alice', 'Restart', id)

    def test_run_that_cannot_be_set_up_again_says_why(self):
        data = pathlib.Path('/home/alice/goes')
        data.mkdir(exist_ok=True)
        os.chown(data, 3001, 3001)
        self.addCleanup(lambda: data.exists() and data.rmdir())
        self.profile('[Access]\nAllowGroups=users\n[Exec]\nExecStart=/usr/bin/sleep infinity\n'
                     '[Files]\nBindPaths=%h/goes\n')
        id, path = launch('alice', 'life')
        data.rmdir()
        self.assert_refused('SetupFailed', 'goes', gdbus, 'alice', 'Restart', id)
        self.assertEqual(sandboxes()[id]['state'], 'failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'setup')
        self.assertIn('goes', sandbox_property(path, 'StatusText'))


class Limits(LifeTest):
    # Key, value, file, what it then holds.
    LIMITS = [
        ('MemoryMax', '64M', 'memory.max', '67108864'),
        ('MemoryHigh', '32M', 'memory.high', '33554432'),
        ('TasksMax', '33', 'pids.max', '33'),
        ('CPUWeight', '50', 'cpu.weight', '50'),
        ('CPUQuota', '50%', 'cpu.max', '50000 100000'),
        ('IOWeight', '200', 'io.weight', 'default 200'),
    ]

    def test_limits_are_in_force_or_refused(self):
        id, path = launch('alice', 'sleep')
        for key, value, file, expected in self.LIMITS:
            with self.subTest(key):
                there = cgroup_of(path) / file
                if not there.exists():
                    self.assert_refused('LayerUnavailable', file.split('.')[0], gdbus, 'root', 'SetProperties', id,
                                        f"[('{key}', <'{value}'>)]")
                    continue
                self.assertEqual(immurectl('root', 'set-property', id, f'{key}={value}').returncode, 0)
                self.assertEqual(there.read_text().strip(), expected)
                busctl('root', 'Restart', 's', id)
                self.assertEqual(there.read_text().strip(), expected, 'it holds for the next run')
        self.assertEqual(sandbox_property(path, 'State'), 'running')

    def test_limits_are_roots_to_set(self):
        id, _ = launch('alice', 'sleep')
        limit = "[('TasksMax', <uint64 7>)]"
        self.assert_refused('org.freedesktop.DBus.Error.AccessDenied', '', gdbus, 'alice', 'SetProperties', id, limit)
        self.assert_refused('NoSuchSandbox', '', gdbus, 'bob', 'SetProperties', id, limit)

    def test_what_is_no_limit_is_refused(self):
        id, _ = launch('alice', 'sleep')
        for properties, error in (("[('OOMPolicy', <'stop'>)]", 'SettingNotPermitted'),
                                  ("[('SystemCallFilter', <''>)]", 'SettingNotPermitted'),
                                  ("[('MemoryMax', <'much'>)]", 'BadSetting'),
                                  ("[('CPUWeight', <uint64 0>)]", 'BadSetting'),
                                  ("[('CPUWeight', <true>)]", 'org.freedesktop.DBus.Error.InvalidArgs')):
            with self.subTest(properties):
                self.assert_refused(error, '', gdbus, 'root', 'SetProperties', id, properties)
        gdbus('root', 'SetProperties', id, '@a(sv) []')


class Policies(LifeTest):
    ENDS = {
        'success': ('raise SystemExit(0)', 'success'),
        'exit code': ('raise SystemExit(3)', 'exit-code'),
        'clean signal': ('import os; os.kill(os.getpid(), 15)', 'success'),
        'signal': ('import os; os.kill(os.getpid(), 9)', 'signal'),
        'time': ('import time; time.sleep(999)', 'timeout'),
    }
    RESTARTS = {
        'no': (),
        'on-success': ('success', 'clean signal'),
        'on-failure': ('exit code', 'signal', 'time'),
        'on-abnormal': ('signal', 'time'),
        'always': tuple(ENDS),
    }

    def test_policy_decides_what_is_started_again(self):
        for policy, ends in self.RESTARTS.items():
            self.profile(PYTHON + f'[Service]\nRestart={policy}\nRestartSec=0\nRuntimeMaxSec=500ms\n'
                         'StartLimitBurst=2\nStartLimitIntervalSec=infinity\n', policy)
            for end, (program, result) in self.ENDS.items():
                with self.subTest(policy=policy, end=end):
                    done = immurectl('alice', 'run', policy, program)
                    id = f'{policy}.3001.1'
                    row = sandboxes().get(id)
                    if end in ends:
                        self.assertEqual(sandbox_property(row['path'], 'Result'), 'start-limit', done.stderr)
                        self.assertEqual(sandbox_property(row['path'], 'NRestarts'), 1)
                    elif result == 'success':
                        self.assertIsNone(row)
                    else:
                        self.assertEqual(sandbox_property(row['path'], 'Result'), result)
                        self.assertEqual(sandbox_property(row['path'], 'NRestarts'), 0)
                    if row:
                        busctl('alice', 'ResetFailed', 's', id)

    def waiting(self, service=''):
        self.profile(PYTHON + f'[Service]\nRestart=always\nRestartSec=1h\n{service}')
        id, path = launch('alice', 'life', 'raise SystemExit(4)')
        wait_for('the wait', lambda: sandbox_property(path, 'SubState') == 'auto-restart')
        self.assertEqual(sandbox_property(path, 'State'), 'starting')
        self.assertEqual(sandbox_property(path, 'Result'), 'exit-code')
        self.assertEqual(sandbox_property(path, 'ExecMainStatus'), 4)
        self.assertFalse(cgroup_of(path).exists())
        return id, path

    def test_stop_ends_the_wait_for_good(self):
        id, path = self.waiting()
        self.assertEqual(busctl('alice', 'GetProcesses', 's', id)[0], [])
        self.assert_refused('SandboxNotRunning', '', gdbus, 'alice', 'Kill', id, 'main', 9)
        self.assert_refused('SandboxNotRunning', '', gdbus, 'alice', 'Freeze', id)
        busctl('alice', 'Stop', 's', id)
        self.assertEqual(sandboxes()[id]['state'], 'failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'exit-code')

    def test_restart_ends_the_wait(self):
        id, path = self.waiting()
        busctl('alice', 'Restart', 's', id)
        wait_for('the second wait', lambda: sandbox_property(path, 'SubState') == 'auto-restart')
        busctl('alice', 'Stop', 's', id)

    def test_wait_outlives_the_broker(self):
        id, path = self.waiting()
        restart_broker(signal.SIGKILL)
        wait_for('the keeper', lambda: id in sandboxes())
        self.assertEqual(sandbox_property(path, 'SubState'), 'auto-restart')
        busctl('alice', 'Stop', 's', id)

    def test_status_explains_what_happened(self):
        id, _ = self.waiting()
        text = immurectl('alice', 'status', id).stdout
        self.assertRegex(text, r'State: starting \(auto-restart\)')
        self.assertRegex(text, r'Meaning: It exited with status 4')
        busctl('alice', 'Stop', 's', id)

    def test_restarts_need_no_broker_and_keep_the_clients_streams(self):
        self.profile(PYTHON + CLIENT + '[Service]\nRestart=on-failure\nRestartSec=0\nStartLimitBurst=4\n'
                     'StartLimitIntervalSec=infinity\n')
        client = start_as('alice', 'immurectl', 'run', 'life', 'print(input(), flush=True); raise SystemExit(5)')
        # Until then there must be a broker; what comes after is the keeper's alone.
        wait_for_launch('life.3001.1')
        os.kill(broker_pid(), signal.SIGSTOP)
        try:
            for n in (b'1\n', b'2\n', b'3\n', b'4\n'):
                client.stdin.write(n)
                client.stdin.flush()
                self.assertEqual(client.stdout.readline(), n)
            client.communicate(timeout=PATIENCE)
            self.assertEqual(client.returncode, 5)
        finally:
            os.kill(broker_pid(), signal.SIGCONT)
        path = wait_for('its record', lambda: sandboxes().get('life.3001.1', {}).get('path'))
        wait_for('its end', lambda: sandbox_property(path, 'State') == 'failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'start-limit')
        self.assertEqual(sandbox_property(path, 'NRestarts'), 3)

    def test_streams_are_held_from_run_to_run_by_a_process_of_their_own(self):
        self.profile(PYTHON + CLIENT + '[Service]\nRestart=always\nRestartSec=0\nStartLimitBurst=0\n')
        busctl('alice', 'Stop', 's', launch('alice', 'sleep')[0])  # from here on there is a keeper
        before = state()
        client = start_as('alice', 'immurectl', 'run', 'life', 'print(input(), flush=True)')
        client.stdin.write(b'1\n')
        client.stdin.flush()
        self.assertEqual(client.stdout.readline(), b'1\n')
        holder, = pids_of('immured-streams')
        group = cgroup_of(sandboxes()['life.3001.1']['path'])
        self.assertEqual((group.parent / f'{group.name}.streams/cgroup.procs').read_text().split(), [str(holder)])
        kept = open_files(holder)
        keeper, = pids_of('immured-keeper')
        for end in (client.stdin, client.stdout):
            pipe = os.readlink(f'/proc/self/fd/{end.fileno()}')
            self.assertNotIn(pipe, open_targets(keeper))
        client.stdin.write(b'2\n')
        client.stdin.flush()
        self.assertEqual(client.stdout.readline(), b'2\n')
        self.assertEqual(pids_of('immured-streams'), [holder])
        self.assertEqual(open_files(holder), kept)
        # Without it there is no run but the one that has them, or has asked for them.
        os.kill(holder, signal.SIGKILL)
        client.communicate(b'3\n', timeout=PATIENCE)
        self.assertIn(client.returncode, (0, 125))
        wait_for('its end', lambda: sandboxes().get('life.3001.1', {}).get('state') in (None, 'failed'))
        with contextlib.suppress(BusError):
            busctl('root', 'ResetFailed', 's', 'life.3001.1')
        self.assert_unchanged(before)

    def test_client_that_goes_takes_its_application_along(self):
        """At once, whatever that has to say to SIGTERM."""
        self.profile(PYTHON + CLIENT + '[Service]\nOnDisconnect=stop\nTimeoutStopSec=infinity\n')
        client = start_as('alice', 'immurectl', 'run', '--on-disconnect=kill', 'life',
                          'import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(999)')
        self.assertEqual(client.stdout.readline(), b'1\n')
        client.kill()
        client.communicate()
        wait_for('its end', lambda: 'life.3001.1' not in sandboxes())
        refused = immurectl('alice', 'run', '--on-disconnect=keep', 'life', 'pass')
        self.assertEqual(refused.returncode, 125)
        self.assertIn('stop', refused.stderr)

    def test_stop_through_the_lease_is_for_good(self):
        self.profile(PYTHON + CLIENT + '[Service]\nRestart=always\n')
        client = start_as('alice', 'immurectl', 'run', '--on-disconnect=stop', 'life',
                          'print(1, flush=True); import time; time.sleep(999)')
        self.assertEqual(client.stdout.readline(), b'1\n')
        client.kill()
        client.communicate()
        wait_for('its end', lambda: 'life.3001.1' not in sandboxes())

    def test_oneshot_is_done_when_it_has_succeeded(self):
        self.profile(PYTHON + '[Files]\nBindPaths=%h/data\n[Service]\nType=oneshot\nRestart=on-failure\nRestartSec=0\n')
        data = pathlib.Path('/home/alice/data')
        data.mkdir(exist_ok=True)
        os.chown(data, 3001, 3001)
        mark = data / 'mark'
        mark.unlink(missing_ok=True)
        launch('alice', 'life', f'import os; os.close(os.open("{mark}", os.O_CREAT | os.O_EXCL)) '
               f'if not os.path.exists("{mark}") else None; raise SystemExit(os.stat("{mark}").st_size == 0 and '
               f'(open("{mark}", "w").write("x") > 0))')
        self.assertEqual(mark.read_text(), 'x')
        mark.unlink()
        self.assertEqual(sandboxes(), {})


class Results(LifeTest):
    def ended(self, program, service='', exec_keys=''):
        self.profile(PYTHON + exec_keys + f'[Service]\n{service}')
        id, path = launch('alice', 'life', program)
        wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')
        found = sandbox_property(path, 'Result'), sandbox_property(path, 'ExecMainStatus')
        meaning = next(line for line in immurectl('alice', 'status', id).stdout.splitlines() if 'Meaning:' in line)
        return found, meaning

    def test_exit_code(self):
        found, meaning = self.ended('raise SystemExit(42)')
        self.assertEqual(found, ('exit-code', 42))
        self.assertIn('status 42', meaning)

    def test_signal(self):
        found, meaning = self.ended('import os; os.kill(os.getpid(), 31)')
        self.assertEqual(found, ('signal', 31))
        self.assertIn('SIGSYS', meaning)

    def test_core_dump(self):
        if pathlib.Path('/proc/sys/kernel/core_pattern').read_text().startswith('|'):
            self.skipTest('core dumps go to a program of the host')
        found, meaning = self.ended('import os; os.chdir("/tmp"); os.abort()', exec_keys='LimitCORE=64M\n')
        self.assertEqual(found, ('core-dump', 6))
        self.assertIn('core dump', meaning)

    def test_timeout_of_the_start_is_the_launchs_error(self):
        self.profile('[Access]\nAllowGroups=users\n[Exec]\nExecStart=/usr/bin/sleep infinity\n'
                     '[Service]\nTimeoutStartSec=1ms\n')
        # However fast the machine is: it is refused in time, or launched in time.
        with contextlib.suppress(BusError):
            id, _ = launch('alice', 'life')
            busctl('alice', 'Stop', 's', id)
        self.assertEqual(sandboxes(), {})

    def test_timeout_of_the_stop(self):
        id, path = launch('alice', 'stubborn')
        wait_for('its start', lambda: b'signal.SIG_IGN' in
                 pathlib.Path(f'/proc/{sandbox_property(path, "MainPID")}/cmdline').read_bytes())
        wait_for('the signal to be ignored', lambda: int(next(
            line.split()[1] for line in pathlib.Path(f'/proc/{sandbox_property(path, "MainPID")}/status')
            .read_text().splitlines() if line.startswith('SigIgn')), 16) & 1 << 14)
        busctl('alice', 'Stop', 's', id)
        self.assertEqual(sandbox_property(path, 'Result'), 'timeout')
        self.assertIn('TimeoutStopSec=', immurectl('alice', 'status', id).stdout)

    def test_statuses_and_signals_that_count_as_success(self):
        self.profile(PYTHON + '[Service]\nSuccessExitStatus=42 200 TEMPFAIL\nSuccessExitStatus=SIGUSR1 SIGKILL\n')
        for program, status in (('raise SystemExit(42)', 42), ('raise SystemExit(200)', 200),
                                ('raise SystemExit(75)', 75),
                                ('import os; os.kill(os.getpid(), 10)', 128 + 10),
                                ('import os; os.kill(os.getpid(), 9)', 128 + 9)):
            self.assertEqual(immurectl('alice', 'run', 'life', program).returncode, status)
            self.assertEqual(sandboxes(), {})
        self.assertEqual(immurectl('alice', 'run', 'life', 'raise SystemExit(41)').returncode, 41)
        self.assertEqual([row['state'] for row in sandboxes().values()], ['failed'])


if __name__ == '__main__':
    main()
