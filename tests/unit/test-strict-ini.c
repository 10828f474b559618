/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/strict-ini.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What came of one text: items or findings. */
typedef struct Reading {
        StrictItems items;
        Findings findings;
        int result;
} Reading;

static void reading_done(Reading *r) {
        strict_items_done(&r->items);
        findings_done(&r->findings);
}
#define _cleanup_reading_ _cleanup_(reading_done)

static Reading read_bytes(const char *data, size_t size) {
        Reading r = {};

        r.result = strict_ini_parse("file", data, size, &r.items, &r.findings);
        return r;
}

static Reading read_text(const char *text) { return read_bytes(text, strlen(text)); }

static void
assert_item(const Reading *r, size_t i, const char *section, const char *key, const char *value) {
        assert_true(i < r->items.n_items);
        assert_string_equal(r->items.items[i].section, section);
        assert_string_equal(r->items.items[i].key, key);
        assert_string_equal(r->items.items[i].value, value);
}

/* Exactly one finding, at this line, with this in its text. */
static void assert_refused(const Reading *r, unsigned line, const char *text) {
        assert_int_equal(r->result, -EBADMSG);
        assert_int_equal(r->findings.n_items, 1);
        assert_int_equal(r->findings.items[0].line, line);
        if (!strstr(r->findings.items[0].text, text))
                fail_msg("“%s” does not say “%s”", r->findings.items[0].text, text);
}

static void sections_keys_and_values(void **state) {
        _cleanup_reading_ Reading r =
                read_text("# comment\n; comment\n\n  \t\n[One]\nA=1\nB = two words \nA=\n"
                          "[Two] \nC=x=y\n[One]\nD=[z]\n");

        assert_int_equal(r.result, 0);
        assert_int_equal(r.items.n_items, 5);
        assert_item(&r, 0, "One", "A", "1");
        assert_item(&r, 1, "One", "B", "two words");
        assert_item(&r, 2, "One", "A", "");
        assert_item(&r, 3, "Two", "C", "x=y");
        assert_item(&r, 4, "One", "D", "[z]");
        assert_int_equal(r.items.items[0].line, 6);
        assert_int_equal(r.items.items[4].line, 12);
}

static void nothing_is_no_error(void **state) {
        static const char *const texts[] = { "", "\n", "#", "; only a comment", "[Empty]", "[Empty]\n\n" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_reading_ Reading r = read_text(texts[i]);

                assert_int_equal(r.result, 0);
                assert_int_equal(r.items.n_items, 0);
        }
}

/* inih 55 cuts a line at 199 bytes and reads the rest as another one. */
static void long_values_stay_in_one_piece(void **state) {
        for (size_t n = 150; n <= 65000; n = n < 260 ? n + 1 : n * 2) {
                _cleanup_buffer_ Buffer b = {};
                _cleanup_free_ char *value = calloc(1, n + 1);
                Reading r;

                memset(value, 'v', n);
                /* Were the line cut, this would become a key of its own. */
                memcpy(value + n - 8, "Evil=yes", 8);
                buffer_printf(&b, "[S]\nKey=%s\nNext=1\n", value);
                r = read_bytes((char *) b.data, b.size);
                assert_int_equal(r.result, 0);
                assert_int_equal(r.items.n_items, 2);
                assert_item(&r, 0, "S", "Key", value);
                assert_item(&r, 1, "S", "Next", "1");
                reading_done(&r);
        }
}

static void lines_have_an_end(void **state) {
        size_t size = STRICT_LINE_MAX + 100;
        _cleanup_free_ char *text = malloc(size);
        Reading r;

        memset(text, 'v', size);
        memcpy(text, "[S]\nA=", 6);
        r = read_bytes(text, 4 + STRICT_LINE_MAX);
        assert_int_equal(r.result, 0);
        assert_int_equal(strlen(r.items.items[0].value), STRICT_LINE_MAX - 2);
        reading_done(&r);

        r = read_bytes(text, 4 + STRICT_LINE_MAX + 1);
        assert_refused(&r, 2, "longer than 65536 bytes");
        assert_int_equal(r.items.n_items, 0);
        reading_done(&r);
}

