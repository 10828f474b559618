#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13
"""AppArmorProfile=: the kernel's label from the application's first instruction on, or no launch."""

import pathlib

from booted import BUS, ROOT, BootedTest, check, immurectl, launch, main, run, sandbox_property, sandboxes
from rawbus import bus_of, launch_body, read_string

EXAMPLE = pathlib.Path('/usr/share/immured/examples/apparmor.d/immured-app')
LOADED = pathlib.Path('/sys/kernel/security/apparmor/profiles')

PROFILE = '''[Access]
AllowUsers=alice
Arguments=append
[Exec]
ExecStart=/usr/bin/python3 -I -c
StandardOutput=client
StandardError=client
[Files]
ExecPaths=/tmp
[Security]
'''

TELL = 'print(open("/proc/self/attr/current").read().rstrip("\\n"))'

# What the mounts and Landlock leave open here.
EXECUTE_WHAT_WAS_WRITTEN = '''
import os, shutil, subprocess
shutil.copy("/bin/true", "/tmp/true")
os.chmod("/tmp/true", 0o755)
try:
    print("ended with", subprocess.run(["/tmp/true"]).returncode)
except OSError as error:
    print(error.strerror)
'''


def load(text, *options):
    check('apparmor_parser', '--replace', '--skip-cache', *options, input=text, stdin=None)


def unload(text):
    run('apparmor_parser', '--remove', input=text, stdin=None)


class AppArmor(BootedTest):
    def setUp(self):
        self.assertEqual(pathlib.Path('/sys/module/apparmor/parameters/enabled').read_text().strip(), 'Y')

    def load(self, text, *options):
        load(text, *options)
        self.addCleanup(unload, text)

    def say(self, profile, program):
        done = immurectl('alice', 'run', profile, program)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def assert_refused(self, profile, name, *words):
        with bus_of('alice') as bus:
            error, content = bus.call(BUS, ROOT, f'{BUS}.Manager', 'Launch', 'sa{sv}', launch_body(profile, []))
        self.assertEqual(error, f'{BUS}.Error.{name}')
        for word in words:
            self.assertIn(word, read_string(content))
        told = immurectl('alice', 'run', profile, TELL)
        self.assertNotEqual(told.returncode, 0)
        self.assertEqual(told.stdout, '')
        self.assertIn(words[0], told.stderr)
        self.assertEqual([id for id, row in sandboxes().items() if row['state'] == 'running'], [])

    def test_shipped_example_is_applied_and_verified(self):
        self.load(EXAMPLE.read_text())
        self.profile('labelled', PROFILE + 'AppArmorProfile=immured-app\n')
        self.profile('unlabelled', PROFILE)
        self.assertEqual(self.say('labelled', TELL), 'immured-app (enforce)')
        self.assertEqual(self.say('unlabelled', TELL), 'unconfined')

        # It is a wall of its own: what the others leave open it closes.
        self.assertEqual(self.say('unlabelled', EXECUTE_WHAT_WAS_WRITTEN), 'ended with 0')
        self.assertEqual(self.say('labelled', EXECUTE_WHAT_WAS_WRITTEN), 'Permission denied')

        for profile, expected in ('labelled', True), ('unlabelled', False):
            id, path = launch('alice', profile, 'import time; time.sleep(9999)')
            self.assertEqual('apparmor' in sandbox_property(path, 'Enforced'), expected)
            # As the host sees it; the init in front is not the application.
            label = pathlib.Path(f'/proc/{sandbox_property(path, "MainPID")}/attr/current').read_text().strip()
            self.assertEqual(label, 'immured-app (enforce)' if expected else 'unconfined')

    def test_label_stays_with_what_it_starts(self):
        self.load(EXAMPLE.read_text())
        self.profile('labelled', PROFILE + 'AppArmorProfile=immured-app\n')
        told = self.say('labelled', 'import subprocess; subprocess.run(["/bin/cat", "/proc/self/attr/current"])')
        self.assertEqual(told, 'immured-app (enforce)')
        # Nor is there a way out of it.
        told = self.say('labelled', '''
for word in "changeprofile unconfined", "exec unconfined":
    try:
        with open("/proc/self/attr/" + ("exec" if word.startswith("exec") else "current"), "w") as f:
            f.write(word)
        print("changed")
    except OSError as error:
        print(error.strerror)
''' + TELL)
        self.assertNotIn('changed', told)
        self.assertEqual(told.splitlines()[-1], 'immured-app (enforce)')

    def test_label_that_is_not_loaded_is_refused(self):
        self.profile('missing', PROFILE + 'AppArmorProfile=immured-no-such-label\n')
        self.assertNotIn('immured-no-such-label', LOADED.read_text())
        self.assert_refused('missing', 'LayerUnavailable', 'apparmor: ', 'immured-no-such-label')

    def test_label_that_only_complains_is_refused(self):
        self.load(EXAMPLE.read_text().replace('profile immured-app ', 'profile immured-complains '), '--Complain')
        self.profile('complains', PROFILE + 'AppArmorProfile=immured-complains\n')
        self.assertIn('immured-complains (complain)', LOADED.read_text())
        self.assert_refused('complains', 'VerificationFailed', 'apparmor', 'immured-complains')

    def test_label_that_is_gone_is_refused_from_then_on(self):
        text = EXAMPLE.read_text().replace('profile immured-app ', 'profile immured-goes ')
        self.load(text)
        self.profile('goes', PROFILE + 'AppArmorProfile=immured-goes\n')
        self.assertEqual(self.say('goes', TELL), 'immured-goes (enforce)')
        unload(text)
        self.assert_refused('goes', 'LayerUnavailable', 'apparmor: ', 'immured-goes')

    def test_selinux_is_refused_where_it_is_off(self):
        self.profile('context', PROFILE + 'SELinuxContext=system_u:system_r:immured_t:s0\n')
        self.assert_refused('context', 'LayerUnavailable', 'selinux: ')


if __name__ == '__main__':
    main()
