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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read),
                cmocka_unit_test(an_empty_one_has_no_entries),
                cmocka_unit_test(the_readers_error_ends_it_and_another_type_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
