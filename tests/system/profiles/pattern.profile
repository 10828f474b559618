# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users
Arguments=pattern
ArgumentPattern=[a-z]+

[Exec]
ExecStart=/usr/bin/echo
StandardOutput=client
