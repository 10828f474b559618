#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A command in a virtual machine: ./dev vm.

source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

help() {
        cat <<'END'
usage: ./dev vm [12|13] [--no-install] [--timeout SECONDS] -- COMMAND [ARGUMENT…]

Boots a virtual machine with Debian 12 (or 13) and systemd, installs the Debian packages of this tree in it, runs COMMAND
as root and exits with its status; 125 where the machine does not come up, dies or is not done in time (1800 s). The
machine is thrown away. Needs root and an archive for apt, and no KVM, which is used where it works.

  --no-install     leave the packages out; COMMAND finds them in $VM_PACKAGES
  --timeout N      wait so many seconds, from the start of the machine to the end of COMMAND

There are the users alice (1000) and bob (1001, also in group staff), both in group users, and carol (1002), and no
network. COMMAND starts when the boot is over, in a copy of the tree, without input. It may restart the machine by
"systemctl reboot" or as roughly as it likes: the same COMMAND then runs again, with VM_BOOT in its environment one
higher (1 at first), until it ends while the machine stays up. Files last from one boot to the next; $VM_STATE is a
directory for them.

  ./dev vm -- systemctl status immured
  ./dev vm 13 -- sh -c '[ $VM_BOOT = 2 ] || exec systemctl reboot; journalctl --list-boots'
  ./dev vm 12 -- python3 tests/vm/run_tests.py tests/vm/test_life.py

Images and packages are kept in ${XDG_CACHE_HOME:-/var/cache}/immured-dev: images until tests/vm/recipe.py changes, packages
for as long as what is compiled does not. How to write a test that runs in there: tests/vm/README.md.
END
}

main() {
        need_root vm
        install_packages "${packages_vm[@]}"
        exec /usr/bin/python3 "$tree/tests/vm/vm.py" run "$@"
}

case ${1:-} in
-h | --help) help ;;
*) main "$@" ;;
esac
