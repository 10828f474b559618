#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of neighbouring versions work together, whichever is replaced under running sandboxes."""

import os
import pathlib
import shutil
import signal
import subprocess

from common import (BusError, LIBEXEC, PATIENCE, RIG, SystemTest, add_profile, broker_is_there, broker_pid, busctl,
                    launch, main, pids_of, remove_profile, sandbox_property, sandboxes, start_as, wait_for)

TREE = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ('broker/immured', 'keeper/immured-keeper', 'exec/immured-exec')
NEXT_PROFILE = '''[Access]
AllowGroups=users
MaxInstances=4
[Exec]
ExecStart=/usr/bin/sleep infinity
Environment=NEXT=yes
'''
def build_next():
    """The tree as if it were one version later, made where it is not there."""
    build = TREE / 'build-next'
    if not (build / 'build.ninja').exists():
        subprocess.run(['meson', 'setup', '-Dversion-next=true', '-Dtests=disabled', '-Dctl=disabled',
                        '-Dman=disabled', build, TREE], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['ninja', '-C', build, '--quiet', *(f'src/{name}' for name in PROGRAMS)], check=True,
                   stdout=subprocess.DEVNULL)
    return build


def setUpModule():
    for name, source in ('this', None), ('other', build_next()):
        directory = RIG / 'versions' / name
        directory.mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS:
            file = pathlib.Path(program).name
            shutil.copy2(LIBEXEC / file if source is None else source / 'src' / program, directory / file)
    subprocess.run(['mount', '--bind', RIG / 'versions/this', LIBEXEC], check=True)


def install(version):
    """What a package does: the files of that version in place of those that are there."""
    subprocess.run(['umount', '--lazy', LIBEXEC], check=True)
    subprocess.run(['mount', '--bind', RIG / 'versions' / version, LIBEXEC], check=True)


def replace(version):
    install(version)
    old = broker_pid()
    os.kill(old, signal.SIGKILL)
    wait_for('a new broker', lambda: broker_pid() != old and broker_is_there())


def keeper_of(uid):
    for pid in pids_of('immured-keeper'):
        if f'--uid={uid}'.encode() in pathlib.Path(f'/proc/{pid}/cmdline').read_bytes():
            return pid
    return None


def plan_hash(user, profile):
    return bytes(busctl(user, 'Plan', 'sa{sv}', profile, 0)[1]).hex()


class Versions(SystemTest):
    def setUp(self):
        add_profile('next', NEXT_PROFILE)

    def tearDown(self):
        super().tearDown()
        replace('this')
        remove_profile('next')

    def over_living_keepers(self, first, second):
        """A broker of the second version finds keepers of the first."""
        replace(first)
        id, path = launch('alice', 'sleep')
        names = ('PlanHash', 'InvocationID', 'MainPID', 'State')
        before = {name: sandbox_property(path, name) for name in names}
        keeper = keeper_of(3001)
        waiting = start_as('alice', 'immurectl', 'run', 'python', '-c',
                           'import time; print(1, flush=True); time.sleep(999)')
        self.assertEqual(waiting.stdout.readline(), b'1\n')

        replace(second)
        self.assertEqual(sorted(sandboxes()), ['python.3001.1', id])
        self.assertEqual({name: sandbox_property(path, name) for name in names}, before)
        again, again_path = launch('alice', 'sleep')
        self.assertEqual(keeper_of(3001), keeper)
        self.assertEqual(sandbox_property(again_path, 'PlanHash'), plan_hash('alice', 'sleep'))
        self.assertEqual(len(busctl('alice', 'GetProcesses', 's', again)[0]), 2)
        busctl('alice', 'Kill', 'ssi', again, 'main', signal.SIGKILL)
        wait_for('its end', lambda: sandboxes()[again]['state'] == 'failed')

        busctl('root', 'Stop', 's', 'python.3001.1')
        self.assertEqual(waiting.wait(PATIENCE), 128 + signal.SIGTERM)
        waiting.communicate()
        self.assertTrue(os.path.exists(f'/proc/{keeper}'))
        busctl('alice', 'Stop', 's', id)
        self.assertFalse(os.path.exists(f'/proc/{before["MainPID"]}'))

        wait_for('the keeper to leave', lambda: not os.path.exists(f'/proc/{keeper}'))
        self.assertEqual({id: row['state'] for id, row in sandboxes().items()}, {again: 'failed'})
        busctl('alice', 'ResetFailed', 's', again)
        self.assertEqual(sandboxes(), {})
        launch('alice', 'sleep')
        self.assertNotIn(keeper_of(3001), (None, keeper))

    def test_newer_broker_over_older_keepers(self):
        self.over_living_keepers('this', 'other')

    def test_older_broker_over_newer_keepers(self):
        self.over_living_keepers('other', 'this')

    def under_a_living_broker(self, first, second):
        """A broker of the first version starts keepers of the second."""
        replace(first)
        install(second)
        id, path = launch('bob', 'sleep')
        self.assertEqual(sandbox_property(path, 'PlanHash'), plan_hash('bob', 'sleep'))
        keeper = keeper_of(3002)
        replace(second)
        self.assertEqual(sandboxes()[id]['state'], 'running')
        busctl('bob', 'Stop', 's', id)
        self.assertEqual(sandboxes(), {})
        launch('bob', 'sleep')
        self.assertEqual(keeper_of(3002), keeper)

    def test_newer_keeper_under_an_older_broker(self):
        self.under_a_living_broker('this', 'other')

    def test_older_keeper_under_a_newer_broker(self):
        self.under_a_living_broker('other', 'this')

    def test_what_an_older_keeper_cannot_say_waits_for_its_last_sandbox(self):
        replace('this')
        id, _ = launch('alice', 'sleep')
        replace('other')
        self.assert_refused('Busy', 'the keeper of alice is older than the broker; '
                            'new sandboxes start when its last one has ended', launch, 'alice', 'next')
        launch('alice', 'sleep')
        launch('bob', 'next')
        for sandbox in list(sandboxes('alice')):
            busctl('alice', 'Stop', 's', sandbox)
        _, path = launch('alice', 'next')
        self.assertEqual(sandbox_property(path, 'PlanHash'), plan_hash('alice', 'next'))

    def test_records_of_ended_sandboxes_stay_when_their_keeper_leaves(self):
        replace('this')
        for _ in range(3):
            launch('alice', 'next')
        for id in list(sandboxes()):
            busctl('alice', 'Kill', 'ssi', id, 'main', signal.SIGKILL)
        wait_for('their end', lambda: {row['state'] for row in sandboxes().values()} == {'failed'})
        before, keeper = sorted(sandboxes()), keeper_of(3001)
        replace('other')
        wait_for('the keeper to leave', lambda: not os.path.exists(f'/proc/{keeper}'))
        self.assertEqual(sorted(sandboxes()), before)
        path = sandboxes()[before[0]]['path']
        self.assertEqual(sandbox_property(path, 'ExecMainStatus'), signal.SIGKILL)
        with self.assertRaisesRegex(BusError, 'not running'):
            busctl('alice', 'Kill', 'ssi', before[0], 'main', signal.SIGTERM)
        self.assertEqual(busctl('alice', 'GetProcesses', 's', before[0])[0], [])
        busctl('alice', 'ResetFailed', 's', before[0])
        busctl('alice', 'Stop', 's', before[1])
        self.assertEqual(sorted(sandboxes()), before[2:])


if __name__ == '__main__':
    main()
