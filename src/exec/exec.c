/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/exec.h"

#include "base/fd.h"
#include "base/text.h"
#include "exec/seed.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>

/* The keeper's descriptors, and nothing else. Whether they are what they should be, their first use shows. */
static int take_descriptors(Exec *x) {
        bool has_netns, has_notify;
        int r;

        for (int fd = LAUNCH_FD_PLAN; fd <= LAUNCH_FD_RESULT; fd++) {
                r = fd_set_cloexec(fd, true);
                if (r < 0)
                        return r;
        }
        has_netns = fd_set_cloexec(LAUNCH_FD_NETNS, true) >= 0;
        has_notify = fd_set_cloexec(LAUNCH_FD_NOTIFY, true) >= 0;

        r = fd_close_from(_LAUNCH_FD_END);
        if (r < 0)
                return r;

        x->status_fd = LAUNCH_FD_STATUS;
        x->result_fd = LAUNCH_FD_RESULT;
        x->netns_fd = has_netns ? LAUNCH_FD_NETNS : -EBADF;
        x->notify_fd = has_notify ? LAUNCH_FD_NOTIFY : -EBADF;
        return 0;
}

static int usage(void) {
        (void) fprintf(stderr, "This program is started by immured-keeper, not by hand.\n");
        return EXIT_FAILURE;
}

int exec_launch(const Step *steps, uint32_t id_base) {
        Exec x = {
                .id_base = id_base,
                .status_fd = -EBADF,
                .result_fd = -EBADF,
                .netns_fd = -EBADF,
                .notify_fd = -EBADF,
                .userns_fd = -EBADF,
                .barrier_fd = -EBADF,
                .landlock_fd = -EBADF,
        };

        if (take_descriptors(&x) < 0)
                return usage();

        /* The kernel would show the name of the memory file that the keeper executed. */
        (void) prctl(PR_SET_NAME, "immured-exec");

        return exec_outer(&x, steps);
}

int exec_main(const Step *steps, int argc, char **argv) {
        uint32_t id_base;

        if (argc != 3)
                return usage();
        if (streq(argv[1], "--seed"))
                return seed_main(steps, argv[1], (size_t) (argv[2] + strlen(argv[2]) - argv[1]));
        if (parse_u32(argv[2], &id_base) < 0)
                return usage();

        return exec_launch(steps, id_base);
}
