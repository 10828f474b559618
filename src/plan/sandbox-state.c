/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/sandbox-state.h"

static const char *const state_names[] = {
        [SANDBOX_STARTING] = "starting", [SANDBOX_RUNNING] = "running", [SANDBOX_STOPPING] = "stopping",
        [SANDBOX_EXITED] = "exited",     [SANDBOX_FAILED] = "failed",
};

static const char *const result_names[] = {
        [SANDBOX_SUCCESS] = "success",   [SANDBOX_EXIT_CODE] = "exit-code",
        [SANDBOX_SIGNAL] = "signal",     [SANDBOX_CORE_DUMP] = "core-dump",
        [SANDBOX_OOM_KILL] = "oom-kill", [SANDBOX_TIMEOUT] = "timeout",
        [SANDBOX_WATCHDOG] = "watchdog", [SANDBOX_START_LIMIT] = "start-limit",
        [SANDBOX_SETUP] = "setup",       [SANDBOX_RESOURCES] = "resources",
};

_Static_assert(ELEMENTSOF(state_names) == _SANDBOX_STATE_MAX, "every state has a name");
_Static_assert(ELEMENTSOF(result_names) == _SANDBOX_RESULT_MAX, "every result has a name");

static const char *name_of(const char *const *names, size_t n, int value) {
        return value >= 0 && (size_t) value < n ? names[value] : "unknown";
}

static int value_of(const char *const *names, size_t n, const char *s) {
        for (size_t i = 0; s && i < n; i++)
                if (streq(names[i], s))
                        return (int) i;

        return -EINVAL;
}

const char *sandbox_state_name(SandboxState s) {
        return name_of(state_names, ELEMENTSOF(state_names), (int) s);
}

const char *sandbox_result_name(SandboxResult r) {
        return name_of(result_names, ELEMENTSOF(result_names), (int) r);
}

int sandbox_state_from_name(const char *s) { return value_of(state_names, ELEMENTSOF(state_names), s); }

int sandbox_result_from_name(const char *s) { return value_of(result_names, ELEMENTSOF(result_names), s); }

bool sandbox_state_is_alive(SandboxState s) { return s <= SANDBOX_STOPPING; }
