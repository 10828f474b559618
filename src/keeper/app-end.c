/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/app-end.h"

#include "link/link.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static AppEnd by_exit(int status) { return (AppEnd){ .status = status }; }

static AppEnd by_signal(int signo) { return (AppEnd){ .signo = signo }; }

AppEnd app_end_of(SandboxResult result, int code, int status) {
        bool exited = code == CLD_EXITED, killed = code == CLD_KILLED || code == CLD_DUMPED;

        if (result == SANDBOX_SUCCESS)
                return killed && signal_ends_cleanly(status) ? by_signal(status) : by_exit(EXIT_SUCCESS);
        if (killed && !signal_ends_cleanly(status))
                return by_signal(status);

        if (result == SANDBOX_OOM_KILL || result == SANDBOX_TIMEOUT || result == SANDBOX_WATCHDOG)
                return by_signal(SIGKILL);

        return by_exit(exited && status > 0 ? status : EXIT_FAILURE);
}

static bool is_among(const char *name, const char *const *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (streq(name, names[i]))
                        return true;

        return false;
}

/* What stays as it is until the admin changes something. */
AppEnd app_end_refused(const char *error_name) {
        static const char *const lasting[] = {
                SD_BUS_ERROR_ACCESS_DENIED, ERROR_NO_SUCH_USER,   ERROR_NO_SUCH_PROFILE,
                ERROR_PROFILE_DISABLED,     ERROR_BAD_SETTING,    ERROR_ARGUMENT_REJECTED,
                ERROR_QUOTA_EXCEEDED,       ERROR_SANDBOX_EXISTS, ERROR_SETTING_NOT_PERMITTED,
        };

        return by_exit(is_among(error_name, lasting, ELEMENTSOF(lasting)) ? APP_REFUSED_STATUS
                                                                          : EXIT_FAILURE);
}

bool app_error_is_passing(const char *error_name) {
        static const char *const passing[] = {
                SD_BUS_ERROR_NO_REPLY,
                SD_BUS_ERROR_DISCONNECTED,
                SD_BUS_ERROR_TIMEOUT,
                ERROR_BUSY,
        };

        return is_among(error_name, passing, ELEMENTSOF(passing));
}

void app_die(int signo) {
        const struct rlimit none = {};
        sigset_t set;

        (void) setrlimit(RLIMIT_CORE, &none);
        (void) signal(signo, SIG_DFL);
        (void) sigemptyset(&set);
        (void) sigaddset(&set, signo);
        (void) sigprocmask(SIG_UNBLOCK, &set, NULL);
        (void) raise(signo);
}
