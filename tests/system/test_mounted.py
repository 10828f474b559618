#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is mounted where a user's files are: file systems that take no mapped ids, FUSE mounts of the user's own, and what
is mounted on demand."""

import ctypes
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import threading

from common import PROFILES, add_profile, immurectl, main, remove_profile, sandboxes
from test_isolation import Inside

HOME = pathlib.Path('/home/alice')
LIBC = ctypes.CDLL(None, use_errno=True)
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2


def mount(source, target, type, options):
    if LIBC.mount(source.encode(), str(target).encode(), type.encode(), MS_NOSUID | MS_NODEV, options.encode()) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f'mount -t {type} {target}')


class Mounted(Inside):
    def place(self, path):
        """A directory of alice's that is there for the test."""
        path.mkdir()
        self.addCleanup(shutil.rmtree, path)
        os.chown(path, 3001, 3001)
        return path

    def unmounted(self, path):
        self.addCleanup(subprocess.run, ['umount', '--lazy', str(path)], check=True)

    def profile(self, files, rest=''):
        head, _, _ = (PROFILES / 'home-ro.profile').read_text().partition('[Files]')
        add_profile('mounted', f'{head}[Files]\n{files}\n{rest}')
        self.addCleanup(lambda: (PROFILES / 'mounted.profile').exists() and remove_profile('mounted'))

    def refused(self, user='alice'):
        done = immurectl(user, 'run', 'mounted', '-c', 'pass')
        self.assertEqual(done.returncode, 125, done.stderr)
        return done.stderr


class Submounts(Mounted):
    """Below a directory that is bound with all that is in it."""

    def setUp(self):
        super().setUp()
        self.sub = self.place(HOME / 'data/sub')

    def overlay(self):
        layers = pathlib.Path('/run/rig/submount')
        for name in ('lower', 'upper', 'work'):
            (layers / name).mkdir(parents=True)
        self.addCleanup(shutil.rmtree, layers)
        mount('over', self.sub, 'overlay', f'lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/work')
        self.unmounted(self.sub)

    def fuse(self, *options):
        if not os.access('/dev/fuse', os.R_OK | os.W_OK):
            self.skipTest('no /dev/fuse')
        fd = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, fd)
        mount('own', self.sub, 'fuse', ','.join((f'fd={fd},rootmode=40000,user_id=3001,group_id=3001', *options)))
        self.unmounted(self.sub)

    def test_one_without_mapped_ids_is_named_with_what_helps(self):
        self.overlay()
        for files in ('ProtectHome=read-only', 'ProtectHome=no', 'BindPaths=%h/data'):
            self.profile(files)
            said = self.refused()
            for word in ('idmap: file system overlay at /home/alice/data/sub, below /home/alice', 'HomeSubmounts=no', 'norbind',
                         'PrivateUsers=self'):
                self.assertIn(word, said)
            self.assertNotIn('FUSE', said)

    def test_it_can_be_left_out_or_taken_as_it_is(self):
        self.overlay()
        subprocess.run(['touch', str(self.sub / 'there')], check=True)
        program = 'tell(own=open(os.environ["HOME"] + "/data/own").read(), sub=os.listdir(os.environ["HOME"] + "/data/sub"))'
        for files, rest, seen in (('ProtectHome=read-only\nHomeSubmounts=no', '', []), ('ProtectHome=no\nHomeSubmounts=no', '', []),
                                  ('BindPaths=%h/data:%h/data:norbind', '', []), ('ProtectHome=no', '[Namespaces]\nPrivateUsers=self', ['there'])):
            with self.subTest(files, rest=rest):
                self.profile(files, rest)
                self.assertEqual(self.ask(program, 'mounted'), {'own': 'alice', 'sub': seen})

    def test_a_fuse_mount_of_the_users_says_that_it_is_one(self):
        self.fuse()
        self.profile('ProtectHome=read-only')
        self.assertRegex(self.refused(), 'file system fuse at /home/alice/data/sub, below /home/alice, a FUSE mount that only its user may enter')
        self.profile('BindPaths=%h/data/sub:/srv/sub')
        self.assertRegex(self.refused(), 'file system fuse at /home/alice/data/sub is a FUSE mount that only its user may enter; .*allow_other')
        self.profile('ProtectHome=read-only\nHomeSubmounts=no')
        self.assertEqual(self.ask('tell(sub=os.listdir(os.environ["HOME"] + "/data/sub"))', 'mounted'), {'sub': []})
        self.profile('ProtectHome=read-only', '[Namespaces]\nPrivateUsers=self')
        self.assertEqual(self.ask('tell(mounts=[l.split()[4] for l in open("/proc/self/mountinfo") if " - fuse " in l])', 'mounted'),
                         {'mounts': [str(self.sub)]})

    def test_one_for_everybody_is_not_called_private(self):
        self.fuse('allow_other')
        self.profile('ProtectHome=read-only')
        said = self.refused()
        self.assertIn('file system fuse at /home/alice/data/sub, below', said)
        self.assertNotIn('only its user', said)


