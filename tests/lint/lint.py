#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of the house that a script can check.

usage: lint.py TREE [BUILD]

Prints every breach as file:line: what is wrong. Each check below is one function; the last line counts them, but for
those that could not be made here. What must break a limit says why in exceptions.txt. BUILD is where TREE was compiled,
by default its directory build.
"""

import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'house')]

import circles
import tree_files

# Folders are floors: each may include its own headers and those of the folders named here.
FLOORS = {
    'base': [],
    'profile': ['base'],
    'plan': ['base', 'profile'],
    'seccomp': ['base', 'profile'],
    'net': ['base', 'profile', 'plan'],
    'link': ['base', 'plan'],
    'confine': ['base', 'plan'],
    'exec': ['base', 'plan', 'confine'],
    'keeper': ['base', 'plan', 'link'],
    'broker': ['base', 'profile', 'plan', 'seccomp', 'net', 'link'],
    'ctl': ['base', 'profile', 'plan', 'seccomp', 'link'],
}

# A folder may have rooms, which are floors among themselves, the lowest first. What lies in none stands on all of them.
ROOMS = {
    'broker': ['access', 'peers', 'state', 'call', 'launch', 'bus'],
    'keeper': ['parts', 'run', 'sandbox'],
}

# These return errors and leave the words to whoever knows what was being done.
SILENT_FLOORS = ['profile', 'plan', 'seccomp', 'net', 'link', 'confine']

MAX_FILE_LINES = 500
MAX_FILE_LINES_WITH_REASON = 700
MAX_FUNCTION_LINES = 60
MAX_COLUMNS = 119  # of comments and texts; code is held to 109 by clang-format

# What never to call, and what instead.
BANNED_CALLS = {
    'strcpy': 'memcpy with a length that was checked',
    'strcat': 'the buffer of base/buffer.h',
    'sprintf': 'snprintf',
    'vsprintf': 'vsnprintf',
    'gets': 'getline',
    'strtok': 'the word splitter of base/text.h',
    'atoi': 'the strict parsers of base/text.h',
    'atol': 'the strict parsers of base/text.h',
    'system': 'clone and exec without a shell',
    'popen': 'clone and exec without a shell',
    'alloca': 'malloc',
    'strdupa': 'strdup',
    'tmpnam': 'a memfd',
    'abort': 'an error',
    'sd_bus_query_sender_creds': 'the asynchronous GetConnectionUnixUser: any local user can stall a synchronous call',
    'sd_bus_call_method': 'sd_bus_call_method_async',
}

# Where one of them is right all the same: in a command line tool nobody else waits.
CALLS_ALLOWED = {
    ('ctl', 'sd_bus_call_method'),
}


class NotChecked(Exception):
    """Something that a check needs is not here; it says what."""


class Tree:
    """The files of the project, read once."""

    def __init__(self, root, build):
        self.root, self.build = pathlib.Path(root), pathlib.Path(build)
        self.files = [name for name in tree_files.tree_files(root) if (self.root / name).is_file()]
        self.exceptions = self.read_exceptions()
        self.used = set()

    def text(self, name):
        return (self.root / name).read_text(encoding='utf-8', errors='replace')

    def sources(self, top, *endings):
        return [n for n in self.files if n.startswith(top) and n.endswith(endings)]

    def read_exceptions(self):
        """KIND WHAT LIMIT REASON… → {(kind, what): limit}"""
        exceptions = {}
        for line in self.text('tests/lint/exceptions.txt').splitlines():
            if line and not line.startswith('#'):
                kind, what, limit, reason = line.split(None, 3)
                exceptions[kind, what] = int(limit)
        return exceptions

    def limit(self, kind, what, normal):
        if (kind, what) in self.exceptions:
            self.used.add((kind, what))
            return self.exceptions[kind, what]
        return normal


def without_comments(text):
    """C text with comments and string contents blanked, line by line the same length in lines."""
    def blank(match):
        found = match[0]
        if found.startswith('/'):
            return re.sub(r'[^\n]', ' ', found)
        return found[0] + ' ' * (len(found) - 2) + found[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def functions(text):
    """(name, first line, number of lines) of each function defined at the left margin."""
    head, start = '', 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r'[A-Za-z_]', line):
            head, start = line, number
        if line == '}':
            match = re.search(r'(\w+)\s*\(', head)
            if match and not head.startswith(('enum', 'union')):
                yield match[1], start, number - start + 1


def includes(tree, name):
    """(line, folder, room or None) of each header of the tree that is included; the folder may be missing, too."""
    for number, line in enumerate(tree.text(name).splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
            folder, room, *_ = [*match[1].split('/')[:-1], None, None]
            yield number, folder, room


def check_floors(tree):
    for name in tree.sources('src/', '.c', '.h'):
        floor = name.split('/')[1]
        if floor not in FLOORS:
            yield f'{name}: src/{floor} has no row in the table of floors'
            continue
        for number, folder, _ in includes(tree, name):
            if folder is None:
                yield f'{name}:{number}: an include names the folder, too'
            elif folder != floor and folder not in FLOORS[floor]:
                yield f'{name}:{number}: {floor} may not include {folder}'


def check_rooms(tree):
    for name in tree.sources('src/', '.c', '.h'):
        _, floor, *rooms, _ = name.split('/')
        known = ROOMS.get(floor, [])
        if rooms and '/'.join(rooms) not in known:
            yield f'{name}: src/{floor}/{"/".join(rooms)} has no place in the table of rooms'
        elif rooms:
            below = known[:known.index(rooms[0]) + 1]
            for number, folder, room in includes(tree, name):
                if folder == floor and room not in below:
                    yield f'{name}:{number}: {floor}/{rooms[0]} may not include {floor}{"/" + room if room else ""}'


def check_circles(tree):
    """By the objects: a header may be innocent of what its file calls."""
    try:
        files = circles.objects(tree.build)
    except FileNotFoundError as error:
        tree.used.update(what for what in tree.exceptions if what[0] == 'circle')
        raise NotChecked(f'{error}, circles between files') from error
    graph = circles.edges(files)
    for circle in circles.circles(graph):
        if len(circle) > tree.limit('circle', circle[0], 1):
            yield f'a circle of {len(circle)} files:'
            yield from circles.calls_within(graph, circle)


def check_silence(tree):
    for name in tree.sources('src/', '.c'):
        if name.split('/')[1] not in SILENT_FLOORS:
            continue
        for number, line in enumerate(without_comments(tree.text(name)).splitlines(), 1):
            if re.search(r'\b((log_\w+|perror|printf|syslog)\s*\(|fprintf\s*\(\s*stderr\b)', line):
                yield f'{name}:{number}: this floor returns errors and does not write'


def check_file_sizes(tree):
    for name in tree.sources('', '.c', '.h', '.py'):
        lines = tree.text(name).count('\n')
        limit = tree.limit('file', name, MAX_FILE_LINES)
        if lines > min(limit, MAX_FILE_LINES_WITH_REASON):
            yield f'{name}: {lines} lines, at most {min(limit, MAX_FILE_LINES_WITH_REASON)}'
        if lines <= MAX_FILE_LINES < limit:
            yield f'tests/lint/exceptions.txt: file {name}: it has {lines} lines and needs none'


def check_function_sizes(tree):
    for name in tree.sources('', '.c', '.h'):
        for function, number, lines in functions(without_comments(tree.text(name))):
            limit = tree.limit('function', f'{name}:{function}', MAX_FUNCTION_LINES)
            if lines > limit:
                yield f'{name}:{number}: {function}() has {lines} lines, at most {limit}'


def check_cleanup_variables(tree):
    """No compiler reports a cleanup variable that starts with what was on the stack."""
    for name in tree.sources('', '.c', '.h'):
        for number, line in enumerate(without_comments(tree.text(name)).splitlines(), 1):
            if re.match(r'\s+(_cleanup_\w*_|_cleanup_\(\w+\))\s', line) and '=' not in line:
                yield f'{name}:{number}: a cleanup variable is initialised where it is declared'


def check_headers(tree):
    for name in tree.sources('src/', '.h'):
        opening = tree.text(name).split('#include')[0]
        for word in ['#pragma once', '/*\n * ' + pathlib.PurePath(name).stem + ' — ', 'Runs in:', 'Privilege:']:
            if word not in opening:
                yield f'{name}:1: a header opens with its purpose, life, "Runs in:", "Privilege:", "Input:"; no {word!r}'


def check_licence_lines(tree):
    endings = ('.c', '.h', '.py', '.sh', '.service', '.service.in', '.socket', '.slice', '.policy', '.profile', '.conf',
               '/dev', '/run')
    for name in tree.files:
        if ('/' + name).endswith(endings) and 'SPDX-License-Identifier:' not in '\n'.join(
                tree.text(name).splitlines()[:3]):
            yield f'{name}:1: no SPDX-License-Identifier'


def check_calls(tree):
    for name in tree.sources('src/', '.c', '.h'):
        floor = name.split('/')[1]
        for number, line in enumerate(without_comments(tree.text(name)).splitlines(), 1):
            for call in re.findall(r'(?<![\w>.])(\w+)\s*\(', line):
                if call in BANNED_CALLS and (floor, call) not in CALLS_ALLOWED:
                    yield f'{name}:{number}: not {call}() but {BANNED_CALLS[call]}'


def check_exit(tree):
    """Leaving the process is main()'s decision; _exit() in a forked child is another thing."""
    for name in tree.sources('src/', '.c'):
        text = without_comments(tree.text(name))
        spans = {f: range(start, start + n) for f, start, n in functions(text)}
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r'(?<![\w>.])exit\s*\(', line) and number not in spans.get('main', ()):
                yield f'{name}:{number}: exit() outside main()'


