# SPDX-License-Identifier: LGPL-2.1-or-later
# Names nobody: root alone.
[Exec]
ExecStart=/usr/bin/sleep infinity
