# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A shell for trying things, or for a script:
#   immurectl run shell -c 'id; ls -la ~'
#   immurectl run shell < script.sh
# It sees the programs of the system and ~/data, nothing else of the user's, and no network.
[Profile]
Description=Shell that reaches ~/data only

[Access]
# Nobody but root may launch a profile that names nobody.
AllowGroups=users
MaxInstances=4
# What the user writes behind the profile's name is handed to the shell.
Arguments=append
PassEnvironment=TERM LANG COLUMNS LINES

[Exec]
ExecStart=/usr/bin/bash
# The streams are the ones of whoever launches it; without them, input is empty and output goes to the journal.
StandardInput=client
StandardOutput=client
StandardError=client

[Files]
# Opened with the user's rights; "-": a user without that directory can launch it all the same.
BindPaths=-%h/data

[Resources]
MemoryMax=512M
TasksMax=64
