# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users

[Exec]
ExecStart=/usr/share/dbus-1/system.conf
