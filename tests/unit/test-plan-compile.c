/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

#include <sys/resource.h>

static void test_arguments_follow_the_profile(void **state) {
        static const struct {
                ProfileArguments mode;
                const char *pattern;
                const char *given;
                PlanRefusal refusal;
        } cases[] = {
                { PROFILE_ARGUMENTS_FIXED, NULL, "", PLAN_REFUSAL_NONE },
                { PROFILE_ARGUMENTS_FIXED, NULL, "x", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_APPEND, NULL, "--all %u 'a b'", PLAN_REFUSAL_NONE },
                { PROFILE_ARGUMENTS_PATTERN, "[a-z]+", "abc de", PLAN_REFUSAL_NONE },
                { PROFILE_ARGUMENTS_PATTERN, "[a-z]+", "abc 1", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_PATTERN, "[a-z]+", "abc1", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_PATTERN, "[a-z]+", "1abc", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_PATTERN, "[a-z]+", "'abc\n1'", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_PATTERN, "[a-z]+", "''", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_PATTERN, "[a-z]*", "''", PLAN_REFUSAL_NONE },
                { PROFILE_ARGUMENTS_PATTERN, "a|ab|abc", "abc", PLAN_REFUSAL_NONE },
                { PROFILE_ARGUMENTS_PATTERN, "a|b", "ab", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_PATTERN, "^(a|b)$", "b", PLAN_REFUSAL_NONE },
                { PROFILE_ARGUMENTS_PATTERN, "a)|b", "xb", PLAN_REFUSAL_BAD_SETTING },
                { PROFILE_ARGUMENTS_PATTERN, "a\\)|b", "a)x", PLAN_REFUSAL_ARGUMENT },
                { PROFILE_ARGUMENTS_PATTERN, "(", "a", PLAN_REFUSAL_BAD_SETTING },
                { PROFILE_ARGUMENTS_PATTERN, NULL, "a", PLAN_REFUSAL_BAD_SETTING },
                { PROFILE_ARGUMENTS_PATTERN, NULL, "", PLAN_REFUSAL_NONE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};
                _cleanup_strv_ char **given = NULL;

                fixture_init(&f);
                f.profile->arguments = cases[i].mode;
                set_text(&f.profile->argument_pattern, cases[i].pattern);
                set_words(&given, cases[i].given);
                f.request.arguments = given;

                if (cases[i].refusal != PLAN_REFUSAL_NONE) {
                        fixture_must_refuse(&f, cases[i].refusal, "");
                        continue;
                }

                fixture_must_compile(&f);
                assert_string_equal(f.plan->argv[0], "/usr/bin/true");
                assert_int_equal(strv_length(f.plan->argv), 1 + strv_length(given));
                for (size_t k = 0; given && given[k]; k++)
                        assert_string_equal(f.plan->argv[k + 1], given[k]);
        }
}

static void test_arguments_are_bounded(void **state) {
        _cleanup_fixture_ Fixture f = {};
        _cleanup_strv_ char **given = NULL;
        char large[PLAN_TEXT_MAX + 2];

        fixture_init(&f);
        f.profile->arguments = PROFILE_ARGUMENTS_APPEND;
        memset(large, 'x', sizeof(large) - 1);
        large[sizeof(large) - 1] = '\0';

        large[PLAN_TEXT_MAX] = '\0';
        assert_int_equal(strv_extend(&given, large), 0);
        f.request.arguments = given;
        fixture_must_compile(&f);

        large[PLAN_TEXT_MAX] = 'x';
        assert_int_equal(strv_extend(&given, large), 0);
        f.request.arguments = given;
        fixture_must_refuse(&f, PLAN_REFUSAL_QUOTA, "argument 2");

        given = strv_free(given);
        for (size_t i = 0; i < PLAN_ARGUMENTS_MAX; i++)
                assert_int_equal(strv_extend(&given, "x"), 0);
        f.request.arguments = given;
        fixture_must_compile(&f);
        assert_int_equal(strv_extend(&given, "x"), 0);
        f.request.arguments = given;
        fixture_must_refuse(&f, PLAN_REFUSAL_QUOTA, "65");
}

static void test_texts_of_a_request_are_utf8(void **state) {
        char *argument[] = { (char *) "\xff", NULL }, *variable[] = { (char *) "TERM=\xc3", NULL };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->arguments = PROFILE_ARGUMENTS_APPEND;
        f.request.arguments = argument;
        fixture_must_refuse(&f, PLAN_REFUSAL_ARGUMENT, "UTF-8");
        f.request.arguments = NULL;
        set_words(&f.profile->pass_environment, "TERM");
        f.request.environment = variable;
        fixture_must_refuse(&f, PLAN_REFUSAL_ARGUMENT, "UTF-8");
}

