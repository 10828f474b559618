# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Load that stays within its limits:
#   immurectl run stress-ng --vm 2 --vm-bytes 1G --timeout 10s
[Profile]
Description=Load generator, to see limits hold
Documentation=man:stress-ng(1)

[Access]
AllowGroups=users
Arguments=append

[Exec]
# Its temporary files go to the private /tmp.
ExecStart=/usr/bin/stress-ng --temp-path /tmp
WorkingDirectory=/tmp
StandardOutput=client
StandardError=client
OOMScoreAdjust=1000

[Resources]
MemoryMax=256M
MemorySwapMax=0
CPUQuota=50%
CPUWeight=10
IOWeight=10
TasksMax=64
# One of its processes too many shall end, not all of it.
OOMPolicy=continue

[Service]
RuntimeMaxSec=5min
