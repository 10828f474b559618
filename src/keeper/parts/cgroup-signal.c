/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/text.h"
#include "keeper/parts/cgroup.h"

#include <stdio.h>

#define PROCS_SIZE_MAX (64U * 1024)

/*
 * A pid read from cgroup.procs may have been given to another process before the signal goes out; behind a pidfd it
 * cannot, so membership is looked at again with the pidfd in hand.
 */
static int signal_member(int fd, pid_t pid, int signo) {
        _cleanup_close_ int pidfd = -EBADF;
        _cleanup_free_ char *procs = NULL;
        char word[16];

        pidfd = pidfd_open_pid(pid);
        if (pidfd < 0)
                return pidfd;

        if (file_read_full(fd, "cgroup.procs", PROCS_SIZE_MAX, &procs, NULL) < 0)
                return -ESRCH;

        (void) snprintf(word, sizeof(word), "%d", pid);
        for (char *rest = procs, *line; (line = strsep(&rest, "\n"));)
                if (streq(line, word))
                        return pidfd_signal(pidfd, signo);

        return -ESRCH;
}

int cgroup_signal(int fd, pid_t except, int signo) {
        _cleanup_free_ char *procs = NULL;
        int n = 0, r;

        r = file_read_full(fd, "cgroup.procs", PROCS_SIZE_MAX, &procs, NULL);
        if (r < 0)
                return r;

        for (char *rest = procs, *line; (line = strsep(&rest, "\n"));) {
                int32_t pid;

                if (parse_i32(line, &pid) < 0 || pid <= 0 || pid == except)
                        continue;
                if (signal_member(fd, pid, signo) >= 0)
                        n++;
        }

        return n;
}
