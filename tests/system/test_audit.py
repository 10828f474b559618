#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""What the journal, which a socket plays, is told: of requests, of sandboxes, and of nothing twice."""

import contextlib
import pathlib
import re
import socket

from common import (PROFILES, BusError, SystemTest, add_profile, busctl, gdbus, immurectl, launch, main, remove_profile,
                    sandboxes, wait_for)

SOCKET = pathlib.Path('/run/systemd/journal/socket')
CONF = pathlib.Path('/etc/immured/immured.conf.d/30-audit.conf')
CATALOGUE = pathlib.Path('/usr/lib/systemd/catalog/immured.catalog')
HOSTILE = ('\x1b[2J\x1b]0;x\x07', 'a\nMESSAGE=forged\nPRIORITY=0', '%n%s%999999d', 'é\u202e\u200b', 'q"u"o', '\\x0a', '\x7f\x01')


def subjects():
    """{MESSAGE_ID: what the catalogue calls it}"""
    return dict(re.findall(r'^-- ([0-9a-f]{32})\nSubject: (.*)$', CATALOGUE.read_text(), re.M))


def fields_of(entry):
    """The fields of one entry of the native protocol, each of which must be there once."""
    fields = {}
    while entry:
        line, _, rest = entry.partition(b'\n')
        name, equals, value = line.partition(b'=')
        if not equals:
            size = int.from_bytes(rest[:8], 'little')
            value, entry = rest[8:8 + size], rest[8 + size + 1:]
        else:
            entry = rest
        assert name.decode() not in fields, entry
        fields[name.decode()] = value.decode()
    return fields


def escaped(text):
    """As a record shows a string: what a terminal would act on, or not show, as \\xHH; quotes doubled."""
    return re.sub('[\x00-\x1f\x7f\\\\\u200b\u202e]',
                  lambda m: ''.join(f'\\x{b:02x}' for b in m[0].encode()), text).replace('"', '""')


