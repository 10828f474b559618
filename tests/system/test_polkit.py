#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: no, a user's share of the broker's time is used up by what takes a slow one so long
"""What polkit is asked, and what becomes of its answers: the test plays it, well and badly."""

import contextlib
import os
import pty
import struct
import subprocess
import threading

from common import (BUS, ROOT, UIDS, SystemTest, add_profile, broker_pid, busctl, command_as, immurectl, launch, main,
                    open_files, remove_profile, restart_broker, sandboxes, wait_for)
from rawbus import CALL, DBUS, Reader, bus_of, launch_body, padded, string

POLKIT = 'org.freedesktop.PolicyKit1'
AUTHORITY = f'{POLKIT}.Authority'
INTERACTIVE = 4  # in the flags of a message
DENIED = f'{DBUS}.Error.AccessDenied'
ASKS = f'{DBUS}.Error.InteractiveAuthorizationRequired'
YES, NO, CHALLENGE = (1, 0), (0, 0), (0, 1)


def action(name):
    return f'{BUS}.{name}'


class Question:
    """A call of CheckAuthorization, taken apart."""

    def __init__(self, message, body):
        reader = Reader(body)
        self.message = message
        reader.align(8)
        self.subject = reader.s(), reader.dictionary(reader.text_variant)
        self.action = reader.s()
        self.details = reader.dictionary(reader.s)
        self.interactive = reader.u() & 1
        self.id = reader.s()


class FakePolkit:
    """Has polkit's name, records what it is asked, and answers what the test says: by action, or by hand."""

    def __init__(self, **answers):
        self.bus = bus_of('polkitd')
        self.answers = {action(name.replace('_', '-')): answer for name, answer in answers.items()}
        self.questions, self.cancelled = [], []
        wait_for('the name of polkit', self.take_name)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def take_name(self):
        """One that went a moment ago may still have it."""
        error, body = self.bus.call(DBUS, '/org/freedesktop/DBus', DBUS, 'RequestName', 'su',
                                    padded(string(POLKIT), 4) + struct.pack('<I', 4))
        assert error is None, error
        return body == struct.pack('<I', 1)

    def serve(self):
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, message, body = self.bus.read()
                if kind != CALL:
                    continue
                if message[3] == 'CancelCheckAuthorization':
                    self.cancelled.append(Reader(body).s())
                    continue
                if message[3] != 'CheckAuthorization':  # an agent's
                    self.bus.answer(message, error=f'{DBUS}.Error.UnknownMethod')
                    continue
                question = Question(message, body)
                self.questions.append(question)
                if question.action in self.answers:
                    self.answer(question, self.answers[question.action])

    def answer(self, question, answer):
        self.bus.answer(question.message, '(bba{ss})', struct.pack('<IIII', *answer, 0, 0))

    def wait_question(self, n=1):
        wait_for('a question to polkit', lambda: len(self.questions) >= n)
        return self.questions[n - 1]

    def close(self):
        with contextlib.suppress(OSError):
            self.bus.socket.shutdown(2)
        self.thread.join()
        self.bus.close()


class Client:
    """A user's own connection, so that a call can be left unanswered and its caller can go."""

    def __init__(self, user):
        self.bus = bus_of(user)

    def send(self, method, signature='', body=b'', interactive=False, path=ROOT, interface=f'{BUS}.Manager'):
        self.bus.send(BUS, path, interface, method, signature, body, flags=INTERACTIVE if interactive else 0)

    def answer(self):
        """The error's name, or None."""
        return self.bus.wait_reply()[0]

    def ask(self, *arguments, **options):
        self.send(*arguments, **options)
        return self.answer()

    def launch(self, profile, **options):
        return self.ask('Launch', 'sa{sv}', launch_body(profile, []), **options)

    def launch_for(self, profile, user):
        head = padded(string(profile), 4)
        entry = string('User') + b'\1s\0'
        entry = padded(entry, 4) + string(user)
        return self.ask('Launch', 'sa{sv}', padded(head + struct.pack('<I', len(entry)), 8) + entry)

    def close(self):
        self.bus.close()


