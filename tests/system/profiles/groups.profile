# SPDX-License-Identifier: LGPL-2.1-or-later
# bob is in it, alice is not.
[Access]
AllowGroups=users
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
SupplementaryGroups=staff
StandardInput=client
StandardOutput=client
StandardError=client
