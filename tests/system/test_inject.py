#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# sanitizers: no, theirs are calls of the system too and end the process where they fail
"""Each system call that the broker, a keeper or its seed makes for a launch fails once: an error or the whole sandbox,
and nothing is left; whoever else has a sandbox does not notice.

INJECT= in its environment says which: "each" is every call with one error of four in turn, "all" with each of them, and
TARGET:CALL:ERROR, as a failure is told, one alone. Without it a few are looked at. From call to answer, main threads
alone; what immured-exec does, test-exec-inject looks at.
"""

import collections
import contextlib
import difflib
import errno
import os
import pathlib
import pprint
import re
import select
import signal
import struct
import subprocess
import time

from common import (BUS, BusError, PATIENCE, ROOT, SystemTest, add_profile, broker_is_there, broker_pid, busctl, launch, main, pids_of,
                    processes, remove_profile, sandbox_property, sandboxes, state, stop_all, wait_for)
from rawbus import bus_of, launch_body, read_string, string

HERE = pathlib.Path(__file__).resolve().parent
PLACE = pathlib.Path('/home/alice/inject')
INJECT = pathlib.Path('/run/inject-attach')

ERRORS = [errno.ENOMEM, errno.EPERM, errno.EMFILE, errno.ENOSYS]
WANTED = os.environ.get('INJECT')
# Every how many-th is looked at without it; starting a keeper takes more of them, and longer.
SAMPLE, SAMPLE_STARTING = 12, 45

ACCESS = '[Access]\nAllowGroups=users\nMaxInstances=32\n'
FACTS = f'''{ACCESS}[Exec]
ExecStart=/usr/bin/sh -c '{PLACE}/probe facts; echo end; exec /usr/bin/sleep infinity'
StandardOutput=client
[Service]
TimeoutStartSec=20s
[Files]
BindReadOnlyPaths={PLACE}
'''

DBUS_ERROR = 'org.freedesktop.DBus.Error.'
LEASE_ENDED = f'{BUS}.Error.LeaseEnded'

# sd-bus gives up a connection whose socket fails, and without the bus the broker ends and is started again.
MAY_END = {'broker': ['recvmsg'], 'keeper': []}

# Numbers that no two launches share, and what depends on when one looks.
VARIES = re.compile(r'ns/|env=INVOCATION_ID|uid_map=|status=(Vm|Rss|Hugetlb|Cpu|SigQ|TracerPid|voluntary|nonvoluntary|Mem|THP)')


def facts_of(output):
    """All that the application found, comparable: mounts without their numbers, devices and peers."""
    found = []
    for line in output.splitlines():
        if line.startswith('mount='):
            line = ' '.join(w for i, w in enumerate(line.split(' ')) if i >= 3 and not w.startswith('master:'))
        if not VARIES.match(line):
            found.append(line)
    return found


def keeper_pid():
    """alice's, or None."""
    for pid in pids_of('immured-keeper'):
        with contextlib.suppress(OSError):
            if b'--uid=3001' in pathlib.Path(f'/proc/{pid}/cmdline').read_bytes():
                return pid
    return None


def seed_pid():
    """That of her keeper."""
    for pid in pids_of('immured-seed'):
        with contextlib.suppress(OSError):
            if int(pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(') ', 1)[1].split()[1]) == keeper_pid():
                return pid
    return None


def everything():
    """What must be as before: a daemon that was started again has another number, so they are counted by name."""
    found = state()
    found['processes'] = sorted(name for _, name in found['processes'])
    del found['namespaces'], found['shared memory']
    return found


def is_wanted(target, n, error):
    if not WANTED:
        return n % target.sample == 0 and n // target.sample % len(ERRORS) == error
    if WANTED == 'each':
        return n % len(ERRORS) == error
    return WANTED in ('all', f'{target.name}:{n}:{errno.errorcode[ERRORS[error]]}')


def flat(reference):
    facts, enforced = reference
    return [*facts, *enforced]


def end_keeper():
    """The next launch starts another one."""
    if pid := keeper_pid():
        os.kill(pid, signal.SIGKILL)
        wait_for('its end', lambda: not keeper_pid() and not seed_pid())
    return True


class Target(collections.namedtuple('Target', 'name who daemon prepare n_max sample',
                                    defaults=[lambda: None, 1000, SAMPLE])):
    """Whose calls fail, what is to be done before each launch, how many calls are the launch's."""


