/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/app-name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void name_and_profile_come_apart(void **state) {
        AppName a;

        assert_int_equal(app_name_parse("alice:web", &a), 0);
        assert_string_equal(a.user, "alice");
        assert_string_equal(a.profile, "web");
        assert_true(app_name_is_user(&a, "alice", 1000));
        assert_false(app_name_is_user(&a, "bob", 1000));
        assert_false(app_name_is_user(&a, "alic", 1000));
}

static void digits_are_a_uid_and_never_a_name(void **state) {
        AppName a;

        assert_int_equal(app_name_parse("1000:my-web_2", &a), 0);
        assert_string_equal(a.user, "");
        assert_int_equal(a.uid, 1000);
        assert_string_equal(a.profile, "my-web_2");
        assert_true(app_name_is_user(&a, "alice", 1000));
        assert_false(app_name_is_user(&a, "1000", 1001));
}

static void what_is_no_name_is_refused_and_leaves_the_output_alone(void **state) {
        static const char *const bad[] = {
                "",
                ":",
                "alice",
                "alice:",
                ":web",
                "alice:Web",
                "alice:web:2",
                "alice:../web",
                "alice:web ",
                " alice:web",
                "al/ice:web",
                "al\nice:web",
                "-alice:web",
                "4294967295:web",
                "65535:web",
                "abcdefghijklmnopqrstuvwxyzabcdefghijkl:web",
                "alice:abcdefghijklmnopqrstuvwxyzabcdefghijkl",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                AppName a = { .uid = 7 };

                assert_int_equal(app_name_parse(bad[i], &a), -EINVAL);
                assert_int_equal(a.uid, 7);
                assert_string_equal(a.profile, "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(name_and_profile_come_apart),
                cmocka_unit_test(digits_are_a_uid_and_never_a_name),
                cmocka_unit_test(what_is_no_name_is_refused_and_leaves_the_output_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
