# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I -c
StandardInput=client

[Service]
Type=oneshot
SuccessExitStatus=7 SIGUSR1