static void test_exec_start_is_expanded_and_absolute(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_words(&f.profile->exec_start,
                  "/usr//bin/%N --user=%u:%U --group=%g:%G --home=%h -%i- %H %t 100%%");
        f.request.instance = "blue";
        fixture_must_compile(&f);

        assert_string_equal(f.plan->argv[0], "/usr/bin/web");
        assert_string_equal(f.plan->argv[1], "--user=alice:3001");
        assert_string_equal(f.plan->argv[2], "--group=alice:3001");
        assert_string_equal(f.plan->argv[3], "--home=/home/alice");
        assert_string_equal(f.plan->argv[4], "-blue-");
        assert_string_equal(f.plan->argv[5], "server");
        assert_string_equal(f.plan->argv[6], "/run/user/3001");
        assert_string_equal(f.plan->argv[7], "100%");
}

static void test_bad_texts_of_the_profile_name_their_key(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);

        set_words(&f.profile->exec_start, "/usr/bin/true %x");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ExecStart");
        set_words(&f.profile->exec_start, "/usr/bin/true %");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ExecStart");
        set_words(&f.profile->exec_start, "%u/bin/true");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ExecStart");
        set_words(&f.profile->exec_start, "/usr/../bin/true");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ExecStart");
        set_words(&f.profile->exec_start, "");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ExecStart");
        set_words(&f.profile->exec_start, "/usr/bin/true");

        set_text(&f.profile->working_directory, "relative");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "WorkingDirectory");
        set_text(&f.profile->working_directory, "%h/work");
        fixture_must_compile(&f);
        assert_string_equal(f.plan->working_directory, "/home/alice/work");

        set_text(&f.profile->hostname, "%u.%N");
        fixture_must_compile(&f);
        assert_string_equal(f.plan->hostname, "alice.web");
        set_text(&f.profile->hostname, "%h");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "Hostname");
}

static const char *variable(const Fixture *f, const char *name) {
        return strv_env_get(f->plan->environment, name);
}

static void test_environment_is_built(void **state) {
        _cleanup_fixture_ Fixture f = {};
        _cleanup_strv_ char **given = NULL;

        fixture_init(&f);
        fixture_must_compile(&f);
        assert_int_equal(strv_length(f.plan->environment), 5);
        assert_non_null(variable(&f, "PATH"));
        assert_string_equal(variable(&f, "HOME"), "/home/alice");
        assert_string_equal(variable(&f, "USER"), "alice");
        assert_string_equal(variable(&f, "LOGNAME"), "alice");
        assert_string_equal(variable(&f, "SHELL"), "/bin/bash");

        /* The admin has the last word, and each name stands there once. */
        set_words(&f.profile->environment, "A=1 A=2 LANG=C \"B=%u says\" HOME=/tmp");
        set_words(&f.profile->pass_environment, "TERM LANG");
        set_words(&f.profile->unset_environment, "SHELL B=x LOGNAME=alice");
        set_words(&given, "TERM=vt100 LANG=de_DE.UTF-8 TERM=xterm");
        f.request.environment = given;
        fixture_must_compile(&f);
        assert_string_equal(variable(&f, "A"), "2");
        assert_string_equal(variable(&f, "B"), "alice says");
        assert_string_equal(variable(&f, "LANG"), "C");
        assert_string_equal(variable(&f, "HOME"), "/tmp");
        assert_string_equal(variable(&f, "TERM"), "xterm");
        assert_null(variable(&f, "SHELL"));
        assert_null(variable(&f, "LOGNAME"));
        assert_int_equal(strv_length(f.plan->environment), 7);
}

static void test_environment_of_a_request_needs_leave(void **state) {
        static const struct {
                const char *given;
                PlanRefusal refusal;
        } cases[] = {
                { "TERM=xterm", PLAN_REFUSAL_NONE },
                { "TERM=", PLAN_REFUSAL_NONE },
                { "LD_PRELOAD=/tmp/x.so", PLAN_REFUSAL_NOT_PERMITTED },
                { "PATH=/tmp", PLAN_REFUSAL_NOT_PERMITTED },
                { "TERMINFO=/tmp", PLAN_REFUSAL_NOT_PERMITTED },
                { "TER=/tmp", PLAN_REFUSAL_NOT_PERMITTED },
                { "TERM", PLAN_REFUSAL_ARGUMENT },
                { "=TERM", PLAN_REFUSAL_ARGUMENT },
                { "''", PLAN_REFUSAL_ARGUMENT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};
                _cleanup_strv_ char **given = NULL;

                fixture_init(&f);
                set_words(&f.profile->pass_environment, "TERM LANG");
                set_words(&given, cases[i].given);
                f.request.environment = given;
                if (cases[i].refusal != PLAN_REFUSAL_NONE)
                        fixture_must_refuse(&f, cases[i].refusal, "");
                else
                        fixture_must_compile(&f);
        }
}

