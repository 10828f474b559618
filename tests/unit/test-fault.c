/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/fault.h"

#include "base/strv.h"
#include "bus-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define _cleanup_bus_ _cleanup_(sd_bus_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

static void add(Faults *f, FaultResource resource, uint64_t time) {
        Fault fault = { time, resource, FAULT_OF_USER, 2, 3, NULL };

        assert_int_equal(strv_extend(&fault.processes, "7 hog"), 0);
        faults_add(f, &fault);
}

static Faults *new_faults(void) {
        Faults *f = NULL;

        assert_int_equal(faults_new(&f), 0);
        return f;
}

/* How many rows of a resource come out; all of them in order of time, and the time of its first. */
static size_t count(const Faults *f, const char *resource, uint64_t *ret_first) {
        _cleanup_bus_ sd_bus *bus = bus_fixture_new();
        _cleanup_message_ sd_bus_message *m = bus_fixture_message(bus);
        uint64_t time, value, limit, before = 0;
        const char *what, *level;
        size_t n = 0;

        assert_true(faults_append(f, m) >= 0);
        bus_fixture_seal(m);
        assert_true(sd_bus_message_enter_container(m, 'a', "(tssttas)") > 0);
        while (sd_bus_message_enter_container(m, 'r', "tssttas") > 0) {
                _cleanup_strv_ char **processes = NULL;

                assert_true(sd_bus_message_read(m, "tsstt", &time, &what, &level, &value, &limit) > 0);
                assert_true(sd_bus_message_read_strv(m, &processes) >= 0);
                assert_true(sd_bus_message_exit_container(m) >= 0);
                assert_string_equal(level, "user");
                assert_int_equal(value, 2);
                assert_int_equal(limit, 3);
                assert_string_equal(processes[0], "7 hog");
                assert_true(time >= before);
                before = time;
                if (streq(what, resource) && n++ == 0)
                        *ret_first = time;
        }

        return n;
}

static void none_are_an_empty_list(void **state) {
        uint64_t first = 0;

        assert_int_equal(count(NULL, "OOM", &first), 0);
}

static void rows_of_all_resources_come_in_order_of_time(void **state) {
        _cleanup_(faults_freep) Faults *f = new_faults();
        uint64_t first = 0;

        add(f, FAULT_TASKS_MAX, 10);
        add(f, FAULT_TASKS_MAX, 40);
        add(f, FAULT_OOM, 20);
        add(f, FAULT_MEMORY_HIGH, 30);

        assert_int_equal(count(f, "TasksMax", &first), 2);
        assert_int_equal(first, 10);
        assert_int_equal(count(f, "OOM", &first), 1);
        assert_int_equal(first, 20);
        assert_int_equal(count(f, "MemoryHigh", &first), 1);
        assert_int_equal(count(f, "MemoryMax", &first), 0);
}

static void the_oldest_of_one_resource_gives_way_and_no_other(void **state) {
        _cleanup_(faults_freep) Faults *f = new_faults();
        uint64_t first = 0;

        add(f, FAULT_OOM, 1);
        for (uint64_t i = 0; i < 3 * FAULT_ROWS; i++)
                add(f, FAULT_MEMORY_HIGH, 100 + i);

        assert_int_equal(count(f, "MemoryHigh", &first), FAULT_ROWS);
        assert_int_equal(first, 100 + 2 * FAULT_ROWS);
        assert_int_equal(count(f, "OOM", &first), 1);
}

static void a_storm_is_cut_off_and_comes_through_again_later(void **state) {
        _cleanup_(faults_freep) Faults *f = new_faults();
        const uint64_t begin = 1000 * FAULT_INTERVAL_USEC;

        for (unsigned i = 0; i < FAULT_BURST; i++) {
                assert_true(faults_wants(f, FAULT_OOM, begin + i));
                add(f, FAULT_OOM, begin + i);
        }
        assert_false(faults_wants(f, FAULT_OOM, begin + FAULT_BURST));
        assert_true(faults_wants(f, FAULT_TASKS_MAX, begin));
        assert_false(faults_wants(f, FAULT_OOM, begin + FAULT_INTERVAL_USEC - 1));
        assert_true(faults_wants(f, FAULT_OOM, begin + FAULT_INTERVAL_USEC));
}

static void a_clock_that_is_set_back_silences_nothing(void **state) {
        _cleanup_(faults_freep) Faults *f = new_faults();
        const uint64_t begin = 1000 * FAULT_INTERVAL_USEC;

        for (unsigned i = 0; i < FAULT_BURST; i++) {
                assert_true(faults_wants(f, FAULT_OOM, begin));
                add(f, FAULT_OOM, begin);
        }
        assert_false(faults_wants(f, FAULT_OOM, begin));
        assert_true(faults_wants(f, FAULT_OOM, begin - FAULT_INTERVAL_USEC));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(none_are_an_empty_list),
                cmocka_unit_test(rows_of_all_resources_come_in_order_of_time),
                cmocka_unit_test(the_oldest_of_one_resource_gives_way_and_no_other),
                cmocka_unit_test(a_storm_is_cut_off_and_comes_through_again_later),
                cmocka_unit_test(a_clock_that_is_set_back_silences_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
