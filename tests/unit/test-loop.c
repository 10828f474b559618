/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/loop.h"

#include "base/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/time.h>

#include <cmocka.h>

static int event_fd = -EBADF, kept_fd = -EBADF;

static int on_defer(sd_event_source *s, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), *(const int *) userdata);
}

static sd_event *loop_that_ends(int *code) {
        sd_event *event = NULL;

        assert_true(sd_event_new(&event) >= 0);
        assert_true(sd_event_add_defer(event, NULL, on_defer, code) >= 0);
        return event;
}

/* Nothing that is waited for can be waited for from here on. */
static void break_it(sd_event *event) {
        event_fd = sd_event_get_fd(event);
        kept_fd = fcntl(event_fd, F_DUPFD_CLOEXEC, 3);
        assert_true(kept_fd >= 0);
        assert_int_equal(close(event_fd), 0);
}

static void mend_it(int signo) { (void) dup2(kept_fd, event_fd); }

static void its_end_is_the_code_it_was_given(void **state) {
        for (int code = 0; code < 3; code++) {
                sd_event *event = loop_that_ends(&code);

                assert_int_equal(loop_run(event), code);
                (void) sd_event_unref(event);
        }
}

static void a_round_that_fails_is_tried_again(void **state) {
        static const struct itimerval soon = { .it_value.tv_usec = 50000 };
        int code = 7;
        sd_event *event = loop_that_ends(&code);

        break_it(event);
        assert_true(signal(SIGALRM, mend_it) != SIG_ERR);
        assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
        assert_int_equal(loop_run(event), code);
        (void) sd_event_unref(event);
        (void) safe_close(kept_fd);
}

static void what_stays_broken_is_an_error(void **state) {
        int code = 7;
        sd_event *event = loop_that_ends(&code);

        break_it(event);
        assert_int_equal(loop_run(event), -EBADF);
        mend_it(0);
        (void) sd_event_unref(event);
        (void) safe_close(kept_fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(its_end_is_the_code_it_was_given),
                cmocka_unit_test(a_round_that_fails_is_tried_again),
                cmocka_unit_test(what_stays_broken_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
