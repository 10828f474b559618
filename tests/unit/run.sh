#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The unit tests of a build directory, and their figures.

source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

status=0 wrap=()
# A container's root is an overlay, which takes no idmapped mounts; some tests bind what they make in /tmp.
if [ "$(stat -f -c %T /tmp)" = overlayfs ] && tmpfs_has_idmap && [[ $tree/ != /tmp/* && $1/ != /tmp/* ]]; then
        wrap=(unshare --mount --propagation private sh -c 'mount -t tmpfs -o mode=1777 tmpfs /tmp && exec "$@"' sh)
fi
${wrap[@]+"${wrap[@]}"} meson test -C "$1" --no-rebuild --no-suite lint --print-errorlogs --timeout-multiplier 2 >&2 ||
        status=$?
/usr/bin/python3 "$tree/tests/unit/count.py" "$1/meson-logs/testlog.json"
exit $status
