/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/expected.h"

#include "files-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static Files files;
static sd_event *event;
static unsigned n_calls;

static void on_none(void *userdata) { n_calls++; }

static int set_up(void **state) {
        files = files_new();
        assert_true(sd_event_new(&event) >= 0);
        files_write(&files,
                    "immured.slice/immured-1000.slice/immured-user@1000.service/keeper/cgroup.procs",
                    "17\n");
        files_write(&files,
                    "immured.slice/immured-1000.slice/immured-app@alice:web.service/keeper/cgroup.procs",
                    "18\n");
        files_write(&files,
                    "immured.slice/immured-1001.slice/immured-user@1001.service/keeper/cgroup.procs",
                    "");
        files_write(&files, "immured.slice/immured-1001.slice/other.service/keeper/cgroup.procs", "19\n");
        return 0;
}

static int tear_down(void **state) {
        event = sd_event_unref(event);
        files_done(&files);
        return 0;
}

static Expected *look(void) {
        Expected *e = NULL;

        n_calls = 0;
        assert_int_equal(expected_new(&e, event, files.root, on_none, NULL), 0);
        return e;
}

static void all_that_live_are_awaited_and_no_other(void **state) {
        _cleanup_(expected_freep) Expected *e = look();

        assert_true(expected_any(e));
        expected_heard(e, 1001, "");
        expected_heard(e, 1000, "alice:db");
        assert_true(expected_any(e));
        expected_heard(e, 1000, "");
        assert_true(expected_any(e));
        expected_heard(e, 1000, "");
        assert_true(expected_any(e));
        expected_heard(e, UINT32_MAX, "alice:web");
        assert_false(expected_any(e));
        assert_int_equal(n_calls, 0);

        assert_true(sd_event_run(event, 100 * 1000) > 0);
        assert_int_equal(n_calls, 1);
        expected_heard(e, 1000, "");
        assert_int_equal(sd_event_run(event, 1), 0);
        assert_int_equal(n_calls, 1);
}

static void one_that_says_nothing_is_not_awaited_for_ever(void **state) {
        _cleanup_(expected_freep) Expected *e = look();

        expected_heard(e, 1000, "");
        assert_true(sd_event_run(event, 3 * 1000 * 1000) > 0);
        assert_int_equal(n_calls, 1);
        assert_false(expected_any(e));
}

static void where_nothing_ran_nothing_is_awaited(void **state) {
        _cleanup_(expected_freep) Expected *e = NULL, *none = NULL;

        assert_int_equal(expected_new(&e, event, "/nonexistent", on_none, NULL), 0);
        assert_false(expected_any(e));
        assert_int_equal(expected_new(&none, event, NULL, on_none, NULL), 0);
        assert_false(expected_any(none));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_that_live_are_awaited_and_no_other),
                cmocka_unit_test(one_that_says_nothing_is_not_awaited_for_ever),
                cmocka_unit_test(where_nothing_ran_nothing_is_awaited),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
