/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/lease-server.h"

#include "link/lease.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

static void packets_say_what_is_wanted(void **state) {
        static const struct {
                const char *packet;
                LeaseRequest request;
        } cases[] = {
                { "STOP=1", { .stop = true } },
                { "STOP=1\n", { .stop = true } },
                { "SIGNAL=2", { .signo = 2 } },
                { "SIGNAL=64\nSTOP=1", { .stop = true, .signo = 64 } },
                { "SIGNAL=2\nSIGNAL=15", { .signo = 15 } },
                { "HELLO=1\n\nSTOP=1\n", { .stop = true } },
                { "STOPPING=2", {} },
                { "", {} },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                LeaseRequest request = { .stop = true, .signo = 99 };

                assert_int_equal(lease_server_parse(cases[i].packet, strlen(cases[i].packet), &request), 0);
                assert_int_equal(request.stop, cases[i].request.stop);
                assert_int_equal(request.signo, cases[i].request.signo);
        }
}

static void bad_packets_leave_the_request_alone(void **state) {
        static const char *const cases[] = { "STOP=",       "STOP=0",    "STOP=yes",   "STOP=1 ",
                                             "SIGNAL=",     "SIGNAL=0",  "SIGNAL=65",  "SIGNAL=-9",
                                             "SIGNAL=TERM", "SIGNAL=+1", "SIGNAL=1\r", "STOP=1\nSIGNAL=x" };
        LeaseRequest request = { .signo = 99 };
        char large[LEASE_PACKET_MAX + 1];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(lease_server_parse(cases[i], strlen(cases[i]), &request), -EBADMSG);
                assert_int_equal(request.signo, 99);
        }

        assert_int_equal(lease_server_parse("STOP=1\0", 7, &request), -EBADMSG);
        memset(large, 'x', sizeof(large));
        assert_int_equal(lease_server_parse(large, sizeof(large), &request), -EBADMSG);
        assert_int_equal(lease_server_parse(large, sizeof(large) - 1, &request), 0);
}

typedef struct Seen {
        LeaseServer *lease;
        unsigned n_requests, n_gone;
        LeaseRequest last;
} Seen;

static void on_request(void *userdata, const LeaseRequest *request) {
        Seen *seen = userdata;

        seen->n_requests++;
        seen->last = *request;
}

static void on_gone(void *userdata) {
        Seen *seen = userdata;

        seen->n_gone++;
        seen->lease = lease_server_free(seen->lease);
}

/* Sends with a descriptor beside it. */
static void send_with_fd(int sock, const char *text, int fd) {
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(int))];
        } control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
        struct iovec iov = { (void *) text, strlen(text) };
        struct msghdr m = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };

        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        assert_true(sendmsg(sock, &m, 0) >= 0);
}

static void a_lease_hears_and_ends(void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_close_ int holder = -EBADF;
        Seen seen = {};
        char text[64] = "";

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(lease_server_new(&seen.lease, event, on_request, on_gone, &seen, &holder), 0);

        lease_server_send(seen.lease, "STATE=running");
        assert_int_equal(recv(holder, text, sizeof(text), 0), 13);
        assert_string_equal(text, "STATE=running");

        assert_int_equal(send(holder, "SIGNAL=3", 8, 0), 8);
        assert_int_equal(sd_event_run(event, 0), 0);
        assert_true(lease_server_listen(seen.lease) >= 0);
        assert_true(sd_event_run(event, 0) > 0);
        assert_int_equal(seen.n_requests, 1);
        assert_int_equal(seen.last.signo, 3);

        assert_int_equal(send(holder, "", 0, 0), 0);
        assert_true(sd_event_run(event, 0) > 0);
        assert_int_equal(seen.n_requests, 2);

        assert_int_equal(send(holder, "STOP=maybe", 10, 0), 10);
        assert_true(sd_event_run(event, 0) > 0);
        assert_int_equal(seen.n_gone, 1);
        assert_int_equal(recv(holder, text, sizeof(text), 0), 0);
        assert_int_equal(sd_event_run(event, 0), 0);
}

/* They are never this process's, and their end is a child's. */
static void descriptors_end_a_lease(void **state) {
        for (unsigned n_before = 0; n_before < 2; n_before++) {
                _cleanup_(sd_event_unrefp) sd_event *event = NULL;
                _cleanup_close_ int holder = -EBADF;
                struct pollfd closed = { .events = POLLIN };
                Seen seen = {};
                int ends[2], status;

                assert_true(sd_event_new(&event) >= 0);
                assert_int_equal(lease_server_new(&seen.lease, event, on_request, on_gone, &seen, &holder),
                                 0);
                assert_true(lease_server_listen(seen.lease) >= 0);
                assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
                closed.fd = ends[0];

                if (n_before > 0)
                        assert_int_equal(send(holder, "", 0, 0), 0);
                send_with_fd(holder, "SIGNAL=3", ends[1]);
                send_with_fd(holder, "", ends[1]);
                (void) close(ends[1]);
                while (seen.n_gone == 0)
                        assert_true(sd_event_run(event, 0) > 0);
                assert_int_equal(seen.n_requests, n_before);

                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
                assert_int_equal(poll(&closed, 1, 0), 1);
                assert_true(closed.revents & POLLHUP);
                (void) close(ends[0]);
        }
}

static void a_holder_that_leaves_is_noticed(void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        Seen seen = {};
        int holder;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(lease_server_new(&seen.lease, event, on_request, on_gone, &seen, &holder), 0);
        assert_true(lease_server_listen(seen.lease) >= 0);
        lease_server_send(seen.lease, "STATE=running");
        (void) close(holder);
        lease_server_send(seen.lease, "RESULT=success");
        while (seen.n_gone == 0)
                assert_true(sd_event_run(event, 0) >= 0);
        assert_int_equal(seen.n_requests, 0);
}

static void a_holder_that_does_not_read_holds_up_nobody(void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_close_ int holder = -EBADF;
        Seen seen = {};

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(lease_server_new(&seen.lease, event, on_request, on_gone, &seen, &holder), 0);
        for (unsigned i = 0; i < 10000; i++)
                lease_server_send(seen.lease, "STATE=running");
        assert_int_equal(seen.n_gone, 0);
        seen.lease = lease_server_free(seen.lease);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packets_say_what_is_wanted),
                cmocka_unit_test(bad_packets_leave_the_request_alone),
                cmocka_unit_test(a_lease_hears_and_ends),
                cmocka_unit_test(descriptors_end_a_lease),
                cmocka_unit_test(a_holder_that_leaves_is_noticed),
                cmocka_unit_test(a_holder_that_does_not_read_holds_up_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
