/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/processes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CASE(bytes, comm, text) \
        { bytes, sizeof(bytes) - 1, comm, text }

static void command_lines_are_one_printable_line(void **state) {
        static const struct {
                const char *cmdline;
                size_t size;
                const char *comm, *text;
        } cases[] = {
                CASE("sleep\0infinity\0", "sleep", "sleep infinity"),
                CASE("one", "x", "one"),
                CASE("", "kworker", "[kworker]"),
                CASE("\0\0\0", "cleared", "[cleared]"),
                CASE("a\0\0b\0", "x", "a  b"),
                CASE("e\033[2J\0new\nline\0", "x", "e\\x1b[2J new\\x0aline"),
                CASE("\xff\xfe\0", "x", "\\xff\\xfe"),
                CASE("", "\033]0;", "[\\x1b]0;]"),
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text =
                        processes_command(cases[i].cmdline, cases[i].size, cases[i].comm);

                assert_non_null(text);
                assert_string_equal(text, cases[i].text);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(command_lines_are_one_printable_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
