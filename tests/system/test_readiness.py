#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an application says of itself through the wall: readiness, status, signs of life; and all that does not pass."""

import os
import pathlib
import signal
import time

from common import (SystemTest, add_profile, busctl, gdbus, immurectl, launch, main, pids_of, remove_profile,
                    restart_broker, sandboxes, sandbox_property, start_as, state, wait_for)

PROFILE = {
    'Access': {'AllowGroups': 'users', 'MaxInstances': '8', 'Arguments': 'append'},
    'Exec': {'ExecStart': '/usr/bin/python3 -I -c', 'StandardOutput': 'client', 'StandardError': 'client'},
    'Service': {'Type': 'notify'},
}

# What every program here begins with.
SPEAK = """
import array, os, signal, socket, subprocess, sys, time
link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
link.connect(os.environ['NOTIFY_SOCKET'])
def say(text, *fds):
    link.sendmsg([text.encode() if isinstance(text, str) else text],
                 [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])
def barrier():
    reader, writer = os.pipe()
    say('BARRIER=1', writer)
    os.close(writer)
    os.read(reader, 1)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
def wait():
    signal.sigwait([signal.SIGUSR1])
"""

ID = 'ready.3001.1'


def keeper_pid():
    """alice's."""
    return next(pid for pid in pids_of('immured-keeper')
                if b'--uid=3001' in pathlib.Path(f'/proc/{pid}/cmdline').read_bytes())