def check_unfinished(tree):
    words = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')
    for name in tree.files:
        if name == 'LICENSE':
            continue
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if words.search(line):
                yield f'{name}:{number}: what is not finished is refused, not marked'


def check_layout(tree):
    for name in tree.sources('', '.c', '.h', '.py', '.build', '/dev', '.in'):
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if line != line.rstrip():
                yield f'{name}:{number}: blanks at the end of the line'
            if '\t' in (line.lstrip('\t') if '.scd' in name else line):  # scdoc(5) indents by tabs alone
                yield f'{name}:{number}: a tab'
            if name.endswith(('.c', '.h')) and len(line) > MAX_COLUMNS:
                yield f'{name}:{number}: {len(line)} columns, at most {MAX_COLUMNS}'


def check_clang_format(tree):
    tool = shutil.which('clang-format-14') or shutil.which('clang-format')
    version = subprocess.run([tool, '--version'], capture_output=True, text=True).stdout if tool else ''
    if ' version 14.' not in version:
        raise NotChecked('clang-format 14 is not here, formatting')
    names = tree.sources('src/', '.c', '.h') + tree.sources('tests/', '.c', '.h')
    done = subprocess.run([tool, '--dry-run', '-Werror', *names], cwd=tree.root, capture_output=True, text=True)
    for name in sorted(set(re.findall(r'^(\S+):\d+:\d+: error', done.stderr, re.M))):
        yield f'{name}: clang-format -i {name}'


