/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/notify-socket.h"

#include "base/fd.h"
#include "keeper/parts/foreign-socket.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* What a sandbox may cost: this many packets at a time, this many times in each interval. */
#define PACKETS_AT_ONCE 16U
#define TIMES_PER_INTERVAL 10U
#define INTERVAL_USEC (UINT64_C(1000) * 1000)

/* What an ending sandbox may have left in the queue: more than net.unix.max_dgram_qlen, which systemd sets to 512. */
#define PACKETS_LEFT_MAX 1024U

struct NotifySocket {
        int fd;
        sd_event_source *event;
        NotifyHandler *handler;
        void *userdata;
        pid_t child; /* takes a packet with descriptors off the queue; 0: there is none */
};

/* One packet. 0: no more can be had now. */
static int notify_socket_step(NotifySocket *n) {
        char text[NOTIFY_PACKET_MAX];
        NotifyMessage message;
        ForeignPacket packet;
        int r;

        if (n->child > 0)
                return 0;

        r = foreign_socket_peek(n->fd, text, sizeof(text), &packet);
        if (r < 0)
                return r == -EAGAIN ? 0 : r;

        /* It leaves the queue before anybody hears of it, as the handler may end the run. */
        r = packet.has_fds ? foreign_socket_drop_in_child(n->fd, &n->child) : foreign_socket_drop(n->fd);
        if (r < 0)
                return r;

        if (packet.whole && notify_message_parse(text, packet.size, &message) >= 0)
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

NotifySocket *notify_socket_free(NotifySocket *n) {
        if (!n)
                return NULL;

        (void) sd_event_source_disable_unref(n->event);
        (void) foreign_socket_close(n->fd);
        if (n->child > 0)
                (void) kill(n->child, SIGKILL);
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
