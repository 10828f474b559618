/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/hello.h"

#include "bus-fixture.h"
#include "link/link.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const LinkHello example = {
        .link_min = 3,
        .link_max = 5,
        .plan_min = 4,
        .plan_max = 7,
        .uid = 3001,
        .app = "alice:web",
        .program = "0.1",
};

static void a_hello_reads_back_as_it_was(void **state) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = bus_fixture_new();
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = bus_fixture_message(bus);
        LinkHello hello;

        assert_true(link_hello_append(m, &example) >= 0);
        bus_fixture_seal(m);
        assert_int_equal(link_hello_read(m, &hello), 0);
        assert_int_equal(hello.link_min, 3);
        assert_int_equal(hello.link_max, 5);
        assert_int_equal(hello.plan_min, 4);
        assert_int_equal(hello.plan_max, 7);
        assert_int_equal(hello.uid, 3001);
        assert_string_equal(hello.app, "alice:web");
        assert_string_equal(hello.program, "0.1");
}

/* As another version may say it: with more, with less, or otherwise. */
static int read_as(const char *name, const char *type, uint32_t link_max, const char *without) {
        static const char *const names[] = { "LinkMin", "LinkMax", "PlanMin", "PlanMax", "UID" };
        _cleanup_(sd_bus_unrefp) sd_bus *bus = bus_fixture_new();
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = bus_fixture_message(bus);
        LinkHello hello = example;
        int r;

        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (!streq(names[i], without))
                        assert_true(sd_bus_message_append(m, "{sv}", names[i], "u", i == 1 ? link_max : 4) >=
                                    0);
        assert_true(sd_bus_message_append(m, "{sv}", "App", "s", "") >= 0);
        if (!streq(without, "Program"))
                assert_true(sd_bus_message_append(m, "{sv}", "Program", "s", "9") >= 0);
        if (name)
                assert_true(sd_bus_message_append(m, "{sv}", name, type, 1) >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        bus_fixture_seal(m);

        r = link_hello_read(m, &hello);
        assert_string_equal(hello.program, r < 0 ? example.program : "9");
        return r;
}

static void more_is_passed_over_and_less_is_refused(void **state) {
        assert_int_equal(read_as(NULL, NULL, 4, ""), 0);
        assert_int_equal(read_as("Colour", "t", 4, ""), 0);
        assert_int_equal(read_as(NULL, NULL, 4, "LinkMin"), -EBADMSG);
        assert_int_equal(read_as(NULL, NULL, 4, "PlanMax"), -EBADMSG);
        assert_int_equal(read_as(NULL, NULL, 4, "UID"), -EBADMSG);
        assert_int_equal(read_as(NULL, NULL, 4, "Program"), -EBADMSG);
        assert_int_equal(read_as("LinkMin", "t", 4, "LinkMin"), -EBADMSG);
        assert_int_equal(read_as(NULL, NULL, 3, ""), -EBADMSG);
}

static void the_highest_in_common_is_spoken(void **state) {
        static const struct {
                uint32_t min, max, other_min, other_max, common;
        } cases[] = {
                { 2, 3, 2, 2, 2 }, { 2, 3, 3, 4, 3 }, { 3, 4, 2, 3, 3 }, { 2, 9, 3, 4, 4 },
                { 3, 4, 2, 9, 4 }, { 2, 3, 4, 5, 0 }, { 4, 5, 2, 3, 0 }, { 1, 1, 1, 1, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(
                        version_common(cases[i].min, cases[i].max, cases[i].other_min, cases[i].other_max),
                        cases[i].common);
}

static void what_ends_a_sandbox_is_in_every_version(void **state) {
        assert_int_equal(link_member_since("Stop"), 0);
        assert_int_equal(link_member_since("Kill"), 0);
        assert_int_equal(link_member_since("ResetFailed"), 0);
        assert_int_equal(link_member_since("Launch"), 2);
        assert_int_equal(link_member_since("Brew"), LINK_VERSION);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_hello_reads_back_as_it_was),
                cmocka_unit_test(more_is_passed_over_and_less_is_refused),
                cmocka_unit_test(the_highest_in_common_is_spoken),
                cmocka_unit_test(what_ends_a_sandbox_is_in_every_version),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
