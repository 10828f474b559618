# SPDX-License-Identifier: LGPL-2.1-or-later
# As open as [Files] can be: the user's own home, and directories in memory.
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
ProtectSystem=full
ProtectHome=no
ProtectProc=default
ProcSubset=all
PrivateTmpSize=2M
