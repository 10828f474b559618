/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/message.h"

#include "bus-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define _cleanup_bus_ _cleanup_(sd_bus_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

#define LARGE (1024U * 1024)

static void an_empty_message_has_no_size(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        size_t size = 1;

        bus_fixture_seal(m);
        assert_int_equal(message_measure(m, 0, &size), 0);
        assert_int_equal(size, 0);
}

static void every_type_is_measured_and_read_afterwards(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        const char *text;
        size_t size;

        assert_true(sd_bus_message_append(m,
                                          "sybnqiuxtdogha{sv}a(sv)(s(as))",
                                          "text",
                                          1,
                                          1,
                                          2,
                                          3,
                                          4,
                                          5,
                                          INT64_C(6),
                                          UINT64_C(7),
                                          8.0,
                                          "/path",
                                          "as",
                                          0,
                                          1,
                                          "key",
                                          "a{ss}",
                                          1,
                                          "k",
                                          "v",
                                          1,
                                          "name",
                                          "v",
                                          "at",
                                          2,
                                          UINT64_C(1),
                                          UINT64_C(2),
                                          "s",
                                          0) >= 0);
        bus_fixture_seal(m);
        assert_int_equal(message_measure(m, LARGE, &size), 0);
        assert_in_range(size, 100, 1000);

        assert_true(sd_bus_message_read(m, "s", &text) > 0);
        assert_string_equal(text, "text");
}

static void long_texts_and_arrays_count_in_full(void **state) {
        static const char zeros[10000];
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *bytes = bus_fixture_message(bus),
                                         *words = bus_fixture_message(bus);
        size_t size;

        assert_true(sd_bus_message_append_array(bytes, 'y', zeros, sizeof(zeros)) >= 0);
        bus_fixture_seal(bytes);
        assert_int_equal(message_measure(bytes, LARGE, &size), 0);
        assert_in_range(size, sizeof(zeros), sizeof(zeros) + 100);
        assert_int_equal(message_measure(bytes, sizeof(zeros) - 1, &size), -E2BIG);

        assert_true(sd_bus_message_open_container(words, 'a', "s") >= 0);
        for (unsigned i = 0; i < 1000; i++)
                assert_true(sd_bus_message_append_basic(words, 's', "123456789") >= 0);
        assert_true(sd_bus_message_close_container(words) >= 0);
        bus_fixture_seal(words);
        assert_int_equal(message_measure(words, 10000, &size), -E2BIG);
        assert_int_equal(message_measure(words, LARGE, &size), 0);
        assert_in_range(size, 10000, 30000);
}

/* Empty texts cost room too: a message of nothing but those must not look like nothing. */
static void emptiness_is_not_free(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        size_t size;

        assert_true(sd_bus_message_open_container(m, 'a', "s") >= 0);
        for (unsigned i = 0; i < 1000; i++)
                assert_true(sd_bus_message_append_basic(m, 's', "") >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        bus_fixture_seal(m);
        assert_int_equal(message_measure(m, 1000, &size), -E2BIG);
}

static void variants_in_variants_are_walked(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        const unsigned depth = 30;
        size_t size;

        for (unsigned i = 0; i < depth; i++)
                assert_true(sd_bus_message_open_container(m, 'v', i + 1 < depth ? "v" : "s") >= 0);
        assert_true(sd_bus_message_append_basic(m, 's', "deep") >= 0);
        for (unsigned i = 0; i < depth; i++)
                assert_true(sd_bus_message_close_container(m) >= 0);
        bus_fixture_seal(m);
        assert_int_equal(message_measure(m, LARGE, &size), 0);
        assert_in_range(size, depth, 1000);
}

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
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_message_has_no_size),
                cmocka_unit_test(every_type_is_measured_and_read_afterwards),
                cmocka_unit_test(long_texts_and_arrays_count_in_full),
                cmocka_unit_test(emptiness_is_not_free),
                cmocka_unit_test(variants_in_variants_are_walked),
                cmocka_unit_test(nothing_is_the_empty_text),
                cmocka_unit_test(every_type_has_its_form),
                cmocka_unit_test(an_environment_is_left_out),
                cmocka_unit_test(what_is_too_long_is_cut),
                cmocka_unit_test(just_long_enough_is_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
