#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""Who may launch, see and stop what; and that nothing else of the broker is reachable."""

import xml.etree.ElementTree

from common import (BUS, ROOT, BusError, SystemTest, busctl, gdbus, launch, main, run_as, sandboxes)

POLICY = '/usr/share/dbus-1/system.d/org.immured.Broker1.conf'


class Access(SystemTest):
    def test_groups_and_users_of_a_profile_decide(self):
        # profile → who may launch it
        expected = {
            'sleep': {'root', 'alice', 'bob'},
            'staff': {'root', 'bob'},
            'named': {'root', 'alice'},
            'nobody': {'root'},
        }
        for profile, allowed in expected.items():
            for user in ('root', 'alice', 'bob', 'carol'):
                with self.subTest(profile=profile, user=user):
                    if user in allowed:
                        id, _ = launch(user, profile)
                        busctl(user, 'Stop', 's', id)
                    else:
                        self.assert_refused('NoSuchProfile', profile, gdbus, user, 'Launch', profile, '{}')

    def test_profile_that_one_may_not_see_answers_like_none(self):
        texts = []
        for profile in ('nobody', 'such-a-profile'):
            with self.assertRaises(BusError) as caught:
                gdbus('alice', 'Launch', profile, '{}')
            texts.append((caught.exception.name, caught.exception.text.replace(profile, 'X')))
        self.assertEqual(texts[0], texts[1])

    def test_profiles_are_listed_for_those_who_may_launch_them(self):
        listed = {user: {row[0] for row in busctl(user, 'ListProfiles')[0]} for user in ('root', 'alice', 'bob', 'carol')}
        self.assertIn('nobody', listed['root'])
        self.assertNotIn('nobody', listed['alice'])
        self.assertIn('staff', listed['bob'])
        self.assertNotIn('staff', listed['alice'])
        self.assertNotIn('sleep', listed['carol'])

    def test_disabled_profile_is_refused(self):
        self.assert_refused('ProfileDisabled', 'disabled', gdbus, 'alice', 'Launch', 'disabled', '{}')

    def test_what_needs_polkit_is_roots_alone_without_it(self):
        with self.assertRaises(BusError) as caught:
            gdbus('alice', 'Launch', 'confirm', '{}')
        self.assertRegex(caught.exception.name, r'AccessDenied|InteractiveAuthorizationRequired')
        launch('root', 'confirm')

    def test_others_sandboxes_do_not_exist(self):
        id, path = launch('alice', 'sleep')
        self.assertEqual(sandboxes('bob'), {})
        for method, *rest in (('Stop',), ('Kill', 'main', '9'), ('GetSandbox',), ('ResetFailed',)):
            with self.subTest(method=method):
                self.assert_refused('NoSuchSandbox', id, gdbus, 'bob', method, id, *rest)
        with self.assertRaises(BusError) as there:
            gdbus('bob', 'Get', f'{BUS}.Sandbox', 'State', path=path, interface='org.freedesktop.DBus.Properties')
        with self.assertRaises(BusError) as not_there:
            gdbus('bob', 'Get', f'{BUS}.Sandbox', 'State', path=path.replace('sleep', 'sloop'),
                  interface='org.freedesktop.DBus.Properties')
        self.assertEqual(there.exception.name, not_there.exception.name)
        self.assertIn(id, sandboxes('alice'))

    def test_managers_of_a_profile_see_and_stop(self):
        id, _ = launch('alice', 'managed')
        self.assertEqual(sandboxes('bob'), {})
        self.assertIn(id, sandboxes('carol'))
        busctl('carol', 'Stop', 's', id)
        self.assertNotIn(id, sandboxes())

    def test_reload_is_roots(self):
        self.assert_refused('org.freedesktop.DBus.Error.AccessDenied', '', gdbus, 'alice', 'Reload')
        busctl('root', 'Reload')

    def test_launch_for_another_user_is_roots(self):
        with self.assertRaises(BusError):
            gdbus('alice', 'Launch', 'sleep', "{'User': <'bob'>}")
        reply = gdbus('root', 'Launch', 'sleep', "{'User': <'bob'>}")
        self.assertIn('sleep.3002.1', reply)
        self.assertIn('sleep.3002.1', sandboxes('bob'))

    def test_setgid_groups_of_the_caller_count_for_nothing(self):
        done = run_as('carol', 'true')
        self.assertEqual(done.returncode, 0)
        # A process of carol's that holds the group, which the account database does not give her.
        import subprocess
        done = subprocess.run(['setpriv', '--reuid=carol', '--regid=100', '--groups=100', '--', 'busctl', 'call', '--',
                               BUS, ROOT, f'{BUS}.Manager', 'Launch', 'sa{sv}', 'sleep', '0'],
                              capture_output=True, text=True, cwd='/')
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(sandboxes(), {})


