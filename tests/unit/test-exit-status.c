/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* exit-status: the keeper's packets are read strictly, and each end has its number */

#include "ctl/exit-status.h"

#include "link/lease.h"
#include "link/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
        const char *packet;
        int r;      /* of reading */
        int status; /* for exit; -1: not ended */
} cases[] = {
        { "STATE=running", 0, -1 },
        { "", 0, -1 },
        { "\n\n", 0, -1 },
        { "FUTURE=1\nRESULT=success\nCODE=exited\nSTATUS=0", 0, 0 },
        { "RESULT=success\nCODE=exited\nSTATUS=0\n", 0, 0 },
        { "STATUS=255\nCODE=exited\nRESULT=exit-code", 0, 255 },
        { "RESULT=signal\nCODE=killed\nSTATUS=1", 0, 129 },
        { "RESULT=core-dump\nCODE=dumped\nSTATUS=11", 0, 139 },
        { "RESULT=signal\nCODE=killed\nSTATUS=200", 0, 255 },
        { "RESULT=success\nCODE=asleep\nSTATUS=0", 0, 125 },
        { "RESULT=success", 0, 125 },
        { "RESULT=setup", 0, 125 },
        { "RESULT=resources\nTEXT=memory: none here", 0, 125 },
        { "RESULT=setup\nTEXT=exec: /x: No such file or directory", 0, 127 },
        { "RESULT=setup\nTEXT=exec: /x: Permission denied", 0, 126 },
        { "RESULT=done", -EBADMSG, -1 },
        { "RESULT=", -EBADMSG, -1 },
        { "RESULT", -EBADMSG, -1 },
        { "STATUS=256", -EBADMSG, -1 },
        { "STATUS=-1", -EBADMSG, -1 },
        { "STATUS= 1", -EBADMSG, -1 },
        { "STATUS=", -EBADMSG, -1 },
        { "CODE=0123456789abcdef", -EBADMSG, -1 },
        { "RESULT=success\nCODE=exited\nSTATUS=0\nnonsense", -EBADMSG, -1 },
};

static void packets_are_read_strictly(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                LeaseReport report = LEASE_REPORT_INIT;
                int r = lease_report_read(&report, cases[i].packet, strlen(cases[i].packet));

                if (r != cases[i].r || report.ended != (cases[i].status >= 0))
                        fail_msg("%s: %i, ended %i", cases[i].packet, r, report.ended);
                if (report.ended && exit_status_from_report(&report) != cases[i].status)
                        fail_msg("%s: exit status %i", cases[i].packet, exit_status_from_report(&report));
        }
}

static void a_bad_packet_leaves_the_report_alone(void **state) {
        LeaseReport report = LEASE_REPORT_INIT, before;
        static const char bad[] = "RESULT=signal\nCODE=killed\nSTATUS=x";

        assert_int_equal(lease_report_read(&report, "STATE=running", 13), 0);
        before = report;
        assert_int_equal(lease_report_read(&report, bad, strlen(bad)), -EBADMSG);
        assert_memory_equal(&report, &before, sizeof(report));
}

static void size_and_nul_are_checked(void **state) {
        char packet[LEASE_PACKET_MAX + 1];
        LeaseReport report = LEASE_REPORT_INIT;

        memset(packet, '\n', sizeof(packet));
        assert_int_equal(lease_report_read(&report, packet, LEASE_PACKET_MAX), 0);
        assert_int_equal(lease_report_read(&report, packet, sizeof(packet)), -EBADMSG);
        assert_int_equal(lease_report_read(&report, "STATE=running\0x", 15), -EBADMSG);
}

static void the_longest_text_fits(void **state) {
        char packet[LEASE_PACKET_MAX + 1] = "TEXT=";
        LeaseReport report = LEASE_REPORT_INIT;

        memset(packet + 5, 'x', LEASE_PACKET_MAX - 5);
        assert_int_equal(lease_report_read(&report, packet, LEASE_PACKET_MAX), 0);
        assert_int_equal(strlen(report.text), LEASE_PACKET_MAX - 5);
}

static void errors_have_their_numbers(void **state) {
        assert_int_equal(exit_status_from_error(NULL, NULL), 125);
        assert_int_equal(exit_status_from_error(ERROR_SETUP_FAILED, NULL), 125);
        assert_int_equal(exit_status_from_error(ERROR_SETUP_FAILED, "exec: x: No such file or directory"),
                         127);
        assert_int_equal(exit_status_from_error(ERROR_SETUP_FAILED, "exec: x: Exec format error"), 126);
        assert_int_equal(exit_status_from_error(ERROR_SETUP_FAILED, "mounts: x: No such file or directory"),
                         125);
        assert_int_equal(exit_status_from_error(ERROR_BUSY, "exec: x: No such file or directory"), 125);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packets_are_read_strictly),
                cmocka_unit_test(a_bad_packet_leaves_the_report_alone),
                cmocka_unit_test(size_and_nul_are_checked),
                cmocka_unit_test(the_longest_text_fits),
                cmocka_unit_test(errors_have_their_numbers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
