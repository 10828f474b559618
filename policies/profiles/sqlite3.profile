# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The database shell on the databases in ~/data:
#   immurectl run sqlite3 books.db 'SELECT count(*) FROM books'
[Profile]
Description=SQLite on the databases in ~/data
Documentation=man:sqlite3(1)

[Access]
AllowGroups=users
MaxInstances=4
Arguments=append

[Exec]
ExecStart=/usr/bin/sqlite3 -batch
WorkingDirectory=%h/data
# A database is the user's alone, also the one that is made here.
UMask=0077
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
# No "-": without the directory there is nothing to work on, and the launch says so.
BindPaths=%h/data

[Network]
# Not even its own loopback: a database in a file needs no sockets.
RestrictAddressFamilies=AF_UNIX

[Resources]
MemoryMax=256M
TasksMax=16

[Security]
MemoryDenyWriteExecute=yes
