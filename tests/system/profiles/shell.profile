# SPDX-License-Identifier: LGPL-2.1-or-later
# A shell of its own tree, and nothing said about files.
[Access]
AllowGroups=users
MaxInstances=4
Arguments=append

[Exec]
ExecStart=/usr/bin/bash
StandardInput=client
StandardOutput=client
StandardError=client
