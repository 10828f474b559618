/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "confine/streams.h"
#include "confine/userns.h"
#include "exec/report.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static Verification verification_of(const Exec *x, Problem *problem) {
        return (Verification){
                .plan = x->plan,
                .base = x->id_base,
                .owner = LAUNCH_OWNER_ID(x->id_block),
                .host = &x->host,
                .layers = &x->layers,
                .problem = problem,
        };
}

/*
 * Waits until both processes have finished their last step; *ret_main is the application's. The init is checked
 * while the other is still busy. What that finds only counts once the other is done: an application that fails ends
 * its init too, and has told the keeper why.
 */
static int hear_ready(Exec *x, pid_t *ret_main, bool *ret_reported) {
        Problem init_problem = {};
        const Verification v = verification_of(x, &init_problem);
        bool init_ready = !x->plan->init;
        pid_t main = 0;

        while (!init_ready || main == 0) {
                BarrierWord word;
                pid_t sender;
                int r;

                r = barrier_hear(x->barrier_fd, &word, &sender);
                if (r < 0)
                        return problem_set(&x->problem, r, "The sandbox ended before it was ready");

                switch (word) {
                case BARRIER_INIT:
                        init_ready = true;
                        if (sender != x->leader)
                                return problem_set_difference(
                                        &x->problem, "Process %d is not the init", sender);
                        r = verify_init(&v, x->leader);
                        if (r < 0)
                                (void) problem_set(&init_problem, r, "init");
                        break;
                case BARRIER_APPLICATION:
                        main = sender;
                        break;
                default:
                        *ret_reported = true;
                        return -ECANCELED;
                }
        }

        x->step = "verification";
        if (!x->plan->init && main != x->leader)
                return problem_set_difference(&x->problem, "Process %d is not the sandbox's first", main);
        if (init_problem.error != 0) {
                x->problem = init_problem;
                return init_problem.error;
        }

        *ret_main = main;
        return 0;
}

/*
 * While a pidfd is not readable the process is alive, so what was read about it was not about another one with its
 * number.
 */
static int check_alive(Exec *x, int pidfd) {
        struct pollfd p = { .fd = pidfd, .events = POLLIN };

        if (poll(&p, 1, 0) != 0)
                return problem_set(&x->problem, -ESRCH, "The sandbox ended while it was verified");

        return 0;
}

static int verify_and_release(Exec *x, int leader_fd, bool *ret_reported) {
        const Verification v = verification_of(x, &x->problem);
        char enforced[sizeof(((LaunchStatus *) NULL)->text)];
        _cleanup_close_ int main_fd = -EBADF;
        pid_t main = 0;
        int r;

        x->step = "barrier";
        r = hear_ready(x, &main, ret_reported);
        if (r < 0)
                return r;

        main_fd = pidfd_open_pid(main);
        if (main_fd < 0)
                return problem_set(&x->problem, main_fd, "pidfd_open");

        r = verify_application(&v, x->leader, main);
        if (r >= 0)
                r = check_alive(x, leader_fd);
        if (r >= 0)
                r = check_alive(x, main_fd);
        if (r < 0)
                return problem_set(&x->problem, r, "verification");
        verify_enforced(x->plan, &x->layers, enforced, sizeof(enforced));

        x->step = "report";
        r = report_verified(x, main, leader_fd, main_fd, enforced);
        if (r < 0)
                return problem_set(&x->problem, r, "Status record");

        x->step = "release";
        r = barrier_tell(x->barrier_fd, BARRIER_GO);
        if (r < 0)
                return problem_set(&x->problem, r, "Release of the application");

        return 0;
}

/* The inner half: pid 1 of new namespaces, but a child of the keeper, as this process is. */
static pid_t clone_inner(int *ret_pidfd) {
        struct clone_args args = {
                .flags = CLONE_PARENT | CLONE_PIDFD | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC |
                         CLONE_NEWUTS | CLONE_NEWCGROUP,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
        };

        return (pid_t) syscall(SYS_clone3, &args, sizeof(args));
}

/* Waits until the process that failed first has told the keeper, or is gone. */
static void await_failure(Exec *x) {
        BarrierWord word;
        pid_t sender;

        while (barrier_hear(x->barrier_fd, &word, &sender) >= 0)
                if (word == BARRIER_FAILED)
                        return;
}

