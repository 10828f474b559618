/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/timer.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        unsigned *n = userdata;

        (*n)++;
        return 0;
}

static void it_goes_off_once_and_may_be_set_again(void **state) {
        sd_event_source *timer = NULL, *first;
        sd_event *event = NULL;
        unsigned n = 0;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(timer_start(event, &timer, 0, SD_EVENT_PRIORITY_NORMAL, on_time, &n), 0);
        first = timer;
        assert_true(sd_event_run(event, USEC_PER_SEC) > 0);
        assert_int_equal(sd_event_run(event, 50 * USEC_PER_MSEC), 0);
        assert_int_equal(n, 1);

        assert_true(timer_start(event, &timer, 0, SD_EVENT_PRIORITY_NORMAL, on_time, &n) >= 0);
        assert_ptr_equal(timer, first);
        assert_true(sd_event_run(event, USEC_PER_SEC) > 0);
        assert_int_equal(n, 2);

        (void) sd_event_source_disable_unref(timer);
        (void) sd_event_unref(event);
}

static void it_is_extended_and_never_shortened(void **state) {
        sd_event_source *timer = NULL;
        uint64_t before = 0, after = 0;
        sd_event *event = NULL;
        unsigned n = 0;

        timer_extend(NULL, UINT64_MAX);

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(timer_start(event, &timer, USEC_PER_SEC, 0, on_time, &n), 0);
        assert_true(sd_event_source_get_time(timer, &before) >= 0);
        timer_extend(timer, before - 1);
        assert_true(sd_event_source_get_time(timer, &after) >= 0);
        assert_true(after == before);

        timer_extend(timer, before + USEC_PER_SEC);
        assert_true(sd_event_source_get_time(timer, &after) >= 0);
        assert_true(after == before + USEC_PER_SEC);

        assert_true(sd_event_source_set_enabled(timer, SD_EVENT_OFF) >= 0);
        timer_extend(timer, before + 2 * USEC_PER_SEC);
        assert_true(sd_event_source_get_time(timer, &after) >= 0);
        assert_true(after == before + USEC_PER_SEC);

        (void) sd_event_source_disable_unref(timer);
        (void) sd_event_unref(event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_goes_off_once_and_may_be_set_again),
                cmocka_unit_test(it_is_extended_and_never_shortened),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
