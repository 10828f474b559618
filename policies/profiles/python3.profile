# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Python without network:
#   immurectl run python3 -c 'print(6 * 7)'
[Profile]
Description=Python interpreter that reaches ~/data only
Documentation=man:python3(1)

[Access]
AllowGroups=users
MaxInstances=4
Arguments=append

[Exec]
# Isolated mode: no PYTHON… variables, no modules from the working directory.
ExecStart=/usr/bin/python3 -I
Environment=PYTHONDONTWRITEBYTECODE=1
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
BindPaths=-%h/data

[Resources]
MemoryMax=1G
CPUQuota=200%
TasksMax=64

[Security]
# An interpreter without a JIT compiler never needs memory that is writable and executable.
MemoryDenyWriteExecute=yes