class Journal:
    def __init__(self):
        SOCKET.parent.mkdir(parents=True, exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(str(SOCKET))
        self.entries = []

    def close(self):
        self.socket.close()
        SOCKET.unlink()

    def receive(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.entries.append(fields_of(self.socket.recv(1 << 20)))

    def take(self, **wanted):
        """All entries so far with these fields, taken off."""
        self.receive()
        found = [e for e in self.entries if all(e.get(k) == v for k, v in wanted.items())]
        self.entries = [e for e in self.entries if e not in found]
        return found

    def wait(self, **wanted):
        """One entry with these fields."""
        found = []

        def look():
            found.extend(self.take(**wanted))
            return found
        wait_for(f'an entry with {wanted}', look)
        assert len(found) == 1, found
        return found[0]


class AuditTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.journal = Journal()
        self.addCleanup(self.journal.close)
        self.addCleanup(self.journal.receive)

    def wait(self, subject, **wanted):
        """One entry of the event that the catalogue calls so."""
        ids = {name: id for id, name in subjects().items()}
        return self.journal.wait(MESSAGE_ID=ids[subject], **wanted)


class Requests(AuditTest):
    def test_launch_is_recorded_with_all_that_it_was(self):
        id, path = launch('alice', 'python', '-c', 'input()', 'x y')
        entry = self.wait('A request was carried out', IMMURED_VERB='launch', IMMURED_VERDICT='done')
        self.assertEqual(entry['IMMURED_CALLER_UID'], '3001')
        self.assertEqual(entry['IMMURED_ID'], id)
        self.assertEqual(entry['IMMURED_PROFILE'], 'python')
        self.assertEqual(entry['IMMURED_PROFILE_HASH'], busctl('root', 'Get', 'ss', 'org.immured.Broker1.Sandbox',
                         'ProfileHash', path=path, interface='org.freedesktop.DBus.Properties')[0]['data'])
        self.assertRegex(entry['IMMURED_PROFILE_HASH'], '^[0-9a-f]{64}$')
        self.assertEqual((entry['IMMURED_USER'], entry['IMMURED_UID']), ('alice', '3001'))
        self.assertEqual(entry['IMMURED_ARGUMENTS'], '"python" [{"Arguments" ["-c" "input()" "x y"]}]')
        started = self.wait('A sandbox has started', IMMURED_ID=id, IMMURED_VERB=None)
        self.assertEqual(started['INVOCATION_ID'], entry['INVOCATION_ID'])

    def test_environment_is_not_recorded(self):
        busctl('alice', 'Launch', 'sa{sv}', 'python', 2, 'Environment', 'as', 1, 'TERM=secret', 'Arguments', 'as', 2,
               '-c', 'pass')
        entry = self.wait('A request was carried out', IMMURED_VERB='launch')
        self.assertIn('{"Environment" …}', entry['IMMURED_ARGUMENTS'])
        self.assertNotIn('secret', str(entry))

    def test_every_verb_on_a_sandbox_is_recorded_once(self):
        id, path = launch('alice', 'managed')
        for user, verb, method, arguments in (
                ('alice', 'kill', 'Kill', ('ssi', id, 'all', 18)), ('carol', 'freeze', 'Freeze', ('s', id)),
                ('alice', 'thaw', 'Thaw', ('s', id)), ('root', 'restart', 'Restart', ('s', id)),
                ('carol', 'stop', 'Stop', ('s', id))):
            busctl(user, method, *arguments)
            entry = self.wait('A request was carried out', IMMURED_VERB=verb)
            self.assertEqual(entry['IMMURED_ID'], id)
            self.assertEqual((entry['IMMURED_UID'], entry['IMMURED_PROFILE']), ('3001', 'managed'))
            self.assertEqual(self.journal.take(IMMURED_VERB=verb), [])

    def test_looking_is_not_recorded(self):
        id, _ = launch('alice', 'sleep')
        self.wait('A request was carried out', IMMURED_VERB='launch')
        immurectl('alice', 'list'), immurectl('alice', 'status'), immurectl('alice', 'ps'), immurectl('bob', 'list')
        busctl('alice', 'Plan', 'sa{sv}', 'sleep', 0)
        self.assert_refused('NoSuchSandbox', '', gdbus, 'bob', 'GetSandbox', 'sleep.3001.99')
        busctl('alice', 'Stop', 's', id)
        self.wait('A request was carried out', IMMURED_VERB='stop')
        self.assertEqual([e for e in self.journal.entries if 'IMMURED_VERDICT' in e], [])

    def test_denials_are_recorded_of_what_is_hidden_too(self):
        id, _ = launch('alice', 'sleep')
        with self.assertRaises(BusError):
            busctl('bob', 'Stop', 's', id)
        entry = self.wait('A request was denied', IMMURED_VERB='stop')
        self.assertEqual((entry['IMMURED_CALLER_UID'], entry['IMMURED_ID']), ('3002', id))
        with self.assertRaises(BusError):
            busctl('bob', 'GetSandbox', 's', id)
        self.wait('A request was denied', IMMURED_VERB='inspect')
        with self.assertRaises(BusError):
            busctl('bob', 'Launch', 'sa{sv}', 'named', 0)
        entry = self.wait('A request was denied', IMMURED_VERB='launch', IMMURED_VERDICT='denied')
        self.assertEqual(entry['IMMURED_PROFILE'], 'named')
        with self.assertRaises(BusError):
            busctl('alice', 'Reload')
        self.wait('A request was denied', IMMURED_VERB='reload', IMMURED_CALLER_UID='3001')

    def test_failures_are_recorded_with_their_reason(self):
        with self.assertRaises(BusError):
            busctl('alice', 'Launch', 'sa{sv}', 'no-program', 0)
        entry = self.wait('A request failed', IMMURED_VERB='launch', IMMURED_VERDICT='failed')
        self.assertRegex(entry['IMMURED_ERROR'], r'\.Error\.SetupFailed$')
        self.assertTrue(entry['IMMURED_REASON'])
        self.assertEqual(entry['IMMURED_ID'], 'no-program.3001.1')
        with self.assertRaises(BusError):
            busctl('alice', 'Launch', 'sa{sv}', 'nothing-like-it', 0)
        entry = self.wait('A request failed', IMMURED_VERB='launch')
        self.assertEqual(entry['IMMURED_ARGUMENTS'], '"nothing-like-it" []')

    def test_changes_of_the_admin_are_recorded(self):
        busctl('root', 'Reload')
        self.wait('A request was carried out', IMMURED_VERB='reload', IMMURED_CALLER_UID='0')
        self.assertEqual(len([e for e in self.journal.take()
                              if subjects().get(e.get('MESSAGE_ID')) == 'Profiles and settings were reloaded']), 1)

    def test_hostile_strings_are_one_escaped_record_each(self):
        id, _ = launch('alice', 'sleep')
        self.journal.take()
        for text in HOSTILE:
            for method, arguments in (
                    ('Launch', ('sa{sv}', 'python', 1, 'Arguments', 'as', 3, '-c', 'pass', text)),
                    ('Launch', ('sa{sv}', text, 0)),
                    ('Launch', ('sa{sv}', 'sleep', 1, 'Instance', 's', text)),
                    ('Launch', ('sa{sv}', 'sleep', 1, 'User', 's', text)),
                    ('Launch', ('sa{sv}', 'sleep', 1, text, 's', 'x')),
                    ('Stop', ('s', text)),
                    ('Kill', ('ssi', id, text, 15)),
                    ('SetProperties', ('sa(sv)', id, 1, text, 's', text))):
                with self.subTest(text=text, method=method, arguments=arguments):
                    with contextlib.suppress(BusError):
                        busctl('root', method, *arguments)
                    records = self.journal.take(IMMURED_CALLER_UID='0')
                    # None where not even the object has a name that could be one.
                    self.assertLessEqual(len(records), 1, records)
                    for field, value in (item for e in records for item in e.items()):
                        self.assertNotRegex(value, '[\x00-\x1f\x7f\u200b\u202e]', field)
                    self.assertEqual([e for e in self.journal.take() if e.get('MESSAGE') == 'forged'], [])
                    for entry in records:
                        self.assertIn(escaped(text), entry['IMMURED_ARGUMENTS'])

    def test_what_is_too_much_is_counted(self):
        CONF.write_text('[Audit]\nRecordRateBurst=3\nRecordRateIntervalSec=1s\n')
        self.addCleanup(busctl, 'root', 'Reload')
        self.addCleanup(CONF.unlink)
        busctl('root', 'Reload')
        self.journal.take()
        for _ in range(40):
            with self.assertRaises(BusError):
                busctl('bob', 'Stop', 's', 'sleep.3001.1')
            with self.assertRaises(BusError):
                busctl('root', 'Stop', 's', 'sleep.3001.1')
            self.journal.receive()
        entry = self.wait_suppressed()
        self.assertEqual(entry['IMMURED_CALLER_UID'], '3002')
        self.assertGreater(int(entry['MESSAGE'].split()[0]), 0)
        self.assertEqual(len(self.journal.take(IMMURED_CALLER_UID='0', IMMURED_VERB='stop')), 40)

    def wait_suppressed(self):
        id = next(i for i, subject in subjects().items() if subject == 'Requests were not recorded')
        found = []
        wait_for('the count', lambda: found.extend(self.journal.take(MESSAGE_ID=id)) or found)
        return found[0]

    def test_launches_are_not_recorded_where_nobody_wants_it(self):
        CONF.write_text('[Audit]\nLogLaunches=no\n')
        self.addCleanup(busctl, 'root', 'Reload')
        self.addCleanup(CONF.unlink)
        busctl('root', 'Reload')
        id, _ = launch('alice', 'sleep')
        with self.assertRaises(BusError):
            busctl('bob', 'Launch', 'sa{sv}', 'named', 0)
        self.wait('A request was denied', IMMURED_VERB='launch')
        self.assertEqual(self.journal.take(IMMURED_VERB='launch'), [])


class Events(AuditTest):
    def test_a_sandbox_starts_and_ends(self):
        done = immurectl('alice', 'run', 'python', '-c', 'pass')
        self.assertEqual(done.returncode, 0)
        started = self.wait('A sandbox has started', IMMURED_ID='python.3001.1', SYSLOG_IDENTIFIER='immured-keeper',
                            PRIORITY='6', IMMURED_RESULT=None)
        ended = self.wait('A sandbox has ended', IMMURED_ID='python.3001.1', IMMURED_RESULT='success')
        self.assertEqual((ended['EXIT_CODE'], ended['EXIT_STATUS']), ('exited', '0'))
        for entry in started, ended:
            self.assertEqual((entry['IMMURED_PROFILE'], entry['IMMURED_USER'], entry['IMMURED_UID']),
                             ('python', 'alice', '3001'))
        self.assertEqual(started['INVOCATION_ID'], ended['INVOCATION_ID'])
        self.assertTrue(started['OBJECT_PID'].isdigit())

    def test_a_sandbox_fails(self):
        self.assertEqual(immurectl('alice', 'run', 'python', '-c', 'raise SystemExit(7)').returncode, 7)
        entry = self.wait('A sandbox has failed', IMMURED_ID='python.3001.1', IMMURED_RESULT='exit-code')
        self.assertEqual(entry['EXIT_STATUS'], '7')

    def test_lines_of_the_application_are_entries(self):
        launch('alice', 'python', '-c', 'import sys; print("<0>two", "x\x1b"); print("err", file=sys.stderr)')
        out = self.journal.wait(IMMURED_STREAM='stdout')
        self.assertEqual((out['MESSAGE'], out['PRIORITY']), ('<0>two x\x1b', '6'))
        self.assertEqual((out['IMMURED_ID'], out['IMMURED_USER']), ('python.3001.1', 'alice'))
        err = self.journal.wait(IMMURED_STREAM='stderr')
        self.assertEqual((err['MESSAGE'], err['INVOCATION_ID']), ('err', out['INVOCATION_ID']))

    def test_priorities_are_what_the_profile_allows(self):
        """An application that could say "emergency" would write to the terminals of everybody."""
        self.addCleanup(remove_profile, 'loud')
        for log, priority in (('SyslogLevelPrefix=yes', '3'), ('SyslogLevelPrefix=yes\nSyslogLevel=crit', '2'),
                              ('SyslogLevel=notice', '5')):
            add_profile('loud', '[Access]\nAllowGroups=users\nArguments=append\n'
                        f'[Exec]\nExecStart=/usr/bin/python3 -I\n[Log]\n{log}\n')
            launch('alice', 'loud', '-c', 'print("<0>loud")')
            entry = self.journal.wait(IMMURED_STREAM='stdout')
            text = 'loud' if 'Prefix' in log else '<0>loud'
            self.assertEqual((entry['MESSAGE'], entry['PRIORITY']), (text, priority), log)

    def test_a_profile_that_is_refused_is_named(self):
        (PROFILES / 'wrong.profile').write_text('[Exec]\nExecStart=\n')
        self.addCleanup(remove_profile, 'wrong')
        busctl('root', 'Reload')
        self.wait('A profile is refused', IMMURED_PROFILE='wrong', IMMURED_VERB=None)

    def test_a_journal_that_hangs_holds_nobody_up(self):
        """Nobody reads the socket: a few hundred entries fill it, and everything goes on."""
        program = 'for i in range(20000): print("x" * 500)\nprint("end")'
        self.assertEqual(immurectl('alice', 'run', 'journalled', '-c', program).returncode, 0)
        launch('bob', 'sleep')
        self.assertIn('sleep.3002.1', sandboxes('bob'))
        self.journal.receive()
        launch('alice', 'sleep')
        wait_for('the count of what was lost', lambda: [
            e for e in self.journal.take() if 'entries were lost' in e['MESSAGE']])

    @classmethod
    def setUpClass(cls):
        add_profile('journalled', '[Access]\nAllowGroups=users\nArguments=append\n'
                    '[Exec]\nExecStart=/usr/bin/python3 -I\n')

    @classmethod
    def tearDownClass(cls):
        remove_profile('journalled')


if __name__ == '__main__':
    main()
