/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch-options.h"

#include "bus-fixture.h"
#include "link/link.h"
#include "plan/client-streams.h"
#include "plan/plan-compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct Reading {
        sd_bus *bus;
        sd_bus_message *message;
        LaunchOptions options;
        sd_bus_error error;
        int result;
} Reading;

static void reading_done(Reading *r) {
        launch_options_done(&r->options);
        sd_bus_error_free(&r->error);
        (void) sd_bus_message_unref(r->message);
        (void) sd_bus_close_unref(r->bus);
}

static Reading reading_begin(void) {
        Reading r = { .bus = bus_fixture_new() };

        r.message = bus_fixture_message(r.bus);
        return r;
}

static void reading_read(Reading *r) {
        bus_fixture_seal(r->message);
        r->result = launch_options_read(r->message, &r->options, &r->error);
}

#define READ(...)                                                                  \
        ({                                                                         \
                Reading _r_ = reading_begin();                                     \
                assert_true(sd_bus_message_append(_r_.message, __VA_ARGS__) >= 0); \
                reading_read(&_r_);                                                \
                _r_;                                                               \
        })

static void no_options_mean_the_profiles_own(void **state) {
        _cleanup_(reading_done) Reading r = READ("a{sv}", 0);

        assert_true(r.result >= 0);
        assert_null(r.options.arguments);
        assert_null(r.options.environment);
        assert_null(r.options.user);
        assert_null(r.options.instance);
        assert_int_equal(r.options.on_disconnect, -1);
        assert_false(r.options.wait_set);
        assert_int_equal(r.options.streams, 0);
}

static void every_option_arrives(void **state) {
        _cleanup_(reading_done) Reading r = READ("a{sv}",
                                                 7,
                                                 "Arguments",
                                                 "as",
                                                 2,
                                                 "one",
                                                 "two words",
                                                 "Environment",
                                                 "as",
                                                 1,
                                                 "TERM=xterm",
                                                 "Properties",
                                                 "a(sv)",
                                                 0,
                                                 "User",
                                                 "s",
                                                 "alice",
                                                 "Instance",
                                                 "s",
                                                 "blue",
                                                 "OnDisconnect",
                                                 "s",
                                                 "stop",
                                                 "Wait",
                                                 "b",
                                                 1);

        assert_true(r.result >= 0);
        assert_int_equal(strv_length(r.options.arguments), 2);
        assert_string_equal(r.options.arguments[1], "two words");
        assert_string_equal(r.options.environment[0], "TERM=xterm");
        assert_string_equal(r.options.user, "alice");
        assert_string_equal(r.options.instance, "blue");
        assert_int_equal(r.options.on_disconnect, ON_DISCONNECT_STOP);
        assert_true(r.options.wait_set && r.options.wait);
}

static void streams_are_named(void **state) {
        _cleanup_(reading_done) Reading some = READ("a{sv}", 1, "Streams", "as", 2, "stderr", "stdin");
        _cleanup_(reading_done) Reading none = READ("a{sv}", 2, "Streams", "as", 0, "Wait", "b", 0);

        assert_true(some.result >= 0);
        assert_int_equal(some.options.streams, CLIENT_STREAM(0) | CLIENT_STREAM(2));
        assert_true(none.result >= 0);
        assert_int_equal(none.options.streams, 0);
}

#define ASSERT_REFUSED(reading, error_name, words)                 \
        ({                                                         \
                _cleanup_(reading_done) Reading _x_ = (reading);   \
                assert_true(_x_.result < 0);                       \
                assert_non_null(_x_.error.name);                   \
                assert_string_equal(_x_.error.name, error_name);   \
                assert_non_null(strstr(_x_.error.message, words)); \
        })

