/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/notify-message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void packets_say_what_they_say(void **state) {
        static const struct {
                const char *packet;
                NotifyMessage message;
        } cases[] = {
                { "READY=1", { .ready = true } },
                { "READY=1\n", { .ready = true } },
                { "READY=0", {} },
                { "READY=", {} },
                { "READY=11", {} },
                { "ready=1", {} },
                { " READY=1", {} },
                { "RELOADING=1\nMONOTONIC_USEC=123", { .reloading = true } },
                { "STOPPING=1", { .stopping = true } },
                { "WATCHDOG=1", { .alive = true } },
                { "WATCHDOG=trigger", { .stuck = true } },
                { "WATCHDOG=2", {} },
                { "WATCHDOG_USEC=0", {} },
                { "EXTEND_TIMEOUT_USEC=5000000", { .extend_usec = 5000000 } },
                { "EXTEND_TIMEOUT_USEC=18446744073709551615", { .extend_usec = UINT64_MAX } },
                { "EXTEND_TIMEOUT_USEC=18446744073709551616", {} },
                { "EXTEND_TIMEOUT_USEC=-1", {} },
                { "EXTEND_TIMEOUT_USEC=5s", {} },
                { "EXTEND_TIMEOUT_USEC=7\nEXTEND_TIMEOUT_USEC=8", { .extend_usec = 7 } },
                { "STATUS=going\nREADY=1\nSTATUS=gone",
                  { .ready = true, .has_status = true, .status = "going" } },
                { "STATUS=", { .has_status = true } },
                { "MAINPID=1\nMAINPIDFD=1\nFDSTORE=1\nFDSTOREREMOVE=1\nFDNAME=x\nNOTIFYACCESS=all", {} },
                { "BARRIER=1", {} },
                { "ERRNO=2\nBUSERROR=org.example.x\nEXIT_STATUS=3", {} },
                { "X_MINE=READY=1", {} },
                { "", {} },
                { "\n\n\n", {} },
                { "no assignment at all", {} },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                NotifyMessage m;

                memset(&m, 0xff, sizeof(m));
                assert_int_equal(notify_message_parse(cases[i].packet, strlen(cases[i].packet), &m), 0);
                assert_memory_equal(&m, &cases[i].message, sizeof(m));
        }
}

static void bad_packets_leave_the_message_alone(void **state) {
        NotifyMessage m = { .extend_usec = 77 };
        char large[NOTIFY_PACKET_MAX + 1];

        assert_int_equal(notify_message_parse("READY=1\0", 8, &m), -EBADMSG);
        memset(large, 'x', sizeof(large));
        memcpy(large, "READY=1\n", 8);
        assert_int_equal(notify_message_parse(large, sizeof(large), &m), -EBADMSG);
        assert_true(!m.ready && m.extend_usec == 77);
        assert_int_equal(notify_message_parse(large, sizeof(large) - 1, &m), 0);
        assert_true(m.ready && m.extend_usec == 0);
}

static void a_status_can_be_shown(void **state) {
        char packet[NOTIFY_PACKET_MAX];
        NotifyMessage m;

        assert_int_equal(notify_message_parse("STATUS=\x1b[2J\xff"
                                              "gr\xc3\xbc\xc3\x9f\t\\",
                                              20,
                                              &m),
                         0);
        assert_string_equal(m.status, "\xef\xbf\xbd[2J\xef\xbf\xbdgr\xc3\xbc\xc3\x9f\xef\xbf\xbd\\");

        memset(packet, 'x', sizeof(packet));
        memcpy(packet, "STATUS=", 7);
        assert_int_equal(notify_message_parse(packet, sizeof(packet), &m), 0);
        assert_int_equal(strlen(m.status), NOTIFY_STATUS_SIZE - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packets_say_what_they_say),
                cmocka_unit_test(bad_packets_leave_the_message_alone),
                cmocka_unit_test(a_status_can_be_shown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