/* inih takes " ;" for the beginning of a comment, some versions " #" as well. */
static void comments_end_no_value(void **state) {
        _cleanup_reading_ Reading r = read_text("[S]\nA=1 ; one\nB=2 # two\nC=;\nD=#\nE=x;y\n");

        assert_int_equal(r.result, 0);
        assert_item(&r, 0, "S", "A", "1 ; one");
        assert_item(&r, 1, "S", "B", "2 # two");
        assert_item(&r, 2, "S", "C", ";");
        assert_item(&r, 3, "S", "D", "#");
        assert_item(&r, 4, "S", "E", "x;y");
}

/* inih hands an indented line on as one more value of the key before. */
static void indented_lines_are_refused(void **state) {
        static const char *const texts[] = {
                "[S]\nA=1\n B=2\n",
                "[S]\nA=1\n\tmore\n",
                "[S]\nA=1\n # comment\n",
                "[S]\nA=1\n [T]\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_reading_ Reading r = read_text(texts[i]);

                assert_refused(&r, 3, "begins with a blank");
                assert_int_equal(r.items.n_items, 1);
        }
}

/* inih cuts the names of sections and keys at 49 bytes, so that two different ones could become the same. */
static void long_names_are_refused(void **state) {
        for (size_t n = STRICT_NAME_MAX - 2; n <= STRICT_NAME_MAX + 4; n++) {
                _cleanup_free_ char *name = calloc(1, n + 1);
                _cleanup_buffer_ Buffer section = {}, key = {};
                Reading r;

                memset(name, 'N', n);
                buffer_printf(&section, "[%s]\nA=1\n", name);
                buffer_printf(&key, "[S]\n%s=1\n", name);

                r = read_bytes((char *) section.data, section.size);
                if (n <= STRICT_NAME_MAX)
                        assert_item(&r, 0, name, "A", "1");
                else
                        assert_refused(&r, 1, "1 to 48");
                reading_done(&r);

                r = read_bytes((char *) key.data, key.size);
                if (n <= STRICT_NAME_MAX)
                        assert_item(&r, 0, "S", name, "1");
                else
                        assert_refused(&r, 2, "1 to 48");
                reading_done(&r);
        }
}

