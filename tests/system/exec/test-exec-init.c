/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec-rig.h"

#include "base/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void test_exit_status(void **state) {
        static const int statuses[] = { 0, 1, 42, 255 };
        static Run r;

        for (size_t i = 0; i < ELEMENTSOF(statuses); i++) {
                _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe");
                char words[64];

                (void) snprintf(words, sizeof(words), "/probe exit %d", statuses[i]);
                rig_set_argv(p, words);
                rig_run(&r, p);
                assert_true(r.has_result);
                assert_true(WIFEXITED(r.result));
                assert_int_equal(WEXITSTATUS(r.result), statuses[i]);
                assert_true(WIFEXITED(r.leader_status));
                assert_int_equal(WEXITSTATUS(r.leader_status), statuses[i]);
        }
}

static void test_death_by_signal(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe raise 9");
        static Run r;

        rig_run(&r, p);
        assert_true(r.has_result);
        assert_true(WIFSIGNALED(r.result));
        assert_int_equal(WTERMSIG(r.result), SIGKILL);
        assert_int_equal(WEXITSTATUS(r.leader_status), 128 + SIGKILL);
}

static void test_signals_are_forwarded(void **state) {
        static const int signals[] = { SIGTERM, SIGINT,   SIGHUP,  SIGQUIT, SIGUSR1,
                                       SIGUSR2, SIGWINCH, SIGPIPE, 36 };
        static Run r;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe wait");
                char expected[32];

                rig_start(&r, p, NULL, NULL);
                rig_wait_executed(&r);
                assert_false(r.failed);
                rig_wait_output(&r, "ready\n");
                assert_int_equal(pidfd_signal(r.pidfds[0], signals[i]), 0);
                rig_finish(&r);

                (void) snprintf(expected, sizeof(expected), "%d", signals[i]);
                assert_string_equal(rig_value(&r, "signal"), expected);
                assert_int_equal(r.result, 0);
        }
}

static void test_signal_to_the_application(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe wait");
        static Run r;

        rig_start(&r, p, NULL, NULL);
        rig_wait_executed(&r);
        rig_wait_output(&r, "ready\n");
        assert_int_equal(pidfd_signal(r.pidfds[1], SIGTERM), 0);
        rig_finish(&r);
        assert_string_equal(rig_value(&r, "signal"), "15");
}

static void test_death_of_the_init(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe wait");
        static Run r;

        rig_start(&r, p, NULL, NULL);
        rig_wait_executed(&r);
        rig_wait_output(&r, "ready\n");
        assert_int_equal(pidfd_signal(r.pidfds[0], SIGKILL), 0);
        rig_finish(&r);

        /* All of the sandbox is gone with it, and there is no word of how the application ended. */
        assert_false(r.has_result);
        assert_true(WIFSIGNALED(r.leader_status));
        assert_null(strstr(r.output, "signal="));
}

static void test_orphans_are_reaped(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe orphans");
        static Run r;

        rig_run(&r, p);
        assert_string_equal(rig_value(&r, "left"), "0");
}

static char *read_proc(pid_t pid, const char *file) {
        char path[64];
        char *text = NULL;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
        assert_int_equal(file_read_full(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
        return text;
}

/* Whether these are /dev/null three times, and one pipe. */
static bool holds_streams_and_a_pipe(pid_t pid) {
        unsigned n_fds = 0;

        for (int fd = 0; fd < 64; fd++) {
                char path[64], target[256];
                ssize_t n;

                (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
                n = readlink(path, target, sizeof(target) - 1);
                if (n < 0)
                        continue;
                target[n] = '\0';
                n_fds++;
                if (fd <= 2 ? !streq(target, "/dev/null") : !strstr(target, "pipe:"))
                        return false;
        }

        return n_fds == 4;
}

/* From outside: what pid 1 still holds. */
static void test_the_init_holds_nothing(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe wait");
        _cleanup_free_ char *status = NULL, *smaps = NULL;
        unsigned long kib = 0;
        static Run r;

        rig_start(&r, p, NULL, NULL);
        rig_wait_executed(&r);
        rig_wait_output(&r, "ready\n");

        status = read_proc(r.verification.leader, "status");
        assert_non_null(strstr(status,
                               "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                               "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"));
        assert_non_null(strstr(status, "Uid:\t600000\t600000\t600000\t600000\n"));

        /* It lets go of the barrier when the application runs already. */
        for (unsigned i = 0; i < 1000 && !holds_streams_and_a_pipe(r.verification.leader); i++)
                (void) usleep(10000);
        assert_true(holds_streams_and_a_pipe(r.verification.leader));

        smaps = read_proc(r.verification.leader, "smaps_rollup");
        for (const char *line = smaps; (line = strstr(line, "Anonymous:")); line++)
                kib += strtoul(line + strlen("Anonymous:"), NULL, 10);
        print_message("init: %lu KiB of memory of its own\n", kib);
        /* A sanitizer has a shadow that is larger than all of it. */
#ifndef __SANITIZE_ADDRESS__
        assert_true(kib < 200);
#endif

        assert_int_equal(pidfd_signal(r.pidfds[0], SIGTERM), 0);
        rig_finish(&r);
}

static int setup(void **state) {
        rig_setup();
        return 0;
}

static int teardown(void **state) {
        rig_teardown();
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exit_status),
                cmocka_unit_test(test_death_by_signal),
                cmocka_unit_test(test_signals_are_forwarded),
                cmocka_unit_test(test_signal_to_the_application),
                cmocka_unit_test(test_death_of_the_init),
                cmocka_unit_test(test_orphans_are_reaped),
                cmocka_unit_test(test_the_init_holds_nothing),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
