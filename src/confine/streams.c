/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/streams.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/stat.h>

int streams_check(Problem *problem) {
        for (int fd = 0; fd <= 2; fd++) {
                struct stat st;
                int flags;

                flags = fcntl(fd, F_GETFL);
                if (flags < 0 || fstat(fd, &st) < 0)
                        return problem_set(problem, -errno, "Descriptor %d", fd);

                if (flags & O_PATH || !(S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) || S_ISCHR(st.st_mode)))
                        return problem_set(
                                problem, -EPERM, "Descriptor %d is no pipe, file or terminal", fd);
        }

        return 0;
}

int streams_close_others(Problem *problem) {
        if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return problem_set(problem, -errno, "close_range");

        return 0;
}
