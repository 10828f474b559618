/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/finding.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_formatted(const Finding *f, const char *text) {
        _cleanup_free_ char *formatted = finding_format(f);

        assert_string_equal(formatted, text);
}

static void findings_say_where_and_what(void **state) {
        _cleanup_findings_ Findings f = {};

        assert_int_equal(findings_add(&f, "a.profile", 3, "Key", "%s %d", "what", 1), 0);
        assert_int_equal(findings_add(&f, "a.profile", 4, NULL, "line"), 0);
        assert_int_equal(findings_add(&f, "a.profile", 0, "Key", "key"), 0);
        assert_int_equal(findings_add(&f, "a.profile", 0, NULL, "file"), 0);
        assert_formatted(&f.items[0], "a.profile:3: Key: what 1");
        assert_formatted(&f.items[1], "a.profile:4: line");
        assert_formatted(&f.items[2], "a.profile: Key: key");
        assert_formatted(&f.items[3], "a.profile: file");
}

static void there_is_a_limit(void **state) {
        _cleanup_findings_ Findings f = {}, g = {};

        for (unsigned i = 0; i < FINDINGS_MAX + 5; i++)
                assert_int_equal(findings_add(&f, "file", i, NULL, "x"), 0);
        assert_int_equal(f.n_items, FINDINGS_MAX);
        assert_int_equal(f.n_dropped, 5);

        assert_int_equal(findings_add(&g, "other", 1, NULL, "y"), 0);
        assert_int_equal(findings_extend(&g, &f), 0);
        assert_int_equal(g.n_items, FINDINGS_MAX);
        assert_int_equal(g.n_dropped, 6);
}

static void they_are_sorted_by_line_within_files(void **state) {
        static const struct {
                const char *file;
                unsigned line;
                const char *text;
        } in[] = {
                { "b", 5, "1" }, { "a", 2, "2" }, { "b", 1, "3" }, { "a", 1, "4" },
                { "b", 5, "5" }, { "c", 0, "6" }, { "a", 1, "7" }, { "b", 0, "8" },
        };
        _cleanup_findings_ Findings f = {};
        char order[ELEMENTSOF(in) + 1] = "";

        findings_sort(&f);
        for (size_t i = 0; i < ELEMENTSOF(in); i++)
                assert_int_equal(findings_add(&f, in[i].file, in[i].line, NULL, "%s", in[i].text), 0);
        findings_sort(&f);
        for (size_t i = 0; i < ELEMENTSOF(in); i++)
                order[i] = f.items[i].text[0];
        assert_string_equal(order, "83154726");
}

static void long_values_are_cut_between_characters(void **state) {
        char value[200], buf[FINDING_VALUE_SIZE];

        assert_string_equal(finding_shorten("", buf), "");
        assert_string_equal(finding_shorten("short ä", buf), "short ä");

        /* Characters of two bytes, at both alignments, at every length. */
        for (size_t shift = 0; shift < 2; shift++)
                for (size_t n = 0; n < 90; n++) {
                        memset(value, 'x', shift);
                        for (size_t i = 0; i < n; i++)
                                memcpy(value + shift + 2 * i, "ä", 2);
                        value[shift + 2 * n] = '\0';
                        assert_true(utf8_is_valid(finding_shorten(value, buf)));
                        assert_true(strlen(buf) < sizeof(buf));
                        assert_int_equal(strstr(buf, "…") != NULL, strlen(value) >= sizeof(buf));
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(findings_say_where_and_what),
                cmocka_unit_test(there_is_a_limit),
                cmocka_unit_test(long_values_are_cut_between_characters),
                cmocka_unit_test(they_are_sorted_by_line_within_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
