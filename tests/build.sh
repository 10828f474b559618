#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

help() {
        cat <<'END'
usage: ./dev build [MESON-OPTION…]

Compiles into build/ (or BUILD_DIR). Options such as -Db_sanitize=address count when the directory is made.
END
}

main() { build_tree "$@"; }

case ${1:-} in
-h | --help) help ;;
*) main "$@" ;;
esac