def processor_time(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(') ', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class ReadinessTest(SystemTest):
    def profile(self, more=''):
        """The profile with further lines, of [Service] at first; a key of the same name is replaced."""
        keys, section = {name: dict(section) for name, section in PROFILE.items()}, 'Service'
        for line in more.splitlines():
            if line.startswith('['):
                section = line.strip('[]')
            else:
                keys.setdefault(section, {}).update([line.split('=', 1)])
        add_profile('ready', ''.join(f'[{name}]\n' + ''.join(f'{k}={v}\n' for k, v in section.items())
                                     for name, section in keys.items()))
        self.addCleanup(remove_profile, 'ready')

    def start(self, program, *options):
        """A launch that is not waited for; the end of it tells how it went."""
        client = start_as('alice', 'busctl', '--system', 'call', '--', 'org.immured.Broker1', '/org/immured/Broker1',
                          'org.immured.Broker1.Manager', 'Launch', 'sa{sv}', 'ready', '1', 'Arguments', 'as', '1',
                          SPEAK + program)
        self.addCleanup(client.communicate)
        return client, wait_for('the sandbox', lambda: sandboxes().get(ID))['path']

    def launch(self, program):
        return launch('alice', 'ready', SPEAK + program)

    def run_client(self, program):
        return immurectl('alice', 'run', 'ready', SPEAK + program)

    def wait_until(self, path, **properties):
        for name, value in properties.items():
            wait_for(f'{name} {value}', lambda: sandbox_property(path, name) == value)

    def tell(self, id=ID):
        busctl('alice', 'Kill', 'ssi', id, 'main', signal.SIGUSR1)


class Ready(ReadinessTest):
    def test_launch_is_done_when_the_application_says_so(self):
        self.profile()
        client, path = self.start('say("STATUS=warming up"); wait(); say("READY=1\\nSTATUS=serving"); wait()')
        self.wait_until(path, SubState='start', StatusText='warming up')
        self.assertEqual(sandbox_property(path, 'State'), 'starting')
        self.assertIsNone(client.poll())
        self.tell()
        self.assertEqual(client.wait(60), 0, client.stderr.read())
        self.assertEqual(sandbox_property(path, 'State'), 'running')
        self.assertEqual(sandbox_property(path, 'SubState'), 'running')
        self.wait_until(path, StatusText='serving')
        self.assertIn('serving', immurectl('alice', 'status', ID).stdout)

    def test_launch_that_is_not_to_wait_does_not(self):
        self.profile()
        reply = gdbus('alice', 'Launch', 'ready', "{'Wait': <false>, 'Arguments': <%r>}" %
                      [SPEAK + 'say("STATUS=here"); wait(); say("READY=1"); wait()'])
        self.assertIn(ID, reply)
        path = sandboxes()[ID]['path']
        self.assertEqual(sandbox_property(path, 'SubState'), 'start')
        self.assert_refused('Busy', 'being started', gdbus, 'alice', 'Restart', ID)
        # The signal would end a program that has not blocked it yet.
        self.wait_until(path, SubState='start', StatusText='here')
        self.tell()
        self.wait_until(path, State='running')

    def test_client_with_a_lease_can_signal_what_is_not_ready_yet(self):
        self.profile()
        done = start_as('alice', 'immurectl', 'run', 'ready',
                        SPEAK + 'signal.signal(2, lambda *_: os._exit(7)); say("STATUS=here"); time.sleep(999)')
        path = wait_for('the sandbox', lambda: sandboxes().get(ID))['path']
        self.wait_until(path, StatusText='here')
        done.send_signal(signal.SIGINT)
        self.assertEqual(done.wait(60), 7)
        self.assertEqual(sandbox_property(path, 'Result'), 'exit-code')
        done.communicate()

    ENDS = [
        ('sys.exit(0)', 'status 0', 'exit-code', 0),
        ('sys.exit(3)', 'status 3', 'exit-code', 3),
        ('os.kill(os.getpid(), 9)', 'SIGKILL', 'signal', 137),
        ('os.kill(os.getpid(), 15)', 'SIGTERM', 'signal', 143),
        ('say("WATCHDOG=trigger"); time.sleep(999)', 'stuck', 'watchdog', 134),
    ]

    def test_launch_fails_when_the_application_ends_before(self):
        self.profile('Restart=always\n')
        for program, text, result, status in self.ENDS:
            with self.subTest(program):
                self.assert_refused('SetupFailed', f'ready: .*{text}', gdbus, 'alice', 'Launch', 'ready',
                                    "{'Arguments': <%r>}" % [SPEAK + program])
                self.assertEqual(sandboxes(), {}, 'a launch that failed leaves nothing')
                done = self.run_client(program)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertEqual(sandbox_property(sandboxes()[ID]['path'], 'Result'), result)
                busctl('alice', 'ResetFailed', 's', ID)

    def test_readiness_that_was_said_last_counts(self):
        self.profile()
        for _ in range(5):
            done = self.run_client('say("READY=1")')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(sandboxes(), {})

    def test_stop_before_readiness_ends_the_launch(self):
        self.profile()
        client, path = self.start('signal.signal(15, lambda *_: sys.exit(0)); say("STATUS=up"); time.sleep(999)')
        self.wait_until(path, StatusText='up')
        busctl('alice', 'Stop', 's', ID)
        self.assertIn('it was stopped', client.communicate(timeout=60)[1].decode())
        self.assertNotEqual(client.returncode, 0)
        self.assertEqual(sandboxes(), {})

    def test_restart_is_done_when_the_next_run_is_ready(self):
        self.profile('Restart=on-failure\n')
        id, path = self.launch('say("READY=1"); wait()')
        pid = sandbox_property(path, 'MainPID')
        busctl('alice', 'Restart', 's', id)
        self.assertEqual(sandbox_property(path, 'State'), 'running')
        self.assertNotEqual(sandbox_property(path, 'MainPID'), pid)
        busctl('alice', 'Kill', 'ssi', id, 'main', 9)
        self.wait_until(path, NRestarts=1, State='running')

    def test_broker_that_goes_away_meanwhile_disturbs_nothing(self):
        self.profile()
        client, path = self.start('say("STATUS=one"); wait(); say("READY=1\\nSTATUS=two"); wait()')
        self.wait_until(path, StatusText='one')
        restart_broker(signal.SIGKILL)
        wait_for('the keeper', lambda: ID in sandboxes())
        self.assertEqual(sandbox_property(path, 'SubState'), 'start')
        self.tell()
        self.wait_until(path, StatusText='two', State='running')


class Timeouts(ReadinessTest):
    def test_time_for_the_start_is_limited(self):
        self.profile('TimeoutStartSec=1s\n')
        self.assert_refused('SetupFailed', 'TimeoutStartSec', self.launch, 'time.sleep(999)')
        self.assertEqual(sandboxes(), {})
        self.assertEqual(self.run_client('time.sleep(999)').returncode, 143)
        self.assertEqual(sandbox_property(sandboxes()[ID]['path'], 'Result'), 'timeout')

    def test_application_may_ask_for_more_time(self):
        self.profile('TimeoutStartSec=4s\nRuntimeMaxSec=2s\nTimeoutStopSec=1s\n')
        program = ('signal.signal(15, lambda *_: (say("EXTEND_TIMEOUT_USEC=9000000"), time.sleep(2), os._exit(0)))\n'
                   'say("EXTEND_TIMEOUT_USEC=30000000"); time.sleep(5); say("READY=1")\n'
                   'say("EXTEND_TIMEOUT_USEC=15000000"); time.sleep(3); say("STATUS=still here"); time.sleep(999)')
        id, path = self.launch(program)
        self.wait_until(path, StatusText='still here')
        self.assertEqual(sandbox_property(path, 'State'), 'running')
        busctl('alice', 'Stop', 's', id)
        self.assertNotIn(id, sandboxes())

    def test_more_time_has_an_end(self):
        self.profile('TimeoutStartSec=1s\nTimeoutStopSec=200ms\n')
        program = ('signal.signal(15, lambda *_: None)\n'
                   'while True: say("EXTEND_TIMEOUT_USEC=999999999999"); time.sleep(.05)')
        self.assert_refused('SetupFailed', 'TimeoutStartSec', self.launch, program)


class Status(ReadinessTest):
    def test_status_is_text_that_can_be_shown(self):
        self.profile()
        id, path = self.launch('say(b"READY=1\\nSTATUS=\\x1b[2J\\xff " + "größer".encode() + b"x" * 3000); wait()')
        text = wait_for('the status', lambda: sandbox_property(path, 'StatusText'))
        self.assertTrue(text.startswith('\ufffd[2J\ufffd größerxxx'), text)
        self.assertLess(len(text.encode()), 512)

    def test_application_may_say_what_it_is_doing(self):
        self.profile()
        id, path = self.launch('say("READY=1"); wait(); say("RELOADING=1"); wait(); say("READY=1"); wait()\n'
                               'say("STOPPING=1\\nSTATUS=leaving"); wait()')
        for sub_state in ('reloading', 'running'):
            self.tell()
            self.wait_until(path, SubState=sub_state)
            self.assertEqual(sandbox_property(path, 'State'), 'running')
        self.tell()
        self.wait_until(path, SubState='stop-signal', State='stopping', StatusText='leaving')
        self.tell()
        wait_for('its end', lambda: id not in sandboxes())

    def test_status_belongs_to_its_run(self):
        self.profile('Restart=always\nRestartSec=0\n[Files]\nPersistentHome=yes\n')
        id, path = self.launch('first = not os.path.exists("seen")\nopen("seen", "w").close()\n'
                               'say("READY=1\\nSTATUS=mine" if first else "READY=1"); wait(); os.unlink("seen")')
        self.wait_until(path, StatusText='mine')
        busctl('alice', 'Kill', 'ssi', id, 'main', 9)
        self.wait_until(path, NRestarts=1, State='running')
        self.assertEqual(sandbox_property(path, 'StatusText'), '')
        self.tell()
        self.wait_until(path, NRestarts=2)

    def test_other_types_may_say_something_too(self):
        self.profile('Type=exec\nNotifyAccess=main\n')
        id, path = self.launch('say("STATUS=hello"); wait()')
        self.wait_until(path, StatusText='hello', State='running')


class Watchdog(ReadinessTest):
    PING = 'say("READY=1")\nfor _ in range({n}): say("WATCHDOG=1"); time.sleep(.2)\ntime.sleep(999)'

    def test_silence_ends_a_run(self):
        self.profile('WatchdogSec=1s\n')
        id, path = self.launch(self.PING.format(n=8))
        self.wait_until(path, State='failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'watchdog')
        self.assertEqual(sandbox_property(path, 'ExecMainStatus'), signal.SIGABRT)
        self.assertIn('WatchdogSec=', immurectl('alice', 'status', id).stdout)

    def test_what_does_not_heed_the_abort_is_killed(self):
        self.profile('WatchdogSec=200ms\nTimeoutStopSec=200ms\n')
        id, path = self.launch('signal.signal(6, lambda *_: say("STATUS=no"))\nsay("READY=1")\n'
                               'while True: time.sleep(9)')
        self.wait_until(path, State='failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'watchdog')
        self.assertEqual(sandbox_property(path, 'ExecMainStatus'), signal.SIGKILL)
        self.assertEqual(sandbox_property(path, 'StatusText'), 'no')

    def test_watchdog_is_a_failure_to_restart_after(self):
        for policy, restarted in (('on-failure', True), ('on-abnormal', True), ('always', True), ('on-success', False),
                                  ('no', False)):
            with self.subTest(policy):
                self.profile(f'Restart={policy}\nRestartSec=0\nStartLimitBurst=2\nStartLimitIntervalSec=infinity\n')
                id, path = self.launch('say("READY=1"); say("WATCHDOG=trigger"); time.sleep(999)')
                self.wait_until(path, State='failed')
                self.assertEqual(sandbox_property(path, 'Result'), 'start-limit' if restarted else 'watchdog')
                self.assertEqual(sandbox_property(path, 'NRestarts'), int(restarted))
                busctl('alice', 'ResetFailed', 's', id)
                self.doCleanups()

    def test_signs_of_life_are_enough(self):
        self.profile('WatchdogSec=1s\n')
        id, path = self.launch('say("READY=1")\nfor i in range(20): say(f"WATCHDOG=1\\nSTATUS={i}"); time.sleep(.1)\n'
                               'say("STOPPING=1")')
        wait_for('its end', lambda: id not in sandboxes())

    def test_frozen_owe_no_sign_of_life(self):
        self.profile('WatchdogSec=1s\n')
        id, path = self.launch('say("READY=1")\nwhile True: say("WATCHDOG=1"); time.sleep(.1)')
        pid = sandbox_property(path, 'MainPID')
        busctl('alice', 'Freeze', 's', id)
        time.sleep(2.5)
        self.assertEqual(sandbox_property(path, 'SubState'), 'frozen')
        busctl('alice', 'Thaw', 's', id)
        time.sleep(1.5)
        self.assertEqual(sandbox_property(path, 'State'), 'running')
        self.assertEqual(sandbox_property(path, 'MainPID'), pid)

    def test_watchdog_without_readiness(self):
        self.profile('Type=exec\nWatchdogSec=300ms\n')
        id, path = self.launch('time.sleep(999)')
        self.wait_until(path, State='failed')
        self.assertEqual(sandbox_property(path, 'Result'), 'watchdog')


class Access(ReadinessTest):
    CHILD = 'subprocess.run([sys.executable, "-I", "-c", %r]); wait()' % (SPEAK + 'say("READY=1\\nSTATUS=child")')

    def test_main_is_the_application_alone(self):
        self.profile('TimeoutStartSec=3s\n')
        self.assert_refused('SetupFailed', 'TimeoutStartSec', self.launch, self.CHILD)

    def test_all_are_all_of_the_sandbox(self):
        self.profile('NotifyAccess=all\n')
        id, path = self.launch(self.CHILD)
        self.wait_until(path, StatusText='child', State='running')

    def test_the_usual_tool_works_inside(self):
        self.profile('NotifyAccess=all\n[Exec]\nExecStart=/bin/sh -c\n')
        id, path = launch('alice', 'ready', 'systemd-notify --ready --status="by $0" && exec sleep infinity')
        self.wait_until(path, StatusText='by /bin/sh')

    def test_every_way_to_have_ids_can_speak(self):
        for users in ('pick', 'self', 'identity'):
            for more in ('', '[Files]\nProtectSystem=full\n', '[Security]\nLandlock=no\n', '[Exec]\nProcessTwo=no\n',
                         '[Exec]\nUMask=0777\n'):
                with self.subTest(users=users, more=more):
                    self.profile(f'{more}[Namespaces]\nPrivateUsers={users}\n')
                    id, path = self.launch(f'say("READY=1\\nSTATUS={users}"); barrier(); signal.pause()')
                    self.wait_until(path, StatusText=users, State='running')
                    busctl('alice', 'Kill', 'ssi', id, 'all', 9)
                    wait_for('its end', lambda: sandboxes()[id]['state'] == 'failed')
                    busctl('alice', 'ResetFailed', 's', id)
                    self.doCleanups()


class Environment(ReadinessTest):
    TELL = 'print({k: v for k, v in os.environ.items() if k.startswith(("NOTIFY", "WATCHDOG"))})\n'

    def test_variables_are_ours_alone(self):
        self.profile('WatchdogSec=90s\n[Access]\nPassEnvironment=NOTIFY_SOCKET WATCHDOG_USEC\n'
                     '[Exec]\nEnvironment=NOTIFY_SOCKET=/x WATCHDOG_PID=1\nUnsetEnvironment=NOTIFY_SOCKET\n')
        done = immurectl('alice', 'run', '-E', 'WATCHDOG_USEC=5', 'ready', SPEAK + self.TELL + 'say("READY=1")')
        self.assertEqual(eval(done.stdout), {'NOTIFY_SOCKET': '/run/immured/notify', 'WATCHDOG_USEC': '90000000'},
                         done.stderr)

    def test_without_need_there_is_no_socket(self):
        self.profile('Type=exec\n[Exec]\nEnvironment=NOTIFY_SOCKET=/x\n')
        done = immurectl('alice', 'run', 'ready', 'import os\n' + self.TELL + 'print(os.path.exists("/run/immured"))')
        self.assertEqual(done.stdout, '{}\nFalse\n', done.stderr)


class Hostile(ReadinessTest):
    def test_socket_stays_where_it_is(self):
        program = """
def tried(what, *arguments):
    try:
        what(*arguments)
    except OSError as error:
        return type(error).__name__
    return 'done'
socket_path, directory = '/run/immured/notify', '/run/immured'
other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
print(tried(os.unlink, socket_path), tried(os.rename, socket_path, '/run/immured/x'), tried(os.chmod, socket_path, 0),
      tried(os.rename, directory, '/run/x'), tried(os.rmdir, directory), tried(other.bind, '/run/immured/x'),
      tried(open, socket_path, 'rb'), tried(open, '/run/immured/file', 'w'))
say('READY=1')
"""
        for more in ('', '[Files]\nProtectSystem=full\n'):
            self.profile(more)
            done = self.run_client(program)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn('done', done.stdout)
            self.assertEqual(len(done.stdout.split()), 8, done.stdout)
            self.doCleanups()

    def test_nothing_else_passes(self):
        self.profile()
        id, path = self.launch("""
say('READY=1')
fd = os.open('/dev/null', os.O_RDONLY)
for line in ('MAINPID=1', f'MAINPID={os.getppid()}', 'MAINPIDFD=1', 'FDSTORE=1\\nFDNAME=x', 'FDSTOREREMOVE=1',
             'NOTIFYACCESS=all', 'WATCHDOG_USEC=1', 'ERRNO=5', 'BUSERROR=x', 'STATUS', 'READY', '=', '\\0'):
    say(line)
    say(line, fd, fd)
for size in (4097, 100000):
    say('STATUS=' + 'x' * size)
try:
    say(b'STATUS=' + bytes(200 << 20))
except OSError as error:
    say(f'STATUS=refused {error.errno}')
barrier()
say('STATUS=through')
wait()
""")
        pid = sandbox_property(path, 'MainPID')
        self.wait_until(path, StatusText='through')
        self.assertEqual(sandbox_property(path, 'State'), 'running')
        self.assertEqual(sandbox_property(path, 'MainPID'), pid)

    FLOODS = {
        'words': 'while True: say(f"STATUS={time.time()}\\nWATCHDOG=1\\nEXTEND_TIMEOUT_USEC=1")',
        'nonsense': 'while True: say(os.urandom(3000))',
        # The kernel lets nobody have more of them on their way than LimitNOFILE=.
        'descriptors': 'fd = os.open("/dev/null", 0)\nwhile True:\n'
                       '  try: say("FDSTORE=1", *[fd] * 253)\n  except OSError: time.sleep(.001)',
        'no reader': 'link.setblocking(False)\nwhile True:\n  try: say("STATUS=x")\n  except OSError: pass',
    }

    def test_flood_holds_up_nobody(self):
        self.profile()
        for name, flood in self.FLOODS.items():
            with self.subTest(name):
                id, path = self.launch('say("READY=1")\n' + flood)
                keeper = keeper_pid()
                files = len(os.listdir(f'/proc/{keeper}/fd'))
                busy, since = processor_time(keeper), time.monotonic()
                for _ in range(3):
                    other, _ = self.launch('say("READY=1"); barrier(); wait()')
                    busctl('alice', 'Stop', 's', other)
                time.sleep(1)
                self.assertLess(processor_time(keeper) - busy, (time.monotonic() - since) / 2)
                self.assertLessEqual(len(os.listdir(f'/proc/{keeper}/fd')), files + 2)
                self.assertEqual(sandbox_property(path, 'State'), 'running')
                busctl('alice', 'Stop', 's', id)
                self.assertNotIn(id, sandboxes())

    def test_descriptor_that_does_not_want_to_close_holds_up_nobody(self):
        self.profile('[Network]\nMode=none\n')
        id, path = self.launch("""
import struct
say('READY=1')
server = socket.create_server(('127.0.0.1', 0))
for _ in range(3):
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 3600))
    client.setblocking(False)
    try:
        while client.send(bytes(65536)):
            pass
    except BlockingIOError:
        pass
    say('BARRIER=1', client.detach())
say('STATUS=sent')
wait()
""")
        busctl('alice', 'Freeze', 's', id)
        busctl('alice', 'Thaw', 's', id)
        self.assertEqual(sandbox_property(path, 'State'), 'running')
        busctl('alice', 'Stop', 's', id)

    def test_nothing_is_left_behind(self):
        self.profile('Restart=on-failure\nRestartSec=0\n')
        id, _ = self.launch('say("READY=1"); wait()')
        # A second one at the same time: ids that were picked once stay the keeper's.
        busctl('alice', 'Stop', 's', self.launch('say("READY=1"); wait()')[0])
        before = state()
        for program in ('say("READY=1"); wait()', 'fd = os.open("/dev/null", 0)\nsay("READY=1")\n'
                        'while True: say("BARRIER=1", fd)', 'say("READY=1")\nwhile True: say("STATUS=x")'):
            other, path = self.launch(program)
            busctl('alice', 'Kill', 'ssi', other, 'main', 9)
            self.wait_until(path, NRestarts=1)
            busctl('alice', 'Stop', 's', other)
        self.assert_unchanged(before)


if __name__ == '__main__':
    main()
