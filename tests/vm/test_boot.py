#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13 boots=2 timeout=900
"""Applications as units of their own: from boot on, without a login, and as systemd treats any service."""

import json
import os
import pathlib
import signal

from booted import (UIDS, BootedTest, broker_pid, busctl, check, immurectl, is_active, main, run, sandbox_property,
                    sandboxes, systemctl, unit_property, wait_for)

UNITS = pathlib.Path('/etc/systemd/system')
PROFILES = pathlib.Path('/etc/immured/profiles')

# Tells that it is there, and waits for what to do.
WEB = '''[Access]
AllowUsers=alice
[Exec]
ExecStart=/usr/bin/python3 -I -c "import os, time; open('%h/data/started', 'w').close(); print('here', flush=True); time.sleep(36000)"
[Files]
BindPaths=%h/data
'''


def unit_of(user, profile):
    return f'immured-app@{user}:{profile}.service'


def main_pid(id):
    return sandbox_property(sandboxes()[id]['path'], 'MainPID')


def journal(unit, *options):
    check('journalctl', '--sync')
    return check('journalctl', '--no-pager', '--boot', f'--unit={unit}', *options)


def enable(*words):
    done = immurectl('root', 'enable', *words)
    assert done.returncode == 0, done.stderr


class AppTest(BootedTest):
    def setUp(self):
        check('install', '-d', '-o', 'alice', '-g', 'alice', '/home/alice/data')

    def app(self, name, program, more='', dropin='', user='alice'):
        """A profile and its unit, enabled; the unit's name."""
        self.profile(name, f'[Access]\nAllowUsers={user}\n[Exec]\nExecStart=/usr/bin/python3 -I -c "{program}"\n{more}')
        unit = unit_of(user, name)
        self.addCleanup(self.forget, user, name, unit)
        if dropin:
            (UNITS / f'{unit}.d').mkdir()
            (UNITS / f'{unit}.d/test.conf').write_text(dropin)
        enable(user, name)
        return unit

    def forget(self, user, name, unit):
        (UNITS / f'{unit}.d/test.conf').unlink(missing_ok=True)
        done = immurectl('root', 'disable', '--now', user, name)
        self.assertEqual(done.returncode, 0, done.stderr)
        run('systemctl', 'reset-failed', unit)

    def ended(self, unit, state):
        wait_for(f'{unit} to be {state}', lambda: unit_property(unit, 'ActiveState') == state)

    def runs(self, unit, id):
        return is_active(unit) and sandboxes().get(id, {}).get('state') == 'running'


WAIT = 'import time; print(\'here\', flush=True); time.sleep(36000)'


