/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/run/process.h"

#include "base/fd.h"
#include "base/text.h"
#include "link/link.h"
#include "plan/launch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

/* An owner of a process, which counts what it is told, and the ends that immured-exec has. */
typedef struct Owner {
        sd_event *event;
        Process *process;
        int status_fd, result_fd;
        unsigned n_verified, n_failed, n_advanced;
        char error_name[64], text[512], layers[128];
        int verdict; /* of verified() */
} Owner;

static int on_verified(void *userdata, const Process *p, const char *layers) {
        Owner *o = userdata;

        assert_ptr_equal(p, o->process);
        o->n_verified++;
        (void) snprintf(o->layers, sizeof(o->layers), "%s", layers);
        return o->verdict;
}

static void on_failed(void *userdata, const char *error_name, const char *text) {
        Owner *o = userdata;

        if (o->n_failed++ > 0)
                return;
        (void) snprintf(o->error_name, sizeof(o->error_name), "%s", error_name);
        (void) snprintf(o->text, sizeof(o->text), "%s", text);
}

static void on_advanced(void *userdata) {
        Owner *o = userdata;

        o->n_advanced++;
}

static const ProcessHandlers handlers = {
        .verified = on_verified,
        .failed = on_failed,
        .advanced = on_advanced,
};

static void owner_open(Owner *o) {
        *o = (Owner){ .status_fd = -EBADF, .result_fd = -EBADF };
        assert_true(sd_event_new(&o->event) >= 0);
        assert_int_equal(
                process_new(&o->process, o->event, NULL, &handlers, o, &o->status_fd, &o->result_fd), 0);
}

static void owner_close(Owner *o) {
        o->process = process_free(o->process);
        o->event = sd_event_unref(o->event);
        o->status_fd = safe_close(o->status_fd);
        o->result_fd = safe_close(o->result_fd);
}

static void turn(Owner *o) {
        while (sd_event_run(o->event, 0) > 0)
                ;
}

/* A child that lives until it is killed; forked before there are ends that it would hold, too. */
static pid_t child_new(void) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                for (;;)
                        (void) pause();

        return pid;
}

static int child_end(pid_t pid) {
        int wait_status = 0;

        (void) kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &wait_status, 0), pid);
        return wait_status;
}

static void send_failure(Owner *o, uint32_t failure, int error, const char *step, const char *text) {
        LaunchStatus status = { .kind = LAUNCH_STATUS_FAILED, .failure = failure, .error = error };

        (void) snprintf(status.step, sizeof(status.step), "%s", step);
        (void) snprintf(status.text, sizeof(status.text), "%s", text);
        assert_true(fd_send_packet(o->status_fd, &status, sizeof(status), NULL, 0) >= 0);
}

/* By a child, which the outer half is then said to be; *ret_outer: not reaped yet. */
static void send_verified(Owner *o, pid_t leader, pid_t main, pid_t claimed, pid_t *ret_outer) {
        LaunchStatus status = { .kind = LAUNCH_STATUS_VERIFIED, .leader = claimed, .main = main };
        int fds[2] = { pidfd_open_pid(leader), pidfd_open_pid(main) };
        siginfo_t info = {};
        pid_t pid;

        (void) snprintf(status.text, sizeof(status.text), "seccomp landlock");
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(fd_send_packet(o->status_fd, &status, sizeof(status), fds, 2) < 0);

        assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(info.si_status, 0);
        (void) safe_close(fds[0]);
        (void) safe_close(fds[1]);
        *ret_outer = pid;
}

