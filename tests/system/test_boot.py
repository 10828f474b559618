#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A keeper as the main process of a unit, whose service manager the test plays: active, status, stop, and its end."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

from common import (BUS, CGROUP, NotifyTest, PATIENCE, PROFILES, ROOT, SystemTest, UIDS, add_profile, broker_pid, busctl,
                    immurectl, launch, main, remove_profile, restart_broker, run_as, sandbox_property, sandboxes,
                    start_as, wait_for)

REFUSED = 78


class App(NotifyTest):
    log = pathlib.Path('/run/boot.log')

    def setUp(self):
        self.profiles = []

    def tearDown(self):
        for name in self.profiles:
            remove_profile(name)
        super().tearDown()

    def profile(self, name, program, more=''):
        add_profile(name, f'[Access]\nAllowUsers=alice\n[Exec]\nExecStart=/usr/bin/python3 -I -c "{program}"\n{more}')
        self.profiles.append(name)

    def unit(self, app, uid=UIDS['alice'], slice=None, name=None):
        """The unit's cgroup, as systemd would make it, and the keeper in it."""
        cgroup = CGROUP.resolve() / 'immured.slice' / (slice or f'immured-{uid}.slice') / (name or f'immured-app@{app}.service')
        cgroup.mkdir(parents=True)
        self.cgroup = cgroup
        self.start('immured-keeper', f'--app={app}', f'--cgroup={cgroup}')

    def start(self, name, *command, **environment):
        stderr, self.stderr = os.dup(2), self.log.open('w+b')
        os.dup2(self.stderr.fileno(), 2)
        try:
            super().start(name, *command, **environment)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)

    def end(self):
        super().end()
        self.stderr.close()
        with contextlib.suppress(OSError):
            (self.cgroup / 'cgroup.kill').write_text('1')
        for path in sorted(self.cgroup.rglob('*'), reverse=True):
            if path.is_dir():
                wait_for('an empty cgroup', lambda: not (path / 'cgroup.procs').read_text())
                path.rmdir()
        self.cgroup.rmdir()
        with contextlib.suppress(OSError):
            self.cgroup.parent.rmdir()
            self.cgroup.parent.parent.rmdir()

    def wait(self):
        return self.daemon.wait(PATIENCE)

    def logged(self):
        return self.log.read_text()

    def test_active_when_it_runs_and_shown_as_any_other(self):
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        row = sandboxes('alice')['sleep.3001.1']
        self.assertEqual(row['state'], 'running')
        group = sandbox_property(row['path'], 'ControlGroup')
        own = sandbox_property(row['path'], 'InvocationID')
        self.assertTrue(group.endswith(f'/immured-3001.slice/immured-app@alice:sleep.service/{own}'), group)
        main_pid = sandbox_property(row['path'], 'MainPID')
        self.assertNotIn(pathlib.Path(f'/proc/{main_pid}').stat().st_uid, (0, 3001))
        self.assertEqual(sandboxes('bob'), {})

    def test_stop_over_the_bus_ends_the_unit_well(self):
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        busctl('alice', 'Stop', 's', 'sleep.3001.1')
        self.socket.wait(STOPPING='1', EXTEND_TIMEOUT_USEC=r'\d+')
        self.assertEqual(self.wait(), -signal.SIGTERM)  # which systemd takes for a success
        self.assertEqual(sandboxes(), {})

    def test_stop_of_the_unit_is_as_the_profile_says(self):
        # Not print() in the handler: the signal may come while the first line is still being written.
        program = ('import os, signal, sys, time; '
                   'signal.signal(signal.SIGINT, lambda *a: (os.write(1, b\'saved\'), sys.exit(0))); '
                   'print(\'up\', flush=True); time.sleep(3600)')
        self.profile('graceful', program, '[Service]\nKillSignal=SIGINT\nTimeoutStopSec=30s\n')
        self.unit('alice:graceful')
        wait_for('its first line', lambda: 'up' in self.logged())
        self.daemon.send_signal(signal.SIGTERM)
        message = self.socket.wait(STOPPING='1', EXTEND_TIMEOUT_USEC=r'\d+')
        self.assertGreater(int(message['EXTEND_TIMEOUT_USEC']), 30_000_000)
        self.assertEqual(self.wait(), 0)
        self.assertIn('saved', self.logged())

    def test_stop_that_takes_too_long_is_a_failure(self):
        program = ('import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); '
                   'print(\'up\', flush=True); time.sleep(3600)')
        self.profile('unruly', program, '[Service]\nTimeoutStopSec=100ms\n')
        self.unit('alice:unruly')
        wait_for('its first line', lambda: 'up' in self.logged())
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.wait(), -signal.SIGKILL)

    def test_last_answer_is_heard_though_the_keeper_has_ended(self):
        program = ('import signal, sys, time; '
                   'signal.signal(signal.SIGTERM, lambda *a: print(\'asked\', file=sys.stderr, flush=True)); '
                   'print(\'up\', flush=True); time.sleep(3600)')
        self.profile('stubborn', program)
        self.unit('alice:stubborn')
        wait_for('its first line', lambda: 'up' in self.logged())
        main_pid = sandbox_property(sandboxes()['stubborn.3001.1']['path'], 'MainPID')
        stop = start_as('alice', 'busctl', '--system', 'call', BUS, ROOT, f'{BUS}.Manager', 'Stop', 's',
                        'stubborn.3001.1')
        wait_for('the signal', lambda: 'asked' in self.logged())
        # The broker finds both at once: the answer, and that whoever gave it is gone.
        os.kill(broker_pid(), signal.SIGSTOP)
        try:
            os.kill(main_pid, signal.SIGKILL)
            self.wait()
        finally:
            os.kill(broker_pid(), signal.SIGCONT)
        _, text = stop.communicate(timeout=PATIENCE)
        self.assertEqual(stop.returncode, 0, text)

    def test_exit_status_is_the_application_s(self):
        self.profile('seven', 'import sys; sys.exit(7)')
        self.unit('alice:seven')
        self.assertEqual(self.wait(), 7)
        self.assertIn('alice:seven ended: exit-code (exited 7)', self.logged())
        self.assertEqual(sandboxes(), {})

    def test_success_is_what_the_profile_calls_one(self):
        self.profile('seven', 'import sys; sys.exit(7)', '[Service]\nSuccessExitStatus=7\n')
        self.unit('alice:seven')
        self.assertEqual(self.wait(), 0)

    def test_signal_is_the_application_s(self):
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        os.kill(sandbox_property(sandboxes()['sleep.3001.1']['path'], 'MainPID'), signal.SIGSEGV)
        self.assertEqual(self.wait(), -signal.SIGSEGV)

    def test_oneshot_is_ready_when_it_has_ended(self):
        self.profile('once', 'print(\'done\', flush=True)', '[Service]\nType=oneshot\n')
        self.unit('alice:once')
        self.assertEqual(self.wait(), 0)
        self.socket.wait(READY='1')
        self.assertIn('done', self.logged())

    def test_oneshot_that_fails_is_never_ready(self):
        self.profile('once', 'import sys; sys.exit(3)', '[Service]\nType=oneshot\n')
        self.unit('alice:once')
        self.assertEqual(self.wait(), 3)
        self.socket.receive()
        self.assertEqual([m for m in self.socket.messages if 'READY' in m], [])

    def test_status_is_the_state(self):
        self.unit('alice:sleep')
        self.socket.wait(STATUS=r'starting \(setup\)')
        self.socket.wait(STATUS='running')

    def test_restart_of_the_profile_is_within_the_life_of_the_unit(self):
        program = 'import os, time; print(\'run\', flush=True); time.sleep(3600)'
        self.profile('again', program, '[Service]\nRestart=on-failure\nRestartSec=10ms\n')
        self.unit('alice:again')
        self.socket.wait(READY='1')
        path = sandboxes()['again.3001.1']['path']
        os.kill(sandbox_property(path, 'MainPID'), signal.SIGKILL)
        wait_for('the next run', lambda: sandbox_property(path, 'NRestarts') == 1 and
                 sandbox_property(path, 'State') == 'running')
        self.assertIsNone(self.daemon.poll())
        wait_for('its line', lambda: len(re.findall('run$', self.logged(), re.M)) == 2)

    def test_by_uid_where_a_name_would_not_do(self):
        self.unit('3001:sleep')
        self.socket.wait(READY='1')
        self.assertIn('sleep.3001.1', sandboxes('alice'))

    def test_refusals_are_told_once_and_not_tried_again(self):
        add_profile('broken', '[Exec]\nExecStart=relative\n')
        self.profiles.append('broken')
        for app, uid, text in (('alice:no-such', 3001, 'No profile "no-such"'),
                               ('nobody-here:sleep', 3001, 'There is no such user'),
                               ('alice:staff', 3001, 'User 3001 may not start-at-boot profile "staff"'),
                               ('carol:sleep', 3003, 'User 3003 may not start-at-boot profile "sleep"'),
                               ('alice:disabled', 3001, 'Profile "disabled" has Enabled=no'),
                               ('alice:broken', 3001, 'broken.profile:2: ExecStart:'),
                               ('alice:', 3001, 'is not USER:PROFILE')):
            with self.subTest(app):
                self.unit(app, uid)
                self.assertEqual(self.wait(), REFUSED)
                self.assertEqual(len(self.logged().splitlines()), 1, self.logged())
                self.assertIn(text, self.logged())
                self.socket.receive()
                self.assertEqual([m for m in self.socket.messages if 'READY' in m], [])
                self.doCleanups()
        self.assertEqual(sandboxes(), {})

    def test_starts_while_nobody_may_log_in_but_not_for_an_expired_account(self):
        pathlib.Path('/run/nologin').touch()
        self.addCleanup(pathlib.Path('/run/nologin').unlink)
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        self.doCleanups()
        shadow = pathlib.Path('/etc/shadow')
        before = shadow.read_text()
        self.addCleanup(shadow.write_text, before)
        shadow.write_text(before + 'bob:*:19000:0:99999:7::1:\n')
        self.unit('bob:sleep', UIDS['bob'])
        self.assertEqual(self.wait(), REFUSED)
        self.assertIn('The account bob has expired', self.logged())

    def test_launch_that_fails_may_be_tried_again(self):
        self.unit('alice:no-program')
        self.assertEqual(self.wait(), 1)
        self.assertIn('alice:no-program is not started', self.logged())
        self.assertIn('/usr/bin/no-such-program', self.logged())

    def test_unit_outside_the_slice_of_its_user_is_refused(self):
        for slice in ('system.slice', 'immured-300.slice', 'immured-3002.slice'):
            with self.subTest(slice):
                self.unit('alice:sleep', slice=slice)
                self.assertEqual(self.wait(), REFUSED)
                self.assertIn('its unit is not in immured-3001.slice', self.logged())
                self.doCleanups()

    def test_authentication_is_not_asked_of_nobody(self):
        # root, who enabled the unit, vouches for it
        self.unit('alice:confirm')
        self.socket.wait(READY='1')

    def test_counts_for_the_limits_of_its_user(self):
        launch('alice', 'sleep')
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        self.assertEqual(sorted(sandboxes('alice')), ['sleep.3001.1', 'sleep.3001.2'])
        self.assert_refused('QuotaExceeded', 'MaxInstances=', launch, 'alice', 'sleep')
        self.daemon.kill()
        self.doCleanups()
        wait_for('its end to be known', lambda: sorted(sandboxes()) == ['sleep.3001.1'])
        launch('alice', 'sleep')
        self.unit('alice:sleep')
        self.assertEqual(self.wait(), REFUSED)
        self.assertIn('MaxInstances=', self.logged())

    def test_keepers_of_one_user_do_not_share_ids(self):
        launch('alice', 'sleep')
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        owners = {pathlib.Path(f'/proc/{row["leader"]}').stat().st_uid for row in sandboxes().values()}
        self.assertEqual(len(owners), 2)

    def test_stop_all_of_the_user_reaches_it(self):
        launch('alice', 'sleep')
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        busctl('alice', 'TerminateAll', path='/org/immured/Broker1/user/_33001', interface='User')
        self.assertEqual(self.wait(), -signal.SIGTERM)
        self.assertEqual(sandboxes(), {})

    def test_broker_that_restarts_disturbs_nothing(self):
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        path = sandboxes()['sleep.3001.1']['path']
        before = {n: sandbox_property(path, n) for n in ('InvocationID', 'MainPID', 'Timestamp', 'ControlGroup')}
        for how in (signal.SIGKILL, signal.SIGKILL):
            restart_broker(how)
            wait_for('the keeper', lambda: 'sleep.3001.1' in sandboxes())
            self.assertEqual(list(sandboxes()), ['sleep.3001.1'])
            self.assertEqual(before, {n: sandbox_property(path, n) for n in before})
        busctl('alice', 'Stop', 's', 'sleep.3001.1')
        self.assertEqual(self.wait(), -signal.SIGTERM)

    def test_broker_that_is_not_there_yet_is_waited_for(self):
        os.kill(broker_pid(), signal.SIGSTOP)
        try:
            self.unit('alice:sleep')
            # It has connected, and nobody answers.
            wait_for('its connection', lambda: 'keeper.sock' in pathlib.Path('/proc/net/unix').read_text())
        finally:
            restart_broker(signal.SIGKILL)
        self.socket.wait(READY='1')
        self.assertEqual(list(sandboxes()), ['sleep.3001.1'])

    def test_keeper_that_is_killed_can_be_started_again_at_once(self):
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        first = sandbox_property(sandboxes()['sleep.3001.1']['path'], 'InvocationID')
        self.doCleanups()
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        self.assertEqual(list(sandboxes()), ['sleep.3001.1'])
        self.assertNotEqual(first, sandbox_property(sandboxes()['sleep.3001.1']['path'], 'InvocationID'))

    def test_stop_before_anything_runs_is_no_failure(self):
        os.kill(broker_pid(), signal.SIGSTOP)
        try:
            self.unit('alice:sleep')
            wait_for('its cgroup', lambda: (self.cgroup / 'keeper').is_dir())
            wait_for('its loop', lambda: self.daemon.pid in
                     [int(p) for p in (self.cgroup / 'keeper' / 'cgroup.procs').read_text().split()])
            self.daemon.send_signal(signal.SIGTERM)
            self.assertEqual(self.wait(), 0)
        finally:
            restart_broker(signal.SIGKILL)

    def test_nothing_is_left(self):
        before = os.listdir('/run/immured/ids')
        self.unit('alice:sleep')
        self.socket.wait(READY='1')
        self.daemon.send_signal(signal.SIGTERM)
        self.wait()
        self.assertEqual(sorted(p.name for p in self.cgroup.iterdir() if p.is_dir()), ['keeper'])
        self.assertEqual(os.listdir('/run/immured/ids'), before)


