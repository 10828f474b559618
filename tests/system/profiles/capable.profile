# SPDX-License-Identifier: LGPL-2.1-or-later
# Every capability in its own user namespace, and every system call: what remains are the walls themselves.
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
InaccessiblePaths=/usr/share/dbus-1

[Namespaces]
RestrictNamespaces=no

[Security]
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_NET_ADMIN CAP_SYS_CHROOT CAP_DAC_OVERRIDE CAP_SETUID CAP_SETGID
AmbientCapabilities=CAP_SYS_ADMIN CAP_NET_ADMIN CAP_SYS_CHROOT CAP_DAC_OVERRIDE CAP_SETUID CAP_SETGID
SystemCallFilter=@system-service @mount @setuid unshare setns sethostname chroot
