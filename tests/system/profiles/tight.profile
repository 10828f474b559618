# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
StandardOutput=client
StandardError=client
StandardInput=client

[Files]
ProtectHome=yes
BindReadOnlyPaths=%h/data:/srv/data
TemporaryFileSystem=/srv/scratch:size=1M,mode=1777
InaccessiblePaths=/usr/share/dbus-1
NoExecPaths=/tmp

[Network]
RestrictAddressFamilies=AF_UNIX

[Security]
MemoryDenyWriteExecute=yes
SystemCallFilter=~kill:ENOLCK
