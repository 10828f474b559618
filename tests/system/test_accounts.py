#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A name service that hangs or fails: who needs its answer is refused, and nobody else notices."""

import errno
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

from common import (BUS, RIG, ROOT, BusError, SystemTest, add_profile, busctl, gdbus, launch, main, pids_of, remove_profile,
                    restart_broker, sandboxes, start_as, wait_for)
from rawbus import bus_of
from test_oracle import marshal, user_option

HERE = pathlib.Path(__file__).parent
NSSWITCH, GROUP = pathlib.Path('/etc/nsswitch.conf'), pathlib.Path('/etc/group')
HANG, FAIL = pathlib.Path('/run/nss-hang'), pathlib.Path('/run/nss-fail')
SHADOW, PASSWD, NOLOGIN = pathlib.Path('/etc/shadow'), pathlib.Path('/etc/passwd'), pathlib.Path('/run/nologin')
ALLOW = pathlib.Path('/etc/immured/immured.conf.d/20-expired.conf')
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'
GAVE_UP = 'The name service gave no answer'


def log():
    return (RIG / 'broker.log').read_text()


class NameServiceTest(SystemTest):
    """With a service of the test's own, which is told what to do in a directory."""

    @classmethod
    def setUpClass(cls):
        cls.library = pathlib.Path(f'/etc/nss-{cls.service}')
        cls.libraries = pathlib.Path(f'/etc/ld.so.conf.d/nss-{cls.service}.conf')
        cls.library.mkdir()
        cls.orders.mkdir()
        subprocess.run(['gcc', '-shared', '-fPIC', '-o', cls.library / f'libnss_{cls.service}.so.2',
                        HERE / f'nss-{cls.service}.c'], check=True)
        (cls.library / 'libnss_list.so.2').symlink_to(f'libnss_{cls.service}.so.2')
        cls.libraries.write_text(f'{cls.library}\n')
        subprocess.run(['ldconfig', '-X'], check=True)
        cls.before = NSSWITCH.read_text() if NSSWITCH.exists() else None
        NSSWITCH.write_text(cls.nsswitch)
        restart_broker()

    @classmethod
    def tearDownClass(cls):
        NSSWITCH.unlink() if cls.before is None else NSSWITCH.write_text(cls.before)
        cls.libraries.unlink()
        shutil.rmtree(cls.library)
        shutil.rmtree(cls.orders)
        subprocess.run(['ldconfig', '-X'], check=True)
        restart_broker()


class Hanging(NameServiceTest):
    service, orders = 'hang', HANG
    nsswitch = 'passwd: files\ngroup: files\nshadow: files\ninitgroups: files [SUCCESS=continue] hang\n'

    def hang_for(self, user):
        (HANG / user).touch()
        self.addCleanup((HANG / user).unlink, missing_ok=True)
        busctl('root', 'Reload')  # what was known is forgotten

    def test_only_who_is_looked_up_waits_and_is_refused(self):
        self.hang_for('bob')
        n_before = log().count(GAVE_UP)
        self.assert_refused('NoSuchProfile', '', gdbus, 'bob', 'Launch', 'sleep', '@a{sv} {}')
        wait_for('the worker to be given up', lambda: log().count(GAVE_UP) > n_before)
        id, _ = launch('alice', 'sleep')
        busctl('alice', 'Stop', 's', id)

    def test_others_are_answered_while_it_hangs(self):
        id, _ = launch('alice', 'sleep')
        self.hang_for('bob')
        waiting = start_as('bob', 'gdbus', 'call', '--system', '--dest', 'org.immured.Broker1', '--object-path',
                           '/org/immured/Broker1', '--method', 'org.immured.Broker1.Manager.Launch', '--', 'sleep', '@a{sv} {}')
        ended = threading.Event()

        # Bob asks again and again, so that there always is a look-up that hangs.
        def keep_asking():
            while not ended.is_set():
                try:
                    gdbus('bob', 'ListProfiles')
                except BusError:
                    pass
        asking = threading.Thread(target=keep_asking)
        asking.start()
        try:
            busctl('root', 'ListSandboxes')
            busctl('alice', 'Kill', 'ssi', id, 'all', 18)  # her own sandbox: no account is asked for
            launch('alice', 'sleep')                        # hers is asked for, behind his
            busctl('alice', 'Stop', 's', id)
        finally:
            ended.set()
            asking.join()
            _, error = waiting.communicate()
        self.assertNotEqual(waiting.returncode, 0)
        self.assertIn(b'NoSuchProfile', error)

    def test_who_was_refused_is_let_in_when_it_answers_again(self):
        self.hang_for('bob')
        self.assert_refused('NoSuchProfile', '', gdbus, 'bob', 'Launch', 'sleep', '@a{sv} {}')
        (HANG / 'bob').unlink()
        busctl('root', 'Reload')
        launch('bob', 'sleep')
        self.assertEqual(len(sandboxes()), 1)

    def test_root_hears_that_an_account_cannot_be_had(self):
        self.hang_for('bob')
        self.assert_refused('Busy', 'account', gdbus, 'root', 'Launch', 'sleep', '{"User": <"bob">}')


