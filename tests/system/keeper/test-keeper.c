/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/text.h"
#include "keeper-rig.h"
#include "link/lease.h"
#include "plan-fixture.h"
#include "plan/client-streams.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#define ID "web.3001.1"

static Rig rig;

static void a_launch_that_ends_well_is_gone(void **state) {
        _cleanup_free_ char *before = rig_snapshot(&rig);
        _cleanup_answer_ RigAnswer a = rig_launch(&rig, &(RigLaunch){ .script = "exit 0" });

        assert_true(a.r >= 0);
        assert_string_equal(a.record->id, ID);
        assert_string_equal(a.record->user, "alice");
        assert_int_equal(a.record->state, SANDBOX_RUNNING);
        assert_int_equal(strlen(a.record->plan_hash), 64);
        assert_true(a.record->leader > 0 && a.record->main_pid > 0);
        assert_non_null(strstr(a.record->control_group, INVOCATION_ID));
        assert_true(a.lease < 0);

        rig_expect(&rig, "changed " ID " starting");
        rig_expect(&rig, "changed " ID " running");
        rig_expect(&rig, "changed " ID " exited");
        rig_expect(&rig, "removed " ID " success 1 0");
        rig_expect_same(&rig, before);
}

static void a_failed_one_stays_until_it_is_reset(void **state) {
        rig_must_end(&rig, "exit 3", "changed " ID " failed");
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " exit-code 1 3");
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) < 0);
}

static void a_failed_one_makes_room_for_the_next(void **state) {
        rig_must_end(&rig, "exit 3", "changed " ID " failed");
        rig_must_launch(&rig, &(RigLaunch){ .script = "exit 0" });
        rig_expect(&rig, "removed " ID " exit-code 1 3");
        rig_expect(&rig, "removed " ID " success 1 0");
}

static void only_the_newest_failed_ones_stay(void **state) {
        for (unsigned i = 1; i <= 17; i++) {
                _cleanup_free_ char *id = text_printf("web.3001.%u", i),
                                    *failed = text_printf("changed %s failed", id);

                rig_must_launch(&rig, &(RigLaunch){ .id = id, .script = "exit 1" });
                rig_expect(&rig, failed);
        }
        rig_expect(&rig, "removed web.3001.1 exit-code 1 1");

        for (unsigned i = 2; i <= 17; i++) {
                _cleanup_free_ char *id = text_printf("web.3001.%u", i),
                                    *removed = text_printf("removed %s exit-code 1 1", id);

                /* Stop forgets as well. */
                assert_true(rig_call(&rig, "Stop", id, NULL) >= 0);
                rig_expect(&rig, removed);
        }
}

static void a_signal_is_told_from_an_exit_status(void **state) {
        rig_must_end(&rig, "kill -9 $$", "changed " ID " failed");
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " signal 2 9");

        rig_must_end(&rig, "kill -TERM $$", "removed " ID " success 2 15");
}

static void stop_answers_when_it_has_ended(void **state) {
        _cleanup_free_ char *before = rig_snapshot(&rig);

        rig_must_launch(&rig, &(RigLaunch){ .script = "sleep 1000 & sleep 1000" });
        assert_true(rig_call(&rig, "Stop", ID, NULL) >= 0);
        rig_expect_same(&rig, before);
        rig_expect(&rig, "changed " ID " stopping");
        rig_expect(&rig, "removed " ID " success 2 15");
}

static void short_stop_timeout(Plan *plan) { plan->terms.timeout_stop_usec = 50 * USEC_PER_MSEC; }

static void what_will_not_stop_is_killed(void **state) {
        rig_must_launch(&rig,
                        &(RigLaunch){ .script = "trap '' TERM; echo deaf; sleep 1000",
                                      .change = short_stop_timeout });
        rig_expect_log(&rig, ID ": deaf");
        assert_true(rig_call(&rig, "Stop", ID, NULL) >= 0);
        rig_expect(&rig, "changed " ID " failed");
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " timeout 2 9");
}

static void short_runtime(Plan *plan) { plan->terms.runtime_max_usec = 50 * USEC_PER_MSEC; }

static void what_runs_too_long_is_stopped(void **state) {
        rig_must_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000", .change = short_runtime });
        rig_expect(&rig, "changed " ID " failed");
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " timeout 2 15");
}

