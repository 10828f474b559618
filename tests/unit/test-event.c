/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/event.h"

#include "base/fd.h"
#include "base/journal.h"
#include "base/text.h"
#include "journal-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

static FakeEntry entry;

static char *read_catalogue(void) {
        _cleanup_free_ char *path =
                text_printf("%s/units/immured.catalog", getenv("MESON_SOURCE_ROOT") ?: ".");
        char *text = NULL;

        assert_non_null(path);
        assert_int_equal(file_read_full(AT_FDCWD, path, 1024 * 1024, &text, NULL), 0);
        return text;
}

static size_t count(const char *text, const char *word) {
        size_t n = 0;

        for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
                n++;

        return n;
}

static void every_event_is_in_the_catalogue(void **state) {
        _cleanup_free_ char *text = read_catalogue();

        for (Event e = 0; e < _EVENT_MAX; e++) {
                const char *id = event_messages[e].id;
                _cleanup_free_ char *line = text_printf("\n\n-- %s\nSubject: ", id);

                assert_int_equal(strlen(id), 32);
                assert_int_equal(strspn(id, "0123456789abcdef"), 32);
                if (count(text, line) != 1)
                        fail_msg("%s is not in the catalogue, once and behind an empty line", id);
        }
}

static void fields_and_message_are_escaped(void **state) {
        static const EventField fields[] = {
                { "IMMURED_ID", "web.1.1" },
                { "IMMURED_REASON", "a\nMESSAGE=forged\033[2J%n\xff" },
                { "IMMURED_USER", NULL },
        };
        FakeJournal j;

        log_open("tester", true);
        fake_journal_start(&j);
        event_log(EVENT_SANDBOX_FAILED, fields, ELEMENTSOF(fields), "what %s", "\n<0>x");
        assert_true(fake_journal_receive(&j, &entry));
        assert_string_equal(fake_entry_field(&entry, "MESSAGE_ID"), event_messages[EVENT_SANDBOX_FAILED].id);
        assert_string_equal(fake_entry_field(&entry, "MESSAGE"), "what \\x0a<0>x");
        assert_string_equal(fake_entry_field(&entry, "SYSLOG_IDENTIFIER"), "tester");
        assert_string_equal(fake_entry_field(&entry, "IMMURED_ID"), "web.1.1");
        assert_string_equal(fake_entry_field(&entry, "IMMURED_REASON"),
                            "a\\x0aMESSAGE=forged\\x1b[2J%n\\xff");
        assert_false(fake_entry_has(&entry, "IMMURED_USER"));
        assert_false(fake_journal_receive(&j, &entry));
        fake_journal_stop(&j);
}

/* What standard error gets, with and without a journal, as systemd or a person reads it. */
static void nobody_is_left_without_the_message(void **state) {
        static const struct {
                bool for_systemd, journal;
                const char *text;
        } cases[] = {
                { true, true, "" },
                { true, false, "<5>message\n" },
                { false, true, "tester: message\n" },
                { false, false, "tester: message\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int fd = memfd_create("stderr", MFD_CLOEXEC), saved = fcntl(2, F_DUPFD_CLOEXEC, 3);
                _cleanup_free_ char *text = NULL;
                FakeJournal j;

                log_open("tester", cases[i].for_systemd);
                journal_use("/nonexistent/journal");
                if (cases[i].journal)
                        fake_journal_start(&j);
                assert_int_equal(dup2(fd, 2), 2);
                event_log(EVENT_SANDBOX_FAILED, NULL, 0, "message");
                assert_int_equal(dup2(saved, 2), 2);
                if (cases[i].journal) {
                        assert_true(fake_journal_receive(&j, &entry));
                        fake_journal_stop(&j);
                }
                assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
                assert_int_equal(fd_read_full(fd, 4096, &text, NULL), 0);
                assert_string_equal(text, cases[i].text);
                (void) close(fd);
                (void) close(saved);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_event_is_in_the_catalogue),
                cmocka_unit_test(fields_and_message_are_escaped),
                cmocka_unit_test(nobody_is_left_without_the_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
