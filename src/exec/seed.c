/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/seed.h"

#include "base/fd.h"
#include "confine/netns.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NAMESPACES_MAX 4
#define FDS_MAX (1 + _LAUNCH_FD_END) /* the cgroup, and one for each number */

/* A launch has the processors to itself for this long; then the next one is prepared for. */
#define PREPARE_AFTER_MSEC 10
#define DISCARD_AFTER_MSEC (60 * 1000)

typedef struct Seed {
        int socket;
        int host_network; /* -EBADF: namespaces are not made ahead */
        int namespaces[NAMESPACES_MAX];
        size_t n_namespaces;
        bool wanted; /* since the last time that all were thrown away, there was an order */
        char *title; /* of our command line, all but the program's name */
        size_t title_size;
} Seed;

static void close_all(int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                fds[i] = safe_close(fds[i]);
}

/* Into a new network namespace and out again. Negative errno: this process is where it should not be. */
static int prepare_namespace(Seed *s) {
        Problem problem = {};
        int fd;

        fd = netns_new(&problem);
        if (netns_return(s->host_network) < 0) {
                (void) safe_close(fd);
                return -EPERM;
        }

        /* What cannot be had now is asked for again by the launch, which says so. */
        if (fd < 0)
                s->wanted = false;
        else
                s->namespaces[s->n_namespaces++] = fd;
        return 0;
}

static int wait_for_order(Seed *s) {
        for (;;) {
                struct pollfd p = { .fd = s->socket, .events = POLLIN };
                bool prepare = s->wanted && s->host_network >= 0 && s->n_namespaces < NAMESPACES_MAX;
                int r;

                r = poll(&p,
                         1,
                         prepare               ? PREPARE_AFTER_MSEC
                         : s->n_namespaces > 0 ? DISCARD_AFTER_MSEC
                                               : -1);
                if (r > 0)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r < 0)
                        continue;

                if (prepare) {
                        r = prepare_namespace(s);
                        if (r < 0)
                                return r;
                } else {
                        close_all(s->namespaces, s->n_namespaces);
                        s->n_namespaces = 0;
                        s->wanted = false;
                }
        }
}

/* -ECONNRESET: the keeper is gone. */
static int receive_order(const Seed *s, LaunchOrder *order, int fds[static FDS_MAX], size_t *n_fds) {
        ssize_t n;

        *n_fds = FDS_MAX;
        n = fd_receive_packet(s->socket, order, sizeof(*order), fds, n_fds);
        if (n <= 0)
                return n < 0 ? (int) n : -ECONNRESET;

        if (n != sizeof(*order) || order->fds >= UINT32_C(1) << _LAUNCH_FD_END ||
            *n_fds != 1 + (size_t) __builtin_popcount(order->fds) ||
            memchr(order->id, '\0', sizeof(order->id)) == NULL) {
                close_all(fds, *n_fds);
                return -EBADMSG;
        }

        return 0;
}

/* What ps(1) shows: the words that the keeper would have executed this with. */
static void show_title(const Seed *s, const LaunchOrder *order) {
        size_t n = strlen(order->id) + 1;

        if (s->title_size < LAUNCH_TITLE_SIZE)
                return;

        memset(s->title, 0, s->title_size);
        memcpy(s->title, order->id, n);
        (void) snprintf(s->title + n, s->title_size - n, "%u", order->id_base);
}

/* Whether this launch gets the namespace that was made last: not one whose order brings its own. */
static bool gives_namespace(const Seed *s, const LaunchOrder *order) {
        return s->n_namespaces > 0 && !(order->fds & UINT32_C(1) << LAUNCH_FD_NETNS);
}

/* All numbers that are arranged are taken, by what came with us: none of those received is among them. */
static int arrange_fds(const Seed *s, const LaunchOrder *order, const int *fds) {
        int next[_LAUNCH_FD_END];

        fds++;
        for (int i = 0; i < _LAUNCH_FD_END; i++)
                next[i] = order->fds & UINT32_C(1) << i ? *fds++ : -EBADF;
        if (gives_namespace(s, order))
                next[LAUNCH_FD_NETNS] = s->namespaces[s->n_namespaces - 1];

        for (int i = 0; i < _LAUNCH_FD_END; i++)
                if (next[i] < 0)
                        (void) close(i);
                else if (dup2(next[i], i) < 0)
                        return -errno;

        return 0;
}

static _noreturn_ void grow(const Seed *s, const Step *steps, const LaunchOrder *order, const int *fds) {
        int r;

        r = arrange_fds(s, order, fds);
        if (r >= 0) {
                show_title(s, order);
                r = exec_launch(steps, order->id_base);
        }
        _exit(r < 0 ? EXIT_FAILURE : r);
}

/* A copy of this process that is not its child but the keeper's, and starts in its sandbox's cgroup. */
static pid_t clone_into(int cgroup_fd) {
        struct clone_args args = {
                .flags = CLONE_PARENT | CLONE_INTO_CGROUP,
                .cgroup = (uint64_t) cgroup_fd,
        };
        pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));

        return pid < 0 ? -errno : pid;
}

static int serve(Seed *s, const Step *steps) {
        for (;;) {
                int fds[FDS_MAX], r;
                LaunchOrder order;
                size_t n_fds;
                int32_t pid;

                r = wait_for_order(s);
                if (r < 0)
                        return r;
                r = receive_order(s, &order, fds, &n_fds);
                if (r < 0)
                        return r;

                pid = clone_into(fds[0]);
                if (pid == 0)
                        grow(s, steps, &order, fds);

                close_all(fds, n_fds);
                if (pid > 0 && gives_namespace(s, &order))
                        (void) safe_close(s->namespaces[--s->n_namespaces]);
                s->wanted = true;

                r = fd_send_packet(s->socket, &pid, sizeof(pid), NULL, 0);
                if (r < 0)
                        return r;
        }
}

/* Everything of ours out of the way of the numbers that sandboxes use, and something harmless on each of those. */
static int take_place(Seed *s) {
        s->socket = fcntl(LAUNCH_FD_SEED, F_DUPFD_CLOEXEC, _LAUNCH_FD_END);
        if (s->socket < 0)
                return -errno;

        for (int i = LAUNCH_FD_SEED; i < _LAUNCH_FD_END; i++)
                if (dup2(STDIN_FILENO, i) < 0)
                        return -errno;

        return 0;
}

int seed_main(const Step *steps, char *title, size_t title_size) {
        Seed s = { .host_network = -EBADF, .title = title, .title_size = title_size };
        int32_t pid;

        /* Not to be looked into, nor left behind by a keeper that is killed. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || take_place(&s) < 0)
                return EXIT_FAILURE;
        (void) prctl(PR_SET_NAME, "immured-seed");

        /* Where one cannot come back from a namespace, none is entered. */
        s.host_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (s.host_network >= 0 && netns_return(s.host_network) < 0)
                s.host_network = safe_close(s.host_network);

        s.wanted = true;
        pid = getpid();
        if (fd_send_packet(s.socket, &pid, sizeof(pid), NULL, 0) < 0)
                return EXIT_FAILURE;

        return serve(&s, steps) == -ECONNRESET ? EXIT_SUCCESS : EXIT_FAILURE;
}
