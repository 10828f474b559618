# SPDX-License-Identifier: LGPL-2.1-or-later
# A root of its own, with the host's /usr for want of another.
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
StandardOutput=client
StandardError=client

[Files]
RootDirectory=/home/images/one
BindReadOnlyPaths=/usr:/usr:noidmap
