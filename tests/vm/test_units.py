#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13
"""What systemd makes of the units, and what it tells of them."""

import pathlib
import re

from booted import (BootedTest, check, is_active, keeper_unit, launch, main, run, sandboxes, systemctl, unit_property,
                    wait_for)

# As systemd-analyze counts exposure, from 0 to 10. What the keeper's unit leaves out, and why, stands in it.
EXPOSURE = {'immured.service': 1.5, 'immured-user@.service': 9.0, 'immured-app@.service': 9.0}


class Units(BootedTest):
    def test_systemd_finds_nothing_wrong(self):
        # Not a real name of an application: from systemd 254 on, what follows a colon is another name for a file.
        units = ['immured.service', 'immured.socket', 'immured.slice', 'immured-user@1000.service',
                 'immured-app@alice.service']
        done = run('systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', *units)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))

    def test_exposure_stays_below_its_threshold(self):
        for name, threshold in EXPOSURE.items():
            path = unit_property(name.replace('@', '@1000:x' if 'app' in name else '@1000'), 'FragmentPath')
            told = check('systemd-analyze', 'security', '--offline=true', '--no-pager', path)
            level, = re.findall(r'Overall exposure level for \S+: ([\d.]+)', told)
            self.assertLessEqual(float(level), threshold, name)

    def test_everything_is_up(self):
        self.assertEqual(check('systemctl', '--failed', '--plain', '--no-legend'), '')
        for unit in 'immured.service', 'immured.socket':
            self.assertTrue(is_active(unit))
            self.assertEqual(unit_property(unit, 'UnitFileState'), 'enabled')

    def test_status_line_says_how_much_there_is(self):
        launch('alice', 'sleep')
        launch('bob', 'sleep')
        launch('bob', 'sleep')
        self.assertRegex(check('systemctl', 'status', 'immured'), r'Status: "[^"]*\b3\b[^"]*"')
        self.assertRegex(check('systemctl', 'status', keeper_unit('bob')), r'Status: "[^"]*\b2\b[^"]*"')

    def test_broker_is_started_by_whoever_asks(self):
        systemctl('stop', 'immured.service')
        self.assertEqual(sandboxes('alice'), {})
        wait_for('the broker', lambda: is_active('immured.service'))

    def test_failed_reload_is_told(self):
        path = pathlib.Path('/etc/immured/immured.conf.d/wrong.conf')
        path.parent.mkdir(exist_ok=True)
        path.write_text('[Broker]\nNoSuchSetting=1\n')
        try:
            self.assertNotEqual(run('systemctl', 'reload', 'immured').returncode, 0)
            self.assertEqual(sandboxes('alice'), {})
        finally:
            path.unlink()
        systemctl('reload', 'immured')

    def test_stop_of_the_keeper_ends_the_sandboxes_of_its_user(self):
        launch('alice', 'sleep')
        other, _ = launch('bob', 'sleep')
        systemctl('stop', keeper_unit('alice'))
        wait_for('the end of the one', lambda: list(sandboxes()) == [other])
        self.assertEqual(sandboxes()[other]['state'], 'running')


if __name__ == '__main__':
    main()