class Injector:
    def __init__(self, who, pid, n, error):
        self.process = subprocess.Popen([INJECT, who, str(pid), str(n), str(error)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == 'ready\n'

    def finish(self):
        """(number of calls, name of the one that failed or None)"""
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=PATIENCE)
        n, name = output.split()
        return int(n), None if name == '-' else name


class Injections(SystemTest):
    @classmethod
    def setUpClass(cls):
        PLACE.mkdir(exist_ok=True)
        subprocess.run(['gcc', '-D_GNU_SOURCE', '-O1', '-static', '-o', PLACE / 'probe', HERE / 'exec/probe.c'], check=True)
        subprocess.run(['gcc', '-D_GNU_SOURCE', '-O1', '-o', INJECT, HERE / 'exec/inject-attach.c', HERE / 'exec/inject-call.c',
                        '-lseccomp'], check=True)
        add_profile('facts', FACTS)

    @classmethod
    def tearDownClass(cls):
        remove_profile('facts')

    USERS = 'alice', 'bob'

    def setUp(self):
        self.complaints, self.bystanders, self.pids = [], {}, {}
        for user in self.USERS:
            self.begin(user)
        self.bus = bus_of('alice')
        self.bus.socket.settimeout(PATIENCE)

    def begin(self, user):
        """A sandbox of somebody who is not to notice anything."""
        self.bystanders[user] = launch(user, 'sleep')
        self.pids[user] = sandbox_property(self.bystanders[user][1], 'MainPID')

    def complain(self, what, text):
        print(f'{what}: {text}', flush=True)
        self.complaints.append((what, text))

    def launch(self):
        """(name of the error or None, its text or the sandbox's path, the reading end of its output)"""
        reader, writer = os.pipe()
        try:
            error, text, lease = self.bus.launch_leased('facts', ['stdout'])
            if lease:
                error, text = self.follow(lease, text, writer)
        finally:
            os.close(writer)
        return error, text, reader

    @staticmethod
    def follow(lease, id, writer):
        """What comes of it, as launch() says it."""
        with contextlib.suppress(BrokenPipeError):
            lease.send_streams({'stdout': writer})
        packet = lease.read()
        lease.close()
        if 'STATE' in packet:
            return None, id
        return packet.get('ERROR', LEASE_ENDED), packet.get('TEXT', 'the lease has ended')

    @staticmethod
    def read_facts(reader):
        """Until its end, or that of all who could write more."""
        output = b''
        while not output.endswith(b'\nend\n') and select.select([reader], [], [], PATIENCE)[0]:
            more = os.read(reader, 65536)
            if not more:
                break
            output += more
        os.close(reader)
        return output.decode()

    def others(self):
        """Sandboxes that are not the bystanders'."""
        known = [id for id, _ in self.bystanders.values()]
        return {id: row for id, row in sandboxes().items() if id not in known}

    def clear(self):
        def is_clear():
            for id, row in (others := self.others()).items():
                with contextlib.suppress(BusError):
                    busctl('root', 'ResetFailed' if row['state'] in ('failed', 'exited') else 'Stop', 's', id)
            return not others
        wait_for('an end of the sandboxes', is_clear)

    def take_reference(self):
        """What an undisturbed launch comes to; None: an error."""
        error, text, reader = self.launch()
        if error:
            os.close(reader)
            return None
        facts = facts_of(self.read_facts(reader))
        enforced = sandbox_property(self.others()[text]['path'], 'Enforced')
        self.clear()
        return facts, enforced

    def inject(self, target, n, error):
        """One launch with one fault: (its error or None, what the application wrote, name of the call or None)."""
        injector = Injector(target.who, target.daemon(), n, error)
        answer, text, reader = self.launch()
        _, call = injector.finish()
        self.settle()
        return answer, text, reader, call

    def judge(self, what, answer, text, reader):
        """Whether it was the whole sandbox, and no error."""
        facts, enforced = self.reference
        if answer is None:
            found = facts_of(self.read_facts(reader))
            self.expect(what, flat((found, sandbox_property(self.others()[text]['path'], 'Enforced'))), flat(self.reference))
            return True
        if not text or not answer.startswith((BUS + '.Error.', DBUS_ERROR, 'System.Error.')):
            self.complain(what, f'the error is {answer}: {text}')
        running = [row for row in self.others().values() if row['state'] == 'running']
        if answer == LEASE_ENDED and not running:
            self.complain(what, 'the lease ended without a word of why')
        for row in running:
            # The answer was lost, the sandbox was not.
            print(f'{what}: {answer}: {text}; and there it is', flush=True)
            self.expect(what, sandbox_property(row['path'], 'Enforced'), enforced)
        self.clear()
        found = facts_of(self.read_facts(reader))
        self.expect(what, found, facts if running else facts[:len(found)])
        return False

    def expect(self, what, found, wanted):
        if found != wanted:
            lines = list(difflib.unified_diff(wanted, found, lineterm='', n=0))
            self.complain(what, f'it differs: {lines[3:9]}')

    def settle(self):
        """A broker that was started again knows nothing until the keepers are back."""
        wait_for('the broker', broker_is_there)
        kept = [id for user, (id, _) in self.bystanders.items() if os.path.exists(f'/proc/{self.pids[user]}')]
        wait_for('the keepers', lambda: all(sandboxes().get(id, {}).get('state') == 'running' for id in kept))

    def check_daemons(self, what, call, before):
        """Whoever ended may have done so only for a reason that is known; who has a sandbox has it still."""
        after = self.daemons()
        for name in before:
            if before[name] and after[name] != before[name] and call not in MAY_END[name]:
                self.complain(what, f'the {name} has ended')
        for user in self.bystanders:
            if not os.path.exists(f'/proc/{self.pids[user]}'):
                self.complain(what, f'the other sandbox of {user} is gone')
                self.begin(user)
        return after

    def expect_unchanged(self, what, before):
        """What is on its way out gets the time it needs."""
        end = time.monotonic() + 20
        while (after := {k: v for k, v in everything().items() if k in before}) != before and time.monotonic() < end:
            time.sleep(0.05)
        for kind in before:
            if before[kind] != after[kind]:
                texts = [pprint.pformat(found[kind]).splitlines() for found in (before, after)]
                lines = list(difflib.unified_diff(*texts, lineterm='', n=0))
                self.complain(what, f'{kind} differ: {lines[3:20]}')

    def daemons(self):
        return {'broker': broker_pid(), 'keeper': keeper_pid()}

    def try_call(self, target, n, error):
        """True: the whole sandbox, False: an error, None: there was no such call."""
        what = f'{target.name}:{n}:{errno.errorcode[error]}'
        before = everything()
        target.prepare()
        daemons = self.daemons()
        answer, text, reader, call = self.inject(target, n, error)
        if call is None:
            os.close(reader)
            self.clear()
            return None

        what += f' ({call})'
        whole = self.judge(what, answer, text, reader)
        if WANTED:
            print(f'{what}: {answer}: {text}' if answer else f'{what}: whole', flush=True)
        after = self.check_daemons(what, call, daemons)
        if answer == DBUS_ERROR + 'NoReply' and after['broker'] == daemons['broker']:
            self.complain(what, f'no reply from a broker that is alive: {text}')
        self.clear()
        if after['broker'] != daemons['broker']:
            del before['files of the broker']  # a new one has no keepers for children
        # Before the rest is looked at, as a seed that ended comes back with it; and not always at once, as an account
        # that could not be looked up is asked for again only after some seconds.
        self.expect(what, flat(wait_for('the next launch', self.take_reference)), flat(self.reference))
        if target.prepare():
            # A keeper that could not start a seed goes without one: slower, and as safe. The next has it again.
            wait_for('the next launch', self.take_reference)
        self.expect_unchanged(what, before)
        return whole

    def try_all(self, target):
        self.reference = self.take_reference()
        target.prepare()
        injector = Injector(target.who, target.daemon(), 0, 1)
        os.close(self.launch()[2])
        n_calls, _ = injector.finish()
        self.clear()
        count = {True: 0, False: 0, None: 0}
        n_calls = min(n_calls, target.n_max)
        for n in range(1, n_calls + 1):
            for i, error in enumerate(ERRORS):
                if is_wanted(target, n, i):
                    count[self.try_call(target, n, error)] += 1
        print(f'{target.name}: {n_calls} calls, {count[False]} errors, {count[True]} whole sandboxes, {count[None]} missed',
              flush=True)
        self.assertEqual(self.complaints, [])



class Running(Injections):
    """Alice's keeper is there, with a sandbox that is not to notice anything."""

    def test_broker(self):
        self.try_all(Target('broker', 'self', broker_pid))

    def test_keeper(self):
        self.try_all(Target('keeper', 'self', keeper_pid))

    def test_seed(self):
        self.try_all(Target('seed', 'self', seed_pid))

    def test_process_before_it_is_immured_exec(self):
        # From then on test-exec-inject fails its calls.
        self.try_all(Target('grown', 'child', seed_pid, n_max=32))


class Starting(Injections):
    """Alice's keeper is started for each launch."""

    USERS = 'bob',

    def test_broker_that_starts_a_keeper(self):
        self.try_all(Target('starter', 'self', broker_pid, end_keeper, sample=SAMPLE_STARTING))

    def test_keeper_before_it_is_executed(self):
        self.try_all(Target('spawned', 'child', broker_pid, end_keeper, sample=SAMPLE_STARTING))

    def test_keeper_that_starts(self):
        self.try_all(Target('started', 'started', broker_pid, end_keeper, sample=SAMPLE_STARTING))


if __name__ == '__main__':
    main()
