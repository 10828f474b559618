/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* relay: what is handed over and what is copied, and that a copy ends when either side does */

#include "ctl/relay.h"

#include "base/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cmocka.h>

/* Puts fd in the place of a standard stream; what was there comes back with put_back(). */
static int replace(int stream, int fd) {
        int saved = fcntl(stream, F_DUPFD_CLOEXEC, 10);

        fflush(stdout);
        assert_true(saved >= 0);
        assert_true(dup2(fd, stream) >= 0);
        return saved;
}

static void put_back(int stream, int saved) {
        assert_true(dup2(saved, stream) >= 0);
        (void) close(saved);
}

static void check_kind(int fd, bool copied) {
        Relay relay = RELAY_INIT;
        int saved = replace(STDIN_FILENO, fd), r;

        r = relay_open(&relay, STDIN_FILENO);
        put_back(STDIN_FILENO, saved);
        (void) close(fd);

        assert_int_equal(r, 0);
        assert_int_equal(relay_is_done(&relay), !copied);
        assert_int_equal(relay.handover == STDIN_FILENO, !copied);
        relay_done(&relay);
}

static void only_what_the_broker_takes_is_handed_over(void **state) {
        int ends[2];

        check_kind(open("/dev/null", O_RDWR | O_CLOEXEC), false);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        (void) close(ends[1]);
        check_kind(ends[0], false);

        check_kind(memfd_create("file", MFD_CLOEXEC), true);
        check_kind(open("/dev/zero", O_RDONLY | O_CLOEXEC), true);
        check_kind(open("/proc/self/status", O_RDONLY | O_CLOEXEC), true);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        (void) close(ends[1]);
        check_kind(ends[0], true);
}

/* A relay between a socket that stands for a standard stream and the pipe whose far end the test plays. */
typedef struct Setup {
        Relay relay;
        int saved, stream;
        int caller;      /* the caller's end of the socket */
        int application; /* the application's end of the pipe */
} Setup;

static void open_setup(Setup *s, int stream) {
        int ends[2], r;

        *s = (Setup){ .relay = RELAY_INIT, .stream = stream };
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        s->caller = ends[1];
        s->saved = replace(stream, ends[0]);
        (void) close(ends[0]);
        r = relay_open(&s->relay, stream);
        if (r >= 0)
                s->application = fcntl(s->relay.handover, F_DUPFD_CLOEXEC, 10);
        relay_handed_over(&s->relay);
}

static void close_setup(Setup *s) {
        put_back(s->stream, s->saved);
        relay_done(&s->relay);
        (void) safe_close(s->caller);
        (void) safe_close(s->application);
}

static void what_holds_no_bytes_is_an_error(void **state) {
        static const struct {
                int flags, error;
        } cases[] = { { O_RDONLY | O_DIRECTORY, -EISDIR }, { O_PATH | O_DIRECTORY, -EISDIR } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int fd = open("/", cases[i].flags | O_CLOEXEC), saved, r;
                Relay relay = RELAY_INIT;

                assert_true(fd >= 0);
                saved = replace(STDIN_FILENO, fd);
                r = relay_open(&relay, STDIN_FILENO);
                put_back(STDIN_FILENO, saved);
                (void) close(fd);

                assert_int_equal(r, cases[i].error);
                relay_done(&relay);
        }
}

static void end_of_file_passes_inward(void **state) {
        char buffer[8];
        ssize_t n, end;
        bool done;
        Setup s;

        open_setup(&s, STDIN_FILENO);
        (void) fd_write_full(s.caller, "abc", 3);
        relay_step(&s.relay);
        n = read(s.application, buffer, sizeof(buffer));
        s.caller = safe_close(s.caller);
        relay_step(&s.relay);
        done = relay_is_done(&s.relay);
        end = read(s.application, buffer, sizeof(buffer));
        close_setup(&s);

        assert_int_equal(n, 3);
        assert_true(done);
        assert_int_equal(end, 0);
}

static void an_application_that_reads_no_more_ends_it(void **state) {
        bool done;
        Setup s;

        open_setup(&s, STDIN_FILENO);
        s.application = safe_close(s.application);
        (void) fd_write_full(s.caller, "abc", 3);
        relay_step(&s.relay);
        done = relay_is_done(&s.relay);
        close_setup(&s);

        assert_true(done);
}

/* The application must get EPIPE as it would without a relay between. */
static void a_caller_that_reads_no_more_is_felt_outward(void **state) {
        ssize_t before, after;
        bool done;
        int error;
        Setup s;

        open_setup(&s, STDOUT_FILENO);
        s.caller = safe_close(s.caller);
        before = write(s.application, "abc", 3);
        relay_step(&s.relay);
        done = relay_is_done(&s.relay);
        after = write(s.application, "abc", 3);
        error = errno;
        close_setup(&s);

        assert_int_equal(before, 3);
        assert_true(done);
        assert_int_equal(after, -1);
        assert_int_equal(error, EPIPE);
}

static void a_full_sink_waits_and_loses_nothing(void **state) {
        static uint8_t block[8192];
        size_t in = 0, out = 0, stuck = 0;
        struct pollfd waiting;
        bool wrong = false;
        Setup s;

        open_setup(&s, STDOUT_FILENO);
        (void) fd_set_nonblock(s.application, true);
        (void) fd_set_nonblock(s.caller, true);

        /* Until neither the pipe nor the socket takes more. */
        for (size_t still = 0; still < 4;) {
                ssize_t n;

                for (size_t i = 0; i < sizeof(block); i++)
                        block[i] = (uint8_t) ((in + i) % 251);
                n = write(s.application, block, sizeof(block));
                relay_step(&s.relay);
                still = n > 0 ? 0 : still + 1;
                in += n > 0 ? (size_t) n : 0;
        }
        waiting = relay_poll(&s.relay);
        stuck = s.relay.end - s.relay.begin;
        s.application = safe_close(s.application);

        while (out < in) {
                ssize_t n = read(s.caller, block, sizeof(block));

                if (n <= 0 && relay_is_done(&s.relay))
                        break;
                if (n <= 0) {
                        relay_step(&s.relay);
                        continue;
                }
                for (ssize_t i = 0; i < n; i++)
                        wrong |= block[i] != (out + (size_t) i) % 251;
                out += (size_t) n;
        }
        relay_step(&s.relay);
        wrong |= !relay_is_done(&s.relay);
        close_setup(&s);

        assert_int_equal(waiting.events, POLLOUT);
        assert_true(stuck > 0);
        assert_int_equal(out, in);
        assert_false(wrong);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_what_the_broker_takes_is_handed_over),
                cmocka_unit_test(what_holds_no_bytes_is_an_error),
                cmocka_unit_test(end_of_file_passes_inward),
                cmocka_unit_test(an_application_that_reads_no_more_ends_it),
                cmocka_unit_test(a_caller_that_reads_no_more_is_felt_outward),
                cmocka_unit_test(a_full_sink_waits_and_loses_nothing),
        };
        static const struct sigaction ignore = { .sa_handler = SIG_IGN };

        if (sigaction(SIGPIPE, &ignore, NULL) < 0)
                return 1;

        return cmocka_run_group_tests(tests, NULL, NULL);
}
