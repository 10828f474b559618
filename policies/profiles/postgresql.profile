# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A PostgreSQL of one's own in ~/data/postgresql, made at its first launch, on a socket in ~/data:
#   immurectl launch postgresql
#   psql -h ~/data postgres
[Profile]
Description=PostgreSQL on a socket in ~/data
Documentation=man:postgres(1)

[Access]
AllowGroups=users
MaxInstances=1

[Exec]
# The newest version that is installed. Passwords are not asked for: nobody but the user reaches the socket.
ExecStart=/bin/bash -ec ' \
        for bin in /usr/lib/postgresql/*/bin; do :; done; \
        [ -e "$0/PG_VERSION" ] || "$bin/initdb" -D "$0" -A trust -E UTF8 --locale=C; \
        exec "$bin/postgres" -D "$0" -c listen_addresses= -c unix_socket_directories="$1" \
                -c unix_socket_permissions=0700 -c dynamic_shared_memory_type=mmap' \
        %h/data/postgresql %h/data
WorkingDirectory=%h/data

[Files]
BindPaths=%h/data

[Network]
RestrictAddressFamilies=AF_UNIX

[Resources]
MemoryMax=1G
# A process for each connection.
TasksMax=256

[Service]
# "Fast shutdown": SIGTERM would wait for every client to leave.
KillSignal=SIGINT
TimeoutStopSec=1min
OnDisconnect=keep
