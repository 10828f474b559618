#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""What the broker tells the service manager, which a socket plays."""

import os
import pathlib
import signal
import time

from common import (CGROUP, NotifyTest, PATIENCE, broker_is_there, broker_pid, busctl, launch, main, sandboxes, start_as,
                    wait_for)


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

    def test_stop_is_no_news_of_sandboxes(self):
        watcher = start_as('alice', 'python3', '-I', '-c', WATCH)
        try:
            self.assertEqual(watcher.stdout.readline(), b'listening\n')
            launch('alice', 'sleep')
            self.assertEqual(watcher.stdout.readline(), b'SandboxNew\n')
            self.daemon.send_signal(signal.SIGTERM)
            self.assertEqual(self.daemon.wait(PATIENCE), 0)
            # The bus tells of the end of a connection after all that came over it.
            self.assertEqual(watcher.stdout.readline(), b'NameOwnerChanged\n')
            # Keeper and sandbox are there for the next one.
            self.doCleanups()
            self.setUp()
            wait_for('the keeper', sandboxes)
        finally:
            watcher.kill()
            watcher.communicate()


WATCH = (pathlib.Path(__file__).parent / 'rawbus.py').read_text() + '''
bus = RawBus()
broker = "org.immured.Broker1"
bus.call(DBUS, "/org/freedesktop/DBus", DBUS, "AddMatch", "s",
         string(f"type='signal',member='NameOwnerChanged',arg0='{broker}'"))
bus.call(broker, "/org/immured/Broker1", broker + ".Manager", "Subscribe")
print("listening", flush=True)
while True:
    member, _ = bus.next_signal()
    if member in ("SandboxNew", "SandboxRemoved", "InterfacesRemoved", "NameOwnerChanged"):
        print(member, flush=True)
'''


if __name__ == '__main__':
    main()
