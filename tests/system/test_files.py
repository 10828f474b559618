#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a program can keep, write and execute: homes, state, roots of its own."""

import os
import pathlib
import random
import shutil
import stat
import subprocess
import unittest

from common import PROFILES, add_profile, busctl, gdbus, immurectl, launch, main, remove_profile, run_as, sandbox_property, sandboxes
from test_isolation import Inside

STATE, CACHE = pathlib.Path('/var/lib/immured'), pathlib.Path('/var/cache/immured')
IMAGES = pathlib.Path('/home/images')


def owner(path):
    st = path.lstat()
    return st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)


class Kept(Inside):
    """Directories that outlive a sandbox."""

    def setUp(self):
        super().setUp()
        for root in (STATE, CACHE):
            for path in root.iterdir():
                shutil.rmtree(path)

    def test_home_and_directories_are_there_again(self):
        write = '''
home = pathlib.Path(os.environ["HOME"])
paths = [home, *map(pathlib.Path, os.environ["STATE_DIRECTORY"].split(":")), pathlib.Path(os.environ["CACHE_DIRECTORY"]),
         pathlib.Path(os.environ["RUNTIME_DIRECTORY"])]
before = [(p / "mark").exists() for p in paths]
for p in paths:
    (p / "mark").write_text("x")
tell(before=before, paths=[str(p) for p in paths], owners=[[p.stat().st_uid, p.stat().st_gid] for p in paths],
     data=(home / "data/own").read_text(), file=(home / "one/file").read_text())
'''
        first = self.ask(write, 'kept')
        self.assertEqual(first['paths'], ['/home/alice', '/var/lib/kept', '/var/lib/kept--x', '/var/cache/kept', '/run/kept'])
        self.assertEqual(first['before'], [False] * 5)
        self.assertEqual(first['owners'], [[3001, 3001]] * 5)
        # What is bound into the home found a place there.
        self.assertEqual((first['data'], first['file']), ('alice', 'alice'))
        self.assertEqual(self.ask(write, 'kept')['before'], [True, True, True, True, False])
        # Each user has his own.
        self.assertEqual(self.ask(write, 'kept', 'bob')['before'], [False] * 5)

    def test_on_disk_they_are_the_users_below_directories_of_roots(self):
        self.ask('open("/var/lib/kept/file", "w")\nos.mkdir("/home/alice/directory", 0o755)\ntell()', 'kept')
        base = STATE / '3001'
        for path in (base, base / 'kept', base / 'kept/data', CACHE / '3001', CACHE / '3001/kept'):
            self.assertEqual(owner(path), (0, 0, 0o700), path)
        for path in (base / 'kept/home', base / 'kept/data/kept', CACHE / '3001/kept/data/kept'):
            self.assertEqual(owner(path), (3001, 3001, 0o700), path)
        self.assertEqual(owner(base / 'kept/data/kept/file')[:2], (3001, 3001))
        self.assertEqual(owner(base / 'kept/home/directory'), (3001, 3001, 0o700))
        self.assertEqual(owner(base / 'kept/home/data')[:2], (3001, 3001))
        # Nobody else learns what is there.
        for user in ('bob', 'alice'):
            self.assertNotEqual(run_as(user, 'ls', str(base)).returncode, 0)

    def test_ids_of_their_own_make_no_difference_on_disk(self):
        self.ask('open("/var/lib/kept/file", "w")\ntell(uid=os.stat("/var/lib/kept").st_uid)', 'kept-self')
        self.assertEqual(owner(STATE / '3001/kept-self/data/kept/file')[:2], (3001, 3001))

    def test_nothing_of_a_user_is_followed_or_taken_over(self):
        base = STATE / '3001/kept'
        canary = pathlib.Path('/home/carol/canary')
        canary.mkdir(exist_ok=True)
        self.addCleanup(canary.rmdir)
        os.chown(canary, 0, 0)

        def attempt():
            done = immurectl('alice', 'run', 'kept', '-c', 'pass')
            self.assertEqual((done.returncode, owner(canary), list(canary.iterdir())), (125, (0, 0, 0o755), []), done.stderr)
            shutil.rmtree(STATE / '3001') if not (STATE / '3001').is_symlink() else (STATE / '3001').unlink()

        # Only root could put these there: a mistake, and still no way through.
        for path in (STATE / '3001', base, base / 'home'):
            with self.subTest(link=path):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.symlink_to(canary)
                attempt()
        with self.subTest('directory of another user'):
            (base / 'home').mkdir(mode=0o700, parents=True)
            os.chown(base / 'home', 3002, 3002)
            attempt()
        with self.subTest('directory that others may write'):
            base.mkdir(parents=True)
            base.chmod(0o777)
            attempt()

    def test_links_in_a_kept_home_are_not_followed(self):
        # The application itself prepares the next launch's trap: a link where something of the profile's is mounted.
        self.ask('home = pathlib.Path(os.environ["HOME"])\nos.symlink("/usr", home / "x")\ntell()', 'kept')
        home = STATE / '3001/kept/home'
        (home / 'one/file').unlink()
        (home / 'one').rmdir()
        (home / 'one').symlink_to('/home/carol')
        done = immurectl('alice', 'run', 'kept', '-c', 'pass')
        self.assertEqual(done.returncode, 125)
        self.assertFalse(pathlib.Path('/home/carol/file').exists())

    def test_links_exchanged_during_launches_lead_nowhere(self):
        canary = pathlib.Path('/home/alice/canary')
        canary.mkdir(exist_ok=True)
        os.chown(canary, 3001, 3001)
        self.addCleanup(canary.rmdir)
        self.ask('tell()', 'kept')
        # One sandbox exchanges the directory that every launch of the profile needs, as fast as it can.
        id, _ = launch('alice', 'kept', '-c', '''
import itertools, os, shutil
os.chdir(os.environ["HOME"])
traps = [lambda: os.symlink("/home/alice/canary", "trap"), lambda: os.symlink("../../../../../../home/alice/canary", "trap"),
         lambda: os.mkdir("trap")]
for n, make in enumerate(itertools.cycle(traps)):
    make()
    if os.path.lexists("one"):
        os.rename("one", f"away{n}")
    try:
        os.rename("trap", "one")
    except OSError:  # a launch was faster
        os.unlink("trap") if os.path.islink("trap") else os.rmdir("trap")
    if os.path.islink(f"away{n}"):
        os.unlink(f"away{n}")
    else:
        shutil.rmtree(f"away{n}", ignore_errors=True)
''')
        codes = {immurectl('alice', 'run', 'kept', '-c', 'pass').returncode for _ in range(100)}
        self.assertEqual(sandboxes()[id]['state'], 'running')
        busctl('root', 'Stop', 's', id)
        self.assertLessEqual(codes, {0, 125})
        self.assertEqual(list(canary.iterdir()), [])

    def test_a_half_made_directory_is_made_whole(self):
        path = STATE / '3001/kept/data/kept'
        path.mkdir(parents=True, mode=0o700)
        for p in path.parents:
            if p == STATE:
                break
            p.chmod(0o700)
        self.ask('open("/var/lib/kept/file", "w")\ntell()', 'kept')
        self.assertEqual(owner(path), (3001, 3001, 0o700))


