#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every number of every system call table, called inside: what passes is what the golden list of the group says.

CENSUS_WRITE=FILE in the environment writes a new golden list, to be read before it is believed.
"""

import errno
import os
import pathlib
import platform
import re
import signal
import subprocess
import unittest

from common import SystemTest, add_profile, immurectl, main, remove_profile

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / 'census.golden'
PROBE = pathlib.Path('/home/alice/census/census')
GROUPS = sorted(p.stem for p in pathlib.Path('/usr/share/immured/seccomp').glob('*.policy'))
NAMED = {line.split('#')[0].strip() for p in pathlib.Path('/usr/share/immured/seccomp').glob('*.policy')
         for line in p.read_text().splitlines()}

# No call of the kernel answers this one, so whoever sees it was refused by the filter.
REFUSED = 'ENOTNAM'

# What the probe cannot do without, whatever the group.
OWN = 'fork wait4 setitimer mmap write exit_group'

# Younger than the headers of Debian 12. Which of them the installed libseccomp knows differs: they are on no list, and
# must be in some group where they pass. The last two pass in any case: the kernel exempts the calls of its own probes,
# which fail for everybody else, from every filter.
YOUNG = dict(enumerate(
    'cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr '
    'lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr '
    'file_setattr listns'.split(), 451)) | {335: 'uretprobe', 336: 'uprobe'}

# What these refuse by argument answers with errnos of its own, for whatever group: off. RestrictAddressFamilies= has no
# such value, so socket and socketpair are on every list.
PROFILE = '''[Access]
AllowUsers=alice
MaxInstances=4
Arguments=append
[Exec]
ExecStart=/home/alice/census/census
StandardOutput=client
StandardError=client
LimitCORE=0
[Namespaces]
RestrictNamespaces=no
[Files]
BindReadOnlyPaths=/home/alice/census
[Security]
LockPersonality=no
RestrictRealtime=no
RestrictSUIDSGID=no
SystemCallErrorNumber={error}
{filter}
'''


def native_names():
    """{number: name} as the installed headers have them."""
    text = subprocess.run(['gcc', '-dM', '-E', '-include', 'asm/unistd_64.h', '-x', 'c', '/dev/null'], check=True,
                          capture_output=True, text=True).stdout
    return {int(number): name for name, number in re.findall(r'^#define __NR_(\w+) (\d+)$', text, re.M)}


def read_golden():
    lines = [line for line in GOLDEN.read_text().splitlines() if line and not line.startswith('#')]
    return {group: set(names.split()) for group, names in (line.split(':') for line in lines)}


def write_golden(path, golden):
    with open(path, 'w', encoding='utf-8') as f:
        f.write('# What passes where SystemCallFilter= names this group alone (and what the probe needs), on x86-64.\n'
                '# Calls that this kernel, or Debian 12\'s libseccomp, does not know are not listed.\n')
        f.writelines(f'{group}: {" ".join(sorted(names))}\n' for group, names in sorted(golden.items()))


@unittest.skipUnless(platform.machine() == 'x86_64', 'the golden list is of x86-64')
class Census(SystemTest):
    @classmethod
    def setUpClass(cls):
        PROBE.parent.mkdir(parents=True)
        subprocess.run(['gcc', '-O1', '-static', '-o', PROBE, HERE / 'census.c'], check=True)
        cls.names = native_names()

    @classmethod
    def tearDownClass(cls):
        PROBE.unlink()
        PROBE.parent.rmdir()

    def census(self, table, filter):
        """{number: result} of one table under this filter."""
        add_profile('census', PROFILE.format(error=REFUSED, filter=filter))
        try:
            done = immurectl('alice', 'run', 'census', table)
        finally:
            remove_profile('census')
        self.assertEqual(done.returncode, 0, done.stderr)
        found = {int(number): result for number, result in re.findall(rf'^{table} (\d+) (.*)$', done.stdout, re.M)}
        self.assertEqual(len(found), 600)
        return found

    def split(self, found):
        """Names that passed, names whose answer is ENOSYS, numbers without a name that passed."""
        passed, absent, unknown = set(), set(), set()
        for number, result in found.items():
            name = self.names.get(number)
            if result == str(-errno.ENOSYS):
                absent.add(name)
            elif result != str(-getattr(errno, REFUSED)):
                self.assertNotIn(result, ('lost', f'killed {int(signal.SIGSYS)}'), name)
                if number in YOUNG:
                    self.assertIn(YOUNG[number], NAMED)
                elif name:
                    passed.add(name)
                else:
                    unknown.add(number)
        return passed, absent, unknown

    def test_each_group_lets_through_what_its_golden_list_says(self):
        golden, taken = read_golden() if GOLDEN.exists() else {}, {}
        for group in GROUPS:
            with self.subTest(group):
                passed, absent, unknown = self.split(self.census('native', f'SystemCallFilter=@{group} {OWN}'))
                taken[group] = passed
                self.assertEqual(unknown, set(), 'passed without a name')
                if 'CENSUS_WRITE' not in os.environ:
                    self.assertEqual(passed - golden[group], set(), 'passed, though not on the list')
                    self.assertEqual(golden[group] - passed - absent, set(), 'refused, though on the list')
        if path := os.environ.get('CENSUS_WRITE'):
            write_golden(path, taken)

    def test_the_default_refuses_what_leads_out(self):
        passed, _, _ = self.split(self.census('native', ''))
        for name in ('bpf', 'delete_module', 'finit_module', 'init_module', 'io_uring_setup', 'kexec_load', 'keyctl', 'mount',
                     'move_mount', 'open_by_handle_at', 'perf_event_open', 'pidfd_getfd', 'pivot_root', 'process_vm_readv',
                     'process_vm_writev', 'ptrace', 'reboot', 'setns', 'swapon', 'umount2', 'unshare', 'userfaultfd'):
            self.assertNotIn(name, passed)

    def test_no_call_of_another_table_is_made(self):
        for table in ('i386', 'x32'):
            for filter in ('', f'SystemCallFilter={" ".join("@" + g for g in GROUPS)}'):
                with self.subTest(table, filter=filter):
                    found = set(self.census(table, filter).values())
                    # Without the 32-bit table in the kernel the instruction itself is a fault.
                    self.assertIn(found, ({f'killed {int(signal.SIGSYS)}'}, {f'killed {int(signal.SIGSEGV)}'}))


if __name__ == '__main__':
    main()
