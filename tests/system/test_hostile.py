#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""Programs and users with bad intentions: what they reach for stays out of reach."""

import ctypes
import hashlib
import os
import pathlib
import select
import signal
import struct
import subprocess

from common import (BUS, ERROR, LIBEXEC, PATIENCE, ROOT, add_profile, busctl, immurectl, main, pids_of, remove_profile,
                    sandboxes, state, wait_for)
from rawbus import ERROR as DBUS_ERROR, REPLY, bus_of, launch_body, read_string
from test_flood import in_a_child_as, join
from test_isolation import Inside

HERE = pathlib.Path(__file__).resolve().parent
PROBE = pathlib.Path('/home/alice/hostile/hostile')
libc = ctypes.CDLL(None, use_errno=True)

CLIENT = 'StandardInput=client\nStandardOutput=client\nStandardError=client\n'
ACCESS = '[Access]\nAllowGroups=users\nMaxInstances=8\n'
PYTHON = ACCESS + 'Arguments=append\n[Exec]\nExecStart=/usr/bin/python3 -I\n' + CLIENT

# All that a profile can give: every capability, every call that a mount takes, a whole /proc, namespaces of its own.
EVERYTHING = '''[Namespaces]
RestrictNamespaces=no
[Files]
ProtectProc=default
ProcSubset=all
[Security]
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SYS_CHROOT CAP_DAC_OVERRIDE CAP_SETUID CAP_SETGID CAP_SYS_RESOURCE
AmbientCapabilities=CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SYS_CHROOT CAP_DAC_OVERRIDE CAP_SETUID CAP_SETGID CAP_SYS_RESOURCE
SystemCallFilter=@system-service @mount @setuid unshare setns chroot ptrace process_vm_readv process_vm_writev pidfd_getfd
'''


class Hostile(Inside):
    def add(self, name, text):
        add_profile(name, text)
        self.addCleanup(remove_profile, name)

    def assert_none_works(self, facts):
        self.assertEqual({k: v for k, v in facts.items() if v == 'works'}, {})


class Kernel(Hostile):
    def test_knobs_of_the_machine_cannot_be_turned(self):
        self.add('everything', PYTHON + EVERYTHING)
        facts = self.ask('''
knobs = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches",
         "/proc/sys/fs/binfmt_misc/register", "/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/mtrr",
         "/proc/irq/default_smp_affinity", "/proc/1/mem", "/proc/1/environ", "/proc/1/oom_score_adj",
         "/sys/fs/cgroup/release_agent", "/sys/kernel/uevent_helper", "/sys/power/state", "/dev/mem", "/dev/kmsg", "/dev/fuse"]
types = ["cgroup2", "cgroup", "sysfs", "securityfs", "debugfs", "tracefs", "binfmt_misc", "devtmpfs", "bpf", "efivarfs",
         "configfs", "fuse", "proc"]
def less_likely_victim():
    os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000")
tell(capable=int(status("CapEff"), 16) >> 21 & 1, victim=attempt(less_likely_victim),
     **{p: attempt(os.open, p, os.O_WRONLY) if "kcore" not in p else attempt(os.open, p, os.O_RDONLY) for p in knobs},
     **{"mount " + t: attempt(libc.mount, b"none", b"/tmp", t.encode(), 0, None) for t in types})
''', 'everything')
        self.assertEqual(facts.pop('capable'), 1)
        self.assert_none_works(facts)

    def test_hierarchy_of_control_groups_cannot_be_changed(self):
        self.add('everything', PYTHON + EVERYTHING)
        # From a user namespace of its own, with a group namespace of its own: where the hierarchy can be mounted at all, it
        # is the sandbox's own group that is seen, and that is root's.
        facts = self.ask('''
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUSER = 0x20000, 0x2000000, 0x10000000
uid = os.getuid()
names = attempt(libc.unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP)
pathlib.Path("/proc/self/setgroups").write_text("deny")
pathlib.Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
os.mkdir("/tmp/2"), os.mkdir("/tmp/1")
mounted = attempt(libc.mount, b"none", b"/tmp/2", b"cgroup2", 0, None)
first = attempt(libc.mount, b"none", b"/tmp/1", b"cgroup", 0, b"none,name=systemd")
def write(path, text):
    fd = os.open(path, os.O_WRONLY)
    os.write(fd, text)
files = {"cgroup.procs": b"0", "cgroup.kill": b"1", "cgroup.freeze": b"1", "cgroup.subtree_control": b"+pids", "pids.max": b"max",
         "memory.max": b"max", "../cgroup.procs": b"0", "../cgroup.kill": b"1"}
tell(names=names, mounted=mounted, mkdir=attempt(os.mkdir, "/tmp/2/own") if mounted == "works" else mounted,
     agent=attempt(write, "/tmp/1/release_agent", b"/tmp/x"), procs=attempt(write, "/tmp/1/cgroup.procs", b"0"),
     **{f: attempt(write, "/tmp/2/" + f, text) for f, text in files.items()})
''', 'everything')
        self.assertEqual(facts.pop('names'), 'works', 'this test needs namespaces inside')
        del facts['mounted']
        self.assert_none_works(facts)

    def test_terminal_commands_are_refused_however_wide_they_are(self):
        # On a pipe: what the filter lets through, the kernel answers with ENOTTY.
        facts = self.ask('''
import platform
number = {"x86_64": 16}.get(platform.machine(), 29)
r, w = os.pipe()
wide = [0, 1 << 32, 1 << 63, 0xffffffff << 32]
def command(code, high):
    arguments = ctypes.c_long(number), ctypes.c_long(r), ctypes.c_ulong(code | high), ctypes.c_char_p(b"x")
    return attempt(lambda: libc.syscall(*arguments))
tell(**{name: [command(code, high) for high in wide] for name, code in
        (("sti", 0x5412), ("linux", 0x541c), ("other", 0x540c))})
''')
        self.assertEqual(facts, {'sti': ['EPERM'] * 4, 'linux': ['EPERM'] * 4, 'other': ['ENOTTY'] * 4})


