#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether what is written down equals what follows from the broker's tables.

usage: golden.py access MEMBERS FILE    who may do what, line by line ("MEMBERS access > FILE" writes it anew)
       golden.py policy MEMBERS FILE    the D-Bus policy: every member is let through, in order, and nothing else
       golden.py actions MEMBERS FILE   the polkit actions: each is asked by some rule, and none is missing
"""

import difflib
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

# The connection that is asked, and the one that asks: to that one users may send nothing.
NAMES = ['org.immured.Broker1', 'org.immured.Broker1.Questions']
# Every connection of sd-bus answers these by itself; and nothing can be set.
PEER = [('org.freedesktop.DBus.Peer', name) for name in ('Ping', 'GetMachineId')]
UNREACHABLE = [('org.freedesktop.DBus.Properties', 'Set')]


def run(members, what):
    return subprocess.run([members, what], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def compare(written, wanted, name):
    return list(difflib.unified_diff(written, wanted, name, 'the tables', lineterm='', n=0))


def check_access(members, path):
    return compare(path.read_text().splitlines(), run(members, 'access'), path.name)


def check_policy(members, path):
    wanted = [tuple(line.split()) for line in run(members, 'policy')]
    wanted = sorted([m for m in wanted if m not in UNREACHABLE] + PEER)
    rules = list(xml.etree.ElementTree.parse(path).getroot())
    allowed = [rule.attrib for policy in rules if policy.get('context') == 'default' for rule in policy.findall('allow')]
    first = next([(rule.tag, rule.attrib) for rule in policy][:2] for policy in rules if policy.get('context') == 'default')
    if first != [('deny', {'send_destination': name}) for name in NAMES]:
        yield f'{path.name}: the default policy does not begin with a refusal of everything'
    members = {'send_destination': NAMES[0], 'send_type': 'method_call'}
    if any(set(rule) != {*members, 'send_interface', 'send_member'} or not members.items() <= rule.items()
           for rule in allowed):
        yield f'{path.name}: something is let through that is not a call of one member of one interface'
    written = sorted((rule.get('send_interface'), rule.get('send_member')) for rule in allowed)
    yield from compare([' '.join(map(str, m)) for m in written], [' '.join(m) for m in wanted], path.name)


def check_actions(members, path):
    tree = xml.etree.ElementTree.parse(path)
    written = {}
    for action in tree.iter('action'):
        defaults = {action.find(f'defaults/{who}').text for who in ('allow_any', 'allow_inactive', 'allow_active')}
        written[action.get('id')] = 'free' if defaults == {'yes'} else 'authenticated'
        if len(defaults) != 1:
            yield f'{path.name}: {action.get("id")}: one default for all sessions'
    wanted = dict(line.split() for line in run(members, 'actions'))
    yield from compare(sorted(f'{k} {v}' for k, v in written.items()), sorted(f'{k} {v}' for k, v in wanted.items()),
                       path.name)


CHECKS = {'access': check_access, 'policy': check_policy, 'actions': check_actions}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in CHECKS:
        sys.exit(__doc__.strip())
    breaches = list(CHECKS[sys.argv[1]](sys.argv[2], pathlib.Path(sys.argv[3])))
    for breach in breaches:
        print(breach)
    sys.exit(1 if breaches else 0)


if __name__ == '__main__':
    main()
