/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/journal.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char *journal_path = JOURNAL_SOCKET;
static int journal_fd = -EBADF;
static unsigned n_dropped = 0;

void journal_use(const char *path) { journal_path = path ?: JOURNAL_SOCKET; }

/*
 * NAME=value; or, for a value of more than one line, NAME, a newline, the size as 64 bits little endian, and the
 * bytes.
 */
void journal_append_text(Buffer *entry, const char *name, const char *text) {
        size_t size = strlen(text);

        buffer_append_text(entry, name);
        if (strchr(text, '\n')) {
                uint8_t little[8];

                for (size_t i = 0; i < sizeof(little); i++)
                        little[i] = (uint8_t) ((uint64_t) size >> 8 * i);
                buffer_append(entry, "\n", 1);
                buffer_append(entry, little, sizeof(little));
        } else
                buffer_append(entry, "=", 1);
        buffer_append(entry, text, size);
        buffer_append(entry, "\n", 1);
}

int journal_open(void) {
        if (journal_fd < 0)
                journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return journal_fd < 0 ? -errno : 0;
}

static int send_fields(const struct iovec *fields, size_t n) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct msghdr message = {
                .msg_name = &address,
                .msg_namelen = sizeof(address),
                .msg_iov = (struct iovec *) fields,
                .msg_iovlen = n,
        };
        int r;

        if (strlen(journal_path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, journal_path, strlen(journal_path));

        r = journal_open();
        if (r < 0)
                return r;

        return sendmsg(journal_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void tell_dropped(void) {
        char text[96];
        int n = snprintf(text,
                         sizeof(text),
                         "PRIORITY=4\nMESSAGE=%u entries were lost, as the journal did not take them\n",
                         n_dropped);

        if (send_fields(&(struct iovec){ text, (size_t) n }, 1) >= 0)
                n_dropped = 0;
}

int journal_send(const struct iovec *fields, size_t n) {
        int r;

        r = send_fields(fields, n);
        /* In a child that has closed what it inherited, the number may belong to something else. */
        if (r == -EBADF || r == -ENOTSOCK) {
                journal_fd = -EBADF;
                r = send_fields(fields, n);
        }
        /* The socket file of a journald that is not running. */
        if (r == -ECONNREFUSED || r == -ENOTDIR)
                r = -ENOENT;
        if (r == -ENOENT)
                return r;

        if (r == -ENOBUFS)
                r = -EAGAIN;
        if (r < 0)
                n_dropped++;
        else if (n_dropped > 0)
                tell_dropped();

        return r;
}
