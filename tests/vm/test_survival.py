#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13 timeout=900
"""What happens to the broker, the bus, the manager and the package disturbs no sandbox and no client."""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from booted import (PATIENCE, BootedTest, broker_answers, broker_pid, busctl, cgroup, check, drop_in, immurectl,
                    is_active, keeper_unit, launch, main, sandbox_property, sandboxes, systemctl, unit_property,
                    wait_for)

BROKER = '/usr/libexec/immured/immured'
PACKAGES = pathlib.Path(os.environ['VM_PACKAGES'])


class Survival(BootedTest):
    def new_broker(self, old):
        wait_for('another broker', lambda: broker_pid() not in (0, old) and is_active('immured.service')
                 and broker_answers())

    def test_restart_of_the_broker(self):
        with self.undisturbed():
            old = broker_pid()
            systemctl('restart', 'immured.service')
            self.new_broker(old)

    def test_restart_of_socket_and_broker(self):
        with self.undisturbed():
            old = broker_pid()
            systemctl('restart', 'immured.socket', 'immured.service')
            self.new_broker(old)

    def test_broker_is_killed(self):
        with self.undisturbed():
            old = broker_pid()
            os.kill(old, signal.SIGKILL)
            self.new_broker(old)

    def test_broker_that_hangs_is_replaced_by_the_watchdog(self):
        # Only the time until then is cut short; the rest is the unit's.
        with drop_in('immured.service', '[Service]\nWatchdogSec=5s\n'):
            systemctl('restart', 'immured.service')
            with self.undisturbed():
                old = broker_pid()
                restarts = int(unit_property('immured.service', 'NRestarts'))
                os.kill(old, signal.SIGSTOP)
                self.new_broker(old)
                self.assertGreater(int(unit_property('immured.service', 'NRestarts')), restarts)
        systemctl('restart', 'immured.service')

    def test_restart_of_the_bus(self):
        with self.undisturbed():
            old = broker_pid()
            systemctl('restart', 'dbus.service')
            self.new_broker(old)

    def test_manager_executes_itself_anew(self):
        with self.undisturbed():
            systemctl('daemon-reexec')
            systemctl('restart', 'immured.service')
            wait_for('the broker', broker_answers)

    def test_units_are_read_anew(self):
        with self.undisturbed():
            systemctl('daemon-reload')

    def test_upgrade_of_the_package(self):
        with tempfile.TemporaryDirectory() as directory:
            newer = newer_package(pathlib.Path(directory))
            with self.undisturbed(), self.undisturbed('bob'):
                keeper = unit_property(keeper_unit('alice'), 'MainPID')
                old = broker_pid()
                check('dpkg', '-i', newer)
                self.new_broker(old)
                self.assertEqual(unit_property(keeper_unit('alice'), 'MainPID'), keeper)
        self.assertTrue(check('dpkg-query', '-W', '-f', '${Version}', 'immured').endswith('+later'))

    def test_result_of_what_ends_while_the_broker_is_away(self):
        client = self.python('alice', 'import sys; print(1, flush=True); sys.stdin.read(); sys.exit(9)')
        self.assertEqual(client.stdout.readline(), b'1\n')
        systemctl('stop', 'immured.socket', 'immured.service')
        client.communicate(timeout=120)
        self.assertEqual(client.returncode, 9)
        systemctl('start', 'immured.socket', 'immured.service')
        wait_for('the result', lambda: [row['state'] for row in sandboxes('alice').values()] == ['failed'])


