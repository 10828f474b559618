# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users

[Exec]
ExecStart=/usr/bin/sleep infinity

[Service]
RuntimeMaxSec=200ms