static void kill_reaches_the_application(void **state) {
        rig_must_launch(
                &rig, &(RigLaunch){ .script = "trap 'exit 7' USR1; echo up; while :; do sleep 0.01; done" });
        rig_expect_log(&rig, ID ": up");
        assert_true(rig_kill(&rig, ID, "main", SIGUSR1) >= 0);
        rig_expect(&rig, "changed " ID " failed");
        assert_true(rig_kill(&rig, ID, "main", SIGUSR1) < 0);
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " exit-code 1 7");

        rig_must_launch(&rig, &(RigLaunch){ .script = "sleep 1000; exit 0" });
        assert_true(rig_kill(&rig, ID, "everything", SIGKILL) < 0);
        assert_true(rig_kill(&rig, ID, "all", 0) < 0);
        assert_true(rig_kill(&rig, ID, "all", 65) < 0);
        assert_true(rig_kill(&rig, ID, "all", SIGKILL) >= 0);
        rig_expect(&rig, "changed " ID " failed");
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " signal 2 9");
}

static void oneshot(Plan *plan) { plan->terms.type = SERVICE_ONESHOT; }

static void a_oneshot_answers_at_its_end(void **state) {
        _cleanup_answer_ RigAnswer a =
                rig_launch(&rig, &(RigLaunch){ .script = "sleep 0.05", .change = oneshot });

        assert_true(a.r >= 0);
        assert_int_equal(a.record->state, SANDBOX_EXITED);
        assert_int_equal(a.record->exec_main_code, CLD_EXITED);
        rig_expect(&rig, "removed " ID " success 1 0");
}

static void success_status(Plan *plan) {
        plan->terms.success_statuses[0] |= 1U << 5;
        plan->terms.success_signals |= UINT64_C(1) << SIGUSR2;
}

static void success_is_what_the_plan_says(void **state) {
        rig_must_launch(&rig, &(RigLaunch){ .script = "exit 5", .change = success_status });
        rig_expect(&rig, "removed " ID " success 1 5");
        rig_must_launch(&rig, &(RigLaunch){ .script = "kill -USR2 $$", .change = success_status });
        rig_expect(&rig, "removed " ID " success 2 12");
}

/* Without a sandbox the keeper has no other child. 0: none. */
static pid_t find_seed(void) {
        _cleanup_free_ char *text = NULL;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/task/%d/children", rig.keeper, rig.keeper);
        assert_int_equal(file_read_full(AT_FDCWD, path, 4096, &text, NULL), 0);
        return (pid_t) strtol(text, NULL, 10);
}

static void a_seed_that_dies_is_replaced(void **state) {
        _cleanup_close_ int pidfd = -EBADF;
        pid_t seed = find_seed();

        if (getenv("KEEPER_TEST_FAKE")) {
                assert_int_equal(seed, 0);
                skip();
        }

        assert_true(seed > 0);
        pidfd = pidfd_open_pid(seed);
        assert_true(pidfd >= 0);
        assert_int_equal(pidfd_signal(pidfd, SIGKILL), 0);
        for (int i = 0; i < 2; i++) {
                rig_must_launch(&rig, &(RigLaunch){ .script = "exit 0" });
                rig_expect(&rig, "removed " ID " success 1 0");
        }
        /* Its number cannot have come round again so soon. */
        assert_true(find_seed() > 0 && find_seed() != seed);
}

static void a_seed_that_hangs_fails_one_launch(void **state) {
        pid_t seed = find_seed();

        if (getenv("KEEPER_TEST_FAKE"))
                skip();

        assert_true(seed > 0);
        assert_int_equal(kill(seed, SIGSTOP), 0);
        {
                _cleanup_answer_ RigAnswer a = rig_launch(&rig, &(RigLaunch){ .script = "exit 0" });

                assert_true(a.r < 0);
                assert_string_equal(a.error.name, ERROR_SETUP_FAILED);
        }
        rig_must_launch(&rig, &(RigLaunch){ .script = "exit 0" });
        rig_expect(&rig, "removed " ID " success 1 0");
}

static void short_start_timeout(Plan *plan) { plan->terms.timeout_start_usec = 50 * USEC_PER_MSEC; }

