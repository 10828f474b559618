/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/link.h"

#include "base/strv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

/* A connection that is never used, as messages belong to one. */
static sd_bus *bus;
static int other_end = -EBADF;

static int open_bus(void **state) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        other_end = pair[1];
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        return 0;
}

static int close_bus(void **state) {
        bus = sd_bus_close_unref(bus);
        other_end = safe_close(other_end);
        return 0;
}

static sd_bus_message *message_new(void) {
        sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_signal(bus, &m, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "Test") >=
                    0);
        return m;
}

static void message_seal(sd_bus_message *m) {
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_rewind(m, true) >= 0);
}

static char *enforced[] = { (char *) "seccomp", (char *) "pids", NULL };

static const SandboxRecord example = {
        .id = (char *) "web.3001.2",
        .profile = (char *) "web",
        .profile_hash = (char *) "ab",
        .user = (char *) "alice",
        .instance = (char *) "",
        .uid = 3001,
        .invocation_id = (char *) "0123456789abcdef0123456789abcdef",
        .timestamp = UINT64_MAX - 1,
        .plan_hash = (char *) "cd",
        .control_group = (char *) "/immured.slice/web.2",
        .enforced = enforced,
        .state = SANDBOX_FAILED,
        .sub_state = (char *) "dead",
        .result = SANDBOX_OOM_KILL,
        .status_text = (char *) "gr\xc3\xbc\xc3\x9f",
        .leader = 12,
        .main_pid = 13,
        .exec_main_code = 2,
        .exec_main_status = -9,
        .n_restarts = 4,
};

static void a_record_reads_back_as_it_was(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
        _cleanup_(sandbox_record_freep) SandboxRecord *r = NULL;

        assert_true(sandbox_record_append(m, &example) >= 0);
        message_seal(m);
        assert_int_equal(sandbox_record_read(m, &r), 0);
        assert_true(sd_bus_message_at_end(m, true));

        assert_string_equal(r->id, example.id);
        assert_string_equal(r->profile, example.profile);
        assert_string_equal(r->profile_hash, example.profile_hash);
        assert_string_equal(r->user, example.user);
        assert_string_equal(r->instance, example.instance);
        assert_int_equal(r->uid, example.uid);
        assert_string_equal(r->invocation_id, example.invocation_id);
        assert_true(r->timestamp == example.timestamp);
        assert_string_equal(r->plan_hash, example.plan_hash);
        assert_string_equal(r->control_group, example.control_group);
        assert_int_equal(strv_length(r->enforced), 2);
        assert_string_equal(r->enforced[1], "pids");
        assert_int_equal(r->state, example.state);
        assert_string_equal(r->sub_state, example.sub_state);
        assert_int_equal(r->result, example.result);
        assert_string_equal(r->status_text, example.status_text);
        assert_int_equal(r->leader, example.leader);
        assert_int_equal(r->main_pid, example.main_pid);
        assert_int_equal(r->exec_main_code, example.exec_main_code);
        assert_int_equal(r->exec_main_status, example.exec_main_status);
        assert_int_equal(r->n_restarts, example.n_restarts);
}

static void texts_that_are_not_set_read_as_empty(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
        _cleanup_(sandbox_record_freep) SandboxRecord *r = NULL;
        SandboxRecord record = example;

        record.status_text = NULL;
        record.enforced = NULL;
        assert_true(sandbox_record_append(m, &record) >= 0);
        message_seal(m);
        assert_int_equal(sandbox_record_read(m, &r), 0);
        assert_string_equal(r->status_text, "");
        assert_int_equal(strv_length(r->enforced), 0);
}