class PolkitTest(SystemTest):
    def setUp(self):
        self.clients = {}

    def tearDown(self):
        for client in self.clients.values():
            client.close()
        super().tearDown()

    def polkit(self, **answers):
        fake = FakePolkit(**answers)
        self.addCleanup(fake.close)
        return fake

    def client(self, user):
        if user not in self.clients:
            self.clients[user] = Client(user)
        return self.clients[user]

    def assert_nothing_open(self, polkit):
        """No call is left in the broker: the user's share of requests, eight of them, is all his again."""
        clients = [Client('alice') for _ in range(8)]
        n = len(polkit.questions)
        for client in clients:
            client.send('Launch', 'sa{sv}', launch_body('sleep', []))
        for question in [polkit.wait_question(n + 1 + i) for i in range(8)]:
            polkit.answer(question, NO)
        self.assertEqual([client.answer() for client in clients], [DENIED] * 8)
        for client in clients:
            client.close()


class Questions(PolkitTest):
    def test_launch_asks_with_the_connection_as_subject(self):
        polkit = self.polkit(launch=YES)
        client = self.client('alice')
        self.assertIsNone(client.launch('sleep'))
        question, = polkit.questions
        self.assertEqual(question.action, action('launch'))
        self.assertEqual(question.subject[0], 'system-bus-name')
        self.assertRegex(question.subject[1]['name'], r'^:1\.\d+$')
        self.assertEqual(list(question.subject[1]), ['name'])
        self.assertEqual(question.details, {'verb': 'launch', 'profile': 'sleep', 'uid': '3001', 'user': 'alice'})
        self.assertFalse(question.interactive)
        self.assertEqual(list(sandboxes('alice')), ['sleep.3001.1'])

    def test_leave_to_ask_is_handed_on(self):
        polkit = self.polkit(launch=YES)
        self.assertIsNone(self.client('alice').launch('sleep', interactive=True))
        self.assertTrue(polkit.questions[0].interactive)

    def test_own_sandboxes_are_asked_about(self):
        polkit = self.polkit(launch=YES, manage_own=NO)
        client = self.client('alice')
        self.assertIsNone(client.launch('sleep'))
        for method, rest in (('Stop', b''), ('Freeze', b''), ('Restart', b'')):
            self.assertEqual(client.ask(method, 's', string('sleep.3001.1') + rest), DENIED)
        self.assertEqual(polkit.questions[-1].details,
                         {'verb': 'restart', 'profile': 'sleep', 'sandbox': 'sleep.3001.1', 'uid': '3001'})
        self.assertIn('sleep.3001.1', sandboxes('alice'))

    def test_polkit_cannot_give_what_the_profile_does_not(self):
        polkit = self.polkit(launch=YES, launch_as_user=YES, authenticate_self=YES)
        self.assertEqual(self.client('alice').launch('staff'), f'{BUS}.Error.NoSuchProfile')
        self.assertEqual(self.client('carol').launch_for('sleep', 'alice'), f'{BUS}.Error.NoSuchProfile')
        self.assertEqual(polkit.questions, [])

    def test_root_and_managers_of_a_profile_are_not_asked_about(self):
        polkit = self.polkit(launch=YES)
        id, _ = launch('alice', 'managed')
        n = len(polkit.questions)
        busctl('carol', 'Stop', 's', id)
        launch('root', 'confirm')
        busctl('root', 'Reload')
        self.assertEqual(len(polkit.questions), n)

    def test_reading_ones_own_asks_nothing(self):
        polkit = self.polkit(launch=YES)
        _, path = launch('alice', 'sleep')
        n = len(polkit.questions)
        busctl('alice', 'GetAll', 's', f'{BUS}.Sandbox', path=path, interface='org.freedesktop.DBus.Properties')
        sandboxes('alice')
        busctl('bob', 'GetManagedObjects', interface='org.freedesktop.DBus.ObjectManager')
        busctl('bob', 'Introspect', path=f'{ROOT}/sandbox', interface='org.freedesktop.DBus.Introspectable')
        self.assertEqual(len(polkit.questions), n)

    def test_authentication_of_a_profile_asks_for_both(self):
        for answers, error in (({'launch': YES, 'authenticate_self': YES}, None),
                               ({'launch': YES, 'authenticate_self': NO}, DENIED),
                               ({'launch': YES, 'authenticate_self': CHALLENGE}, ASKS),
                               ({'launch': NO, 'authenticate_self': YES}, DENIED)):
            with self.subTest(answers=answers):
                polkit = FakePolkit(**answers)
                try:
                    self.assertEqual(self.client('alice').launch('confirm'), error)
                finally:
                    polkit.close()
        self.assertEqual(len(sandboxes('alice')), 1)

    def test_launching_for_another_user_asks_by_the_name_of_his_account(self):
        polkit = self.polkit(launch=YES, launch_as_user=YES)
        client = self.client('alice')
        self.assertIsNone(client.launch_for('sleep', '3002'))
        self.assertEqual([q.action for q in polkit.questions], [action('launch'), action('launch-as-user')])
        self.assertEqual(polkit.questions[1].details,
                         {'verb': 'launch-as-user', 'profile': 'sleep', 'uid': '3002', 'user': 'bob'})
        self.assertEqual(list(sandboxes('bob')), ['sleep.3002.1'])
        polkit.answers[action('launch-as-user')] = NO
        self.assertEqual(client.launch_for('sleep', 'bob'), DENIED)

    def test_administrators_verbs_are_lent(self):
        polkit = self.polkit(launch=YES, manage=YES, inspect=YES, reload=YES)
        id, path = launch('alice', 'sleep')
        self.assertEqual(busctl('carol', 'GetSandbox', 's', id), [path])
        self.assertEqual(busctl('carol', 'Get', 'ss', f'{BUS}.Sandbox', 'State', path=path,
                                interface='org.freedesktop.DBus.Properties')[0]['data'], 'running')
        busctl('carol', 'Reload')
        busctl('carol', 'Stop', 's', id)
        self.assertEqual(sandboxes(), {})
        self.assertEqual(polkit.questions[-1].details,
                         {'verb': 'stop', 'profile': 'sleep', 'sandbox': id, 'uid': '3001'})


