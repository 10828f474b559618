/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/log-streams.h"

#include "base/fd.h"
#include "base/journal.h"
#include "base/log.h"
#include "journal-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

static void a_line_may_claim_a_priority(void **state) {
        static const struct {
                const char *line, *rest;
                int priority;
        } cases[] = {
                { "<0>x", "x", 3 }, { "<7>", "", 7 },   { "<3>a<4>b", "a<4>b", 3 }, { "<1>x", "x", 3 },
                { "<2>x", "x", 3 }, { "<4>x", "x", 4 }, { "<8>x", "<8>x", 6 },      { "<3x", "<3x", 6 },
                { "<", "<", 6 },    { "", "", 6 },      { "<33>x", "<33>x", 6 },    { " <3>x", " <3>x", 6 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *line = cases[i].line;
                size_t length = strlen(line);

                assert_int_equal(stream_line_priority(&line, &length, LOG_INFO, true), cases[i].priority);
                assert_string_equal(line, cases[i].rest);
                assert_int_equal(length, strlen(cases[i].rest));
        }
}

/* An emergency goes to all terminals: what is above err takes the word of the profile, not of the application. */
static void no_line_is_above_what_the_profile_says(void **state) {
        for (int level = LOG_EMERG; level <= LOG_DEBUG; level++)
                for (char claim = '0'; claim <= '7'; claim++) {
                        const char text[] = { '<', claim, '>', 'x', '\0' }, *line = text;
                        size_t length = 4;

                        assert_int_equal(stream_line_priority(&line, &length, level, true),
                                         MAX(claim - '0', MIN(level, LOG_ERR)));
                        assert_string_equal(line, "x");

                        line = text;
                        length = 4;
                        assert_int_equal(stream_line_priority(&line, &length, level, false), level);
                        assert_ptr_equal(line, text);
                        assert_int_equal(length, 4);
                }
}

typedef struct Log {
        int saved, fd;
        sd_event *event;
        LogStreams *streams;
} Log;

static int log_begin(void **state) {
        static Log l;
        const SandboxRecord record = {
                .id = (char *) "web.1.1",
                .profile = (char *) "web",
                .user = (char *) "alice",
                .invocation_id = (char *) "0123456789abcdef0123456789abcdef",
                .uid = 1,
        };
        const LogTerms terms = { .level = LOG_INFO, .level_max = LOG_INFO, .level_prefix = true };

        /* With a journal lines go there: what is tested is how they are cut, and that is read from stderr. */
        journal_use("/nonexistent/journal");
        l.saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        l.fd = memfd_create("log", MFD_CLOEXEC);
        assert_true(dup2(l.fd, STDERR_FILENO) >= 0);
        assert_true(sd_event_new(&l.event) >= 0);
        assert_int_equal(log_streams_new(&l.streams, l.event, &record, &terms), 0);
        *state = &l;
        return 0;
}

static int log_end(void **state) {
        Log *l = *state;

        (void) dup2(l->saved, STDERR_FILENO);
        (void) close(l->saved);
        (void) close(l->fd);
        l->streams = log_streams_free(l->streams);
        l->event = sd_event_unref(l->event);
        return 0;
}

static void put(int fd, const char *text) { assert_int_equal(fd_write_full(fd, text, strlen(text)), 0); }

static void settle(Log *l) {
        while (sd_event_run(l->event, 0) > 0)
                ;
}

static void expect_log(Log *l, const char *wanted) {
        char text[65536];
        ssize_t n = pread(l->fd, text, sizeof(text) - 1, 0);

        assert_true(n >= 0);
        text[n] = '\0';
        assert_string_equal(text, wanted);
}

static void lines_are_logged_whole(void **state) {
        Log *l = *state;
        int out, err;

        out = log_streams_open(l->streams, 1);
        err = log_streams_open(l->streams, 2);
        assert_true(out >= 0 && err >= 0);

        put(out, "one\ntw");
        settle(l);
        expect_log(l, "test: web.1.1: one\n");
        put(err, "<3>error\n\n<7>too fine\n");
        settle(l);
        put(out, "o\nthree");
        settle(l);
        (void) close(out);
        (void) close(err);
        settle(l);
        log_streams_drain(l->streams);
        expect_log(l,
                   "test: web.1.1: one\ntest: web.1.1: error\ntest: web.1.1: two\ntest: web.1.1: three\n");
}

static void lines_are_entries_with_the_sandboxs_fields(void **state) {
        static const char *const fields[][2] = {
                { "MESSAGE", "b\033ad" },       { "PRIORITY", "3" },
                { "IMMURED_STREAM", "stderr" }, { "IMMURED_ID", "web.1.1" },
                { "IMMURED_PROFILE", "web" },   { "IMMURED_USER", "alice" },
                { "IMMURED_UID", "1" },         { "INVOCATION_ID", "0123456789abcdef0123456789abcdef" },
                { "OBJECT_PID", "77" },         { "SYSLOG_IDENTIFIER", "web" },
        };
        static FakeEntry entry;
        Log *l = *state;
        FakeJournal j;
        int err;

        fake_journal_start(&j);
        err = log_streams_open(l->streams, 2);
        log_streams_set_main_pid(l->streams, 77);
        put(err, "<3>b\033ad\n");
        log_streams_drain(l->streams);
        (void) close(err);

        assert_true(fake_journal_receive(&j, &entry));
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                assert_string_equal(fake_entry_field(&entry, fields[i][0]), fields[i][1]);
        assert_false(fake_journal_receive(&j, &entry));
        fake_journal_stop(&j);
        expect_log(l, "");
}

/* Were the keeper to wait for it, the test would never end. */
static void a_journal_that_hangs_stops_no_line(void **state) {
        Log *l = *state;
        FakeJournal j;
        int out;

        fake_journal_start(&j);
        out = log_streams_open(l->streams, 1);
        for (unsigned i = 0; i < 5000; i += 1000) {
                for (unsigned k = 0; k < 1000; k++)
                        put(out, "x\n");
                settle(l);
        }
        (void) close(out);
        log_streams_drain(l->streams);
        fake_journal_stop(&j);
        expect_log(l, "");
}

static void what_is_left_is_drained(void **state) {
        Log *l = *state;
        int out;

        out = log_streams_open(l->streams, 1);
        put(out, "last\nwords");
        log_streams_drain(l->streams);
        (void) close(out);
        expect_log(l, "test: web.1.1: last\ntest: web.1.1: words\n");
}

static void a_long_line_is_cut(void **state) {
        Log *l = *state;
        char line[STREAM_LINE_MAX + 11], text[65536];
        ssize_t n;
        int out;

        memset(line, 'x', sizeof(line) - 1);
        line[sizeof(line) - 1] = '\0';
        out = log_streams_open(l->streams, 1);
        put(out, line);
        put(out, "\nnext\n");
        log_streams_drain(l->streams);
        (void) close(out);

        n = pread(l->fd, text, sizeof(text) - 1, 0);
        assert_true(n > 0);
        text[n] = '\0';
        assert_non_null(strstr(text, "test: web.1.1: xxxxxxxxxx\ntest: web.1.1: next\n"));
}

static void a_flood_is_cut_off(void **state) {
        Log *l = *state;
        unsigned lines = 0;
        int out;

        out = log_streams_open(l->streams, 1);
        for (unsigned i = 0; i < STREAM_BURST + 5000; i += 1000) {
                for (unsigned k = 0; k < 1000; k++)
                        put(out, "x\n");
                settle(l);
        }
        (void) close(out);
        log_streams_drain(l->streams);

        for (off_t offset = 0;;) {
                char text[4096];
                ssize_t n = pread(l->fd, text, sizeof(text), offset);

                assert_true(n >= 0);
                if (n == 0)
                        break;
                for (ssize_t i = 0; i < n; i++)
                        lines += text[i] == '\n';
                offset += n;
        }
        /* The clock may have gone on to the next interval. */
        assert_true(lines >= STREAM_BURST && lines < STREAM_BURST + 5000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_may_claim_a_priority),
                cmocka_unit_test(no_line_is_above_what_the_profile_says),
                cmocka_unit_test_setup_teardown(lines_are_logged_whole, log_begin, log_end),
                cmocka_unit_test_setup_teardown(
                        lines_are_entries_with_the_sandboxs_fields, log_begin, log_end),
                cmocka_unit_test_setup_teardown(a_journal_that_hangs_stops_no_line, log_begin, log_end),
                cmocka_unit_test_setup_teardown(what_is_left_is_drained, log_begin, log_end),
                cmocka_unit_test_setup_teardown(a_long_line_is_cut, log_begin, log_end),
                cmocka_unit_test_setup_teardown(a_flood_is_cut_off, log_begin, log_end),
        };

        log_open("test", false);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
