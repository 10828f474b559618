#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers about rights: CheckAccess() says what the call itself would, for everybody, everything and every profile."""

import itertools
import json
import random
import re
import struct
import time

from common import (BUS, ERROR, PATIENCE, PROFILES, ROOT, UIDS, BusError, SystemTest, busctl, gdbus, immurectl, main,
                    sandboxes, wait_for)
from rawbus import bus_of, padded, read_string, string

USERS = ('root', 'alice', 'bob', 'carol')
N_PROFILES = 24
# What is asked for with a launch: nothing, what a profile may let be set, and what none lets.
SETTINGS = ([], [('TasksMax', '10')], [('TasksMax', '4096')], [('TasksMax', 'many')])
ON_SANDBOXES = ('inspect', 'stop', 'kill', 'freeze', 'thaw', 'set-properties', 'reset-failed')


def made_up_profiles():
    """{name: text}: the same ones each time."""
    random_ = random.Random(9)
    found = {}
    for i in range(N_PROFILES):
        lines = ['[Access]', 'MaxInstances=8']
        lines += random_.choice([[], ['AllowUsers=alice'], ['AllowUsers=3002 carol'], ['AllowUsers=root']])
        lines += random_.choice([[], ['AllowGroups=users'], ['AllowGroups=staff'], ['AllowGroups=50 users']])
        lines += random_.choice([[], [], ['DenyUsers=bob'], ['DenyGroups=staff'], ['DenyUsers=alice']])
        lines += random_.choice([[], ['ManageUsers=carol'], ['ManageGroups=staff']])
        lines += random_.choice([[], [], [], ['Authentication=self'], ['Authentication=admin']])
        lines += random_.choice([[], ['UserSettable=TasksMax'], ['UserSettable=TasksMax Degrade']])
        lines += ['[Profile]'] + random_.choice([[], [], [], [], [], ['Enabled=no'], ['Abstract=yes']])
        lines += ['[Exec]', 'ExecStart=/usr/bin/sleep 600', '[Resources]', 'TasksMax=20']
        found[f'made-{i}'] = '\n'.join(lines) + '\n'
    return found


def options_body(settings):
    """The entries of an a{sv} with Properties in it, which begin at a multiple of 8."""
    if not settings:
        return b''
    rows = b''
    for key, value in settings:
        rows = padded(rows, 8) + padded(string(key) + b'\1s\0', 4) + string(value)
    head = padded(string('Properties') + b'\5a(sv)\0', 4) + struct.pack('<I', len(rows))
    return padded(head, 8) + rows


def array_behind(body, content):
    head = padded(body, 4) + struct.pack('<I', len(content))
    return padded(head, 8) + content


class Client:
    """One user's connection; a user whose share of the broker's time is used up waits for more of it."""

    def __init__(self, user):
        self.bus = bus_of(user)

    def call(self, member, signature, body):
        end = time.monotonic() + PATIENCE
        while True:
            error, content = self.bus.call(BUS, ROOT, BUS + '.Manager', member, signature, body)
            if error != ERROR + 'RateLimited' or time.monotonic() > end:
                return error, content
            time.sleep(0.05)

    def check(self, user, profile, verb, settings=()):
        """(verdict, reason)"""
        body = struct.pack('<I', UIDS[user]) + string(profile)
        body = padded(body, 4) + string(verb)
        body = array_behind(body, options_body(settings))
        error, content = self.call('CheckAccess', 'ussa{sv}', body)
        if error:
            raise BusError(error, read_string(content))
        verdict = read_string(content)
        offset = 4 + len(verdict) + 1
        return verdict, read_string(content, offset + -offset % 4)

    def really(self, member, profile, settings=()):
        """The same in deed: 'yes', or the error's name and text, and the reply."""
        error, content = self.call(member, 'sa{sv}', array_behind(string(profile), options_body(settings)))
        return ('yes' if error is None else f'{error}: {read_string(content)}'), content

    def close(self):
        self.bus.close()


def foretold(answer):
    """What the call itself must say, on a machine without polkit."""
    verdict, reason = answer
    return {'yes': 'yes', 'no': reason}.get(verdict) or reason.rsplit('; without polkit: ', 1)[1]