static void a_failed_set_up_leaves_nothing(void **state) {
        static const struct {
                const char *fake, *error, *message;
        } cases[] = {
                { "setup", ERROR_SETUP_FAILED, "mounts: open_tree /srv/data: No such file or directory" },
                { "layer", ERROR_LAYER_UNAVAILABLE, "idmap: /home: Invalid argument" },
                { "verification", ERROR_VERIFICATION_FAILED, "verify: CapEff" },
                { "nonsense", ERROR_SETUP_FAILED, "immured-exec reported nonsense" },
                { "lie", ERROR_SETUP_FAILED, "immured-exec reported nonsense" },
                { "impostor", ERROR_SETUP_FAILED, "immured-exec reported nonsense" },
                { "nothing", ERROR_SETUP_FAILED, "immured-exec ended without saying why" },
                { "crash", ERROR_SETUP_FAILED, "immured-exec ended without saying why" },
                { "late", ERROR_SETUP_FAILED, "immured-exec ended early" },
                { "hang", ERROR_SETUP_FAILED, "TimeoutStartSec= is over" },
                { "orphan", ERROR_SETUP_FAILED, "mounts: open_tree /srv/data: No such file or directory" },
        };

        if (!getenv("KEEPER_TEST_FAKE"))
                skip();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *before = rig_snapshot(&rig), *removed = NULL;
                _cleanup_answer_ RigAnswer a = rig_launch(
                        &rig,
                        &(RigLaunch){
                                .fake = cases[i].fake,
                                .change = streq(cases[i].fake, "hang") ? short_start_timeout : NULL,
                        });

                assert_true(a.r < 0);
                assert_string_equal(a.error.name, cases[i].error);
                assert_string_equal(a.error.message, cases[i].message);
                removed = text_printf("removed " ID " %s 0 0",
                                      streq(cases[i].fake, "hang") ? "timeout" : "setup");
                rig_expect(&rig, removed);
                rig_expect_same(&rig, before);
        }
}

static void missing_program(Plan *plan) { set_text(&plan->argv[0], "/usr/bin/no-such-program"); }

static void a_program_that_is_missing_is_an_error(void **state) {
        _cleanup_free_ char *before = rig_snapshot(&rig);
        _cleanup_answer_ RigAnswer a = rig_launch(&rig, &(RigLaunch){ .change = missing_program });

        assert_true(a.r < 0);
        assert_string_equal(a.error.name, ERROR_SETUP_FAILED);
        assert_string_equal(a.error.message, "exec: /usr/bin/no-such-program: No such file or directory");
        rig_expect_same(&rig, before);
        rig_expect(&rig, "removed " ID " setup 0 0");
}

static void other_user(Plan *plan) {
        plan->uid = 3002;
        plan->uid_map[0].inside = 3002;
}

static void tty_stream(Plan *plan) { plan->standard_output = STREAM_TTY; }

static void no_degrade(Plan *plan) { plan->degrade = strv_free(plan->degrade); }

static void expect_refused(const RigLaunch *launch, const char *error) {
        _cleanup_free_ char *before = rig_snapshot(&rig);
        _cleanup_answer_ RigAnswer a = rig_launch(&rig, launch);

        assert_true(a.r < 0);
        assert_string_equal(a.error.name, error);
        rig_expect_same(&rig, before);
}

static bool controller_is_there(const char *name) {
        _cleanup_free_ char *path = text_printf("%s/cgroup.subtree_control", rig.cgroup), *text = NULL;

        assert_int_equal(file_read_full(AT_FDCWD, path, 4096, &text, NULL), 0);
        return strstr(text, name);
}

static void what_does_not_fit_together_is_refused(void **state) {
        expect_refused(&(RigLaunch){ .id = "web" }, SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .id = "web.3002.1" }, SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .id = "other.3001.1" }, SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .id = "../web.3001.1" }, SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(
                &(RigLaunch){ .digest = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" },
                SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .digest = "0011" }, SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .change = other_user }, SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .change = tty_stream }, ERROR_SETUP_FAILED);
        expect_refused(&(RigLaunch){ .streams = CLIENT_STREAM(1) }, SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .streams = CLIENT_STREAM(3), .lease = true },
                       SD_BUS_ERROR_INVALID_ARGS);
        expect_refused(&(RigLaunch){ .streams = CLIENT_STREAM(1), .lease = true },
                       ERROR_SETTING_NOT_PERMITTED);
        expect_refused(&(RigLaunch){ .descriptor = STDOUT_FILENO }, ERROR_BUSY);
        if (!controller_is_there("pids"))
                expect_refused(&(RigLaunch){ .change = no_degrade }, ERROR_LAYER_UNAVAILABLE);
}

