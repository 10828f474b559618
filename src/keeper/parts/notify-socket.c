/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/notify-socket.h"

#include "base/fd.h"
#include "base/log.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a sandbox may cost: this many packets at a time, this many times in each interval. */
#define PACKETS_AT_ONCE 16U
#define TIMES_PER_INTERVAL 10U
#define INTERVAL_USEC (UINT64_C(1000) * 1000)

/* What an ending sandbox may have left in the queue: more than net.unix.max_dgram_qlen, which systemd sets to 512. */
#define PACKETS_LEFT_MAX 1024U

#define CHILD_SEC 5

struct NotifySocket {
        int fd;
        sd_event_source *event;
        NotifyHandler *handler;
        void *userdata;
        pid_t child; /* takes a packet with descriptors off the queue; 0: there is none */
};

/* Room for the sender and for nothing else: what does not fit is dropped by the kernel, and MSG_CTRUNC says so. */
typedef struct Packet {
        char text[NOTIFY_PACKET_MAX];
        size_t size;
        pid_t sender;
        bool whole, has_fds;
} Packet;

static int packet_peek(int fd, Packet *ret) {
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(struct ucred))];
        } control = {};
        struct iovec iov = { ret->text, sizeof(ret->text) };
        struct msghdr m = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        const struct cmsghdr *header;
        struct ucred sender = {};
        ssize_t n;

        do
                n = recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        header = CMSG_FIRSTHDR(&m);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS &&
            header->cmsg_len == CMSG_LEN(sizeof(sender)))
                memcpy(&sender, CMSG_DATA(header), sizeof(sender));

        ret->size = (size_t) n;
        ret->sender = sender.pid;
        ret->whole = !(m.msg_flags & MSG_TRUNC);
        ret->has_fds = m.msg_flags & MSG_CTRUNC;
        return 0;
}

/* The first packet off the queue, with all that came along. */
static int packet_drop(int fd) {
        ssize_t n;

        do
                n = recv(fd, NULL, 0, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);

        return n < 0 ? -errno : 0;
}

/*
 * The received files are closed here, which takes as long as whoever serves them likes (FUSE, SO_LINGER). The child
 * holds nothing of the keeper's open meanwhile, and the alarm ends it where the wait can be interrupted.
 */
static _noreturn_ void child_main(int fd, bool all) {
        (void) alarm(CHILD_SEC);
        if (dup2(fd, STDIN_FILENO) < 0 || fd_close_from(STDIN_FILENO + 1) < 0)
                _exit(EXIT_FAILURE);

        while (packet_drop(STDIN_FILENO) >= 0 && all)
                ;

        _exit(EXIT_SUCCESS);
}

static pid_t drop_in_child(int fd, bool all) {
        pid_t pid = fork();

        if (pid == 0)
                child_main(fd, all);

        return pid < 0 ? -errno : pid;
}

/* One packet. 0: no more can be had now. */
static int notify_socket_step(NotifySocket *n) {
        NotifyMessage message;
        Packet packet;
        int r;

        if (n->child > 0)
                return 0;

        r = packet_peek(n->fd, &packet);
        if (r < 0)
                return r == -EAGAIN ? 0 : r;

        /* It leaves the queue before anybody hears of it, as the handler may end the run. */
        if (packet.has_fds) {
                r = drop_in_child(n->fd, false);
                if (r < 0)
                        return r;
                n->child = (pid_t) r;
        } else {
                r = packet_drop(n->fd);
                if (r < 0)
                        return r;
        }

        if (packet.whole && notify_message_parse(packet.text, packet.size, &message) >= 0)
                n->handler(n->userdata, packet.sender, &message);
        return 1;
}

static int on_packets(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        NotifySocket *n = userdata;

        for (unsigned i = 0; i < PACKETS_AT_ONCE; i++)
                if (notify_socket_step(n) <= 0)
                        break;

        /* Until the child has done its part, the socket would be readable all the time. */
        if (n->child > 0)
                (void) sd_event_source_set_enabled(n->event, SD_EVENT_OFF);
        return 0;
}

int notify_socket_new(
        NotifySocket **ret, sd_event *event, NotifyHandler *handler, void *userdata, int *ret_socket) {
        static const int on = 1;
        _cleanup_(notify_socket_freep) NotifySocket *n = NULL;
        int copy, r;

        n = malloc(sizeof(*n));
        if (!n)
                return -ENOMEM;
        *n = (NotifySocket){ .fd = -EBADF, .handler = handler, .userdata = userdata };

        n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (n->fd < 0)
                return -errno;
        /* Before anybody can write: credentials are attached when a packet is sent. */
        if (setsockopt(n->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return -errno;

        r = sd_event_add_io(event, &n->event, n->fd, EPOLLIN, on_packets, n);
        if (r >= 0)
                r = sd_event_source_set_enabled(n->event, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(n->event, SD_EVENT_PRIORITY_NORMAL + 10);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(n->event, INTERVAL_USEC, TIMES_PER_INTERVAL);
        if (r < 0)
                return r;

        copy = fd_duplicate(n->fd);
        if (copy < 0)
                return copy;

        *ret = TAKE_PTR(n);
        *ret_socket = copy;
        return 0;
}

/* Closing the socket would close the descriptors that are still queued; a child does that, too. */
static void notify_socket_close(NotifySocket *n) {
        Packet packet;

        (void) shutdown(n->fd, SHUT_RD);
        while (packet_peek(n->fd, &packet) >= 0)
                if (packet.has_fds) {
                        pid_t pid = drop_in_child(n->fd, true);

                        if (pid < 0)
                                (void) log_errno(pid, "cannot let go of what an application has sent");
                        break;
                } else if (packet_drop(n->fd) < 0)
                        break;

        n->fd = safe_close(n->fd);
        if (n->child > 0)
                (void) kill(n->child, SIGKILL);
}

NotifySocket *notify_socket_free(NotifySocket *n) {
        if (!n)
                return NULL;

        (void) sd_event_source_disable_unref(n->event);
        if (n->fd >= 0)
                notify_socket_close(n);
        free(n);
        return NULL;
}

DEFINE_CLEANUP(NotifySocket *, notify_socket_free);

bool notify_socket_is_bound(const NotifySocket *n) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);

        return getsockname(n->fd, (struct sockaddr *) &address, &size) >= 0 &&
               size > sizeof(address.ss_family);
}

int notify_socket_listen(NotifySocket *n) { return sd_event_source_set_enabled(n->event, SD_EVENT_ON); }

void notify_socket_drain(NotifySocket *n) {
        for (unsigned i = 0; n && i < PACKETS_LEFT_MAX; i++)
                if (notify_socket_step(n) <= 0)
                        break;
}

bool notify_socket_owns(const NotifySocket *n, pid_t pid) { return n && n->child > 0 && n->child == pid; }

void notify_socket_reaped(NotifySocket *n) {
        n->child = 0;
        (void) notify_socket_listen(n);
}
