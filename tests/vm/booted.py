# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests on a booted machine share: clients and waiting as in the system tests, units, and witnesses."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'system'))

from common import (BUS, PATIENCE, PROFILES, ROOT, BusError, Result, busctl, command_as, immurectl,  # noqa: E402, F401
                    launch, pids_of, run_as, sandbox_property, sandboxes, start_as, stop_all, wait_for)

UIDS = {'root': 0, 'alice': 1000, 'bob': 1001, 'carol': 1002}
RELEASE = os.environ.get('VM_RELEASE')
CGROUPS = pathlib.Path('/sys/fs/cgroup')
CONFIGURATION = pathlib.Path('/etc/immured')

# Counts, and knows how long it was kept from counting; ends when there is something to read, with a status of its own.
COUNTER = '''
import select, sys, time
n, longest, last = 0, 0.0, time.monotonic()
while not select.select([0], [], [], 0.05)[0]:
    now = time.monotonic()
    n, longest, last = n + 1, max(longest, now - last), now
    print(n, flush=True)
print("longest", longest, flush=True)
sys.exit(42)
'''


def run(*command, **options):
    """Of root, with its output as text."""
    return subprocess.run(command, **{'capture_output': True, 'text': True, 'stdin': subprocess.DEVNULL,
                                      'timeout': PATIENCE * 2} | options)


def check(*command, **options):
    """The same; a failure is one of the test. Its standard output."""
    done = run(*command, **options)
    if done.returncode != 0:
        raise AssertionError(f'{command} ended with {done.returncode}: {done.stdout}{done.stderr}')
    return done.stdout


def systemctl(*arguments):
    return check('systemctl', *arguments)


def unit_property(unit, name):
    return systemctl('show', '--value', f'--property={name}', unit).strip()


def is_active(unit):
    return unit_property(unit, 'ActiveState') == 'active'


def broker_pid():
    return int(unit_property('immured.service', 'MainPID'))


def broker_answers():
    done = run('busctl', '--system', 'call', BUS, ROOT, 'org.freedesktop.DBus.Peer', 'Ping')
    return done.returncode == 0


def keeper_unit(user):
    return f'immured-user@{UIDS[user]}.service'


def slice_unit(user):
    return f'immured-{UIDS[user]}.slice'


def cgroup(path_or_unit):
    """The directory of a sandbox, by its object's path, or of a unit."""
    if path_or_unit.startswith('/'):
        return CGROUPS / sandbox_property(path_or_unit, 'ControlGroup').lstrip('/')
    return CGROUPS / unit_property(path_or_unit, 'ControlGroup').lstrip('/')


def fields(path):
    """{name: number} of a file such as memory.events."""
    return {name: int(value) for name, value in (line.split() for line in path.read_text().splitlines())}


def configure():
    """The tests' profiles and settings, and a broker that has read them."""
    PROFILES.mkdir(parents=True, exist_ok=True)
    for profile in (HERE / 'profiles').glob('*.profile'):
        shutil.copy(profile, PROFILES)
    (CONFIGURATION / 'immured.conf').write_text('[Users]\nLaunchRateBurst=100000\n')
    systemctl('start', 'immured.socket', 'immured.service')
    systemctl('reload', 'immured.service')


@contextlib.contextmanager
def drop_in(unit, text):
    """A unit's settings, changed for a while."""
    path = pathlib.Path(f'/run/systemd/system/{unit}.d/test.conf')
    path.parent.mkdir(parents=True)
    path.write_text(text)
    systemctl('daemon-reload')
    try:
        yield
    finally:
        shutil.rmtree(path.parent)
        systemctl('daemon-reload')


class BootedTest(unittest.TestCase):
    """A test with the broker running, which leaves no sandbox behind."""

    maxDiff = None
    boot = 1  # from one start of the machine to the next; a file with more says boots=N in its "# vm:" line

    @classmethod
    def setUpClass(cls):
        configure()

    def tearDown(self):
        stop_all()

    def profile(self, name, text):
        """One more, for this test."""
        path = PROFILES / f'{name}.profile'
        path.write_text(text)
        systemctl('reload', 'immured.service')
        self.addCleanup(lambda: (path.unlink(), systemctl('reload', 'immured.service')))

    def python(self, user, program, **options):
        """A client of a sandbox with this program."""
        client = start_as(user, 'immurectl', 'run', 'python', program, **options)
        self.addCleanup(self.finish, client)
        return client

    @staticmethod
    def finish(client):
        if client.poll() is None:
            client.terminate()
        client.communicate(timeout=PATIENCE)

    @contextlib.contextmanager
    def undisturbed(self, user='alice'):
        """A sandbox that counts all the while, and a client that must miss nothing of it, not even its end."""
        before = set(sandboxes())
        inside = Counting(command_as(user, ['immurectl', 'run', 'python', COUNTER]))
        outside = Counting([sys.executable, '-I', '-c', COUNTER])
        try:
            id, = set(sandboxes()) - before
            names = ('InvocationID', 'MainPID', 'Leader', 'Timestamp', 'ControlGroup')
            path = sandboxes()[id]['path']
            known = {name: sandbox_property(path, name) for name in names}
            yield id
            self.assertTrue(broker_answers())
            wait_for('the keeper', lambda: id in sandboxes())
            self.assertEqual(known, {name: sandbox_property(path, name) for name in names})
            self.assertEqual(sandboxes()[id]['state'], 'running')
            seen = inside.count()
            wait_for('another count', lambda: inside.count() > seen)
        finally:
            inside.end()
            outside.end()
        self.assertEqual(inside.numbers, list(range(1, len(inside.numbers) + 1)))
        self.assertEqual(inside.status, 42, inside.errors)
        # What stops the whole machine for a while stops the counter outside, too.
        self.assertLess(inside.longest, max(2.0, 4 * outside.longest))


class Counting:
    """A COUNTER, and somebody who reads along."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd='/')
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        wait_for('the first counts', lambda: len(self.lines) > 3 or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise AssertionError(self.process.stderr.read().decode())

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode())

    def count(self):
        return len(self.lines)

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(b'\n')
            self.process.stdin.flush()
        self.status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.errors = self.process.stderr.read().decode()
        for stream in self.process.stdin, self.process.stdout, self.process.stderr:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self.numbers = [int(line) for line in self.lines if line.strip().isdigit()]
        found = [line.split()[1] for line in self.lines if line.startswith('longest ')]
        self.longest = float(found[0]) if found else float('inf')


def classes(module, boot):
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == module.__name__:
            if getattr(value, 'boot', 1) == boot:
                yield value


def main():
    """Runs the tests of this boot, or those named."""
    if not RELEASE:
        sys.exit(f'usage: ./dev vm -- python3 tests/vm/{pathlib.Path(sys.argv[0]).name} [CLASS[.TEST]…]')
    module, loader = sys.modules['__main__'], unittest.defaultTestLoader
    if sys.argv[1:]:
        suite = loader.loadTestsFromNames(sys.argv[1:], module)
    else:
        suite = unittest.TestSuite(map(loader.loadTestsFromTestCase, classes(module, int(os.environ['VM_BOOT']))))
    result = Result()
    suite.run(result)
    print(f'{result.n_passed} passed, {result.n_failed} failed', flush=True)
    sys.exit(1 if result.n_failed else 0)
