/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/audit-kernel.h"

#include <fcntl.h>
#include <libaudit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char written[1024]; /* the last line */
static bool refuses;

/* In place of libaudit's: a log that keeps the line. */
int audit_open(void) { return open("/dev/null", O_RDWR | O_CLOEXEC); }

int audit_log_user_message(int fd,
                           int type,
                           const char *message,
                           const char *host_name,
                           const char *address,
                           const char *tty,
                           int result) {
        if (refuses) {
                errno = ECONNREFUSED;
                return -ECONNREFUSED;
        }

        assert_true(strlen(message) < sizeof(written));
        strcpy(written, message);
        return 1;
}

static void write_line(const char *verb, uid_t caller, const char *error, const AuditNote *note) {
        int fd = -EBADF;

        refuses = false;
        written[0] = '\0';
        audit_kernel_write(&fd, verb, caller, error, note);
        assert_true(fd >= 0);
        audit_kernel_close(&fd);
}

static void
assert_text(const char *verb, uid_t caller, const char *error, const AuditNote *note, const char *expected) {
        write_line(verb, caller, error, note);
        assert_string_equal(written, expected);
}

static void test_what_is_not_known_is_left_out(void **state) {
        assert_text("reload", 0, NULL, &(AuditNote){ .noted = true }, "op=immured-reload caller_uid=0");
}

static void test_all_that_is_known(void **state) {
        assert_text(
                "launch",
                1000,
                "org.immured.Broker1.Error.QuotaExceeded",
                &(AuditNote){ .id = (char *) "web.1000.1",
                              .profile = (char *) "web",
                              .profile_hash = (char *) "00ff",
                              .user = (char *) "alice",
                              .invocation_id = (char *) "0123" },
                "op=immured-launch caller_uid=1000 sandbox=\"web.1000.1\" profile=\"web\" profile_hash=\"00ff\" "
                "acct=\"alice\" invocation=\"0123\" reason=\"org.immured.Broker1.Error.QuotaExceeded\"");
}

/* Nobody writes a field of their own into it, nor a line. */
static void test_hostile_values_are_encoded(void **state) {
        static const char *const hostile[] = { "a res=success", "a\" op=\"b", "a\nb", "\x1b[2J", "\xff" };

        for (size_t i = 0; i < ELEMENTSOF(hostile); i++) {
                const AuditNote note = { .profile = (char *) hostile[i] };
                const char *value;

                write_line("launch", 0, NULL, &note);
                value = strstr(written, " profile=");
                assert_non_null(value);
                value += strlen(" profile=");
                assert_int_equal(strlen(value), 2 * strlen(hostile[i]));
                assert_int_equal(strspn(value, "0123456789ABCDEF"), strlen(value));
        }
}

/* A log that refused once is not asked again. */
static void test_refused_for_good(void **state) {
        int fd = -ENOTSUP;

        audit_kernel_write(&fd, "launch", 0, NULL, &(AuditNote){ .noted = true });
        assert_int_equal(fd, -ENOTSUP);
        audit_kernel_close(&fd);
        assert_true(fd < 0);
}

/* Nor is what refuses now, and it is closed. */
static void test_refusal_closes_the_log(void **state) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC), was = fd;

        assert_true(fd >= 0);
        refuses = true;
        audit_kernel_write(&fd, "launch", 0, NULL, &(AuditNote){ .noted = true });
        assert_int_equal(fd, -ENOTSUP);
        assert_int_equal(fcntl(was, F_GETFD), -1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_not_known_is_left_out),
                cmocka_unit_test(test_all_that_is_known),
                cmocka_unit_test(test_hostile_values_are_encoded),
                cmocka_unit_test(test_refused_for_good),
                cmocka_unit_test(test_refusal_closes_the_log),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
