#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Looks for inputs that the readers do not bear: ./dev fuzz.

source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

help() {
        cat <<'END'
usage: ./dev fuzz [--seconds N] [TARGET…]

Searches with libFuzzer, 60 seconds for each target (all by default, see tests/fuzz), and stops at the first finding.
What it learns is kept beside the build directory; an input that shows a mistake goes into tests/fuzz/corpus/TARGET,
from where every unit test run takes it.
END
}

main() {
        local seconds=60 fuzz_build=$build-fuzz targets=() file name options

        if [ "${1:-}" = --seconds ]; then
                (($# > 1)) || die "fuzz: --seconds needs a number"
                seconds=$2
                shift 2
        fi
        for file in "$tree"/tests/fuzz/corpus/*/; do
                name=${file%/}
                (($#)) || targets+=("${name##*/}")
        done
        targets+=("$@")
        for name in "${targets[@]}"; do
                [ -d "$tree/tests/fuzz/corpus/$name" ] || die "fuzz: no target $name; ls tests/fuzz/corpus"
        done

        [ -e "$fuzz_build/build.ninja" ] ||
                CC=clang meson setup "$fuzz_build" "$tree" -Dfuzz=true -Db_sanitize=address,undefined \
                        -Dstatic-exec=false -Dman=disabled -Dc_args=-fno-sanitize-recover=all >&2
        # These alone: programs that are static cannot be instrumented.
        ninja -C "$fuzz_build" --quiet tests/fuzz/profile.dict "${targets[@]/#/tests/fuzz/fuzz-}" >&2
        for name in "${targets[@]}"; do
                say "dev: == fuzz $name"
                mkdir -p "$fuzz_build/corpus/$name"
                options=(-max_total_time="$seconds" -timeout=20 -artifact_prefix="$fuzz_build/$name-")
                [ "$name" != profile ] || options+=(-dict="$fuzz_build/tests/fuzz/profile.dict")
                "$fuzz_build/tests/fuzz/fuzz-$name" "${options[@]}" "$fuzz_build/corpus/$name" \
                        "$tree/tests/fuzz/corpus/$name" || return
        done
}

case ${1:-} in
-h | --help) help ;;
*) main "$@" ;;
esac