class NoOracle(PolkitTest):
    """What one may not see and what does not exist: the same questions, the same answers."""

    def assert_alike(self, answer, error):
        polkit = self.polkit(launch=YES, inspect=answer, manage=answer, set_properties=answer)
        launch('alice', 'sleep')
        client = self.client('bob')
        for interactive in (False, True):
            for method, signature in (('Stop', 's'), ('GetSandbox', 's'), ('GetProcesses', 's'), ('SetProperties', 'sa(sv)')):
                with self.subTest(method=method):
                    seen = []
                    for id in ('sleep.3001.1', 'sleep.3001.2'):
                        n = len(polkit.questions)
                        body = string(id)
                        if signature != 's':  # and no properties
                            body = padded(padded(body, 4) + struct.pack('<I', 0), 8)
                        got = client.ask(method, signature, body, interactive=interactive)
                        questions = [(q.action, q.interactive, q.details | {'sandbox': ''}) for q in polkit.questions[n:]]
                        seen.append((got, questions))
                    self.assertEqual(seen[0], seen[1])
                    self.assertEqual(seen[0][0], error)
                    self.assertEqual(len(seen[0][1]), 1)

    def test_where_polkit_says_no(self):
        self.assert_alike(NO, f'{BUS}.Error.NoSuchSandbox')

    def test_where_polkit_would_ask(self):
        self.assert_alike(CHALLENGE, f'{BUS}.Error.NoSuchSandbox')

    def test_users_are_alike_as_well(self):
        polkit = self.polkit(launch=YES, inspect=CHALLENGE)
        launch('alice', 'sleep')
        client = self.client('bob')
        answers = [client.ask('GetUser', 'u', struct.pack('<I', uid)) for uid in (3001, 3003)]
        self.assertEqual(answers, [f'{BUS}.Error.NoSuchUser'] * 2)
        details = [q.details for q in polkit.questions if q.action == action('inspect')]
        self.assertEqual(details, [{'verb': 'inspect', 'uid': '3001'}, {'verb': 'inspect', 'uid': '3003'}])

    def test_nobody_is_asked_about_what_cannot_be_anothers(self):
        polkit = self.polkit(manage=YES)
        for id in ('sleep.3001.9', 'sleep', 'sleep.3002', '..'):
            self.assertEqual(self.client('alice').ask('Stop', 's', string(id)), f'{BUS}.Error.NoSuchSandbox')
        self.assertEqual(polkit.questions, [])


