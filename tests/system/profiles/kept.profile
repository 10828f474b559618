# SPDX-License-Identifier: LGPL-2.1-or-later
# What lasts from one launch to the next.
[Access]
AllowGroups=users
MaxInstances=4
Arguments=append

[Exec]
ExecStart=/usr/bin/python3 -I
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
PersistentHome=yes
BindPaths=-%h/data -%h/data/own:%h/one/file
StateDirectory=kept kept-%i-x
CacheDirectory=kept
RuntimeDirectory=kept
