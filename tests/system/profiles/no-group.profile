# SPDX-License-Identifier: LGPL-2.1-or-later
# carol and alice are not in it.
[Access]
AllowGroups=users

[Exec]
ExecStart=/usr/bin/true
SupplementaryGroups=staff