class Signals(Hostile):
    def test_init_is_not_stopped_from_inside(self):
        self.add('everything', PYTHON + EVERYTHING)
        done = immurectl('alice', 'run', 'everything', '-c', '''
import os, signal
for n in range(1, signal.NSIG):
    try:
        os.kill(1, n) if n not in (signal.SIGCHLD, signal.SIGCONT) else None
    except OSError:
        pass
os._exit(7)
''')
        # What init forwards, its application gets: the signals it has itself sent may end it, and nothing else.
        self.assertIn(done.returncode, (7, *range(129, 129 + signal.NSIG)), done.stderr)
        self.assertEqual(immurectl('alice', 'run', 'everything', '-c', 'import os; os.kill(1, 19); os._exit(7)').returncode, 7)


class Objects(Hostile):
    def test_shared_memory_and_queues_are_its_own(self):
        key, name = 0x1ABC0DE, b'/immured-canary'
        librt = ctypes.CDLL('librt.so.1', use_errno=True)
        memory = libc.shmget(key, 4096, 0o1666)
        queue, semaphores = libc.msgget(key, 0o1666), libc.semget(key, 1, 0o1666)
        self.assertNotIn(-1, (memory, queue, semaphores))
        self.addCleanup(lambda: (libc.shmctl(memory, 0, None), libc.msgctl(queue, 0, None), libc.semctl(semaphores, 0, 0)))
        canary = pathlib.Path('/dev/shm/immured-canary')
        canary.write_text('x')
        canary.chmod(0o666)
        self.addCleanup(canary.unlink)
        posix = librt.mq_open(name, os.O_CREAT | os.O_RDWR, 0o666, None)
        if posix >= 0:
            self.addCleanup(librt.mq_unlink, name)
            self.addCleanup(os.close, posix)
        self.add('mine', PYTHON + '[Namespaces]\nPrivateUsers=self\n')
        program = f'''
librt = ctypes.CDLL("librt.so.1", use_errno=True)
def posix(name, flags):
    fd = librt.mq_open(name, flags, 0o600, None)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "mq_open")
    os.close(fd)
tell(shm=attempt(libc.shmget, {key}, 4096, 0), msg=attempt(libc.msgget, {key}, 0), sem=attempt(libc.semget, {key}, 1, 0),
     file=attempt(os.open, "/dev/shm/immured-canary", os.O_RDONLY), mq=attempt(posix, {name}, os.O_RDONLY),
     ids=[l.split()[0] for l in open("/proc/sysvipc/shm").read().splitlines()[1:]] if os.path.exists("/proc/sysvipc/shm") else [],
     own=attempt(libc.shmget, {key}, 4096, 0o1600))
'''
        for profile in ('python', 'mine'):
            facts = self.ask(program, profile)
            self.assertEqual(facts.pop('own'), 'works')
            self.assertEqual(facts.pop('ids'), [])
            self.assertEqual(set(facts.values()), {'ENOENT'}, facts)

    def test_keys_of_the_user_are_not_found(self):
        # With the user's own id and all calls about keys. What its owner keeps outside is in nothing that is searched.
        add_key = {'x86_64': 248}.get(os.uname().machine, 217)

        def add():
            # Linked to the user's keyring, by the user.
            return libc.syscall(add_key, b'user', b'immured-canary', b'secret', 6, -4) > 0
        self.assertTrue(join(in_a_child_as('alice', add)))
        self.add('keys', PYTHON + '[Namespaces]\nPrivateUsers=self\n[Security]\n'
                 'SystemCallFilter=@system-service keyctl add_key request_key\n')
        program = f'''
add_key, request_key, keyctl = {add_key}, {add_key + 1}, {add_key + 2}
def search(ring):
    return attempt(libc.syscall, keyctl, 10, ring, b"user", NAME, 0)
NAME = b"immured-canary"
found = {{str(ring): search(ring) for ring in (-1, -2, -3, -4, -5)}}
found["request"] = attempt(libc.syscall, request_key, b"user", NAME, None, 0)
NAME = b"own"
libc.syscall(add_key, b"user", NAME, b"x", 1, -3)
tell(own=search(-3), found=found)
'''
        facts = self.ask(program, 'keys')
        self.assertEqual(facts['own'], 'works')
        self.assert_none_works(facts['found'])