class Homes(Inside):
    def test_own_home_and_nobody_elses(self):
        program = '''
home = pathlib.Path(os.environ["HOME"])
tell(homes=os.listdir("/home"), own=(home / "data/own").read_text(), write=attempt(open, home / "data/new", "w"),
     uid=home.stat().st_uid)
'''
        self.assertEqual(self.ask(program, 'open'), {'homes': ['alice'], 'own': 'alice', 'write': 'works', 'uid': 3001})
        self.assertEqual(owner(pathlib.Path('/home/alice/data/new'))[:2], (3001, 3001))
        self.assertEqual(self.ask(program, 'home-ro'), {'homes': ['alice'], 'own': 'alice', 'write': 'EROFS', 'uid': 3001})


class System(Inside):
    def test_memory_holds_as_many_names_as_the_key_says(self):
        facts = self.ask('tell(**{p: [os.statvfs(p).f_blocks * os.statvfs(p).f_frsize, os.statvfs(p).f_files] for p in '
                         '("/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"])})')
        self.assertEqual(set(map(tuple, facts.values())), {(64 << 20, 64 << 10)}, facts)
        self.assertEqual(self.ask('tell(**{p: os.statvfs(p).f_files for p in ("/tmp", "/dev/shm", "/srv", "/opt")})', 'open'),
                         dict.fromkeys(('/tmp', '/dev/shm', '/srv', '/opt'), 4096))

    def test_full_is_usr_and_etc(self):
        facts = self.ask('''
tell(read_only={p: attempt(open, p + "/x", "w") for p in ("", "/usr", "/etc", "/usr/local", "/home")},
     writable={p: attempt(open, p + "/x", "w") for p in ("/opt", "/srv", "/var", "/run", "/mnt", "/tmp")},
     deep=attempt(os.makedirs, "/var/lib/a/b"), big=attempt(lambda: open("/opt/big", "wb", 0).write(bytes(3 << 20))) ,
     size=os.stat("/opt/big").st_size)
''', 'open')
        self.assertEqual(set(facts['read_only'].values()), {'EROFS'}, facts)
        self.assertEqual(set(facts['writable'].values()), {'works'}, facts)
        self.assertEqual(facts['deep'], 'works')
        self.assertLessEqual(facts['size'], 2 << 20)
        for path in ('/opt/x', '/srv/x', '/var/x', '/mnt/x'):
            self.assertFalse(os.path.exists(path), path)

    def test_proc_shows_what_the_profile_says(self):
        text = (PROFILES / 'home-ro.profile').read_text()
        self.addCleanup(remove_profile, 'proc')
        for value, options in (('invisible', {'hidepid=invisible'}), ('noaccess', {'hidepid=noaccess'}),
                               ('ptraceable', {'hidepid=ptraceable'}), ('default', set())):
            for subset in ('pid', 'all'):
                add_profile('proc', f'{text}ProtectProc={value}\nProcSubset={subset}\n')
                facts = self.ask('''
line = next(l for l in open("/proc/self/mountinfo") if l.split()[4] == "/proc")
tell(options=line.split(" - ")[1].split()[2].split(","), all=os.path.exists("/proc/meminfo"),
     masked=os.path.exists("/proc/kcore") and attempt(open, "/proc/kcore"), write=attempt(open, "/proc/sys/kernel/hostname", "w"),
     pids=[p for p in os.listdir("/proc") if p.isdigit()])
''', 'proc')
                self.assertEqual({o for o in facts['options'] if o.startswith(('hidepid', 'subset'))},
                                 options | ({'subset=pid'} if subset == 'pid' else set()))
                self.assertEqual(facts['all'], subset == 'all')
                self.assertIn(facts['masked'], (False, 'EACCES'))
                self.assertNotEqual(facts['write'], 'works')
                self.assertLessEqual(len(facts['pids']), 2)

    def test_execution_only_where_it_was_left(self):
        data = pathlib.Path('/home/alice/data')
        (data / 'bin').mkdir(exist_ok=True)
        for path in (data / 'no', data / 'bin/yes'):
            path.write_text('#!/bin/sh\nexit 7\n')
            path.chmod(0o755)
            os.chown(path, 3001, 3001)
        os.chown(data / 'bin', 3001, 3001)
        facts = self.ask('''
import subprocess
def run(path): return subprocess.run([path]).returncode
pathlib.Path("/tmp/own").write_text("#!/bin/sh\\n")
os.chmod("/tmp/own", 0o755)
for p in ("/tmp", "/var/tmp", "/dev/shm", "/run/user/3001"):
    assert os.statvfs(p).f_flag & os.ST_NOEXEC, p
tell(no=attempt(run, os.environ["HOME"] + "/data/no"), yes=run(os.environ["HOME"] + "/data/bin/yes"), tmp=attempt(run, "/tmp/own"),
     write=attempt(open, os.environ["HOME"] + "/data/bin/new", "w"))
''', 'noexec')
        self.assertEqual(facts, {'no': 'EACCES', 'yes': 7, 'tmp': 'EACCES', 'write': 'works'})

    def profile(self, name, files):
        head, _, _ = (PROFILES / 'noexec.profile').read_text().partition('[Files]')
        add_profile(name, f'{head}[Files]\n{files}')
        self.addCleanup(remove_profile, name)

    def test_what_loses_one_right_keeps_its_other_limits(self):
        self.profile('parts', '''
ProtectHome=read-only
TemporaryFileSystem=/srv/part/tmpfs
ReadOnlyPaths=/srv/part/tmpfs
NoExecPaths=/etc /usr/local /srv/part /home
''')
        facts = self.ask('''
def flags(path): return sorted(name for name in ("RDONLY", "NOEXEC") if os.statvfs(path).f_flag & getattr(os, "ST_" + name))
tell(**{path: flags("/" + path) for path in ("etc", "etc/ssl", "usr/local", "srv/part", "srv/part/tmpfs", "home")})
''', 'parts')
        self.assertEqual(facts, dict.fromkeys(facts, ['NOEXEC', 'RDONLY']))
        self.assertEqual(len(facts), 6)

    def test_mounts_of_the_hosts_below_what_is_changed(self):
        for path in ('/usr/local/share', '/usr/local/share/deep', '/usr/local/share/deep/deeper'):
            pathlib.Path(path).mkdir(exist_ok=True)
            subprocess.run(['mount', '-t', 'tmpfs', 'deep', path], check=True)
            self.addCleanup(subprocess.run, ['umount', path], check=True)
        for name, files, expected in (
                ('all', 'NoExecPaths=/usr/local\n', 'noexec'),
                ('below', 'NoExecPaths=/usr/local/share/deep\n', 'noexec'),
                ('covered', 'BindReadOnlyPaths=%h/data:/usr/local/share\n', 'not'),
                ('covered-below', 'BindReadOnlyPaths=%h/data:/usr/local/share/deep\n', 'not'),
                ('not-there', 'BindReadOnlyPaths=-/srv/nothing:/usr/local/share\nNoExecPaths=/usr/local/share\n', 'noexec'),
                ('masked', 'InaccessiblePaths=/usr/local/share/deep\n', 'not')):
            with self.subTest(name):
                self.profile(name, files)
                facts = self.ask('''
path = "/usr/local/share/deep/deeper"
tell(seen="not" if not os.path.ismount(path) else "noexec" if os.statvfs(path).f_flag & os.ST_NOEXEC else "exec")
''', name)
                self.assertEqual(facts['seen'], expected)

    def test_entries_in_any_order_and_number_are_one(self):
        """Pairs and triples of entries, some with several names of one place, or masked already for another reason."""
        data, doc = pathlib.Path('/home/alice/data'), '/usr/share/doc'
        (data / 'a/b').mkdir(parents=True)
        self.addCleanup(shutil.rmtree, data / 'a')
        for path in (data / 'a', data / 'a/b'):
            os.chown(path, 3001, 3001)
        awk = os.path.realpath('/usr/bin/awk')
        entries = [('InaccessiblePaths', path, hidden) for path, hidden in (
            ('/bin/true', '/usr/bin/true'), ('/usr/bin/true', '/usr/bin/true'), ('/bin/awk', awk), ('/usr/bin/awk', awk),
            ('/etc/alternatives', '/etc/alternatives'), ('/proc/interrupts', '/proc/interrupts'), ('/proc/sys/kernel', '/proc/sys/kernel'),
            ('/proc/sys', '/proc/sys'), ('%h/data', data), ('/home/alice/data/a', data / 'a'), ('%h/data/a/b', data / 'a/b'),
            ('-/home/alice/data/none', data / 'none'), ('/var/run/lock', '/run/lock'), ('/run', '/run'), (doc, doc))]
        entries += [('ReadOnlyPaths', '%h/data', None), ('ReadWritePaths', '%h/data/a', None), ('NoExecPaths', '%h/data/a/b', None),
                    ('ReadOnlyPaths', '/var/run/lock', None), ('NoExecPaths', '/usr/bin/awk', None), ('NoExecPaths', '/usr/share', None), ('ExecPaths', doc, None)]
        some = random.Random(11)
        combinations = [some.sample(entries, k) for k in (2, 3) for _ in range(16)]
        # Those that have been seen to get into each other's way.
        combinations += [[e for path in paths for e in entries if e[1] == path] for paths in (
            ('/bin/true', '/usr/bin/true'), ('/usr/bin/awk', '/etc/alternatives'), ('/etc/alternatives', '/bin/awk', '/usr/bin/awk'),
            ('/proc/interrupts', '/proc/interrupts'), ('/proc/sys', '/proc/sys/kernel'), ('/var/run/lock', '/run'), ('%h/data', '/home/alice/data/a'))]
        combinations.append([e for e in entries if e[:2] in (('NoExecPaths', '/usr/bin/awk'), ('InaccessiblePaths', '/etc/alternatives'))])
        head = (PROFILES / 'python.profile').read_text() + 'ProcSubset=all\n'
        self.addCleanup(remove_profile, 'several')
        for chosen in combinations:
            lines = [f'{key}={path}' for key, path, _ in chosen]
            with self.subTest(lines):
                add_profile('several', head + '\n'.join(lines) + '\n')
                facts = self.ask(f'''
tell(seen={{p: attempt(lambda: list(os.scandir(p)) and 0 if os.path.isdir(p) else open(p)) for p in {[str(h) for _, _, h in chosen if h]}}},
     masks=[l.split()[4] for l in open("/proc/self/mountinfo") if "/.nothing-" in l.split()[3]])
''', 'several')
                self.assertLessEqual(set(facts['seen'].values()), {'EACCES', 'ENOENT'}, facts)
                self.assertEqual(len(facts['masks']), len(set(facts['masks'])), facts)
                self.assertEqual(immurectl('root', 'lint', str(PROFILES / 'several.profile')).returncode, 0)

    def test_what_does_not_go_together_is_a_finding(self):
        head = (PROFILES / 'python.profile').read_text()
        self.addCleanup(remove_profile, 'several')
        for lines, key in (('ReadOnlyPaths=%h/data/a\nReadWritePaths=%h/data/a', 'ReadWritePaths'),
                           ('ReadWritePaths=/opt', 'ReadWritePaths'), ('StateDirectory=one one', 'StateDirectory'),
                           ('RuntimeDirectory=lock', 'RuntimeDirectory'), ('BindPaths=%h:/bin/x', None),
                           ('InaccessiblePaths=/dev/stdin', 'InaccessiblePaths'), ('InaccessiblePaths=/proc/self/mem', 'InaccessiblePaths')):
            with self.subTest(lines):
                (PROFILES / 'several.profile').write_text(f'{head}{lines}\n')
                done = immurectl('root', 'lint', str(PROFILES / 'several.profile'))
                self.assertEqual(done.returncode, 1, done.stdout)
                said = f'{head}{lines}'.count('\n') + 1
                self.assertIn(f'several.profile:{said}: {key}: ' if key else '[Files]: ', done.stdout)

    def test_file_system_without_idmap_is_named(self):
        data = pathlib.Path('/var/data')
        data.mkdir()
        os.chown(data, 3001, 3001)
        self.addCleanup(data.rmdir)
        self.assert_refused('LayerUnavailable', 'idmap: .*overlay.* /var/data', gdbus, 'alice', 'Launch', 'no-idmap', '{}')