static void a_step_that_fails_is_told_with_its_reason(void **state) {
        static const struct {
                uint32_t failure;
                int error;
                const char *step, *text, *name, *expected;
        } cases[] = {
                { LAUNCH_FAILURE_SETUP,
                  ENOENT,
                  "mounts",
                  "/srv",
                  ERROR_SETUP_FAILED,
                  "mounts: /srv: No such file or directory" },
                { LAUNCH_FAILURE_SETUP,
                  ENOENT,
                  "mounts",
                  "No such file or directory",
                  ERROR_SETUP_FAILED,
                  "mounts: No such file or directory" },
                { LAUNCH_FAILURE_SETUP,
                  EPERM,
                  "ids",
                  "",
                  ERROR_SETUP_FAILED,
                  "ids: Operation not permitted" },
                { LAUNCH_FAILURE_LAYER,
                  0,
                  "landlock",
                  "landlock: none",
                  ERROR_LAYER_UNAVAILABLE,
                  "landlock: none" },
                { LAUNCH_FAILURE_VERIFICATION,
                  0,
                  "verify",
                  "NoNewPrivs",
                  ERROR_VERIFICATION_FAILED,
                  "verify: NoNewPrivs" },
                { 99, 0, "step", "text", ERROR_SETUP_FAILED, "step: text" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Owner o;

                owner_open(&o);
                send_failure(&o, cases[i].failure, cases[i].error, cases[i].step, cases[i].text);
                turn(&o);
                assert_string_equal(o.error_name, cases[i].name);
                assert_string_equal(o.text, cases[i].expected);
                assert_true(o.n_advanced > 0);
                assert_false(o.process->executed);
                owner_close(&o);
        }
}

static void an_end_without_a_word_is_a_failure(void **state) {
        Owner o;

        owner_open(&o);
        o.status_fd = safe_close(o.status_fd);
        turn(&o);
        assert_string_equal(o.text, "immured-exec ended without saying why");
        assert_true(process_is_over(o.process));
        owner_close(&o);
}

static void nonsense_is_a_failure_and_read_no_further(void **state) {
        Owner o;

        owner_open(&o);
        assert_true(fd_send_packet(o.status_fd, "nonsense", 8, NULL, 0) >= 0);
        send_failure(&o, LAUNCH_FAILURE_SETUP, 0, "later", "later");
        turn(&o);
        assert_string_equal(o.text, "immured-exec reported nonsense");
        assert_int_equal(o.n_failed, 1);
        assert_int_equal(o.process->status_fd, -EBADF);
        owner_close(&o);
}

/* The whole life: verified by the outer half, executed, the leader killed. */
static void it_runs_when_it_was_verified_and_executed(void **state) {
        pid_t leader, main, outer;
        int code, status;
        Owner o;

        if (geteuid() != 0)
                skip(); /* only root's word counts */

        leader = child_new();
        main = child_new();
        owner_open(&o);
        send_verified(&o, leader, main, leader, &outer);
        o.process->outer = outer;

        /* Asked for before the record was read. */
        assert_true(process_owns(o.process, leader));
        assert_int_equal(o.n_verified, 1);
        assert_int_equal(o.n_advanced, 0);
        assert_string_equal(o.layers, "seccomp landlock");
        assert_int_equal(o.process->main, main);
        assert_false(process_owns(o.process, main));
        assert_false(o.process->executed);

        o.status_fd = safe_close(o.status_fd);
        process_reaped(o.process, outer, child_end(outer));
        assert_true(o.process->executed);
        assert_int_equal(o.process->outer, 0);
        assert_int_equal(o.n_failed, 0);
        assert_int_equal(o.n_advanced, 1);
        assert_false(process_is_over(o.process));

        assert_int_equal(pidfd_signal(o.process->main_fd, SIGTERM), 0);
        assert_int_equal(WTERMSIG(child_end(main)), SIGTERM);
        process_reaped(o.process, leader, child_end(leader));
        assert_true(process_is_over(o.process));
        process_read_ending(o.process, &code, &status);
        assert_int_equal(code, CLD_KILLED);
        assert_int_equal(status, SIGKILL);
        owner_close(&o);
}

static void only_the_outer_half_verifies_and_only_what_it_has(void **state) {
        static const struct {
                bool other_sender, other_leader;
        } cases[] = { { true, false }, { false, true } };

        if (geteuid() != 0)
                skip();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                pid_t leader = child_new(), outer;
                Owner o;

                owner_open(&o);
                send_verified(&o, leader, leader, cases[i].other_leader ? getpid() : leader, &outer);
                o.process->outer = cases[i].other_sender ? leader : outer;
                turn(&o);
                assert_int_equal(o.n_verified, 0);
                assert_string_equal(o.text, "immured-exec reported nonsense");
                assert_false(o.process->verified);
                (void) child_end(outer);
                (void) child_end(leader);
                owner_close(&o);
        }
}

static void an_owner_that_cannot_go_on_is_heard(void **state) {
        pid_t leader, outer;
        Owner o;

        if (geteuid() != 0)
                skip();

        leader = child_new();
        owner_open(&o);
        o.verdict = -ENOMEM;
        send_verified(&o, leader, leader, leader, &outer);
        o.process->outer = outer;
        turn(&o);
        assert_false(o.process->verified);
        assert_string_equal(o.text, "what immured-exec reported cannot be checked: Cannot allocate memory");
        (void) child_end(outer);
        (void) child_end(leader);
        owner_close(&o);
}

static void an_outer_half_that_fails_has_let_nothing_go(void **state) {
        Owner o;

        owner_open(&o);
        o.process->outer = 7;
        process_reaped(o.process, 7, W_EXITCODE(1, 0));
        assert_string_equal(o.text, "immured-exec ended early");
        assert_int_equal(o.process->outer, 0);
        owner_close(&o);
}

static void the_result_counts_only_where_it_is_a_wait_status(void **state) {
        static const struct {
                int32_t result;
                size_t size;
                int leader_status, code, status;
        } cases[] = {
                { W_EXITCODE(3, 0), 4, W_EXITCODE(0, 0), CLD_EXITED, 3 },
                { W_EXITCODE(0, SIGTERM), 4, W_EXITCODE(0, 0), CLD_KILLED, SIGTERM },
                { W_EXITCODE(0, SIGSEGV) | WCOREFLAG, 4, W_EXITCODE(0, 0), CLD_DUMPED, SIGSEGV },
                { W_STOPCODE(SIGSTOP), 4, W_EXITCODE(5, 0), CLD_EXITED, 5 },
                { W_EXITCODE(3, 0), 3, W_EXITCODE(5, 0), CLD_EXITED, 5 },
                { 0, 0, W_EXITCODE(0, SIGKILL), CLD_KILLED, SIGKILL },
                { 0, 0, W_STOPCODE(SIGSTOP), CLD_KILLED, SIGKILL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int code = -1, status = -1;
                Owner o;

                owner_open(&o);
                o.process->leader_status = cases[i].leader_status;
                if (cases[i].size > 0)
                        assert_int_equal(write(o.result_fd, &cases[i].result, cases[i].size), cases[i].size);
                process_read_ending(o.process, &code, &status);
                assert_int_equal(code, cases[i].code);
                assert_int_equal(status, cases[i].status);
                owner_close(&o);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_step_that_fails_is_told_with_its_reason),
                cmocka_unit_test(an_end_without_a_word_is_a_failure),
                cmocka_unit_test(nonsense_is_a_failure_and_read_no_further),
                cmocka_unit_test(it_runs_when_it_was_verified_and_executed),
                cmocka_unit_test(only_the_outer_half_verifies_and_only_what_it_has),
                cmocka_unit_test(an_owner_that_cannot_go_on_is_heard),
                cmocka_unit_test(an_outer_half_that_fails_has_let_nothing_go),
                cmocka_unit_test(the_result_counts_only_where_it_is_a_wait_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
