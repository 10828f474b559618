/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every line of the example profiles, and of some more, deleted one at a time: what is left is refused, or its plan is
 * nowhere weaker than both the whole profile's and that of a profile that says nothing. The plan's fields are compared
 * one by one; filters by what they answer, as their bytes mean nothing.
 */

#include "base/fd.h"
#include "base/text.h"
#include "plan-fixture.h"
#include "profile-fixture.h"
#include "seccomp-program.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

/*
 * The program, its version and the admin's own variables (which UnsetEnvironment= takes away again) are not what
 * confines it; the filter is compared apart.
 */
static const char *const other_fields[] = { "ExecStart", "Environment", "ProfileHash", "Seccomp" };

/* One variant of a profile: what it allows. */
typedef struct Variant {
        Fixture fixture;
        json_t *plan;
        TestProgram program;
} Variant;

static void variant_done(Variant *v) {
        fixture_done(&v->fixture);
        json_decref(v->plan);
        test_program_done(&v->program);
}
#define _cleanup_variant_ _cleanup_(variant_done)

static SeccompPolicy *policy;

/* Whether a mount is idmapped follows from PrivateUsers=, which is a field of its own. */
static void drop_idmap_flags(json_t *plan) {
        json_t *node, *flag;
        size_t i, k;

        json_array_foreach(json_object_get(plan, "Tree"), i, node) {
                json_t *flags = json_object_get(node, "Flags");

                json_array_foreach(flags, k, flag) {
                        if (streq(json_string_value(flag), "idmap")) {
                                assert_int_equal(json_array_remove(flags, k), 0);
                                break;
                        }
                }
        }
}

/* false: refused, or not to be launched. */
static bool variant_make(Variant *v, const char *text) {
        _cleanup_files_ Files files = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_free_ char *json = NULL;
        const ProfileEntry *entry;

        files_write(&files, "etc/app.profile", text);
        set = load_profiles(&files);
        entry = profile_set_find(set, "app");
        assert_non_null(entry);
        if (!entry->profile || entry->profile->abstract)
                return false;

        fixture_init(&v->fixture);
        profile_unref(v->fixture.profile);
        v->fixture.profile = profile_ref(entry->profile);
        test_program_compile(&v->program, policy, entry->profile);
        v->fixture.context.seccomp = v->program.data;
        v->fixture.context.n_seccomp = v->program.size;
        if (fixture_compile(&v->fixture) < 0)
                return false;

        assert_int_equal(plan_to_json(v->fixture.plan, &json), 0);
        v->plan = json_loads(json, 0, NULL);
        assert_non_null(v->plan);
        drop_idmap_flags(v->plan);
        return true;
}

static bool array_has(const json_t *array, const json_t *value) {
        json_t *other;
        size_t i;

        json_array_foreach(array, i, other) {
                if (json_equal(other, value))
                        return true;
        }

        return false;
}

/* Everything in it is in one of both, and everything that is in both is in it. */
static bool array_is_between(const json_t *array, const json_t *a, const json_t *b) {
        json_t *value;
        size_t i;

        json_array_foreach(array, i, value) {
                if (!array_has(a, value) && !array_has(b, value))
                        return false;
        }
        json_array_foreach(a, i, value) {
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

        json_object_foreach(v->plan, name, value) {
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

/* clang-format off */
static const uint64_t arguments[][6] = {
        {},
        { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
        { CLONE_NEWUSER },                                /* clone, unshare, setns */
        { 8 },                                            /* personality */
        { AF_NETLINK, SOCK_RAW }, { AF_INET, SOCK_STREAM }, { AF_PACKET, SOCK_RAW }, { AF_VSOCK, SOCK_STREAM },
        { 0, SCHED_FIFO }, { 0, 04755 }, { 0, 0, 04755 }, /* scheduling, set-user-id bits */
        { 0, 4096, PROT_WRITE | PROT_EXEC },              /* mmap, mprotect */
        { 0, 0x5412 },                                    /* ioctl TIOCSTI */
};
/* clang-format on */

static bool lets_through(const Variant *v, uint32_t number, const uint64_t *args) {
        uint32_t action =
                test_program_run(&v->program, seccomp_arch_native(), number, args) & SECCOMP_RET_ACTION_FULL;

        return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static bool has_program_of(const Variant *v, const Variant *other) {
        return v->program.size == other->program.size &&
               memcmp(v->program.data, other->program.data, v->program.size) == 0;
}

static void check_filter(const Variant *v, const Variant *whole, const Variant *none, const char *line) {
        if (has_program_of(v, whole) || has_program_of(v, none))
                return;

        for (uint32_t number = 0; number < 600; number++)
                for (size_t i = 0; i < ELEMENTSOF(arguments); i++)
                        if (lets_through(v, number, arguments[i]) &&
                            !lets_through(whole, number, arguments[i]) &&
                            !lets_through(none, number, arguments[i]))
                                fail_msg("without \"%s\", system call %u passes", line, number);
}

static void check_names(char *const *l, char *const *a, char *const *b, const char *line) {
        STRV_FOREACH(name, l)
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
        if (!variant_make(&v, rest))
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

        if (!variant_make(&whole, text))
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
        assert_true(variant_make(&none, "[Exec]\nExecStart=/usr/bin/true\n"));

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

static void examples_without_a_line_are_not_weaker(void **state _unused_) {
        check_directory("policies/profiles", 9);
}

/* Keys that tighten and loosen, more than any example has. */
static void a_profile_of_everything_without_a_line_is_not_weaker(void **state _unused_) {
        check_directory("tests/unit/data", 1);
}

static int load_policy(void **state _unused_) {
        policy = test_policy_load();
        return 0;
}

static int free_policy(void **state _unused_) {
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
