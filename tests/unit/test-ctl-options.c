/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* options: what they mean, where they may stand, and what is refused */

#include "ctl/options.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define WORDS_MAX 8
#define ALL (~0U)

typedef struct OptionCase {
        const char *words[WORDS_MAX];
        unsigned groups;
        bool in_order;
        int first; /* index of the first word; -1: refused */
} OptionCase;

static const OptionCase cases[] = {
        { { "list" }, ALL, true, 1 },
        { { "--json=short", "list" }, OPTION_LISTING, true, 2 },
        { { "--json", "pretty", "list" }, OPTION_LISTING, true, 3 },
        { { "--json=yaml" }, OPTION_LISTING, true, -1 },
        { { "--json=" }, OPTION_LISTING, true, -1 },
        { { "--json" }, OPTION_LISTING, true, -1 },
        { { "--json=short" }, OPTION_KILL, true, -1 },
        { { "--frob" }, ALL, true, -1 },
        { { "-x" }, ALL, true, -1 },
        { { "--quiet=yes" }, ALL, true, -1 },
        { { "web", "--json=short" }, 0, true, 1 },
        { { "web", "--json=short" }, 0, false, -1 },
        { { "a", "--signal=KILL", "b" }, OPTION_KILL, false, 2 },
        { { "a", "--", "--signal=KILL" }, OPTION_KILL, false, 2 },
        { { "--signal=SIGKILL" }, OPTION_KILL, false, 2 },
        { { "-s", "9" }, OPTION_KILL, false, 3 },
        { { "--signal=0" }, OPTION_KILL, false, -1 },
        { { "--signal=PANCAKE" }, OPTION_KILL, false, -1 },
        { { "--whom=all" }, OPTION_KILL, false, 2 },
        { { "--whom=al" }, OPTION_KILL, false, -1 },
        { { "--whom=main|all" }, OPTION_KILL, false, -1 },
        { { "--whom=" }, OPTION_KILL, false, -1 },
        { { "--on-disconnect=stop" }, OPTION_LEASED, true, 2 },
        { { "--on-disconnect=restart" }, OPTION_LEASED, true, -1 },
        { { "-E", "A=b", "--env=C=" }, OPTION_LAUNCH, true, 4 },
        { { "-E", "=b" }, OPTION_LAUNCH, true, -1 },
        { { "-E", "1A=b" }, OPTION_LAUNCH, true, -1 },
        { { "-E", "" }, OPTION_LAUNCH, true, -1 },
        { { "-E", "IMMURED_TEST_UNSET" }, OPTION_LAUNCH, true, 3 },
};

/* options_parse(), with what it tells the caller kept from whoever runs the tests. */
static int parse_quietly(Options *o, int argc, char **argv, unsigned groups, bool in_order) {
        _cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC), saved = dup(STDERR_FILENO);
        int r;

        assert_true(dup2(null, STDERR_FILENO) >= 0);
        r = options_parse(o, argc, argv, groups, in_order);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        return r;
}

static int parse(Options *o, const OptionCase *c, char *ret_argv[WORDS_MAX + 2]) {
        int argc = 1;

        memset(ret_argv, 0, (WORDS_MAX + 2) * sizeof(char *));
        ret_argv[0] = (char *) "immurectl";
        for (size_t i = 0; i < WORDS_MAX && c->words[i]; i++)
                ret_argv[argc++] = (char *) c->words[i];

        return parse_quietly(o, argc, ret_argv, c->groups, c->in_order);
}

static void every_case_is_read_or_refused(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_options_ Options o = {};
                char *argv[WORDS_MAX + 2];
                int r = parse(&o, &cases[i], argv);

                if (r != cases[i].first && !(r < 0 && cases[i].first < 0))
                        fail_msg("case %zu (%s …): %i", i, cases[i].words[0], r);
        }
}

static void values_arrive(void **state) {
        static const OptionCase c = {
                { "--json=pretty", "-i", "blue", "-u", "bob", "--env=A=b", "-a-x", "web" }, ALL, true, 9
        };
        _cleanup_options_ Options o = {};
        char *argv[WORDS_MAX + 2];

        assert_int_equal(parse(&o, &c, argv), 9 - 1);
        assert_int_equal(o.output, OUTPUT_JSON_PRETTY);
        assert_string_equal(o.instance, "blue");
        assert_string_equal(o.user, "bob");
        assert_string_equal(o.environment[0], "A=b");
        assert_null(o.environment[1]);
        assert_string_equal(o.arguments[0], "-x");
        assert_string_equal(argv[8], "web");
}

static void kill_options_arrive(void **state) {
        static const OptionCase c = { { "id", "-s", "INT", "--whom", "main" }, OPTION_KILL, false, 4 };
        _cleanup_options_ Options o = {};
        char *argv[WORDS_MAX + 2];

        assert_int_equal(parse(&o, &c, argv), 5);
        assert_int_equal(o.signal, SIGINT);
        assert_string_equal(o.whom, "main");
        assert_string_equal(argv[5], "id");
}

static void a_name_alone_takes_the_callers_value(void **state) {
        static const OptionCase c = { { "-E", "IMMURED_TEST" }, OPTION_LAUNCH, true, 3 };
        _cleanup_options_ Options o = {};
        char *argv[WORDS_MAX + 2];

        assert_int_equal(setenv("IMMURED_TEST", "x y", 1), 0);
        assert_int_equal(parse(&o, &c, argv), 3);
        assert_string_equal(o.environment[0], "IMMURED_TEST=x y");
}

static void options_read_before_are_checked_again(void **state) {
        static const OptionCase before = { { "--signal=INT", "list" }, ALL, true, 2 };
        static const OptionCase behind = { {}, OPTION_LISTING, false, 1 };
        _cleanup_options_ Options o = {};
        char *argv[WORDS_MAX + 2];

        assert_int_equal(parse(&o, &before, argv), 2);
        assert_true(parse(&o, &behind, argv) < 0);
}

static void help_names_what_applies(void **state) {
        _cleanup_free_ char *all = options_help(ALL), *some = options_help(OPTION_KILL);

        assert_non_null(strstr(all, "--json=short|pretty|off"));
        assert_non_null(strstr(some, "-s --signal=SIGNAL"));
        assert_null(strstr(some, "--json"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_case_is_read_or_refused),
                cmocka_unit_test(values_arrive),
                cmocka_unit_test(kill_options_arrive),
                cmocka_unit_test(a_name_alone_takes_the_callers_value),
                cmocka_unit_test(options_read_before_are_checked_again),
                cmocka_unit_test(help_names_what_applies),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