class Versions(BootedTest):
    """Programs that are one version later than those of the package, installed over these and taken back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.this, = PACKAGES.glob('immured_*.deb')
        cls.next = newer_package(pathlib.Path(cls.directory.name), sorted((PACKAGES / 'next').iterdir()))
        check('dpkg', '-i', cls.this)

    def setUp(self):
        self.addCleanup(check, 'dpkg', '-i', '--skip-same-version', self.this)

    def install(self, package):
        old, version = broker_pid(), program_version()
        check('dpkg', '-i', package)
        wait_for('another broker', lambda: broker_pid() not in (0, old) and broker_answers())
        self.assertNotEqual(program_version(), version)
        self.assertEqual(os.readlink(f'/proc/{broker_pid()}/exe'), BROKER)

    def over_living_keepers(self, package, user):
        """All that one does with sandboxes of a version goes on when another one is installed over it."""
        client = self.python(user, 'import time; print(1, flush=True); time.sleep(36000)')
        self.assertEqual(client.stdout.readline(), b'1\n')
        awaited, = sandboxes(user)
        # Of a profile of which no other is launched: that would take its place.
        self.assertEqual(self.python(user, 'raise SystemExit(9)').wait(PATIENCE), 9)
        ended, = set(sandboxes(user)) - {awaited}
        ended_path = sandboxes()[ended]['path']
        id, path = launch(user, 'sleep')
        wait_for('its record', lambda: sandboxes()[ended]['state'] == 'failed')
        known, keeper = sandboxes(user), keeper_pid(user)

        self.install(package)
        self.assertEqual(sandboxes(user), known)
        self.assertEqual(keeper_pid(user), keeper)
        again, _ = launch(user, 'sleep')
        self.assertEqual(keeper_pid(user), keeper)
        busctl(user, 'Stop', 's', again)
        busctl(user, 'Stop', 's', awaited)
        self.assertEqual(client.wait(PATIENCE), 128 + signal.SIGTERM)

        # The last one that runs: the keeper leaves, and whoever comes at that moment gets the next one.
        pid = sandbox_property(path, 'MainPID')
        busctl(user, 'Stop', 's', id)
        self.assertFalse(os.path.exists(f'/proc/{pid}'))
        new, new_path = launch(user, 'sleep')
        self.assertNotIn(keeper_pid(user), (0, keeper))
        self.assertFalse(os.path.exists(f'/proc/{keeper}'))
        self.assertIn(f'/{keeper_unit(user)}/', sandbox_property(new_path, 'ControlGroup'))
        self.assertEqual(sandboxes()[ended]['state'], 'failed')
        self.assertEqual(sandbox_property(ended_path, 'ExecMainStatus'), 9)
        busctl(user, 'ResetFailed', 's', ended)
        self.assertEqual(set(sandboxes(user)), {new})
        busctl(user, 'Stop', 's', new)

    def test_upgrade_and_downgrade_over_living_keepers(self):
        with self.undisturbed('bob') as counting:
            keeper = keeper_pid('bob')
            for package in self.next, self.this:
                self.over_living_keepers(package, 'alice')
                self.assertIn(counting, sandboxes())
            self.assertEqual(keeper_pid('bob'), keeper)

    def test_keeper_that_keeps_nothing_is_replaced_at_once(self):
        for package in self.next, self.this:
            id, _ = launch('alice', 'sleep')
            keeper = keeper_pid('alice')
            busctl('alice', 'Stop', 's', id)
            self.assertEqual(keeper_pid('alice'), keeper)
            self.install(package)
            wait_for('the keeper to leave', lambda: not os.path.exists(f'/proc/{keeper}'))
            id, _ = launch('alice', 'sleep')
            self.assertNotIn(keeper_pid('alice'), (0, keeper))
            busctl('alice', 'Stop', 's', id)

    def test_launch_waits_for_a_keeper_that_is_on_its_way_out(self):
        id, path = launch('alice', 'sleep')
        keeper, pid, group = keeper_pid('alice'), sandbox_property(path, 'MainPID'), cgroup(path)
        self.install(self.next)
        # Stopped by turns: the broker hears of the end when the keeper can no longer do as it is told.
        broker = broker_pid()
        os.kill(broker, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        wait_for('the end of its group', lambda: not group.exists())
        time.sleep(1)
        os.kill(keeper, signal.SIGSTOP)
        os.kill(broker, signal.SIGCONT)
        wait_for('its record', lambda: sandboxes()[id]['state'] == 'failed')
        with concurrent.futures.ThreadPoolExecutor() as pool:
            launching = pool.submit(launch, 'alice', 'sleep')
            time.sleep(1.5)
            os.kill(keeper, signal.SIGCONT)
            launching.result()
        self.assertNotIn(keeper_pid('alice'), (0, keeper))

    def test_application_of_a_unit_survives_upgrade_and_downgrade(self):
        unit = 'immured-app@alice:sleep.service'
        self.assertEqual(immurectl('root', 'enable', '--now', 'alice', 'sleep').returncode, 0)
        self.addCleanup(immurectl, 'root', 'disable', '--now', 'alice', 'sleep')
        wait_for('the application', lambda: is_active(unit) and set(sandboxes()) == {'sleep.1000.1'})
        path = sandboxes()['sleep.1000.1']['path']
        pids = sandbox_property(path, 'MainPID'), unit_property(unit, 'MainPID')
        for package in self.next, self.this:
            self.install(package)
            self.assertEqual(sandboxes()['sleep.1000.1']['state'], 'running')
            self.assertEqual((sandbox_property(path, 'MainPID'), unit_property(unit, 'MainPID')), pids)
            self.assertTrue(is_active(unit))
            busctl('alice', 'Stop', 's', launch('alice', 'sleep')[0])
        self.install(self.next)
        systemctl('restart', unit)
        self.assertEqual(sandboxes()['sleep.1000.1']['state'], 'running')
        systemctl('stop', unit)
        self.assertEqual(sandboxes(), {})


def keeper_pid(user):
    return int(unit_property(keeper_unit(user), 'MainPID'))


def program_version():
    return check(BROKER, '--version')


def newer_package(directory, programs=()):
    """The installed package with a higher version, and nothing else that differs but these programs."""
    package, = PACKAGES.glob('immured_*.deb')
    check('dpkg-deb', '-R', package, directory / 'tree')
    control = directory / 'tree/DEBIAN/control'
    lines = control.read_text().splitlines()
    control.write_text('\n'.join(f'{line}+later' if line.startswith('Version:') else line for line in lines) + '\n')
    for program in programs:
        shutil.copy(program, directory / 'tree/usr/libexec/immured')
    subprocess.run(['dpkg-deb', '-b', '-Znone', directory / 'tree', directory / 'newer.deb'], check=True,
                   capture_output=True)
    return directory / 'newer.deb'


if __name__ == '__main__':
    main()