class Roots(Inside):
    """RootDirectory=: a directory of the admin's as root."""

    def setUp(self):
        super().setUp()
        root = IMAGES / 'one'
        for name in ('usr', 'etc', 'opt/tool', 'var', 'private'):
            (root / name).mkdir(parents=True)
        for name in ('bin', 'lib', 'lib64'):
            (root / name).symlink_to(f'usr/{name}')
        (root / 'opt/tool/version').write_text('one')
        (root / 'etc/issue').write_text('image')
        (root / 'etc/passwd').write_text('intruder:x:3001:3001::/:/bin/sh\n')
        (root / 'etc/resolv.conf').symlink_to('../run/resolv.conf')
        (root / 'private').chmod(0o700)
        self.addCleanup(shutil.rmtree, IMAGES)
        self.root = root

    def listing(self):
        return sorted((str(p), p.lstat().st_mode, p.lstat().st_uid, p.lstat().st_mtime_ns) for p in self.root.rglob('*'))

    def test_the_directory_is_the_root_and_stays_as_it_was(self):
        before = self.listing()
        facts = self.ask('''
import pwd
tell(root=sorted(os.listdir("/")), version=open("/opt/tool/version").read(), issue=open("/etc/issue").read(),
     me=pwd.getpwuid(os.getuid()).pw_name, host=os.path.exists("/etc/ssl"), resolv=open("/etc/resolv.conf").read(),
     write={p: attempt(open, p + "/x", "w") for p in ("", "/opt", "/etc", "/usr")}, tmp=attempt(open, "/tmp/x", "w"),
     private=attempt(os.listdir, "/private"), home=os.listdir("/home"), mounts=open("/proc/self/mountinfo").read())
''', 'image')
        self.assertEqual(self.listing(), before)
        self.assertLessEqual({'bin', 'usr', 'etc', 'opt', 'proc', 'dev', 'tmp', 'run', 'home'}, set(facts['root']))
        self.assertFalse({'lower', 'upper', 'work', '.nothing-file'} & set(facts['root']))
        self.assertEqual((facts['version'], facts['issue'], facts['me'], facts['host'], facts['resolv'], facts['tmp']),
                         ('one', 'image', 'alice', False, '', 'works'))
        self.assertNotIn('works', facts['write'].values())
        self.assertEqual((facts['private'], facts['home']), ('EACCES', ['alice']))
        self.assertNotIn('/home/images', facts['mounts'])

    def test_ephemeral_root_is_the_applications_and_thrown_away(self):
        before = self.listing()
        program = '''
os.chmod("/etc/issue", 0o600)
first = open("/etc/issue").read()
tell(first=first, write=attempt(pathlib.Path("/etc/issue").write_text, "changed"), new=attempt(open, "/opt/new", "w"),
     gone=attempt(os.unlink, "/opt/tool/version"), root=attempt(os.mkdir, "/new"), usr=attempt(open, "/usr/x", "w"),
     etc=attempt(os.rename, "/opt/tool", "/opt/tools"),
     full=attempt(lambda: open("/big", "wb", 0).write(bytes(64 << 20)) < (16 << 20)), big=os.stat("/big").st_size)
'''
        for _ in range(2):
            facts = self.ask(program, 'image-ephemeral')
            big = facts.pop('big')
            facts.pop('full')
            self.assertIn(facts.pop('etc'), ('works', 'EXDEV'))
            self.assertEqual(facts, {'first': 'image', 'write': 'works', 'new': 'works', 'gone': 'works', 'root': 'works',
                                     'usr': 'EROFS'})
            self.assertLess(big, 16 << 20)
            self.assertEqual(self.listing(), before)

    def test_ephemeral_root_knows_the_ids_of_the_host_as_well(self):
        text = (PROFILES / 'image-ephemeral.profile').read_text()
        self.addCleanup(remove_profile, 'image-self')
        add_profile('image-self', f'{text}[Namespaces]\nPrivateUsers=self\n')
        facts = self.ask('tell(owner=os.stat("/opt/tool").st_uid, write=attempt(open, "/opt/tool/version", "w"))', 'image-self')
        self.assertEqual(facts, {'owner': 3001, 'write': 'works'})
        self.assertEqual((self.root / 'opt/tool/version').read_text(), 'one')

    def test_ephemeral_root_keeps_what_is_of_others(self):
        os.chown(self.root / 'opt/tool', 3002, 3002)
        facts = self.ask('tell(owner=os.stat("/opt/tool").st_uid, write=attempt(open, "/opt/tool/new", "w"))', 'image-ephemeral')
        self.assertNotIn(facts['owner'], (3001, 3002))
        self.assertNotEqual(facts['write'], 'works')

    def test_ephemeral_root_must_be_roots_alone(self):
        for path in (self.root, IMAGES):
            os.chown(path, 3001, 3001)
            self.assertNotEqual(immurectl('alice', 'run', 'image-ephemeral', '-c', 'pass').returncode, 0)
            os.chown(path, 0, 0)
        for mode in (0o777, 0o1777, 0o775):
            self.root.chmod(mode)
            self.assertRegex(immurectl('alice', 'run', 'image-ephemeral', '-c', 'pass').stderr, "root alone can change")

    def test_a_root_that_the_user_may_not_enter_is_refused(self):
        IMAGES.chmod(0o700)
        self.assertRegex(immurectl('alice', 'run', 'image', '-c', 'pass').stderr, '/home/images/one.*Permission denied')

    def test_links_of_the_directory_lead_nowhere(self):
        os.chown(self.root / 'opt', 3001, 3001)
        (self.root / 'tmp').symlink_to('/usr')
        os.lchown(self.root / 'tmp', 3001, 3001)
        self.assertEqual(immurectl('alice', 'run', 'image', '-c', 'pass').returncode, 125)

    def test_sandbox_reports_what_holds(self):
        id, path = launch('alice', 'image', '-c', 'import time; time.sleep(1000)')
        self.assertIn('read-only-root', sandbox_property(path, 'Enforced'))
        busctl('root', 'Stop', 's', id)
        _, path = launch('alice', 'image-ephemeral', '-c', 'import time; time.sleep(1000)')
        self.assertNotIn('read-only-root', sandbox_property(path, 'Enforced'))


