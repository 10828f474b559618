#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later

source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

help() {
        cat <<'END'
usage: ./dev lint

Checks floors, sizes, cleanup variables, formatting and the other rules that a script can hold; where the tree is built,
also that no files call each other in a circle. What may be larger than the limits says why in tests/lint/exceptions.txt.
END
}

main() { exec /usr/bin/python3 "$tree/tests/lint/lint.py" "$tree"; }

case ${1:-} in
-h | --help) help ;;
*) main "$@" ;;
esac