class Unit(AppTest):
    def test_enabled_once_or_twice_and_disabled_without_a_trace(self):
        self.profile('web', WEB)
        unit = unit_of('alice', 'web')
        for _ in range(2):
            enable('--now', 'alice', 'web')
            self.assertTrue(is_active(unit))
            self.assertEqual(unit_property(unit, 'UnitFileState'), 'enabled')
            self.assertEqual(unit_property(unit, 'Slice'), 'immured-1000.slice')
        self.assertEqual(list(sandboxes('alice')), ['web.1000.1'])
        for _ in range(2):
            done = immurectl('root', 'disable', '--now', 'alice', 'web')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertFalse(is_active(unit))
        self.assertEqual([str(p) for p in UNITS.rglob('*') if 'immured-app@' in p.name], [])
        self.assertEqual(sandboxes(), {})
        self.assertEqual(unit_property(unit, 'UnitFileState'), 'disabled')

    def test_status_and_journal_are_those_of_a_service(self):
        unit = self.app('said', WAIT)
        systemctl('start', unit)
        wait_for('its line', lambda: 'here' in journal(unit, '--output=cat').splitlines())
        told = check('systemctl', 'status', '--no-pager', '--lines=50', unit)
        self.assertIn('Status: "running"', told)
        self.assertIn('here', told)
        entry, = (json.loads(line) for line in journal(unit, '--output=json').splitlines() if '"here"' in line)
        self.assertEqual({name: entry.get(name) for name in ('IMMURED_ID', 'IMMURED_USER', '_SYSTEMD_UNIT')},
                         {'IMMURED_ID': 'said.1000.1', 'IMMURED_USER': 'alice', '_SYSTEMD_UNIT': unit})

    def test_restart_of_the_unit_after_a_kill(self):
        unit = self.app('again', WAIT, dropin='[Service]\nRestart=on-failure\nRestartSec=100ms\n')
        systemctl('start', unit)
        # Of the application, and of the keeper.
        for count, victim in (1, lambda: main_pid('again.1000.1')), (2, lambda: int(unit_property(unit, 'MainPID'))):
            os.kill(victim(), signal.SIGKILL)
            wait_for('another start', lambda: unit_property(unit, 'NRestarts') == str(count)
                     and self.runs(unit, 'again.1000.1'))

    def test_active_when_the_application_says_so(self):
        gate = pathlib.Path('/home/alice/data/gate')
        gate.unlink(missing_ok=True)
        program = ('import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); '
                   's.connect(os.environ[\'NOTIFY_SOCKET\']); s.send(b\'STATUS=warming up\'); '
                   '[time.sleep(.1) for _ in iter(lambda: os.path.exists(\'/home/alice/data/gate\'), True)]; '
                   's.send(b\'READY=1\'); s.send(b\'STATUS=serving\'); time.sleep(36000)')
        unit = self.app('tells', program, '[Files]\nBindPaths=%h/data\n[Service]\nType=notify\nTimeoutStartSec=120s\n')
        systemctl('start', '--no-block', unit)
        wait_for('its first words', lambda: 'warming up' in unit_property(unit, 'StatusText'))
        self.assertEqual(unit_property(unit, 'ActiveState'), 'activating')
        gate.touch()
        wait_for('the unit', lambda: is_active(unit))
        wait_for('its last words', lambda: 'serving' in unit_property(unit, 'StatusText'))
        self.assertIn('serving', check('systemctl', 'status', '--no-pager', unit))

    def test_application_that_never_says_so_fails(self):
        unit = self.app('mute', WAIT, '[Service]\nType=notify\nTimeoutStartSec=5s\n')
        self.assertNotEqual(run('systemctl', 'start', unit).returncode, 0)
        self.ended(unit, 'failed')
        self.assertEqual([id for id, row in sandboxes().items() if row['state'] == 'running'], [])

    def test_stop_over_the_bus_is_no_failure(self):
        unit = self.app('stopped', WAIT, dropin='[Service]\nRestart=on-failure\nRestartSec=100ms\n')
        systemctl('start', unit)
        busctl('alice', 'Stop', 's', 'stopped.1000.1')
        self.ended(unit, 'inactive')
        self.assertEqual(unit_property(unit, 'Result'), 'success')
        self.assertEqual(unit_property(unit, 'NRestarts'), '0')

    def test_stop_of_the_unit_is_graceful(self):
        program = ('import signal, sys, time; signal.signal(signal.SIGINT, '
                   'lambda *a: (time.sleep(1), print(\'saved\', flush=True), sys.exit(0))); '
                   'print(\'here\', flush=True); time.sleep(36000)')
        unit = self.app('saves', program, '[Service]\nKillSignal=SIGINT\nTimeoutStopSec=120s\n')
        systemctl('start', unit)
        wait_for('its line', lambda: 'here' in journal(unit, '--output=cat').splitlines())
        systemctl('stop', unit)
        self.assertIn('saved', journal(unit, '--output=cat').splitlines())
        self.assertEqual(unit_property(unit, 'Result'), 'success')
        self.assertEqual(unit_property(unit, 'ActiveState'), 'inactive')

    def test_end_of_the_application_is_the_unit_s(self):
        for name, end, expected in (('seven', 'import sys; sys.exit(7)', ('exit-code', '1', '7')),
                                    ('crash', 'import os; os.kill(os.getpid(), 11)', ('signal', '2', '11'))):
            with self.subTest(name):
                unit = self.app(name, end)
                run('systemctl', 'start', unit)
                self.ended(unit, 'failed')
                self.assertEqual(tuple(unit_property(unit, p) for p in ('Result', 'ExecMainCode', 'ExecMainStatus')),
                                 expected)

    def test_oneshot_is_over_when_its_start_is(self):
        path = pathlib.Path('/home/alice/data/once')
        path.unlink(missing_ok=True)
        unit = self.app('once', 'import time; time.sleep(2); open(\'/home/alice/data/once\', \'w\').close()',
                        '[Files]\nBindPaths=%h/data\n[Service]\nType=oneshot\n')
        systemctl('start', unit)
        self.assertTrue(path.exists())
        self.ended(unit, 'inactive')
        self.assertEqual(unit_property(unit, 'Result'), 'success')

    def test_what_is_not_allowed_fails_once(self):
        unit = unit_of('carol', 'sleep')
        dropin = UNITS / f'{unit}.d/test.conf'
        dropin.parent.mkdir()
        # What "immurectl enable" would refuse to write.
        dropin.write_text('[Service]\nSlice=immured-1002.slice\nRestart=always\nRestartSec=100ms\n')
        systemctl('daemon-reload')
        try:
            self.assertNotEqual(run('systemctl', 'start', unit).returncode, 0)
            self.ended(unit, 'failed')
            self.assertEqual((unit_property(unit, 'ExecMainStatus'), unit_property(unit, 'NRestarts')), ('78', '0'))
            self.assertIn('User 1002 may not start-at-boot profile "sleep"', journal(unit))
        finally:
            dropin.unlink()
            dropin.parent.rmdir()
            run('systemctl', 'reset-failed', unit)
            systemctl('daemon-reload')

    def test_unit_outside_the_slice_of_its_user_is_refused(self):
        unit = unit_of('alice', 'sleep')
        self.assertNotEqual(run('systemctl', 'start', unit).returncode, 0)
        self.assertEqual(unit_property(unit, 'ExecMainStatus'), '78')
        self.assertIn('its unit is not in immured-1000.slice', journal(unit))
        systemctl('reset-failed', unit)

    def test_broker_that_comes_later_is_waited_for(self):
        unit = self.app('patient', WAIT)
        systemctl('stop', 'immured.socket', 'immured.service')
        systemctl('mask', '--runtime', 'immured.service')
        try:
            systemctl('start', '--no-block', unit)
            wait_for('the unit to begin', lambda: unit_property(unit, 'ActiveState') == 'activating')
        finally:
            systemctl('unmask', '--runtime', 'immured.service')
            systemctl('start', 'immured.service')
        wait_for('the application', lambda: self.runs(unit, 'patient.1000.1'))

    def test_broker_that_is_replaced_disturbs_nothing(self):
        unit = self.app('steady', WAIT)
        systemctl('start', unit)
        pids = main_pid('steady.1000.1'), unit_property(unit, 'MainPID')
        for way in lambda: systemctl('restart', 'immured.service'), lambda: os.kill(broker_pid(), signal.SIGKILL):
            way()
            wait_for('the keeper', lambda: self.runs(unit, 'steady.1000.1'))
            self.assertEqual(pids, (main_pid('steady.1000.1'), unit_property(unit, 'MainPID')))
        self.assertEqual(list(sandboxes()), ['steady.1000.1'])

    def test_stop_of_the_user_s_slice_stops_it(self):
        unit = self.app('sliced', WAIT)
        systemctl('start', unit)
        systemctl('stop', 'immured-1000.slice')
        self.assertFalse(is_active(unit))
        self.assertEqual(unit_property(unit, 'Result'), 'success')