class Launches(Hostile):
    """Programs of C, which start fast, and launches without a client each."""

    @classmethod
    def setUpClass(cls):
        PROBE.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(['gcc', '-O1', '-static', '-o', PROBE, HERE / 'hostile.c'], check=True)

    @classmethod
    def tearDownClass(cls):
        PROBE.unlink()
        PROBE.parent.rmdir()

    def oneshot(self, name, command, more=''):
        self.add(name, f'{ACCESS}[Exec]\nExecStart={command}\n[Service]\nType=oneshot\n[Files]\n'
                 f'BindReadOnlyPaths={PROBE.parent}\n{more}')

    def launch(self, bus, profile):
        """(name of the error or None, its text), when the program has ended."""
        error, body = bus.call(BUS, ROOT, BUS + '.Manager', 'Launch', 'sa{sv}', launch_body(profile, []))
        return error, read_string(body) if error else ''


class Program(Launches):
    def test_program_has_three_descriptors_from_its_first_instruction_on(self):
        self.add('census', f'{ACCESS}[Exec]\nExecStart={PROBE} fds\n{CLIENT}[Files]\nBindReadOnlyPaths={PROBE.parent}\n')
        for init in range(3):
            self.assertEqual(immurectl('alice', 'run', 'census').stdout.split(), ['0', '1', '2'])

    def test_program_of_the_init_is_out_of_reach(self):
        original = hashlib.sha256((LIBEXEC / 'immured-exec').read_bytes()).hexdigest()
        script = PROBE.parent / 'script'
        self.addCleanup(script.unlink)
        self.oneshot('exe', f'{PROBE} exe', EVERYTHING)
        self.oneshot('script', script, EVERYTHING)
        with bus_of('alice') as bus:
            for n in range(500):
                if n % 5:
                    self.assertEqual(self.launch(bus, 'exe'), (None, ''))
                    continue
                # An interpreter that is the program of whoever executes it.
                script.write_text(f'#!/proc/{("self", "1")[n % 2]}/exe\n')
                script.chmod(0o755)
                error, text = self.launch(bus, 'script')
                self.assertEqual(error, ERROR + 'SetupFailed')
                self.assertRegex(text, 'exec: .*(Permission denied|No such file)')
        self.assertEqual(sandboxes(), {}, 'whoever got through has exited with another status')
        held = [fd for pid in pids_of('immured-keeper') for fd in pathlib.Path(f'/proc/{pid}/fd').iterdir()
                if os.readlink(fd).startswith('/memfd:immured-exec')]
        self.assertNotEqual(held, [])
        self.assertEqual({hashlib.sha256(fd.read_bytes()).hexdigest() for fd in held}, {original})
        self.assertEqual(hashlib.sha256((LIBEXEC / 'immured-exec').read_bytes()).hexdigest(), original)

    TRAPS = ('/home/carol/canary', '../carol/canary', '/root/canary', '/proc/1/root/root/canary',
             '/proc/self/root/home/carol/canary', '/proc/self/cwd/../../home/carol/canary')

    def canaries(self):
        for path, owner in (('/home/carol/canary', 3003), ('/root/canary', 0)):
            directory = pathlib.Path(path)
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            (directory / 'secret').write_text('secret')
            os.chown(directory, owner, owner)
            self.addCleanup(directory.rmdir)
            self.addCleanup((directory / 'secret').unlink)

    def assert_canaries_are_alone(self):
        for path in ('/home/carol/canary', '/root/canary'):
            self.assertEqual(os.listdir(path), ['secret'])
        self.assertEqual(sandboxes(), {}, 'whoever saw a canary has exited with another status')

    def test_links_that_are_planted_lead_to_no_canary(self):
        self.canaries()
        self.oneshot('look', f'{PROBE} look /home/alice/data', 'BindPaths=%h/data\n')
        data, away = pathlib.Path('/home/alice/data'), pathlib.Path('/home/alice/away')
        data.rename(away)
        try:
            with bus_of('alice') as bus:
                for trap in self.TRAPS:
                    data.symlink_to(trap)
                    os.chown(data, 3001, 3001, follow_symlinks=False)
                    error, text = self.launch(bus, 'look')
                    self.assertEqual(error, ERROR + 'SetupFailed', f'{trap}: {text}')
                    data.unlink()
        finally:
            away.rename(data)
        self.assert_canaries_are_alone()

    def test_links_that_are_exchanged_during_launches_lead_to_no_canary(self):
        self.canaries()
        self.oneshot('look', f'{PROBE} look /home/alice/data', 'BindPaths=%h/data\n')
        stop, count = pathlib.Path('/home/alice/stop'), pathlib.Path('/home/alice/count')

        def exchange():
            os.chdir('/home/alice')
            for i, trap in enumerate(self.TRAPS):
                os.symlink(trap, f'trap{i}')
            n = 0
            while n < 2000 or not stop.exists():
                for i in range(len(self.TRAPS)):
                    # There and back, so that each of them meets launches.
                    for _ in range(2):
                        if libc.renameat2(-100, b'data', -100, b'trap%d' % i, 2) < 0:
                            return False
                        n += 1
            for i in range(len(self.TRAPS)):
                os.unlink(f'trap{i}')
            count.write_text(str(n))
            return True

        pid = in_a_child_as('alice', exchange)
        errors = set()
        try:
            with bus_of('alice') as bus:
                for _ in range(200):
                    errors.add(self.launch(bus, 'look')[0])
        finally:
            stop.touch()
            self.assertTrue(join(pid))
            stop.unlink()
        self.assertGreaterEqual(int(count.read_text()), 2000)
        count.unlink()
        self.assertLessEqual(errors, {None, ERROR + 'SetupFailed'})
        self.assertIn(ERROR + 'SetupFailed', errors, 'no launch met a trap')
        self.assert_canaries_are_alone()


