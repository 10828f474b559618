#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user may ask for in total, as the broker's configuration says; each user has his own account of it."""

import pathlib

from common import SystemTest, busctl, gdbus, launch, main, restart_broker, wait_for, sandboxes

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
        self.assert_refused('RateLimited', '', gdbus, 'alice', 'Launch', 'fixed', '{}')
        launch('bob', 'fixed')

    def test_sandboxes_of_a_user_are_limited(self):
        self.configure('[Users]\nMaxSandboxesPerUser=2\nLaunchRateBurst=1000\n')
        launch('alice', 'sleep'), launch('alice', 'managed')
        self.assert_refused('QuotaExceeded', '', gdbus, 'alice', 'Launch', 'sleep', '{}')
        launch('bob', 'sleep')
        busctl('alice', 'Stop', 's', 'managed.3001.1')
        launch('alice', 'sleep')

    def test_sandboxes_of_all_are_limited(self):
        self.configure('[Broker]\nMaxSandboxes=2\n[Users]\nLaunchRateBurst=1000\n')
        launch('alice', 'sleep'), launch('bob', 'sleep')
        self.assert_refused('QuotaExceeded', '', gdbus, 'alice', 'Launch', 'sleep', '{}')

    def test_bad_configuration_changes_nothing(self):
        CONF.write_text('[Users]\nMaxSandboxesPerUser=many\n')
        self.assert_refused('BadSetting', '20-test.conf:2: MaxSandboxesPerUser', gdbus, 'root', 'Reload')
        launch('alice', 'sleep')


if __name__ == '__main__':
    main()
