#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Measures launches: ./dev bench.

source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

help() {
        cat <<'END'
usage: ./dev bench [--rounds N] [--json FILE]

Measures, in one run and by turns: a launch over the bus until its reply and until the application has ended, bwrap
with all namespaces, and the bare system calls. Prints medians and their ratio to the bare system calls; --json writes
all of it to a file. Needs an otherwise idle machine to mean anything.
END
}

main() {
        local arguments=("$@") i

        # The file is opened out here: in the rig, what is written to most places is thrown away.
        for ((i = 0; i + 1 < $#; i++)); do
                if [ "${arguments[i]}" = --json ]; then
                        exec 3>"${arguments[i + 1]}"
                        arguments[i + 1]=/dev/fd/3
                fi
        done
        need_root bench
        setup_all
        build_tree
        exec "$tree/tests/rig/rig.sh" --no-build --profiles "$tree/tests/bench/profiles" --conf "$tree/tests/bench/immured.conf" -- \
                bash -c 'install -D -m 755 "$1/noop" /var/lib/bench/noop && exec "$1/bench" "${@:2}"' \
                bash "$build/tests/bench" ${arguments[@]+"${arguments[@]}"}
}

case ${1:-} in
-h | --help) help ;;
*) main "$@" ;;
esac
