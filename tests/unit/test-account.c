/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

#include "plan/account-lookup.h"

static bool is_user(const Account *a, const char *text) {
        return account_is_listed(a, (char *[]){ (char *) text, NULL }, NULL);
}

static bool is_in_group(const Account *a, const char *text) {
        return account_is_listed(a, NULL, (char *[]){ (char *) text, NULL });
}

static void test_a_user_is_meant_by_name_or_number(void **state) {
        static const struct {
                const char *text;
                bool meant;
        } cases[] = {
                { "alice", true },   { "3001", true },   { "Alice", false },
                { "alic", false },   { "", false },      { "300", false },
                { "03001x", false }, { "-3001", false }, { "4294970297", false },
        };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (is_user(f.account, cases[i].text) != cases[i].meant)
                        fail_msg("\"%s\"", cases[i].text);

        /* An account that is called like an id is not that id's owner. */
        set_text(&f.account->name, "0");
        assert_false(is_user(f.account, "0"));
}

static void test_groups_are_meant_by_name_or_number(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        assert_true(is_in_group(f.account, "alice"));
        assert_true(is_in_group(f.account, "staff"));
        assert_true(is_in_group(f.account, "50"));
        assert_false(is_in_group(f.account, "5"));
        assert_false(is_in_group(f.account, "root"));
        assert_false(is_in_group(f.account, "0"));

        free(f.account->groups[1].name);
        f.account->groups[1].name = NULL;
        assert_true(is_in_group(f.account, "50"));
        assert_false(is_in_group(f.account, "staff"));
}

static bool may_be_in_group(const Account *a, const char *text) {
        return account_may_be_listed(a, NULL, (char *[]){ (char *) text, NULL });
}

static void test_what_is_not_known_of_groups_rules_nothing_out(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        assert_true(may_be_in_group(f.account, "staff"));
        assert_false(may_be_in_group(f.account, "students"));
        assert_false(account_may_be_listed(f.account, NULL, NULL));

        free(f.account->groups[1].name);
        f.account->groups[1].name = NULL;
        assert_true(may_be_in_group(f.account, "students"));
        assert_true(may_be_in_group(f.account, "50"));
        assert_false(may_be_in_group(f.account, "51"));

        f.account->groups_partial = true;
        assert_true(may_be_in_group(f.account, "51"));
        assert_false(account_may_be_listed(f.account, NULL, NULL));
        assert_false(is_in_group(f.account, "51"));
}

static void test_an_account_expires_with_the_day(void **state) {
        static const struct {
                int64_t expires, now;
                bool expired;
        } cases[] = {
                { ACCOUNT_EXPIRES_NEVER, INT64_MAX, false },
                { ACCOUNT_EXPIRY_UNKNOWN, 0, true },
                { 0, 0, true },
                { 20000, INT64_C(20000) * 24 * 3600 - 1, false },
                { 20000, INT64_C(20000) * 24 * 3600, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Account a = { .expires = cases[i].expires };

                assert_int_equal(account_may_have_expired(&a, cases[i].now), cases[i].expired);
        }
}

static void test_a_profile_admits_whom_it_allows_and_does_not_deny(void **state) {
        static char *alice[] = { (char *) "alice", NULL }, *staff[] = { (char *) "50", NULL },
                    *others[] = { (char *) "bob", (char *) "0", NULL };
        const struct {
                Profile profile;
                bool admitted;
        } cases[] = {
                { {}, false },
                { { .allow_users = alice }, true },
                { { .allow_users = others }, false },
                { { .allow_groups = staff }, true },
                { { .allow_users = alice, .deny_users = alice }, false },
                { { .allow_users = alice, .deny_groups = staff }, false },
                { { .allow_users = alice, .deny_users = others }, true },
                { { .manage_users = alice }, false },
                { { .allow_users = alice, .authentication = PROFILE_AUTHENTICATION_ADMIN }, true },
                { { .allow_users = alice, .abstract = true }, false },
        };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (account_is_admitted(f.account, &cases[i].profile) != cases[i].admitted)
                        fail_msg("case %zu", i);
}

static void test_the_look_up_finds_root_by_name_and_by_uid(void **state) {
        _cleanup_(account_freep) Account *by_name = NULL, *by_uid = NULL, *none = NULL;

        assert_int_equal(account_look_up("root", 7, &by_name), 0);
        assert_int_equal(account_look_up(NULL, 0, &by_uid), 0);
        assert_int_equal(by_name->uid, 0);
        assert_string_equal(by_uid->name, "root");
        assert_true(is_in_group(by_uid, "0"));
        assert_int_equal(account_look_up("no-such-user-here", 0, &none), -ENOENT);
        assert_null(none);
}

static void test_free_takes_null(void **state) {
        assert_null(account_free(NULL));
        assert_null(plan_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_user_is_meant_by_name_or_number),
                cmocka_unit_test(test_groups_are_meant_by_name_or_number),
                cmocka_unit_test(test_what_is_not_known_of_groups_rules_nothing_out),
                cmocka_unit_test(test_an_account_expires_with_the_day),
                cmocka_unit_test(test_a_profile_admits_whom_it_allows_and_does_not_deny),
                cmocka_unit_test(test_the_look_up_finds_root_by_name_and_by_uid),
                cmocka_unit_test(test_free_takes_null),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