static void what_is_wrong_is_named(void **state) {
        ASSERT_REFUSED(READ("a{sv}", 1, "Streams", "as", 1, "stdlog"), SD_BUS_ERROR_INVALID_ARGS, "stdin");
        ASSERT_REFUSED(
                READ("a{sv}", 1, "Streams", "as", 2, "stdin", "stdin"), SD_BUS_ERROR_INVALID_ARGS, "twice");
        ASSERT_REFUSED(READ("a{sv}", 1, "Streams", "as", 1, "control-group"),
                       SD_BUS_ERROR_NOT_SUPPORTED,
                       "control group");
        ASSERT_REFUSED(READ("a{sv}", 2, "Streams", "as", 1, "stdin", "Wait", "b", 0),
                       SD_BUS_ERROR_INVALID_ARGS,
                       "lease");
        ASSERT_REFUSED(READ("a{sv}", 1, "Argument", "as", 0), SD_BUS_ERROR_INVALID_ARGS, "Argument");
        ASSERT_REFUSED(READ("a{sv}", 1, "Arguments", "s", "one"), SD_BUS_ERROR_INVALID_ARGS, "\"as\"");
        ASSERT_REFUSED(READ("a{sv}", 2, "Wait", "b", 1, "Wait", "b", 1), SD_BUS_ERROR_INVALID_ARGS, "twice");
        ASSERT_REFUSED(
                READ("a{sv}", 1, "Environment", "as", 1, "TERM"), SD_BUS_ERROR_INVALID_ARGS, "NAME=value");
        ASSERT_REFUSED(READ("a{sv}", 1, "User", "s", "../x"), SD_BUS_ERROR_INVALID_ARGS, "User");
        ASSERT_REFUSED(READ("a{sv}", 1, "User", "s", ""), SD_BUS_ERROR_INVALID_ARGS, "User");
        ASSERT_REFUSED(READ("a{sv}", 1, "Instance", "s", "a/b"), SD_BUS_ERROR_INVALID_ARGS, "Instance");
        ASSERT_REFUSED(
                READ("a{sv}", 1, "OnDisconnect", "s", "explode"), SD_BUS_ERROR_INVALID_ARGS, "OnDisconnect");
        ASSERT_REFUSED(READ("a{sv}", 1, "StandardInput", "s", "/etc/shadow"),
                       SD_BUS_ERROR_INVALID_ARGS,
                       "no option");
        ASSERT_REFUSED(READ("a{sv}", 1, "Properties", "a(sv)", 1, "MemoryMax", "d", 1.0),
                       SD_BUS_ERROR_INVALID_ARGS,
                       "MemoryMax");
        ASSERT_REFUSED(READ("a{sv}", 1, "Properties", "a(sv)", 1, "MemoryMax", "(s)", "1"),
                       SD_BUS_ERROR_INVALID_ARGS,
                       "MemoryMax");
}

static void append_many(sd_bus_message *m, const char *option, const char *text, size_t n) {
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
        assert_true(sd_bus_message_append_basic(m, 's', option) >= 0);
        assert_true(sd_bus_message_open_container(m, 'v', "as") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "s") >= 0);
        for (size_t i = 0; i < n; i++)
                assert_true(sd_bus_message_append_basic(m, 's', text) >= 0);
        for (size_t i = 0; i < 4; i++)
                assert_true(sd_bus_message_close_container(m) >= 0);
}

static Reading read_many(const char *option, const char *text, size_t n) {
        Reading r = reading_begin();

        append_many(r.message, option, text, n);
        reading_read(&r);
        return r;
}

