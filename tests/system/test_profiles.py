#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""Profiles: strictness, all findings at once, one bad file hides no good one; the plan and its hash."""

import json
import os
import pathlib
import re

from common import (PROFILES, BusError, SystemTest, add_profile, busctl, gdbus, immurectl, launch, main, remove_profile,
                    sandboxes, sandbox_property)

GOOD = '[Access]\nAllowGroups=users\n\n[Exec]\nExecStart=/usr/bin/true\n'

# What is wrong, the text, and what the finding says.
BAD = [
    ('unknown key', GOOD + 'NoSuchKey=1\n', r':6: NoSuchKey: '),
    ('unknown section', GOOD + '[NoSuchSection]\nKey=1\n', r'NoSuchSection'),
    ('scalar given twice', GOOD + 'Nice=1\nNice=2\n', r':7: Nice: '),
    ('value out of range', GOOD + 'Nice=99\n', r':6: Nice: '),
    ('not a boolean', GOOD + '[Security]\nLockPersonality=perhaps\n', r':7: LockPersonality: '),
    ('not a size', GOOD + '[Resources]\nMemoryMax=12Q\n', r':7: MemoryMax: '),
    ('order of limits', GOOD + '[Resources]\nMemoryHigh=2G\nMemoryMax=1G\n', r'Memory'),
    ('relative program', '[Exec]\nExecStart=true\n', r':2: ExecStart: '),
    ('no program', '[Access]\nAllowGroups=users\n', r'ExecStart'),
    ('two programs', GOOD + 'ExecStart=/usr/bin/false\n', r'ExecStart'),
    ('unknown specifier', GOOD + '[Files]\nBindPaths=%y/x\n', r'BindPaths'),
    ('path with ..', GOOD + '[Files]\nBindPaths=/srv/../etc\n', r'BindPaths'),
    ('source that leads out', GOOD + '[Files]\nBindReadOnlyPaths=/run/dbus\n', r':7: BindReadOnlyPaths: .*leads out'),
    ('device as a file', GOOD + '[Files]\nBindPaths=/dev/kvm\n', r':7: BindPaths: .*leads out'),
    ('terminal as a device', GOOD + '[Files]\nDeviceAllow=/dev/ptmx\n', r':7: DeviceAllow: .*leads out'),
    ('a home that is kept and another', GOOD + '[Files]\nPersistentHome=yes\nProtectHome=no\n', r':7: PersistentHome: '),
    ('key of a later version', GOOD + '[Files]\nRootImage=/x\n', r':7: RootImage: '),
    ('unknown system call group', GOOD + '[Security]\nSystemCallFilter=@no-such-group\n', r'SystemCallFilter'),
    ('unknown capability', GOOD + '[Security]\nCapabilityBoundingSet=CAP_NO_SUCH\n', r':7: CapabilityBoundingSet: '),
    ('indented line', GOOD + '  Nice=1\n', r':6: '),
    ('line without =', GOOD + 'Nice\n', r':6: '),
    ('very long line', GOOD + 'Environment=A=' + 'x' * 70000 + '\n', r':6: '),
    ('long line that is two keys to a careless reader', GOOD + 'Environment=A=' + 'x' * 184 + 'Nice=1\nNice=2\nNice=3\n',
     r'Nice'),
    ('NUL', GOOD + 'Environment=A=\0\n', r':6: '),
    ('bad UTF-8', GOOD.encode() + b'Environment=A=\xff\n', r':6: '),
    ('inheritance in a circle', '[Profile]\nInherits=bad\n' + GOOD, r'Inherits'),
    ('inherits what is not there', '[Profile]\nInherits=no-such\n' + GOOD, r':2: Inherits: '),
]


