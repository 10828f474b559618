/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "keeper-rig.h"
#include "link/lease.h"
#include "plan-fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ID "web.3001.1"

static Rig rig;

static void expect_packet(int lease, const char *packet) {
        char text[LEASE_PACKET_MAX + 1];
        ssize_t n = recv(lease, text, sizeof(text) - 1, 0);

        assert_true(n >= 0);
        text[n] = '\0';
        assert_string_equal(text, packet);
}

static void say(int lease, const char *packet) {
        assert_int_equal(send(lease, packet, strlen(packet), MSG_NOSIGNAL), strlen(packet));
}

static void a_lease_tells_the_end(void **state) {
        _cleanup_answer_ RigAnswer a = rig_launch(&rig, &(RigLaunch){ .script = "exit 3", .lease = true });

        assert_true(a.r >= 0);
        expect_packet(a.lease, "STATE=running");
        expect_packet(a.lease, "RESULT=exit-code\nCODE=exited\nSTATUS=3");
        expect_packet(a.lease, "");
        rig_expect(&rig, "changed " ID " failed");
        assert_true(rig_call(&rig, "ResetFailed", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " exit-code 1 3");
}

static void a_lease_stops_and_signals(void **state) {
        static const struct {
                const char *packet, *result, *removed;
        } cases[] = {
                { "STOP=1", "RESULT=success\nCODE=killed\nSTATUS=15", "removed " ID " success 2 15" },
                { "SIGNAL=2", "RESULT=success\nCODE=killed\nSTATUS=2", "removed " ID " success 2 2" },
                { "UNKNOWN=1\nSIGNAL=1\n",
                  "RESULT=success\nCODE=killed\nSTATUS=1",
                  "removed " ID " success 2 1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_answer_ RigAnswer a =
                        rig_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000", .lease = true });

                assert_true(a.r >= 0);
                expect_packet(a.lease, "STATE=running");
                say(a.lease, cases[i].packet);
                expect_packet(a.lease, cases[i].result);
                rig_expect(&rig, cases[i].removed);
        }
}

static void stop_on_disconnect(Plan *plan) { plan->terms.on_disconnect = ON_DISCONNECT_STOP; }

static void a_lease_that_is_closed_does_what_the_plan_says(void **state) {
        {
                _cleanup_answer_ RigAnswer a = rig_launch(&rig,
                                                          &(RigLaunch){ .script = "exec sleep 1000",
                                                                        .lease = true,
                                                                        .change = stop_on_disconnect });

                assert_true(a.r >= 0);
        }
        rig_expect(&rig, "removed " ID " success 2 15");

        {
                _cleanup_answer_ RigAnswer a =
                        rig_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000", .lease = true });

                assert_true(a.r >= 0);
                say(a.lease, "SIGNAL=0");
                expect_packet(a.lease, "STATE=running");
                expect_packet(a.lease, "");
        }
        assert_true(rig_kill(&rig, ID, "main", SIGTERM) >= 0);
        rig_expect(&rig, "removed " ID " success 2 15");
}

static void sandboxes_outlive_the_broker(void **state) {
        rig_must_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000" });
        rig_must_launch(&rig,
                        &(RigLaunch){ .id = "web.3001.2", .script = "read x; exit 4", .change = NULL });
        rig_expect(&rig, "changed web.3001.2 failed");
        rig_hang_up(&rig);
        rig_accept(&rig);

        assert_int_equal(rig.n_hello, 2);
        assert_string_equal(rig.hello[0]->id, ID);
        assert_int_equal(rig.hello[0]->state, SANDBOX_RUNNING);
        assert_string_equal(rig.hello[1]->id, "web.3001.2");
        assert_int_equal(rig.hello[1]->result, SANDBOX_EXIT_CODE);
        assert_int_equal(rig.hello[1]->exec_main_status, 4);

        assert_true(rig_call(&rig, "Stop", ID, NULL) >= 0);
        rig_expect(&rig, "removed " ID " success 2 15");
        assert_true(rig_call(&rig, "Stop", "web.3001.2", NULL) >= 0);
        rig_expect(&rig, "removed web.3001.2 exit-code 1 4");
}

static void a_connection_that_breaks_is_no_refusal(void **state) {
        char log[4096];
        ssize_t n;

        rig_hang_up(&rig);
        for (int i = 0; i < 3; i++) {
                int fd = accept4(rig.listen_fd, NULL, NULL, SOCK_CLOEXEC);

                assert_true(fd >= 0);
                /* From here on its Hello waits for an answer. */
                assert_int_equal(recv(fd, log, 1, MSG_PEEK), 1);
                (void) close(fd);
        }
        rig_accept(&rig);

        n = pread(rig.log_fd, log, sizeof(log) - 1, 0);
        assert_true(n >= 0);
        log[n] = '\0';
        assert_null(strstr(log, "refuses"));
}

static bool cgroup_exists(const char *name) {
        _cleanup_free_ char *path = text_printf("%s/%s", rig.cgroup, name);

        return access(path, F_OK) >= 0;
}

static void expect_killed(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_keeper_that_dies_leaves_nothing_to_the_next(void **state) {
        _cleanup_answer_ RigAnswer a =
                rig_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000", .lease = true });
        pid_t leader;

        assert_true(a.r >= 0);
        leader = (pid_t) a.record->leader;
        assert_int_equal(kill(rig.keeper, SIGKILL), 0);
        (void) rig_wait_keeper(&rig);
        expect_packet(a.lease, "STATE=running");
        expect_packet(a.lease, "");

        /* The real one ends with its keeper; the fake one is what the next keeper finds. */
        if (!getenv("KEEPER_TEST_FAKE"))
                expect_killed(leader);
        rig_hang_up(&rig);
        rig_start_keeper(&rig);
        rig_accept(&rig);
        assert_int_equal(rig.n_hello, 0);
        assert_false(cgroup_exists(INVOCATION_ID));
        if (getenv("KEEPER_TEST_FAKE"))
                expect_killed(leader);

        rig_must_end(&rig, "exit 0", "removed " ID " success 1 0");
}

static void one_cgroup_has_one_keeper(void **state) {
        Rig second = rig;
        int status;

        second.log_fd = -EBADF;
        rig_start_keeper(&second);
        status = rig_wait_keeper(&(Rig){ .keeper = second.keeper });
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
        rig_expect_log(&second, "another keeper");
        (void) close(second.log_fd);

        rig_must_end(&rig, "exit 0", "removed " ID " success 1 0");
}

/* The last one. */
static void a_keeper_that_is_told_to_go_stops_all(void **state) {
        int status;

        rig_must_launch(&rig, &(RigLaunch){ .script = "exec sleep 1000" });
        rig_must_launch(&rig, &(RigLaunch){ .id = "web.3001.2", .script = "exec sleep 1000" });
        assert_int_equal(kill(rig.keeper, SIGTERM), 0);
        status = rig_wait_keeper(&rig);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
        assert_true(rig_saw(&rig, "removed " ID " success 2 15"));
        assert_true(rig_saw(&rig, "removed web.3001.2 success 2 15"));
        assert_false(cgroup_exists(INVOCATION_ID));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(a_lease_tells_the_end, rig_clean_slate),
                cmocka_unit_test_setup(a_lease_stops_and_signals, rig_clean_slate),
                cmocka_unit_test_setup(a_lease_that_is_closed_does_what_the_plan_says, rig_clean_slate),
                cmocka_unit_test_setup(sandboxes_outlive_the_broker, rig_clean_slate),
                cmocka_unit_test_setup(a_connection_that_breaks_is_no_refusal, rig_clean_slate),
                cmocka_unit_test_setup(a_keeper_that_dies_leaves_nothing_to_the_next, rig_clean_slate),
                cmocka_unit_test_setup(one_cgroup_has_one_keeper, rig_clean_slate),
                cmocka_unit_test_setup(a_keeper_that_is_told_to_go_stops_all, rig_clean_slate),
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
