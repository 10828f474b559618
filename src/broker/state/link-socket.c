/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/link-socket.h"

#include "link/link.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

static int socket_from_systemd(void) {
        int n = sd_listen_fds(0);

        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
                if (sd_is_socket_unix(fd, SOCK_STREAM, 1, LINK_SOCKET, 0) > 0)
                        return fd;

        return -ENOENT;
}

/* Born with its final mode: nobody connects in between. */
static int socket_make(void) {
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = LINK_SOCKET };
        mode_t mask;
        int r;

        if (mkdir("/run/immured", 0755) < 0 && errno != EEXIST)
                return -errno;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;

        if (unlink(LINK_SOCKET) < 0 && errno != ENOENT)
                return -errno;

        mask = umask(0177);
        r = bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
        (void) umask(mask);
        if (r < 0)
                return r;

        if (listen(fd, SOMAXCONN) < 0)
                return -errno;

        return TAKE_FD(fd);
}

int link_socket_open(void) {
        int fd;

        fd = socket_from_systemd();
        return fd < 0 ? socket_make() : fd;
}
