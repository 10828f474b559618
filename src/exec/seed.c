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

/* For this long a launch has the processors to itself; then the next one is prepared. */
#define PREPARE_AFTER_MSEC 10
#define DISCARD_AFTER_MSEC (60 * 1000)

typedef struct Seed {
        int socket;
        int host_network; /* -EBADF: no namespaces are made ahead */
        int namespaces[NAMESPACES_MAX];
        size_t n_namespaces;
        bool wanted; /* there was an order since all were thrown away */
        PlanRecent recent;
        char *title; /* our command line, without the program's name */
        size_t title_size;
} Seed;

static void close_all(int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                fds[i] = safe_close(fds[i]);
}

/* Enters a new network namespace and returns. Negative errno: this process is stuck in the wrong one. */
static int prepare_namespace(Seed *s) {
        Problem problem = {};
        int fd;

        fd = netns_new(&problem);
        if (netns_return(s->host_network) < 0) {
                (void) safe_close(fd);
                return -EPERM;
        }

        /* If there is none to be had now, the launch asks again, and reports it. */
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
            memchr(order->title, '\0', sizeof(order->title)) == NULL) {
                close_all(fds, *n_fds);
                return -EBADMSG;
        }

        return 0;
}

/* Shows in ps(1) the command line that the keeper would have executed this with. */
static void show_title(const Seed *s, const LaunchOrder *order) {
        size_t n = strlen(order->title) + 1;

        if (s->title_size < LAUNCH_TITLE_SIZE)
                return;

        memset(s->title, 0, s->title_size);
        memcpy(s->title, order->title, n);
        (void) snprintf(s->title + n, s->title_size - n, "%u", order->id_block);
}

/* The descriptor of an order that is to have this number, or negative. */
static int fd_of(const LaunchOrder *order, const int *fds, int number) {
        const uint32_t bit = UINT32_C(1) << number;

        return order->fds & bit ? fds[1 + __builtin_popcount(order->fds & (bit - 1))] : -EBADF;
}

/* Whether this launch gets the namespace that was made last. Not if its order brings one. */
static bool gives_namespace(const Seed *s, const LaunchOrder *order) {
        return s->n_namespaces > 0 && !(order->fds & UINT32_C(1) << LAUNCH_FD_NETNS);
}

/*
 * Puts each descriptor on its number. take_place() has occupied all of those numbers, so none that was received is
 * among them.
 */
static int arrange_fds(const Seed *s, const LaunchOrder *order, const int *fds) {
        int next[_LAUNCH_FD_END];

        for (int i = 0; i < _LAUNCH_FD_END; i++)
                next[i] = fd_of(order, fds, i);
        if (gives_namespace(s, order))
                next[LAUNCH_FD_NETNS] = s->namespaces[s->n_namespaces - 1];

        for (int i = 0; i < _LAUNCH_FD_END; i++)
                if (next[i] < 0)
                        (void) close(i);
                else if (dup2(next[i], i) < 0)
                        return -errno;

        return 0;
}

static _noreturn_ void grow(Seed *s, const Step *steps, const LaunchOrder *order, const int *fds) {
        int r;

        r = arrange_fds(s, order, fds);
        if (r >= 0) {
                show_title(s, order);
                r = exec_launch(steps, order->id_block, &s->recent);
        }
        _exit(r < 0 ? EXIT_FAILURE : r);
}

/*
 * A copy of this process that is a child of the keeper, not of ours, and starts in the sandbox's cgroup (Linux 5.7).
 */
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

                /*
                 * Read here, the plan is there already for the launches after this one that repeat it. One that is
                 * refused is read again by the launch, which then reports why.
                 */
                (void) plan_recent_read(&s->recent, fd_of(&order, fds, LAUNCH_FD_PLAN), NULL, NULL);

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

/* Moves what is ours off the numbers that sandboxes use, and occupies each of those with something harmless. */
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
        /* A single plan: a sandbox's processes inherit none but their own, and a fork copies little. */
        Seed s = {
                .host_network = -EBADF, .title = title, .title_size = title_size, .recent = { .max = 1 }
        };
        int32_t pid;

        /* Not to be looked into, and not to outlive a keeper that is killed. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || take_place(&s) < 0)
                return EXIT_FAILURE;
        (void) prctl(PR_SET_NAME, "immured-seed");

        /* Where there is no way back from a namespace, none is entered. */
        s.host_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (s.host_network >= 0 && netns_return(s.host_network) < 0)
                s.host_network = safe_close(s.host_network);

        s.wanted = true;
        pid = getpid();
        if (fd_send_packet(s.socket, &pid, sizeof(pid), NULL, 0) < 0)
                return EXIT_FAILURE;

        return serve(&s, steps) == -ECONNRESET ? EXIT_SUCCESS : EXIT_FAILURE;
}
