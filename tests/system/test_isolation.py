#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a program finds inside the walls, asked of the program itself and of the host."""

import json
import os
import pathlib
import pwd
import socket

from common import SystemTest, UIDS, immurectl, launch, main, sandbox_property, sandboxes, start_as

NAMESPACES = ('user', 'mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net')

# For programs that ask for errors by name.
PROLOGUE = '''
import ctypes, errno, json, os, pathlib, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(call, *arguments):
    """The result, or the error's name."""
    try:
        result = call(*arguments)
    except OSError as e:
        return errno.errorcode[e.errno]
    if isinstance(result, int) and result < 0:
        return errno.errorcode[ctypes.get_errno()]
    if hasattr(result, "close"):
        result.close()
    return "works"
def status(key, path="/proc/self/status"):
    return next(l.split(":", 1)[1].strip() for l in open(path) if l.startswith(key + ":"))
def tell(**facts):
    print(json.dumps(facts))
'''


class Inside(SystemTest):
    def ask(self, program, profile='python', user='alice'):
        """Runs a program in a sandbox: the facts it tells."""
        done = immurectl(user, 'run', profile, *['-c', PROLOGUE + program])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def setUp(self):
        for user in ('alice', 'bob', 'carol'):
            account = pwd.getpwnam(user)
            data = pathlib.Path(account.pw_dir) / 'data'
            data.mkdir(mode=0o700, exist_ok=True)
            (data / 'own').write_text(user)
            for path in (data, data / 'own'):
                os.chown(path, account.pw_uid, account.pw_gid)


class Ids(Inside):
    def test_own_ids_inside_and_nobody_elses_outside(self):
        for user in ('alice', 'bob'):
            facts = self.ask('tell(uid=os.getresuid(), gid=os.getresgid(), groups=os.getgroups(),'
                             ' map=open("/proc/self/uid_map").read().split(), setgroups=open("/proc/self/setgroups").read())',
                             user=user)
            self.assertEqual(facts['uid'], [UIDS[user]] * 3)
            self.assertEqual(facts['gid'], [UIDS[user]] * 3)
            self.assertLessEqual(set(facts['groups']), {UIDS[user]})
            self.assertEqual([facts['map'][0], facts['map'][2]], [str(UIDS[user]), '1'])
            self.assertEqual(facts['setgroups'].strip(), 'deny')

    def test_groups_of_the_profile_are_given_to_those_who_have_them(self):
        program = 'import grp\ntell(groups=[grp.getgrgid(g).gr_name for g in os.getgroups() if g != os.getgid()])'
        self.assertEqual(self.ask(program, 'groups', 'bob')['groups'], ['staff'])
        self.assertEqual(self.ask(program, 'groups', 'alice')['groups'], [])

    def test_two_users_never_share_an_id_outside(self):
        outside = {}
        for user in ('alice', 'bob'):
            _, path = launch(user, 'sleep')
            pid = sandbox_property(path, 'MainPID')
            outside[user] = os.stat(f'/proc/{pid}').st_uid
            self.assertGreaterEqual(outside[user], 524288)
        self.assertNotEqual(outside['alice'], outside['bob'])

    def test_self_maps_the_user_alone(self):
        facts = self.ask('tell(map=open("/proc/self/uid_map").read().split(), uid=os.getuid())', 'self')
        self.assertEqual(facts, {'map': ['3001', '3001', '1'], 'uid': 3001})

    def test_identity_maps_the_first_65536(self):
        facts = self.ask('tell(map=open("/proc/self/uid_map").read().split(), uid=os.getuid())', 'identity')
        self.assertEqual(facts, {'map': ['0', '0', '65536'], 'uid': 3001})

    def test_nobody_becomes_root(self):
        facts = self.ask('tell(setuid=attempt(os.setuid, 0), setgid=attempt(os.setgid, 0), groups=attempt(os.setgroups, [0]),'
                         ' keep=attempt(os.setuid, os.getuid()))')
        self.assertNotIn('works', (facts['setuid'], facts['setgid'], facts['groups']))