def check_registered(tree):
    """A source that no meson.build names is neither compiled nor tested."""
    for name in tree.sources('src/', '.c') + [
            n for d in ('unit', 'fuzz', 'bench') for n in tree.sources(f'tests/{d}/', '.c')]:
        path = pathlib.PurePath(name)
        # A room of a folder is built with the folder, which names its files by their rooms.
        build = next((p / 'meson.build' for p in path.parents if str(p / 'meson.build') in tree.files), None)
        known = tree.text(build) if build else ''
        listed = str(path.relative_to(build.parent)) if build else path.name
        if not any(f"'{n}'" in known for n in (listed, re.sub('^(test|fuzz)-', '', path.stem))):
            yield f'{name}: not in {build}'


def check_shell(tree):
    for name in ['dev', '.ci/run', *tree.sources('', '.sh')]:
        done = subprocess.run(['bash', '-n', name], cwd=tree.root, capture_output=True, text=True)
        yield from done.stderr.splitlines()


def check_version_of_packages(tree):
    """The packages' version is written where dpkg looks for it, and is the project's."""
    project = re.search(r"version: '([^']+)'", tree.text('meson.build'))[1]
    packages = re.match(r'immured \(([^)]+)\)', tree.text('debian/changelog'))
    if not packages or packages[1] != project:
        yield f'debian/changelog:1: another version than meson.build, which says {project}'


def check_exceptions_are_needed(tree):
    """Runs last: an exception that nothing needs any more goes."""
    for kind, what in sorted(set(tree.exceptions) - tree.used):
        yield f'tests/lint/exceptions.txt: {kind} {what}: no such thing'


CHECKS = [
    check_floors, check_rooms, check_circles, check_silence, check_file_sizes, check_function_sizes,
    check_cleanup_variables, check_headers, check_licence_lines, check_calls, check_exit, check_unfinished, check_layout, check_clang_format,
    check_registered, check_shell, check_version_of_packages, check_exceptions_are_needed,
]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    root = pathlib.Path(sys.argv[1])
    tree = Tree(root, sys.argv[2] if len(sys.argv) == 3 else root / 'build')
    passed = failed = 0
    for check in CHECKS:
        try:
            breaches = list(check(tree))
        except NotChecked as reason:
            print(f'lint: {reason} not checked', file=sys.stderr)
            continue
        for breach in breaches:
            print(breach)
        if breaches:
            print(f'FAILED  {check.__name__}: {len(breaches)}')
        passed, failed = passed + (not breaches), failed + bool(breaches)
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
