/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/foreign-socket.h"

#include "base/fd.h"
#include "base/log.h"

#include <sys/socket.h>

#define CHILD_SEC 5

int foreign_socket_peek(int fd, char *text, size_t size, ForeignPacket *ret) {
        /* Room for the sender and for nothing else: what does not fit is dropped by the kernel. */
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(struct ucred))];
        } control = {};
        struct iovec iov = { text, size };
        struct msghdr m = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        const struct cmsghdr *header;
        struct ucred sender;
        ssize_t n;

        do
                n = recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        header = CMSG_FIRSTHDR(&m);
        if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS ||
            header->cmsg_len != CMSG_LEN(sizeof(sender)))
                return -EPIPE;
        memcpy(&sender, CMSG_DATA(header), sizeof(sender));

        *ret = (ForeignPacket){
                .size = (size_t) n,
                .sender = sender.pid,
                .whole = !(m.msg_flags & MSG_TRUNC),
                .has_fds = m.msg_flags & MSG_CTRUNC,
        };
        return 0;
}

int foreign_socket_drop(int fd) {
        ssize_t n;

        do
                n = recv(fd, NULL, 0, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);

        return n < 0 ? -errno : 0;
}

/*
 * The received files are closed here. The child holds nothing of the keeper's open meanwhile, and the alarm ends it
 * where the wait can be interrupted.
 */
static _noreturn_ void child_main(int fd, bool all) {
        ForeignPacket packet;

        (void) alarm(CHILD_SEC);
        if (dup2(fd, STDIN_FILENO) < 0 || fd_close_from(STDIN_FILENO + 1) < 0)
                _exit(EXIT_FAILURE);

        do
                (void) foreign_socket_drop(STDIN_FILENO);
        while (all && foreign_socket_peek(STDIN_FILENO, NULL, 0, &packet) >= 0);

        _exit(EXIT_SUCCESS);
}

static int fork_child(int fd, bool all, pid_t *ret_pid) {
        const pid_t pid = fork();

        if (pid == 0)
                child_main(fd, all);
        if (pid < 0)
                return -errno;

        *ret_pid = pid;
        return 0;
}

int foreign_socket_drop_in_child(int fd, pid_t *ret_pid) { return fork_child(fd, false, ret_pid); }

int foreign_socket_close(int fd) {
        ForeignPacket packet;
        pid_t pid;
        int r = 0;

        if (fd < 0)
                return -EBADF;

        /* From here on the queue does not grow; and as the child has a copy, ours is not the last to be closed. */
        (void) shutdown(fd, SHUT_RD);
        while (r >= 0 && foreign_socket_peek(fd, NULL, 0, &packet) >= 0) {
                if (packet.has_fds) {
                        r = fork_child(fd, true, &pid);
                        break;
                }

                r = foreign_socket_drop(fd);
        }

        /* Better one descriptor too many than a loop that stands still. */
        if (r < 0) {
                (void) log_errno(r, "cannot let go of what a user has sent");
                return -EBADF;
        }

        return safe_close(fd);
}
