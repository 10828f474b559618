#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Real programs in sandboxes: ./dev demo.

source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

help() {
        cat <<'END'
usage: ./dev demo

Installs what is missing, builds, and launches four real programs of the example profiles as two users with plain
busctl calls. Prints what each of them sees and can do beside the host's view, ends by itself, and fails when any fact
is not as it should be.
END
}

main() {
        need_root demo
        setup_all
        exec "$tree/tests/rig/rig.sh" --net -- /usr/bin/python3 "$tree/tests/demo/demo.py"
}

case ${1:-} in
-h | --help) help ;;
*) main "$@" ;;
esac