class Processes(Inside):
    def test_only_its_own_are_seen(self):
        facts = self.ask('tell(pids=[int(p) for p in os.listdir("/proc") if p.isdigit()], me=os.getpid(), parent=os.getppid(),'
                         ' session=os.getsid(0))')
        self.assertLessEqual(set(facts['pids']), {1, facts['me']})
        self.assertEqual(facts['parent'], 1)
        self.assertIn(facts['session'], (1, facts['me']))

    def test_every_namespace_is_its_own(self):
        _, path = launch('alice', 'sleep')
        pid = sandbox_property(path, 'MainPID')
        for name in NAMESPACES:
            self.assertNotEqual(os.readlink(f'/proc/{pid}/ns/{name}'), os.readlink(f'/proc/self/ns/{name}'), name)

    def test_kill_of_everybody_stays_inside(self):
        client = start_as('alice', 'bash', '-c', 'immurectl run python -c "import os; os.kill(0, 9); os.kill(-1, 9)"; echo alive')
        self.assertEqual(client.communicate()[0], b'alive\n')

    def test_user_outside_can_neither_signal_nor_trace(self):
        import subprocess
        _, path = launch('alice', 'sleep')
        pid = sandbox_property(path, 'MainPID')
        for command in (['kill', '-0', str(pid)], ['cat', f'/proc/{pid}/environ'], ['ls', f'/proc/{pid}/root/']):
            done = subprocess.run(['setpriv', '--reuid=alice', '--regid=alice', '--init-groups', '--', *command],
                                  capture_output=True)
            self.assertNotEqual(done.returncode, 0, command)

    def test_orphans_are_reaped_and_end_with_the_program(self):
        done = immurectl('alice', 'run', 'python', '-c', PROLOGUE + '''
import subprocess, time
subprocess.run(["/usr/bin/bash", "-c", "sleep 1000 & sleep 0.1 & exit"])
time.sleep(0.5)
tell(zombies=[p for p in os.listdir("/proc") if p.isdigit() and status("State", f"/proc/{p}/status").startswith("Z")])
''')
        self.assertEqual(json.loads(done.stdout), {'zombies': []})
        self.assertEqual(sandboxes(), {})

    def test_program_gets_three_descriptors(self):
        facts = self.ask('tell(fds=sorted(int(f) for f in os.listdir("/proc/self/fd")))')
        self.assertEqual(facts['fds'][:3], [0, 1, 2])
        self.assertLessEqual(len(facts['fds']), 4)  # the fourth lists the directory


