# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users
ManageUsers=carol

[Exec]
ExecStart=/usr/bin/sleep infinity