class Reach(SystemTest):
    def test_policy_lists_what_the_broker_offers_and_nothing_else(self):
        policy = {(rule.get('send_interface'), rule.get('send_member'))
                  for rule in xml.etree.ElementTree.parse(POLICY).iter('allow') if rule.get('send_interface')}
        id, path = launch('root', 'sleep')
        offered = set()
        profile = next(row[3] for row in busctl('root', 'ListProfiles')[0] if row[0] == 'sleep')
        user = busctl('root', 'GetUser', 'u', 0)[0]
        for object_path in (ROOT, path, profile, user):
            text = busctl('root', 'Introspect', path=object_path, interface='org.freedesktop.DBus.Introspectable')[0]
            for interface in xml.etree.ElementTree.fromstring(text).iter('interface'):
                for method in interface.iter('method'):
                    offered.add((interface.get('name'), method.get('name')))
        # Each sd-bus connection answers these by itself.
        offered |= {('org.freedesktop.DBus.Peer', 'Ping'), ('org.freedesktop.DBus.Peer', 'GetMachineId')}
        offered -= {('org.freedesktop.DBus.Properties', 'Set')}  # nothing can be set
        self.assertEqual(policy, offered)

    def test_every_argument_has_a_name(self):
        id, path = launch('root', 'sleep')
        for object_path in (ROOT, path):
            text = busctl('root', 'Introspect', path=object_path, interface='org.freedesktop.DBus.Introspectable')[0]
            for interface in xml.etree.ElementTree.fromstring(text).iter('interface'):
                if interface.get('name').startswith(BUS):
                    for argument in interface.iter('arg'):
                        self.assertTrue(argument.get('name'), interface.get('name'))

    def test_unknown_members_never_reach_the_broker(self):
        for method in ('Exec', 'NoSuchMethod'):
            with self.assertRaises(BusError) as caught:
                gdbus('alice', method)
            self.assertRegex(caught.exception.name, r'org\.freedesktop\.DBus\.Error\.(AccessDenied|UnknownMethod)')

    def test_users_cannot_own_the_name(self):
        done = run_as('alice', 'busctl', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                      'RequestName', 'su', BUS, '0')
        self.assertNotEqual(done.returncode, 0)

    def test_private_link_is_closed_to_users(self):
        done = run_as('alice', 'python3', '-I', '-c',
                      'import socket; socket.socket(socket.AF_UNIX).connect("/run/immured/keeper.sock")')
        self.assertRegex(done.stderr, 'PermissionError')

    def test_malformed_calls_are_answered(self):
        for arguments in (['Launch', 's', 'sleep'], ['Launch', 'a{sv}', '0'], ['Stop', 'u', '1'],
                          ['Kill', 'ss', 'sleep.0.1', 'main'], ['ListSandboxes', 's', 'x']):
            with self.subTest(arguments=arguments), self.assertRaises(BusError):
                busctl('root', arguments[0], *arguments[1:])
        self.assertEqual(sandboxes(), {})


if __name__ == '__main__':
    main()