class Files(Inside):
    def test_the_tree_is_small_and_read_only(self):
        facts = self.ask('''
tell(root=sorted(os.listdir("/")), home=os.listdir("/home"), own=os.listdir(os.environ["HOME"]),
     write={p: attempt(open, p + "/x", "w") for p in ("", "/usr", "/etc", "/usr/lib", "/proc/sys/kernel", "/dev", "/home")},
     tmp={p: attempt(open, p + "/x", "w") for p in ("/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"])})
''')
        self.assertLessEqual(set(facts['root']), {'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr', 'etc', 'proc', 'dev',
                                                  'tmp', 'var', 'run', 'home', 'sys', 'srv', 'mnt', 'opt', 'root', 'media',
                                                  'boot'})
        self.assertEqual(facts['home'], ['alice'])
        self.assertEqual(facts['own'], ['data'])
        self.assertNotIn('works', facts['write'].values(), facts['write'])
        self.assertEqual(set(facts['tmp'].values()), {'works'}, facts['tmp'])

    def test_bound_directory_is_the_users_on_both_sides(self):
        facts = self.ask('''
path = pathlib.Path(os.environ["HOME"]) / "data"
text = (path / "own").read_text()
(path / "new").write_text("from inside")
tell(text=text, owner=(path / "new").stat().st_uid)
''')
        self.assertEqual(facts, {'text': 'alice', 'owner': 3001})
        new = pathlib.Path('/home/alice/data/new')
        self.assertEqual((new.read_text(), new.stat().st_uid, new.stat().st_gid), ('from inside', 3001, 3001))

    def test_nothing_of_the_host_shines_through(self):
        pathlib.Path('/home/alice/secret').write_text('x')
        pathlib.Path('/tmp/visible').write_text('x')
        facts = self.ask('''
tell(**{p: attempt(open, p) for p in ("/home/alice/secret", "/home/bob/data/own", "/etc/shadow", "/etc/machine-id",
     "/etc/immured/profiles/python.profile", "/run/dbus/system_bus_socket", "/run/immured/keeper.sock", "/tmp/visible",
     "/proc/1/environ", "/proc/kcore", "/proc/sysrq-trigger", "/root/.bashrc", "/var/log/dpkg.log", "/sys/kernel/notes")})
''')
        self.assertNotIn('works', facts.values(), facts)

    def test_accounts_inside_are_root_the_user_and_nobody(self):
        facts = self.ask('''
import pwd, grp
tell(users=[e.pw_name for e in pwd.getpwall()], me=pwd.getpwuid(os.getuid())[:], groups=[e.gr_name for e in grp.getgrall()])
''')
        self.assertIn('alice', facts['users'])
        self.assertLessEqual(set(facts['users']), {'root', 'alice', 'nobody'})
        self.assertEqual(facts['me'][5], '/home/alice')
        self.assertNotIn('staff', facts['groups'])

    def test_no_setuid_program_and_no_device_works(self):
        facts = self.ask('''
tell(options={l.split()[4]: l.split()[5] for l in open("/proc/self/mountinfo")}, devices=sorted(os.listdir("/dev")))
''')
        for path, options in facts['options'].items():
            self.assertIn('nosuid', options.split(','), path)
            if not path.startswith('/dev/'):
                self.assertIn('nodev', options.split(','), path) if path not in ('/dev',) else None
        self.assertLessEqual(set(facts['devices']), {'null', 'zero', 'full', 'random', 'urandom', 'tty', 'fd', 'stdin',
                                                     'stdout', 'stderr', 'ptmx', 'pts', 'shm', 'mqueue', 'core'})

    def test_temporary_space_is_bounded(self):
        facts = self.ask('''
def fill():
    with open("/tmp/full", "wb") as f:
        for _ in range(65):
            f.write(bytes(1024 * 1024))
tell(fill=attempt(fill))
''')
        self.assertEqual(facts['fill'], 'ENOSPC')

    def test_keys_of_files_act(self):
        facts = self.ask('''
pathlib.Path("/tmp/program").write_text("#!/bin/sh\\n")
os.chmod("/tmp/program", 0o755)
def run(): os.execv("/tmp/program", ["program"])
tell(home=attempt(os.listdir, "/home/alice"), bound=open("/srv/data/own").read(),
     write=attempt(open, "/srv/data/x", "w"), scratch=attempt(open, "/srv/scratch/x", "w"),
     masked=attempt(os.listdir, "/usr/share/dbus-1"), execute=attempt(run),
     big=open("/srv/scratch/y", "wb", 0).write(bytes(2 * 1024 * 1024)))
''', 'tight')
        self.assertNotEqual(facts['home'], 'works')
        self.assertEqual((facts['bound'], facts['write'], facts['scratch']), ('alice', 'EROFS', 'works'))
        self.assertIn(facts['masked'], ('EACCES', 'EPERM'))
        self.assertEqual(facts['execute'], 'EACCES')
        self.assertLessEqual(facts['big'], 1024 * 1024)

    def test_user_cannot_bind_what_he_may_not_enter(self):
        # Root's rights open nothing for alice; what root would see is there.
        done = immurectl('alice', 'run', 'foreign-source')
        self.assertEqual(done.returncode, 125)
        self.assertRegex(done.stderr, '/home/carol/data.*Permission denied')

    def test_symlinks_of_the_user_lead_nowhere_new(self):
        data = pathlib.Path('/home/alice/data')
        data.rename('/home/alice/real')
        try:
            data.symlink_to('/home/carol/data')
            done = immurectl('alice', 'run', 'python', '-c', 'import os; print(os.listdir("/home/alice/data"))')
            # That carol's files would be hers inside, too, is another wall: it must not come to that.
            self.assertEqual((done.returncode, done.stdout), (125, ''), done.stderr)
        finally:
            data.unlink()
            pathlib.Path('/home/alice/real').rename(data)