class Trouble(PolkitTest):
    """polkit late, silent, broken or gone: denied, and nothing left of it."""

    def test_late_answers_are_answers(self):
        polkit = self.polkit()
        client = self.client('alice')
        client.send('Launch', 'sa{sv}', launch_body('sleep', []))
        question = polkit.wait_question()
        self.assertEqual(sandboxes(), {})
        self.assertEqual(self.client('bob').ask('ListProfiles'), None)  # nobody waits for it
        polkit.answer(question, YES)
        self.assertIsNone(client.answer())
        self.assertIn('sleep.3001.1', sandboxes())

    def test_caller_who_goes_takes_his_question_back(self):
        polkit = self.polkit()
        for round in range(1, 21):
            client = Client('alice')
            client.send('Launch', 'sa{sv}', launch_body('sleep', []))
            question = polkit.wait_question(round)
            client.close()
            wait_for('the question to be taken back', lambda id=question.id: id in polkit.cancelled)
            polkit.answer(question, YES)
        self.assert_nothing_open(polkit)
        self.assertEqual(sandboxes(), {})

    def test_polkit_that_dies_over_the_question_is_a_no(self):
        polkit = FakePolkit()
        client = self.client('alice')
        client.send('Launch', 'sa{sv}', launch_body('sleep', []))
        polkit.wait_question()
        polkit.close()
        self.assertEqual(client.answer(), DENIED)
        self.assertEqual(sandboxes(), {})
        # Gone for good, it is a machine without polkit.
        self.assertIsNone(client.launch('sleep'))
        self.assertEqual(client.launch('confirm'), DENIED)
        self.assertEqual(client.ask('Reload'), DENIED)

    def test_what_is_no_answer_is_a_no(self):
        client = self.client('alice')
        for signature, body in (('', b''), ('b', struct.pack('<I', 1)), ('s', string('yes')),
                                ('bba{ss}', struct.pack('<IIII', 1, 0, 0, 0)),
                                ('(bb)', struct.pack('<II', 1, 0)),
                                ('(bba{ss})', struct.pack('<IIII', 1, 1, 0, 0))):
            with self.subTest(signature=signature):
                polkit = FakePolkit()
                client.send('Launch', 'sa{sv}', launch_body('sleep', []))
                polkit.bus.answer(polkit.wait_question().message, signature, body)
                self.assertIn(client.answer(), (DENIED, ASKS))
                polkit.close()
        self.assertEqual(sandboxes(), {})

    def test_errors_are_a_no_also_those_that_the_bus_has_for_absence(self):
        client = self.client('alice')
        for error in (f'{POLKIT}.Error.Failed', f'{DBUS}.Error.ServiceUnknown', f'{DBUS}.Error.NameHasNoOwner'):
            with self.subTest(error=error):
                polkit = FakePolkit()
                client.send('Launch', 'sa{sv}', launch_body('sleep', []))
                polkit.bus.answer(polkit.wait_question().message, error=error)
                self.assertEqual(client.answer(), DENIED)
                polkit.close()
        self.assertEqual(sandboxes(), {})

    def test_questions_of_one_user_are_bounded(self):
        polkit = self.polkit()
        clients = [Client('alice') for _ in range(9)]
        for client in clients[:8]:
            client.send('Launch', 'sa{sv}', launch_body('sleep', []))
        polkit.wait_question(8)  # one after the other, as none is answered
        self.assertEqual(clients[8].launch('sleep'), f'{BUS}.Error.QuotaExceeded')
        self.assertEqual(len(polkit.questions), 8)
        for client in clients:
            client.close()
        wait_for('eight questions taken back', lambda: len(polkit.cancelled) == 8)
        self.assert_nothing_open(polkit)

    def test_broker_that_restarts_asks_anew(self):
        polkit = self.polkit()
        client = self.client('alice')
        client.send('Launch', 'sa{sv}', launch_body('sleep', []))
        question = polkit.wait_question()
        restart_broker()
        self.assertIsNotNone(client.answer())
        polkit.answer(question, YES)
        polkit.answers[action('launch')] = YES
        self.assertIsNone(client.launch('sleep'))
        self.assertEqual(list(sandboxes()), ['sleep.3001.1'])

    def test_descriptors_do_not_pile_up(self):
        polkit = self.polkit(launch=NO, manage=NO, reload=CHALLENGE)
        client = self.client('alice')
        client.launch('sleep')
        before = open_files(broker_pid())
        for _ in range(20):
            client.launch('sleep')
            client.ask('Stop', 's', string('sleep.3002.1'))
            client.ask('Reload')
        self.assertEqual(open_files(broker_pid()), before)
        self.assertEqual(len(polkit.questions), 61)


