/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/streams.h"

#include "base/fd.h"

#include <fcntl.h>
#include <linux/close_range.h>

int streams_check(Problem *problem) {
        for (int fd = 0; fd <= 2; fd++) {
                int r;

                r = fd_check_stream(fd);
                if (r == -EPERM)
                        return problem_set(
                                problem, r, "Descriptor %d is neither a pipe, a terminal nor /dev/null", fd);
                if (r < 0)
                        return problem_set(problem, r, "Descriptor %d", fd);
        }

        return 0;
}

int streams_close_others(Problem *problem) {
        if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return problem_set(problem, -errno, "close_range");

        return 0;
}
