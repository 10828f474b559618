#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a caller may not see and what does not exist: whatever is asked, the answer is the same."""

import pathlib
import re
import struct
import time
import xml.etree.ElementTree

from common import (BUS, CGROUP, ERROR, PATIENCE, ROOT, UIDS, SystemTest, add_profile, busctl, launch, main,
                    remove_profile, run_as, sandbox_property)
from rawbus import Reader, bus_of, padded, read_string, string
from test_polkit import CHALLENGE, NO, FakePolkit

VERBS = pathlib.Path(__file__).parents[2] / 'src/broker/access/sandbox-verbs.def'
INTROSPECTABLE = 'org.freedesktop.DBus.Introspectable'
PROPERTIES = 'org.freedesktop.DBus.Properties'
NAMES = {'sandbox': ('sleep.3001.1', 'sleep.3001.7', 'sleep.3009.1', 'nobody.3001.1', 'none.3001.1'),
         'profile': ('nobody', 'broken', 'none'),
         'user': (3001, 3003, 3009)}
# Of the signatures that our methods have.
TYPE = re.compile(r'a\{sv\}|a\(sv\)|as|[sui]')


def verbs():
    """Those that CheckAccess() knows."""
    found = re.findall(r'^VERB\(\w+, "([\w-]+)"', VERBS.read_text(), re.M)
    assert len(found) >= 7, found
    return ['launch', 'plan', 'inspect', *found]


def marshal(signature, *values):
    """The values, and then something for each type that is left."""
    body, values = b'', list(values)
    for type in TYPE.findall(signature):
        value = values.pop(0) if values else None
        if type == 's':
            body = padded(body, 4) + string('main' if value is None else value)
        elif type in 'ui':
            body = padded(body, 4) + struct.pack('<I', 9 if value is None else value)
        else:
            body = padded(body, 4) + struct.pack('<I', len(value or b''))
            body = body if type == 'as' else padded(body, 8)
            body += value or b''
    return body


def user_option(user):
    return padded(string('User') + b'\1s\0', 4) + string(user)


def without(names, text):
    for name in sorted(map(str, names), key=len, reverse=True):
        text = re.sub(rf'(?<![\w.]){re.escape(name)}(?![\w])|{re.escape(escaped(name))}', 'X', text)
    return text


def escaped(name):
    """As a label of a path."""
    return ''.join(c if c.isalnum() and (i or not c.isdigit()) else f'_{ord(c):02x}' for i, c in enumerate(name))


