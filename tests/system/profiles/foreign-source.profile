# SPDX-License-Identifier: LGPL-2.1-or-later
# A directory that the user may not enter.
[Access]
AllowGroups=users

[Exec]
ExecStart=/usr/bin/true

[Files]
BindPaths=/home/carol/data:/srv/data
