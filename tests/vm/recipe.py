# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the roots of each release consist of. Any change in this file makes new ones."""

RELEASES = {'12': 'bookworm', '13': 'trixie'}

# Beside what a test wants, all that the package depends on: a machine that boots has no archive to ask.
MACHINE_PACKAGES = [
    'systemd', 'systemd-sysv', 'udev', 'kmod', 'linux-image-cloud-amd64', 'dbus', 'polkitd', 'apparmor', 'nftables',
    'libnss-systemd', 'stress-ng', 'python3', 'procps', 'iproute2', 'passwd', 'adduser',
    'libaudit1', 'libcap2', 'libinih1', 'libjansson4', 'libseccomp2', 'libsystemd0', 'libmnl0',
]

BUILD_PACKAGES = [
    'build-essential', 'ccache', 'debhelper', 'lintian', 'meson', 'ninja-build', 'pkgconf', 'scdoc', 'python3',
    'libsystemd-dev', 'libaudit-dev', 'libseccomp-dev', 'libcap-dev', 'libinih-dev', 'libjansson-dev', 'libcmocka-dev', 'libmnl-dev',
]

# Of no use here, and half of what there is to unpack.
PATHS_LEFT_OUT = ['/usr/share/locale/*', '/usr/share/man/*', '/usr/share/doc/*/*', '/usr/share/info/*']

# Users and their groups beside their own, as in the rig but for the ids.
USERS = {'alice': (1000, ['users']), 'bob': (1001, ['users', 'staff']), 'carol': (1002, [])}

# The file system's size; what is not written takes no room.
MACHINE_SIZE = '6G'

INITRAMFS = {
    '/etc/initramfs-tools/conf.d/vm': 'MODULES=list\nCOMPRESS=lz4\n',
    '/usr/share/initramfs-tools/modules.d/vm': 'virtio_pci\nvirtio_blk\next4\n',
}

# The job is on the second disk, a tar archive. It starts when everything else of a boot has, in a target of its own: a
# service of multi-user.target could not wait for that.
MACHINE_FILES = {
    '/etc/hostname': 'vm\n',
    '/etc/hosts': '127.0.0.1 localhost vm\n',
    '/etc/fstab': '/dev/vda / ext4 defaults 0 0\n',
    '/etc/systemd/system/vm.target': '''\
[Unit]
Description=A machine with a job
Requires=multi-user.target
After=multi-user.target
AllowIsolate=yes
''',
    '/etc/systemd/system/vm-job.service': '''\
[Unit]
Description=The job of this machine
After=multi-user.target
[Service]
Type=exec
ExecStartPre=/bin/sh -c 'test -d /srv/vm || { mkdir /srv/vm.new && tar -C /srv/vm.new -xf /dev/vdb && mv /srv/vm.new /srv/vm; }'
ExecStart=/usr/bin/python3 /srv/vm/tree/tests/vm/guest.py
KillMode=mixed
TimeoutStopSec=5s
TasksMax=infinity
StandardOutput=journal+console
StandardError=journal+console
''',
}

# Nothing that looks after a machine of its own accord: it would do so in the midst of a test.
MASKED = ['apt-daily.timer', 'apt-daily-upgrade.timer', 'e2scrub_all.timer', 'fstrim.timer', 'dpkg-db-backup.timer',
          'man-db.timer', 'getty@tty1.service', 'serial-getty@ttyS0.service', 'systemd-timesyncd.service',
          'systemd-pcrphase.service', 'e2scrub_reap.service']
