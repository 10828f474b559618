/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/access/object-path.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void names_come_back(void **state) {
        static const char *const ids[] = { "web.1000.1", "a.0.1", "with-dash_and9.4294967294.4294967295" };

        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                _cleanup_object_name_ ObjectName n = { 0 };
                _cleanup_free_ char *path = NULL;

                assert_true(object_path_of_sandbox(ids[i], &path) >= 0);
                assert_int_equal(object_path_parse(path, &n), 0);
                assert_int_equal(n.kind, OBJECT_SANDBOX);
                assert_string_equal(n.name, ids[i]);
        }
}

static void profiles_and_users_have_paths(void **state) {
        _cleanup_object_name_ ObjectName profile = { 0 }, user = { 0 };
        _cleanup_free_ char *profile_path = NULL, *user_path = NULL;

        assert_true(object_path_of_profile("gcc-build", &profile_path) >= 0);
        assert_string_equal(profile_path, OBJECT_PATH_PROFILES "/gcc_2dbuild");
        assert_int_equal(object_path_parse(profile_path, &profile), 0);
        assert_int_equal(profile.kind, OBJECT_PROFILE);
        assert_string_equal(profile.name, "gcc-build");

        assert_true(object_path_of_user(1000, &user_path) >= 0);
        assert_string_equal(user_path, OBJECT_PATH_USERS "/_31000");
        assert_int_equal(object_path_parse(user_path, &user), 0);
        assert_int_equal(user.kind, OBJECT_USER);
        assert_int_equal(user.uid, 1000);
}

static void the_way_there_consists_of_branches(void **state) {
        static const struct {
                const char *path;
                ObjectKind kind;
                const char *children;
        } cases[] = {
                { "/", OBJECT_BRANCH, "org" },
                { "/org", OBJECT_BRANCH, "immured" },
                { "/org/immured", OBJECT_BRANCH, "Broker1" },
                { "/org/immured/Broker1", OBJECT_MANAGER, "profile sandbox user" },
                { "/org/immured/Broker1/sandbox", OBJECT_BRANCH, NULL },
                { "/org/immured/Broker1/profile", OBJECT_BRANCH, NULL },
                { "/org/immured/Broker1/user", OBJECT_BRANCH, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_object_name_ ObjectName n = { 0 };

                assert_int_equal(object_path_parse(cases[i].path, &n), 0);
                assert_int_equal(n.kind, cases[i].kind);
                assert_null(n.name);
                if (cases[i].children)
                        assert_string_equal(object_path_children(cases[i].path), cases[i].children);
                else
                        assert_null(object_path_children(cases[i].path));
        }

        assert_null(object_path_children("/elsewhere"));
}

static void foreign_and_misspelt_paths_are_none(void **state) {
        static const char *const bad[] = {
                "/com",
                "/org/immured/Broker2",
                "/org/immured/Broker1/",
                "/org/immured/Broker1/sandboxes",
                "/org/immured/Broker1/sandbox/",
                "/org/immured/Broker1/sandbox/web",              /* no id */
                "/org/immured/Broker1/sandbox/web_2e1000_2e0",   /* number 0 */
                "/org/immured/Broker1/sandbox/web_2e01_2e1",     /* leading zero */
                "/org/immured/Broker1/sandbox/web_2E1000_2E1",   /* the other spelling of the escape */
                "/org/immured/Broker1/sandbox/_77eb_2e1000_2e1", /* escaped without need */
                "/org/immured/Broker1/sandbox/web_2e1000_2e1/x",
                "/org/immured/Broker1/sandbox/_2e_2e_2fetc",
                "/org/immured/Broker1/profile/Upper",
                "/org/immured/Broker1/profile/_",
                "/org/immured/Broker1/profile/a_",
                "/org/immured/Broker1/user/1000",
                "/org/immured/Broker1/user/_3x",
                "/org/immured/Broker1/user/_34294967295",
                "/org/immured/Broker1/user/_301000",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                ObjectName n = { .kind = _OBJECT_KIND_MAX };

                if (object_path_parse(bad[i], &n) != -ENOENT)
                        fail_msg("%s is a path", bad[i]);
                assert_int_equal(n.kind, _OBJECT_KIND_MAX);
                assert_null(n.name);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_come_back),
                cmocka_unit_test(profiles_and_users_have_paths),
                cmocka_unit_test(the_way_there_consists_of_branches),
                cmocka_unit_test(foreign_and_misspelt_paths_are_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