/* The entries of the example, but one left out, or one more of a name with a text. */
static void append_changed(sd_bus_message *m, const char *without, const char *with, const char *value) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *whole = message_new();
        const char *name;

        assert_true(sandbox_record_append(whole, &example) >= 0);
        message_seal(whole);
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(sd_bus_message_enter_container(whole, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(whole, 'e', "sv") > 0) {
                assert_true(sd_bus_message_read_basic(whole, 's', &name) > 0);
                if (without && streq(name, without))
                        assert_true(sd_bus_message_skip(whole, "v") > 0);
                else {
                        assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
                        assert_true(sd_bus_message_append_basic(m, 's', name) >= 0);
                        assert_true(sd_bus_message_copy(m, whole, false) > 0);
                        assert_true(sd_bus_message_close_container(m) >= 0);
                }
                assert_true(sd_bus_message_exit_container(whole) > 0);
        }
        if (with)
                assert_true(sd_bus_message_append(m, "{sv}", with, "s", value) >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        message_seal(m);
}

static void unknown_names_are_passed_over(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
        _cleanup_(sandbox_record_freep) SandboxRecord *r = NULL;

        append_changed(m, NULL, "Colour", "red");
        assert_int_equal(sandbox_record_read(m, &r), 0);
}

static void what_another_version_does_not_send_has_its_default(void **state) {
        static const char *const names[] = {
                "ProfileHash",  "User",           "Instance",  "Timestamp",  "PlanHash",
                "Enforced",     "SubState",       "Result",    "StatusText", "MainPID",
                "ExecMainCode", "ExecMainStatus", "NRestarts",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
                _cleanup_(sandbox_record_freep) SandboxRecord *r = NULL;

                append_changed(m, names[i], NULL, NULL);
                assert_int_equal(sandbox_record_read(m, &r), 0);
                assert_string_equal(r->id, example.id);
                assert_non_null(r->plan_hash);
                assert_non_null(r->status_text);
        }
}

static void nothing_but_what_identifies_it_is_needed(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
        _cleanup_(sandbox_record_freep) SandboxRecord *r = NULL;

        assert_true(sd_bus_message_append(m,
                                          "a{sv}",
                                          8,
                                          "Id",
                                          "s",
                                          "web.3001.2",
                                          "Profile",
                                          "s",
                                          "web",
                                          "Colour",
                                          "a{sv}",
                                          1,
                                          "Depth",
                                          "u",
                                          24,
                                          "UID",
                                          "u",
                                          3001,
                                          "InvocationID",
                                          "s",
                                          "0123456789abcdef0123456789abcdef",
                                          "ControlGroup",
                                          "s",
                                          "/immured.slice/web.2",
                                          "Leader",
                                          "u",
                                          12,
                                          "State",
                                          "s",
                                          "running") >= 0);
        message_seal(m);
        assert_int_equal(sandbox_record_read(m, &r), 0);
        assert_int_equal(r->state, SANDBOX_RUNNING);
        assert_string_equal(r->status_text, "");
        assert_int_equal(strv_length(r->enforced), 0);
        assert_int_equal(r->result, SANDBOX_SUCCESS);
        assert_int_equal(r->n_restarts, 0);
}

static void a_result_of_another_version_still_ends_it(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
        _cleanup_(sandbox_record_freep) SandboxRecord *r = NULL;

        append_changed(m, "Result", "Result", "boredom");
        assert_int_equal(sandbox_record_read(m, &r), 0);
        assert_int_equal(r->result, SANDBOX_RESOURCES);
        assert_int_equal(sandbox_result_of("watchdog"), SANDBOX_WATCHDOG);
}

static void what_is_missing_or_wrong_is_refused(void **state) {
        static const struct {
                const char *without, *with, *value;
        } cases[] = {
                { "Id" },
                { "Profile" },
                { "UID" },
                { "InvocationID" },
                { "ControlGroup" },
                { "Leader" },
                { "State" },
                { NULL, "Id", "web.3001.2" },
                { "State", "State", "asleep" },
                { "UID", "UID", "3001" },
                { "Enforced", "Enforced", "seccomp" },
                { "Id", "Id", "web" },
                { "Id", "Id", "web.3002.2" },
                { "Id", "Id", "other.3001.2" },
                { "Profile", "Profile", "other" },
                { "InvocationID", "InvocationID", "0123" },
                { "InvocationID", "InvocationID", "0123456789ABCDEF0123456789ABCDEF" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
                SandboxRecord *r = (SandboxRecord *) &example;

                append_changed(m, cases[i].without, cases[i].with, cases[i].value);
                assert_int_equal(sandbox_record_read(m, &r), -EBADMSG);
                assert_ptr_equal(r, &example);
        }
}

static void another_type_is_refused(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = message_new();
        SandboxRecord *r = NULL;

        assert_true(sd_bus_message_append(m, "as", 1, "Id") >= 0);
        message_seal(m);
        assert_int_equal(sandbox_record_read(m, &r), -EBADMSG);
        assert_null(r);
}

static void ids_come_apart(void **state) {
        char profile[33];
        uint32_t uid, n;

        assert_int_equal(sandbox_id_parse("web.1000.1", profile, &uid, &n), 0);
        assert_string_equal(profile, "web");
        assert_int_equal(uid, 1000);
        assert_int_equal(n, 1);

        assert_int_equal(
                sandbox_id_parse("a234567890123456789012345678-_12.0.4294967295", profile, &uid, &n), 0);
        assert_string_equal(profile, "a234567890123456789012345678-_12");
        assert_int_equal(uid, 0);
        assert_true(n == UINT32_MAX);

        assert_int_equal(sandbox_id_parse("web.1000.1", NULL, NULL, NULL), 0);
}

static void what_is_no_id_leaves_the_outputs_alone(void **state) {
        static const char *const cases[] = {
                "",
                ".",
                "..",
                "web",
                "web.1000",
                "web.1000.",
                "web..1",
                ".1000.1",
                "web.1000.0",
                "web.1000.01",
                "web.01000.1",
                "web.+1000.1",
                "web.1000.-1",
                "web.1000.1 ",
                " web.1000.1",
                "web.1000.1.2",
                "web.1000.1/",
                "../x.1000.1",
                "Web.1000.1",
                "1web.1000.1",
                "web.65535.1",
                "web.4294967295.1",
                "web.4294967296.1",
                "web.1000.4294967296",
                "web.10000000000000000000000.1",
                "a2345678901234567890123456789-_12.1.1",
                "web.1000.1\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char profile[33] = "same";
                uint32_t uid = 7, n = 8;

                assert_int_equal(sandbox_id_parse(cases[i], profile, &uid, &n), -EINVAL);
                assert_string_equal(profile, "same");
                assert_int_equal(uid, 7);
                assert_int_equal(n, 8);
        }
}

static void an_invocation_id_is_32_hexadecimal_digits(void **state) {
        assert_true(invocation_id_is_valid("0123456789abcdef0123456789abcdef"));
        assert_false(invocation_id_is_valid(NULL));
        assert_false(invocation_id_is_valid(""));
        assert_false(invocation_id_is_valid("0123456789abcdef0123456789abcde"));
        assert_false(invocation_id_is_valid("0123456789abcdef0123456789abcdef0"));
        assert_false(invocation_id_is_valid("0123456789ABCDEF0123456789abcdef"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_record_reads_back_as_it_was),
                cmocka_unit_test(texts_that_are_not_set_read_as_empty),
                cmocka_unit_test(unknown_names_are_passed_over),
                cmocka_unit_test(what_another_version_does_not_send_has_its_default),
                cmocka_unit_test(nothing_but_what_identifies_it_is_needed),
                cmocka_unit_test(a_result_of_another_version_still_ends_it),
                cmocka_unit_test(what_is_missing_or_wrong_is_refused),
                cmocka_unit_test(another_type_is_refused),
                cmocka_unit_test(ids_come_apart),
                cmocka_unit_test(what_is_no_id_leaves_the_outputs_alone),
                cmocka_unit_test(an_invocation_id_is_32_hexadecimal_digits),
        };

        return cmocka_run_group_tests(tests, open_bus, close_bus);
}
