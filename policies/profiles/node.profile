# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Node.js without network but its own loopback:
#   immurectl run node -e 'console.log(6 * 7)'
[Profile]
Description=Node.js that reaches ~/data only
Documentation=man:node(1)

[Access]
AllowGroups=users
MaxInstances=4
Arguments=append

[Exec]
ExecStart=/usr/bin/node
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
BindPaths=-%h/data

[Network]
# AF_NETLINK is for os.networkInterfaces().
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Resources]
MemoryMax=1G
CPUQuota=200%
# A thread for each core, and those of its own pools.
TasksMax=128

[Security]
# Its JIT compiler writes what it then executes: this cannot be forbidden here.
MemoryDenyWriteExecute=no
