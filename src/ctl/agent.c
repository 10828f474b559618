/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/agent.h"

#include "base/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define AGENT_PATH "/usr/bin/pkttyagent"
/* Long, because the bus may have to start polkit first. */
#define REGISTRATION_TIMEOUT_MSEC 30000

static void agent_exec(int notify_fd, pid_t parent) __attribute__((noreturn));

static void agent_exec(int notify_fd, pid_t parent) {
        char number[16];
        sigset_t none;

        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_DFL);

        /* Otherwise it would go on asking for a password that nobody is waiting for. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent || fcntl(notify_fd, F_SETFD, 0) < 0)
                _exit(EXIT_FAILURE);

        (void) snprintf(number, sizeof(number), "%d", notify_fd);
        (void) execl(AGENT_PATH, "pkttyagent", "--notify-fd", number, "--fallback", NULL);
        _exit(EXIT_FAILURE);
}

int agent_open(Agent *a) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        const pid_t self = getpid();
        struct pollfd waiting;
        int fds[2];
        pid_t pid;

        if (access(AGENT_PATH, X_OK) < 0)
                return -errno;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        ours = fds[0];
        theirs = fds[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                agent_exec(theirs, self);

        a->pid = pid;
        (void) close(TAKE_FD(theirs));

        /* The agent closes its end once it has registered, or when it dies. */
        waiting = (struct pollfd){ .fd = ours };
        return poll(&waiting, 1, REGISTRATION_TIMEOUT_MSEC) < 0 ? -errno : 0;
}

void agent_close(Agent *a) {
        if (a->pid <= 0)
                return;

        (void) kill(a->pid, SIGTERM);
        (void) kill(a->pid, SIGCONT);
        while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        *a = AGENT_NONE;
}
