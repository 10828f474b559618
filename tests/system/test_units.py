#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The unit files: valid for this systemd, hardened as far as each can be, and alike with what the rig does."""

import pathlib
import shutil
import subprocess
import unittest

from common import SystemTest, main

UNITS = pathlib.Path('/usr/lib/systemd/system')

# Exposure as systemd-analyze counts it, 0 to 10. The keeper's is high by design: what it is given reaches the
# applications, whose own profiles do the confining (the unit says so, directive by directive).
EXPOSURE = {'immured.service': 1.5, 'immured-user@.service': 9.0, 'immured-app@.service': 9.0}


class Units(SystemTest):
    def test_systemd_finds_nothing_wrong(self):
        names = ['immured.service', 'immured.socket', 'immured.slice']
        units = [str(UNITS / name) for name in names]
        for kind, name in (('user', '3001'), ('app', 'alice:web')):
            instance = pathlib.Path(f'/run/immured-{kind}@{name}.service')
            instance.write_text((UNITS / f'immured-{kind}@.service').read_text())
            units.append(str(instance))
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', *units],
                              capture_output=True, text=True)
        ours = [line for line in done.stderr.splitlines() if 'immured' in line]
        self.assertEqual(ours, [])

    def test_exposure_stays_below_its_threshold(self):
        for name, threshold in EXPOSURE.items():
            done = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', UNITS / name],
                                  capture_output=True, text=True)
            overall = [line for line in done.stdout.splitlines() if 'Overall exposure level' in line]
            self.assertEqual(len(overall), 1, done.stdout + done.stderr)
            level = float(overall[0].split(':')[1].split()[0])
            self.assertLessEqual(level, threshold, name)

    def test_keepers_are_given_the_same_whatever_they_are_for(self):
        def service(name):
            text = (UNITS / name).read_text()
            lines = text[text.index('[Service]'):].partition('[Install]')[0].splitlines()
            own = ('ExecStart=', 'Slice=', 'TimeoutStartSec=', 'RestartPreventExitStatus=')
            return [line for line in lines if '=' in line and not line.startswith(('#', *own))]
        self.assertEqual(service('immured-user@.service'), service('immured-app@.service'))
        self.assertIn('Delegate=yes', service('immured-app@.service'))

    def test_files_can_be_opened_as_the_programs_do(self):
        # openat2(2) answers ENOSYS under this one, in the process and in all that it starts.
        for name in EXPOSURE:
            lines = (UNITS / name).read_text().splitlines()
            self.assertEqual([line for line in lines if line.startswith('RestrictSUIDSGID=')], [], name)

    def test_the_broker_may_ask_what_the_kernel_can_enforce(self):
        # Where these are denied, it calls missing what is there.
        lines = (UNITS / 'immured.service').read_text().splitlines()
        allowed = ' '.join(line.partition('=')[2] for line in lines if line.startswith('SystemCallFilter=')).split()
        self.assertLessEqual({'landlock_create_ruleset', 'seccomp'}, set(allowed))

    def test_sandboxes_outlive_the_socket(self):
        # These hand on what happens to the other unit: a stop, a restart.
        for name in 'immured-user@.service', 'immured-app@.service':
            lines = (UNITS / name).read_text().splitlines()
            for directive in 'Requires=', 'Requisite=', 'BindsTo=', 'PartOf=':
                self.assertEqual([line for line in lines if line.startswith(directive)], [])

    def test_reload_is_a_call_that_the_broker_answers(self):
        lines = (UNITS / 'immured.service').read_text().splitlines()
        command, = (line.partition('=')[2] for line in lines if line.startswith('ExecReload='))
        done = subprocess.run(command.split(), capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_activation_names_the_unit(self):
        service = pathlib.Path('/usr/share/dbus-1/system-services/org.immured.Broker1.service').read_text()
        self.assertIn('SystemdService=immured.service\n', service)
        self.assertIn('BusName=org.immured.Broker1\n', (UNITS / 'immured.service').read_text())

    @unittest.skipUnless(shutil.which('apparmor_parser'), 'not installed: apparmor')
    def test_apparmor_takes_the_example(self):
        example = '/usr/share/immured/examples/apparmor.d/immured-app'
        # For a kernel that has all that the example's version of the language knows, as this one may have nothing.
        done = subprocess.run(['apparmor_parser', '--skip-kernel-load', '--skip-cache', '--warn=all', '--Werror',
                               '--kernel-features=/etc/apparmor.d/abi/3.0', example], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        done = subprocess.run(['apparmor_parser', '--names', example], capture_output=True, text=True)
        self.assertEqual(done.stdout, 'immured-app\n')

    def test_directories_are_made_as_declared(self):
        done = subprocess.run(['systemd-tmpfiles', '--create', '--dry-run', '/usr/lib/tmpfiles.d/immured.conf'],
                              capture_output=True, text=True)
        if 'unrecognized option' in done.stderr:  # --dry-run came with 254
            done = subprocess.run(['systemd-tmpfiles', '--create', '/usr/lib/tmpfiles.d/immured.conf'],
                                  capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(pathlib.Path('/run/immured').stat().st_mode & 0o7777, 0o755)


if __name__ == '__main__':
    main()
