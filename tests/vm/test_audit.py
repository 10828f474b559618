#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13
"""The kernel's audit log has each request once, by the broker's unit as it is shipped."""

import re
import socket
import struct

from booted import BootedTest, BusError, broker_pid, launch, main, systemctl, wait_for

NETLINK_AUDIT, READLOG = 9, 1
AUDIT_GET, AUDIT_SET, TRUSTED_APP = 1000, 1001, 1121
ENABLED = 1


def request(kind, payload=b''):
    """What the kernel replies to a request of NLM_F_REQUEST | NLM_F_ACK."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT) as link:
        link.sendto(struct.pack('=IHHII', 16 + len(payload), kind, 5, 1, 0) + payload, (0, 0))
        while True:
            data = link.recv(65536)
            if struct.unpack_from('=H', data, 4)[0] == kind or kind != AUDIT_GET:
                return data[16:]


def set_enabled(value):
    error, = struct.unpack_from('=i', request(AUDIT_SET, struct.pack('=10I', ENABLED, value, *[0] * 8)))
    assert error == 0, error


class AuditLog(BootedTest):
    def setUp(self):
        self.addCleanup(set_enabled, struct.unpack_from('=II', request(AUDIT_GET))[1])
        set_enabled(1)
        self.log = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
        self.addCleanup(self.log.close)
        self.log.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.log.setblocking(False)
        self.log.bind((0, READLOG))
        self.records = []

    def read(self, *words):
        try:
            while True:
                data = self.log.recv(65536)
                if struct.unpack_from('=H', data, 4)[0] == TRUSTED_APP:
                    self.records.append(data[16:].decode().rstrip('\0\n'))
        except BlockingIOError:
            return [record for record in self.records if all(word in record for word in words)]

    def wait(self, *words):
        record, = wait_for(f'a record with {words}', lambda: self.read(*words))
        return record

    def test_what_was_done(self):
        id, _ = launch('alice', 'sleep')
        record = self.wait('op=immured-launch', 'res=success')
        for word in 'caller_uid=1000', f'sandbox="{id}"', 'profile="sleep"', 'acct="alice"', 'immured/immured':
            self.assertIn(word, record)
        self.assertRegex(record, r'profile_hash="[0-9a-f]{64}"')
        self.assertRegex(record, r'invocation="[0-9a-f]{32}"')
        self.assertEqual(re.findall(r'\bpid=(\d+)', record), [str(broker_pid())])

    def test_what_was_denied(self):
        with self.assertRaises(BusError):
            launch('carol', 'sleep')
        record = self.wait('op=immured-launch', 'caller_uid=1002')
        self.assertIn('res=failed', record)
        self.assertIn('reason="org.immured.Broker1.Error.', record)

    def test_hostile_name_is_one_value(self):
        with self.assertRaises(BusError):
            launch('bob', 'x res=success op=y')
        record = self.wait('op=immured-launch', 'caller_uid=1001')
        self.assertEqual(record.count('op='), 1)
        self.assertEqual(record.count('res='), 1)
        self.assertIn('res=failed', record)

    def test_broker_has_no_other_privilege(self):
        self.assertEqual(systemctl('show', '--value', '--property=CapabilityBoundingSet', 'immured.service').strip(),
                         'cap_audit_write')


if __name__ == '__main__':
    main()
