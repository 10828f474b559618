/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int loopback_up(void) {
        struct ifreq request = { .ifr_name = "lo" };
        _cleanup_close_ int fd = -EBADF;

        /*
         * Any socket accepts requests about interfaces, netdevice(7). AF_UNIX is the one that a keeper needs anyway,
         * so no drop-in of its unit can have forbidden it.
         */
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return -errno;
        if (request.ifr_flags & IFF_UP)
                return 0;

        request.ifr_flags |= IFF_UP;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

int netns_new(Problem *problem) {
        int r, fd;

        if (unshare(CLONE_NEWNET) < 0)
                return problem_set(problem, -errno, "unshare CLONE_NEWNET");

        r = loopback_up();
        if (r < 0)
                return problem_set(problem, r, "Loopback interface");

        fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        return fd < 0 ? problem_set(problem, -errno, "/proc/self/ns/net") : fd;
}

int netns_return(int fd) { return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0; }

int netns_enter(int fd, Problem *problem) {
        int r;

        if (setns(fd, CLONE_NEWNET) < 0)
                return problem_set(problem, -errno, "setns network namespace");

        r = loopback_up();
        if (r < 0)
                return problem_set(problem, r, "Loopback interface");

        return 0;
}
