#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the broker tells the service manager, which a socket plays."""

import os
import signal
import time

from common import (CGROUP, NotifyTest, PATIENCE, broker_is_there, broker_pid, busctl, launch, main, sandboxes, wait_for)


class Broker(NotifyTest):
    @classmethod
    def setUpClass(cls):
        # The rig's own broker ends well, so it is not started again.
        os.kill(broker_pid(), signal.SIGTERM)
        wait_for('the end of the broker', lambda: not broker_is_there())

    def setUp(self):
        self.start('immured', f'--cgroup-root={CGROUP.resolve()}', WATCHDOG_USEC='400000')
        self.ready = self.socket.wait(READY='1')
        wait_for('its name', broker_is_there)

    def tearDown(self):
        if self.daemon.poll() is None:
            super().tearDown()

    def test_ready_comes_with_the_name_and_status_counts(self):
        self.assertTrue(broker_is_there())
        launch('alice', 'sleep'), launch('alice', 'sleep'), launch('bob', 'sleep')
        self.socket.wait(STATUS='3 sandboxes of 2 users')
        for id in list(sandboxes('bob')):
            busctl('bob', 'Stop', 's', id)
        self.socket.wait(STATUS='2 sandboxes of 1 user')

    def test_watchdog_is_fed(self):
        for _ in range(3):
            self.socket.wait(WATCHDOG='1')

    def test_reload_by_signal_is_told_with_its_time(self):
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        self.daemon.send_signal(signal.SIGHUP)
        message = self.socket.wait(RELOADING='1', MONOTONIC_USEC=r'\d+')
        told = int(message['MONOTONIC_USEC']) / 1e6
        self.assertTrue(before <= told <= time.clock_gettime(time.CLOCK_MONOTONIC))
        self.socket.wait(READY='1')

    def test_stop_is_told_and_well(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.socket.wait(STOPPING='1')
        self.assertEqual(self.daemon.wait(PATIENCE), 0)


if __name__ == '__main__':
    main()
