# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
StandardOutput=client
StandardError=client

[Namespaces]
PrivateUsers=self

[Files]
StateDirectory=kept
