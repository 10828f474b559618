/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/app-end.h"
#include "link/link.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

/* clang-format off */
static const struct {
        SandboxResult result;
        int code, status;
        AppEnd end;
} ends[] = {
        { SANDBOX_SUCCESS,     CLD_EXITED, 0,       { 0, 0 } },
        { SANDBOX_SUCCESS,     CLD_EXITED, 7,       { 0, 0 } },
        { SANDBOX_SUCCESS,     CLD_KILLED, SIGTERM, { 0, SIGTERM } },
        { SANDBOX_SUCCESS,     CLD_KILLED, SIGUSR1, { 0, 0 } },
        { SANDBOX_EXIT_CODE,   CLD_EXITED, 1,       { 1, 0 } },
        { SANDBOX_EXIT_CODE,   CLD_EXITED, 255,     { 255, 0 } },
        { SANDBOX_SIGNAL,      CLD_KILLED, SIGKILL, { 0, SIGKILL } },
        { SANDBOX_CORE_DUMP,   CLD_DUMPED, SIGSEGV, { 0, SIGSEGV } },
        { SANDBOX_TIMEOUT,     CLD_KILLED, SIGKILL, { 0, SIGKILL } },
        { SANDBOX_TIMEOUT,     CLD_KILLED, SIGTERM, { 0, SIGKILL } },
        { SANDBOX_TIMEOUT,     CLD_EXITED, 0,       { 0, SIGKILL } },
        { SANDBOX_WATCHDOG,    CLD_KILLED, SIGABRT, { 0, SIGABRT } },
        { SANDBOX_OOM_KILL,    CLD_EXITED, 0,       { 0, SIGKILL } },
        { SANDBOX_START_LIMIT, CLD_EXITED, 3,       { 3, 0 } },
        { SANDBOX_START_LIMIT, 0,          0,       { EXIT_FAILURE, 0 } },
        { SANDBOX_SETUP,       0,          0,       { EXIT_FAILURE, 0 } },
};
/* clang-format on */

static void the_unit_ends_as_the_application_did_and_as_the_profile_judges(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                const AppEnd end = app_end_of(ends[i].result, ends[i].code, ends[i].status);

                assert_int_equal(end.status, ends[i].end.status);
                assert_int_equal(end.signo, ends[i].end.signo);
        }
}

static void what_only_the_admin_can_change_is_not_tried_again(void **state) {
        assert_int_equal(app_end_refused(SD_BUS_ERROR_ACCESS_DENIED).status, APP_REFUSED_STATUS);
        assert_int_equal(app_end_refused(ERROR_NO_SUCH_PROFILE).status, APP_REFUSED_STATUS);
        assert_int_equal(app_end_refused(ERROR_QUOTA_EXCEEDED).status, APP_REFUSED_STATUS);
        assert_int_equal(app_end_refused(ERROR_SETUP_FAILED).status, EXIT_FAILURE);
        assert_int_equal(app_end_refused("").status, EXIT_FAILURE);
}

static void what_passes_is_waited_for(void **state) {
        assert_true(app_error_is_passing(ERROR_BUSY));
        assert_true(app_error_is_passing(SD_BUS_ERROR_NO_REPLY));
        assert_false(app_error_is_passing(ERROR_NO_SUCH_USER));
        assert_false(app_error_is_passing(SD_BUS_ERROR_ACCESS_DENIED));
}

static void a_signal_is_died_of_though_it_was_blocked_and_ignored(void **state) {
        static const int signals[] = { SIGTERM, SIGKILL, SIGSEGV };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                pid_t pid = fork();
                int status;

                assert_true(pid >= 0);
                if (pid == 0) {
                        sigset_t all;

                        (void) sigfillset(&all);
                        (void) sigprocmask(SIG_BLOCK, &all, NULL);
                        (void) signal(SIGTERM, SIG_IGN);
                        app_die(signals[i]);
                        _exit(99);
                }

                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status));
                assert_int_equal(WTERMSIG(status), signals[i]);
                assert_false(WCOREDUMP(status));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_unit_ends_as_the_application_did_and_as_the_profile_judges),
                cmocka_unit_test(what_only_the_admin_can_change_is_not_tried_again),
                cmocka_unit_test(what_passes_is_waited_for),
                cmocka_unit_test(a_signal_is_died_of_though_it_was_blocked_and_ignored),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
