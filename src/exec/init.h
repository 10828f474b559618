/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * init — pid 1 of a sandbox: forwards signals, reaps, exits as the application did
 *
 * The kernel delivers to a pid 1 only the signals it has a handler for (pid_namespaces(7)), and leaves every orphan
 * to it. Few applications expect either.
 *
 * Runs in: exec, inside. Privilege: none. Input: signals from the keeper and from inside.
 */

#include "base/util.h"

#include <sys/types.h>

/*
 * Call it with all signals blocked. Returns when the application has ended, having written its wait status to
 * result_fd as an int32_t. The value is the exit status for the init: the application's, or 128 + N for signal N.
 */
int init_run(pid_t application, int result_fd);