class Strict(SystemTest):
    def write(self, text, name='bad'):
        path = PROFILES / f'{name}.profile'
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def tearDown(self):
        (PROFILES / 'bad.profile').unlink(missing_ok=True)
        busctl('root', 'Reload')
        super().tearDown()

    def test_lint_names_file_line_and_key(self):
        for what, text, finding in BAD:
            with self.subTest(what):
                path = self.write(text)
                done = immurectl('root', 'lint', str(path))
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertRegex(done.stdout + done.stderr, re.escape(str(path)) + '.*' + finding)

    def test_all_findings_come_at_once(self):
        path = self.write(GOOD + 'NoSuchKey=1\nNice=99\n[Resources]\nMemoryMax=12Q\n')
        done = immurectl('root', 'lint', str(path))
        for line in (6, 7, 9):
            self.assertIn(f'{path}:{line}: ', done.stdout + done.stderr)

    def test_good_file_passes(self):
        self.assertEqual(immurectl('root', 'lint', str(self.write(GOOD))).returncode, 0)

    def test_bad_profile_hides_no_good_one(self):
        before = {row[0] for row in busctl('root', 'ListProfiles')[0]}
        for what, text, _ in BAD:
            with self.subTest(what):
                self.write(text)
                busctl('root', 'Reload')
                self.assertLessEqual(before, {row[0] for row in busctl('root', 'ListProfiles')[0]} | {'bad'})
                with self.assertRaises(BusError):
                    launch('root', 'bad')
                id, _ = launch('alice', 'sleep')
                busctl('alice', 'Stop', 's', id)

    def test_refused_profile_shows_its_error(self):
        path = self.write(GOOD + 'Nice=99\n')
        busctl('root', 'Reload')
        object_path = busctl('root', 'GetProfile', 's', 'bad')[0]
        value = busctl('root', 'Get', 'ss', 'org.immured.Broker1.Profile', 'LoadError', path=object_path,
                       interface='org.freedesktop.DBus.Properties')[0]['data']
        self.assertIn(f'{path}:6: Nice', ' '.join(value))

    def test_files_that_others_could_have_written_are_refused(self):
        path = self.write(GOOD)
        for mode, owner in ((0o664, 0), (0o646, 0), (0o644, 3001)):
            os.chmod(path, mode)
            os.chown(path, owner, 0)
            busctl('root', 'Reload')
            with self.assertRaises(BusError):
                launch('root', 'bad')
        os.chown(path, 0, 0)
        os.chmod(path, 0o644)
        busctl('root', 'Reload')
        launch('root', 'bad')

    def test_fifo_and_foreign_link_are_refused(self):
        path = PROFILES / 'bad.profile'
        pathlib.Path('/home/alice/x.profile').write_text(GOOD)
        for make in (lambda: os.mkfifo(path), lambda: path.symlink_to('/home/alice/x.profile'), path.mkdir):
            make()
            try:
                busctl('root', 'Reload')
                with self.assertRaises(BusError):
                    launch('root', 'bad')
                self.assertIn('sleep', {row[0] for row in busctl('root', 'ListProfiles')[0]})
            finally:
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    def test_drop_ins_append_and_masks_hide(self):
        self.write(GOOD)
        directory = PROFILES / 'bad.profile.d'
        directory.mkdir()
        try:
            (directory / '10-x.conf').write_text('[Access]\nDenyUsers=alice\n')
            busctl('root', 'Reload')
            self.assert_refused('NoSuchProfile', 'bad', gdbus, 'alice', 'Launch', 'bad', '{}')
            (directory / '10-x.conf').unlink()
            (directory / '10-x.conf').symlink_to('/dev/null')
            busctl('root', 'Reload')
            launch('alice', 'bad')
        finally:
            (directory / '10-x.conf').unlink()
            directory.rmdir()
        (PROFILES / 'bad.profile').unlink()
        (PROFILES / 'bad.profile').symlink_to('/dev/null')
        busctl('root', 'Reload')
        self.assertNotIn('bad', {row[0] for row in busctl('root', 'ListProfiles')[0]})

    def test_cat_shows_every_file_in_the_order_it_counts(self):
        self.write('[Profile]\nAbstract=yes\n[Exec]\nNice=5\n', 'base')
        self.write('[Profile]\nInherits=base\n' + GOOD, 'good')
        drop_ins = PROFILES / 'good.profile.d'
        drop_ins.mkdir()
        (drop_ins / '10-more.conf').write_text('[Exec]\nNice=7\n# \x1b[2J\n')
        paths = [str(PROFILES / name) for name in ('base.profile', 'good.profile', 'good.profile.d/10-more.conf')]
        try:
            done = immurectl('alice', 'cat', 'good')
            self.assertEqual(re.findall(r'^# (/.*)$', done.stdout, re.M), paths, done.stderr)
            self.assertIn('\n# \\x1b[2J\n', done.stdout)
            rows = json.loads(immurectl('alice', 'cat', '--json=short', 'good').stdout)
            self.assertIn({'file': paths[2], 'line': 2, 'text': 'Nice=7'}, rows)
            # What is refused is there to be seen all the same.
            self.write(GOOD + 'Nice=99\n', 'good')
            done = immurectl('alice', 'cat', 'good')
            self.assertEqual(done.returncode, 0)
            self.assertIn('Nice=99', done.stdout)
            self.assertIn('lint', done.stderr)
        finally:
            for path in [drop_ins / '10-more.conf', PROFILES / 'good.profile', PROFILES / 'base.profile']:
                path.unlink()
            drop_ins.rmdir()
            busctl('root', 'Reload')

    def test_reload_changes_nothing_of_what_runs(self):
        add_profile('bad', GOOD.replace('/usr/bin/true', '/usr/bin/sleep infinity'))
        id, _ = launch('alice', 'bad')
        remove_profile('bad')
        self.assertEqual(sandboxes()[id]['state'], 'running')
        busctl('root', 'Stop', 's', id)


class Plans(SystemTest):
    def test_hash_of_the_plan_is_the_hash_of_the_run(self):
        for user, profile in (('alice', 'sleep'), ('bob', 'sleep'), ('root', 'nobody')):
            _, path = launch(user, profile)
            plan = json.loads(immurectl(user, 'plan', '--json=short', profile).stdout)
            text = immurectl(user, 'plan', profile).stdout
            told, digest = busctl(user, 'Plan', 'sa{sv}', profile, 0)
            run = sandbox_property(path, 'PlanHash')
            self.assertEqual(bytes(digest).hex() if isinstance(digest, list) else digest, run)
            self.assertIn(run, text + json.dumps(plan))
            self.assertIsInstance(json.loads(told), dict)

    def test_other_requests_have_other_hashes(self):
        hashes = [bytes(busctl(*call)[1]) for call in (
            ('alice', 'Plan', 'sa{sv}', 'python', 0),
            ('alice', 'Plan', 'sa{sv}', 'python', 1, 'Arguments', 'as', 1, 'x'),
            ('bob', 'Plan', 'sa{sv}', 'python', 0),
            ('bob', 'Plan', 'sa{sv}', 'sleep', 0))]
        self.assertEqual(len(set(hashes)), len(hashes))
        self.assertEqual(bytes(busctl('alice', 'Plan', 'sa{sv}', 'python', 0)[1]), hashes[0])

    def test_plan_starts_nothing(self):
        immurectl('alice', 'plan', 'sleep')
        self.assertEqual(sandboxes(), {})


class Examples(SystemTest):
    def test_every_shipped_profile_is_valid(self):
        examples = sorted(pathlib.Path('/usr/share/immured/examples').glob('*.profile'))
        self.assertGreaterEqual(len(examples), 4)
        for path in examples:
            done = immurectl('root', 'lint', str(path))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == '__main__':
    main()
