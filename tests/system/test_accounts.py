#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A name service that hangs: who needs its answer gets an error, and nobody else notices."""

import pathlib
import shutil
import subprocess
import threading

from common import (RIG, BusError, SystemTest, busctl, gdbus, launch, main, restart_broker, sandboxes, start_as,
                    wait_for)

HERE = pathlib.Path(__file__).parent
NSSWITCH = pathlib.Path('/etc/nsswitch.conf')
HANG = pathlib.Path('/run/nss-hang')
LIBRARY, LIBRARIES = pathlib.Path('/etc/nss-hang'), pathlib.Path('/etc/ld.so.conf.d/nss-hang.conf')
GAVE_UP = 'The name service gave no answer'


def log():
    return (RIG / 'broker.log').read_text()


class Accounts(SystemTest):
    @classmethod
    def setUpClass(cls):
        LIBRARY.mkdir()
        HANG.mkdir()
        subprocess.run(['gcc', '-shared', '-fPIC', '-o', LIBRARY / 'libnss_hang.so.2', HERE / 'nss-hang.c'], check=True)
        LIBRARIES.write_text(f'{LIBRARY}\n')
        subprocess.run(['ldconfig', '-X'], check=True)
        cls.before = NSSWITCH.read_text() if NSSWITCH.exists() else None
        NSSWITCH.write_text('passwd: files\ngroup: files\nshadow: files\ninitgroups: files [SUCCESS=continue] hang\n')
        restart_broker()

    @classmethod
    def tearDownClass(cls):
        NSSWITCH.unlink() if cls.before is None else NSSWITCH.write_text(cls.before)
        LIBRARIES.unlink()
        shutil.rmtree(LIBRARY)
        HANG.rmdir()
        subprocess.run(['ldconfig', '-X'], check=True)
        restart_broker()

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


if __name__ == '__main__':
    main()
