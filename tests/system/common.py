# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the system tests share: users, clients, waiting, and the state of the rig as something to compare."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import unittest

RIG = pathlib.Path(os.environ.get('IMMURED_RIG', '/run/rig'))
CGROUP = RIG / 'cgroup'
PROFILES = pathlib.Path('/etc/immured/profiles')
LIBEXEC = pathlib.Path('/usr/libexec/immured')
BUS, ROOT = 'org.immured.Broker1', '/org/immured/Broker1'
ERROR = BUS + '.Error.'
UIDS = {'root': 0, 'alice': 3001, 'bob': 3002, 'carol': 3003}

# Far more than anything here needs, so that no test depends on how fast the machine is.
PATIENCE = int(os.environ.get("P", 120))


def wait_for(what, condition):
    """The first true value of condition(); polling, as the other side is not ours to ask."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError(f'waited in vain for {what}')


def command_as(user, command):
    account = pwd.getpwnam(user)
    environment = ['env', '-i', f'HOME={account.pw_dir}', f'USER={user}', f'LOGNAME={user}', 'LANG=C.UTF-8',
                   'PATH=/usr/sbin:/usr/bin:/sbin:/bin']
    if user == 'root':
        return [*environment, *command]
    return ['setpriv', f'--reuid={account.pw_uid}', f'--regid={account.pw_gid}', '--init-groups', '--bounding-set=-all', '--',
            *environment, *command]


def run_as(user, *command, **options):
    options = {'capture_output': True, 'text': True, 'timeout': PATIENCE, 'stdin': subprocess.DEVNULL,
               'cwd': pwd.getpwnam(user).pw_dir} | options
    if 'input' in options:
        del options['stdin']
    return subprocess.run(command_as(user, command), **options)


def start_as(user, *command, **options):
    options = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE,
               'cwd': pwd.getpwnam(user).pw_dir} | options
    return subprocess.Popen(command_as(user, command), **options)


def immurectl(user, *arguments, **options):
    return run_as(user, 'immurectl', *arguments, **options)


class BusError(Exception):
    """An error reply: its name, where the client tells it, and its text."""

    def __init__(self, name, text):
        super().__init__(f'{name}: {text}')
        self.name, self.text = name, text


def busctl(user, method, signature='', *arguments, path=ROOT, interface='Manager'):
    """A call with busctl: the values of the reply."""
    if '.' not in interface:
        interface = f'{BUS}.{interface}'
    done = run_as(user, 'busctl', '--system', '--json=short', 'call', '--', BUS, path, interface, method,
                  *([signature, *map(str, arguments)] if signature else []))
    if done.returncode != 0:
        raise BusError(None, done.stderr.strip())
    return json.loads(done.stdout)['data'] if done.stdout.strip() else []


def gdbus(user, method, *arguments, path=ROOT, interface='Manager'):
    """A call with gdbus, which tells the error's name: the reply as text."""
    if '.' not in interface:
        interface = f'{BUS}.{interface}'
    done = run_as(user, 'gdbus', 'call', '--system', '--dest', BUS, '--object-path', path,
                  '--method', f'{interface}.{method}', '--', *map(str, arguments))
    if done.returncode != 0:
        match = re.search(r'GDBus\.Error:([\w.]+): (.*)', done.stderr, re.S)
        raise BusError(match[1], match[2].strip()) if match else AssertionError(done.stderr)
    return done.stdout.strip()


def launch(user, profile, *arguments):
    """Launches over the bus: (id, path)."""
    options = ['1', 'Arguments', 'as', len(arguments), *arguments] if arguments else ['0']
    return tuple(busctl(user, 'Launch', 'sa{sv}', profile, *options))


def sandbox_property(path, name, user='root'):
    value = busctl(user, 'Get', 'ss', BUS + '.Sandbox', name, path=path,
                   interface='org.freedesktop.DBus.Properties')[0]
    return value['data']


def sandboxes(user='root'):
    """{id: {profile, uid, instance, state, leader, path}} as the user sees them."""
    names = ('profile', 'uid', 'instance', 'state', 'leader', 'path')
    return {row[0]: dict(zip(names, row[1:])) for row in busctl(user, 'ListSandboxes')[0]}