static void too_many_and_too_long_are_refused(void **state) {
        char longest[PLAN_TEXT_MAX + 1], longer[PLAN_TEXT_MAX + 2], assignment[2001];

        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        memset(longer, 'x', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';
        (void) snprintf(assignment, sizeof(assignment), "A=%1998s", "");

        {
                _cleanup_(reading_done) Reading most = read_many("Arguments", longest, PLAN_ARGUMENTS_MAX);

                assert_true(most.result >= 0);
                assert_int_equal(strv_length(most.options.arguments), PLAN_ARGUMENTS_MAX);
        }

        ASSERT_REFUSED(
                read_many("Arguments", "x", PLAN_ARGUMENTS_MAX + 1), ERROR_QUOTA_EXCEEDED, "more than 64");
        ASSERT_REFUSED(read_many("Arguments", longer, 1), ERROR_QUOTA_EXCEEDED, "longer than 4096");
        ASSERT_REFUSED(read_many("Environment", "A=", LAUNCH_ENVIRONMENT_MAX + 1),
                       ERROR_QUOTA_EXCEEDED,
                       "more than 128");
        ASSERT_REFUSED(read_many("Environment", assignment, 9), ERROR_QUOTA_EXCEEDED, "16384 bytes");
}

static void properties_arrive_as_a_profile_would_say_them(void **state) {
        static const struct {
                const char *key, *value;
        } expected[] = {
                { "MemoryMax", "1G" },
                { "TasksMax", "7" },
                { "Nice", "-3" },
                { "LockPersonality", "yes" },
                { "Landlock", "no" },
                { "RestrictAddressFamilies", "" },
                { "InaccessiblePaths", "/a" },
                { "InaccessiblePaths", "/b /c" },
        };
        _cleanup_(reading_done) Reading r = READ("a{sv}",
                                                 1,
                                                 "Properties",
                                                 "a(sv)",
                                                 7,
                                                 "MemoryMax",
                                                 "s",
                                                 "1G",
                                                 "TasksMax",
                                                 "t",
                                                 UINT64_C(7),
                                                 "Nice",
                                                 "i",
                                                 -3,
                                                 "LockPersonality",
                                                 "b",
                                                 1,
                                                 "Landlock",
                                                 "b",
                                                 0,
                                                 "RestrictAddressFamilies",
                                                 "as",
                                                 0,
                                                 "InaccessiblePaths",
                                                 "as",
                                                 2,
                                                 "/a",
                                                 "/b /c");

        assert_true(r.result >= 0);
        assert_int_equal(r.options.n_settings, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                assert_string_equal(r.options.settings[i].key, expected[i].key);
                assert_string_equal(r.options.settings[i].value, expected[i].value);
        }
}

static void append_properties(sd_bus_message *m, const char *key, const char *value, size_t n) {
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
        assert_true(sd_bus_message_append_basic(m, 's', "Properties") >= 0);
        assert_true(sd_bus_message_open_container(m, 'v', "a(sv)") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "(sv)") >= 0);
        for (size_t i = 0; i < n; i++)
                assert_true(sd_bus_message_append(m, "(sv)", key, "s", value) >= 0);
        for (size_t i = 0; i < 4; i++)
                assert_true(sd_bus_message_close_container(m) >= 0);
}

static Reading read_properties(const char *key, const char *value, size_t n) {
        Reading r = reading_begin();

        append_properties(r.message, key, value, n);
        reading_read(&r);
        return r;
}

static void too_many_and_too_long_properties_are_refused(void **state) {
        char longer[PLAN_TEXT_MAX + 2];

        memset(longer, 'x', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';

        {
                _cleanup_(reading_done) Reading most =
                        read_properties("Nice", longer + 1, LAUNCH_SETTINGS_MAX);

                assert_true(most.result >= 0);
                assert_int_equal(most.options.n_settings, LAUNCH_SETTINGS_MAX);
        }

        ASSERT_REFUSED(
                read_properties("Nice", "1", LAUNCH_SETTINGS_MAX + 1), ERROR_QUOTA_EXCEEDED, "more than 64");
        ASSERT_REFUSED(read_properties("Nice", longer, 1), ERROR_QUOTA_EXCEEDED, "longer than 4096");
        ASSERT_REFUSED(read_properties(longer, "1", 1), ERROR_QUOTA_EXCEEDED, "longer than 4096");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_options_mean_the_profiles_own),
                cmocka_unit_test(every_option_arrives),
                cmocka_unit_test(streams_are_named),
                cmocka_unit_test(what_is_wrong_is_named),
                cmocka_unit_test(too_many_and_too_long_are_refused),
                cmocka_unit_test(properties_arrive_as_a_profile_would_say_them),
                cmocka_unit_test(too_many_and_too_long_properties_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
