/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/message-size.h"

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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_message_has_no_size),
                cmocka_unit_test(every_type_is_measured_and_read_afterwards),
                cmocka_unit_test(long_texts_and_arrays_count_in_full),
                cmocka_unit_test(emptiness_is_not_free),
                cmocka_unit_test(variants_in_variants_are_walked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
