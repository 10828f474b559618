# SPDX-License-Identifier: LGPL-2.1-or-later
# A static program that returns at once, so that what is measured is the launch.
[Access]
AllowGroups=users

[Exec]
ExecStart=/opt/bench/noop
StandardOutput=null
StandardError=null
WorkingDirectory=/

[Files]
BindReadOnlyPaths=/var/lib/bench:/opt/bench:noidmap
