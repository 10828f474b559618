/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/streams.h"

#include "base/fd.h"
#include "plan/client-streams.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>

int streams_await(int other, uint32_t *ret) {
        uint32_t streams = 0;

        for (int fd = 0; fd < CLIENT_STREAMS_N; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                if (dup2(other, fd) < 0)
                        return -errno;

                streams |= CLIENT_STREAM(fd);
        }

        *ret = streams;
        return 0;
}

/* The socket is the keeper's, too, which never waits for it: so it is not in blocking mode. */
static ssize_t receive(int socket, char *packet, size_t size, int *fds, size_t *n_fds) {
        struct pollfd p = { .fd = socket, .events = POLLIN };

        while (poll(&p, 1, -1) < 0)
                if (errno != EINTR)
                        return -errno;

        return fd_receive_packet(socket, packet, size, fds, n_fds, NULL);
}

/* Whether these are the streams that were announced. */
static bool fits(const int *numbers, int n_numbers, size_t n_fds, uint32_t wanted) {
        uint32_t named = 0;

        for (int i = 0; i < n_numbers; i++)
                named |= CLIENT_STREAM(numbers[i]);

        return n_numbers >= 0 && (size_t) n_numbers == n_fds && named == wanted;
}

int streams_receive(int socket, uint32_t wanted, Problem *problem) {
        int fds[CLIENT_STREAMS_N], numbers[CLIENT_STREAMS_N], n_numbers;
        char packet[CLIENT_STREAMS_PACKET_MAX];
        size_t n_fds = ELEMENTSOF(fds);
        ssize_t n;

        n = receive(socket, packet, sizeof(packet), fds, &n_fds);
        if (n == 0)
                return problem_set(problem, -ECONNRESET, "The client's streams have not come");
        if (n < 0 && n != -EMSGSIZE)
                return problem_set(problem, (int) n, "The client's streams");

        /* What does not fit is closed by the end of this process. */
        n_numbers = n < 0 ? -EBADMSG : client_streams_read(packet, (size_t) n, numbers);
        if (!fits(numbers, n_numbers, n_fds, wanted))
                return problem_set(problem, -EBADMSG, "The client has sent other streams than it announced");

        for (int i = 0; i < n_numbers; i++) {
                if (dup2(fds[i], numbers[i]) < 0)
                        return problem_set(problem, -errno, "Descriptor %d", numbers[i]);
                (void) close(fds[i]);
        }

        return 0;
}

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
