/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/journal.h"

#include "journal-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static FakeEntry entry;

static int send_text(const char *text) {
        _cleanup_buffer_ Buffer b = {};

        journal_append_text(&b, "MESSAGE", text);
        assert_int_equal(buffer_error(&b), 0);
        return journal_send(&(struct iovec){ b.data, b.size }, 1);
}

static void fields_arrive_as_they_were(void **state) {
        static const char *const texts[] = { "plain", "",     "a=b",   "two\nlines",
                                             "\n",    "\n\n", "end\n", "\xff\x01" };
        FakeJournal j;

        fake_journal_start(&j);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                assert_int_equal(send_text(texts[i]), 0);
                assert_true(fake_journal_receive(&j, &entry));
                assert_string_equal(fake_entry_field(&entry, "MESSAGE"), texts[i]);
        }
        fake_journal_stop(&j);
}

static void the_parts_of_an_entry_are_one(void **state) {
        const struct iovec parts[] = { { (char *) "A=1\n", 4 }, { NULL, 0 }, { (char *) "B=2\n", 4 } };
        FakeJournal j;

        fake_journal_start(&j);
        assert_int_equal(journal_send(parts, ELEMENTSOF(parts)), 0);
        assert_true(fake_journal_receive(&j, &entry));
        assert_string_equal(fake_entry_field(&entry, "A"), "1");
        assert_string_equal(fake_entry_field(&entry, "B"), "2");
        assert_false(fake_journal_receive(&j, &entry));
        fake_journal_stop(&j);
}

static void without_a_journal_that_is_said(void **state) {
        FakeJournal j;

        journal_use("/nonexistent/journal");
        assert_int_equal(send_text("x"), -ENOENT);

        /* One that ended leaves its socket's name behind. */
        fake_journal_start(&j);
        (void) close(j.fd);
        assert_int_equal(send_text("x"), -ENOENT);
        j.fd = -EBADF;
        fake_journal_stop(&j);
}

static void a_socket_that_was_closed_is_opened_again(void **state) {
        FakeJournal j;

        fake_journal_start(&j);
        assert_int_equal(send_text("one"), 0);
        assert_true(fake_journal_receive(&j, &entry));
        for (int fd = 3; fd < 64; fd++)
                if (fd != j.fd)
                        (void) close(fd);
        assert_int_equal(send_text("two"), 0);
        assert_true(fake_journal_receive(&j, &entry));
        assert_string_equal(fake_entry_field(&entry, "MESSAGE"), "two");
        fake_journal_stop(&j);
}

/* Were it to wait, the test would never end. */
static void a_journal_that_hangs_is_not_waited_for(void **state) {
        unsigned sent = 0, lost = 0, received = 0;
        char wanted[96];
        FakeJournal j;
        int r;

        fake_journal_start(&j);
        while ((r = send_text("x")) == 0)
                assert_true(++sent < 1000000);
        assert_int_equal(r, -EAGAIN);
        for (lost = 1; lost < 5; lost++)
                assert_int_equal(send_text("y"), -EAGAIN);

        while (fake_journal_receive(&j, &entry)) {
                assert_string_equal(fake_entry_field(&entry, "MESSAGE"), "x");
                received++;
        }
        assert_int_equal(received, sent);

        assert_int_equal(send_text("z"), 0);
        assert_true(fake_journal_receive(&j, &entry));
        assert_string_equal(fake_entry_field(&entry, "MESSAGE"), "z");
        assert_true(fake_journal_receive(&j, &entry));
        (void) snprintf(
                wanted, sizeof(wanted), "%u entries were lost, as the journal did not take them", lost);
        assert_string_equal(fake_entry_field(&entry, "MESSAGE"), wanted);

        assert_int_equal(send_text("z"), 0);
        assert_true(fake_journal_receive(&j, &entry));
        assert_false(fake_journal_receive(&j, &entry));
        fake_journal_stop(&j);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields_arrive_as_they_were),
                cmocka_unit_test(the_parts_of_an_entry_are_one),
                cmocka_unit_test(without_a_journal_that_is_said),
                cmocka_unit_test(a_socket_that_was_closed_is_opened_again),
                cmocka_unit_test(a_journal_that_hangs_is_not_waited_for),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
