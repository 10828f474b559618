/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/stream-holder.h"

#include "base/fd.h"
#include "base/log.h"
#include "keeper/parts/spawn.h"
#include "plan/client-streams.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct StreamHolder {
        const CgroupUnit *unit;
        char cgroup_name[64];
        int pidfd, socket; /* the socket: for orders (plan/launch.h) */
        sd_event_source *exited;
};

static StreamHolder *release(StreamHolder *h) {
        if (!h)
                return NULL;

        (void) sd_event_source_disable_unref(h->exited);
        (void) safe_close(h->socket);
        (void) safe_close(h->pidfd);
        if (h->cgroup_name[0])
                (void) cgroup_remove(h->unit, h->cgroup_name);
        free(h);
        return NULL;
}
static DEFINE_CLEANUP(StreamHolder *, release);

/* The keeper reaps it as any other child. */
static int on_exited(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void) release(userdata);
        return 0;
}

StreamHolder *stream_holder_free(StreamHolder *h) {
        if (!h)
                return NULL;

        h->socket = safe_close(h->socket);
        (void) pidfd_signal(h->pidfd, SIGKILL);
        if (sd_event_source_set_enabled(h->exited, SD_EVENT_ON) < 0)
                (void) release(h);
        return NULL;
}

static int start(StreamHolder *h, const StreamHolderRequest *request, int cgroup_fd) {
        char name[] = "immured-exec", option[] = "--hold", title[sizeof(h->cgroup_name)];
        char *argv[] = { name, option, title, NULL };
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, lease = -EBADF;
        SpawnRequest spawn = { .cgroup_fd = cgroup_fd, .fds = { [0 ... _LAUNCH_FD_END - 1] = -EBADF } };
        int pair[2], r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        lease = lease_server_copy(request->lease);
        if (lease < 0)
                return lease;

        for (int i = 0; i < CLIENT_STREAMS_N; i++)
                if (!(request->streams & CLIENT_STREAM(i)))
                        spawn.fds[i] = request->null_fd;
        (void) snprintf(title, sizeof(title), "%s", request->cgroup_name);
        spawn.fds[LAUNCH_FD_HOLDER] = theirs;
        spawn.fds[LAUNCH_FD_STREAMS] = lease;

        r = spawn_with(request->exec_fd, &spawn, argv, &pid);
        if (r < 0)
                return r;

        /* It is not reaped before the loop goes on, so this is its pid. */
        h->pidfd = pidfd_open_pid(pid);
        if (h->pidfd < 0) {
                (void) kill(pid, SIGKILL);
                return h->pidfd;
        }

        h->socket = TAKE_FD(ours);
        return 0;
}

int stream_holder_new(StreamHolder **ret, const StreamHolderRequest *request) {
        _cleanup_(releasep) StreamHolder *h = NULL;
        _cleanup_close_ int cgroup_fd = -EBADF;
        char name[sizeof(h->cgroup_name)];
        int r;

        h = malloc(sizeof(*h));
        if (!h)
                return -ENOMEM;
        *h = (StreamHolder){ .unit = request->unit, .pidfd = -EBADF, .socket = -EBADF };

        (void) snprintf(name, sizeof(name), "%s.streams", request->cgroup_name);
        cgroup_fd = cgroup_create(h->unit, name);
        if (cgroup_fd < 0)
                return cgroup_fd;
        memcpy(h->cgroup_name, name, sizeof(name));

        r = start(h, request, cgroup_fd);
        if (r >= 0)
                r = sd_event_add_io(request->event, &h->exited, h->pidfd, EPOLLIN, on_exited, h);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->exited, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(h);
        return 0;
}

bool stream_holder_is_alive(const StreamHolder *h) {
        struct pollfd p = { .fd = h->pidfd, .events = POLLIN };

        return poll(&p, 1, 0) == 0;
}

int stream_holder_lend(StreamHolder *h) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];

        r = fd_send_packet(h->socket, "1", 1, &theirs, 1);
        return r < 0 ? r : TAKE_FD(ours);
}
