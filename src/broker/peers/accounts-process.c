/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/accounts-process.h"

#include "broker/peers/accounts-worker.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A place for a pid that must be reaped, or NULL. */
static pid_t *reap(AccountsProcess *p) {
        pid_t *place = NULL;

        for (size_t i = 0; i < ACCOUNTS_DYING_MAX; i++) {
                if (p->dying[i] > 0 && waitpid(p->dying[i], NULL, WNOHANG) != 0)
                        p->dying[i] = 0;
                if (p->dying[i] == 0)
                        place = p->dying + i;
        }

        return place;
}

/* A child that hangs on a dead file server does not even die of SIGKILL, so it is never waited for. */
int accounts_process_stop(AccountsProcess *p) {
        pid_t *place = reap(p);

        if (!place)
                return -EAGAIN;

        p->sock = safe_close(p->sock);
        if (p->pid > 0) {
                (void) kill(p->pid, SIGKILL);
                *place = p->pid;
                p->pid = 0;
                (void) reap(p);
        }

        return 0;
}

int accounts_process_start(AccountsProcess *p) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int pair[2], r;
        pid_t pid;

        r = accounts_process_stop(p);
        if (r < 0)
                return r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                accounts_worker_run(theirs);

        p->sock = TAKE_FD(ours);
        p->pid = pid;
        return 0;
}