/* Leaves nothing of the sandbox. What it still had to say can be read from the socket until its end. */
static void end_inner(Exec *x, int leader_fd) {
        BarrierWord word;
        pid_t sender;

        (void) pidfd_signal(leader_fd, SIGKILL);
        /* A process that waits for its release, and has not ended with its init, sees the end of the socket here. */
        (void) shutdown(x->barrier_fd, SHUT_WR);
        while (barrier_hear(x->barrier_fd, &word, &sender) >= 0)
                ;
}

/* Only one of those that failed tells the keeper, and it is not killed before it has. */
static void fail_with_inner(Exec *x, int leader_fd, bool reported) {
        const bool other = !reported && !report_failed(x);

        if (other)
                await_failure(x);
        end_inner(x, leader_fd);
        if (other)
                report_take_over(x);
}

static int run_outer(Exec *x, const Step *steps, bool *ret_reported) {
        bool inner_failed = false;
        _cleanup_close_ int leader_fd = -EBADF, barrier_outer = -EBADF, barrier_inner = -EBADF;
        int r, fds[2];

        r = exec_run_stage(x, steps, STAGE_OUTSIDE);
        if (r < 0)
                return r;

        x->step = "clone";
        r = barrier_new(fds);
        if (r < 0)
                return problem_set(&x->problem, r, "socketpair");
        barrier_outer = fds[0];
        barrier_inner = fds[1];
        r = report_share(x);
        if (r < 0)
                return problem_set(&x->problem, r, "mmap");

        x->leader = clone_inner(&leader_fd);
        if (x->leader < 0) {
                x->leader = 0;
                return problem_set(&x->problem, -errno, "clone3");
        }
        if (x->leader == 0) {
                barrier_outer = safe_close(barrier_outer);
                x->barrier_fd = TAKE_FD(barrier_inner);
                _exit(exec_inner(x, steps));
        }

        /* Only the inner half may hold these, or its end would go unnoticed. */
        barrier_inner = safe_close(barrier_inner);
        x->barrier_fd = barrier_outer;
        x->result_fd = safe_close(x->result_fd);
        x->notify_fd = safe_close(x->notify_fd);
        x->userns_fd = safe_close(x->userns_fd);
        x->sources = sources_free(x->sources);

        r = exec_run_stage(x, steps, STAGE_BESIDE);
        if (r >= 0)
                r = verify_and_release(x, leader_fd, &inner_failed);
        if (r < 0) {
                fail_with_inner(x, leader_fd, inner_failed);
                *ret_reported = true;
        }

        return r;
}

/* Takes the keeper's descriptors and closes all others. Their first use shows whether they are what they should be. */
static int take_descriptors(Exec *x) {
        bool has_netns, has_notify, has_streams;
        int r;

        for (int fd = LAUNCH_FD_PLAN; fd <= LAUNCH_FD_RESULT; fd++) {
                r = fd_set_cloexec(fd, true);
                if (r < 0)
                        return r;
        }
        has_netns = fd_set_cloexec(LAUNCH_FD_NETNS, true) >= 0;
        has_notify = fd_set_cloexec(LAUNCH_FD_NOTIFY, true) >= 0;
        has_streams = fd_set_cloexec(LAUNCH_FD_STREAMS, true) >= 0;

        r = fd_close_from(_LAUNCH_FD_END);
        if (r < 0)
                return r;

        x->status_fd = LAUNCH_FD_STATUS;
        x->result_fd = LAUNCH_FD_RESULT;
        x->netns_fd = has_netns ? LAUNCH_FD_NETNS : -EBADF;
        x->notify_fd = has_notify ? LAUNCH_FD_NOTIFY : -EBADF;
        x->streams_fd = has_streams ? LAUNCH_FD_STREAMS : -EBADF;
        return has_streams ? streams_await(LAUNCH_FD_PLAN, &x->streams) : 0;
}

int exec_launch(const Step *steps, uint32_t id_block, PlanRecent *recent) {
        Exec x = {
                .id_block = id_block,
                .recent = recent,
                .status_fd = -EBADF,
                .result_fd = -EBADF,
                .netns_fd = -EBADF,
                .notify_fd = -EBADF,
                .streams_fd = -EBADF,
                .userns_fd = -EBADF,
                .barrier_fd = -EBADF,
                .landlock_fd = -EBADF,
        };
        bool reported = false;
        int r;

        r = take_descriptors(&x);
        if (r < 0)
                return r;

        /* Otherwise the kernel would show the name of the memfd that the keeper executed. */
        (void) prctl(PR_SET_NAME, "immured-exec");

        r = run_outer(&x, steps, &reported);
        x.userns_first = userns_reap(x.userns_first);
        if (r < 0 && !reported)
                (void) report_failed(&x);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
