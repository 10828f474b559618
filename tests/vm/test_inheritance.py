#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13
"""Nothing that the manager sets for a keeper reaches an application: its profile alone says what it has."""

import pathlib
import re

from booted import BootedTest, check, drop_in, keeper_unit, main, run_as, systemctl

# A shell and not Python, which ignores SIGPIPE itself.
SHELL = '''[Access]
AllowGroups=users
Arguments=append
[Exec]
ExecStart=/bin/sh -c
StandardOutput=client
StandardError=client
[Files]
BindPaths=%h/data
'''

FACTS = r'''
section() { echo "== $1"; }
section signals; grep -E '^Sig(Ign|Blk)' /proc/self/status
section umask; umask
section limits; cat /proc/self/limits
section oom; cat /proc/self/oom_score_adj
section environment; env
section scheduling; cut -d' ' -f18,19,41 </proc/self/stat
section policy; grep -E '^policy' /proc/self/sched
section io; ionice
section slack; cat /proc/self/timerslack_ns
section dump; cat /proc/self/coredump_filter
section personality; cat /proc/self/personality
section rights; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
section mounts; cut -d' ' -f5,6 </proc/self/mountinfo
section files; ls /proc/self/fd
section groups; grep -E '^Groups' /proc/self/status
section session; cut -d' ' -f7 </proc/self/stat
'''

# Each of these is something a process inherits.
STRANGE = '''[Service]
IgnoreSIGPIPE=no
UMask=0000
LimitCPU=7200
LimitNPROC=4321
LimitSTACK=4M
LimitNICE=5
LimitMEMLOCK=1M
LimitMSGQUEUE=4096
LimitSIGPENDING=99
LimitNOFILE=4096
OOMScoreAdjust=-900
Nice=-3
CPUSchedulingPolicy=batch
IOSchedulingClass=idle
TimerSlackNSec=1ms
CoredumpFilter=all
Environment=LEAKED=1 INVOCATION_ID=leaked LD_PRELOAD=leaked
UtmpIdentifier=leak
'''

# By which a program finds the manager, and a keeper's.
OF_THE_MANAGER = re.compile(r'^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_\w+|NOTIFY_SOCKET|WATCHDOG_\w+|LISTEN_\w+|FDSTORE|'
                            r'(RUNTIME|STATE|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY|MEMORY_PRESSURE_\w+|'
                            r'MAINPID|MANAGERPID|REMOTE_\w+|LEAKED|LD_PRELOAD)=')


def sections(text):
    return {part.partition('\n')[0]: part.partition('\n')[2].splitlines() for part in text.split('== ')[1:]}


class Inheritance(BootedTest):
    def setUp(self):
        pathlib.Path('/home/alice/data').mkdir(exist_ok=True)
        check('chown', 'alice:alice', '/home/alice/data')
        self.profile('shell', SHELL)

    def facts(self):
        done = run_as('alice', 'immurectl', 'run', 'shell', FACTS)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return sections(done.stdout)

    def test_application_has_what_its_profile_says(self):
        facts = self.facts()
        self.assertEqual({line.split()[1] for line in facts['signals']}, {'0' * 16})
        self.assertEqual(facts['umask'], ['0077'])
        self.assertEqual(facts['oom'], ['0'])
        self.assertEqual(facts['scheduling'], ['20 0 0'])
        self.assertEqual([line for line in facts['environment'] if OF_THE_MANAGER.match(line)], [])
        limits = {line[:26].strip(): line[26:].split()[:2] for line in facts['limits'][1:]}
        self.assertEqual(limits['Max open files'], ['1024', '524288'])
        for name in 'Max cpu time', 'Max file size', 'Max address space', 'Max resident set':
            self.assertEqual(limits[name], ['unlimited', 'unlimited'])

    def test_directory_of_the_user_is_writable_and_nothing_else(self):
        facts = self.facts()
        writable = {path for path, options in (line.split() for line in facts['mounts']) if 'rw' in options.split(',')}
        self.assertIn('/home/alice/data', writable)
        self.assertEqual({path for path in writable if path.startswith(('/usr', '/etc'))}, set())

    def test_a_unit_with_other_settings_makes_no_difference(self):
        usual = self.facts()
        systemctl('stop', keeper_unit('alice'))
        with drop_in('immured-user@.service', STRANGE):
            strange = self.facts()
        systemctl('stop', keeper_unit('alice'))
        for what in usual:
            with self.subTest(what):
                self.assertEqual(usual[what], strange[what])


if __name__ == '__main__':
    main()
