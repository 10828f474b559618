# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the commands of ./dev share: where things are, the Debian packages that each needs, and the build.

set -euo pipefail

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=${BUILD_DIR:-$tree/build}

packages_build=(gcc libc6-dev meson ninja-build pkgconf scdoc
        libsystemd-dev libaudit-dev libseccomp-dev libcap-dev libinih-dev libjansson-dev libcmocka-dev)
# util-linux, mount and coreutils are essential or nearly so; systemd brings busctl, libglib2.0-bin gdbus.
packages_rig=(dbus dbus-daemon systemd libglib2.0-bin polkitd iproute2 mount procps util-linux python3 sqlite3 make)
packages_bench=(bubblewrap)
packages_test=(clang clang-format stress-ng apparmor)
# What the example profiles run, and only tests want. A service among them is not to come up with the machine one day.
packages_examples=(nginx-light redis-server chromium)
declare -A service_of=([nginx-light]=nginx.service [redis-server]=redis-server.service)
packages_vm=(qemu-system-x86 mmdebstrap e2fsprogs debian-archive-keyring git python3 util-linux)

say() { printf '%s\n' "$*" >&2; }
die() {
        say "dev: $*"
        exit 1
}
need_root() { [ "$(id -u)" = 0 ] || die "$1 needs root: sudo ./dev $1"; }

missing_packages() {
        local name installed
        # Read once and whole: a reader that stops at its first match would break the pipe, and so the answer.
        installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Provides}\n' 2>/dev/null)
        for name in "$@"; do
                # A virtual package such as pkg-config's successor counts when anything installed provides it.
                grep -Eq "^ii .*(^| |,)${name//./\\.}( |,|\$)" <<<"$installed" || printf '%s\n' "$name"
        done
}

# What is missing of these.
install_packages() {
        local missing policy=/usr/sbin/policy-rc.d made_policy=

        command -v dpkg-query >/dev/null || die "setup knows Debian only; install by hand: $*"
        mapfile -t missing < <(missing_packages "$@")
        ((${#missing[@]})) || return 0
        need_root setup

        say "dev: installing ${missing[*]}"
        # What is installed for the tree is not to be started: where no init runs, nobody would stop it again.
        if [ ! -e $policy ]; then
                made_policy=yes
                printf '#!/bin/sh\nexit 101\n' >$policy
                chmod 755 $policy
                trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update
        apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null </dev/null
        if [ -n "$made_policy" ]; then
                rm -f $policy
                trap - EXIT
        fi
}

setup_all() { install_packages "${packages_build[@]}" "${packages_rig[@]}" "${packages_test[@]}" "${packages_bench[@]}" "$@"; }

# Also where it runs as the first process later, a machine shall not start what was installed for a test.
setup_examples() {
        local name missing
        mapfile -t missing < <(missing_packages "${packages_examples[@]}")
        ((${#missing[@]})) || return 0
        install_packages "${missing[@]}"
        for name in "${missing[@]}"; do
                [ -z "${service_of[$name]:-}" ] || systemctl --quiet disable "${service_of[$name]}"
        done
}

# With arguments for meson, which count when the directory is made.
build_tree() {
        command -v meson >/dev/null || setup_all
        [ -e "$build/build.ninja" ] || meson setup "$build" "$tree" "$@" >&2
        ninja -C "$build" --quiet | sed '/^ninja: no work to do/d' >&2
}

# tmpfs takes idmapped mounts from 6.3 on; before that the homes need a directory of a disk.
tmpfs_has_idmap() {
        local major minor
        IFS=.- read -r major minor _ < <(uname -r)
        ((major > 6 || (major == 6 && minor >= 3)))
}
