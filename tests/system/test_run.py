#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""immurectl run: every byte of the standard streams, every exit status, signals."""

import hashlib
import os
import random
import signal

from common import (PATIENCE, SystemTest, add_profile, immurectl, main, remove_profile, run_as, sandboxes, start_as,
                    wait_for)

SIZE = 10 * 1024 * 1024
BYTES = random.Random(1).randbytes(SIZE)


class Streams(SystemTest):
    def run_binary(self, *arguments, **options):
        return immurectl('alice', 'run', *arguments, text=False, **options)

    def test_input_and_output_are_exact(self):
        done = self.run_binary('cat', input=BYTES)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout), SIZE)
        self.assertEqual(hashlib.sha256(done.stdout).digest(), hashlib.sha256(BYTES).digest())
        self.assertEqual(done.stderr, b'')

    def test_error_stream_is_exact_and_apart(self):
        program = ('import sys\n'
                   'data = sys.stdin.buffer.read()\n'
                   'sys.stderr.buffer.write(data[::-1])\n'
                   'sys.stdout.buffer.write(data[:1000])\n')
        done = self.run_binary('python', '-c', program, input=BYTES)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, BYTES[:1000])
        self.assertTrue(done.stderr == BYTES[::-1])

    def test_input_that_is_not_read_is_no_error(self):
        done = self.run_binary('python', '-c', 'print("done")', input=BYTES)
        self.assertEqual((done.returncode, done.stdout), (0, b'done\n'))

    def test_output_that_nobody_reads_ends_the_program(self):
        done = run_as('alice', 'bash', '-c', 'immurectl run python -c "while True: print(1)" 2>/dev/null | head -c 2')
        self.assertEqual(done.stdout, '1\n')
        wait_for('its end', lambda: not [s for s in sandboxes().values() if s['state'] == 'running'])

    def test_files_and_pipes_and_sockets_work_alike(self):
        with open('/home/alice/in', 'wb') as f:
            f.write(BYTES)
        os.chmod('/home/alice/in', 0o644)
        for redirection in ('< in > out', '< in | cat > out'):
            done = run_as('alice', 'bash', '-c', f'immurectl run cat {redirection}')
            self.assertEqual(done.returncode, 0, done.stderr)
            with open('/home/alice/out', 'rb') as f:
                self.assertTrue(f.read() == BYTES, redirection)

    def test_empty_input_ends_at_once(self):
        self.assertEqual(self.run_binary('cat', input=b'').stdout, b'')


class Status(SystemTest):
    def test_exit_statuses_are_the_programs(self):
        for status in (0, 1, 2, 42, 125, 126, 127, 255):
            done = immurectl('alice', 'run', 'python', '-c', f'raise SystemExit({status})')
            self.assertEqual(done.returncode, status, done.stderr)

    def test_next_run_finds_the_last_one_gone(self):
        add_profile('once', '[Access]\nAllowUsers=alice\nMaxInstances=1\n[Exec]\nExecStart=/usr/bin/true\n')
        self.addCleanup(remove_profile, 'once')
        done = run_as('alice', 'bash', '-c', 'for ((i = 0; i < 100; i++)); do immurectl run once || exit; done')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_signals_count_from_128(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGUSR1):
            done = immurectl('alice', 'run', 'python', '-c', f'import os; os.kill(os.getpid(), {int(number)})')
            self.assertEqual(done.returncode, 128 + number, done.stderr)

    def test_own_failures_are_125(self):
        for arguments in (['run', 'no-such-profile'], ['run', 'nobody'], ['run', '--no-such-option', 'cat'], ['run']):
            done = immurectl('alice', *arguments)
            self.assertEqual(done.returncode, 125, arguments)
            self.assertNotEqual(done.stderr, '')
            self.assertEqual(done.stdout, '')

    def test_program_that_cannot_be_executed(self):
        for profile, status in (('no-program', 127), ('not-executable', 126)):
            done = immurectl('alice', 'run', profile)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertNotEqual(done.stderr, '')

    def test_signals_reach_the_program(self):
        program = ('import signal, sys\n'
                   'signal.signal(signal.SIGTERM, lambda *_: sys.exit(17))\n'
                   'print("ready", flush=True)\n'
                   'signal.pause()\n')
        client = start_as('alice', 'immurectl', 'run', 'python', '-c', program)
        self.assertEqual(client.stdout.readline(), b'ready\n')
        client.send_signal(signal.SIGTERM)
        client.communicate(timeout=PATIENCE)
        self.assertEqual(client.returncode, 17)

    def test_stop_from_outside_ends_the_client(self):
        client = start_as('alice', 'immurectl', 'run', 'python', '-c', 'print(1, flush=True)\nimport time; time.sleep(99)')
        self.assertEqual(client.stdout.readline(), b'1\n')
        self.assertEqual(immurectl('alice', 'stop', 'python.3001.1').returncode, 0)
        client.communicate(timeout=PATIENCE)
        self.assertEqual(client.returncode, 128 + signal.SIGTERM)

    def test_disconnect_keeps_or_stops_as_asked(self):
        for choice, stays in (('keep', True), ('stop', False)):
            client = start_as('alice', 'immurectl', 'run', f'--on-disconnect={choice}', 'python', '-c',
                              'print(1, flush=True)\nimport time; time.sleep(3600)')
            self.assertEqual(client.stdout.readline(), b'1\n')
            client.send_signal(signal.SIGKILL)
            client.wait()
            for pipe in (client.stdin, client.stdout, client.stderr):
                pipe.close()
            if stays:
                self.assertEqual(sandboxes()['python.3001.1']['state'], 'running')
                immurectl('alice', 'stop', 'python.3001.1')
            else:
                wait_for('its end', lambda: not [s for s in sandboxes().values() if s['state'] == 'running'])

    def test_environment_is_built_and_only_what_the_profile_lets_through(self):
        program = 'import os; print("\\n".join(f"{k}={v}" for k, v in sorted(os.environ.items())))'
        done = run_as('alice', 'env', 'SECRET=1', 'COLOUR=blue', 'immurectl', 'run', '--env=COLOUR', 'python', '-c', program)
        names = dict(line.split('=', 1) for line in done.stdout.splitlines())
        self.assertEqual(names.get('COLOUR'), 'blue', done.stderr)
        self.assertEqual(names.get('HOME'), '/home/alice')
        self.assertLessEqual(set(names), {'PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'COLOUR', 'TERM', 'LANG', 'LC_CTYPE'})
        done = immurectl('alice', 'run', '--env=SECRET=1', 'python', '-c', 'pass')
        self.assertEqual(done.returncode, 125)
        self.assertIn('SECRET', done.stderr)


class Json(SystemTest):
    def test_every_listing_is_json_on_request(self):
        import json
        immurectl('alice', 'launch', 'sleep')
        for arguments in (['list'], ['status', 'sleep.3001.1'], ['profiles'], ['plan', 'sleep'], ['keys'],
                          ['lint', '/etc/immured/profiles/sleep.profile']):
            for mode in ('short', 'pretty'):
                done = immurectl('alice', arguments[0], f'--json={mode}', *arguments[1:])
                self.assertEqual(done.returncode, 0, f'{arguments}: {done.stderr}')
                json.loads(done.stdout)
            self.assertEqual(immurectl('alice', arguments[0], '--json=off', *arguments[1:]).returncode, 0)


if __name__ == '__main__':
    main()