class Oracle(SystemTest):
    @classmethod
    def setUpClass(cls):
        add_profile('broken', '[Exec]\nNoSuchKey=1\n[Access]\nAllowUsers=alice\n')

    @classmethod
    def tearDownClass(cls):
        remove_profile('broken')

    def setUp(self):
        self.clients = {user: bus_of(user) for user in ('alice', 'bob', 'carol')}
        for client in self.clients.values():
            self.addCleanup(client.close)
        launch('alice', 'sleep')
        busctl('root', 'Launch', 'sa{sv}', 'nobody', 1, 'User', 's', 'alice')

    def call(self, user, member, signature, body, path=ROOT, interface=f'{BUS}.Manager'):
        """(error, text), of one that is not told that it asks too much."""
        end = time.monotonic() + PATIENCE
        while True:
            error, content = self.clients[user].call(BUS, path, interface, member, signature, body)
            if error != f'{ERROR}RateLimited' or time.monotonic() > end:
                break
            time.sleep(0.05)
        if not error and member == 'CheckAccess':
            reader = Reader(content)
            return f'{reader.s()} {reader.s()}'
        return error and f'{error}: {read_string(content)}'

    def assert_alike(self, names, ask, **case):
        with self.subTest(**case):
            answers = {without(names, ask(name) or 'done') for name in names}
            self.assertEqual(len(answers), 1, answers)
            self.n += 1

    def introspect(self, path):
        text = busctl('root', 'Introspect', path=path, interface=INTROSPECTABLE)[0]
        for interface in xml.etree.ElementTree.fromstring(text).iter('interface'):
            for method in interface.iter('method'):
                types = [a.get('type') for a in method.iter('arg') if a.get('direction', 'in') == 'in']
                arguments = [a.get('name') for a in method.iter('arg') if a.get('direction', 'in') == 'in']
                yield interface.get('name'), method.get('name'), ''.join(types), arguments

    def each_method_by_name(self):
        kinds = {'id': 'sandbox', 'profile': 'profile', 'name': 'profile', 'uid': 'user'}
        seen = set()
        for interface, member, signature, arguments in self.introspect(ROOT):
            if not interface.startswith(BUS) or not arguments or arguments[0] not in kinds or member == 'CheckAccess':
                continue
            kind = kinds[arguments[0]]
            seen.add(kind)
            self.assert_alike(NAMES[kind], lambda name: self.call('bob', member, signature, marshal(signature, name)),
                              member=member)
        self.assertEqual(seen, set(NAMES))

    def each_method_of_objects(self):
        own = {'sandbox': 'sleep.3001.1', 'profile': 'nobody', 'user': '3001'}
        for kind, names in NAMES.items():
            for interface, member, signature, _ in self.introspect(f'{ROOT}/{kind}/{escaped(own[kind])}'):
                values = {PROPERTIES: [f'{BUS}.{kind.capitalize()}', 'Name', b'']}.get(interface, [])
                if member == 'Set':
                    continue
                self.assert_alike(names, lambda name: self.call(
                    'bob', member, signature, marshal(signature, *values), interface=interface,
                    path=f'{ROOT}/{kind}/{escaped(str(name))}'), kind=kind, interface=interface, member=member)

    def each_question(self):
        """CheckAccess(): of profiles, and of users whom it is about."""
        signature = 'ussa{sv}'
        for user in self.clients:
            for verb in verbs():
                for options in (b'', user_option('bob'), user_option('alice'), user_option('no-such')):
                    self.assert_alike(NAMES['profile'], lambda profile: self.call(
                        user, 'CheckAccess', signature, marshal(signature, UIDS[user], profile, verb, options)),
                        user=user, verb=verb, options=options)
                if user == 'bob':
                    continue
                for profile in ('sleep', 'nobody', 'none'):
                    self.assert_alike(('bob', 'no-such', '3002', '3009'), lambda other: self.call(
                        user, 'CheckAccess', signature, marshal(signature, UIDS[user], profile, verb, user_option(other))),
                        user=user, verb=verb, profile=profile)
        for other in (3001, 3003, 3009):
            self.assert_alike(NAMES['profile'], lambda profile: self.call(
                'bob', 'CheckAccess', signature, marshal(signature, other, profile, 'launch')), other=other)

    def each_launch_for_others(self):
        for member in ('Launch', 'LaunchLeased', 'Plan'):
            for profile in ('sleep', 'staff', 'nobody', 'none'):
                self.assert_alike(('bob', 'no-such', '3002', '3009'), lambda other: self.call(
                    'alice', member, 'sa{sv}', marshal('sa{sv}', profile, user_option(other))),
                    member=member, profile=profile)

    def ask_all(self):
        self.n = 0
        self.each_method_by_name()
        self.each_method_of_objects()
        self.each_question()
        self.each_launch_for_others()
        print(f'{self.n} questions')
        self.assertGreater(self.n, 200)

    def test_without_polkit(self):
        self.ask_all()

    def test_where_polkit_says_no(self):
        self.with_polkit(NO)

    def test_where_polkit_would_ask(self):
        self.with_polkit(CHALLENGE)

    def with_polkit(self, answer):
        polkit = FakePolkit(launch=(1, 0), launch_as_user=answer, inspect=answer, manage=answer, manage_own=answer,
                            set_properties=answer)
        self.addCleanup(polkit.close)
        self.ask_all()


class Everybody(SystemTest):
    """What tools show that do not ask the broker."""

    def test_processes_and_cgroups_name_no_profile(self):
        add_profile('undisclosed', '[Access]\nAllowUsers=alice\n[Exec]\nExecStart=/usr/bin/sleep 1000\n')
        self.addCleanup(remove_profile, 'undisclosed')
        id, path = launch('alice', 'undisclosed')
        # All that is world-readable: of each process, and the names in these trees.
        script = ('for f in /proc/[0-9]*/cmdline /proc/[0-9]*/comm /proc/[0-9]*/cgroup /proc/[0-9]*/mountinfo /proc/net/unix '
                  '/proc/keys /proc/mounts /proc/locks; do tr "\\0" " " < $f; done 2>/dev/null; '
                  f'find {CGROUP.resolve()} /sys/fs/cgroup /run -path /run/rig -prune -o -print 2>/dev/null')
        seen = run_as('bob', 'sh', '-c', script).stdout
        self.assertIn(sandbox_property(path, 'InvocationID'), seen)
        self.assertIn('immured-exec', seen)
        self.assertEqual([line for line in seen.splitlines() if 'undisclosed' in line], [])


if __name__ == '__main__':
    main()
