#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

help() {
        cat <<'END'
usage: ./dev setup [PACKAGE…]

Installs what building, testing and the demo need, on Debian 12 or 13, and each PACKAGE; starts none of it. Does nothing,
and asks no mirror, when all of it is there. What the tests of the example profiles run (a web server, a database, a
browser) is installed by ./dev test alone.
END
}

main() { setup_all "$@"; }

case ${1:-} in
-h | --help) help ;;
*) main "$@" ;;
esac
