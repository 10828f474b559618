# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users
MaxInstances=8

[Exec]
ExecStart=/usr/bin/sleep infinity
