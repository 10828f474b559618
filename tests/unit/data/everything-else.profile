# SPDX-License-Identifier: LGPL-2.1-or-later
# Keys that change the same part of a plan as one of the other profile does.
[Access]
AllowUsers=alice
[Exec]
ExecStart=/usr/bin/true
[Namespaces]
PrivateUsers=self
[Files]
ProcSubset=all
PrivateDevices=no
[Security]
SystemCallFilter=~@file-system
MemoryDenyWriteExecute=yes
