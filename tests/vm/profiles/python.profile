# SPDX-License-Identifier: LGPL-2.1-or-later
# Any program that a test writes, with the streams of its client.
[Access]
AllowGroups=users
MaxInstances=16
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I -c
StandardInput=client
StandardOutput=client
StandardError=client
