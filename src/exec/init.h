/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * init — pid 1 of a sandbox: forwards signals, reaps, ends as the application ended
 *
 * An application that is pid 1 itself would ignore every signal it has no handler for, and would have to reap.
 *
 * Runs in: exec, inside. Privilege: none. Input: signals from the keeper and from inside.
 */

#include "base/util.h"

#include <sys/types.h>

/*
 * All signals must be blocked. Returns when the application has ended: with its wait status written to result_fd (an
 * int32_t), the exit status for the init itself, 128 + N for signal N.
 */
int init_run(pid_t application, int result_fd);