static void bad_bytes_are_refused(void **state) {
        static const struct {
                const char *data;
                size_t size;
                unsigned line;
                const char *text;
        } cases[] = {
                { "\xef\xbb\xbf[S]\nA=1\n", 11, 1, "byte order mark" },
                { "[S]\nA=1\0B=2\n", 12, 2, "NUL" },
                { "[S]\n# \0\nA=1\n", 12, 2, "NUL" },
                { "[S]\nA=\xff\n", 8, 2, "UTF-8" },
                { "[S]\nA=\xc3\n", 8, 2, "UTF-8" },
                { "[S]\nA=\xed\xa0\x80\n", 10, 2, "UTF-8" },
                { "[S]\n# \xff\nA=1\n", 12, 2, "UTF-8" },
                { "[S]\nA=\x1b[2J\n", 11, 2, "control character" },
                { "[S]\nA=a\rB=2\n", 12, 2, "control character" },
                { "[S]\nA=\xc2\x85\n", 9, 2, "control character" },
                { "[S]\nA=a\x0b\x0c\n", 10, 2, "control character" },
                { "[S]\r\nA=1\r\nB=2\r\n", 15, 1, "carriage return" },
                { "[S]\nA=1\r", 8, 2, "carriage return" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reading_ Reading r = read_bytes(cases[i].data, cases[i].size);

                assert_refused(&r, cases[i].line, cases[i].text);
        }
}

static void the_last_line_needs_no_newline(void **state) {
        _cleanup_reading_ Reading r = read_text("[S]\nA=1\nB=last");

        assert_int_equal(r.result, 0);
        assert_item(&r, 1, "S", "B", "last");
}

static void what_is_no_line_is_refused(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *finding;
        } cases[] = {
                { "[S\nA=1\n", 1, "[Name]" },
                { "[S] x\nA=1\n", 1, "[Name]" },
                { "[S] ; comment\n", 1, "[Name]" },
                { "[]\n", 1, "1 to 48" },
                { "[ S ]\n", 1, "1 to 48" },
                { "[S]T]\n", 1, "1 to 48" },
                { "[S]\nno value\n", 2, "neither" },
                { "[S]\nkey: value\n", 2, "neither" }, /* inih would take the colon */
                { "[S]\nA: b=c\n", 2, "a key is a name" },
                { "[S]\n=1\n", 2, "a key is a name" },
                { "[S]\nA B=1\n", 2, "a key is a name" },
                { "[S]\nÄ=1\n", 2, "a key is a name" },
                { "[S]\nA;=1\n", 2, "a key is a name" },
                { "A=1\n[S]\n", 1, "before the first" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reading_ Reading r = read_text(cases[i].text);

                assert_refused(&r, cases[i].line, cases[i].finding);
        }
}

static void backslashes_join_lines(void **state) {
        _cleanup_reading_ Reading r =
                read_text("[S]\nA=1 \\\n  2\\\n# between\n; between\n3\nB=x\\\n\nC=y\\z\n");

        assert_int_equal(r.result, 0);
        assert_int_equal(r.items.n_items, 3);
        assert_item(&r, 0, "S", "A", "1    2 3");
        assert_item(&r, 1, "S", "B", "x");
        assert_item(&r, 2, "S", "C", "y\\z");
        assert_int_equal(r.items.items[0].line, 2);
        assert_int_equal(r.items.items[1].line, 7);
        assert_int_equal(r.items.items[2].line, 9);
}

static void joined_lines_are_checked_too(void **state) {
        Reading r;

        r = read_text("[S]\nA=1\\\n");
        assert_refused(&r, 2, "ends behind a backslash");
        reading_done(&r);

        r = read_bytes("[S]\nA=1\\\n\0\nB=2\n", 15);
        assert_refused(&r, 3, "NUL");
        assert_int_equal(r.items.n_items, 1);
        assert_item(&r, 0, "S", "B", "2");
        reading_done(&r);
}

static void joined_lines_have_an_end(void **state) {
        _cleanup_buffer_ Buffer b = {};
        _cleanup_reading_ Reading r = {};

        buffer_append_text(&b, "[S]\nA=");
        for (size_t i = 0; i < 70; i++)
                buffer_printf(&b, "%01000d\\\n", 0);
        buffer_append_text(&b, "end\nB=2\n");
        r = read_bytes((char *) b.data, b.size);
        assert_int_equal(r.result, -EBADMSG);
        assert_int_equal(r.findings.n_items, 1);
        assert_int_equal(r.items.n_items, 1);
        assert_item(&r, 0, "S", "B", "2");
}

static void all_findings_come_at_once(void **state) {
        _cleanup_reading_ Reading r = read_text("[S]\nbad\nA=1\n also bad\nB=2\n[bad\nC=3\n[T]\nD=4\n");

        assert_int_equal(r.result, -EBADMSG);
        assert_int_equal(r.findings.n_items, 3);
        assert_int_equal(r.findings.items[0].line, 2);
        assert_int_equal(r.findings.items[1].line, 4);
        assert_int_equal(r.findings.items[2].line, 6);
        /* What could be read is there, but nothing of the section that could not. */
        assert_int_equal(r.items.n_items, 3);
        assert_item(&r, 2, "T", "D", "4");
}

static void many_lines_keep_their_values(void **state) {
        _cleanup_buffer_ Buffer b = {};
        _cleanup_reading_ Reading r = {};

        buffer_append_text(&b, "[S]\n");
        for (unsigned i = 0; i < 5000; i++)
                buffer_printf(&b, "K=%u\n", i);
        r = read_bytes((char *) b.data, b.size);
        assert_int_equal(r.result, 0);
        assert_int_equal(r.items.n_items, 5000);
        for (unsigned i = 0; i < 5000; i++)
                assert_int_equal(strtoul(r.items.items[i].value, NULL, 10), i);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sections_keys_and_values),
                cmocka_unit_test(nothing_is_no_error),
                cmocka_unit_test(long_values_stay_in_one_piece),
                cmocka_unit_test(lines_have_an_end),
                cmocka_unit_test(comments_end_no_value),
                cmocka_unit_test(indented_lines_are_refused),
                cmocka_unit_test(long_names_are_refused),
                cmocka_unit_test(bad_bytes_are_refused),
                cmocka_unit_test(the_last_line_needs_no_newline),
                cmocka_unit_test(what_is_no_line_is_refused),
                cmocka_unit_test(backslashes_join_lines),
                cmocka_unit_test(joined_lines_are_checked_too),
                cmocka_unit_test(joined_lines_have_an_end),
                cmocka_unit_test(all_findings_come_at_once),
                cmocka_unit_test(many_lines_keep_their_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