def wait_for_launch(id):
    """
    Until whoever launched it has their answer. What the application says may come before, and so may its record; but
    the keeper answers one call after the other, and so does the broker.
    """
    wait_for('its run', lambda: sandboxes().get(id, {}).get('state') == 'running')
    busctl('root', 'GetProcesses', 's', id)


def stop_all():
    for id, row in sandboxes().items():
        with contextlib.suppress(BusError):
            busctl('root', 'ResetFailed' if row['state'] in ('failed', 'exited') else 'Stop', 's', id)
    wait_for('an end of all sandboxes', lambda: not sandboxes())


def broker_pid():
    # Empty for a moment while the rig starts another one.
    return int(wait_for("the broker's pid", (RIG / 'broker.pid').read_text))


def broker_is_there():
    done = subprocess.run(['busctl', '--system', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus',
                           'org.freedesktop.DBus', 'GetNameOwner', 's', BUS], capture_output=True)
    return done.returncode == 0


def restart_broker(how=signal.SIGKILL):
    """Ends the broker; the rig starts another one."""
    old = broker_pid()
    os.kill(old, how)
    wait_for('a new broker', lambda: broker_pid() != old and broker_is_there())


def add_profile(name, text):
    (PROFILES / f'{name}.profile').write_text(text)
    busctl('root', 'Reload')


def remove_profile(name):
    (PROFILES / f'{name}.profile').unlink()
    busctl('root', 'Reload')


def processes():
    """{pid: name} of everything but this test and what it runs."""
    found = {}
    for path in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            found[int(path.name)] = (path / 'comm').read_text().strip()
    return found


def pids_of(name):
    return sorted(pid for pid, comm in processes().items() if comm == name[:15])


def open_targets(pid):
    """What a process has open; what it closes meanwhile is left out."""
    targets = []
    for fd in pathlib.Path(f'/proc/{pid}/fd').iterdir():
        with contextlib.suppress(OSError):
            targets.append(os.readlink(fd))
    return targets


def open_files(pid):
    """The same by kind and with inode numbers left out, sorted."""
    return sorted(re.sub(r':\[\d+\]', '', target) for target in open_targets(pid))


def namespaces():
    found = set()
    # But for the network namespaces that a seed makes ahead, which it holds, and is in for a moment.
    seeds = pids_of('immured-seed')
    for path in (*pathlib.Path('/proc').glob('[0-9]*/ns/*'), *pathlib.Path('/proc').glob('[0-9]*/fd/*')):
        with contextlib.suppress(OSError):
            target = os.readlink(path)
            if int(path.parts[2]) in seeds and target.startswith('net:'):
                continue
            if re.fullmatch(r'(user|mnt|pid|ipc|uts|cgroup|net|time):\[\d+\]', target):
                found.add(target)
    return sorted(found)


def too_many_ahead():
    """Seeds that hold more than the host's network namespace and four new ones."""
    held = {pid: sum(kind == 'net' for kind in open_files(pid)) for pid in pids_of('immured-seed')}
    return {pid: n for pid, n in held.items() if n > 5}


def state():
    """Everything that a launch could leave behind."""
    busctl('root', 'Reload')  # lets go of the plans that the broker keeps for the next launch
    me = os.getpid()
    own = {me}
    for pid in processes():
        with contextlib.suppress(OSError, IndexError, ValueError):
            if int(pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(') ', 1)[1].split()[1]) in own:
                own.add(pid)
    return {
        'processes': sorted((pid, name) for pid, name in processes().items() if pid not in own),
        'mounts': pathlib.Path('/proc/self/mountinfo').read_text().splitlines(),
        'cgroups': sorted(str(p.relative_to(CGROUP.resolve())) for p in CGROUP.resolve().rglob('*') if p.is_dir()),
        'namespaces': namespaces(),
        'namespaces made ahead': too_many_ahead(),
        'files of the broker': open_files(broker_pid()),
        'files of keepers': [open_files(pid) for pid in pids_of('immured-keeper')],
        'IPC objects': [pathlib.Path(f'/proc/sysvipc/{kind}').read_text() for kind in ('msg', 'sem', 'shm')],
        'runtime files': sorted(str(p) for p in pathlib.Path('/run/immured').rglob('*')),
        'shared memory': sorted(os.listdir('/dev/shm')),
        'sandboxes': sorted(sandboxes()),
    }


