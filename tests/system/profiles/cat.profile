# SPDX-License-Identifier: LGPL-2.1-or-later
[Access]
AllowGroups=users
MaxInstances=8

[Exec]
ExecStart=/usr/bin/cat
StandardInput=client
StandardOutput=client
StandardError=client
