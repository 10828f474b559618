/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void an_empty_buffer_is_an_empty_text(void **state) {
        _cleanup_buffer_ Buffer b = {};
        _cleanup_free_ char *text = NULL;

        text = buffer_take_text(&b);
        assert_string_equal(text, "");
        assert_null(b.data);
}

static void bytes_come_out_as_they_went_in(void **state) {
        _cleanup_buffer_ Buffer b = {};

        for (unsigned i = 0; i < 1000; i++)
                buffer_append(&b, (uint8_t[]){ (uint8_t) i, 0 }, 2);
        assert_int_equal(buffer_error(&b), 0);
        assert_int_equal(b.size, 2000);
        for (unsigned i = 0; i < 1000; i++) {
                assert_int_equal(b.data[2 * i], (uint8_t) i);
                assert_int_equal(b.data[2 * i + 1], 0);
        }
        assert_int_equal(b.data[b.size], 0);
}

static void formats_are_appended(void **state) {
        _cleanup_buffer_ Buffer b = {};
        _cleanup_free_ char *text = NULL;

        buffer_append_text(&b, "a");
        buffer_printf(&b, "%d-%s", 7, "x");
        buffer_printf(&b, "%s", "");
        text = buffer_take_text(&b);
        assert_string_equal(text, "a7-x");
        assert_int_equal(b.size, 0);
}

static void errors_stick(void **state) {
        _cleanup_buffer_ Buffer b = {};

        buffer_append_text(&b, "kept");
        buffer_append(&b, "x", SIZE_MAX); /* cannot be had */
        assert_int_equal(buffer_error(&b), -ENOMEM);
        buffer_append_text(&b, "ignored");
        assert_int_equal(b.size, 4);
        assert_null(buffer_take_text(&b));
        assert_int_equal(buffer_error(&b), 0);
}

static void json_strings_are_escaped(void **state) {
        static const struct {
                const char *text, *json;
        } cases[] = {
                { NULL, "null" },
                { "", "\"\"" },
                { "a/b", "\"a/b\"" },
                { "\"\\", "\"\\\"\\\\\"" },
                { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
                { "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
                { "ä€😀", "\"ä€😀\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_buffer_ Buffer b = {};
                _cleanup_free_ char *text = NULL;

                buffer_append_json_string(&b, cases[i].text);
                text = buffer_take_text(&b);
                assert_string_equal(text, cases[i].json);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_buffer_is_an_empty_text),
                cmocka_unit_test(bytes_come_out_as_they_went_in),
                cmocka_unit_test(formats_are_appended),
                cmocka_unit_test(errors_stick),
                cmocka_unit_test(json_strings_are_escaped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
