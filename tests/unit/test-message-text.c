/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/message-text.h"

#include "bus-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define _cleanup_bus_ _cleanup_(sd_bus_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

static char *text_of(sd_bus_message *m, size_t max) {
        char *text = NULL;

        bus_fixture_seal(m);
        assert_int_equal(message_to_text(m, max, &text), 0);
        return text;
}

static void nothing_is_the_empty_text(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        _cleanup_free_ char *text = text_of(m, 100);

        assert_string_equal(text, "");
}

static void every_type_has_its_form(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        _cleanup_free_ char *text = NULL;

        assert_true(sd_bus_message_append(m,
                                          "sybnqiuxtdoga{sv}a(sv)as",
                                          "a \"b\"",
                                          1,
                                          1,
                                          -2,
                                          3,
                                          -4,
                                          5,
                                          INT64_C(-6),
                                          UINT64_MAX,
                                          1.5,
                                          "/p",
                                          "as",
                                          2,
                                          "k",
                                          "as",
                                          2,
                                          "x",
                                          "y",
                                          "n",
                                          "u",
                                          7,
                                          1,
                                          "r",
                                          "s",
                                          "v",
                                          0) >= 0);
        text = text_of(m, 1000);
        assert_string_equal(text,
                            "\"a \"\"b\"\"\" 1 1 -2 3 -4 5 -6 18446744073709551615 1.5 \"/p\" \"as\" "
                            "[{\"k\" [\"x\" \"y\"]} {\"n\" 7}] [(\"r\" \"v\")] []");
}

static void an_environment_is_left_out(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        _cleanup_free_ char *text = NULL;

        assert_true(sd_bus_message_append(m,
                                          "sa{sv}",
                                          "Environment",
                                          2,
                                          "Environment",
                                          "as",
                                          1,
                                          "TOKEN=secret",
                                          "Environmental",
                                          "s",
                                          "shown") >= 0);
        text = text_of(m, 1000);
        assert_string_equal(text, "\"Environment\" [{\"Environment\" …} {\"Environmental\" \"shown\"}]");
}

static void what_is_too_long_is_cut(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        _cleanup_free_ char *long_text = calloc(1, 1000001), *text = NULL;

        assert_non_null(long_text);
        memset(long_text, '"', 1000000);
        assert_true(sd_bus_message_append(m, "ss", long_text, "behind") >= 0);
        text = text_of(m, 10);
        assert_string_equal(text, "\"\"\"\"\"\"\"\"\"\"…");
}

static void just_long_enough_is_whole(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        _cleanup_free_ char *text = NULL;

        assert_true(sd_bus_message_append(m, "s", "12345678") >= 0);
        text = text_of(m, 10);
        assert_string_equal(text, "\"12345678\"");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_the_empty_text),  cmocka_unit_test(every_type_has_its_form),
                cmocka_unit_test(an_environment_is_left_out), cmocka_unit_test(what_is_too_long_is_cut),
                cmocka_unit_test(just_long_enough_is_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
