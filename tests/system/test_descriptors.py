#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Descriptors that take their time to be closed stop nobody but whoever has sent them."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time

from common import (BUS, PATIENCE, ROOT, SystemTest, add_profile, broker_pid, busctl, launch, main, pids_of,
                    remove_profile, sandboxes, stop_all, wait_for)
from rawbus import bus_of

PROFILE = '[Access]\nAllowGroups=users\n[Exec]\nExecStart=%s\nStandardOutput=client\n[Service]\n%s'
LINGER = 2 * PATIENCE  # seconds: longer than anything here is waited for
LINGER_BUS = 1  # for dbus-daemon, which stands still meanwhile


def lingering(seconds):
    """A TCP socket with unsent data: closing it waits until the other end, which comes along, has taken them."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, seconds))
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(b'x' * 65536)
    near.setblocking(True)
    return near, far


class Fuse:
    """A file system with one file, whose server never answers when the file is closed."""

    INIT, LOOKUP, GETATTR, OPEN, FLUSH, RELEASE, FORGET = 26, 1, 3, 14, 25, 18, 2

    def __init__(self, directory):
        self.directory = directory
        self.flushed = 0
        self.device = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
        options = f'fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other'.encode()
        if ctypes.CDLL(None, use_errno=True).mount(b'test', os.fsencode(directory), b'fuse', 0, options) < 0:
            raise OSError(ctypes.get_errno(), 'mount')
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        # By force: whoever still waits for the server is let go.
        subprocess.run(['umount', '-f', '-l', self.directory], check=True)

    @staticmethod
    def attributes(node):
        mode, size = (0o40755, 0) if node == 1 else (0o100666, 1)
        return struct.pack('<6Q10I', node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 512, 0)

    def answer(self, code, node):
        if code == self.INIT:
            return struct.pack('<IIIIHHIIHHIIIIIIII', 7, 31, 0, 0, 1, 1, 4096, 1, 1, 0, *[0] * 8)
        if code == self.LOOKUP:
            return struct.pack('<QQQQII', 2, 0, 3600, 3600, 0, 0) + self.attributes(2)
        if code == self.GETATTR:
            return struct.pack('<QII', 3600, 0, 0) + self.attributes(node)
        if code == self.OPEN:
            return struct.pack('<QII', 1, 0, 0)
        return b'' if code == self.RELEASE else None

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                _, code, unique, node = struct.unpack_from('<IIQQ', os.read(self.device, 65536))
                if code == self.FLUSH:
                    self.flushed += 1
                elif code != self.FORGET:
                    body = self.answer(code, node)
                    os.write(self.device, struct.pack('<IiQ', 16 + len(body or b''), 0 if body is not None else -38,
                                                      unique) + (body or b''))


def is_closing(pid, looks=40):
    """Whether it stands in a call that closes something: at each look, as it closes what is its own in passing."""
    for _ in range(looks):
        stack = pathlib.Path(f'/proc/{pid}/stack').read_text(encoding='ascii')
        if not any(word in stack for word in ('fput', 'filp_', 'fuse_flush')):
            return False
        time.sleep(0.005)
    return True


class Descriptors(SystemTest):
    @classmethod
    def setUpClass(cls):
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        add_profile('brief', PROFILE % ('/usr/bin/sleep 1000', 'RuntimeMaxSec=1s\n'))
        add_profile('held', PROFILE % ('/usr/bin/sleep 1000', ''))
        add_profile('again', PROFILE % ('/usr/bin/sleep 1000', 'Restart=always\nRestartSec=0\n'))

    @classmethod
    def tearDownClass(cls):
        for name in 'brief', 'held', 'again':
            remove_profile(name)

    def setUp(self):
        launch('alice', 'sleep')  # from here on there is a keeper
        stop_all()
        self.keeper, = pids_of('immured-keeper')
        self.bus, self.children = bus_of('alice'), []
        self.addCleanup(self.bus.close)
        self.addCleanup(lambda: [os.waitpid(pid, 0) for pid in self.children])
        self.addCleanup(stop_all)

    def give(self, victim, send, seconds=LINGER):
        """send(fd) by processes that are gone when the victim goes on: so nobody else is left to close it."""
        near, far = lingering(seconds)
        self.addCleanup(far.close)
        os.kill(victim, signal.SIGSTOP)
        os.waitpid(self.give_one(send, near.detach, near.close), 0)
        if os.path.exists('/dev/fuse') and seconds == LINGER:
            os.makedirs('/run/hanging', exist_ok=True)
            fuse = Fuse('/run/hanging')
            self.addCleanup(fuse.close)
            # Its own end may wait for the server, too.
            self.children.append(self.give_one(send, lambda: os.open('/run/hanging/file', os.O_RDWR),
                                               lambda: None))
        os.kill(victim, signal.SIGCONT)

    @staticmethod
    def give_one(send, open_fd, forget):
        told, tell = os.pipe()
        forgotten, tell_forgotten = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(tell_forgotten)
            os.read(forgotten, 1)
            with contextlib.suppress(BrokenPipeError):
                send(open_fd())
            os.write(tell, b'.')
            os.kill(os.getpid(), signal.SIGKILL)
        forget()
        os.close(tell_forgotten)
        os.read(told, 1)
        for fd in told, tell, forgotten:
            os.close(fd)
        return pid

    def assert_keeper_keeps_its_word(self):
        """What the keeper does by the clock, and what it is asked to."""
        seen, done = [], threading.Event()

        def watch():
            while not done.wait(0.005):
                seen.append(is_closing(self.keeper))
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            id, _ = launch('alice', 'brief')
            wait_for('the end of its time', lambda: True in seen or sandboxes()[id]['state'] == 'failed')
            busctl('root', 'ResetFailed', 's', id)
        finally:
            done.set()
            watcher.join()
            self.assertFalse(any(seen), 'the keeper closes what a user has sent')

    def test_on_the_bus(self):
        pid = broker_pid()

        def send(fd):
            self.bus.send(BUS, ROOT, f'{BUS}.Manager', 'ListSandboxes', fds=[fd])
        self.give(pid, send, LINGER_BUS)
        root = bus_of('root')
        self.addCleanup(root.close)
        root.send(BUS, ROOT, f'{BUS}.Manager', 'ListSandboxes')
        answered = threading.Thread(target=root.wait_reply, daemon=True)
        answered.start()
        while answered.is_alive():
            self.assertFalse(is_closing(pid), 'the broker closes what a user has sent')
            time.sleep(0.005)
        # Root, too, may send none.
        self.assertEqual(root.call(BUS, ROOT, f'{BUS}.Manager', 'ListSandboxes', fds=[0])[0],
                         'org.freedesktop.DBus.Error.AccessDenied')

    def test_on_a_lease(self):
        for packet in 'SIGNAL=28', '', 'nonsense':
            error, id, lease = self.bus.launch_leased('held', [])
            self.assertIsNone(error, id)
            self.give(self.keeper, lambda fd: lease.send(packet, [fd]))
            lease.close()
            self.assert_keeper_keeps_its_word()
            busctl('alice', 'Stop', 's', id)

    def test_in_place_of_streams(self):
        for profile in 'held', 'again':
            for packet in 'STREAMS=stdout', 'STREAMS=stdin', 'STOP=1':
                error, id, lease = self.bus.launch_leased(profile, ['stdout'])
                self.assertIsNone(error, id)
                self.give(self.keeper, lambda fd: lease.send(packet, [fd]))
                self.assert_keeper_keeps_its_word()
                self.assertEqual(lease.wait('RESULT').get('RESULT'), 'setup')
                lease.close()

    def test_behind_streams(self):
        """Queued while nobody reads the lease yet, or ever."""
        for profile in 'held', 'again':
            for streams in True, False:
                null = os.open('/dev/null', os.O_RDWR)
                error, id, lease = self.bus.launch_leased(profile, ['stdout'])
                self.assertIsNone(error, id)
                if streams:
                    lease.send_streams({'stdout': null})
                else:
                    lease.send('STOP=1')
                self.give(self.keeper, lambda fd: lease.send('SIGNAL=28', [fd]))
                lease.close()
                os.close(null)
                self.assert_keeper_keeps_its_word()
                stop_all()


if __name__ == '__main__':
    main()
