#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of the host that a sandbox has: those that its profile names, or all that the user may use."""

import os
import pathlib
import shutil
import stat
import unittest

from common import PROFILES, add_profile, busctl, immurectl, main, remove_profile
from test_isolation import Inside

HOST_DEVICES = '''
[Access]
AllowGroups=users
Arguments=append
[Exec]
ExecStart=/usr/bin/python3 -I
StandardOutput=client
StandardError=client
[Namespaces]
PrivateUsers={}
[Files]
PrivateDevices=no
InaccessiblePaths=-/dev/immured-test/masked
'''
LOOK = '''
def access(path):
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except OSError as e:
        return errno.errorcode[e.errno]
    return "works"
test = "/dev/immured-test"
tell(there={name: access(f"{test}/{name}") for name in os.listdir(test)} if os.path.isdir(test) else {},
     shm=os.listdir("/dev/shm"), null=access("/dev/null"),
     other=sorted(p.name for p in pathlib.Path("/dev").iterdir() if p.is_symlink() or p.is_block_device()),
     terminals=[p.name for p in pathlib.Path("/dev").iterdir() if p.name[:3] == "tty" and p.name[3:]],
     written=attempt(open, test + "/new", "w"))
'''


class Devices(Inside):
    """A device of the profile's: as far as the user may have it outside."""

    def make(self, number, mode):
        path = '/dev/immured-test'
        try:
            os.mknod(path, stat.S_IFCHR, os.makedev(*number))
        except OSError as e:
            raise unittest.SkipTest(f'no device can be made here: {e}')
        os.chmod(path, mode)
        self.addCleanup(os.unlink, path)

    def test_a_device_for_everyone_is_there_and_opens_or_says_why(self):
        self.make((10, 229), 0o666)
        facts = self.ask('tell(devices=os.listdir("/dev"), open=attempt(os.open, "/dev/immured-test", os.O_RDWR),'
                         ' other=attempt(os.open, "/dev/kvm", os.O_RDWR))', 'device')
        self.assertIn('immured-test', facts['devices'])
        self.assertNotIn('immured-none', facts['devices'])
        self.assertNotIn(facts['open'], ('EACCES', 'EPERM'))
        self.assertEqual(facts['other'], 'ENOENT')

    def test_what_the_user_may_not_open_is_refused(self):
        self.make((10, 229), 0o600)
        self.assertRegex(immurectl('alice', 'run', 'device', '-c', 'pass').stderr, 'immured-test.*Permission denied')

    def test_a_right_that_picked_ids_do_not_carry_is_named(self):
        self.make((10, 229), 0o600)
        os.chown('/dev/immured-test', 3001, 3001)
        self.assertRegex(immurectl('alice', 'run', 'device', '-c', 'pass').stderr, 'idmap: .*immured-test')

    def test_a_masked_device_is_none(self):
        self.make((10, 229), 0o666)
        (PROFILES / 'device.profile.d').mkdir()
        self.addCleanup(busctl, 'root', 'Reload')
        self.addCleanup(shutil.rmtree, PROFILES / 'device.profile.d')
        (PROFILES / 'device.profile.d/x.conf').write_text('[Files]\nInaccessiblePaths=/dev/immured-test /dev/full\n')
        busctl('root', 'Reload')
        facts = self.ask('tell(open=[attempt(os.open, p, os.O_RDONLY) for p in ("/dev/immured-test", "/dev/full")])', 'device')
        self.assertEqual(facts['open'], ['EACCES', 'EACCES'])

    def test_terminals_and_memory_are_refused_whatever_they_are_called(self):
        for number in ((4, 1), (5, 1), (5, 2), (136, 0), (1, 1), (7, 0)):
            with self.subTest(number=number):
                self.make(number, 0o666)
                self.assertRegex(immurectl('alice', 'run', 'device', '-c', 'pass').stderr, 'leads out')
                self.doCleanups()

    def test_what_is_no_character_device_is_refused(self):
        path = pathlib.Path('/dev/immured-test')
        path.write_text('x')
        self.addCleanup(path.unlink)
        path.chmod(0o666)
        self.assertRegex(immurectl('alice', 'run', 'device', '-c', 'pass').stderr, 'character device')


class HostDevices(Inside):
    """PrivateDevices=no: what the user may use of the host's, and nothing that leads out."""

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path('/dev/immured-test')
        try:
            self.directory.mkdir()
            self.addCleanup(shutil.rmtree, self.directory)
            # The same device under several names: /dev/fuse, where there is one.
            self.make('open', (10, 229), 0o666)
            self.make('masked', (10, 229), 0o666)
            self.make('others', (10, 229), 0o600)
            self.make('own', (10, 229), 0o600)
            os.chown(self.directory / 'own', 3001, 3001)
            self.make('read-only', (10, 229), 0o644)
            self.make('terminal', (4, 1), 0o666)
            self.make('pseudo-terminal', (136, 0), 0o666)
            self.make('memory', (1, 1), 0o666)
            self.make('unknown', (4000, 7), 0o666)
            self.make('disk', (7, 0), 0o666, stat.S_IFBLK)
        except OSError as e:
            raise unittest.SkipTest(f'no device can be made here: {e}')
        if not os.path.exists('/sys/dev/char/10:229'):
            raise unittest.SkipTest('this kernel has no FUSE, whose device is taken for a test')
        (self.directory / 'link').symlink_to('open')
        (self.directory / 'file').write_text('')
        (self.directory / 'file').chmod(0o666)
        shared = pathlib.Path('/dev/shm/immured-test')
        shared.touch()
        self.addCleanup(shared.unlink)

    def make(self, name, number, mode, kind=stat.S_IFCHR):
        os.mknod(self.directory / name, kind, os.makedev(*number))
        os.chmod(self.directory / name, mode)

    def look(self, users):
        add_profile('host-devices', HOST_DEVICES.format(users))
        self.addCleanup(remove_profile, 'host-devices')
        facts = self.ask(LOOK, 'host-devices')
        self.assertEqual((facts['shm'], facts['null'], facts['terminals']), ([], 'works', []))
        self.assertEqual(facts['other'], ['fd', 'ptmx', 'stderr', 'stdin', 'stdout'])
        # There is nothing to be made, not even in memory.
        self.assertIn(facts['written'], ('EACCES', 'ENOENT', 'EROFS'))
        return facts['there']

    def test_picked_ids_have_what_is_for_everyone(self):
        there = self.look('pick')
        self.assertEqual(sorted(there), ['masked', 'open'])
        self.assertNotIn(there['open'], ('EACCES', 'EPERM'))
        self.assertEqual(there['masked'], 'EACCES')

    def test_own_ids_have_what_is_the_users_as_well(self):
        there = self.look('self')
        self.assertEqual(sorted(there), ['masked', 'open', 'own'])
        self.assertNotIn(there['own'], ('EACCES', 'EPERM'))

    def test_another_user_has_nothing_of_it(self):
        self.directory.chmod(0o700)
        self.assertEqual(self.look('self'), {})

    def test_more_than_a_tree_holds_refuses_the_launch(self):
        for i in range(300):
            self.make(f'n{i}', (10, 229), 0o666)
        add_profile('host-devices', HOST_DEVICES.format('pick'))
        self.addCleanup(remove_profile, 'host-devices')
        self.assertRegex(immurectl('alice', 'run', 'host-devices', '-c', 'pass').stderr, 'More than 256 devices in /dev')


if __name__ == '__main__':
    main()
