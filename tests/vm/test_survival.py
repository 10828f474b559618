#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13
"""What happens to the broker, the bus, the manager and the package disturbs no sandbox and no client."""

import os
import pathlib
import signal
import subprocess
import tempfile

from booted import (BootedTest, broker_answers, broker_pid, check, drop_in, is_active, keeper_unit, main, sandboxes,
                    systemctl, unit_property, wait_for)


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


def newer_package(directory):
    """The installed package with a higher version, and nothing else that differs."""
    package, = pathlib.Path(os.environ['VM_PACKAGES']).glob('immured_*.deb')
    check('dpkg-deb', '-R', package, directory / 'tree')
    control = directory / 'tree/DEBIAN/control'
    lines = control.read_text().splitlines()
    control.write_text('\n'.join(f'{line}+later' if line.startswith('Version:') else line for line in lines) + '\n')
    subprocess.run(['dpkg-deb', '-b', '-Znone', directory / 'tree', directory / 'newer.deb'], check=True,
                   capture_output=True)
    return directory / 'newer.deb'


if __name__ == '__main__':
    main()
