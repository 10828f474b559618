#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inside the machine: runs test files one after the other, each with a limit of time, and restarts between boots.

usage: run_tests.py FILE...
"""

import os
import pathlib
import subprocess
import sys

import markers


def run(path, boot):
    """One file's classes of this boot; whatever happens, it has figures in the end."""
    print(f'vm: {path.name}, boot {boot}', flush=True)
    marker = markers.of(path)
    process = subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    figures = False
    timer = subprocess.Popen(['sh', '-c', 'sleep "$1"; kill -KILL -- "-$2"', 'sh', str(marker.timeout),
                              str(process.pid)], start_new_session=True)
    for line in process.stdout:
        figures |= markers.FIGURES.fullmatch(line.decode(errors='replace').strip()) is not None
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    status = process.wait()
    os.killpg(timer.pid, 9)
    timer.wait()
    if not figures:
        print(f'{path.name}: ended with status {status} before its time, or was not done within {marker.timeout} s\n'
              '0 passed, 1 failed', flush=True)
    return status == 0 and figures


def main():
    paths = [pathlib.Path(name) for name in sys.argv[1:]]
    boot, state = int(os.environ['VM_BOOT']), pathlib.Path(os.environ['VM_STATE']) / 'failed'
    for path in paths:
        if markers.of(path).boots >= boot and not run(path, boot):
            state.touch()
    if any(markers.of(path).boots > boot for path in paths):
        subprocess.run(['systemctl', 'reboot'], check=True)
        sys.exit(0)
    sys.exit(state.exists())


if __name__ == '__main__':
    main()
