#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a keeper tells the service manager, which a socket plays."""

import signal

from common import CGROUP, NotifyTest, PATIENCE, busctl, gdbus, main, wait_for


class Keeper(NotifyTest):
    def setUp(self):
        self.cgroup = CGROUP.resolve() / 'keeper-test'
        self.cgroup.mkdir()
        self.start('immured-keeper', '--uid=3003', f'--cgroup={self.cgroup}', WATCHDOG_USEC='400000')
        self.socket.wait(READY='1')

    def end(self):
        super().end()
        for path in sorted(self.cgroup.rglob('*'), reverse=True):
            if path.is_dir():
                wait_for('an empty cgroup', lambda: not (path / 'cgroup.procs').read_text())
                path.rmdir()
        self.cgroup.rmdir()

    def test_watchdog_is_fed(self):
        for _ in range(3):
            self.socket.wait(WATCHDOG='1')

    def test_stop_is_told_and_well(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.socket.wait(STOPPING='1')
        self.assertEqual(self.daemon.wait(PATIENCE), 0)

    def test_status_counts_its_sandboxes(self):
        self.assertIn('sleep.3003.1', gdbus('root', 'Launch', 'sleep', "{'User': <'carol'>}"))
        self.socket.wait(STATUS='1 sandbox.*')
        busctl('root', 'Stop', 's', 'sleep.3003.1')
        self.socket.wait(STATUS='(No|0) sandbox.*')


if __name__ == '__main__':
    main()