static void two_at_once_leave_what_one_leaves(void **state) {
        _cleanup_free_ char *before = rig_snapshot(&rig);

        rig_must_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000" });
        rig_must_launch(&rig, &(RigLaunch){ .id = "web.3001.2", .script = "exec sleep 1000" });
        assert_true(rig_call(&rig, "Stop", ID, NULL) >= 0);
        assert_true(rig_call(&rig, "Stop", "web.3001.2", NULL) >= 0);
        rig_expect_same(&rig, before);
        rig_expect(&rig, "removed " ID " success 2 15");
        rig_expect(&rig, "removed web.3001.2 success 2 15");
}

static void one_id_runs_once(void **state) {
        rig_must_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000" });
        {
                _cleanup_answer_ RigAnswer a = rig_launch(&rig, &(RigLaunch){});

                assert_string_equal(a.error.name, ERROR_SANDBOX_EXISTS);
        }
        assert_true(rig_call(&rig, "Stop", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " success 2 15");
}

static void calls_name_a_sandbox_that_exists(void **state) {
        static const char *const methods[] = { "Stop", "ResetFailed" };

        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                assert_true(rig_call(&rig, methods[i], "web.3001.7", &error) < 0);
                assert_string_equal(error.name, ERROR_NO_SUCH_SANDBOX);
                sd_bus_error_free(&error);
        }
}

static void client_streams(Plan *plan) {
        plan->standard_input = plan->standard_output = plan->standard_error = STREAM_CLIENT;
}

/* What is on the lease, word for word; "": its end. */
static void expect_packet(int lease, const char *packet) {
        char text[LEASE_PACKET_MAX + 1] = "";
        const ssize_t n = recv(lease, text, sizeof(text) - 1, 0);

        assert_true(n >= 0);
        assert_string_equal(text, packet);
}

static const RigLaunch cat_launch = {
        .script = "cat; echo more >&2",
        .change = client_streams,
        .streams = CLIENT_STREAMS_ALL,
        .lease = true,
};

static void the_client_gets_its_bytes(void **state) {
        static const char packet[] = "STREAMS=stderr stdin stdout";
        _cleanup_answer_ RigAnswer a = rig_launch(&rig, &cat_launch);
        int in[2], out[2];
        char text[64] = "";

        assert_true(a.r >= 0);
        assert_true(sandbox_record_is_hidden(a.record));
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        assert_int_equal(
                fd_send_packet(a.lease, packet, strlen(packet), (int[]){ out[1], in[0], out[1] }, 3), 0);
        (void) close(in[0]);
        (void) close(out[1]);
        assert_int_equal(write(in[1], "some\n", 5), 5);
        (void) close(in[1]);

        for (size_t n = 0;;) {
                ssize_t k = read(out[0], text + n, sizeof(text) - n);

                assert_true(k >= 0);
                if (k == 0)
                        break;
                n += (size_t) k;
        }
        assert_string_equal(text, "some\nmore\n");
        (void) close(out[0]);
        rig_expect(&rig, "removed " ID " success 1 0");
}

/* Nothing is left of a launch whose client sends something else, or nothing. */
static void streams_come_as_they_were_announced(void **state) {
        static const struct {
                const char *packet;
                size_t n_fds;
        } cases[] = {
                { "STREAMS=stdin stdout", 2 },
                { "STREAMS=stdin stdout stderr", 2 },
                { "STREAMS=stdin stdout stderr", 4 },
                { "STREAMS=stdin stdout stdin", 3 },
                { "SIGNAL=2", 0 },
                { "SIGNAL=2", 3 },
                { NULL, 0 },
        };
        const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *before = rig_snapshot(&rig);
                _cleanup_answer_ RigAnswer a = rig_launch(&rig, &cat_launch);
                char text[LEASE_PACKET_MAX + 1] = "";

                assert_true(a.r >= 0);
                if (cases[i].packet) {
                        assert_int_equal(fd_send_packet(a.lease,
                                                        cases[i].packet,
                                                        strlen(cases[i].packet),
                                                        (int[]){ null, null, null, null },
                                                        cases[i].n_fds),
                                         0);
                        assert_true(recv(a.lease, text, sizeof(text) - 1, 0) > 0);
                        assert_true(startswith(
                                text, "RESULT=setup\nERROR=" ERROR_SETUP_FAILED "\nTEXT=streams: "));
                        expect_packet(a.lease, "");
                } else
                        a.lease = safe_close(a.lease);
                rig_expect(&rig, "removed " ID " setup 0 0");
                assert_true(rig_call(&rig, "Stop", ID, NULL) < 0); /* and the keeper is through with it */
                rig_expect_same(&rig, before);
        }

        (void) close(null);
}

