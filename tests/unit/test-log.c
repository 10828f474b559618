/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include "base/fd.h"
#include "base/journal.h"
#include "journal-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

/* Standard error, caught in a file. */
typedef struct Caught {
        int fd, saved;
} Caught;

static Caught catch_begin(void) {
        Caught c = { .fd = memfd_create("stderr", MFD_CLOEXEC), .saved = fcntl(2, F_DUPFD_CLOEXEC, 3) };

        assert_true(c.fd >= 0 && c.saved >= 0);
        assert_int_equal(dup2(c.fd, 2), 2);
        return c;
}

/* What was written; the caller frees it. */
static char *catch_end(Caught *c) {
        char *text = NULL;

        assert_int_equal(dup2(c->saved, 2), 2);
        assert_int_equal(lseek(c->fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_full(c->fd, 65536, &text, NULL), 0);
        (void) close(c->saved);
        (void) close(c->fd);
        return text;
}

static void people_see_the_program(void **state) {
        _cleanup_free_ char *text = NULL;
        Caught c;

        log_open("tester", false);
        c = catch_begin();
        log_warning("%d sandboxes", 3);
        text = catch_end(&c);
        assert_string_equal(text, "tester: 3 sandboxes\n");
}

static void systemd_sees_the_level(void **state) {
        _cleanup_free_ char *text = NULL;
        Caught c;

        log_open("tester", true);
        c = catch_begin();
        log_error("bad");
        log_info("good");
        text = catch_end(&c);
        assert_string_equal(text, "<3>bad\n<6>good\n");
}

static void the_journal_gets_entries_and_not_lines(void **state) {
        static FakeEntry entry;
        _cleanup_free_ char *text = NULL;
        FakeJournal j;
        Caught c;

        log_open("tester", true);
        fake_journal_start(&j);
        c = catch_begin();
        (void) log_errno(-ENOENT, "opening %s", "x\ny");
        text = catch_end(&c);
        assert_string_equal(text, "");
        assert_true(fake_journal_receive(&j, &entry));
        assert_string_equal(fake_entry_field(&entry, "MESSAGE"),
                            "opening x\\x0ay: No such file or directory");
        assert_string_equal(fake_entry_field(&entry, "PRIORITY"), "3");
        assert_string_equal(fake_entry_field(&entry, "SYSLOG_IDENTIFIER"), "tester");
        assert_false(fake_journal_receive(&j, &entry));
        fake_journal_stop(&j);
}

static void nobody_forges_a_second_line(void **state) {
        _cleanup_free_ char *text = NULL;
        Caught c;

        log_open("tester", true);
        c = catch_begin();
        log_info("name %s", "x\n<0>forged\x1b[2J");
        text = catch_end(&c);
        assert_string_equal(text, "<6>name x\\x0a<0>forged\\x1b[2J\n");
}

static void levels_above_the_maximum_are_dropped(void **state) {
        _cleanup_free_ char *text = NULL;
        Caught c;

        log_open("tester", false);
        c = catch_begin();
        log_debug("unseen");
        log_set_max_level(LOG_DEBUG);
        log_debug("seen");
        log_set_max_level(LOG_INFO);
        text = catch_end(&c);
        assert_string_equal(text, "tester: seen\n");
}

static void errors_are_named_and_returned(void **state) {
        _cleanup_free_ char *text = NULL;
        Caught c;

        log_open("tester", false);
        c = catch_begin();
        errno = EBADF;
        assert_int_equal(log_errno(-ENOENT, "opening %s", "x"), -ENOENT);
        assert_int_equal(log_errno(ENOENT, "positive"), -ENOENT);
        assert_int_equal(log_oom(), -ENOMEM);
        assert_int_equal(log_message_errno(LOG_DEBUG, -EIO, "unseen"), -EIO);
        assert_int_equal(errno, EBADF);
        text = catch_end(&c);
        assert_string_equal(text,
                            "tester: opening x: No such file or directory\n"
                            "tester: positive: No such file or directory\n"
                            "tester: Out of memory: Cannot allocate memory\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(people_see_the_program),
                cmocka_unit_test(systemd_sees_the_level),
                cmocka_unit_test(the_journal_gets_entries_and_not_lines),
                cmocka_unit_test(nobody_forges_a_second_line),
                cmocka_unit_test(levels_above_the_maximum_are_dropped),
                cmocka_unit_test(errors_are_named_and_returned),
        };

        journal_use("/nonexistent/journal");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
