#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user may ask for in total, as the broker's configuration says; each user has his own account of it."""

import os
import pathlib
import signal

from common import (BUS, ROOT, SystemTest, busctl, gdbus, launch, main, pids_of, restart_broker, sandboxes, start_as,
                    wait_for)

CONF = pathlib.Path('/etc/immured/immured.conf.d/20-test.conf')


class Quota(SystemTest):
    def configure(self, text):
        CONF.write_text(text)
        restart_broker()

    def tearDown(self):
        super().tearDown()  # first, while the broker knows them all
        CONF.unlink(missing_ok=True)
        restart_broker()

    def test_launches_in_a_row_are_limited(self):
        self.configure('[Users]\nLaunchRateBurst=3\nLaunchRateIntervalSec=1h\n')
        for _ in range(3):
            launch('alice', 'fixed')
            wait_for('its end', lambda: not sandboxes())
        self.assert_refused('RateLimited', 'LaunchRateBurst=', gdbus, 'alice', 'Launch', 'fixed', '{}')
        launch('bob', 'fixed')

    def test_sandboxes_of_a_user_are_limited(self):
        self.configure('[Users]\nMaxSandboxesPerUser=2\nLaunchRateBurst=1000\n')
        launch('alice', 'sleep'), launch('alice', 'managed')
        self.assert_refused('QuotaExceeded', 'MaxSandboxesPerUser=', gdbus, 'alice', 'Launch', 'sleep', '{}')
        launch('bob', 'sleep')
        busctl('alice', 'Stop', 's', 'managed.3001.1')
        launch('alice', 'sleep')

    def test_sandboxes_of_all_are_limited(self):
        self.configure('[Broker]\nMaxSandboxes=2\n[Users]\nLaunchRateBurst=1000\n')
        launch('alice', 'sleep'), launch('bob', 'sleep')
        self.assert_refused('QuotaExceeded', 'MaxSandboxes=', gdbus, 'alice', 'Launch', 'sleep', '{}')

    def test_sandboxes_of_a_profile_are_limited(self):
        for _ in range(2):
            launch('alice', 'sleep')
        self.assert_refused('QuotaExceeded', 'MaxInstances=', gdbus, 'alice', 'Launch', 'sleep', '{}')
        launch('bob', 'sleep')

    def test_requests_that_a_keeper_works_on_are_limited(self):
        self.configure('[Users]\nMaxRequestsInFlight=2\nLaunchRateBurst=1000\n')
        id, _ = launch('alice', 'sleep')
        keeper = pids_of('immured-keeper')[0]
        os.kill(keeper, signal.SIGSTOP)
        self.addCleanup(os.kill, keeper, signal.SIGCONT)
        command = ['gdbus', 'call', '--system', '--dest', BUS, '--object-path', ROOT, '--method', BUS + '.Manager.GetProcesses']
        waiting = [start_as('alice', *command, '--', id) for _ in range(3)]
        wait_for('one to be refused', lambda: any(p.poll() is not None for p in waiting))
        os.kill(keeper, signal.SIGCONT)
        answers = [p.communicate() + (p.returncode,) for p in waiting]
        refused = [error.decode() for _, error, status in answers if status != 0]
        self.assertEqual(len(refused), 1, answers)
        self.assertRegex(refused[0], r'QuotaExceeded: .*\(MaxRequestsInFlight=\)')

    def test_bad_configuration_changes_nothing(self):
        CONF.write_text('[Users]\nMaxSandboxesPerUser=many\n')
        self.assert_refused('BadSetting', '20-test.conf:2: MaxSandboxesPerUser', gdbus, 'root', 'Reload')
        launch('alice', 'sleep')


if __name__ == '__main__':
    main()
