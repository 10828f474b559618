/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/notify-socket.h"

#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define N_FDS 3

/* One end as the keeper has it, one as the application. */
typedef struct Ends {
        sd_event *event;
        NotifySocket *notify;
        struct sockaddr_un address;
        int fd;
        unsigned n_heard, n_ready, n_alive;
        pid_t sender;
} Ends;

static void on_message(void *userdata, pid_t sender, const NotifyMessage *m) {
        Ends *e = userdata;

        e->n_heard++;
        e->n_ready += m->ready;
        e->n_alive += m->alive;
        e->sender = sender;
}

static void open_ends(Ends *e) {
        _cleanup_close_ int copy = -EBADF;

        *e = (Ends){ .address.sun_family = AF_UNIX };
        (void) snprintf(e->address.sun_path, sizeof(e->address.sun_path), "/tmp/test-notify.%d", getpid());
        assert_true(sd_event_new(&e->event) >= 0);
        assert_int_equal(notify_socket_new(&e->notify, e->event, on_message, e, &copy), 0);

        assert_false(notify_socket_is_bound(e->notify));
        assert_int_equal(bind(copy, (struct sockaddr *) &e->address, sizeof(e->address)), 0);
        assert_true(notify_socket_is_bound(e->notify));

        e->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(e->fd >= 0);
        assert_int_equal(connect(e->fd, (struct sockaddr *) &e->address, sizeof(e->address)), 0);
        (void) unlink(e->address.sun_path);
}

static void close_ends(Ends *e) {
        e->notify = notify_socket_free(e->notify);
        e->fd = safe_close(e->fd);
        e->event = sd_event_unref(e->event);
}

static void say(const Ends *e, const char *text) {
        assert_int_equal(send(e->fd, text, strlen(text), 0), strlen(text));
}

/* With descriptors of a pipe's writing end beside it; the reading end shows when all are closed. */
static int say_with_fds(const Ends *e, const char *text, size_t n) {
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(N_FDS * sizeof(int))];
        } control = { .header = { CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
        struct iovec iov = { (void *) text, strlen(text) };
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
        int pair[2];

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        for (size_t i = 0; i < n; i++)
                memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &pair[1], sizeof(int));
        assert_int_equal(sendmsg(e->fd, &m, 0), strlen(text));
        (void) close(pair[1]);
        return pair[0];
}

