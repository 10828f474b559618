/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * explain-exit — one sentence on why an application ended, for people who do not know the numbers by heart
 *
 * Runs in: immurectl. Privilege: none. Input: the broker's properties.
 */

#include "base/util.h"

#define EXPLAIN_EXIT_SIZE 256

/*
 * The sentence for a result by its name, the code (CLD_EXITED, CLD_KILLED, CLD_DUMPED, 0: it never ran) and the exit
 * status or signal. Written to buffer and returned; never empty.
 */
const char *explain_exit(const char *result, int code, int status, char buffer[static EXPLAIN_EXIT_SIZE]);
