#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# All the rest is python's, which a small system does not have yet.
[ -x /usr/bin/python3 ] || setup_all
exec /usr/bin/python3 "$tree/tests/run.py" "$@"