# As nss(5) has them; errors that services are known to give, and a buffer that is never large enough.
TRYAGAIN, UNAVAIL, NOTFOUND, SUCCESS, RETURN = -2, -1, 0, 1, 2
ERRORS = (0, errno.EAGAIN, errno.ENOENT, errno.EIO, errno.ERANGE, errno.ETIMEDOUT, errno.ECONNREFUSED, errno.EMFILE)
SERVICES = {
    'behind the files': 'group: files fail\n',
    'before the files': 'group: fail files\n',
    'alone': 'group: fail\n',
    'as the last word': 'group: fail [!SUCCESS=return] files\n',
    'for users apart': 'group: fail files\ninitgroups: files [SUCCESS=continue NOTFOUND=continue] fail\n',
    'one by one': 'group: files list\n',
    'merged': 'group: files [SUCCESS=merge] fail # as Fedora\n',
}


class Failing(NameServiceTest):
    service, orders = 'fail', FAIL
    nsswitch = 'passwd: files fail\nshadow: files\ngroup: files fail\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.groups = GROUP.read_text()
        for name, access in (('denied', 'AllowUsers=alice bob\nDenyGroups=students'),
                             ('denied-number', 'AllowUsers=alice bob\nDenyGroups=30000'),
                             ('undenied', 'AllowUsers=alice bob'),
                             ('for-students', 'AllowGroups=students'),
                             ('of-students', 'AllowUsers=bob\nManageGroups=students')):
            add_profile(name, f'[Access]\n{access}\n[Exec]\nExecStart=/usr/bin/sleep 1000\n')

    @classmethod
    def tearDownClass(cls):
        for name in ('denied', 'denied-number', 'undenied', 'for-students', 'of-students'):
            remove_profile(name)
        super().tearDownClass()

    def setUp(self):
        NSSWITCH.write_text(self.nsswitch)
        self.forget()

    def tearDown(self):
        for order in FAIL.iterdir():
            order.unlink()
        GROUP.write_text(self.groups)
        self.forget()
        super().tearDown()

    def forget(self):
        """A process for accounts that has read nothing yet, and no answer is left."""
        for pid in pids_of('immured-account'):
            os.kill(pid, signal.SIGKILL)
            wait_for('its end', lambda: not os.path.exists(f'/proc/{pid}/fd/3'))
        busctl('root', 'Reload')

    def visible(self, user):
        return {row[0] for row in busctl(user, 'ListProfiles')[0]} & {
            'denied', 'denied-number', 'undenied', 'for-students', 'of-students'}

    def order(self, function, status, error):
        (FAIL / function).write_text(f'{status} {error}')

    def test_a_service_that_answers_is_believed(self):
        for where, groups in SERVICES.items():
            with self.subTest(where=where):
                NSSWITCH.write_text(f'passwd: files fail\n{groups}')
                self.forget()
                self.assertEqual(self.visible('alice'), {'undenied', 'for-students', 'of-students'})
                # His own group has no name there, so that it may be any.
                if where not in ('alone', 'as the last word'):
                    self.assertEqual(self.visible('bob'), {'denied', 'denied-number', 'undenied', 'of-students'})

    def test_whoever_may_be_in_a_denied_group_is_refused(self):
        for function, statuses in (('initgroups_dyn', (TRYAGAIN, UNAVAIL, RETURN)),
                                   ('getgrgid_r', (TRYAGAIN, UNAVAIL, NOTFOUND))):
            for status in statuses:
                for where, groups in SERVICES.items():
                    for error in ERRORS if where == 'behind the files' else (0, errno.ENOENT):
                        with self.subTest(function=function, status=status, error=error, where=where):
                            NSSWITCH.write_text(f'passwd: files fail\n{groups}')
                            self.order(function, status, error)
                            self.forget()
                            visible = self.visible('alice')
                            self.assertIn('undenied', visible)
                            self.assertNotIn('denied', visible)
                            self.assertNotIn('denied-number', visible)
                            self.assertNotIn('for-students', visible)
            (FAIL / function).unlink()

    def test_a_user_who_cannot_be_looked_up_is_in_no_list(self):
        NSSWITCH.write_text('passwd: fail files\ngroup: files fail\n')
        for status in (TRYAGAIN, UNAVAIL):
            for error in ERRORS:
                with self.subTest(status=status, error=error):
                    self.order('getpwuid_r', status, error)
                    self.forget()
                    self.assertNotIn('denied', self.visible('alice'))

    def test_the_machine_s_own_services_answer(self):
        """As Debian has them, also where no systemd runs."""
        have = any(pathlib.Path('/usr/lib').glob('*/libnss_systemd.so.2'))
        NSSWITCH.write_text(f'passwd: files\ngroup: files {"systemd" if have else ""}\n')
        self.forget()
        self.assertEqual(self.visible('alice'), {'denied', 'denied-number', 'undenied'})

    def test_a_service_that_is_not_installed_has_not_said_no(self):
        NSSWITCH.write_text('passwd: files\ngroup: files no-such-service\n')
        self.forget()
        self.assertEqual(self.visible('alice'), {'undenied'})

    def test_a_large_group_has_its_name(self):
        members = ','.join(f'user{i:06}' for i in range(30000))
        NSSWITCH.write_text('passwd: files\ngroup: files\n')
        GROUP.write_text(self.groups + f'students:x:30000:{members},alice\n')
        self.forget()
        self.assertEqual(self.visible('alice'), {'undenied', 'for-students', 'of-students'})
        self.assertEqual(self.visible('bob'), {'denied', 'denied-number', 'undenied', 'of-students'})

    def test_a_group_without_a_name_may_be_any(self):
        NSSWITCH.write_text('passwd: files\ngroup: files\n')
        GROUP.write_text(''.join(line for line in self.groups.splitlines(True) if not line.startswith('alice:')))
        self.forget()
        self.assertEqual(self.visible('alice'), {'denied-number', 'undenied'})