class SilentServer:
    """A file system in user space, by the user's own doing, whose server takes every request and answers none.

    Open to others: one that is not, nobody but its user's own processes can wait for.
    """

    INIT = 26

    def __init__(self, path):
        self.path = path.encode()
        self.fd = os.open('/dev/fuse', os.O_RDWR | os.O_NONBLOCK)
        options = f'fd={self.fd},rootmode=40000,user_id=3001,group_id=3001,allow_other'.encode()
        if libc.mount(b'immured-test', self.path, b'fuse', 6, options) < 0:  # nosuid, nodev
            raise OSError(ctypes.get_errno(), 'mount of FUSE')
        # The first request is about the protocol alone; the kernel sends no other before its answer.
        select.select([self.fd], [], [], PATIENCE)
        request = os.read(self.fd, 1 << 17)
        _, opcode, unique = struct.unpack_from('<IIQ', request)
        assert opcode == self.INIT
        body = struct.pack('<IIIIHHIIHHI', 7, 31, 0, 0, 12, 9, 4096, 1, 0, 0, 0) + bytes(28)
        os.write(self.fd, struct.pack('<IiQ', 16 + len(body), 0, unique) + body)

    def is_asked(self):
        """Whether a request waits, which a killed process takes back."""
        return select.select([self.fd], [], [], PATIENCE)[0] != []

    def take(self):
        """Takes the request: from here on, its process cannot even be killed."""
        os.read(self.fd, 1 << 17)

    def close(self):
        libc.umount2(self.path, 2)  # at once, whoever waits
        os.close(self.fd)


