/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/sandbox-id.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void ids_come_apart(void **state) {
        char profile[33];
        uint32_t uid, n;

        assert_int_equal(sandbox_id_parse("web.1000.1", profile, &uid, &n), 0);
        assert_string_equal(profile, "web");
        assert_int_equal(uid, 1000);
        assert_int_equal(n, 1);

        assert_int_equal(
                sandbox_id_parse("a234567890123456789012345678-_12.0.4294967295", profile, &uid, &n), 0);
        assert_string_equal(profile, "a234567890123456789012345678-_12");
        assert_int_equal(uid, 0);
        assert_true(n == UINT32_MAX);

        assert_int_equal(sandbox_id_parse("web.1000.1", NULL, NULL, NULL), 0);
}

static void what_is_no_id_leaves_the_outputs_alone(void **state) {
        static const char *const cases[] = {
                "",
                ".",
                "..",
                "web",
                "web.1000",
                "web.1000.",
                "web..1",
                ".1000.1",
                "web.1000.0",
                "web.1000.01",
                "web.01000.1",
                "web.+1000.1",
                "web.1000.-1",
                "web.1000.1 ",
                " web.1000.1",
                "web.1000.1.2",
                "web.1000.1/",
                "../x.1000.1",
                "Web.1000.1",
                "1web.1000.1",
                "web.65535.1",
                "web.4294967295.1",
                "web.4294967296.1",
                "web.1000.4294967296",
                "web.10000000000000000000000.1",
                "a2345678901234567890123456789-_12.1.1",
                "web.1000.1\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char profile[33] = "same";
                uint32_t uid = 7, n = 8;

                assert_int_equal(sandbox_id_parse(cases[i], profile, &uid, &n), -EINVAL);
                assert_string_equal(profile, "same");
                assert_int_equal(uid, 7);
                assert_int_equal(n, 8);
        }
}

static void an_invocation_id_is_32_hexadecimal_digits(void **state) {
        assert_true(invocation_id_is_valid("0123456789abcdef0123456789abcdef"));
        assert_false(invocation_id_is_valid(NULL));
        assert_false(invocation_id_is_valid(""));
        assert_false(invocation_id_is_valid("0123456789abcdef0123456789abcde"));
        assert_false(invocation_id_is_valid("0123456789abcdef0123456789abcdef0"));
        assert_false(invocation_id_is_valid("0123456789ABCDEF0123456789abcdef"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ids_come_apart),
                cmocka_unit_test(what_is_no_id_leaves_the_outputs_alone),
                cmocka_unit_test(an_invocation_id_is_32_hexadecimal_digits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
