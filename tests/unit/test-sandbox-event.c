/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/sandbox-event.h"

#include "base/fd.h"
#include "base/text.h"
#include "bus-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static sd_bus *bus;

static int open_bus(void **state) {
        bus = bus_fixture_new();
        return 0;
}

static int close_bus(void **state) {
        bus = sd_bus_close_unref(bus);
        return 0;
}

static const SandboxEvent example = {
        .kind = SANDBOX_EVENT_LIMIT_HIT,
        .details = { { .text = "MemoryMax" },
                     { .text = "sandbox" },
                     { .number = UINT64_MAX - 1 },
                     { .number = 4096 } },
};

static size_t count(const char *text, const char *word) {
        size_t n = 0;

        for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
                n++;

        return n;
}

static void the_catalogue_has_every_event_and_nothing_else(void **state) {
        _cleanup_free_ char *path =
                text_printf("%s/units/immured.catalog", getenv("MESON_SOURCE_ROOT") ?: ".");
        _cleanup_free_ char *text = NULL;

        assert_non_null(path);
        assert_int_equal(file_read_full(AT_FDCWD, path, 1024 * 1024, &text, NULL), 0);

        for (SandboxEventKind k = 0; k < _SANDBOX_EVENT_MAX; k++) {
                const char *id = sandbox_event_row(k)->message.id;
                _cleanup_free_ char *line = text_printf("\n\n-- %s\nSubject: ", id);

                assert_int_equal(strspn(id, "0123456789abcdef"), 32);
                if (count(text, line) != 1)
                        fail_msg("%s is not in the catalogue, once and behind an empty line", id);
        }
        assert_int_equal(count(text, "\n-- "), (int) _EVENT_MAX + (int) _SANDBOX_EVENT_MAX);
}

static void every_row_is_complete(void **state) {
        for (SandboxEventKind k = 0; k < _SANDBOX_EVENT_MAX; k++) {
                const SandboxEventRow *row = sandbox_event_row(k);
                const SandboxEvent empty = { .kind = k };
                _cleanup_free_ char *text = sandbox_event_text(&empty);

                assert_int_equal(sandbox_event_from_name(row->name), (int) k);
                assert_non_null(text); /* each {name} is one of its details */
                assert_null(strpbrk(text, "{}"));
                assert_null(row->details[SANDBOX_EVENT_DETAILS_MAX].name);
                for (const EventDetail *d = row->details; d->name; d++) {
                        assert_true(d->type == 's' || d->type == 't');
                        assert_int_equal(strncmp(d->field, "IMMURED_", strlen("IMMURED_")), 0);
                }
        }
        assert_int_equal(sandbox_event_from_name("Nothing"), -ENOENT);
}

static void the_journal_reads_as_ever(void **state) {
        _cleanup_free_ char *text = sandbox_event_text(&example);

        assert_string_equal(text, "ran into MemoryMax of the sandbox: 18446744073709551614, limit 4096");
}

static void an_event_reads_back_as_it_was(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = bus_fixture_message(bus);
        SandboxEvent e;

        assert_true(sandbox_event_append(m, &example) >= 0);
        bus_fixture_seal(m);
        assert_int_equal(sandbox_event_read(m, SANDBOX_EVENT_LIMIT_HIT, &e), 0);
        assert_true(sd_bus_message_at_end(m, true));
        assert_string_equal(e.details[0].text, "MemoryMax");
        assert_string_equal(e.details[1].text, "sandbox");
        assert_true(e.details[2].number == UINT64_MAX - 1);
        assert_true(e.details[3].number == 4096);
}

static void what_another_version_sends_is_read(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = bus_fixture_message(bus);
        SandboxEvent e;

        assert_true(sd_bus_message_append(m, "a{sv}", 2, "value", "t", UINT64_C(7), "more", "as", 1, "x") >=
                    0);
        bus_fixture_seal(m);
        assert_int_equal(sandbox_event_read(m, SANDBOX_EVENT_LIMIT_HIT, &e), 0);
        assert_string_equal(e.details[0].text, "");
        assert_string_equal(e.details[1].text, "");
        assert_true(e.details[2].number == 7);
        assert_true(e.details[3].number == 0);
}

static void what_is_malformed_leaves_the_output_untouched(void **state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = bus_fixture_message(bus),
                                                        *none = bus_fixture_message(bus);
        SandboxEvent e = example;

        assert_true(sd_bus_message_append(m, "a{sv}", 2, "value", "t", UINT64_C(7), "limit", "s", "x") >= 0);
        bus_fixture_seal(m);
        assert_int_equal(sandbox_event_read(m, SANDBOX_EVENT_LIMIT_HIT, &e), -EBADMSG);
        bus_fixture_seal(none);
        assert_int_equal(sandbox_event_read(none, SANDBOX_EVENT_LIMIT_HIT, &e), -EBADMSG);
        assert_memory_equal(&e, &example, sizeof(e));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_catalogue_has_every_event_and_nothing_else),
                cmocka_unit_test(every_row_is_complete),
                cmocka_unit_test(the_journal_reads_as_ever),
                cmocka_unit_test(an_event_reads_back_as_it_was),
                cmocka_unit_test(what_another_version_sends_is_read),
                cmocka_unit_test(what_is_malformed_leaves_the_output_untouched),
        };

        return cmocka_run_group_tests(tests, open_bus, close_bus);
}
