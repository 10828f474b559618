#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: no, a user's share of the broker's time is used up by what takes a slow one so long
# rig: --polkit
"""With the real polkitd: what the actions file says by default, and what rules make of it."""

import pathlib

from common import BUS, BusError, SystemTest, busctl, gdbus, launch, main, sandboxes, wait_for

RULES = pathlib.Path('/etc/polkit-1/rules.d/10-immured-test.rules')
ASKS = 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired'
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'


class Defaults(SystemTest):
    def test_what_is_ones_own_needs_no_rule(self):
        id, _ = launch('alice', 'sleep')
        busctl('alice', 'Freeze', 's', id)
        busctl('alice', 'Thaw', 's', id)
        busctl('alice', 'Stop', 's', id)
        self.assertEqual(sandboxes(), {})

    def test_what_needs_authentication_says_so(self):
        launch('alice', 'sleep')
        for method, *arguments in (('Reload',), ('Launch', 'confirm', '{}'), ('Launch', 'sleep', "{'User': <'bob'>}"),
                                   ('SetProperties', 'sleep.3001.1', "[('TasksMax', <'5'>)]")):
            with self.subTest(method=method, arguments=arguments):
                self.assert_refused(ASKS, 'authenticate', gdbus, 'alice', method, *arguments)
        self.assertEqual(list(sandboxes()), ['sleep.3001.1'])

    def test_others_sandboxes_do_not_exist(self):
        launch('alice', 'sleep')
        for id in ('sleep.3001.1', 'sleep.3001.2'):
            for method in ('Stop', 'GetSandbox', 'GetProcesses'):
                self.assert_refused('NoSuchSandbox', id, gdbus, 'bob', method, id)

    def test_root_needs_no_rule(self):
        launch('root', 'confirm')
        gdbus('root', 'Launch', 'sleep', "{'User': <'bob'>}")
        busctl('root', 'Reload')


class Rules(SystemTest):
    """polkitd notices changed rules by itself, a moment later."""

    def tearDown(self):
        RULES.unlink(missing_ok=True)
        wait_for('the rules to be forgotten', lambda: self.error('carol', 'Reload') == ASKS)
        super().tearDown()

    @staticmethod
    def error(user, *arguments):
        try:
            gdbus(user, *arguments)
        except BusError as error:
            return error.name
        return None

    def rules(self, text):
        RULES.write_text(f'''polkit.addRule(function(action, subject) {{
            {text}
            if (action.id == "{BUS}.reload" && subject.user == "carol") return polkit.Result.YES;
        }});''')
        RULES.chmod(0o644)
        wait_for('the rules to count', lambda: self.error('carol', 'Reload') is None)

    def test_rules_narrow_what_profiles_allow(self):
        self.rules(f'''if (action.id == "{BUS}.launch" && action.lookup("profile") == "sleep" &&
                           action.lookup("user") == "bob" && subject.user == "bob") return polkit.Result.NO;
                       if (action.id == "{BUS}.manage-own" && action.lookup("verb") == "kill") return polkit.Result.NO;''')
        self.assertEqual(self.error('bob', 'Launch', 'sleep', '{}'), DENIED)
        id, _ = launch('alice', 'sleep')
        self.assertEqual(self.error('alice', 'Kill', id, 'main', '9'), DENIED)
        busctl('alice', 'Stop', 's', id)

    def test_rules_give_nobody_a_profile(self):
        self.rules(f'if (action.id.indexOf("{BUS}.") == 0) return polkit.Result.YES;')
        self.assertEqual(self.error('carol', 'Launch', 'sleep', '{}'), f'{BUS}.Error.NoSuchProfile')
        self.assertEqual(self.error('alice', 'Launch', 'staff', '{}'), f'{BUS}.Error.NoSuchProfile')

    def test_rules_lend_what_is_roots(self):
        self.rules(f'''if (action.id == "{BUS}.manage" && action.lookup("uid") == "3001") return polkit.Result.YES;
                       if (action.id == "{BUS}.authenticate-self") return polkit.Result.YES;
                       if (action.id == "{BUS}.launch-as-user" && action.lookup("user") == "bob" &&
                           subject.user == "alice") return polkit.Result.YES;''')
        id, _ = launch('alice', 'confirm')
        busctl('carol', 'Stop', 's', id)
        gdbus('alice', 'Launch', 'sleep', "{'User': <'3002'>}")
        self.assertEqual(list(sandboxes('bob')), ['sleep.3002.1'])
        self.assertEqual(self.error('alice', 'Launch', 'sleep', "{'User': <'carol'>}"), ASKS)
        self.assertEqual(self.error('carol', 'Stop', 'sleep.3002.1'), f'{BUS}.Error.NoSuchSandbox')


if __name__ == '__main__':
    main()