class Afresh(PolkitTest):
    """What changes while polkit thinks counts when it has thought."""

    PROFILE = '[Access]\nAllowGroups={}\nAuthentication={}\n[Exec]\nExecStart=/usr/bin/sleep infinity\n'

    def begin(self, group='users', authentication='none'):
        add_profile('changing', self.PROFILE.format(group, authentication))
        self.addCleanup(remove_profile, 'changing')
        self.fake = self.polkit()
        self.client('alice').send('Launch', 'sa{sv}', launch_body('changing', []))
        return self.fake.wait_question()

    def finish(self):
        return self.client('alice').answer()

    def test_profile_that_lists_the_caller_no_more(self):
        question = self.begin()
        add_profile('changing', self.PROFILE.format('staff', 'none'))
        self.fake.answer(question, YES)
        self.assertEqual(self.finish(), f'{BUS}.Error.NoSuchProfile')
        self.assertEqual(sandboxes(), {})

    def test_profile_that_is_gone(self):
        question = self.begin()
        remove_profile('changing')
        self.fake.answer(question, YES)
        self.assertEqual(self.finish(), f'{BUS}.Error.NoSuchProfile')
        add_profile('changing', self.PROFILE.format('users', 'none'))

    def test_profile_that_asks_for_more_now(self):
        question = self.begin()
        add_profile('changing', self.PROFILE.format('users', 'admin'))
        self.fake.answer(question, YES)
        second = self.fake.wait_question(2)
        self.assertEqual(second.action, action('authenticate-admin'))
        self.fake.answer(second, NO)
        self.assertEqual(self.finish(), DENIED)

    def test_profile_that_asks_for_less_now(self):
        self.begin(authentication='admin')
        self.fake.answer(self.fake.wait_question(), YES)
        second = self.fake.wait_question(2)
        add_profile('changing', self.PROFILE.format('users', 'none'))
        self.fake.answer(second, NO)
        self.assertIsNone(self.finish())

    def test_sandbox_that_has_ended(self):
        polkit = self.polkit(launch=YES)
        id, _ = launch('alice', 'sleep')
        client = self.client('bob')
        client.send('Stop', 's', string(id))
        question = polkit.wait_question(2)
        busctl('root', 'Stop', 's', id)
        polkit.answer(question, YES)
        self.assertEqual(client.answer(), f'{BUS}.Error.NoSuchSandbox')


class CommandLine(PolkitTest):
    def on_terminal(self, user, *command):
        """(exit status, output) of a command with a terminal as its input."""
        ours, theirs = pty.openpty()
        try:
            done = subprocess.run(command_as(user, command), stdin=theirs, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, cwd='/')
            return done.returncode, done.stdout
        finally:
            os.close(ours)
            os.close(theirs)

    def test_leave_to_ask_is_given_on_a_terminal_only(self):
        polkit = self.polkit(reload=CHALLENGE)
        done = immurectl('alice', 'reload')
        self.assertEqual(done.returncode, 1)
        self.assertIn('somebody has to authenticate', done.stderr)
        self.assertEqual([q.interactive for q in polkit.questions], [0])

        polkit.questions.clear()
        status, _ = self.on_terminal('alice', 'immurectl', 'reload')
        self.assertEqual(status, 1)
        self.assertEqual([q.interactive for q in polkit.questions], [0, 1])

        polkit.questions.clear()
        status, _ = self.on_terminal('alice', 'immurectl', '--no-ask-password', 'reload')
        self.assertEqual(status, 1)
        self.assertEqual([q.interactive for q in polkit.questions], [0])


if __name__ == '__main__':
    main()
