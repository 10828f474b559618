# SPDX-License-Identifier: LGPL-2.1-or-later
"""One virtual machine: boots a copy of an image that is thrown away, with a job on its second disk, and hears of it."""

import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import time

import package
import roots
from roots import Failure, say

BOOT_SECONDS = 900  # some thirty times what an idle machine needs without KVM
USER_SPACE = b'Loading, please wait'  # the first words of the initrd, which "quiet" would leave out
KERNEL = 'root=/dev/vda rw console=ttyS0 loglevel=4 panic=1 systemd.show_status=0 net.ifnames=0 ' \
    'systemd.journald.forward_to_console=1 systemd.journald.max_level_console=notice'


PROBE_SECONDS = 30


@functools.cache
def accelerator(kernel):
    """KVM where this kernel runs under it, from its start to its panic for want of a root. Inside of another virtual
    machine the device may be there and take every call, and then not know an instruction: QEMU stands still for ever."""
    emulator = 'tcg,thread=multi'
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return emulator
    try:
        works = subprocess.run([
            'setpriv', '--pdeathsig=KILL', 'qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'max', '-m', '512',
            '-display', 'none', '-nodefaults', '-no-user-config', '-kernel', kernel, '-append', 'panic=-1', '-no-reboot',
        ], stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        works = False
    if not works:
        say('/dev/kvm is here and runs no guest: the machines are emulated')
    return 'kvm' if works else emulator


def job(release, command, install=True):
    return json.dumps({'release': release, 'command': command, 'install': install})


def job_disk(path, job, packages):
    """What guest.py finds below /srv/vm: the tree, the packages and the job."""
    with tempfile.TemporaryDirectory(prefix='vm-job.') as directory:
        directory = pathlib.Path(directory)
        (directory / 'job.json').write_text(job)
        (directory / 'tree').mkdir()
        package.copy_tree(directory / 'tree')
        with tarfile.open(path, 'w') as tar:
            tar.add(directory / 'job.json', 'job.json')
            tar.add(directory / 'tree', 'tree')
            for deb in sorted(packages.glob('*.deb')):
                tar.add(deb, f'packages/{deb.name}')
    with open(path, 'ab') as file:  # a disk has whole sectors
        file.truncate(-(-path.stat().st_size // 1048576) * 1048576)


class Machine:
    """Starts with the block and is gone after it."""

    def __init__(self, release, job, packages, memory=1536, cpus=2):
        self.release, self.job, self.packages = release, job, packages
        self.memory, self.cpus = memory, cpus
        self.heard, self.boots, self.status = '', 0, None

    def __enter__(self):
        self.place = tempfile.TemporaryDirectory(prefix='immured-vm.', dir='/var/tmp')
        self.directory = pathlib.Path(self.place.name)
        self.console, self.output, self.control = (self.directory / n for n in ('console', 'output', 'control'))
        try:
            self.root = roots.root('machine', self.release)
            image = self.root.__enter__()
            job_disk(self.directory / 'job.tar', self.job, self.packages)
            self.start(image)
        except BaseException:
            self.place.cleanup()
            raise
        return self

    def start(self, image):
        for path in self.console, self.output, self.control:
            path.touch()
        self.started = time.monotonic()
        self.qemu = subprocess.Popen([
            'setpriv', '--pdeathsig=KILL', 'qemu-system-x86_64',
            '-accel', accelerator(image / 'vmlinuz'), '-cpu', 'max',
            '-m', str(self.memory), '-smp', str(self.cpus), '-display', 'none', '-nodefaults', '-no-user-config',
            '-kernel', image / 'vmlinuz', '-initrd', image / 'initrd.img', '-append', KERNEL,
            # Changes are in a temporary file that has no name.
            '-drive', f'file={image}/disk.ext4,format=raw,if=virtio,snapshot=on,cache=unsafe',
            '-drive', f'file={self.directory}/job.tar,format=raw,if=virtio,readonly=on',
            '-serial', f'file:{self.console}', '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci',
            *self.port('output'), *self.port('control'),
        ], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, 'TMPDIR': '/var/tmp'})

    def port(self, name):
        return ('-chardev', f'file,id={name},path={self.directory / name}',
                '-device', f'virtserialport,chardev={name},name=vm.{name}')

    def __exit__(self, *_):
        self.qemu.kill()
        self.qemu.wait()
        self.qemu.stderr.close()
        self.root.__exit__(None, None, None)
        self.place.cleanup()

    def complain(self, what):
        console = self.console.read_text(errors='replace').replace('\r', '')
        tail = '\n'.join(console.splitlines()[-80:])
        return Failure(f'Debian {self.release}: {what}; its console said at the end:\n{tail}')

    def listen(self):
        """Reads what guest.py has said since."""
        self.heard = self.control.read_text(errors='replace')
        boots = len(re.findall(r'^boot \d+$', self.heard, re.M))
        if boots > self.boots:
            say(f'Debian {self.release}: up after {time.monotonic() - self.started:.0f} s'
                if boots == 1 else f'Debian {self.release}: up again')
            self.boots = boots
        if match := re.search(r'^exit (\d+)$', self.heard, re.M):
            self.status = int(match[1])

    def is_lost(self):
        """The kernel panicked. One that never came to user space is the emulator's victim, and starts again, not often."""
        said = self.console.read_bytes()
        starts = re.split(rb'reboot: Restarting system|Rebooting in 1 second', said)
        return said.count(b'Kernel panic') > 2 or any(b'Kernel panic' in start and USER_SPACE in start for start in starts)

    def follow(self, out, timeout):
        """Copies the job's output to a binary stream until it has ended: its exit status."""
        with open(self.output, 'rb') as output:
            while True:
                self.listen()
                while data := output.read(65536):
                    out.write(data)
                    out.flush()
                if self.status is not None:
                    return self.status
                if self.qemu.poll() is not None:
                    raise self.complain(f'QEMU has ended: {self.qemu.stderr.read().decode(errors="replace").strip()}'
                                        if self.qemu.returncode else 'the machine was switched off')
                seconds = time.monotonic() - self.started
                if not self.boots and seconds > BOOT_SECONDS:
                    raise self.complain(f'did not come up within {BOOT_SECONDS} s')
                if seconds > timeout:
                    raise self.complain(f'was not done within {timeout} s')
                if self.is_lost():
                    time.sleep(2)  # for the rest of what it says
                    raise self.complain('the kernel panicked')
                time.sleep(0.1)


def run(release, job, packages, timeout, out=None):
    with Machine(release, job, packages) as machine:
        return machine.follow(out or sys.stdout.buffer, timeout)