IOC_READY, IOC_FAIL, IOC_CATATONIC = 0x9360, 0x9361, 0x9362
PACKET = struct.Struct('=iiIIQIIIII')  # struct autofs_v5_packet, up to its name of 256 bytes
MISSING_INDIRECT, MISSING_DIRECT = 3, 5


class Automount:
    """The kernel's autofs with a server of our own: binds a directory where something is missing, or lets it wait."""

    def __init__(self, target, kind, content):
        self.target, self.content, self.asked, self.answers = target, content, [], True
        if os.getpgrp() == 0:  # a group of outside the rig, which has no number in here
            os.setpgid(0, 0)
        read, write = os.pipe2(os.O_CLOEXEC)
        try:
            mount('test', target, 'autofs', f'fd={write},pgrp={os.getpgrp()},minproto=5,maxproto=5,{kind}')
        finally:
            os.close(write)
        self.pipe, self.root = read, os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while packet := os.read(self.pipe, 4096):
            version, type, token, _, _, uid, _, _, _, length = PACKET.unpack_from(packet)
            if type not in (MISSING_INDIRECT, MISSING_DIRECT):
                fcntl.ioctl(self.root, IOC_FAIL, token)
                continue
            name = packet[PACKET.size:PACKET.size + length].decode() if type == MISSING_INDIRECT else ''
            self.asked.append((name, uid))
            if not self.answers:
                continue
            path = pathlib.Path(self.target) / name
            if name:
                path.mkdir(exist_ok=True)
            done = subprocess.run(['mount', '--bind', str(self.content), str(path)])
            fcntl.ioctl(self.root, IOC_READY if done.returncode == 0 else IOC_FAIL, token)

    def stop(self):
        fcntl.ioctl(self.root, IOC_CATATONIC, 0)  # whoever waits is told, and the kernel closes its end
        os.close(self.root)
        while LIBC.umount2(str(self.target).encode(), MNT_DETACH) == 0:  # and what was mounted in front of it
            pass
        self.thread.join()
        os.close(self.pipe)


