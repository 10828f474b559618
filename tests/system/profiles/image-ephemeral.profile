# SPDX-License-Identifier: LGPL-2.1-or-later
# The same, to be written to and thrown away.
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
RootEphemeral=yes
PrivateTmpSize=4M