static void lines_reach_the_log(void **state) {
        rig_must_end(
                &rig, "echo first; echo '<3>second' >&2; printf 'no newline'", "removed " ID " success 1 0");
        rig_expect_log(&rig, ID ": first\n");
        rig_expect_log(&rig, ID ": <3>second\n"); /* the plan gives no line a say in its priority */
        rig_expect_log(&rig, ID ": no newline\n");

        rig_must_end(&rig, "head -c 20000 /dev/zero | tr '\\0' x", "removed " ID " success 1 0");
        rig_expect_log(&rig, "xxxxxxxx\n");
}

static void nothing_of_the_keeper_reaches_the_application(void **state) {
        rig_must_end(&rig,
                     "grep -E 'SigBlk|SigIgn' /proc/self/status; echo umask $(umask);"
                     "echo score $(cat /proc/self/oom_score_adj) nice $(nice) stack $(ulimit -s);"
                     "echo leak ${LEAK-none}; ls -l /proc/self/fd | wc -l",
                     "removed " ID " success 1 0");
        rig_expect_log(&rig, "SigBlk:\\x090000000000000000\n");
        rig_expect_log(&rig, "SigIgn:\\x090000000000000000\n");
        rig_expect_log(&rig, "umask 0077\n");
        rig_expect_log(&rig, "score 0 nice 0 stack 8192\n");
        rig_expect_log(&rig, "leak none\n");
        /* 0, 1, 2, the directory itself, and the line with the total. */
        rig_expect_log(&rig, ID ": 5\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(a_launch_that_ends_well_is_gone, rig_clean_slate),
                cmocka_unit_test_setup(a_failed_one_stays_until_it_is_reset, rig_clean_slate),
                cmocka_unit_test_setup(a_failed_one_makes_room_for_the_next, rig_clean_slate),
                cmocka_unit_test_setup(only_the_newest_failed_ones_stay, rig_clean_slate),
                cmocka_unit_test_setup(a_signal_is_told_from_an_exit_status, rig_clean_slate),
                cmocka_unit_test_setup(stop_answers_when_it_has_ended, rig_clean_slate),
                cmocka_unit_test_setup(what_will_not_stop_is_killed, rig_clean_slate),
                cmocka_unit_test_setup(what_runs_too_long_is_stopped, rig_clean_slate),
                cmocka_unit_test_setup(kill_reaches_the_application, rig_clean_slate),
                cmocka_unit_test_setup(a_oneshot_answers_at_its_end, rig_clean_slate),
                cmocka_unit_test_setup(success_is_what_the_plan_says, rig_clean_slate),
                cmocka_unit_test_setup(a_seed_that_dies_is_replaced, rig_clean_slate),
                cmocka_unit_test_setup(a_seed_that_hangs_fails_one_launch, rig_clean_slate),
                cmocka_unit_test_setup(a_failed_set_up_leaves_nothing, rig_clean_slate),
                cmocka_unit_test_setup(a_program_that_is_missing_is_an_error, rig_clean_slate),
                cmocka_unit_test_setup(what_does_not_fit_together_is_refused, rig_clean_slate),
                cmocka_unit_test_setup(two_at_once_leave_what_one_leaves, rig_clean_slate),
                cmocka_unit_test_setup(one_id_runs_once, rig_clean_slate),
                cmocka_unit_test_setup(calls_name_a_sandbox_that_exists, rig_clean_slate),
                cmocka_unit_test_setup(the_client_gets_its_bytes, rig_clean_slate),
                cmocka_unit_test_setup(streams_come_as_they_were_announced, rig_clean_slate),
                cmocka_unit_test_setup(lines_reach_the_log, rig_clean_slate),
                cmocka_unit_test_setup(nothing_of_the_keeper_reaches_the_application, rig_clean_slate),
        };
        const char *reason;
        int failed;

        if (!rig_possible(&reason)) {
                (void) fprintf(stderr, "skipped: %s\n", reason);
                return 77;
        }

        rig_open(&rig);
        rig_start_keeper(&rig);
        rig_accept(&rig);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        rig_close(&rig);
        return failed;
}
