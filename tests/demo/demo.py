#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Four real programs in sandboxes, launched by two users over D-Bus; what each of them sees beside the host's view.

Runs as root inside the rig (./dev demo). Exits with 1 when any fact is not as it should be.
"""

import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import textwrap
import time

BUS = 'org.immured.Broker1'
MANAGER = ['org.immured.Broker1', '/org/immured/Broker1', 'org.immured.Broker1.Manager']
HERE = pathlib.Path(__file__).resolve().parent

PYTHON = '''
import pathlib, subprocess, sys
squares = sum(n * n for n in range(1000))
pathlib.Path(sys.argv[1]).write_text(f"{squares}\\n")
subprocess.run(sys.argv[2:], check=True)
'''

SQL = '''
CREATE TABLE IF NOT EXISTS books (title TEXT, year INTEGER);
DELETE FROM books;
INSERT INTO books VALUES ('The Cask of Amontillado', 1846), ('Bartleby', 1853);
SELECT writefile('oldest.txt', title) FROM books ORDER BY year LIMIT 1;
'''


class Failure(Exception):
    pass


def run_as(user, *command):
    account = pwd.getpwnam(user)
    return subprocess.run(
        ['setpriv', f'--reuid={user}', f'--regid={user}', '--init-groups', '--bounding-set=-all', '--',
         'env', '-i', f'HOME={account.pw_dir}', f'USER={user}', f'PATH={os.environ["PATH"]}', *command],
        capture_output=True, text=True, cwd=account.pw_dir)


def busctl(user, *arguments):
    """One plain call, as anyone would type it; its reply decoded."""
    done = run_as(user, 'busctl', '--json=short', 'call', '--', *MANAGER, *arguments)
    if done.returncode != 0:
        raise Failure(done.stderr.strip())
    return json.loads(done.stdout)['data'] if done.stdout.strip() else None


def sandbox_property(path, name):
    done = subprocess.run(['busctl', '--json=short', 'get-property', BUS, path, f'{BUS}.Sandbox', name],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(done.stderr.strip())
    return json.loads(done.stdout)['data']


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.02)
    raise Failure(f'{what}: nothing after {seconds} s')


class Program:
    """One program of a profile, launched by a user, with the probe somewhere below it."""

    def __init__(self, user, profile):
        self.user, self.profile = user, profile
        self.data = pathlib.Path(pwd.getpwnam(user).pw_dir) / 'data'
        self.title = f'{user}: {profile}'
        self.report, self.go = self.data / f'report.{profile}', self.data / f'go.{profile}'
        self.id = self.path = None
        self.facts = {}

    def launch(self, *arguments):
        call = ['Launch', 'sa{sv}', self.profile, '1', 'Arguments', 'as', str(len(arguments)), *arguments]
        shown = ' '.join(a if a and not set(a) & set(' \n;\'"()') else repr(a if len(a) < 40 else a[:36].strip() + '…')
                         for a in call)
        print(f'  {self.user}$ busctl call -- {" ".join(MANAGER)} {shown}')
        self.id, self.path = busctl(self.user, *call)
        print(f'      → {self.id}')

    def probe(self):
        """The probe's command line inside this program."""
        return [str(self.data / 'probe'), str(self.report), str(self.go), str(PORT), str(os.getpid())]

    def read(self):
        wait_for(f'{self.title}: report', lambda: self.report.exists() and 'end\t' in self.report.read_text())
        self.facts = read_report(self.report)

    def look_from_outside(self):
        pid = sandbox_property(self.path, 'MainPID')
        status = dict(line.split(':\t', 1) for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines())
        cgroup = pathlib.Path(f'/proc/{pid}/cgroup').read_text().rsplit('0::', 1)[1].strip()
        namespaces = [n for n in ('user', 'mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net')
                      if os.readlink(f'/proc/{pid}/ns/{n}') != os.readlink(f'/proc/self/ns/{n}')]
        return {
            'process id outside': str(pid),
            'user id outside': status['Uid'].split()[0],
            'own namespaces': ' '.join(namespaces),
            'system call filter': status['Seccomp'].strip(),
            'cgroup': '…/' + '/'.join(cgroup.split('/')[-2:]),
            'enforced': ' '.join(sandbox_property(self.path, 'Enforced')),
        }


def read_report(path):
    return dict(line.split('\t', 1) for line in path.read_text().splitlines())


def few(text, words=3):
    parts = text.split()
    return text if len(parts) <= words + 1 else f'{" ".join(parts[:words])} … ({len(parts)})'


def denied(text):
    return text != 'works'


