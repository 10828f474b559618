#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# alone: others would be in the way of what it counts
# rig: --bus /usr/share/immured/bus-limits.conf
"""The limits of the bus that the manual offers against floods are in effect, and the product works within them."""

import contextlib
import os
import pathlib
import signal
import xml.etree.ElementTree

from common import BUS, ERROR, ROOT, SystemTest, broker_pid, busctl, launch, main, sandboxes
from rawbus import DBUS, bus_of, string

OFFERED = pathlib.Path('/usr/share/immured/bus-limits.conf')
LIMITS = {limit.get('name'): int(limit.text) for limit in xml.etree.ElementTree.parse(OFFERED).getroot()}


class BusLimits(SystemTest):
    def test_a_user_has_so_many_connections_and_no_more(self):
        with contextlib.ExitStack() as stack:
            for _ in range(LIMITS['max_connections_per_user']):
                stack.enter_context(bus_of('alice'))
            with self.assertRaisesRegex(AssertionError, 'LimitsExceeded'):
                stack.enter_context(bus_of('alice'))
            _, path = launch('bob', 'sleep')
            busctl('bob', 'Stop', path=path, interface='Sandbox')

    def test_so_many_calls_of_a_connection_may_wait(self):
        with bus_of('alice') as bus:
            pid = broker_pid()
            os.kill(pid, signal.SIGSTOP)
            try:
                for _ in range(LIMITS['max_replies_per_connection']):
                    bus.send(BUS, ROOT, BUS + '.Manager', 'ListSandboxes')
                error, _ = bus.call(BUS, ROOT, BUS + '.Manager', 'ListSandboxes')
            finally:
                os.kill(pid, signal.SIGCONT)
        self.assertEqual(error, DBUS + '.Error.LimitsExceeded')

    def test_the_broker_is_sent_no_larger_message(self):
        def ask_with(size):
            with bus_of('alice') as bus:
                return bus.call(BUS, ROOT, BUS + '.Manager', 'GetProfile', 's', string('x' * size))[0]
        self.assertEqual(ask_with(LIMITS['max_message_size'] - 1024), ERROR + 'QuotaExceeded')
        with self.assertRaises((OSError, EOFError)):
            ask_with(LIMITS['max_message_size'])
        self.assertEqual(sandboxes(), {})


if __name__ == '__main__':
    main()
