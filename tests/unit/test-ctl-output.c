/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* output: tables are aligned, give way where the line ends, and never carry a control character */

#include "ctl/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const TableColumn columns[] = {
        { "id", "ID", 0 },
        { "n", "N", COLUMN_RIGHT },
        { "text", "TEXT", COLUMN_SHRINK },
};

typedef struct TableCase {
        const char *rows; /* JSON */
        TableStyle style;
        const char *text;
} TableCase;

static const TableCase table_cases[] = {
        { "[]", { .legend = true }, "ID  N  TEXT\n" },
        { "[]", {}, "" },
        { "[{\"id\":\"a\",\"n\":5,\"text\":\"x\"},{\"id\":\"long\",\"n\":1234,\"text\":\"\"}]",
          { .legend = true },
          "ID       N  TEXT\n"
          "a        5  x\n"
          "long  1234  -\n" },
        { "[{\"id\":\"a\",\"n\":5,\"text\":\"x\"}]", {}, "a  5  x\n" },
        { "[{}]", {}, "-  -  -\n" },
        { "[{\"id\":true,\"n\":null,\"text\":[\"a\",\"b c\"]}]", {}, "yes  -  a b c\n" },
        { "[{\"id\":\"\\u001b[2J\",\"n\":1,\"text\":\"a\\nb\"}]", {}, "\\x1b[2J  1  a\\x0ab\n" },
        { "[{\"id\":\"äö\",\"n\":1,\"text\":\"x\"},{\"id\":\"abc\",\"n\":1,\"text\":\"x\"}]",
          {},
          "äö   1  x\nabc  1  x\n" },
        { "[{\"id\":\"abcdefghij\",\"n\":1,\"text\":\"0123456789\"}]",
          { .width = 24 },
          "abcdefghij  1  01234567…\n" },
        { "[{\"id\":\"abcdefghij\",\"n\":1,\"text\":\"0123456789\"}]",
          { .width = 25 },
          "abcdefghij  1  0123456789\n" },
        { "[{\"id\":\"abcdefghij\",\"n\":1,\"text\":\"0123456789\"}]",
          { .width = 5 },
          "abcdefghij  1  0123456…\n" },
};

static void tables_are_laid_out(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(table_cases); i++) {
                const TableCase *c = &table_cases[i];
                _cleanup_json_ json_t *rows = json_loads(c->rows, 0, NULL);
                _cleanup_free_ char *text = NULL;

                assert_non_null(rows);
                text = table_format(rows, columns, ELEMENTSOF(columns), &c->style);
                assert_string_equal(text, c->text);
        }
}

static void states_have_colours_only_where_wanted(void **state) {
        static const TableColumn column = { "state", "STATE", COLUMN_STATE };
        _cleanup_json_ json_t *rows = json_loads("[{\"state\":\"failed\"},{\"state\":\"odd\"}]", 0, NULL);
        _cleanup_free_ char *with = NULL, *without = NULL;

        with = table_format(rows, &column, 1, &(TableStyle){ .colour = true });
        without = table_format(rows, &column, 1, &(TableStyle){});
        assert_string_equal(with, "\033[31mfailed\033[0m\nodd\033[0m\n");
        assert_string_equal(without, "failed\nodd\n");
}

static void values_are_words(void **state) {
        static const struct {
                const char *json, *text;
        } cases[] = {
                { "null", "-" },      { "\"\"", "-" }, { "true", "yes" }, { "false", "no" },
                { "-5", "-5" },       { "[]", "-" },   { "{}", "-" },     { "\"\\u0007\"", "\\x07" },
                { "\"a b\"", "a b" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
                _cleanup_free_ char *text = json_to_text(value);

                assert_string_equal(text, cases[i].text);
        }
}

static void too_many_columns_are_refused(void **state) {
        TableColumn many[17];
        _cleanup_json_ json_t *rows = json_array();

        for (size_t i = 0; i < ELEMENTSOF(many); i++)
                many[i] = (TableColumn){ "id", "ID", 0 };
        assert_null(table_format(rows, many, ELEMENTSOF(many), &(TableStyle){}));
        assert_null(table_format(rows, many, 0, &(TableStyle){}));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tables_are_laid_out),
                cmocka_unit_test(states_have_colours_only_where_wanted),
                cmocka_unit_test(values_are_words),
                cmocka_unit_test(too_many_columns_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
