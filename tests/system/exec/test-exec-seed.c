/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A seed's network namespaces: made while nobody asks for anything, given away once, and only to a launch whose order
 * brings none. And plans that it cannot read.
 */
#include "exec-rig.h"

#include "base/cgroup2.h"
#include "base/fd.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES_MAX 16

typedef struct Held {
        ino_t inodes[NAMESPACES_MAX];
        size_t n;
} Held;

typedef struct Garden {
        pid_t pid;
        int socket, null_fd, cgroup_fd;
        ino_t host;
} Garden;

static ino_t inode_of(const char *path) {
        struct stat st;

        return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* The network namespaces that the seed has descriptors of, but the one it lives in. */
static Held held_by(const Garden *g) {
        char path[64], link[64];
        struct dirent *e;
        Held held = {};
        DIR *d;

        (void) snprintf(path, sizeof(path), "/proc/%d/fd", g->pid);
        d = opendir(path);
        assert_non_null(d);
        while ((e = readdir(d))) {
                ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
                ino_t inode;

                link[MAX(n, 0)] = '\0';
                if (!startswith(link, "net:["))
                        continue;

                inode = strtoul(link + strlen("net:["), NULL, 10);
                assert_true(held.n < NAMESPACES_MAX);
                if (inode != g->host)
                        held.inodes[held.n++] = inode;
        }
        (void) closedir(d);
        return held;
}

static bool holds(const Held *h, ino_t inode) {
        for (size_t i = 0; i < h->n; i++)
                if (h->inodes[i] == inode)
                        return true;

        return false;
}

static Held wait_for(const Garden *g, size_t n) {
        for (int i = 0; i < 500; i++) {
                Held held = held_by(g);

                if (held.n >= n)
                        return held;
                (void) poll(NULL, 0, 10);
        }

        fail_msg("A seed that nobody asks for anything makes no namespaces");
        return (Held){};
}

static int hear(const Garden *g) {
        int32_t word = 0;

        assert_int_equal(fd_receive_packet(g->socket, &word, sizeof(word), NULL, NULL), sizeof(word));
        return word;
}

static int setup(void **state) {
        static Garden g;
        _cleanup_free_ char *mounts = NULL, *group = NULL, *directory = NULL;
        int pair[2];

        g.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        assert_true(g.null_fd >= 0);
        assert_int_equal(file_read_full(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mounts, NULL), 0);
        assert_int_equal(cgroup2_own_group(&group), 0);
        assert_int_equal(cgroup2_directory(mounts, group, &directory), 0);
        g.cgroup_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(g.cgroup_fd >= 0);
        g.host = inode_of("/proc/self/ns/net");

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        g.pid = fork();
        assert_true(g.pid >= 0);
        if (g.pid == 0) {
                /* With room for the words that a grown process shows. */
                char room[LAUNCH_TITLE_SIZE] = {};

                memset(room, '-', sizeof(room) - 1);
                if (dup2(pair[1], LAUNCH_FD_SEED) < 0 ||
                    (pair[1] == LAUNCH_FD_SEED && fd_set_cloexec(3, false) < 0))
                        _exit(EXIT_FAILURE);
                (void) execl(getenv("IMMURED_EXEC"), "immured-exec", "--seed", room, NULL);
                _exit(EXIT_FAILURE);
        }
        (void) close(pair[1]);
        g.socket = pair[0];
        assert_int_equal(hear(&g), g.pid);

        *state = &g;
        return 0;
}

static int teardown(void **state) {
        Garden *g = *state;

        (void) close(g->socket);
        (void) waitpid(g->pid, NULL, 0);
        (void) close(g->null_fd);
        (void) close(g->cgroup_fd);
        return 0;
}

/* A launch that comes to nothing, as its plan is none; but it is grown. Returns what the seed answered. */
static int order(const Garden *g, int cgroup_fd, int netns_fd) {
        LaunchOrder o = {
                .id_block = RIG_ID_BASE,
                .fds = 1U << LAUNCH_FD_PLAN | 1U << LAUNCH_FD_STATUS | 1U << LAUNCH_FD_RESULT,
                .title = "c0ffee",
        };
        const int fds[] = { cgroup_fd, g->null_fd, g->null_fd, g->null_fd, netns_fd };
        int pid;

        if (netns_fd >= 0)
                o.fds |= 1U << LAUNCH_FD_NETNS;
        assert_int_equal(
                fd_send_packet(g->socket, &o, sizeof(o), fds, ELEMENTSOF(fds) - (netns_fd < 0 ? 1 : 0)), 0);
        pid = hear(g);
        if (pid > 0)
                assert_int_equal(waitpid(pid, NULL, 0), pid);

        return pid;
}

static size_t count_kept(const Garden *g, const Held *before) {
        const Held after = wait_for(g, before->n);
        size_t n = 0;

        for (size_t i = 0; i < before->n; i++)
                n += holds(&after, before->inodes[i]);
        return n;
}

static void one_is_given_to_a_launch_without_any(void **state) {
        const Garden *g = *state;
        const Held before = wait_for(g, 4);

        assert_true(order(g, g->cgroup_fd, -EBADF) > 0);
        assert_int_equal(count_kept(g, &before), before.n - 1);
}

static void none_is_given_to_a_launch_that_brings_its_own(void **state) {
        const Garden *g = *state;
        const Held before = wait_for(g, 4);
        _cleanup_close_ int netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

        assert_true(netns_fd >= 0);
        assert_true(order(g, g->cgroup_fd, netns_fd) > 0);
        assert_int_equal(count_kept(g, &before), before.n);
}

static void none_is_lost_where_nothing_grew(void **state) {
        const Garden *g = *state;
        const Held before = wait_for(g, 4);

        assert_int_equal(order(g, g->null_fd, -EBADF), -EBADF);
        assert_int_equal(count_kept(g, &before), before.n);
}

/* As if it had been executed: it is the launch that fails, and says why. The seed takes the next order. */
static void a_refused_plan_is_reported_by_its_launch(void **state) {
        const Garden *g = *state;
        const LaunchOrder o = {
                .id_block = RIG_ID_BASE,
                .fds = 7U | 1U << LAUNCH_FD_PLAN | 1U << LAUNCH_FD_STATUS | 1U << LAUNCH_FD_RESULT,
                .title = "c0ffee",
        };
        _cleanup_close_ int garbage = memfd_new_sealed("plan", "immuplan", 8);

        assert_true(garbage >= 0);
        for (int i = 0; i < 4; i++) {
                const int null = g->null_fd, plan = i % 2 == 0 ? garbage : null;
                int fds[] = { g->cgroup_fd, null, null, null, plan, -EBADF, null };
                LaunchStatus status = {};
                int pair[2], pid;

                assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
                fds[5] = pair[1];
                assert_int_equal(fd_send_packet(g->socket, &o, sizeof(o), fds, ELEMENTSOF(fds)), 0);
                pid = hear(g);
                assert_true(pid > 0);
                assert_int_equal(fd_receive_packet(pair[0], &status, sizeof(status), NULL, NULL),
                                 sizeof(status));
                assert_int_equal(status.kind, LAUNCH_STATUS_FAILED);
                assert_string_equal(status.step, "plan");
                assert_int_equal(status.error, i % 2 == 0 ? EBADMSG : EINVAL);
                assert_int_equal(waitpid(pid, NULL, 0), pid);
                (void) close(pair[0]);
                (void) close(pair[1]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_is_given_to_a_launch_without_any),
                cmocka_unit_test(none_is_given_to_a_launch_that_brings_its_own),
                cmocka_unit_test(none_is_lost_where_nothing_grew),
                cmocka_unit_test(a_refused_plan_is_reported_by_its_launch),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