def is_nobodys(uid):
    """Above what people, services and their subordinate ids have."""
    return uid >= 524288 and uid not in [entry.pw_uid for entry in pwd.getpwall()]


def uid_of(program):
    return str(pwd.getpwnam(program.user).pw_uid)


# What each sandboxed program must find, by the probe's names.
EXPECTED = {
    'uid': lambda p, v: v == uid_of(p),
    'gid': lambda p, v: v == uid_of(p),
    'groups': lambda p, v: '50' not in v.split(),
    'setuid root': lambda p, v: denied(v),
    'hostname': lambda p, v: v != HOST['hostname'],
    'processes': lambda p, v: len(v.split()) <= 4,
    'signal to a process outside': lambda p, v: denied(v),
    'homes': lambda p, v: v == p.user,
    'own data': lambda p, v: 'probe' in v.split(),
    'read own letter': lambda p, v: denied(v),
    'read /var/log': lambda p, v: denied(v),
    'read /etc/machine-id': lambda p, v: denied(v),
    'connect to the bus': lambda p, v: denied(v),
    'write into /usr': lambda p, v: denied(v),
    'make a file in /': lambda p, v: denied(v),
    'write to a kernel setting': lambda p, v: denied(v),
    'see devices': lambda p, v: denied(v),
    'network devices': lambda p, v: v.split() == ['lo'],
    'connect to a service of the host': lambda p, v: denied(v),
    'netfilter socket': lambda p, v: denied(v),
    'capabilities': lambda p, v: int(v, 16) == 0,
    'capabilities to gain': lambda p, v: int(v, 16) == 0,
    'no new privileges': lambda p, v: v == '1',
    'system call filter': lambda p, v: v == '2',
    'mount()': lambda p, v: denied(v),
    'bpf()': lambda p, v: v in ('EPERM', 'ENOSYS'),
    'io_uring_setup()': lambda p, v: v in ('EPERM', 'ENOSYS'),
    'keyctl()': lambda p, v: v in ('EPERM', 'ENOSYS'),
    'clone3()': lambda p, v: v == 'ENOSYS',
    'sethostname()': lambda p, v: denied(v),
    'new user namespace': lambda p, v: denied(v),
}

OUTSIDE_EXPECTED = {
    'process id outside': lambda p, v: int(v) > 1,
    'user id outside': lambda p, v: is_nobodys(int(v)),
    'own namespaces': lambda p, v: len(v.split()) == 7,
    'system call filter': lambda p, v: v == '2',
    'cgroup': lambda p, v: v.startswith(f'…/immured-user@{uid_of(p)}.service/'),
    'enforced': lambda p, v: 'seccomp' in v.split(),
}


def print_table(programs, rows, values, expected, host):
    """One line for each fact, a column for each program; returns how many facts are not as expected."""
    wrong = 0
    width = 18
    print(f'  {"":33}' + ''.join(f'{t:{width + 1}}' for t in [host['title']] + [p.title for p in programs]))
    for row in rows:
        cells = [few(host.get(row, '—'))]
        for program in programs:
            value = values[program].get(row)
            good = value is not None and expected[row](program, value)
            wrong += not good
            cells.append(('' if good else '✗ ') + few(str(value)))
        lines = [textwrap_cell(c, width) for c in cells]
        for i in range(max(map(len, lines))):
            name = row if i == 0 else ''
            print((f'  {name:33}' + ''.join(f'{(c[i] if i < len(c) else ""):{width + 1}}' for c in lines)).rstrip())
    return wrong


def textwrap_cell(text, width):
    return textwrap.wrap(text, width, break_long_words=True) or ['—']


def prepare():
    for user in ('alice', 'bob'):
        account = pwd.getpwnam(user)
        data = pathlib.Path(account.pw_dir) / 'data'
        data.mkdir(mode=0o700)
        shutil.copy(HERE / 'probe.c', data)
        letter = pathlib.Path(account.pw_dir) / 'letter.txt'
        letter.write_text(f'Nobody but {user} reads this.\n')
        for path in (data, data / 'probe.c', letter):
            os.chown(path, account.pw_uid, account.pw_gid)


def build(user):
    program = Program(user, 'gcc-build')
    program.launch('-O1', '-o', 'probe', 'probe.c')
    probe = program.data / 'probe'
    wait_for('the compiler', lambda: program.id not in [row[0] for row in busctl(user, 'ListSandboxes')[0]])
    if not probe.exists() or probe.stat().st_uid != pwd.getpwnam(user).pw_uid:
        raise Failure(f'{probe}: not built, or not {user}\'s')
    print(f'      built {probe}, which is {user}\'s, by a compiler that could reach nothing else')


