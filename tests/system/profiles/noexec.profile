# SPDX-License-Identifier: LGPL-2.1-or-later
# Nothing can be executed but what comes with the system, and one directory of the user's.
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
StandardOutput=client
StandardError=client

[Files]
BindPaths=%h/data
NoExecPaths=/
ExecPaths=/usr %h/data/bin
