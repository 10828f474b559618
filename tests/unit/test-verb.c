/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* verb: the table is whole, words are counted, and a wrong command line has the right exit status */

#include "fake-broker.h"

#include "ctl/verb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void every_row_is_whole(void **state) {
        for (size_t i = 0; i < n_verbs; i++) {
                const Verb *v = &verbs[i];

                assert_ptr_equal(verb_find(v->name), v);
                assert_true(v->min_args >= 0);
                assert_true(v->max_args < 0 || v->max_args >= v->min_args);
                assert_true(v->failure > 0 && v->failure < 256);
                assert_non_null(v->function);
                assert_true(strlen(v->help) > 0 && v->help[strlen(v->help) - 1] != '.');
                assert_true(strlen(v->name) + 1 + strlen(v->synopsis) <= 31);
        }
        assert_null(verb_find("pancake"));
        assert_null(verb_find(""));
}

static size_t columns(const char *line, size_t n) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += (line[i] & 0xc0) != 0x80;

        return count;
}

static void help_fits_a_terminal(void **state) {
        static char out[CTL_TEXT_MAX], err[CTL_TEXT_MAX];

        for (size_t i = 0; i <= n_verbs; i++) {
                const char *words[] = { "help", i < n_verbs ? verbs[i].name : NULL, NULL };

                assert_int_equal(ctl_run(words, out, err), 0);
                for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
                        if (columns(line, strcspn(line, "\n")) > 80)
                                fail_msg("over 80 columns: %.*s", (int) strcspn(line, "\n"), line);
        }
}

static const struct {
        const char *words[4];
        int status;
        const char *out, *err; /* a part of what is printed; NULL: nothing is */
} cases[] = {
        { { "help" }, 0, "Commands:", NULL },
        { { "--help" }, 0, "Commands:", NULL },
        { { "-h" }, 0, "Commands:", NULL },
        { {}, 1, "Commands:", NULL },
        { { "help", "kill" }, 0, "--signal=SIGNAL", NULL },
        { { "kill", "--help" }, 0, "--signal=SIGNAL", NULL },
        { { "run", "--help" }, 0, "PROFILE", NULL },
        { { "help", "pancake" }, 1, NULL, "no command 'pancake'" },
        { { "help", "a", "b" }, 1, NULL, "Too many" },
        { { "help", "--json=short" }, 0, "{\"commands\":[{\"name\":\"run\"", NULL },
        { { "help", "cat", "--json=short" }, 0, "{\"name\":\"cat\",\"arguments\":\"PROFILE…\"", NULL },
        { { "cat" }, 1, NULL, "cat needs PROFILE…" },
        { { "cat", "../x" }, 1, NULL, "There is no profile '../x'" },
        { { "version" }, 0, "immurectl " IMMURED_VERSION, NULL },
        { { "--version" }, 0, "immurectl " IMMURED_VERSION, NULL },
        { { "version", "--json=short" }, 0, "{\"version\":\"" IMMURED_VERSION "\"}", NULL },
        { { "pancake" }, 1, NULL, "no command 'pancake'" },
        { { "\033[2J" }, 1, NULL, "no command '\\x1b[2J'" },
        { { "stop" }, 1, NULL, "stop needs ID|PATTERN…" },
        { { "run" }, 125, NULL, "run needs PROFILE" },
        { { "run", "--frob", "x" }, 125, NULL, "--frob" },
        { { "run", "--json=short", "x" }, 125, NULL, "does not apply" },
        { { "--signal=9", "list" }, 1, NULL, "does not apply" },
        { { "reload", "now" }, 1, NULL, "Too many" },
        { { "list" }, 1, NULL, "Cannot reach the system bus" },
        { { "run", "x" }, 125, NULL, "Cannot reach the system bus" },
};

static bool says(const char *text, const char *part) {
        return part ? strstr(text, part) != NULL : *text == '\0';
}

static void command_lines_have_their_exit_status(void **state) {
        static char out[CTL_TEXT_MAX], err[CTL_TEXT_MAX];

        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int status = ctl_run(cases[i].words, out, err);

                if (status != cases[i].status || !says(out, cases[i].out) || !says(err, cases[i].err))
                        fail_msg("case %zu (%s …): %i, out: %s, err: %s",
                                 i,
                                 cases[i].words[0],
                                 status,
                                 out,
                                 err);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_row_is_whole),
                cmocka_unit_test(help_fits_a_terminal),
                cmocka_unit_test(command_lines_have_their_exit_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
