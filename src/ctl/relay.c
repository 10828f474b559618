/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/relay.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

void relay_done(Relay *relay) {
        relay_handed_over(relay);
        relay->own = safe_close(relay->own);
        free(relay->buffer);
        *relay = RELAY_INIT;
}

/* Whether it can be read or written at all. */
static int check_copy(int stream) {
        struct stat st;
        int flags;

        flags = fcntl(stream, F_GETFL);
        if (flags < 0 || fstat(stream, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;

        return flags & O_PATH ? -EBADF : 0;
}

int relay_open(Relay *relay, int stream) {
        _cleanup_close_ int near = -EBADF, far = -EBADF;
        bool outward = stream != STDIN_FILENO;
        int ends[2], r;

        r = fd_check_stream(stream);
        if (r < 0 && r != -EPERM)
                return r;
        if (r >= 0) {
                *relay = RELAY_INIT;
                relay->handover = stream;
                return 0;
        }

        r = check_copy(stream);
        if (r < 0)
                return r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        near = ends[outward ? 0 : 1];
        far = ends[outward ? 1 : 0];

        /* Only our end. O_NONBLOCK belongs to an end of a pipe, so the application's end stays blocking. */
        r = fd_set_nonblock(near, true);
        if (r < 0)
                return r;

        *relay = RELAY_INIT;
        relay->buffer = malloc(RELAY_BUFFER_SIZE);
        if (!relay->buffer)
                return -ENOMEM;
        relay->source = outward ? near : stream;
        relay->sink = outward ? stream : near;
        relay->own = TAKE_FD(near);
        relay->handover = TAKE_FD(far);
        relay->handover_owned = true;
        relay->outward = outward;
        return 0;
}

void relay_handed_over(Relay *relay) {
        if (relay->handover_owned)
                (void) safe_close(relay->handover);

        relay->handover = -EBADF;
        relay->handover_owned = false;
}

bool relay_is_done(const Relay *relay) { return relay->source < 0; }

struct pollfd relay_poll(const Relay *relay) {
        bool full = relay->begin < relay->end;

        if (relay_is_done(relay))
                return (struct pollfd){ .fd = -1 };

        return (struct pollfd){ .fd = full ? relay->sink : relay->source,
                                .events = full ? POLLOUT : POLLIN };
}

/* O_NONBLOCK would hold for everyone who shares the caller's stream. A socket can be asked per call instead. */
static ssize_t read_some(int fd, void *buffer, size_t size) {
        ssize_t n = recv(fd, buffer, size, MSG_DONTWAIT);

        return n < 0 && errno == ENOTSOCK ? read(fd, buffer, size) : n;
}

static ssize_t write_some(int fd, const void *buffer, size_t size) {
        ssize_t n = send(fd, buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        return n < 0 && errno == ENOTSOCK ? write(fd, buffer, size) : n;
}

/* Ends it. With our end of the pipe closed the application sees end of file, or EPIPE. */
static void relay_finish(Relay *relay) {
        relay->own = safe_close(relay->own);
        relay->source = relay->sink = -EBADF;
        relay->begin = relay->end = 0;
}

static bool try_again(ssize_t n) { return n < 0 && (errno == EAGAIN || errno == EINTR); }

void relay_step(Relay *relay) {
        ssize_t n;

        if (relay_is_done(relay))
                return;

        if (relay->begin == relay->end) {
                n = read_some(relay->source, relay->buffer, RELAY_BUFFER_SIZE);
                if (try_again(n))
                        return;
                if (n <= 0) {
                        relay_finish(relay);
                        return;
                }
                relay->begin = 0;
                relay->end = (size_t) n;
        }

        n = write_some(relay->sink, relay->buffer + relay->begin, relay->end - relay->begin);
        if (try_again(n))
                return;
        if (n <= 0) {
                relay_finish(relay);
                return;
        }
        relay->begin += (size_t) n;
}
