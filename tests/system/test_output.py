#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: always
"""What immurectl prints on terminals and into pipes."""

import fcntl
import os
import pty
import struct
import termios

from common import (PATIENCE, SystemTest, add_profile, immurectl, launch, main, remove_profile, run_as, sandboxes,
                    start_as)

LONG = 'word ' * 60


class Output(SystemTest):
    def setUp(self):
        add_profile('wordy', f'[Profile]\nDescription={LONG}\n[Access]\nAllowGroups=users\n[Exec]\nExecStart=/usr/bin/false\n')
        self.addCleanup(remove_profile, 'wordy')
        launch('alice', 'sleep')

    def on_terminal(self, *command, columns=80, **environment):
        """What the command writes to a terminal of that many columns."""
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        process = start_as('alice', 'env', *(f'{k}={v}' for k, v in ({'TERM': 'xterm'} | environment).items()),
                           'immurectl', *command, stdout=inner, stderr=inner)
        os.close(inner)
        text = b''
        try:
            while data := os.read(outer, 65536):
                text += data
        except OSError:  # the other end is closed
            pass
        os.close(outer)
        self.assertEqual(process.wait(PATIENCE), 0, text)
        process.stdin.close(), process.stderr and process.stderr.close()
        return text.decode().replace('\r\n', '\n')

    def test_colours_are_for_terminals_alone(self):
        self.assertIn('\033[', self.on_terminal('list'))
        self.assertNotIn('\033', self.on_terminal('list', NO_COLOR='1'))
        self.assertNotIn('\033', self.on_terminal('list', TERM='dumb'))
        self.assertNotIn('\033', run_as('alice', 'env', 'TERM=xterm', 'immurectl', 'list').stdout)

    def test_lines_of_a_terminal_are_not_broken(self):
        for columns in (80, 120):
            lines = self.on_terminal('profiles', columns=columns, NO_COLOR='1').splitlines()
            self.assertTrue(any(line.startswith('wordy') for line in lines))
            self.assertLessEqual(max(map(len, lines)), columns)
        # Into a pipe goes all of it.
        self.assertIn(LONG.strip(), immurectl('alice', 'profiles').stdout)

    def test_marks_of_direction_do_not_reach_a_terminal(self):
        word = 'a\u202eb\u009bc\ufeffd'
        for options in (), ('--json=short',):
            text = self.on_terminal('plan', *options, '--', 'python', word)
            self.assertIn(r'a\u202Eb\u009Bc\uFEFFd', text)
            self.assertTrue(text.isascii(), ascii(text))
        # What reads it through a pipe gets what the user wrote.
        self.assertIn(word, immurectl('alice', 'plan', '--json=short', '--', 'python', word).stdout)
        self.assertIn(r'a\xe2\x80\xaeb\xc2\x9bc\xef\xbb\xbfd', immurectl('alice', 'cat', word).stderr)

    def test_legends_can_be_left_out(self):
        with_legend, without = (immurectl('alice', 'list', *options).stdout.splitlines() for options in ((), ('--no-legend',)))
        self.assertRegex(with_legend[0], '^ID ')
        self.assertRegex(without[0], r'^sleep\.3001\.1 ')
        self.assertEqual(len(without), 1)

    def test_nothing_is_said_that_was_not_asked_for(self):
        for user, options, text in (('alice', ('-q',), ''), ('bob', (), 'sleep.3002.1\n')):
            done = immurectl(user, 'launch', *options, 'sleep')
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, text, ''))
        self.assertEqual(sorted(immurectl('alice', 'list', '-q').stdout.split()), ['sleep.3001.1', 'sleep.3001.2'])

    def test_verbs_of_sandboxes_take_patterns(self):
        for profile, user in (('sleep', 'alice'), ('python', 'alice'), ('sleep', 'bob')):
            launch(user, profile, *(['-c', 'import time; time.sleep(99)'] if profile == 'python' else []))
        done = immurectl('alice', 'stop', 'nosuch.*', 'sleep.*')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn("No sandbox matches 'nosuch.*'", done.stderr)
        self.assertEqual(len(sandboxes()), 4)
        done = immurectl('alice', 'freeze', '*.3001.?', 'sleep.*')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        done = immurectl('alice', 'stop', '--json=short', 'sleep.*')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(sandboxes()), ['python.3001.1', 'sleep.3002.1'])

    def test_keys_are_found_however_they_are_written(self):
        for pattern in ('memorymax', 'RESOURCES.MemoryMax', '*orymax'):
            done = immurectl('alice', 'keys', pattern)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r'(?m)^MemoryMax +Resources +.*size')
        done = immurectl('alice', 'keys', 'nosuchkey')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('No key is called that', done.stderr)

    def test_nothing_is_paged(self):
        # A pager that runs would leave its mark instead of the text.
        for options in ((), ('--no-pager',)):
            text = self.on_terminal('keys', *options, PAGER='/bin/false', IMMURED_PAGER='/bin/false', SYSTEMD_PAGER='/bin/false')
            self.assertIn('TimeoutStartSec', text)


if __name__ == '__main__':
    main()