def refuse(title, user, *call):
    """A call that has to fail."""
    try:
        busctl(user, *call)
    except Failure as e:
        print(f'  {title}: {e}')
        return 0
    print(f'  ✗ {title}: was allowed')
    return 1


def main():
    global PORT, HOST
    listener = socket.create_server(('127.0.0.1', 0))
    PORT = listener.getsockname()[1]
    wrong = 0

    prepare()
    print('1. Each user has a program built, in a sandbox of the profile gcc-build:\n')
    build('alice')
    build('bob')

    print('\n2. Real programs, each in a sandbox of its own; each starts the program just built:\n')
    programs = [Program('alice', 'shell'), Program('alice', 'sqlite3'), Program('bob', 'shell'),
                Program('bob', 'python3')]
    shell, sqlite, shell2, python = programs
    for p in (shell, shell2):
        p.launch('-c', 'for i in 1 2 3; do echo "line $i"; done >~/data/lines.txt; "$@"; exit 0', 'bash', *p.probe())
    sqlite.launch('books.db', SQL, '.shell ' + ' '.join(sqlite.probe()))
    python.launch('-c', PYTHON, str(python.data / 'squares.txt'), *python.probe())
    for p in programs:
        p.read()

    # The same probe without a sandbox, for comparison; it need not wait.
    account = pwd.getpwnam('alice')
    (shell.data / 'go.host').touch()
    done = run_as('alice', str(shell.data / 'probe'), str(shell.data / 'report.host'), str(shell.data / 'go.host'),
                  str(PORT), str(os.getpid()))
    if done.returncode != 0:
        raise Failure(f'the probe outside: {done.stderr}')
    HOST = read_report(shell.data / 'report.host') | {'title': 'alice, no sandbox'}

    print('\n3. What each of them sees and can do, beside the same program without a sandbox:\n')
    wrong += print_table(programs, EXPECTED, {p: p.facts for p in programs}, EXPECTED, HOST)

    print('\n4. The same sandboxes as the host sees them:\n')
    outside = {p: p.look_from_outside() for p in programs}
    wrong += print_table(programs, OUTSIDE_EXPECTED, outside, OUTSIDE_EXPECTED, {'title': ''})
    ids = {o['user id outside'] for o in outside.values()}
    if len(ids & {o['user id outside'] for p, o in outside.items() if p.user == 'alice'}
           & {o['user id outside'] for p, o in outside.items() if p.user == 'bob'}):
        print('  ✗ two users share an id outside')
        wrong += 1

    print('\n5. What users may not:\n')
    wrong += refuse('bob stops a sandbox of alice', 'bob', 'Stop', 's', shell.id)
    wrong += refuse('carol, who is not in group users, launches a shell', 'carol', 'Launch', 'sa{sv}', 'shell', '0')
    if seen := [row[0] for row in busctl('bob', 'ListSandboxes')[0] if row[2] != pwd.getpwnam('bob').pw_uid]:
        print(f'  ✗ bob sees {seen}')
        wrong += 1
    else:
        print('  bob lists sandboxes: his own alone')

    print('\n6. The end:\n')
    main_pids = [int(o['process id outside']) for o in outside.values()]
    busctl('alice', 'Stop', 's', sqlite.id)
    print(f'  {sqlite.id}: stopped by alice')
    for p in (shell, shell2, python):
        p.go.touch()
        os.chown(p.go, pwd.getpwnam(p.user).pw_uid, pwd.getpwnam(p.user).pw_gid)
    wait_for('the end of all', lambda: not any(busctl(u, 'ListSandboxes')[0] for u in ('alice', 'bob')))
    print('  the others ended by themselves')
    wait_for('an end of their processes', lambda: not any(os.path.exists(f'/proc/{pid}') for pid in main_pids))
    results = {shell.data / 'lines.txt': 'line 1\nline 2\nline 3\n', sqlite.data / 'oldest.txt': 'The Cask of Amontillado',
               python.data / 'squares.txt': '332833500\n'}
    for path, text in results.items():
        if not path.exists() or path.read_text() != text or path.stat().st_uid not in (3001, 3002):
            print(f'  ✗ {path}: not what was to be written')
            wrong += 1
        else:
            print(f'  {path}: written, and {pwd.getpwuid(path.stat().st_uid).pw_name}\'s')

    print(f'\n{wrong} facts are not as they should be.' if wrong else '\nEvery fact is as it should be.')
    return 1 if wrong else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Failure as e:
        sys.exit(f'demo: {e}')