class Check(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.made_up = made_up_profiles()
        for name, text in cls.made_up.items():
            (PROFILES / f'{name}.profile').write_text(text)
        busctl('root', 'Reload')
        cls.clients = {user: Client(user) for user in USERS}

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients.values():
            client.close()
        for name in cls.made_up:
            (PROFILES / f'{name}.profile').unlink()
        busctl('root', 'Reload')

    def compare(self, case, answer, deed):
        """Authentication= comes before all else, and without polkit refuses in words of its own."""
        expected = foretold(answer)
        if 'there is no polkit here' in deed:
            self.assertNotEqual(expected, 'yes', case)
            self.assertIn('Authentication=', case[-1])
        else:
            self.assertEqual(deed, expected, case)

    def test_plans_and_launches_are_foretold(self):
        seen, n, n_launched = set(), 0, 0
        random_ = random.Random(4)
        for profile, user, settings in itertools.product(self.made_up, USERS, SETTINGS):
            client = self.clients[user]
            case = (profile, user, settings, self.made_up[profile])
            answer = client.check(user, profile, 'plan', settings)
            self.assertEqual(answer, self.clients['root'].check(user, profile, 'plan', settings), case)
            deed, _ = client.really('Plan', profile, settings)
            self.compare(case, answer, deed)
            seen.add(re.split(r'[:;]', ' '.join(answer).strip())[0])
            n += 1

            if random_.random() < 0.5:
                answer = client.check(user, profile, 'launch', settings)
                deed, content = client.really('Launch', profile, settings)
                self.compare(case, answer, deed)
                seen.add(re.split(r'[:;]', ' '.join(answer).strip())[0])
                n += 1
                if deed == 'yes':
                    n_launched += 1
                    busctl('root', 'Stop', 's', read_string(content))
        print(f'{n} cases, {n_launched} launched')
        self.assertGreaterEqual(n, 500)
        self.assertGreater(n_launched, 20)
        # Nothing of what can be said was left out.
        self.assertLessEqual({'yes', 'polkit org.immured.Broker1.launch', f'no {ERROR}NoSuchProfile',
                              f'no {ERROR}SettingNotPermitted', f'no {ERROR}BadSetting', f'no {ERROR}ProfileDisabled'}, seen)

    def test_what_is_done_to_sandboxes_is_foretold(self):
        arguments = {'kill': ('Kill', 'ssi', lambda id: padded(padded(string(id), 4) + string('all'), 4) + struct.pack('<i', 18)),
                     'set-properties': ('SetProperties', 'sa(sv)', lambda id: padded(padded(string(id), 4) + struct.pack('<I', 0), 8)),
                     'inspect': ('GetSandbox', 's', string), 'stop': ('Stop', 's', string),
                     'freeze': ('Freeze', 's', string), 'thaw': ('Thaw', 's', string),
                     'reset-failed': ('ResetFailed', 's', string)}
        n = 0
        for profile, text in list(self.made_up.items())[:12]:
            if 'Enabled=no' in text or 'Abstract=yes' in text:
                continue
            id = None
            for user, verb in itertools.product(('carol', 'bob', 'alice'), ON_SANDBOXES):
                if id not in sandboxes():
                    id = gdbus('root', 'Launch', profile, '{"User": <"alice">}').split("'")[1]
                case = (profile, user, verb, text)
                # Whose it is: root asks for everybody.
                answer = self.check_of(user, profile, verb, 'alice')
                member, signature, body = arguments[verb]
                error, content = self.clients[user].call(member, signature, body(id))
                # What is allowed may still fail for what the sandbox is: nothing to forget, nothing to set.
                denied = error is not None and error.split('.')[-1] in ('NoSuchSandbox', 'AccessDenied')
                self.assertEqual(not denied, foretold(answer) == 'yes', (case, answer, error))
                n += 1
            busctl('root', 'Stop', 's', id)
            wait_for('its end', lambda: not sandboxes())
        print(f'{n} cases')
        self.assertGreater(n, 100)

    def check_of(self, user, profile, verb, owner):
        return tuple(busctl('root', 'CheckAccess', 'ussa{sv}', UIDS[user], profile, verb, 1, 'User', 's', owner))

    def test_who_may_ask(self):
        self.assertEqual(self.clients['alice'].check('alice', 'sleep', 'launch')[0], 'polkit')
        for user, other in (('alice', 'bob'), ('bob', 'root')):
            with self.assertRaises(BusError) as caught:
                self.clients[user].check(other, 'sleep', 'launch')
            self.assertEqual(caught.exception.name, 'org.freedesktop.DBus.Error.AccessDenied')
        # The same for what does not exist and what one may not see.
        texts = set()
        for profile in ('nobody', 'no-such-profile'):
            with self.assertRaises(BusError) as caught:
                self.clients['alice'].check('bob', profile, 'launch')
            texts.add(str(caught.exception).replace(profile, 'X'))
            texts.add(' '.join(self.clients['alice'].check('alice', profile, 'launch')).replace(profile, 'X'))
        self.assertEqual(len(texts), 2)
        # Who manages a profile.
        self.assertEqual(self.clients['carol'].check('alice', 'managed', 'launch')[0], 'polkit')

    def test_wrong_questions_are_refused(self):
        for arguments, name in ((('3001', 'sleep', 'dance', '{}'), 'org.freedesktop.DBus.Error.InvalidArgs'),
                                (('3001', 'sleep', 'launch-as-user', '{}'), 'org.freedesktop.DBus.Error.InvalidArgs'),
                                (('3001', '../x', 'launch', '{}'), 'org.freedesktop.DBus.Error.InvalidArgs'),
                                (('3999', 'sleep', 'launch', '{}'), 'NoSuchUser'),
                                (('3001', 'sleep', 'launch', '{"User": <"nobody-at-all">}'), 'NoSuchUser'),
                                (('3001', 'sleep', 'launch', '{"Colour": <"red">}'), 'org.freedesktop.DBus.Error.InvalidArgs')):
            with self.subTest(arguments=arguments):
                self.assert_refused(name, '', gdbus, 'root', 'CheckAccess', *arguments)

    def test_command_line_tells(self):
        done = immurectl('root', 'can', 'alice', 'sleep')
        self.assertEqual((done.returncode, done.stdout), (0, 'polkit: org.immured.Broker1.launch; without polkit: yes\n'))
        done = immurectl('alice', 'can', '3001', 'sleep', 'TasksMax=1')
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r'^no: \S+SettingNotPermitted: Properties: TasksMax: ')
        done = immurectl('alice', 'can', 'bob', 'sleep')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('may not ask', done.stderr)

    def test_who_can_lists_those_who_could(self):
        for profile in ('sleep', 'staff', 'named', 'nobody'):
            done = immurectl('root', 'who-can', '--json=short', profile)
            self.assertEqual(done.returncode, 0, done.stderr)
            listed = {row['user'] for row in json.loads(done.stdout)} & set(USERS)
            able = {user for user in USERS if foretold(self.clients[user].check(user, profile, 'launch')) == 'yes'}
            self.assertEqual(listed, able, profile)


if __name__ == '__main__':
    main()
