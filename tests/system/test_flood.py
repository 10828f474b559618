#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One user's requests by the thousand: what they cost stays his own."""

import os
import pwd
import socket
import sys
import time

from common import BUS, ERROR, PATIENCE, ROOT, BusError, SystemTest, broker_pid, gdbus, launch, main, open_files, wait_for
from rawbus import RawBus, launch_body


def in_a_child_as(user, function):
    """Runs function as the user, in a process of its own; True: it came to its end."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            account = pwd.getpwnam(user)
            os.setgroups(os.getgrouplist(user, account.pw_gid))
            os.setresgid(*[account.pw_gid] * 3)
            os.setresuid(*[account.pw_uid] * 3)
            status = 0 if function() else 1
        except BaseException as e:
            print(repr(e), file=sys.stderr)
        finally:
            os._exit(status)
    return pid


def join(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def ask_until_limited():
    """Asks for the dearest thing there is, until the broker has had enough; nothing else counts as enough."""
    bus = RawBus()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        error, _ = bus.call(BUS, ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
        if error is not None:
            return error == ERROR + 'RateLimited'
    return False


def pour_descriptors():
    """Launches that cannot succeed, with all the descriptors that they may have, and nobody who reads the answers."""
    fds = [os.open('/dev/null', os.O_RDONLY)] * 3
    body = launch_body('sleep', [('StandardInput', 0)])
    for _ in range(60):
        bus = RawBus()
        bus.socket.settimeout(1)
        try:
            for _ in range(64):
                bus.send(BUS, ROOT, BUS + '.Manager', 'Launch', 'sa{sv}', body, fds)
        except (OSError, socket.timeout):
            pass
        bus.close()
    return True


class Flood(SystemTest):
    def test_requests_take_a_share_of_the_brokers_time(self):
        others = [in_a_child_as('alice', ask_until_limited) for _ in range(4)]
        self.assertEqual([join(pid) for pid in others], [True] * 4)
        # It is the user who is limited, not a connection, and nobody else.
        launch('bob', 'sleep')
        wait_for('the share to come back', lambda: not self.is_limited('alice'))

    def is_limited(self, user):
        try:
            gdbus(user, 'ListSandboxes')
        except BusError as e:
            self.assertEqual(e.name, ERROR + 'RateLimited')
            return True
        return False

    def test_answers_that_the_bus_drops_are_asked_for_again(self):
        before = open_files(broker_pid())
        others = [in_a_child_as('alice', pour_descriptors) for _ in range(4)]
        for _ in range(10):
            try:
                gdbus('bob', 'ListSandboxes')
            except BusError as e:
                # The queue of the bus is full: its own word, at once. A call that got through is answered.
                self.assertEqual(e.name, 'org.freedesktop.DBus.Error.LimitsExceeded', e.text)
        self.assertEqual([join(pid) for pid in others], [True] * 4)
        wait_for('the end of all descriptors', lambda: open_files(broker_pid()) == before)

    def test_more_descriptors_than_there_are_streams_reach_nobody(self):
        def refused():
            bus = RawBus()
            error, _ = bus.call(BUS, ROOT, BUS + '.Manager', 'Launch', 'sa{sv}', launch_body('cat', []),
                                [os.open('/dev/null', os.O_RDONLY)] * 4)
            return error == 'org.freedesktop.DBus.Error.AccessDenied'
        self.assertTrue(join(in_a_child_as('alice', refused)))


if __name__ == '__main__':
    main()
