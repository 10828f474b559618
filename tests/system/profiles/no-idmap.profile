# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users

[Exec]
ExecStart=/usr/bin/true

[Files]
BindPaths=/var/data
