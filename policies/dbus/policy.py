#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts what the broker offers into the policy of the bus, member by member.

usage: policy.py TEMPLATE MEMBERS

MEMBERS is the program that prints the broker's tables.
"""

import pathlib
import subprocess
import sys

# Every connection of sd-bus answers these by itself; and nothing can be set.
PEER = [('org.freedesktop.DBus.Peer', name) for name in ('Ping', 'GetMachineId')]
UNREACHABLE = [('org.freedesktop.DBus.Properties', 'Set')]


def allow(interface, member):
    return (f'                <allow send_destination="org.immured.Broker1"\n'
            f'                       send_type="method_call"\n'
            f'                       send_interface="{interface}"\n'
            f'                       send_member="{member}"/>')


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    lines = subprocess.run([sys.argv[2], 'policy'], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    members = PEER + [m for m in (tuple(line.split()) for line in lines) if m not in UNREACHABLE]
    template = pathlib.Path(sys.argv[1]).read_text(encoding='utf-8')
    sys.stdout.write(template.replace('@MEMBERS@', '\n'.join(allow(*m) for m in members)))


if __name__ == '__main__':
    main()
