/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/lease-server.h"

#include "base/fd.h"
#include "base/text.h"
#include "keeper/parts/foreign-socket.h"
#include "link/lease.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct LeaseServer {
        int fd;
        sd_event_source *event;
        LeaseHandler *handler;
        LeaseGone *gone;
        void *userdata;
};

static int parse_line(const char *line, LeaseRequest *request) {
        const char *stop = startswith(line, "STOP="), *signal = startswith(line, "SIGNAL=");
        uint32_t signo;

        if (stop && !streq(stop, "1"))
                return -EBADMSG;
        if (signal && (parse_u32(signal, &signo) < 0 || signo < 1 || signo >= _NSIG))
                return -EBADMSG;

        if (stop)
                request->stop = true;
        if (signal)
                request->signo = (int) signo;
        return 0;
}

int lease_server_parse(const char *packet, size_t size, LeaseRequest *ret) {
        char copy[LEASE_PACKET_MAX + 1], *rest = copy;
        LeaseRequest request = {};

        if (size > LEASE_PACKET_MAX || memchr(packet, '\0', size))
                return -EBADMSG;

        memcpy(copy, packet, size);
        copy[size] = '\0';

        for (char *line; (line = strsep(&rest, "\n"));) {
                int r = parse_line(line, &request);

                if (r < 0)
                        return r;
        }

        *ret = request;
        return 0;
}

/* -EPIPE: the holder has gone. -EBADMSG: what it sends is not for a keeper, and stays in the queue. */
static int receive(int fd, LeaseRequest *ret) {
        char text[LEASE_PACKET_MAX];
        ForeignPacket packet;
        int r;

        r = foreign_socket_peek(fd, text, sizeof(text), &packet);
        if (r < 0)
                return r;
        if (packet.has_fds || !packet.whole)
                return -EBADMSG;

        r = lease_server_parse(text, packet.size, ret);
        return r < 0 ? r : foreign_socket_drop(fd);
}

/*
 * One packet at a time, after the broker's calls, so that a flood cannot hold up others. A packet that does not parse
 * ends the lease: a holder that cannot be understood cannot be obeyed.
 */
static int on_packet(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        LeaseServer *l = userdata;
        LeaseRequest request;
        int r;

        r = receive(fd, &request);
        if (r == -EAGAIN)
                return 0;

        if (r < 0)
                l->gone(l->userdata);
        else
                l->handler(l->userdata, &request);

        return 0;
}

static int open_pair(LeaseServer *l, int *ret_holder) {
        static const int on = 1;
        _cleanup_close_ int holder = -EBADF;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        l->fd = pair[0];
        holder = pair[1];

        /* Before anybody can write: credentials are attached when a packet is sent. */
        if (setsockopt(l->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return -errno;

        r = fd_set_nonblock(l->fd, true);
        if (r < 0)
                return r;

        *ret_holder = TAKE_FD(holder);
        return 0;
}

int lease_server_new(LeaseServer **ret,
                     sd_event *event,
                     LeaseHandler *handler,
                     LeaseGone *gone,
                     void *userdata,
                     int *ret_holder) {
        _cleanup_(lease_server_freep) LeaseServer *l = NULL;
        _cleanup_close_ int holder = -EBADF;
        int r;

        l = malloc(sizeof(*l));
        if (!l)
                return -ENOMEM;
        *l = (LeaseServer){ .fd = -EBADF, .handler = handler, .gone = gone, .userdata = userdata };

        r = open_pair(l, &holder);
        if (r >= 0)
                r = sd_event_add_io(event, &l->event, l->fd, EPOLLIN, on_packet, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->event, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(l->event, SD_EVENT_PRIORITY_NORMAL + 10);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        *ret_holder = TAKE_FD(holder);
        return 0;
}

LeaseServer *lease_server_free(LeaseServer *l) {
        if (!l)
                return NULL;

        (void) sd_event_source_disable_unref(l->event);
        (void) foreign_socket_close(l->fd);
        free(l);
        return NULL;
}

DEFINE_CLEANUP(LeaseServer *, lease_server_free);

int lease_server_listen(LeaseServer *l) {
        return l ? sd_event_source_set_enabled(l->event, SD_EVENT_ON) : 0;
}

int lease_server_copy(const LeaseServer *l) { return fd_duplicate(l->fd); }

void lease_server_send(LeaseServer *l, const char *packet) {
        const size_t size = MIN(strlen(packet), (size_t) LEASE_PACKET_MAX);

        /* Who does read would wait for ever for what could not be sent: the end of the lease tells them, too. */
        if (l && send(l->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
                (void) shutdown(l->fd, SHUT_WR);
}