class Network(Inside):
    def test_loopback_and_nothing_else(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            port = listener.getsockname()[1]
            facts = self.ask(f'''
server = socket.create_server(("127.0.0.1", 0))
tell(devices=[l.split(":")[0].strip() for l in open("/proc/self/net/dev") if ":" in l], host=attempt(socket.create_connection, ("127.0.0.1", {port}), 5),
     own=attempt(socket.create_connection, server.getsockname()))
''')
        self.assertEqual(facts, {'devices': ['lo'], 'host': 'ECONNREFUSED', 'own': 'works'})

    def test_abstract_sockets_of_the_host_are_out_of_reach(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind('\0immured-test')
            listener.listen()
            facts = self.ask('s = socket.socket(socket.AF_UNIX)\ntell(host=attempt(s.connect, "\\0immured-test"))')
        self.assertEqual(facts['host'], 'ECONNREFUSED')

    def test_families_are_restricted(self):
        program = 'tell(**{n: attempt(socket.socket, getattr(socket, n), socket.SOCK_DGRAM) for n in ' \
                  '("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG")})'
        facts = self.ask(program)
        self.assertEqual({n for n, v in facts.items() if v == 'works'}, {'AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK'})
        facts = self.ask(program, 'tight')
        self.assertEqual({n for n, v in facts.items() if v == 'works'}, {'AF_UNIX'})


class Rights(Inside):
    def test_no_capability_and_no_way_to_any(self):
        facts = self.ask('tell(**{k: status(k) for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", '
                         '"Seccomp")})')
        for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            self.assertEqual(int(facts[name], 16), 0, name)
        self.assertEqual((facts['NoNewPrivs'], facts['Seccomp']), ('1', '2'))

    def test_init_holds_nothing_either(self):
        _, path = launch('alice', 'sleep')
        lines = pathlib.Path(f'/proc/{sandbox_property(path, "Leader")}/status').read_text().splitlines()
        facts = dict(line.split(':\t', 1) for line in lines)
        for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            self.assertEqual(int(facts[name], 16), 0, name)
        self.assertEqual(facts['NoNewPrivs'], '1')
        self.assertGreaterEqual(int(facts['Uid'].split()[0]), 524288)

    def test_dangerous_system_calls_are_refused(self):
        facts = self.ask('''
calls = {"mount": 165, "umount2": 166, "pivot_root": 155, "ptrace": 101, "bpf": 321, "keyctl": 250, "add_key": 248,
         "io_uring_setup": 425, "perf_event_open": 298, "userfaultfd": 323, "init_module": 175, "kexec_load": 246,
         "reboot": 169, "swapon": 167, "open_by_handle_at": 304, "setns": 308, "move_mount": 429, "fsopen": 430}
tell(clone3=attempt(libc.syscall, 435, 0, 0), unshare=attempt(libc.unshare, 0x10000000),
     clone=attempt(libc.syscall, 56, 0x10000000 | 17, 0, 0, 0, 0),
     personality=attempt(libc.personality, 0x0008),
     **{n: attempt(libc.syscall, number, 0, 0, 0, 0, 0) for n, number in calls.items()})
''') if os.uname().machine == 'x86_64' else self.skipTest('numbers of another architecture')
        self.assertEqual(facts.pop('clone3'), 'ENOSYS')
        self.assertEqual({n: v for n, v in facts.items() if v not in ('EPERM', 'ENOSYS')}, {})

    def test_denied_call_gets_the_errno_of_the_profile(self):
        facts = self.ask('tell(kill=attempt(os.kill, os.getpid(), 0))', 'tight')
        self.assertEqual(facts['kill'], 'ENOLCK')

    def test_memory_is_not_writable_and_executable(self):
        program = '''
import mmap
def wx(): mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
tell(wx=attempt(wx))
'''
        self.assertEqual(self.ask(program, 'tight')['wx'], 'EPERM')
        self.assertEqual(self.ask(program, 'python')['wx'], 'works')

    def test_limits_are_the_usual_ones(self):
        facts = self.ask('import resource\ntell(files=resource.getrlimit(resource.RLIMIT_NOFILE), umask=os.umask(0),'
                         ' nice=os.nice(0), oom=open("/proc/self/oom_score_adj").read().strip())')
        self.assertEqual(facts['umask'], 0o077)
        self.assertEqual(facts['nice'], 0)
        self.assertEqual(facts['oom'], '0')


class Walls(Inside):
    """With every capability in its own user namespace, and system calls to use them, the walls still hold."""

    def test_mounts_are_locked(self):
        facts = self.ask('''
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MNT_DETACH = 1, 2, 4, 32, 4096, 2
def remount(path):
    return attempt(libc.mount, None, path, None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, None)
def own_namespace_first():
    libc.unshare(0x20000)
    return remount(b"/usr")
tell(capable=int(status("CapEff"), 16) >> 21 & 1,
     usr=remount(b"/usr"), root=remount(b"/"),
     usr_write=attempt(open, "/usr/x", "w"),
     umount={p: attempt(libc.umount2, p.encode(), MNT_DETACH) for p in
             ("/usr", "/proc", "/dev", "/usr/share/dbus-1", "/etc/passwd")},
     masked=attempt(os.listdir, "/usr/share/dbus-1"),
     proc=attempt(libc.mount, b"proc", b"/tmp", b"proc", 0, None),
     hostname=attempt(libc.sethostname, b"x", 1),
     suid=attempt(libc.mount, None, b"/tmp", None, MS_REMOUNT | MS_BIND, None),
     copy=own_namespace_first())
''', 'capable')
        self.assertEqual(facts['capable'], 1, 'this test needs CAP_SYS_ADMIN inside')
        self.assertIn(facts.pop('masked'), ('EACCES', 'EPERM'))
        flat = {**{k: v for k, v in facts.items() if isinstance(v, str)},
                **{f'umount {k}': v for k, v in facts['umount'].items()}}
        self.assertEqual({k: v for k, v in flat.items() if v == 'works'}, {})


if __name__ == '__main__':
    main()
