/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox-state — the states and results of a sandbox and their names on the bus
 *
 * Runs in: keeper, broker, immurectl. Privilege: none.
 */

#include "base/util.h"

typedef enum SandboxState {
        SANDBOX_STARTING,
        SANDBOX_RUNNING,
        SANDBOX_STOPPING,
        SANDBOX_EXITED, /* ended well */
        SANDBOX_FAILED,
        _SANDBOX_STATE_MAX,
} SandboxState;

typedef enum SandboxResult {
        SANDBOX_SUCCESS,
        SANDBOX_EXIT_CODE,
        SANDBOX_SIGNAL,
        SANDBOX_CORE_DUMP,
        SANDBOX_OOM_KILL,
        SANDBOX_TIMEOUT,
        SANDBOX_WATCHDOG,
        SANDBOX_START_LIMIT,
        SANDBOX_SETUP,
        SANDBOX_RESOURCES,
        _SANDBOX_RESULT_MAX,
} SandboxResult;

/* "running"; "exit-code". Static text. */
const char *sandbox_state_name(SandboxState s);
const char *sandbox_result_name(SandboxResult r);

/* The value, or -EINVAL. */
int sandbox_state_from_name(const char *s);
int sandbox_result_from_name(const char *s);

/* starting, running or stopping: it holds processes and counts against limits. */
bool sandbox_state_is_alive(SandboxState s);
