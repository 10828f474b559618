#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The walls behind the mounts, through the whole road: filters on arguments, Landlock, labels."""

import ctypes
import os
import pathlib
import subprocess

from common import SystemTest, add_profile, immurectl, launch, main, remove_profile, run_as, sandbox_property, stop_all

SYSCTL = '/proc/sys/vm/memfd_noexec'
BASE = '''
[Access]
AllowGroups=users
Arguments=append
[Exec]
ExecStart=/usr/bin/python3
StandardInput=client
StandardOutput=client
StandardError=client
'''

# Each line of its output is a name and an error's name, or "works".
PROLOGUE = '''
import ctypes, errno, fcntl, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, call, *arguments):
    try:
        result = call(*arguments)
        error = ctypes.get_errno() if isinstance(result, int) and result < 0 else 0
    except OSError as e:
        error = e.errno
    print(name, errno.errorcode[error] if error else "works")
'''


def landlock_version():
    return ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)


class Walls(SystemTest):
    def setUp(self):
        self.added = set()

    def tearDown(self):
        super().tearDown()
        for name in self.added:
            remove_profile(name)

    def add(self, name, text):
        self.added.add(name)
        add_profile(name, BASE + text)

    def ask(self, profile, program, stdin=None):
        options = {'stdin': stdin} if stdin else {}
        done = immurectl('alice', 'run', profile, '-c', PROLOGUE + program, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


class Arguments(Walls):
    def test_calls_are_refused_by_their_arguments(self):
        self.add('picky', '''
[Security]
SystemCallArgumentFilter=ioctl:1==FIONREAD:EACCES kill:1==SIGUSR1:ESRCH
SystemCallArgumentFilter=socket:1&SOCK_NONBLOCK fcntl:1>=F_SETLEASE:EBUSY
''')
        facts = self.ask('picky', '''
r, w = os.pipe()
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
attempt("fionread", fcntl.ioctl, r, 0x541b, bytes(4))
attempt("fionread-high", lambda: libc.syscall(16 if os.uname().machine == "x86_64" else 29, r, ctypes.c_ulong(0x541b | 1 << 32), ctypes.create_string_buffer(4)))
attempt("fionbio", fcntl.ioctl, r, 0x5421, bytes(4))
attempt("usr1", os.kill, os.getpid(), signal.SIGUSR1)
attempt("winch", os.kill, os.getpid(), signal.SIGWINCH)
attempt("nonblock", lambda: libc.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0))
attempt("block", lambda: libc.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
attempt("lease", fcntl.fcntl, r, 1024, 0)
attempt("getfl", fcntl.fcntl, r, fcntl.F_GETFL)
''')
        self.assertEqual(facts, {
            'fionread': 'EACCES', 'fionread-high': 'EACCES', 'fionbio': 'works', 'usr1': 'ESRCH', 'winch': 'works',
            'nonblock': 'EPERM', 'block': 'works', 'lease': 'EBUSY', 'getfl': 'works'})

    def test_netlink_tells_of_the_own_network_and_changes_nothing(self):
        self.add('open', '')
        facts = self.ask('open', '''
import struct
def route(kind, flags, body):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.bind((0, 0))
    s.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
    answer = s.recv(65536)
    if struct.unpack_from("=H", answer, 4)[0] == 2:
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(error, os.strerror(error))
    return answer
link = struct.pack("=BxHiII", 0, 0, 1, 1, 1)
attempt("names", socket.if_nameindex)
attempt("list", lambda: str(route(18, 0x301, struct.pack("=BxHiII", 0, 0, 0, 0, 0))))
attempt("new", lambda: str(route(16, 0x605, link[:4] + bytes(12) + struct.pack("=HH8s", 12, 3, b"other"))))
attempt("down", lambda: str(route(16, 5, struct.pack("=BxHiII", 0, 0, 1, 0, 1))))
attempt("address", lambda: str(route(20, 0x605, struct.pack("=BBBBI", 2, 8, 0, 0, 1) + struct.pack("=HH4s", 8, 2, bytes([9, 9, 9, 9])))))
for protocol in range(1, 34):
    attempt(f"protocol-{protocol}", lambda: libc.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol))
''')
        self.assertEqual([facts.pop(name) for name in ('names', 'list')], ['works', 'works'], facts)
        self.assertEqual({facts.pop(name) for name in ('new', 'down', 'address')}, {'EPERM'}, facts)
        self.assertEqual(set(facts.values()), {'EPROTONOSUPPORT'}, facts)

    def test_the_own_group_is_among_the_groups(self):
        self.add('open', '')
        done = immurectl('alice', 'run', 'open', '-c', 'import os; print(os.getgroups(), os.getgid())')
        self.assertEqual(done.stdout, '[3001] 3001\n', done.stderr)

    def test_what_no_program_starts_without_stays(self):
        for item, text in (('write:0==7', 'cannot be refused'), ('nosuch:0==7', 'is no system call'),
                           ('ioctl:1==0x100000000', 'fewer bits')):
            with self.subTest(item):
                path = pathlib.Path('/etc/immured/profiles/wrong.profile')
                path.write_text(f'{BASE}\n[Security]\nSystemCallArgumentFilter={item}\n', encoding='utf-8')
                try:
                    done = run_as('root', 'immurectl', 'lint', str(path))
                finally:
                    path.unlink()
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(text, done.stdout + done.stderr)


class Memory(Walls):
    """What was written is not executed, on whatever way."""

    ATTEMPTS = '''
import mmap
code = bytes.fromhex("c3" if os.uname().machine == "x86_64" else "c0035fd6")
def executes(fd, how):
    if how == "mapped":
        address = libc.mmap(None, ctypes.c_size_t(4096), 5, 1, fd, ctypes.c_long(0))
        return -1 if address == -1 else 0
    if os.fork() == 0:
        try:
            os.execve(fd, ["true"], {})
        except OSError as e:
            os._exit(e.errno)
    status = os.waitstatus_to_exitcode(os.wait()[1])
    if status:
        raise OSError(status, os.strerror(status))
libc.mmap.restype = ctypes.c_ssize_t
for flags in 0, 1, 2, 8, 16:
    for how in "mapped", "executed":
        def memfd():
            fd = os.memfd_create("x", flags)
            os.write(fd, open("/usr/bin/true", "rb").read())
            fd2 = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
            os.close(fd)
            return executes(fd2, how)
        attempt(f"memfd-{flags}-{how}", memfd)
def mem(path):
    fd = os.open(path, os.O_RDWR)
    target = ctypes.cast(libc.getppid, ctypes.c_void_p).value
    os.pwrite(fd, os.pread(fd, 4, target), target)
attempt("mem", mem, "/proc/self/mem")
attempt("mem-thread", mem, f"/proc/self/task/{os.getpid()}/mem")
attempt("mem-pid", mem, f"/proc/{os.getpid()}/mem")
attempt("plain", lambda: os.close(os.memfd_create("x", 0)))
'''

    def attempts(self, settings):
        self.add('written', settings)
        facts = self.ask('written', self.ATTEMPTS)
        id, path = launch('alice', 'written', '-c', 'import time; time.sleep(60)')
        enforced = sandbox_property(path, 'Enforced')
        stop_all()
        return facts.pop('plain'), {name for name, value in facts.items() if value == 'works'}, enforced

    def test_neither_key_is_got_round(self):
        deny, no_exec = '[Security]\nMemoryDenyWriteExecute=yes\n', '[Files]\nNoExecPaths='
        for settings in (deny, no_exec + '/\nExecPaths=/usr', no_exec + '/home', deny + no_exec + '/home'):
            with self.subTest(settings):
                plain, works, enforced = self.attempts(settings)
                has_landlock = landlock_version() >= 2
                mapped = {name for name in works if name.endswith('mapped') and deny not in settings}
                self.assertEqual({name for name in works if has_landlock or 'memfd' in name} - mapped, set())
                self.assertEqual(plain, 'works' if os.path.exists(SYSCTL) and deny not in settings else 'EPERM')
                self.assertIn('memfd-noexec', enforced)
                self.assertEqual('proc-mem' in enforced, has_landlock)

    def test_a_kernel_that_cannot_gives_no_file_in_memory_at_all(self):
        if not os.path.exists(SYSCTL):
            self.skipTest('this kernel is one, and the test before has seen it')
        subprocess.run(['mount', '--bind', SYSCTL, SYSCTL], check=True)
        try:
            subprocess.run(['mount', '-o', 'remount,bind,ro', SYSCTL], check=True)
            plain, works, enforced = self.attempts('[Files]\nNoExecPaths=/home')
        finally:
            subprocess.run(['umount', SYSCTL], check=True)
        self.assertEqual(plain, 'EPERM')
        self.assertEqual({name for name in works if name.startswith('memfd')}, set())
        self.assertIn('memfd-noexec', enforced)

    def test_without_these_keys_nothing_is_missing(self):
        plain, works, enforced = self.attempts('')
        self.assertEqual(plain, 'works')
        self.assertTrue({'memfd-0-mapped', 'memfd-0-executed', 'mem', 'mem-pid'} <= works, works)
        self.assertNotIn('memfd-noexec', enforced)
        self.assertNotIn('proc-mem', enforced)


class Landlock(Walls):
    def test_status_tells_whether_it_stands(self):
        self.add('open', '')
        self.add('without', '[Security]\nLandlock=no\n')
        for profile, expected in (('open', landlock_version() >= 2), ('without', False)):
            _, path = launch('alice', profile, '-c', 'import time; time.sleep(60)')
            self.assertEqual('landlock' in sandbox_property(path, 'Enforced'), expected)

    def test_programs_work_behind_it(self):
        home = pathlib.Path('/home/alice/walls')
        home.mkdir(exist_ok=True)
        os.chown(home, 3001, 3001)
        self.add('open', '[Files]\nBindPaths=%h/walls\n')
        facts = self.ask('open', '''
import pathlib, subprocess, tempfile
os.chdir("walls")
attempt("mkdir", os.makedirs, "a/b")
attempt("write", pathlib.Path("a/file").write_text, "text")
attempt("rename", os.rename, "a/file", "a/b/file")
attempt("link", os.link, "a/b/file", "link")
attempt("truncate", os.truncate, "link", 2)
attempt("temporary", tempfile.TemporaryFile)
attempt("shell", subprocess.check_call, ["sh", "-c", "echo x >/dev/null && ls / >/tmp/list && cat /proc/self/status >/dev/null"])
attempt("init", os.kill, 1, 0)
''')
        self.assertEqual(set(facts.values()), {'works'}, facts)
        self.assertEqual((home / 'a/b/file').read_text(encoding='utf-8'), 'te')

    def test_a_stream_for_reading_is_not_reopened_for_writing(self):
        if landlock_version() < 2:
            self.skipTest('this kernel has no Landlock switched on')
        fifo = pathlib.Path('/home/alice/fifo')
        os.mkfifo(fifo)
        os.chmod(fifo, 0o666)
        self.add('open', '')
        self.add('without', '[Security]\nLandlock=no\n')
        program = 'attempt("read", os.open, "/proc/self/fd/0", os.O_RDONLY | os.O_NONBLOCK)\n' \
                  'attempt("write", os.open, "/proc/self/fd/0", os.O_WRONLY | os.O_NONBLOCK)'
        for profile, expected in (('open', 'EACCES'), ('without', 'works')):
            with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), 'rb') as stdin:
                self.assertEqual(self.ask(profile, program, stdin), {'read': 'works', 'write': expected})


class Labels(Walls):
    def test_a_label_without_its_module_is_refused(self):
        for key, value, layer, file in (
                ('AppArmorProfile', 'immured-test-none', 'apparmor', '/sys/module/apparmor/parameters/enabled'),
                ('SELinuxContext', 'system_u:system_r:web_t', 'selinux', '/sys/fs/selinux/enforce')):
            with self.subTest(key):
                if pathlib.Path(file).exists():
                    self.skipTest(f'this machine has {layer}')
                self.add('labelled', f'[Security]\n{key}={value}\n')
                self.assert_refused('LayerUnavailable', f'{layer}: ', launch, 'alice', 'labelled')
                self.add('labelled', f'[Security]\n{key}={value}\nDegrade={layer}\n')
                _, path = launch('alice', 'labelled', '-c', 'import time; time.sleep(60)')
                self.assertNotIn(layer, sandbox_property(path, 'Enforced'))
                stop_all()


if __name__ == '__main__':
    main()