UNITS = pathlib.Path('/etc/systemd/system')
UNIT = 'immured-app@alice:sleep.service'
DROPIN = UNITS / f'{UNIT}.d' / 'immured.conf'
LINK = UNITS / 'multi-user.target.wants' / UNIT


class Enable(SystemTest):
    """Without systemd: files alone."""

    def tearDown(self):
        immurectl('root', 'disable', 'alice', 'sleep')

    def written(self):
        return sorted(str(p.relative_to(UNITS)) for p in UNITS.rglob('*') if 'immured-app@' in str(p))

    def refused(self, user, text, *words):
        done = immurectl(user, *words)
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertRegex(done.stderr, text)
        self.assertEqual(self.written(), [])

    def test_enable_writes_the_slice_and_the_link(self):
        for _ in range(2):
            done = immurectl('root', 'enable', 'alice', 'sleep')
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f'{UNIT} is enabled.\n', ''))
            self.assertEqual(DROPIN.read_text().splitlines()[1:], ['[Service]', 'Slice=immured-3001.slice'])
            self.assertEqual(os.readlink(LINK), '/usr/lib/systemd/system/immured-app@.service')
            self.assertTrue(LINK.exists())

    def test_everybody_may_read_it_whatever_root_s_umask_is(self):
        done = run_as('root', 'sh', '-c', 'umask 077; immurectl enable alice sleep')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((DROPIN.stat().st_mode & 0o777, DROPIN.parent.stat().st_mode & 0o777), (0o644, 0o755))

    def test_systemd_takes_what_is_written(self):
        immurectl('root', 'enable', 'alice', 'sleep')
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', UNIT], capture_output=True, text=True)
        self.assertEqual([line for line in done.stderr.splitlines() if 'immured' in line], [])
        done = subprocess.run(['systemctl', '--root=/', 'is-enabled', UNIT], capture_output=True, text=True)
        self.assertEqual(done.stdout, 'enabled\n', done.stderr)

    def test_disable_removes_all_of_it(self):
        immurectl('root', 'enable', 'alice', 'sleep')
        for _ in range(2):
            done = immurectl('root', 'disable', 'alice', 'sleep')
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f'{UNIT} is disabled.\n', ''))
            self.assertEqual(self.written(), [])

    def test_disable_leaves_what_the_administrator_wrote(self):
        immurectl('root', 'enable', 'alice', 'sleep')
        own = DROPIN.parent / 'restart.conf'
        own.write_text('[Service]\nRestart=on-failure\n')
        immurectl('root', 'disable', 'alice', 'sleep')
        self.assertEqual([p.name for p in DROPIN.parent.iterdir()], ['restart.conf'])
        own.unlink()
        DROPIN.parent.rmdir()

    def test_a_uid_and_its_name_are_one_unit(self):
        immurectl('root', 'enable', '3001', 'sleep')
        self.assertTrue(LINK.is_symlink())
        immurectl('root', 'disable', '3001', 'sleep')
        self.assertEqual(self.written(), [])

    def test_disable_works_for_users_and_profiles_that_are_no_more(self):
        for words in (('gone', 'sleep'), ('alice', 'gone'), ('54321', 'gone')):
            self.assertEqual(immurectl('root', 'disable', *words).returncode, 0)
        for words in (('../x', 'sleep'), ('alice', '../x'), ('alice', 'sleep:x')):
            self.refused('root', 'is no name of', 'disable', *words)

    def test_what_would_be_refused_at_boot_is_refused_now(self):
        self.refused('root', 'there is no such user', 'enable', 'nobody-here', 'sleep')
        self.refused('root', "There is no profile 'no-such'", 'enable', 'alice', 'no-such')
        self.refused('root', r'User carol may not run profile sleep: .*\[Access\]', 'enable', 'carol', 'sleep')
        self.refused('root', 'has Enabled=no', 'enable', 'alice', 'disabled')
        (PROFILES / 'broken.profile').write_text('[Exec]\nExecStart=relative\n')
        done = immurectl('root', 'enable', 'alice', 'broken')
        (PROFILES / 'broken.profile').unlink()
        self.assertEqual(done.returncode, 1)
        self.assertIn('broken.profile:2: ExecStart', done.stdout)
        self.assertIn('The broker refuses profile broken', done.stderr)
        self.assertEqual(self.written(), [])

    def test_only_root_may(self):
        self.refused('alice', 'Only root may enable', 'enable', 'alice', 'sleep')
        self.refused('alice', 'Only root may disable', 'disable', 'alice', 'sleep')

    def test_nothing_is_started_where_there_is_no_systemd(self):
        self.refused('root', '--now: systemd is not running here', 'enable', '--now', 'alice', 'sleep')

    def test_needs_no_broker(self):
        os.kill(broker_pid(), signal.SIGSTOP)
        try:
            self.assertEqual(immurectl('root', 'enable', 'alice', 'sleep').returncode, 0)
            self.assertEqual(immurectl('root', 'disable', 'alice', 'sleep').returncode, 0)
        finally:
            os.kill(broker_pid(), signal.SIGCONT)


if __name__ == '__main__':
    main()