class OnDemand(Mounted):
    """Nothing is mounted until somebody looks."""

    def setUp(self):
        super().setUp()
        if 'autofs' not in pathlib.Path('/proc/filesystems').read_text().split():
            self.skipTest('this kernel has no autofs')
        self.content = self.place(pathlib.Path('/home/content'))
        (self.content / 'file').write_text('on demand')
        os.chown(self.content / 'file', 3001, 3001)

    def automount(self, target, kind):
        made = Automount(target, kind, self.content)
        self.addCleanup(made.stop)
        return made

    PROGRAM = 'tell(file=(pathlib.Path("%s") / "file").read_text(), write=attempt(open, "%s/file", "a"))'

    def assert_there(self, path):
        self.assertEqual(self.ask(self.PROGRAM % (path, path), 'mounted'), {'file': 'on demand', 'write': 'works'})

    def test_a_directory_is_mounted_as_the_user(self):
        for kind in ('direct', 'indirect'):
            with self.subTest(kind):
                place = self.place(HOME / 'data/later')
                automount = self.automount(place, kind)
                source = place / 'alice' if kind == 'indirect' else place
                self.profile(f'BindPaths={source}:/srv/later')
                self.assert_there('/srv/later')
                self.assertEqual(automount.asked, [('alice' if kind == 'indirect' else '', 3001)])
                # It is there now, and nobody is asked again.
                self.assert_there('/srv/later')
                self.assertEqual(len(automount.asked), 1)
                self.doCleanups()
                self.setUp()

    def test_a_file_in_it_is_found(self):
        automount = self.automount(self.place(HOME / 'data/later'), 'direct')
        self.profile('BindPaths=%h/data/later/file:/srv/file')
        self.assertEqual(self.ask('tell(file=open("/srv/file").read())', 'mounted'), {'file': 'on demand'})
        self.assertEqual(automount.asked, [('', 3001)])

    def test_a_home_is_mounted_as_its_user(self):
        (self.content / 'data').mkdir()
        automount = self.automount(HOME, 'direct')
        self.profile('ProtectHome=no')
        self.assert_there(HOME)
        self.assertEqual(automount.asked, [('', 3001)])

    def test_what_is_not_mounted_below_stays_what_it_is(self):
        place = self.place(HOME / 'data/later')
        automount = self.automount(place, 'direct')
        for files in ('ProtectHome=no', 'BindPaths=%h/data'):
            self.profile(files)
            facts = self.ask(f'''
line = next(l for l in open("/proc/self/mountinfo") if l.split()[4] == "{place}")
tell(own=open("{HOME}/data/own").read(), write=attempt(open, "{HOME}/data/own", "w"), type=line.split(" - ")[1].split()[0],
     suid="nosuid" in line)
(pathlib.Path("{HOME}/data/own")).write_text("alice")
''', 'mounted')
            self.assertEqual(facts, {'own': 'alice', 'write': 'works', 'type': 'autofs', 'suid': True})
        self.assertEqual(automount.asked, [])

    def test_what_is_mounted_below_is_mapped(self):
        place = self.place(HOME / 'data/later')
        for kind in ('direct', 'indirect'):
            automount = self.automount(place, kind)
            seen = place / 'alice' if kind == 'indirect' else place
            seen.mkdir(exist_ok=True)
            subprocess.run(['mount', '--bind', str(self.content), str(seen)], check=True)
            (self.content / 'deep').mkdir()
            subprocess.run(['mount', '--bind', str(self.content), str(seen / 'deep')], check=True)
            for target in (HOME, '/srv/home'):
                with self.subTest(kind, target=target):
                    self.profile('ProtectHome=no' if target == HOME else 'BindPaths=%h:/srv/home')
                    self.assert_there(f'{target}/{seen.relative_to(HOME)}')
                    self.assert_there(f'{target}/{seen.relative_to(HOME)}/deep')
            self.assertEqual(automount.asked, [])
            LIBC.umount2(f'{seen}/deep'.encode(), MNT_DETACH)
            LIBC.umount2(str(seen).encode(), MNT_DETACH)
            (self.content / 'deep').rmdir()
            self.doCleanups()
            self.setUp()
            place = self.place(HOME / 'data/later')

    def test_one_that_is_never_answered_ends_at_the_deadline(self):
        automount = self.automount(self.place(HOME / 'data/later'), 'direct')
        automount.answers = False
        self.profile('BindPaths=%h/data/later:/srv/later', '[Service]\nTimeoutStartSec=1s')
        self.refused()
        self.assertEqual(automount.asked, [('', 3001)])
        self.assertEqual([row for row in sandboxes().values() if row['state'] != 'failed'], [])


if __name__ == '__main__':
    main()
