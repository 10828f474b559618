#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13 machine=own
"""What installing, upgrading, removing and purging the package does, and what each of them leaves."""

import os
import pathlib

from booted import (BootedTest, PROFILES, broker_answers, check, configure, is_active, keeper_unit, launch, main,
                    run, run_as, sandbox_property, sandboxes, systemctl, unit_property, wait_for)

PACKAGE, = map(str, pathlib.Path(os.environ['VM_PACKAGES']).glob('immured_*.deb'))
OF_ADMINISTRATORS = pathlib.Path('/etc/immured')
OF_APPLICATIONS = [pathlib.Path('/var/lib/immured'), pathlib.Path('/var/cache/immured')]


class Package(BootedTest):
    def tearDown(self):
        if not broker_answers():
            check('dpkg', '-i', PACKAGE)
        configure()
        super().tearDown()

    def test_installed_package_works_at_once(self):
        check('dpkg', '--purge', 'immured')
        check('dpkg', '-i', PACKAGE)
        for unit in 'immured.service', 'immured.socket':
            self.assertEqual(unit_property(unit, 'UnitFileState'), 'enabled')
            self.assertTrue(is_active(unit))
        self.assertEqual(sandboxes('alice'), {})
        for directory in OF_ADMINISTRATORS, *OF_APPLICATIONS:
            status = directory.stat()
            self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777), (0, 0, 0o755), directory)
        # Nobody may run anything before an administrator has said so.
        self.assertEqual(list(PROFILES.iterdir()), [])
        examples = map(str, pathlib.Path('/usr/share/immured/examples').glob('*.profile'))
        self.assertEqual(check('immurectl', 'lint', *examples), '')
        self.assertEqual(check('dpkg', '--verify', 'immured'), '')

    def test_documentation_and_completion_come_along(self):
        files = check('dpkg', '-L', 'immured').splitlines()
        for name in ('man1/immurectl.1', 'man5/immured.profile.5', 'man5/org.immured.Broker1.5',
                     'man7/immured-lease.7', 'man8/immured.8', 'man8/immured-keeper.8'):
            self.assertIn(f'/usr/share/man/{name}.gz', files)
        self.assertIn('/usr/share/bash-completion/completions/immurectl', files)
        self.assertIn('/usr/share/doc/immured/copyright', files)

    def test_removal_ends_everything_and_keeps_what_people_made(self):
        _, path = launch('alice', 'sleep')
        pid = sandbox_property(path, 'MainPID')
        own = PROFILES / 'own.profile'
        own.write_text((PROFILES / 'sleep.profile').read_text())
        kept = OF_APPLICATIONS[0] / '1000/kept/file'
        kept.parent.mkdir(parents=True)
        kept.write_text('x')

        check('dpkg', '--remove', 'immured')
        self.assertFalse(os.path.exists(f'/proc/{pid}'))
        for unit in 'immured.service', 'immured.socket', keeper_unit('alice'), 'immured.slice':
            self.assertFalse(is_active(unit), unit)
        self.assertEqual(run('pgrep', '-a', '-f', '/usr/libexec/immured').stdout, '')
        self.assertFalse(broker_answers())
        self.assertTrue(own.exists())
        self.assertTrue(kept.exists())
        self.assertFalse(pathlib.Path('/run/immured').exists())
        for unit in 'immured.service', 'immured.socket', keeper_unit('alice'):
            self.assertEqual(unit_property(unit, 'LoadState'), 'not-found', unit)
        self.assertEqual(check('systemctl', '--failed', '--plain', '--no-legend'), '')

        check('dpkg', '-i', PACKAGE)
        self.assertTrue(own.exists())
        self.assertTrue(kept.exists())
        launch('alice', 'own')

    def test_purge_leaves_nothing(self):
        (OF_APPLICATIONS[0] / '1000/kept').mkdir(parents=True, exist_ok=True)
        launch('alice', 'sleep')
        check('immurectl', 'enable', '--now', 'alice', 'sleep')
        check('dpkg', '--purge', 'immured')
        for directory in OF_ADMINISTRATORS, *OF_APPLICATIONS, pathlib.Path('/run/immured'):
            self.assertFalse(directory.exists(), directory)
        left = check('find', '/etc', '/usr', '/var/lib', '/run', '/var/cache', '-xdev', '-name', '*immure*').split()
        self.assertEqual(left, [])
        self.assertEqual(run('pgrep', '-a', 'immured').stdout, '')

    def test_disabled_broker_stays_so_over_an_upgrade(self):
        systemctl('disable', '--now', 'immured.service', 'immured.socket')
        try:
            check('dpkg', '-i', PACKAGE)
            for unit in 'immured.service', 'immured.socket':
                self.assertEqual(unit_property(unit, 'UnitFileState'), 'disabled')
        finally:
            systemctl('enable', '--now', 'immured.service', 'immured.socket')

    def test_user_can_launch_with_plain_busctl(self):
        done = run_as('alice', 'busctl', 'call', 'org.immured.Broker1', '/org/immured/Broker1',
                      'org.immured.Broker1.Manager', 'Launch', 'sa{sv}', 'sleep', '0')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('sleep.1000.1', done.stdout)
        wait_for('it to run', lambda: sandboxes()['sleep.1000.1']['state'] == 'running')


if __name__ == '__main__':
    main()
