# SPDX-License-Identifier: LGPL-2.1-or-later
# The workhorse: any program that a test writes, with the streams of its client.
[Profile]
Description=Python for tests

[Access]
AllowGroups=users
MaxInstances=8
Arguments=append
PassEnvironment=TERM LANG COLOUR

[Exec]
ExecStart=/usr/bin/python3 -I
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
BindPaths=-%h/data
