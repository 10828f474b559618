#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that are not all the user's: in groups which are none of theirs, shared by a group, and behind links."""

import json
import os
import pathlib
import shutil

from common import PROFILES, add_profile, immurectl, main, remove_profile, run_as
from test_files import IMAGES, owner
from test_isolation import Inside, PROLOGUE

# What somebody may do with files of groups that they are not in; run outside and inside, on trees that are the same.
FOREIGN = PROLOGUE + '''
import struct
os.umask(0o022)
top = pathlib.Path(sys.argv[1])
def write(name, flags=os.O_WRONLY):
    fd = os.open(top / name, flags, 0o664)
    try:
        os.write(fd, b"x")
    finally:
        os.close(fd)
def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
NAMED = acl((1, 6, 0xffffffff), (4, 4, 0xffffffff), (8, 6, os.getgid()), (16, 6, 0xffffffff), (32, 0, 0xffffffff))
tell(**{name: attempt(*call) for name, call in {
    "append": (write, "file", os.O_WRONLY | os.O_APPEND), "truncate": (os.truncate, top / "file", 0),
    "times": (os.utime, top / "file", (1, 1)), "mode": (os.chmod, top / "file", 0o640), "link": (os.link, top / "file", top / "linked"),
    "setgid": (os.chmod, top / "setgid", 0o2755), "setgid directory": (os.chmod, top / "other", 0o2775),
    "create": (write, "directory/new", os.O_CREAT | os.O_WRONLY), "mkdir": (os.mkdir, top / "directory/newer"),
    "rename": (os.rename, top / "directory/file", top / "directory/renamed"), "away": (os.rename, top / "moved", top / "directory/moved"),
    "inherit": (write, "shared/new", os.O_CREAT | os.O_WRONLY), "inherit directory": (os.mkdir, top / "shared/newer"),
    "inherit setgid": (os.open, top / "shared/s", os.O_CREAT | os.O_WRONLY, 0o2775),
    "unlink": (os.unlink, top / "gone"), "rmdir": (os.rmdir, top / "empty"), "mine": (os.chown, top / "mine", -1, os.getgid()),
    "acl": (os.setxattr, top / "acl", "system.posix_acl_access", NAMED),
    "xattr": (os.setxattr, top / "file", "user.x", b"1"),
    "group right": (write, "by-group"), "group read": (open, top / "bobs"), "group list": (os.listdir, top / "bobs-directory"),
    "group create": (write, "bobs-directory/new", os.O_CREAT | os.O_WRONLY), "give away": (os.chown, top / "own", -1, GAMES),
}.items()})
'''.replace('GAMES', '60')


class Foreign(Inside):
    """Files of the user's own in groups that are none of theirs."""

    def tree(self, name):
        top = pathlib.Path('/home/alice/data') / name
        top.mkdir()
        self.addCleanup(shutil.rmtree, top)
        os.chown(top, 3001, 3001)
        top.chmod(0o755)
        made = [(n, 3001, 60, 0o664) for n in ('file', 'setgid', 'gone', 'mine', 'moved', 'acl')]
        made += [('own', 3001, 3001, 0o644), ('by-group', 3001, 60, 0o060), ('bobs', 3002, 60, 0o660)]
        directories = [('directory', 3001, 60, 0o775), ('other', 3001, 60, 0o775), ('shared', 3001, 60, 0o2775), ('empty', 3001, 60, 0o700),
                       ('bobs-directory', 3002, 60, 0o770)]
        for path, uid, gid, mode in [*directories, *made, ('directory/file', 3001, 60, 0o664)]:
            (top / path).mkdir() if (path, uid, gid, mode) in directories else (top / path).write_text('')
            os.chown(top / path, uid, gid)
            (top / path).chmod(mode)
        return top

    def test_they_can_be_used_inside_as_outside(self):
        profile = (PROFILES / 'python.profile').read_text() + '[Security]\nRestrictSUIDSGID=no\n'
        for ambient in ('', 'CapabilityBoundingSet=CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_SETGID\n'):
            add_profile('foreign', profile + ambient)
            self.addCleanup(remove_profile, 'foreign')
            inside, outside = self.tree('inside'), self.tree('outside')
            there = run_as('alice', 'python3', '-I', '-c', FOREIGN, str(outside))
            here = immurectl('alice', 'run', 'foreign', *['-c', FOREIGN, str(inside)])
            self.assertEqual((there.returncode, here.returncode), (0, 0), (there.stderr, here.stderr))
            there, here = json.loads(there.stdout), json.loads(here.stdout)
            # A number that there is none of inside is no valid one, where outside it is one that alice may not give.
            self.assertEqual((there.pop('give away'), here.pop('give away')), ('EPERM', 'EINVAL'))
            self.assertEqual(here, there)
            self.assertEqual([here[name] for name in ('group right', 'group read', 'group list', 'group create')], ['EACCES'] * 4)
            state = {top: sorted((str(p.relative_to(top)), owner(p), os.getxattr(p, 'system.posix_acl_access') if p.name == 'acl' else b'')
                                 for p in top.rglob('*')) for top in (inside, outside)}
            self.assertEqual(state[inside], state[outside])
            self.doCleanups()

    def test_capabilities_do_not_count_for_them(self):
        text = (PROFILES / 'python.profile').read_text()
        names = 'CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_SETGID CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH'
        add_profile('foreign', f'{text}[Security]\nRestrictSUIDSGID=no\nCapabilityBoundingSet={names}\nAmbientCapabilities={names}\n'
                    'SystemCallFilter=@system-service\n')
        self.addCleanup(remove_profile, 'foreign')
        top = self.tree('capable')
        facts = self.ask(f'''
top = pathlib.Path("{top}")
tell(read=attempt(open, top / "bobs"), group=attempt(open, top / "by-group", "w"), gid=attempt(os.setgid, 60), groups=attempt(os.setgroups, [60]),
     setgid=attempt(os.chmod, top / "setgid", 0o2755), mode=oct((top / "setgid").stat().st_mode & 0o7777),
     give=attempt(os.chown, top / "own", -1, 60), seen=(top / "file").stat().st_gid)
''', 'foreign')
        self.assertEqual({facts[k] for k in ('read', 'group')}, {'EACCES'})
        self.assertNotIn('works', (facts['gid'], facts['groups'], facts['give']))
        self.assertEqual((facts['mode'], facts['seen']), ('0o755', 65534))

    def test_root_that_is_thrown_away(self):
        root = IMAGES / 'one'
        for name in ('usr', 'etc', 'var/mail'):
            (root / name).mkdir(parents=True)
        for name in ('bin', 'lib', 'lib64'):
            (root / name).symlink_to(f'usr/{name}')
        self.addCleanup(shutil.rmtree, IMAGES)
        (root / 'etc/shadow').write_text('secret')
        (root / 'var/mail/box').write_text('mail')
        for path in ('etc/shadow', 'var/mail', 'var/mail/box'):
            os.chown(root / path, 0, 42)
        facts = self.ask('tell(write=attempt(open, "/etc/shadow", "w"), make=attempt(os.mkdir, "/var/mail/x"), gone=attempt(os.unlink, "/var/mail/box"))',
                         'image-ephemeral')
        self.assertEqual(set(facts.values()), {'works'}, facts)
        self.assertEqual((root / 'etc/shadow').read_text(), 'secret')


