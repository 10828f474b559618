# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The compiler on sources in ~/data; what it includes, and what a hostile Makefile would like to reach, ends there:
#   immurectl run gcc-build -O2 -o hello hello.c
[Profile]
Description=C compiler on the sources in ~/data
Documentation=man:gcc(1)

[Access]
AllowGroups=users
# One for each core of a parallel make.
MaxInstances=8
Arguments=append

[Exec]
ExecStart=/usr/bin/gcc -pipe
WorkingDirectory=%h/data
# Programs are for others, too.
UMask=0022
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
BindPaths=%h/data
# Temporary files of large sources.
PrivateTmpSize=256M

[Resources]
MemoryMax=2G
TasksMax=64

[Service]
# A build that hangs ends.
RuntimeMaxSec=10min