class Expired(NameServiceTest):
    """Accounts that could not log in just now."""
    service, orders = 'fail', FAIL
    nsswitch = 'passwd: files\ngroup: files\nshadow: files fail\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.texts = {path: path.read_text() if path.exists() else None for path in (SHADOW, PASSWD)}

    def tearDown(self):
        for path, text in {**self.texts, NOLOGIN: None, ALLOW: None}.items():
            path.unlink(missing_ok=True) if text is None else path.write_text(text)
        for order in FAIL.iterdir():
            order.unlink()
        busctl('root', 'Reload')
        super().tearDown()

    def shadow(self, last_change, expires):
        SHADOW.write_text((self.texts[SHADOW] or '') + f'alice:*:{last_change}:0:99999:7::{expires}:\n')
        busctl('root', 'Reload')

    def assert_out(self, text):
        for user, options in (('alice', '{}'), ('root', '{"User": <"alice">}')):
            for method in ('Launch', 'Plan'):
                self.assert_refused(DENIED, text, gdbus, user, method, 'sleep', options)
        verdict, reason = busctl('alice', 'CheckAccess', 'ussa{sv}', 3001, 'sleep', 'launch', 0)
        self.assertEqual(verdict, 'no')
        self.assertRegex(reason, text)

    def assert_in(self, user='alice'):
        id, _ = launch(user, 'sleep')
        busctl(user, 'Stop', 's', id)

    def test_an_account_that_has_expired_launches_nothing(self):
        for day in (0, 1, int(time.time()) // 86400):
            self.shadow(19000, day)
            self.assert_out('alice has expired')
        self.assert_in('bob')
        ALLOW.write_text('[Users]\nExpired=allow\n')
        busctl('root', 'Reload')
        self.assert_in()

    def test_what_keeps_nobody_out_of_a_session_that_there_is_does_not_count(self):
        for last_change, expires in ((0, ''), (19000, int(time.time()) // 86400 + 2)):
            self.shadow(last_change, expires)
            self.assert_in()
        PASSWD.write_text(self.texts[PASSWD].replace('/home/alice:/bin/bash', '/home/alice:/usr/sbin/nologin'))
        busctl('root', 'Reload')
        self.assert_in()

    def test_what_cannot_be_found_out_counts_as_expired(self):
        for status in (TRYAGAIN, UNAVAIL):
            for error in (errno.EAGAIN, errno.EIO, errno.ERANGE, errno.ETIMEDOUT):
                with self.subTest(status=status, error=error):
                    (FAIL / 'getspnam_r').write_text(f'{status} {error}')
                    busctl('root', 'Reload')
                    self.assert_out('alice has expired cannot be found out')

    def test_while_nobody_may_log_in_only_system_users_launch(self):
        add_profile('no-home', '[Exec]\nExecStart=/usr/bin/sleep 1000\n[Files]\nProtectHome=yes\n')
        self.addCleanup(remove_profile, 'no-home')
        NOLOGIN.touch()
        self.assert_out('Nobody may log in just now')
        gdbus('root', 'Launch', 'no-home', '{"User": <"daemon">}')
        self.assert_in('root')
        ALLOW.write_text('[Users]\nExpired=allow\n')
        busctl('root', 'Reload')
        self.assert_in()


class Slow(NameServiceTest):
    """A directory that takes its time over names that it does not know."""
    service, orders = 'fail', FAIL
    nsswitch = 'passwd: files fail\ngroup: files\n'

    def setUp(self):
        self.asked = FAIL / 'asked'
        self.asked.touch()
        (FAIL / 'delay').write_text('500')
        self.clients = [bus_of(user) for user in ('alice', 'bob')]
        for client in self.clients:
            self.addCleanup(client.close)
        # What holds for the bus itself is known, so that nothing but the name service is waited for.
        for client in self.clients:
            self.assertIsNone(client.call(BUS, ROOT, f'{BUS}.Manager', 'ListProfiles')[0])

    def tearDown(self):
        for order in FAIL.iterdir():
            order.unlink()
        super().tearDown()

    def names(self):
        return self.asked.read_text().split()

    def ask_about(self, n, member, signature, *values):
        """Alice asks about so many users whom nobody knows, and waits for no answer."""
        for i in range(n):
            self.clients[0].send(BUS, ROOT, f'{BUS}.Manager', member, signature,
                                 marshal(signature, *values, user_option(f'guess{i}')))

    def test_nobody_waits_for_all_guesses_of_another(self):
        alice, bob = self.clients
        busctl('root', 'Reload')  # what was known of both is forgotten
        self.ask_about(16, 'CheckAccess', 'ussa{sv}', 3001, 'sleep', 'stop')
        wait_for('a guess to be looked up', self.names)
        n_before = len(self.names())
        self.assertIsNone(bob.call(BUS, ROOT, f'{BUS}.Manager', 'ListProfiles')[0])
        self.assertLess(len(self.names()) - n_before, 8)

    def test_nothing_is_looked_up_for_who_may_not_ask(self):
        alice, bob = self.clients
        self.ask_about(8, 'Launch', 'sa{sv}', 'staff')
        self.ask_about(8, 'Plan', 'sa{sv}', 'staff')
        for verb in ('launch', 'plan'):
            self.ask_about(4, 'CheckAccess', 'ussa{sv}', 3001, 'staff', verb)
        self.assertIsNotNone(alice.wait_reply())
        self.assertEqual(self.names(), [])


if __name__ == '__main__':
    main()