class SystemTest(unittest.TestCase):
    """A test that ends with the rig as it was."""

    maxDiff = None

    def tearDown(self):
        stop_all()

    def assert_unchanged(self, before):
        """Nothing that was not there before; what is on its way out gets the time it needs."""
        end = time.monotonic() + 20
        while True:
            after = state()
            if after == before or time.monotonic() > end:
                break
            time.sleep(0.05)
        for what in before:
            self.assertEqual(before[what], after[what], what)

    def assert_refused(self, name, text, call, *arguments):
        """The call fails with this error (without the common prefix, if it is ours) and a text like this."""
        with self.assertRaises(BusError) as caught:
            call(*arguments)
        if caught.exception.name is not None:
            self.assertEqual(caught.exception.name, name if '.' in name else ERROR + name, caught.exception.text)
        self.assertRegex(caught.exception.text, text or '.')


class NotifySocket:
    """Plays the service manager's end of sd_notify(3)."""

    def __init__(self, path):
        self.path = path
        self.messages = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(path)
        self.socket.settimeout(0.05)
        # Whoever sends to a full queue waits, and a test that waits for him meanwhile would do so for ever.
        self.closing = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def close(self):
        self.closing = True
        self.reader.join()
        self.socket.close()
        os.unlink(self.path)

    def read(self):
        while not self.closing:
            self.receive()

    def receive(self):
        with contextlib.suppress(TimeoutError):
            while not self.closing:
                data, ancillary, _, _ = self.socket.recvmsg(65536, 1024)
                for _, kind, fds in ancillary:
                    if kind == socket.SCM_RIGHTS:
                        for fd in range(0, len(fds), 4):
                            os.close(int.from_bytes(fds[fd:fd + 4], sys.byteorder))
                self.messages.append(dict(line.split('=', 1) for line in data.decode().splitlines() if '=' in line))

    def wait(self, **fields):
        """The first message that is not yet taken with these fields; a value None stands for any."""
        def find():
            for i, message in enumerate(self.messages):
                if all(k in message and (v is None or re.fullmatch(v, message[k])) for k, v in fields.items()):
                    del self.messages[:i + 1]
                    return message
            return None
        return wait_for(f'notification {fields}', find)


class NotifyTest(SystemTest):
    """One of our daemons under a service manager that the test plays."""

    def start(self, name, *command, **environment):
        self.socket = NotifySocket(f'/run/{name}.notify')
        self.addCleanup(self.socket.close)
        self.daemon = subprocess.Popen(
            [LIBEXEC / name, *command], stdin=subprocess.DEVNULL,
            env={'PATH': '/usr/bin:/bin', 'NOTIFY_SOCKET': self.socket.path, **environment})
        self.addCleanup(self.end)

    def end(self):
        if self.daemon.poll() is None:
            self.daemon.kill()
        self.daemon.wait()


class Result(unittest.TestResult):
    """One line for each test, and at the end the figures."""

    def __init__(self):
        super().__init__()
        self.n_passed = self.n_failed = 0

    def addSuccess(self, test):
        self.n_passed += 1
        print(f'ok      {test._testMethodName}', flush=True)

    def say_failed(self, test, error):
        self.n_failed += 1
        name = getattr(test, '_testMethodName', str(test))
        print(f'FAILED  {name}\n{"".join(traceback.format_exception(*error))}', flush=True)

    def addFailure(self, test, error):
        self.say_failed(test, error)

    def addError(self, test, error):
        self.say_failed(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            print(f'in {subtest._subDescription()}:')
            self.say_failed(test, error)

    def addSkip(self, test, reason):
        print(f'skipped {test._testMethodName}: {reason}', flush=True)


def main():
    if not RIG.exists():
        sys.exit(f'usage: ./dev rig --profiles tests/system/profiles -- {sys.argv[0]} [TEST…]')
    module = sys.modules['__main__']
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(sys.argv[1:], module) if sys.argv[1:] else loader.loadTestsFromModule(module)
    result = Result()
    suite.run(result)
    print(f'{result.n_passed} passed, {result.n_failed} failed')
    sys.exit(1 if result.n_failed else 0)
