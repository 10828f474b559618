/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/bus-dict.h"

#include "bus-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define _cleanup_bus_ _cleanup_(sd_bus_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

typedef struct Reading {
        char names[64];
        uint32_t number;
        int error;
} Reading;

static int read_number(sd_bus_message *m, const char *name, void *userdata) {
        Reading *reading = userdata;

        if (reading->error < 0)
                return reading->error;

        (void) snprintf(reading->names + strlen(reading->names), 16, "%.14s ", name);
        return streq(name, "Number") ? sd_bus_message_read(m, "v", "u", &reading->number)
                                     : sd_bus_message_skip(m, "v");
}

static void what_is_written_is_read(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        const uint32_t number = 7;
        Reading reading = { 0 };
        const char *behind;

        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(bus_dict_open_entry(m, "List", "as") >= 0);
        assert_true(sd_bus_message_append(m, "as", 2, "a", "b") >= 0);
        assert_true(bus_dict_close_entry(m) >= 0);
        assert_true(bus_dict_open_entry(m, "Number", "u") >= 0);
        assert_true(sd_bus_message_append_basic(m, 'u', &number) >= 0);
        assert_true(bus_dict_close_entry(m) >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        assert_true(sd_bus_message_append(m, "s", "behind") >= 0);
        bus_fixture_seal(m);

        assert_int_equal(bus_dict_read(m, read_number, &reading), 0);
        assert_string_equal(reading.names, "List Number ");
        assert_int_equal(reading.number, 7);
        assert_true(sd_bus_message_read(m, "s", &behind) > 0);
        assert_string_equal(behind, "behind");
}

static void an_empty_one_has_no_entries(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        Reading reading = { .error = -EIO };

        assert_true(sd_bus_message_append(m, "a{sv}", 0) >= 0);
        bus_fixture_seal(m);
        assert_true(bus_dict_read(m, read_number, &reading) >= 0);
}

static void the_readers_error_ends_it_and_another_type_is_none(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus), *other = bus_fixture_message(bus);
        Reading reading = { .error = -EDOM };

        assert_true(sd_bus_message_append(m, "a{sv}", 1, "Number", "u", 7) >= 0);
        bus_fixture_seal(m);
        assert_int_equal(bus_dict_read(m, read_number, &reading), -EDOM);

        assert_true(sd_bus_message_append(other, "as", 0) >= 0);
        bus_fixture_seal(other);
        assert_int_equal(bus_dict_read(other, read_number, &reading), -ENXIO);
}

typedef struct Thing {
        const char *text;
        uint32_t number;
        uint64_t large;
        int truth;
} Thing;

/* clang-format off */
static const BusField thing_fields[] = {
        { "Text",   's', offsetof(Thing, text) },
        { "Number", 'u', offsetof(Thing, number) },
        { "Large",  't', offsetof(Thing, large) },
        { "Truth",  'b', offsetof(Thing, truth) },
};
/* clang-format on */

static void a_struct_reads_back_as_it_was(void **state) {
        static const Thing things[] = { { "x", 7, UINT64_MAX, 1 },
                                        { "", 0, 0, 0 },
                                        { NULL, UINT32_MAX, 1, 0 } };

        for (size_t i = 0; i < ELEMENTSOF(things); i++) {
                _cleanup_bus_ sd_bus *bus = bus_fixture_new();
                _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
                Thing thing = {};
                uint32_t seen;

                assert_true(bus_dict_append_fields(m, thing_fields, 4, things + i) >= 0);
                bus_fixture_seal(m);
                assert_int_equal(bus_dict_read_fields(m, thing_fields, 4, &thing, &seen), 0);
                assert_true(sd_bus_message_at_end(m, true));
                assert_int_equal(seen, 0xf);
                assert_string_equal(thing.text, things[i].text ?: "");
                assert_int_equal(thing.number, things[i].number);
                assert_true(thing.large == things[i].large);
                assert_int_equal(thing.truth, things[i].truth);
        }
}

static void what_a_struct_does_not_know_is_passed_over(void **state) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus), *wrong = bus_fixture_message(bus);
        Thing thing = { .text = "before", .large = 3 };
        uint32_t seen = 99;

        assert_true(sd_bus_message_append(m, "a{sv}", 2, "Colour", "as", 1, "red", "Number", "u", 7) >= 0);
        bus_fixture_seal(m);
        assert_int_equal(bus_dict_read_fields(m, thing_fields, 4, &thing, &seen), 0);
        assert_int_equal(seen, 1U << 1);
        assert_int_equal(thing.number, 7);
        assert_string_equal(thing.text, "before");
        assert_true(thing.large == 3);

        seen = 99;
        assert_true(sd_bus_message_append(wrong, "a{sv}", 1, "Number", "t", UINT64_C(7)) >= 0);
        bus_fixture_seal(wrong);
        assert_int_equal(bus_dict_read_fields(wrong, thing_fields, 4, &thing, &seen), -ENXIO);
        assert_int_equal(seen, 99);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read),
                cmocka_unit_test(an_empty_one_has_no_entries),
                cmocka_unit_test(the_readers_error_ends_it_and_another_type_is_none),
                cmocka_unit_test(a_struct_reads_back_as_it_was),
                cmocka_unit_test(what_a_struct_does_not_know_is_passed_over),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