class Links(Inside):
    """Root's are followed, and whoever made another is named."""

    def test_a_home_that_is_a_link_has_both_names(self):
        home, real = pathlib.Path('/home/bob'), pathlib.Path('/home/real/bob')
        real.parent.mkdir()
        home.rename(real)
        home.symlink_to(real)
        def put_back():
            home.unlink()
            real.rename(home)
            real.parent.rmdir()
        self.addCleanup(put_back)
        program = f'''
tell(own=open("{real}/data/own").read(), home=os.path.realpath(os.environ["HOME"]), real=os.path.realpath("{real}"),
     write=attempt(open, "{real}/data/new", "w"), others=os.listdir("{real.parent}"), made=attempt(open, "{real.parent}/x", "w"))
'''
        for profile, write in (('open', 'works'), ('home-ro', 'EROFS')):
            self.assertEqual(self.ask(program, profile, 'bob'), {'own': 'bob', 'home': str(home), 'real': str(home), 'write': write,
                                                                'others': ['bob'], 'made': 'EROFS'})

    def test_the_link_that_is_refused_is_named_with_its_owner(self):
        data = pathlib.Path('/home/alice/data')
        self.addCleanup(remove_profile, 'links')
        text = (PROFILES / 'home-ro.profile').read_text()
        for name, uid in (('users', 3001), ('roots', 0)):
            (data / name).symlink_to('/usr/share')
            self.addCleanup((data / name).unlink)
            os.lchown(data / name, uid, uid)
            whose = 'of user 3001' if uid else 'in a directory of user 3001'
            for line in (f'BindReadOnlyPaths=%h/data/{name}:/srv/x', f'BindReadOnlyPaths=%h/data/{name}/doc:/srv/x',
                         f'InaccessiblePaths=%h/data/{name}', f'ReadOnlyPaths=%h/data/{name}/doc'):
                with self.subTest(line):
                    add_profile('links', text + line + '\n')
                    done = immurectl('alice', 'run', 'links', '-c', 'pass')
                    self.assertEqual(done.returncode, 125)
                    self.assertIn(f'{data}/{name} is a symbolic link {whose}, which is not followed', done.stderr)


class Shared(Inside):
    def test_a_directory_of_a_project_as_the_manual_has_it(self):
        shared = pathlib.Path('/home/project')
        shared.mkdir()
        self.addCleanup(shutil.rmtree, shared)
        os.chown(shared, 0, 50)
        shared.chmod(0o2770)
        manual = (pathlib.Path(__file__).parents[2] / 'docs/immured.profile.5.scd.in').read_text()
        example = manual.partition('SupplementaryGroups=project')[2].partition('```')[0]
        text = (PROFILES / 'home-ro.profile').read_text().partition('[Files]')[0]
        add_profile('shared', f'{text}\n[Exec]\nSupplementaryGroups=staff{example.replace("/srv/project", "/home/project:/srv/project")}')
        self.addCleanup(remove_profile, 'shared')
        facts = self.ask('''
import shutil, subprocess
project = pathlib.Path("/srv/project")
(project / "file").write_text("x")
(project / "sub").mkdir()
git = subprocess.run(["git", "init", "-q", "--shared", str(project / "git")]).returncode if shutil.which("git") else 0
copied = subprocess.run(["cp", "-a", str(project / "sub"), str(project / "copy")]).returncode
tell(git=git, copied=copied, gids=sorted({p.stat().st_gid for p in project.rglob("*")}),
     modes={p: oct((project / p).stat().st_mode & 0o7777) for p in ("file", "sub", "copy")})
''', 'shared', 'bob')
        self.assertEqual(facts, {'git': 0, 'copied': 0, 'gids': [50], 'modes': {'file': '0o660', 'sub': '0o2770', 'copy': '0o2770'}})


if __name__ == '__main__':
    main()