FIRST = '''[Unit]
Before=immured-app@alice:web.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sleep 5
[Install]
RequiredBy=immured-app@alice:web.service
'''


class Prepare(BootedTest):
    """Comes last before the machine restarts."""

    def test_enabled_for_the_next_start(self):
        (PROFILES / 'web.profile').write_text(WEB)
        check('install', '-d', '-o', 'alice', '-g', 'alice', '/home/alice/data')
        pathlib.Path('/home/alice/data/started').unlink(missing_ok=True)
        (UNITS / 'first.service').write_text(FIRST)
        enable('alice', 'web')
        systemctl('enable', 'first.service')
        self.assertFalse(is_active(unit_of('alice', 'web')))


class NextStart(BootedTest):
    boot = 2
    unit = unit_of('alice', 'web')

    @classmethod
    def setUpClass(cls):
        """Nothing: the machine is as it came up."""

    def tearDown(self):
        """Nothing: it shall run on."""

    def test_1_active_for_its_user_without_a_login(self):
        wait_for('the unit', lambda: is_active(self.unit))
        self.assertEqual(list(sandboxes('alice')), ['web.1000.1'])
        path = sandboxes()['web.1000.1']['path']
        self.assertEqual([sandbox_property(path, name) for name in ('User', 'UID', 'State')],
                         ['alice', UIDS['alice'], 'running'])
        self.assertEqual(unit_property(self.unit, 'Slice'), 'immured-1000.slice')
        started = pathlib.Path('/home/alice/data/started')
        wait_for('what it writes', started.exists)
        self.assertEqual(started.stat().st_uid, UIDS['alice'])
        self.assertEqual(unit_property('user@1000.service', 'ActiveState'), 'inactive')
        self.assertNotIn('alice', check('loginctl', 'list-users', '--no-legend'))
        self.assertIn('here', journal(self.unit, '--output=cat').splitlines())

    def test_2_started_after_what_comes_before_it(self):
        def time_of(unit, name):
            return int(unit_property(unit, f'{name}TimestampMonotonic'))
        self.assertGreaterEqual(time_of(self.unit, 'InactiveExit'), time_of('first.service', 'ActiveEnter'))
        self.assertGreater(time_of('first.service', 'ActiveEnter'), 0)

    def test_3_disabled_for_good(self):
        done = immurectl('root', 'disable', '--now', 'alice', 'web')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(is_active(self.unit))
        self.assertEqual(unit_property(self.unit, 'UnitFileState'), 'disabled')
        self.assertEqual(sandboxes(), {})


if __name__ == '__main__':
    main()