static void test_arguments_that_a_pattern_is_held_against_are_few(void **state) {
        for (unsigned n_long = 4; n_long <= 5; n_long++) {
                _cleanup_fixture_ Fixture f = {};
                char text[PLAN_TEXT_MAX + 1], *given[6] = {};

                memset(text, 'a', PLAN_TEXT_MAX);
                text[PLAN_TEXT_MAX] = '\0';
                for (unsigned i = 0; i < n_long; i++)
                        given[i] = text;

                fixture_init(&f);
                f.profile->arguments = PROFILE_ARGUMENTS_PATTERN;
                set_text(&f.profile->argument_pattern, "a*");
                f.request.arguments = given;
                if (n_long * PLAN_TEXT_MAX > PLAN_PATTERN_TEXT_MAX)
                        fixture_must_refuse(&f, PLAN_REFUSAL_QUOTA, "at most 16384");
                else
                        fixture_must_compile(&f);
        }
}

static void test_streams_need_leave(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.request.streams = 1U << 1;
        fixture_must_refuse(&f, PLAN_REFUSAL_NOT_PERMITTED, "StandardOutput");
        f.profile->standard_output = STREAM_CLIENT;
        fixture_must_compile(&f);
        assert_int_equal(f.plan->standard_output, STREAM_CLIENT);

        f.profile->standard_input = STREAM_TTY;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "StandardInput");
        f.profile->standard_input = STREAM_JOURNAL;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "StandardInput");
}

static void test_on_disconnect_may_only_be_tightened(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->terms.on_disconnect = ON_DISCONNECT_KEEP;
        f.request.on_disconnect = ON_DISCONNECT_STOP;
        fixture_must_compile(&f);
        assert_int_equal(f.plan->terms.on_disconnect, ON_DISCONNECT_STOP);

        f.profile->terms.on_disconnect = ON_DISCONNECT_STOP;
        f.request.on_disconnect = ON_DISCONNECT_KEEP;
        fixture_must_refuse(&f, PLAN_REFUSAL_NOT_PERMITTED, "OnDisconnect");
        f.request.on_disconnect = ON_DISCONNECT_KILL;
        fixture_must_compile(&f);
        assert_int_equal(f.plan->terms.on_disconnect, ON_DISCONNECT_KILL);
        f.profile->terms.on_disconnect = ON_DISCONNECT_KILL;
        f.request.on_disconnect = ON_DISCONNECT_STOP;
        fixture_must_refuse(&f, PLAN_REFUSAL_NOT_PERMITTED, "kill");
        f.request.on_disconnect = 7;
        fixture_must_refuse(&f, PLAN_REFUSAL_ARGUMENT, "OnDisconnect");
}

static void test_names_are_checked(void **state) {
        static const char *const bad_users[] = {
                "", "-x", "a:b", "a/b", "1000", "a\nb", "..", "a,b", "\xff"
        };
        static const char *const bad_homes[] = { "", "home", "/home/../etc", "/home/a:b", "/home/\n" };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.request.instance = "Not/Good";
        fixture_must_refuse(&f, PLAN_REFUSAL_ARGUMENT, "Instance");
        f.request.instance = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad_users); i++) {
                set_text(&f.account->name, bad_users[i]);
                fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "name");
        }
        set_text(&f.account->name, "john.doe@example");
        fixture_must_compile(&f);

        for (size_t i = 0; i < ELEMENTSOF(bad_homes); i++) {
                set_text(&f.account->home, bad_homes[i]);
                fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "home");
        }
}

static void test_capabilities_are_bits(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);
        assert_int_equal(f.plan->bounding_set, 0);
        assert_int_equal(f.plan->ambient_set, 0);

        set_words(&f.profile->capability_bounding_set, "CAP_CHOWN CAP_NET_RAW CAP_CHECKPOINT_RESTORE");
        set_words(&f.profile->ambient_capabilities, "CAP_NET_RAW");
        fixture_must_compile(&f);
        assert_true(f.plan->bounding_set == (1U | 1U << 13 | UINT64_C(1) << 40));
        assert_true(f.plan->ambient_set == 1U << 13);

        set_words(&f.profile->ambient_capabilities, "CAP_KILL");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "AmbientCapabilities");
        set_words(&f.profile->ambient_capabilities, "CAP_NONSENSE");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "CAP_NONSENSE");
}

