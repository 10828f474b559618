# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A Redis of one's own, which programs outside reach through the socket ~/data/redis.sock, and nothing through a network:
#   immurectl launch redis-server
#   redis-cli -s ~/data/redis.sock
[Profile]
Description=Redis on the socket ~/data/redis.sock
Documentation=man:redis-server(1)

[Access]
AllowGroups=users
# Two on the same files would spoil each other's.
MaxInstances=1

[Exec]
ExecStart=/usr/bin/redis-server --port 0 --unixsocket %h/data/redis.sock --dir %h/data --dbfilename redis.rdb --save 60 1
WorkingDirectory=%h/data

[Files]
BindPaths=%h/data

[Network]
# A socket in a directory is all that it serves.
RestrictAddressFamilies=AF_UNIX

[Resources]
MemoryMax=512M
# It forks to write its files.
TasksMax=32

[Security]
# Its Lua interpreter compiles nothing to machine code.
MemoryDenyWriteExecute=yes

[Service]
# It writes its data before it goes.
TimeoutStopSec=30s
OnDisconnect=keep
