/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/terms.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

static void an_ending_is_judged(void **state) {
        static const Terms terms = {
                .kill_signal = SIGQUIT,
                .success_statuses = { [0] = 1U << 5, [7] = 1U << 31 },
                .success_signals = UINT64_C(1) << SIGUSR1 | UINT64_C(1) << 63,
        };
        static const struct {
                Ending ending;
                SandboxResult result;
        } cases[] = {
                { { CLD_EXITED, 0 }, SANDBOX_SUCCESS },
                { { CLD_EXITED, 1 }, SANDBOX_EXIT_CODE },
                { { CLD_EXITED, 5 }, SANDBOX_SUCCESS },
                { { CLD_EXITED, 255 }, SANDBOX_SUCCESS },
                { { CLD_EXITED, 254 }, SANDBOX_EXIT_CODE },
                { { CLD_KILLED, SIGTERM }, SANDBOX_SUCCESS },
                { { CLD_KILLED, SIGHUP }, SANDBOX_SUCCESS },
                { { CLD_KILLED, SIGINT }, SANDBOX_SUCCESS },
                { { CLD_KILLED, SIGPIPE }, SANDBOX_SUCCESS },
                { { CLD_KILLED, SIGUSR1 }, SANDBOX_SUCCESS },
                { { CLD_KILLED, 63 }, SANDBOX_SUCCESS },
                { { CLD_KILLED, 64 }, SANDBOX_SIGNAL },
                { { CLD_KILLED, SIGKILL }, SANDBOX_SIGNAL },
                { { CLD_KILLED, SIGKILL, .stopped = true }, SANDBOX_SIGNAL },
                { { CLD_KILLED, SIGKILL, .stopped = true, .killed = true }, SANDBOX_SUCCESS },
                { { CLD_KILLED, SIGQUIT }, SANDBOX_SIGNAL },
                { { CLD_KILLED, SIGQUIT, .stopped = true }, SANDBOX_SUCCESS },
                { { CLD_DUMPED, SIGQUIT, .stopped = true }, SANDBOX_SUCCESS },
                { { CLD_DUMPED, SIGSEGV }, SANDBOX_CORE_DUMP },
                { { CLD_EXITED, 0, .timed_out = true }, SANDBOX_TIMEOUT },
                { { CLD_KILLED, SIGKILL, .oom_kills = 1 }, SANDBOX_OOM_KILL },
                { { CLD_EXITED, 0, .oom_kills = 1 }, SANDBOX_OOM_KILL },
                { { CLD_KILLED, SIGKILL, .timed_out = true, .oom_kills = 1 }, SANDBOX_TIMEOUT },
                { { CLD_DUMPED, SIGABRT, .stuck = true }, SANDBOX_WATCHDOG },
                { { CLD_EXITED, 0, .stuck = true, .timed_out = true, .oom_kills = 1 }, SANDBOX_WATCHDOG },
                { { CLD_EXITED, 0, .unready = true }, SANDBOX_EXIT_CODE },
                { { CLD_EXITED, 5, .unready = true }, SANDBOX_EXIT_CODE },
                { { CLD_KILLED, SIGTERM, .unready = true }, SANDBOX_SIGNAL },
                { { CLD_EXITED, 0, .unready = true, .stopped = true }, SANDBOX_SUCCESS },
                { { CLD_EXITED, 1, .unready = true, .stopped = true }, SANDBOX_EXIT_CODE },
                { { CLD_EXITED, 0, .unready = true, .timed_out = true, .stopped = true }, SANDBOX_TIMEOUT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(terms_judge(&terms, &cases[i].ending), cases[i].result);
}

static void a_lost_helper_is_forgiven_where_the_plan_says_continue(void **state) {
        static const Terms terms = { .oom_policy = OOM_POLICY_CONTINUE };

        assert_int_equal(terms_judge(&terms, &(Ending){ CLD_EXITED, 0, .oom_kills = 1 }), SANDBOX_SUCCESS);
        assert_int_equal(terms_judge(&terms, &(Ending){ CLD_KILLED, SIGKILL, .oom_kills = 1 }),
                         SANDBOX_OOM_KILL);
        assert_int_equal(terms_judge(&terms, &(Ending){ CLD_KILLED, SIGTERM, .oom_kills = 1 }),
                         SANDBOX_SUCCESS);
}

static void restarts_follow_the_policy(void **state) {
        /* success, exit code, and what no application does on purpose */
        static const struct {
                RestartPolicy policy;
                bool success, exit_code, abnormal;
        } cases[] = {
                { RESTART_NO, false, false, false },       { RESTART_ON_SUCCESS, true, false, false },
                { RESTART_ON_FAILURE, false, true, true }, { RESTART_ON_ABNORMAL, false, false, true },
                { RESTART_ALWAYS, true, true, true },
        };
        static const SandboxResult abnormal[] = {
                SANDBOX_SIGNAL, SANDBOX_CORE_DUMP, SANDBOX_OOM_KILL, SANDBOX_TIMEOUT, SANDBOX_SETUP,
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Terms t = { .restart = (uint8_t) cases[i].policy };

                assert_int_equal(terms_restart(&t, SANDBOX_SUCCESS), cases[i].success);
                assert_int_equal(terms_restart(&t, SANDBOX_EXIT_CODE), cases[i].exit_code);
                for (size_t k = 0; k < ELEMENTSOF(abnormal); k++)
                        assert_int_equal(terms_restart(&t, abnormal[k]), cases[i].abnormal);
        }
}

static void waits_grow_by_steps(void **state) {
        Terms t = { .restart_usec = 1000, .restart_max_delay_usec = USEC_INFINITY, .restart_steps = 3 };

        assert_int_equal(terms_restart_delay(&t, 0), 1000);
        assert_int_equal(terms_restart_delay(&t, 99), 1000);

        t.restart_max_delay_usec = 8000;
        assert_int_equal(terms_restart_delay(&t, 0), 1000);
        assert_in_range(terms_restart_delay(&t, 1), 1999, 2001);
        assert_in_range(terms_restart_delay(&t, 2), 3999, 4001);
        assert_int_equal(terms_restart_delay(&t, 3), 8000);
        assert_int_equal(terms_restart_delay(&t, UINT32_MAX), 8000);

        t.restart_steps = 0;
        assert_int_equal(terms_restart_delay(&t, 5), 1000);
        t.restart_steps = 3;
        t.restart_usec = 0;
        assert_int_equal(terms_restart_delay(&t, 5), 0);
        t.restart_usec = 9000;
        assert_int_equal(terms_restart_delay(&t, 5), 9000);
}

static void starts_are_counted_in_windows(void **state) {
        Terms t = { .start_limit_interval_usec = 100, .start_limit_burst = 2 };
        StartCount count = {};

        assert_true(terms_count_start(&t, &count, 1000));
        assert_true(terms_count_start(&t, &count, 1050));
        assert_false(terms_count_start(&t, &count, 1050));
        assert_false(terms_count_start(&t, &count, 1100));
        assert_true(terms_count_start(&t, &count, 1101));
        assert_true(terms_count_start(&t, &count, 1201));
        assert_false(terms_count_start(&t, &count, 1201));

        t.start_limit_interval_usec = USEC_INFINITY;
        assert_false(terms_count_start(&t, &count, UINT64_MAX));
        t.start_limit_interval_usec = 0;
        assert_true(terms_count_start(&t, &count, 1201));
        t.start_limit_interval_usec = 100;
        t.start_limit_burst = 0;
        assert_true(terms_count_start(&t, &count, 1201));
}

static void wait_statuses_come_apart(void **state) {
        int code = 0, status = 0;

        assert_true(wait_status_split(W_EXITCODE(7, 0), &code, &status));
        assert_int_equal(code, CLD_EXITED);
        assert_int_equal(status, 7);
        assert_true(wait_status_split(W_EXITCODE(0, SIGKILL), &code, &status));
        assert_int_equal(code, CLD_KILLED);
        assert_int_equal(status, SIGKILL);
        assert_true(wait_status_split(W_EXITCODE(0, SIGSEGV) | WCOREFLAG, &code, &status));
        assert_int_equal(code, CLD_DUMPED);
        assert_int_equal(status, SIGSEGV);
        assert_false(wait_status_split(W_STOPCODE(SIGSTOP), &code, &status));
        assert_int_equal(code, CLD_DUMPED);
        assert_int_equal(status, SIGSEGV);

        assert_string_equal(ending_code_name(CLD_EXITED), "exited");
        assert_string_equal(ending_code_name(CLD_KILLED), "killed");
        assert_string_equal(ending_code_name(CLD_DUMPED), "dumped");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_ending_is_judged),
                cmocka_unit_test(a_lost_helper_is_forgiven_where_the_plan_says_continue),
                cmocka_unit_test(restarts_follow_the_policy),
                cmocka_unit_test(waits_grow_by_steps),
                cmocka_unit_test(starts_are_counted_in_windows),
                cmocka_unit_test(wait_statuses_come_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
