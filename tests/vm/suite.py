# SPDX-License-Identifier: LGPL-2.1-or-later
"""The virtual machines' part of ./dev test: which files run where, and their figures."""

import argparse
import concurrent.futures
import dataclasses
import io
import os
import pathlib
import sys
import threading
import time

import machine
import markers
import package
import recipe
import roots
from roots import Failure, say

HERE = pathlib.Path(__file__).resolve().parent
CORES = os.cpu_count() or 1


@dataclasses.dataclass
class Run:
    """Files that share a machine."""
    release: str
    files: list

    def timeout(self):
        return machine.BOOT_SECONDS + sum(file.boots * (file.timeout + 120) for file in self.files)

    def __str__(self):
        return f'Debian {self.release}: {" ".join(file.path.stem for file in self.files)}'


def plan(files):
    for release in recipe.RELEASES:
        here = [file for file in files if release in file.releases]
        if shared := [file for file in here if not file.own]:
            yield Run(release, shared)
        yield from (Run(release, [file]) for file in here if file.own)


def failure(text):
    return f'{text}\n0 passed, 1 failed\n'


def figures(said):
    """[(passed, failed)…] of all lines that are figures."""
    return [(int(passed), int(failed)) for passed, failed in markers.FIGURES.findall(said)]


def perform(run):
    """What it says, with its figures; a machine that does not work out is a failure, never less."""
    out, problem = io.BytesIO(), ''
    names = [f'tests/vm/{file.path.name}' for file in run.files]
    try:
        status = machine.run(run.release, machine.job(run.release, ['python3', 'tests/vm/run_tests.py', *names]),
                             package.build(run.release), run.timeout(), out)
        told = figures(out.getvalue().decode(errors='replace'))
        if len(told) != sum(file.boots for file in run.files):
            problem = failure(f'{len(told)} figures are not what was to be expected')
        elif status and not any(failed for _, failed in told):
            problem = failure(f'ended with status {status}')
    except Failure as error:
        problem = failure(error)
    return out.getvalue().decode(errors='replace') + problem


def check_package(release):
    """The package is built, and lintian finds neither errors nor warnings in it."""
    try:
        directory = package.build(release)
    except Failure as error:
        return failure(error)
    if (directory / 'lintian.status').read_text().strip() != '0':
        return failure((directory / 'lintian.log').read_text())
    return '1 passed, 0 failed\n'


def make_root(kind, release):
    try:
        with roots.root(kind, release):
            return ''
    except Failure as error:
        return failure(f'no {kind} of Debian {release}: {error}')


def all_of(calls, slots):
    """Makes the calls, as many at a time as there are slots, and writes what each returns; whether nothing failed."""
    good = True

    def timed(title, function, *arguments):
        with slots:
            start = time.monotonic()
            result = function(*arguments)
        return f'vm: == {title} ({time.monotonic() - start:.0f} s)\n{result}'

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for done in concurrent.futures.as_completed([pool.submit(timed, *call) for call in calls]):
            try:
                said = done.result()
            except Exception as error:
                said = failure(repr(error))
            good &= not any(failed for _, failed in figures(said))
            sys.stdout.write(said)
            sys.stdout.flush()
    return good


def cmd_test(arguments):
    """All test files, or those of these names, and always the packages."""
    parser = argparse.ArgumentParser(prog='vm.py test')
    parser.add_argument('files', nargs='*', type=pathlib.Path)
    options = parser.parse_args(arguments)
    paths = options.files or sorted(HERE.glob('test_*.py'))
    runs = list(plan([markers.of(path) for path in paths]))
    releases = sorted({run.release for run in runs})
    good = all_of([(f'{kind}, Debian {release}', make_root, kind, release)
                   for release in releases for kind in roots.MAKERS], threading.Semaphore(CORES))
    if not good:
        return 1
    good = all_of([(f'package, Debian {release}', check_package, release) for release in releases], threading.Semaphore(1))
    # Each has two cores, and leaves one of them idle most of the time.
    good &= all_of([(str(run), perform, run) for run in runs], threading.Semaphore(CORES))
    return 0 if good else 1
