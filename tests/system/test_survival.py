#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""The broker's death disturbs no sandbox and loses no byte and no result."""

import os
import pathlib
import signal

from common import (PATIENCE, SystemTest, broker_is_there, broker_pid, busctl, immurectl, launch, main, pids_of, restart_broker, sandboxes,
                    sandbox_property, start_as, wait_for, wait_for_launch)

# Numbers its lines, so that a lost, doubled or torn one shows.
COUNTER = '''
import sys, time
for n in range(2000):
    sys.stdout.write(f"{n} {'x' * 1000}\\n")
    sys.stdout.flush()
    if n % 20 == 0:
        time.sleep(0.01)
sys.exit(23)
'''
EXPECTED = ''.join(f'{n} {"x" * 1000}\n' for n in range(2000)).encode()


class Survival(SystemTest):
    def test_client_loses_neither_byte_nor_result(self):
        client = start_as('alice', 'immurectl', 'run', 'python', '-c', COUNTER)
        head = b''.join(client.stdout.readline() for _ in range(100))
        restart_broker(signal.SIGKILL)
        rest = client.stdout.read()  # not communicate(), which passes over what was read ahead
        self.assertEqual(client.wait(PATIENCE), 23)
        self.assertEqual(len(head + rest), len(EXPECTED))
        self.assertTrue(head + rest == EXPECTED)
        client.communicate()

    def test_result_that_comes_while_there_is_no_broker_is_not_lost(self):
        program = 'import sys\nprint("ready", flush=True)\nsys.stdin.read()\nsys.exit(9)'
        client = start_as('alice', 'immurectl', 'run', 'python', '-c', program)
        self.assertEqual(client.stdout.readline(), b'ready\n')
        wait_for_launch('python.3001.1')
        os.kill(broker_pid(), signal.SIGSTOP)
        try:
            client.communicate(timeout=PATIENCE)
            self.assertEqual(client.returncode, 9)
        finally:
            os.kill(broker_pid(), signal.SIGKILL)
            restart_broker_settled()
        wait_for('the result', lambda: sandboxes().get('python.3001.1', {}).get('state') == 'failed')
        self.assertEqual(sandbox_property(sandboxes()['python.3001.1']['path'], 'ExecMainStatus'), 9)

    def test_new_broker_knows_the_old_sandboxes(self):
        launched = [launch('alice', 'sleep'), launch('alice', 'sleep'), launch('bob', 'sleep')]
        names = ('InvocationID', 'PlanHash', 'MainPID', 'Leader', 'Timestamp', 'ControlGroup')
        before = {id: {n: sandbox_property(path, n) for n in names} for id, path in launched}
        restart_broker(signal.SIGKILL)
        for id, path in launched:
            self.assertEqual(before[id], {n: sandbox_property(path, n) for n in names})
            self.assertEqual(sandboxes()[id]['state'], 'running')
        for id, path in launched:
            busctl('root', 'Stop', 's', id)
            self.assertFalse(os.path.exists(f'/proc/{before[id]["MainPID"]}'))
        self.assertEqual(sandboxes(), {})

    def test_new_broker_never_misses_what_runs(self):
        launched = sorted(launch(user, 'sleep')[0] for user in ('alice', 'alice', 'bob'))
        for _ in range(10):
            old = broker_pid()
            os.kill(old, signal.SIGKILL)
            wait_for('its name', lambda: broker_pid() != old and broker_is_there())
            self.assertEqual(sorted(sandboxes()), launched)

    def test_keeper_that_hangs_holds_nobody_up(self):
        launch('alice', 'sleep')
        launch('bob', 'sleep')
        stuck = next(p for p in pids_of('immured-keeper') if
                     b'--uid=3001' in pathlib.Path(f'/proc/{p}/cmdline').read_bytes())
        os.kill(stuck, signal.SIGSTOP)
        try:
            restart_broker(signal.SIGKILL)
            self.assertEqual([r['uid'] for r in sandboxes().values()], [3002])
        finally:
            os.kill(stuck, signal.SIGCONT)
        wait_for('the other keeper', lambda: len(sandboxes()) == 2)

    def test_new_broker_gives_no_number_twice(self):
        first, _ = launch('alice', 'sleep')
        restart_broker(signal.SIGKILL)
        second, _ = launch('alice', 'sleep')
        self.assertNotEqual(first, second)
        done = immurectl('alice', 'launch', 'sleep')
        self.assertNotEqual(done.returncode, 0, 'MaxInstances=2 also counts what ran before')

    def test_stop_through_the_lease_needs_no_broker(self):
        client = start_as('alice', 'immurectl', 'run', 'python', '-c', 'print(1, flush=True)\nimport time; time.sleep(999)')
        self.assertEqual(client.stdout.readline(), b'1\n')
        wait_for_launch('python.3001.1')
        os.kill(broker_pid(), signal.SIGSTOP)
        try:
            client.send_signal(signal.SIGTERM)
            client.communicate(timeout=PATIENCE)
            self.assertEqual(client.returncode, 128 + signal.SIGTERM)
        finally:
            os.kill(broker_pid(), signal.SIGCONT)

    def test_keeper_that_is_killed_takes_its_sandboxes_along(self):
        id, path = launch('alice', 'sleep')
        launch('bob', 'sleep')
        pid = sandbox_property(path, 'MainPID')
        keeper = next(p for p in pids_of('immured-keeper') if
                      b'--uid=3001' in pathlib.Path(f'/proc/{p}/cmdline').read_bytes())
        os.kill(keeper, signal.SIGKILL)
        wait_for('an end of its processes', lambda: not os.path.exists(f'/proc/{pid}'))
        wait_for('the broker to notice', lambda: sandboxes().get(id, {'state': 'failed'})['state'] == 'failed')
        self.assertEqual([r['state'] for r in sandboxes('bob').values()], ['running'])
        self.assertEqual(launch('alice', 'sleep')[0].rsplit('.', 1)[0], 'sleep.3001')


def restart_broker_settled():
    old = broker_pid()
    wait_for('a new broker', lambda: broker_pid() != old or not os.path.exists(f'/proc/{old}'))
    wait_for('its name', broker_is_there)


if __name__ == '__main__':
    main()