class SilentHome(Launches):
    def setUp(self):
        super().setUp()
        self.add('home', ACCESS + '[Exec]\nExecStart=/usr/bin/sleep infinity\n[Files]\nBindPaths=%h/data\n'
                 '[Service]\nTimeoutStartSec=1s\n')
        self.add('patient', ACCESS + '[Exec]\nExecStart=/usr/bin/sleep infinity\n[Files]\nBindPaths=%h/data\n'
                 '[Service]\nTimeoutStartSec=infinity\n')
        # None of these touches the home of anybody.
        self.add('elsewhere', ACCESS + '[Exec]\nExecStart=/usr/bin/true\n[Service]\nType=oneshot\n')
        self.alice, self.bob = bus_of('alice'), bus_of('bob')
        self.addCleanup(self.alice.close)
        self.addCleanup(self.bob.close)
        for bus in (self.alice, self.bob):
            self.assertEqual(self.launch(bus, 'elsewhere'), (None, ''))
        self.before = state()
        self.server = SilentServer('/home/alice')
        self.closed = False

    def close(self):
        if not self.closed:
            self.server.close()
        self.closed = True

    def tearDown(self):
        self.close()
        super().tearDown()

    def ask(self, profile):
        """A launch that comes to the server."""
        bus = bus_of('alice')
        self.addCleanup(bus.close)
        bus.socket.settimeout(PATIENCE)
        bus.send(BUS, ROOT, BUS + '.Manager', 'Launch', 'sa{sv}', launch_body(profile, []))
        self.assertTrue(self.server.is_asked())
        return bus

    def assert_timed_out(self, bus):
        kind, values, body = bus.read()
        while kind not in (REPLY, DBUS_ERROR) or values.get(5) != bus.serial:
            kind, values, body = bus.read()
        self.assertEqual((kind, values.get(4)), (DBUS_ERROR, ERROR + 'SetupFailed'))
        self.assertIn('TimeoutStartSec=', read_string(body))
        bus.close()

    def assert_others_are_served(self):
        # The same user's launches too, as long as they have nothing to do with that home.
        for bus in (self.bob, self.alice) * 3:
            self.assertEqual(self.launch(bus, 'elsewhere'), (None, ''))

    def test_launch_ends_in_time_and_leaves_nothing(self):
        for _ in range(3):
            self.assert_timed_out(self.ask('home'))
        wait_for('their end', lambda: sandboxes() == {})
        self.close()
        self.assert_unchanged(self.before)

    def test_launch_that_cannot_be_killed_is_answered_all_the_same(self):
        self.add('lone', ACCESS.replace('MaxInstances=8', 'MaxInstances=1') + '[Exec]\nExecStart=/usr/bin/true\n'
                 '[Files]\nBindPaths=%h/data\n[Service]\nTimeoutStartSec=1s\n')
        bus = self.ask('lone')
        self.server.take()
        self.assert_timed_out(bus)
        # It is there until its server goes, and keeps its place.
        self.assertEqual(sandboxes()['lone.3001.1']['state'], 'stopping')
        self.assertEqual(self.launch(self.alice, 'lone')[0], ERROR + 'QuotaExceeded')
        self.assert_others_are_served()
        self.close()
        wait_for('its end', lambda: sandboxes()['lone.3001.1']['state'] == 'failed')
        busctl('root', 'ResetFailed', 's', 'lone.3001.1')
        self.assert_unchanged(self.before)

    def test_others_are_served_meanwhile(self):
        waiting = self.ask('patient')
        self.assert_others_are_served()
        self.assertEqual([row['state'] for row in sandboxes().values()], ['starting'])
        busctl('root', 'Stop', 's', 'patient.3001.1')
        self.assertEqual(sandboxes(), {})
        waiting.close()
        self.close()
        self.assert_unchanged(self.before)


if __name__ == '__main__':
    main()
