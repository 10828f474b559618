/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every line of the example profiles, and of some more, deleted one at a time: what is left is refused, or its plan is
 * nowhere weaker than both the whole profile's and that of a profile that says nothing. The plan's fields are compared
 * one by one; filters by what they answer, as their bytes mean nothing.
 */

#include "base/fd.h"
#include "base/text.h"
#include "variant-fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

/*
 * The program, its version and the admin's own variables (which UnsetEnvironment= takes away again) are not what
 * confines it; the filter is compared apart.
 */
static const char *const other_fields[] = { "ExecStart", "Environment", "ProfileHash", "Seccomp" };

static SeccompPolicy *policy;

static bool array_has(const json_t *array, const json_t *value) {
        json_t *other;
        size_t i;

        json_array_foreach (array, i, other) {
                if (json_equal(other, value))
                        return true;
        }

        return false;
}

/* Everything in it is in one of both, and everything that is in both is in it. */
static bool array_is_between(const json_t *array, const json_t *a, const json_t *b) {
        json_t *value;
        size_t i;

        json_array_foreach (array, i, value) {
                if (!array_has(a, value) && !array_has(b, value))
                        return false;
        }
        json_array_foreach (a, i, value) {
                if (array_has(b, value) && !array_has(array, value))
                        return false;
        }

        return true;
}

static bool field_is_between(const json_t *value, const json_t *a, const json_t *b) {
        if (json_is_array(value))
                return array_is_between(value, a, b);

        return json_equal(value, a) || json_equal(value, b);
}

static void check_fields(const Variant *v, const Variant *whole, const Variant *none, const char *line) {
        const char *name;
        json_t *value;

        json_object_foreach (v->plan, name, value) {
                bool other = false;

                for (size_t i = 0; i < ELEMENTSOF(other_fields); i++)
                        other = other || streq(other_fields[i], name);
                if (other || field_is_between(value,
                                              json_object_get(whole->plan, name),
                                              json_object_get(none->plan, name)))
                        continue;

                fail_msg("without \"%s\", %s is %s: neither the profile's nor the default",
                         line,
                         name,
                         json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));
        }
}

static void check_filter(const Variant *v, const Variant *whole, const Variant *none, const char *line) {
        if (variants_have_one_filter(v, whole) || variants_have_one_filter(v, none))
                return;

        for (uint32_t number = 0; number < VARIANT_CALL_MAX; number++)
                for (size_t i = 0; i < n_variant_arguments; i++)
                        if (variant_lets_through(v, number, variant_arguments[i]) &&
                            !variant_lets_through(whole, number, variant_arguments[i]) &&
                            !variant_lets_through(none, number, variant_arguments[i]))
                                fail_msg("without \"%s\", system call %u passes", line, number);
}

static void check_names(char *const *l, char *const *a, char *const *b, const char *line) {
        STRV_FOREACH (name, l)
                if (!strv_contains(a, *name) && !strv_contains(b, *name))
                        fail_msg("without \"%s\", %s is let in", line, *name);
}

/* What the broker asks a profile beside the plan. */
static void check_access(const Variant *v, const Variant *whole, const Variant *none, const char *line) {
        const Profile *p = v->fixture.profile, *a = whole->fixture.profile, *b = none->fixture.profile;

        check_names(p->allow_users, a->allow_users, b->allow_users, line);
        check_names(p->allow_groups, a->allow_groups, b->allow_groups, line);
        check_names(p->manage_users, a->manage_users, b->manage_users, line);
        check_names(p->manage_groups, a->manage_groups, b->manage_groups, line);
        check_names(p->pass_environment, a->pass_environment, b->pass_environment, line);
        check_names(p->user_settable, a->user_settable, b->user_settable, line);
        assert_true(p->arguments == a->arguments || p->arguments == b->arguments);
        assert_true(p->max_instances == a->max_instances || p->max_instances == b->max_instances);
        assert_true(p->authentication == a->authentication || p->authentication == b->authentication);
}

/* Returns whether what is left would be launched. */
static bool
check_without(const char *text, const char *line, size_t n, const Variant *whole, const Variant *none) {
        _cleanup_free_ char *rest = NULL, *shown = NULL;
        _cleanup_variant_ Variant v = {};

        rest = text_printf("%.*s%s", (int) (line - text), text, line + n);
        shown = strndup(line, strcspn(line, "\n"));
        assert_true(rest && shown);
        if (!variant_make(&v, policy, rest))
                return false;

        check_fields(&v, whole, none, shown);
        check_filter(&v, whole, none, shown);
        check_access(&v, whole, none, shown);
        return true;
}

static bool says_something(const char *line) { return !strchr("#;\n", *line); }

/* Counts in *n_lines those that were deleted, in *n_launched those without which there is something to launch. */
static void check_profile(const char *text, const Variant *none, size_t *n_lines, size_t *n_launched) {
        _cleanup_variant_ Variant whole = {};

        if (!variant_make(&whole, policy, text))
                return;

        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
                if (!says_something(line))
                        continue;
                (*n_lines)++;
                *n_launched += check_without(text, line, strcspn(line, "\n") + 1, &whole, none);
        }
}

static void check_directory(const char *name, size_t at_least) {
        _cleanup_variant_ Variant none = {};
        _cleanup_free_ char *path = text_printf("%s/%s", getenv("MESON_SOURCE_ROOT") ?: ".", name);
        size_t n_profiles = 0, n_lines = 0, n_launched = 0;
        DIR *directory = opendir(path);

        assert_non_null(directory);
        assert_true(variant_make(&none, policy, "[Exec]\nExecStart=/usr/bin/true\n"));

        for (struct dirent *entry; (entry = readdir(directory));) {
                _cleanup_free_ char *text = NULL;
                size_t size;

                if (!strstr(entry->d_name, ".profile"))
                        continue;
                assert_int_equal(file_read_full(dirfd(directory), entry->d_name, 1 << 20, &text, &size), 0);
                print_message("%s\n", entry->d_name);
                check_profile(text, &none, &n_lines, &n_launched);
                n_profiles++;
        }
        closedir(directory);

        print_message("%zu profiles, %zu lines, %zu still launched\n", n_profiles, n_lines, n_launched);
        assert_true(n_profiles >= at_least);
        assert_true(n_launched > n_lines / 3);
}

static void examples_without_a_line_are_not_weaker(void **state) { check_directory("policies/profiles", 9); }

/* Keys that tighten and loosen, more than any example has. */
static void a_profile_of_everything_without_a_line_is_not_weaker(void **state) {
        check_directory("tests/unit/data", 1);
}

static int load_policy(void **state) {
        policy = test_policy_load();
        return 0;
}

static int free_policy(void **state) {
        policy = seccomp_policy_free(policy);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(examples_without_a_line_are_not_weaker),
                cmocka_unit_test(a_profile_of_everything_without_a_line_is_not_weaker),
        };

        return cmocka_run_group_tests(tests, load_policy, free_policy);
}