static bool is_closed(int fd) {
        struct pollfd p = { .fd = fd };

        return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

/* What the keeper's loop does with its children. */
static void reap(Ends *e) {
        siginfo_t child = {};

        assert_int_equal(waitid(P_ALL, 0, &child, WEXITED | WNOWAIT), 0);
        assert_true(notify_socket_owns(e->notify, child.si_pid));
        assert_int_equal(waitpid(child.si_pid, NULL, 0), child.si_pid);
        notify_socket_reaped(e->notify);
}

static unsigned n_open(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        (void) closedir(dir);
        return n;
}

static void nothing_is_heard_before_it_listens(void **state) {
        Ends e;

        open_ends(&e);
        say(&e, "READY=1");
        assert_int_equal(sd_event_run(e.event, 0), 0);
        assert_int_equal(e.n_heard, 0);

        assert_true(notify_socket_listen(e.notify) >= 0);
        assert_true(sd_event_run(e.event, 0) > 0);
        assert_int_equal(e.n_ready, 1);
        assert_int_equal(e.sender, getpid());
        close_ends(&e);
}

static void the_kernel_says_who_sent_it(void **state) {
        Ends e;
        pid_t pid;

        open_ends(&e);
        assert_true(notify_socket_listen(e.notify) >= 0);
        pid = fork();
        if (pid == 0) {
                say(&e, "READY=1");
                _exit(0);
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_true(sd_event_run(e.event, 0) > 0);
        assert_int_equal(e.sender, pid);
        close_ends(&e);
}

static void what_is_no_packet_is_dropped(void **state) {
        char large[NOTIFY_PACKET_MAX + 100];
        Ends e;

        open_ends(&e);
        assert_true(notify_socket_listen(e.notify) >= 0);
        memset(large, '\n', sizeof(large));
        memcpy(large, "READY=1", 7);
        assert_int_equal(send(e.fd, large, sizeof(large), 0), sizeof(large));
        assert_int_equal(send(e.fd, "READY=1\0", 8, 0), 8);
        assert_int_equal(send(e.fd, "", 0, 0), 0);
        say(&e, "WATCHDOG=1");
        assert_true(sd_event_run(e.event, 0) > 0);
        assert_int_equal(e.n_ready, 0);
        assert_int_equal(e.n_alive, 1);
        close_ends(&e);
}

static void a_barrier_ends_when_all_before_it_was_heard(void **state) {
        unsigned before = n_open();
        Ends e;
        int barrier;

        open_ends(&e);
        assert_true(notify_socket_listen(e.notify) >= 0);
        say(&e, "READY=1");
        barrier = say_with_fds(&e, "BARRIER=1", 1);
        say(&e, "WATCHDOG=1");
        assert_false(is_closed(barrier));

        assert_true(sd_event_run(e.event, 0) > 0);
        assert_int_equal(e.n_ready, 1);
        reap(&e);
        assert_true(is_closed(barrier));
        assert_int_equal(e.n_alive, 0);

        assert_true(sd_event_run(e.event, 0) > 0);
        assert_int_equal(e.n_alive, 1);
        (void) close(barrier);
        close_ends(&e);
        assert_int_equal(n_open(), before);
}

static void descriptors_never_become_the_keepers(void **state) {
        unsigned before;
        Ends e;
        int reader;

        open_ends(&e);
        assert_true(notify_socket_listen(e.notify) >= 0);
        reader = say_with_fds(&e, "FDSTORE=1\nREADY=1", N_FDS);
        before = n_open();
        assert_true(sd_event_run(e.event, 0) > 0);
        assert_int_equal(n_open(), before);
        assert_int_equal(e.n_ready, 1);
        reap(&e);
        assert_true(is_closed(reader));
        (void) close(reader);
        close_ends(&e);
}

static void a_flood_is_read_a_little_at_a_time(void **state) {
        unsigned n_runs = 0;
        Ends e;

        open_ends(&e);
        assert_true(notify_socket_listen(e.notify) >= 0);
        for (; n_runs < 100; n_runs++) {
                unsigned before = e.n_heard;

                while (send(e.fd, "WATCHDOG=1", 10, 0) > 0)
                        ;
                if (sd_event_run(e.event, 0) == 0)
                        break;
                assert_in_range(e.n_heard - before, 0, 16);
        }
        assert_in_range(n_runs, 1, 50);

        /* Who has a reason to look further does. */
        n_runs = e.n_heard;
        notify_socket_drain(e.notify);
        assert_true(e.n_heard > n_runs);
        close_ends(&e);
}

static void what_is_left_is_let_go_of_elsewhere(void **state) {
        unsigned before = n_open();
        int readers[2];
        Ends e;

        open_ends(&e);
        say(&e, "READY=1");
        readers[0] = say_with_fds(&e, "one", 1);
        readers[1] = say_with_fds(&e, "two", 2);
        e.notify = notify_socket_free(e.notify);
        assert_true(waitpid(-1, NULL, 0) > 0);
        for (size_t i = 0; i < ELEMENTSOF(readers); i++) {
                assert_true(is_closed(readers[i]));
                (void) close(readers[i]);
        }
        assert_int_equal(send(e.fd, "x", 1, MSG_NOSIGNAL), -1);
        assert_int_equal(e.n_heard, 0);
        close_ends(&e);
        assert_int_equal(n_open(), before);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_heard_before_it_listens),
                cmocka_unit_test(the_kernel_says_who_sent_it),
                cmocka_unit_test(what_is_no_packet_is_dropped),
                cmocka_unit_test(a_barrier_ends_when_all_before_it_was_heard),
                cmocka_unit_test(descriptors_never_become_the_keepers),
                cmocka_unit_test(a_flood_is_read_a_little_at_a_time),
                cmocka_unit_test(what_is_left_is_let_go_of_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