class Usual(Inside):
    """Programs that look at /etc find what they need."""

    def shell(self, command, *options):
        done = immurectl('alice', 'run', 'shell', *options, '-c', command)
        self.assertEqual((done.returncode, done.stderr), (0, ''), (command, done.stdout, done.stderr))
        return done.stdout

    def test_id(self):
        self.assertEqual(self.shell('id'), 'uid=3001(alice) gid=3001(alice) groups=3001(alice)\n')
        self.assertEqual(self.shell('whoami; hostname; getent hosts localhost | tr -s " "').split('\n')[:2], ['alice', 'shell'])

    def test_login_shell(self):
        self.assertEqual(self.shell('shopt -q login_shell && echo "$HOME $USER"; cd; pwd', '--login').split(),
                         ['/home/alice', 'alice', '/home/alice'])

    @unittest.skipUnless(shutil.which('git'), 'git is not installed')
    def test_git(self):
        self.assertIn('first', self.shell('cd ~ && git init -q -b main r && cd r && git config user.name A && '
                                          'git config user.email a@b && git commit -q --allow-empty -m first && git log'))

    @unittest.skipUnless(os.path.isdir('/etc/ssl/certs') and os.listdir('/etc/ssl/certs'), 'no certificates are installed')
    def test_certificates(self):
        n = self.shell('python3 -c "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"')
        self.assertEqual(int(n) > 0, os.path.exists('/etc/ssl/certs/ca-certificates.crt'))

    def test_locale(self):
        self.assertIn('LC_CTYPE="POSIX"', self.shell('locale'))
        self.assertIn('C.utf8', self.shell('locale -a'))

    def test_time_zone_and_services(self):
        here = subprocess.run(['date', '+%Z'], capture_output=True, text=True, env={}).stdout
        self.assertEqual(self.shell('date +%Z'), here)
        if os.path.exists('/etc/services'):
            self.assertIn('80/tcp', self.shell('getent services http'))


if __name__ == '__main__':
    main()
