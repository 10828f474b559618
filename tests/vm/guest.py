#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inside the machine: installs the packages, runs the job's command, and tells the outside how it ended.

A machine that restarts in the midst of it runs the command once more, with VM_BOOT one higher.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import traceback

HERE = pathlib.Path('/srv/vm')
STATE = pathlib.Path('/var/lib/vm')

ENVIRONMENT = {
    'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'USER': 'root',
    'LOGNAME': 'root', 'SHELL': '/bin/bash', 'TERM': 'dumb', 'LANG': 'C.UTF-8', 'SYSTEMD_PAGER': 'cat',
    'SYSTEMD_COLORS': '0', 'DEBIAN_FRONTEND': 'noninteractive',
}


def port(name):
    """The end in here of what the outside reads."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for path in pathlib.Path('/sys/class/virtio-ports').glob('*/name'):
            if path.read_text().strip() == f'vm.{name}':
                return open(f'/dev/{path.parent.name}', 'wb', buffering=0)
        time.sleep(0.1)
    sys.exit(f'no port vm.{name}')


def boot_number():
    STATE.mkdir(exist_ok=True)
    counter = STATE / 'boot'
    number = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(f'{number}\n')
    os.sync()
    return number


def pump(source, target):
    while data := os.read(source, 65536):
        target.write(data)


def run(command, output, **environment):
    """Its exit status. What it leaves running in the background may keep its output open; nobody waits for that."""
    reader, writer = os.pipe()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, cwd=HERE / 'tree',
                               env={**ENVIRONMENT, **environment})
    os.close(writer)
    pumping = threading.Thread(target=pump, args=(reader, output), daemon=True)
    pumping.start()
    status = process.wait()
    pumping.join(timeout=2)
    return 128 - status if status < 0 else status


def is_going_down():
    done = subprocess.run(['systemctl', 'is-system-running'], capture_output=True, text=True)
    return done.stdout.strip() == 'stopping'


def main():
    # A job that ends because the machine goes down has not ended.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    job = json.loads((HERE / 'job.json').read_text())
    control, output = port('control'), port('output')
    try:
        status = work(job, control, output)
    except Exception:
        output.write(traceback.format_exc().encode())
        status = 125
    while is_going_down():
        time.sleep(1)
    control.write(f'exit {status}\n'.encode())
    time.sleep(3600)  # the outside takes the machine away


def work(job, control, output):
    boot = boot_number()
    control.write(f'boot {boot}\n'.encode())

    if boot == 1 and job['install']:
        packages = sorted(map(str, (HERE / 'packages').glob('*.deb')))
        done = subprocess.run(['dpkg', '-i', *packages], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            output.write(done.stdout + b'vm: the packages could not be installed\n')
            return 125
    return run(job['command'], output, VM_BOOT=str(boot), VM_RELEASE=job['release'],
               VM_PACKAGES=str(HERE / 'packages'), VM_STATE=str(STATE))


if __name__ == '__main__':
    main()