static const PlanRlimit *rlimit_of(const Plan *p, int resource) {
        for (size_t i = 0; i < p->n_rlimits; i++)
                if (p->rlimits[i].resource == resource)
                        return &p->rlimits[i];

        return NULL;
}

static void test_rlimits_have_defaults_that_the_profile_replaces(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);
        assert_int_equal(rlimit_of(f.plan, RLIMIT_CORE)->hard, 0);
        assert_int_equal(rlimit_of(f.plan, RLIMIT_RTPRIO)->hard, 0);
        assert_null(rlimit_of(f.plan, RLIMIT_CPU));

        f.profile->rlimits[RLIMIT_CORE] = (ProfileRlimit){ true, 0, UINT64_MAX };
        f.profile->rlimits[RLIMIT_NOFILE] = (ProfileRlimit){ true, 64, 128 };
        f.profile->rlimits[RLIMIT_CPU] = (ProfileRlimit){ true, 10, UINT64_MAX };
        fixture_must_compile(&f);
        assert_int_equal(rlimit_of(f.plan, RLIMIT_NOFILE)->hard, 128);
        assert_true(rlimit_of(f.plan, RLIMIT_CORE)->hard == UINT64_MAX);
        assert_true(rlimit_of(f.plan, RLIMIT_CPU)->hard == UINT64_MAX);

        f.profile->rlimits[RLIMIT_CPU] = (ProfileRlimit){ true, 11, 10 };
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "Limit");
}

static void test_no_filter_is_no_plan(void **state) {
        static const size_t sizes[] = { 0, 7, 9, 4097 * 8 };
        static const uint8_t program[4097 * 8] = {};
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.context.seccomp = program;
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                f.context.n_seccomp = sizes[i];
                fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "filter");
        }
        f.context.n_seccomp = 4096 * 8;
        fixture_must_compile(&f);
}

static void test_modules_of_the_kernel(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);
        assert_true(f.plan->landlock);
        assert_false(f.plan->landlock_no_tcp);
        assert_null(f.plan->apparmor_profile);
        assert_null(f.plan->selinux_context);

        set_text(&f.profile->apparmor_profile, "immured-%N-%u");
        set_text(&f.profile->selinux_context, "system_u:system_r:%N_t:s0");
        set_words(&f.profile->address_families, "AF_UNIX AF_NETLINK");
        fixture_must_compile(&f);
        assert_true(f.plan->landlock_no_tcp);
        assert_string_equal(f.plan->apparmor_profile, "immured-web-alice");
        assert_string_equal(f.plan->selinux_context, "system_u:system_r:web_t:s0");

        set_words(&f.profile->address_families, "AF_UNIX AF_INET6");
        fixture_must_compile(&f);
        assert_false(f.plan->landlock_no_tcp);

        set_words(&f.profile->address_families, "AF_UNIX");
        f.profile->landlock = false;
        fixture_must_compile(&f);
        assert_false(f.plan->landlock);
        assert_false(f.plan->landlock_no_tcp);
}

/* What a label comes to is looked at once more when its specifiers have their values. */
static void test_labels_that_cannot_be(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_text(&f.profile->apparmor_profile, "%h");
        set_text(&f.account->home, "/home/a b");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "AppArmorProfile=");

        set_text(&f.account->home, "/home/alice");
        set_text(&f.profile->apparmor_profile, NULL);
        set_text(&f.profile->selinux_context, "%h:b:c");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "SELinuxContext=");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arguments_follow_the_profile),
                cmocka_unit_test(test_arguments_are_bounded),
                cmocka_unit_test(test_texts_of_a_request_are_utf8),
                cmocka_unit_test(test_exec_start_is_expanded_and_absolute),
                cmocka_unit_test(test_bad_texts_of_the_profile_name_their_key),
                cmocka_unit_test(test_environment_is_built),
                cmocka_unit_test(test_environment_of_a_request_needs_leave),
                cmocka_unit_test(test_arguments_that_a_pattern_is_held_against_are_few),
                cmocka_unit_test(test_streams_need_leave),
                cmocka_unit_test(test_on_disconnect_may_only_be_tightened),
                cmocka_unit_test(test_names_are_checked),
                cmocka_unit_test(test_capabilities_are_bits),
                cmocka_unit_test(test_rlimits_have_defaults_that_the_profile_replaces),
                cmocka_unit_test(test_no_filter_is_no_plan),
                cmocka_unit_test(test_modules_of_the_kernel),
                cmocka_unit_test(test_labels_that_cannot_be),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
