/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/report.h"

#include "base/fd.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

int report_share(Exec *x) {
        void *page;

        page = mmap(NULL, sizeof(*x->telling), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                return -errno;

        x->telling = page;
        return 0;
}

static void write_failed(const Exec *x) {
        LaunchStatus status = {
                .kind = LAUNCH_STATUS_FAILED,
                .failure = x->problem.failure,
                .error = -x->problem.error,
                .leader = x->leader,
        };

        (void) snprintf(status.step, sizeof(status.step), "%s", x->step ?: "start");
        (void) snprintf(status.text, sizeof(status.text), "%s", x->problem.text);

        /*
         * If this does not arrive, the keeper sees the end of the socket; without VERIFIED before it, that means
         * failure too.
         */
        while (write(x->status_fd, &status, sizeof(status)) < 0 && errno == EINTR)
                ;
}

bool report_failed(const Exec *x) {
        unsigned nothing = TELLING_NOTHING;

        if (x->telling && !atomic_compare_exchange_strong(x->telling, &nothing, TELLING_BEGUN))
                return false;

        write_failed(x);
        if (x->telling)
                *x->telling = TELLING_DONE;
        return true;
}

void report_take_over(const Exec *x) {
        if (!x->telling || *x->telling != TELLING_DONE)
                write_failed(x);
}

int report_verified(const Exec *x, pid_t main, int leader_fd, int main_fd, const char *enforced) {
        const int fds[] = { leader_fd, main_fd };
        LaunchStatus status = {
                .kind = LAUNCH_STATUS_VERIFIED,
                .leader = x->leader,
                .main = main,
        };

        (void) snprintf(status.step, sizeof(status.step), "%s", "verification");
        (void) snprintf(status.text, sizeof(status.text), "%s", enforced);

        return fd_send_packet(x->status_fd, &status, sizeof(status), fds, ELEMENTSOF(fds));
}

int report_streams(const Exec *x) {
        const LaunchStatus status = { .kind = LAUNCH_STATUS_STREAMS };

        return fd_send_packet(x->status_fd, &status, sizeof(status), NULL, 0);
}

int barrier_new(int ret[static 2]) {
        static const int on = 1;
        _cleanup_close_ int outer = -EBADF, inner = -EBADF;
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        outer = fds[0];
        inner = fds[1];

        /* Before anybody can write: the kernel attaches credentials as a message is sent, not as it is received. */
        if (setsockopt(outer, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return -errno;

        ret[0] = TAKE_FD(outer);
        ret[1] = TAKE_FD(inner);
        return 0;
}

int barrier_tell(int fd, BarrierWord word) {
        const char c = (char) word;

        return write(fd, &c, sizeof(c)) < 0 ? -errno : 0;
}

int barrier_wait(int fd) {
        char c = '\0';
        ssize_t n;

        do
                n = read(fd, &c, sizeof(c));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        return n == sizeof(c) && c == BARRIER_GO ? 0 : -ECONNRESET;
}

int barrier_hear(int fd, BarrierWord *ret, pid_t *ret_sender) {
        FdSender sender;
        char c = '\0';
        ssize_t n;

        n = fd_receive_packet(fd, &c, sizeof(c), NULL, NULL, &sender);
        if (n < 0)
                return (int) n;
        if (n == 0)
                return -ECONNRESET;

        *ret = (BarrierWord) c;
        *ret_sender = sender.pid;
        return 0;
}

int barrier_send_network(int fd, int netns_fd) {
        const char c = BARRIER_NETWORK;

        return fd_send_packet(fd, &c, sizeof(c), &netns_fd, 1);
}

int barrier_receive_network(int fd) {
        size_t n_fds = 1;
        int netns_fd = -EBADF;
        char c = '\0';
        ssize_t n;

        n = fd_receive_packet(fd, &c, sizeof(c), &netns_fd, &n_fds, NULL);
        if (n < 0)
                return (int) n;
        if (n_fds != 1)
                return -ECONNRESET;
        if (c != BARRIER_NETWORK) {
                (void) close(netns_fd);
                return -EBADMSG;
        }

        return netns_fd;
}
