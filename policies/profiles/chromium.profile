# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A browser without a window and without a network, which turns pages in ~/data into documents, pictures or text:
#   immurectl run chromium --dump-dom page.html
#   immurectl run chromium --print-to-pdf=page.pdf page.html
#   immurectl run chromium --screenshot=page.png --window-size=800,600 page.html
# It reads pages of strangers, so what their scripts can get hold of is as little as it works with.
[Profile]
Description=Chromium that renders pages in ~/data
Documentation=man:chromium(1)

[Access]
AllowGroups=users
MaxInstances=2
Arguments=append

[Exec]
# --no-sandbox: its own sandbox makes user namespaces, or has a setuid helper. In here there is neither, on purpose, and
# what it would protect is outside already; without it the pages' processes are as strong as the browser's, which is
# why this profile is one for documents and not for one's mail. --no-zygote: a helper of that sandbox.
# --disable-breakpad to --disable-sync, --host-resolver-rules=: it would call home at its start, look up names, and
# complain that it cannot. --log-level=3: it complains of each bus, device and kernel setting that is not there, too.
ExecStart=/usr/lib/chromium/chromium --headless --no-sandbox --no-zygote --disable-gpu --disable-breakpad \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        "--host-resolver-rules=MAP * ~NOTFOUND" --log-level=3 --js-flags=--jitless --user-data-dir=/tmp/chromium
WorkingDirectory=%h/data
StandardOutput=client
StandardError=client

[Files]
BindPaths=%h/data
# Its own files in /tmp, and in /dev/shm the memory that its processes share: pages and pictures as they are drawn.
PrivateTmpSize=256M

[Network]
# Its processes speak with each other through sockets of this kind.
RestrictAddressFamilies=AF_UNIX

[Resources]
MemoryMax=1G
CPUQuota=200%
# Some 10 processes with 10 threads each.
TasksMax=256

[Security]
SystemCallFilter=~@aio @chown @keyring @memlock @resources @setuid @timer
# As --js-flags=--jitless has scripts interpreted. What needs WebAssembly, or speed, needs both taken out.
MemoryDenyWriteExecute=yes

[Service]
# A page that never ends does.
RuntimeMaxSec=5min
