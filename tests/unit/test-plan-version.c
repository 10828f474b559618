/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Plans of other versions, with the codec built as if it were one version later. data/plan-4.bin was written by the
 * version before the first that speaks with others.
 */

#include "base/fd.h"
#include "base/text.h"
#include "plan/plan-fields.h"
#include "plan/plan.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

_Static_assert(PLAN_VERSION > PLAN_VERSION_FIRST, "built as the next version");

static void read_golden(char **ret, size_t *ret_size) {
        _cleanup_free_ char *path =
                text_printf("%s/tests/unit/data/plan-4.bin", getenv("MESON_SOURCE_ROOT") ?: ".");

        assert_non_null(path);
        assert_int_equal(file_read_full(AT_FDCWD, path, PLAN_SIZE_MAX, ret, ret_size), 0);
}

static Plan *decode(const void *data, size_t size) {
        Plan *p = NULL;

        assert_int_equal(plan_decode(data, size, &p), 0);
        return p;
}

static void an_older_plan_is_read_and_what_it_lacks_has_its_default(void **state) {
        _cleanup_free_ char *golden = NULL;
        _cleanup_(plan_freep) Plan *p = NULL;
        size_t size;

        read_golden(&golden, &size);
        p = decode(golden, size);
        assert_string_equal(p->instance, "blue");
        assert_string_equal(p->argv[2], "two words");
        assert_int_equal(p->nice, -5);
        assert_false(p->next);
}

static void what_a_version_can_say_is_written_as_that_version_did(void **state) {
        _cleanup_free_ char *golden = NULL;
        _cleanup_free_ uint8_t *again = NULL, *newest = NULL;
        _cleanup_(plan_freep) Plan *p = NULL;
        const char *unsaid = NULL;
        size_t size, n, n_newest;

        read_golden(&golden, &size);
        p = decode(golden, size);
        assert_int_equal(plan_encode_for(4, p, &again, &n, &unsaid), 0);
        assert_int_equal(n, size);
        assert_memory_equal(again, golden, size);
        assert_null(unsaid);

        assert_int_equal(plan_encode(p, &newest, &n_newest), 0);
        assert_true(n_newest > size);
}

static void what_a_version_cannot_say_is_never_left_out(void **state) {
        _cleanup_free_ char *golden = NULL;
        _cleanup_(plan_freep) Plan *p = NULL;
        const char *unsaid = NULL;
        uint8_t *data = NULL;
        size_t size, n = 7;

        read_golden(&golden, &size);
        p = decode(golden, size);
        p->next = true;
        assert_int_equal(plan_encode_for(4, p, &data, &n, &unsaid), -EPROTONOSUPPORT);
        assert_string_equal(unsaid, "Next");
        assert_null(data);
        assert_int_equal(n, 7);
        assert_int_equal(plan_to_memfd(4, p, NULL, &unsaid), -EPROTONOSUPPORT);

        p->next = false;
        p->terms.on_disconnect = ON_DISCONNECT_KILL;
        assert_int_equal(plan_encode_for(4, p, &data, &n, &unsaid), -EPROTONOSUPPORT);
        assert_string_equal(unsaid, "OnDisconnect");
        assert_int_equal(plan_encode_for(5, p, &data, &n, &unsaid), 0);
        free(data);
}

static void a_number_that_is_too_large_for_a_version_is_never_cut(void **state) {
        static const uint32_t first = PLAN_VERSION_FIRST;
        _cleanup_free_ char *golden = NULL;
        _cleanup_free_ uint8_t *newest = NULL, *older = NULL;
        _cleanup_(plan_freep) Plan *p = NULL, *same = NULL;
        const char *unsaid = NULL;
        Plan *q = NULL;
        size_t size, n, n_older = 7, at;

        read_golden(&golden, &size);
        p = decode(golden, size);
        p->terms.restart_steps = 1001;
        assert_int_equal(plan_encode_for(first, p, &older, &n_older, &unsaid), -EPROTONOSUPPORT);
        assert_string_equal(unsaid, "RestartSteps");
        assert_null(older);
        assert_int_equal(n_older, 7);

        assert_int_equal(plan_encode(p, &newest, &n), 0);
        same = decode(newest, n);
        assert_int_equal(same->terms.restart_steps, 1001);

        /* The older bytes with the larger number, which lies where the two differ behind their headers. */
        p->terms.restart_steps = 1000;
        assert_int_equal(plan_encode_for(first, p, &older, &n_older, &unsaid), 0);
        for (at = 16; older[at] == newest[at];)
                at++;
        older[at] = newest[at];
        assert_int_equal(plan_decode(older, n_older, &q), -EBADMSG);
        assert_null(q);
}

static void versions_that_nobody_knows_are_refused(void **state) {
        static const uint32_t versions[] = { 0, PLAN_VERSION_FIRST - 1, PLAN_VERSION + 1, UINT32_MAX };
        _cleanup_free_ char *golden = NULL;
        _cleanup_(plan_freep) Plan *p = NULL;
        size_t size;

        read_golden(&golden, &size);
        p = decode(golden, size);
        for (size_t i = 0; i < ELEMENTSOF(versions); i++) {
                const char *unsaid = NULL;
                uint8_t *data = NULL;
                Plan *q = NULL;
                size_t n;

                assert_int_equal(plan_encode_for(versions[i], p, &data, &n, &unsaid), -EPROTONOSUPPORT);
                assert_non_null(unsaid);
                /* As that version might write it: with all that is known here. */
                assert_int_equal(plan_encode(p, &data, &n), 0);
                memcpy(data + 8, &versions[i], sizeof(versions[i]));
                assert_int_equal(plan_decode(data, n, &q), -EBADMSG);
                assert_null(q);
                memcpy(golden + 8, &versions[i], sizeof(versions[i]));
                assert_int_equal(plan_decode(golden, size, &q), -EBADMSG);
                free(data);
        }
}

/* The bytes of one version under the number of another: one field too few, or one too many. */
static void bytes_of_another_version_are_refused(void **state) {
        static const uint32_t first = PLAN_VERSION_FIRST, newest = PLAN_VERSION;
        _cleanup_free_ char *golden = NULL;
        _cleanup_free_ uint8_t *data = NULL;
        _cleanup_(plan_freep) Plan *p = NULL;
        Plan *q = NULL;
        size_t size, n;

        read_golden(&golden, &size);
        p = decode(golden, size);
        memcpy(golden + 8, &newest, sizeof(newest));
        assert_int_equal(plan_decode(golden, size, &q), -EBADMSG);

        assert_int_equal(plan_encode(p, &data, &n), 0);
        memcpy(data + 8, &first, sizeof(first));
        assert_int_equal(plan_decode(data, n, &q), -EBADMSG);
        assert_null(q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_older_plan_is_read_and_what_it_lacks_has_its_default),
                cmocka_unit_test(what_a_version_can_say_is_written_as_that_version_did),
                cmocka_unit_test(what_a_version_cannot_say_is_never_left_out),
                cmocka_unit_test(a_number_that_is_too_large_for_a_version_is_never_cut),
                cmocka_unit_test(versions_that_nobody_knows_are_refused),
                cmocka_unit_test(bytes_of_another_version_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
