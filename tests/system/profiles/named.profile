# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowUsers=alice
AllowGroups=users
DenyUsers=bob

[Exec]
ExecStart=/usr/bin/sleep infinity
