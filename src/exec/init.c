/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/init.h"

#include "base/fd.h"

#include <signal.h>
#include <sys/wait.h>

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

int init_run(pid_t application, int result_fd) {
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
