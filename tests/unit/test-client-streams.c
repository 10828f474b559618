/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/client-streams.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void packets_name_streams_in_their_order(void **state) {
        static const struct {
                const char *packet;
                int n, numbers[CLIENT_STREAMS_N];
        } cases[] = {
                { "STREAMS=stdin", 1, { 0 } },
                { "STREAMS=stderr stdin", 2, { 2, 0 } },
                { "STREAMS=stdout stderr stdin\n", 3, { 1, 2, 0 } },
                { "HELLO=1\n\nSTREAMS=stdout\nSTOP=1", 1, { 1 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int numbers[CLIENT_STREAMS_N];

                assert_int_equal(client_streams_read(cases[i].packet, strlen(cases[i].packet), numbers),
                                 cases[i].n);
                for (int k = 0; k < cases[i].n; k++)
                        assert_int_equal(numbers[k], cases[i].numbers[k]);
        }
}

static void bad_packets_leave_the_numbers_alone(void **state) {
        static const char *const cases[] = {
                "",
                "STOP=1",
                "STREAMS",
                "STREAMS=",
                "STREAMS= stdin",
                "STREAMS=stdin ",
                "STREAMS=stdin  stdout",
                "STREAMS=stdin,stdout",
                "STREAMS=Stdin",
                "STREAMS=stdin stdin",
                "STREAMS=stdin stdout stderr stdin",
                "STREAMS=control-group",
                "STREAMS=stdin\nSTREAMS=stdout",
        };
        int numbers[CLIENT_STREAMS_N] = { 9, 9, 9 };
        char large[CLIENT_STREAMS_PACKET_MAX + 1];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(client_streams_read(cases[i], strlen(cases[i]), numbers), -EBADMSG);

        memset(large, '\n', sizeof(large));
        memcpy(large, "STREAMS=stdin", 13);
        assert_int_equal(client_streams_read(large, sizeof(large), numbers), -EBADMSG);
        assert_int_equal(client_streams_read("STREAMS=stdin\0", 14, numbers), -EBADMSG);
        for (int i = 0; i < CLIENT_STREAMS_N; i++)
                assert_int_equal(numbers[i], 9);
}

static void what_is_written_can_be_read(void **state) {
        for (uint32_t streams = 1; streams <= CLIENT_STREAMS_ALL; streams++) {
                char packet[CLIENT_STREAMS_PACKET_MAX];
                const size_t size = client_streams_write(streams, packet);
                int numbers[CLIENT_STREAMS_N], n;
                uint32_t read = 0;

                n = client_streams_read(packet, size, numbers);
                assert_int_equal(n, __builtin_popcount(streams));
                for (int i = 0; i < n; i++) {
                        assert_true(i == 0 || numbers[i] > numbers[i - 1]);
                        read |= CLIENT_STREAM(numbers[i]);
                }
                assert_int_equal(read, streams);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packets_name_streams_in_their_order),
                cmocka_unit_test(bad_packets_leave_the_numbers_alone),
                cmocka_unit_test(what_is_written_can_be_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
