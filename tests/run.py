#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: ./dev test [SUITE…]

Installs what is missing, builds and tests. Without SUITE all but the last two; "all" is every one:

  lint        the rules of the house
  unit        unit tests
  system      system tests, each file of tests/system in a rig of its own
  demo        the demo, for its exit status
  bench       one round of the benchmark, for its exit status
  clang       the build and the unit tests with clang
  sanitizers  unit tests with the address and undefined behaviour sanitizers, and the system tests of what users send
  slow        the other system tests with sanitizers
  vm          the packages, and tests in virtual machines with Debian 12 and 13 (see tests/vm/README.md)

Builds lie beside BUILD_DIR. What a job prints comes when it is done, with the seconds it took. The last line is
"N passed, N failed".
"""

import concurrent.futures
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent
BUILD = pathlib.Path(os.environ.get('BUILD_DIR', TREE / 'build'))
FIGURES = re.compile(r'^(\d+) passed, (\d+) failed$', re.M)
JOBS_AT_A_TIME = os.cpu_count() or 1


class Build:
    """A build directory, its options for meson and its compiler."""

    def __init__(self, name, *options, **environment):
        self.directory = BUILD.parent / (BUILD.name + (f'-{name}' if name else ''))
        self.name, self.options = name or 'gcc', options
        self.environment = {**os.environ, **environment, 'BUILD_DIR': str(self.directory)}
        self.done = False


GCC = Build('')
CLANG = Build('clang', CC='clang')
SANITIZERS = Build('sanitizers', '-Db_sanitize=address,undefined', '-Dstatic-exec=false',
                   '-Dc_args=-fno-sanitize-recover=all')


class Job:
    """One command. Its figures are the sum of all lines that look like them; one without any counts by its status."""

    def __init__(self, title, command, build=GCC, alone=False, says_how_far=False, **environment):
        self.title, self.command, self.alone = title, [str(word) for word in command], alone
        self.stderr = None if says_how_far else subprocess.STDOUT
        self.environment = {**build.environment, **environment}
        self.passed = self.failed = 0

    def run(self):
        started = time.monotonic()
        done = subprocess.run(self.command, cwd=TREE, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=self.stderr)
        self.output = done.stdout.decode(errors='replace')
        self.seconds = time.monotonic() - started
        figures = [(int(passed), int(failed)) for passed, failed in FIGURES.findall(self.output)]
        self.passed, self.failed = sum(p for p, _ in figures), sum(f for _, f in figures)
        if done.returncode != 0 and not self.failed:
            self.failed = 1
        elif not figures:
            self.passed = 1
        return self


def dev(*arguments):
    return [TREE / 'dev', *arguments]


def build(it):
    if not it.done:
        it.done = True
        yield Job(f'build, {it.name}', dev('build', *it.options), it, alone=True)


def lint():
    yield Job('lint', dev('lint'))


def unit(it):
    yield from build(it)
    yield Job(f'unit, {it.name}', [HERE / 'unit/run.sh', it.directory], it, alone=True)


def option(file, name):
    """The value of a line "# NAME: VALUE" in a test file; None where it has none."""
    match = re.search(rf'^# {name}: *(.*)$', file.read_text(), re.M)
    return match and match[1]


def system_file(file, it, **environment):
    rig = dev('rig', '--no-build', '--profiles', HERE / 'system/profiles', '--conf', HERE / 'system/immured.conf',
              *(option(file, 'rig') or '').split(), '--', '/usr/bin/python3', file)
    title = f'{file.name}, {it.name}' if it is not GCC else file.name
    return Job(title, rig, it, alone=option(file, 'alone') is not None, **environment)


def system_files():
    return sorted((HERE / 'system').glob('test_*.py'))


def system():
    yield from build(GCC)
    for file in system_files():
        yield system_file(file, GCC)
    # Each system call of a launch fails once; there is no injector but for the machines that it was written for.
    if (GCC.directory / 'tests/system/exec/test-exec-inject').exists():
        yield Job('exec-inject', ['meson', 'test', '-C', GCC.directory, '--no-rebuild', '--print-errorlogs',
                                  '--timeout-multiplier', '10', 'exec-inject'], INJECT=os.environ.get('INJECT', 'each'))


def clang():
    yield from unit(CLANG)


def of_sanitizers(wanted):
    """Files whose comment says "# sanitizers: always", or nothing of them: those are slow."""
    yield from unit(SANITIZERS)
    for file in system_files():
        when = option(file, 'sanitizers') or 'slow'
        if when.startswith('no, '):
            print(f'dev: {file.name}, sanitizers: {when}', flush=True)
        elif when == wanted:
            yield system_file(file, SANITIZERS)


def sanitizers():
    yield from of_sanitizers('always')


def slow():
    yield from of_sanitizers('slow')


def demo():
    yield from build(GCC)
    yield Job('demo', dev('demo'), alone=True)


def bench():
    yield from build(GCC)
    yield Job('bench', dev('bench', '--rounds', '3'), alone=True)


def vm():
    yield Job('vm', ['/usr/bin/python3', HERE / 'vm/vm.py', 'test'], alone=True, says_how_far=True)


SUITES = {'lint': lint, 'unit': lambda: unit(GCC), 'system': system, 'demo': demo, 'bench': bench, 'clang': clang,
          'sanitizers': sanitizers, 'slow': slow, 'vm': vm}
NOT_BY_DEFAULT = {'slow', 'vm'}


def show(job):
    print(f'dev: == {job.title}: {job.passed} passed, {job.failed} failed, {job.seconds:.0f} s', flush=True)
    if job.failed:
        print(job.output, flush=True)


def perform(jobs):
    """Those that share the processors first, then each that needs them for itself; builds come before all."""
    jobs = list(jobs)
    builds = [job for job in jobs if job.title.startswith('build')]
    alone = [job for job in jobs if job.alone and job not in builds]
    for job in builds:
        show(job.run())
    with concurrent.futures.ThreadPoolExecutor(JOBS_AT_A_TIME) as pool:
        for done in concurrent.futures.as_completed([pool.submit(job.run) for job in jobs if not job.alone]):
            show(done.result())
    for job in alone:
        show(job.run())
    return jobs


def wanted_suites(arguments):
    if unknown := set(arguments) - set(SUITES) - {'all'}:
        sys.exit(f'dev: test: no suite {" ".join(sorted(unknown))}; ./dev test --help')
    names = [n for n in SUITES if 'all' in arguments or n in arguments or not arguments and n not in NOT_BY_DEFAULT]
    if 'all' in arguments and platform.machine() != 'x86_64':
        names.remove('vm')
    return names


def main():
    if {'-h', '--help'} & set(sys.argv[1:]):
        print(__doc__.strip())
        return
    names = wanted_suites(sys.argv[1:])
    if os.geteuid() != 0:
        sys.exit('dev: test needs root: sudo ./dev test')
    setup = '. "$1/common.sh"; setup_all; setup_examples' + ('; install_packages "${packages_vm[@]}"' * ('vm' in names))
    subprocess.run(['bash', '-c', setup, 'bash', HERE], check=True)

    summary, started = [], time.monotonic()
    for name in names:
        print(f'dev: ==== {name}', flush=True)
        before = time.monotonic()
        jobs = perform(SUITES[name]())
        passed, failed = sum(job.passed for job in jobs), sum(job.failed for job in jobs)
        summary.append((name, passed, failed, time.monotonic() - before))
    print(f'\nIn {time.monotonic() - started:.0f} s:')
    for name, passed, failed, seconds in summary:
        print(f'{name:12} {passed:5} passed, {failed} failed, {seconds:.0f} s')
    failed = sum(row[2] for row in summary)
    print(f'{sum(row[1] for row in summary)} passed, {failed} failed')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
