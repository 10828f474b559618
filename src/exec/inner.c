/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "confine/caps.h"
#include "confine/process.h"
#include "confine/seccomp.h"
#include "exec/report.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* As in a shell: found but not executable, or not found. */
#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND 127

/* Tells the keeper first, then the outer half, which cleans up; unless another process is telling already. */
static int fail(Exec *x, int status) {
        if (report_failed(x))
                (void) barrier_tell(x->barrier_fd, BARRIER_FAILED);
        return status;
}

/* Returns only if it cannot become the application. */
static int become_application(Exec *x, const Step *steps) {
        static char *const nothing[] = { NULL };
        char *const *environment;
        int r;

        r = exec_run_stage(x, steps, STAGE_APPLICATION);
        if (r < 0)
                return fail(x, EXIT_FAILURE);

        /* The filter is in force: read, write, execve and exit_group are all that is left. */
        x->step = "barrier";
        r = barrier_tell(x->barrier_fd, BARRIER_APPLICATION);
        if (r < 0)
                return EXIT_FAILURE;
        r = barrier_wait(x->barrier_fd);
        /* If the outer half is gone, it has told why; or it thinks that the application runs. */
        if (r == -ECONNRESET)
                return EXIT_FAILURE;
        if (r < 0) {
                (void) problem_set(&x->problem, r, "Release by the outer half");
                return fail(x, EXIT_FAILURE);
        }

        x->step = "exec";
        environment = x->plan->environment ?: (char **) nothing;
        (void) execve(x->plan->argv[0], x->plan->argv, environment);

        r = -errno;
        (void) problem_set(&x->problem, r, "%s", x->plan->argv[0]);
        (void) report_failed(x);
        return r == -ENOENT || r == -ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}

/*
 * Points 0, 1 and 2 at nothing. They are the application's, and a reader at the other end waits until the last
 * writer is gone.
 */
static int release_streams(void) {
        _cleanup_close_ int null = -EBADF;

        null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        for (int fd = 0; fd <= 2; fd++)
                /* In a plan without /dev/null they are closed. That is safe, since nothing will be opened here. */
                if (null < 0 ? close(fd) < 0 : dup2(null, fd) < 0)
                        return -errno;

        return 0;
}

/* Drops everything that the init does not need, capabilities and memory included. */
static int drop_to_init(Exec *x) {
        int r;

        r = caps_apply(0, 0, &x->problem);
        if (r < 0)
                return r;
        r = seccomp_no_new_privileges(&x->problem);
        if (r < 0)
                return r;
        r = release_streams();
        if (r < 0)
                return problem_set(&x->problem, r, "/dev/null");

        x->plan = plan_free(x->plan);
        return 0;
}

/* Reaps everything that has ended; true if the application was among it. */
static bool reap(pid_t application, int *ret_status) {
        bool found = false;

        for (;;) {
                int status;
                pid_t pid;

                pid = waitpid(-1, &status, WNOHANG);
                if (pid < 0 && errno == EINTR)
                        continue;
                if (pid <= 0)
                        return found;

                if (pid == application) {
                        *ret_status = status;
                        found = true;
                }
        }
}

static int exit_status(int status) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * pid 1 of a sandbox: forwards signals, reaps, exits as the application did. The kernel delivers to a pid 1 only the
 * signals it has a handler for (pid_namespaces(7)), and leaves every orphan to it. Few applications expect either.
 *
 * All signals are blocked. Returns when the application has ended, having written its wait status to result_fd as an
 * int32_t. The value is the exit status for the init: the application's, or 128 + N for signal N.
 */
static int init_run(pid_t application, int result_fd) {
        int32_t result;
        sigset_t all;
        int status;

        (void) sigfillset(&all);

        while (!reap(application, &status)) {
                int signo;

                signo = sigwaitinfo(&all, NULL);
                /*
                 * Every signal that can be waited for is meant for the application. Faults of our own are delivered
                 * despite the mask, and SIGKILL and SIGSTOP never get here.
                 */
                if (signo > 0 && signo != SIGCHLD)
                        (void) kill(application, signo);
        }

        result = status;
        (void) fd_write_full(result_fd, &result, sizeof(result));

        return exit_status(status);
}

static int become_init(Exec *x, pid_t application) {
        int r;

        x->step = "init";
        r = drop_to_init(x);
        if (r < 0) {
                (void) fail(x, EXIT_FAILURE);
                /* Our end would end the application's process too, which may be reporting a failure of its own. */
                (void) waitpid(application, NULL, 0);
                return EXIT_FAILURE;
        }

        /* The keeper waits for this to close. From here on only the application's process holds it. */
        x->status_fd = safe_close(x->status_fd);
        r = barrier_tell(x->barrier_fd, BARRIER_INIT);
        x->barrier_fd = safe_close(x->barrier_fd);
        if (r < 0)
                return EXIT_FAILURE;

        return init_run(application, x->result_fd);
}

/*
 * Nobody could stop a sandbox without its keeper. This comes so late because the kernel forgets it when ids change
 * (prctl(2)). The keeper may be gone already, so its end of the pipe is checked too.
 */
static int die_with_keeper(Exec *x) {
        struct pollfd result = { .fd = x->result_fd };

        x->step = "keeper";
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return problem_set(&x->problem, -errno, "PR_SET_PDEATHSIG");
        if (poll(&result, 1, 0) < 0)
                return problem_set(&x->problem, -errno, "poll");

        return result.revents & POLLERR ? problem_set(&x->problem, -EPIPE, "the keeper is gone") : 0;
}

int exec_inner(Exec *x, const Step *steps) {
        pid_t pid;
        int r;

        r = exec_run_stage(x, steps, STAGE_INSIDE);
        if (r >= 0)
                r = die_with_keeper(x);
        if (r < 0)
                return fail(x, EXIT_FAILURE);

        if (!x->plan->init)
                return become_application(x, steps);

        x->step = "fork";
        pid = fork();
        if (pid < 0) {
                (void) problem_set(&x->problem, -errno, "fork");
                return fail(x, EXIT_FAILURE);
        }
        if (pid == 0) {
                x->result_fd = safe_close(x->result_fd);
                return become_application(x, steps);
        }

        return become_init(x, pid);
}
