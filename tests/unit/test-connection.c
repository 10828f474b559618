/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static sd_bus *open_pair(int *ret_other) {
        sd_bus *bus = NULL;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_set_anonymous(bus, true) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        *ret_other = pair[1];
        return bus;
}

static void what_was_read_does_not_count(void **state) {
        int fd = -1, ours;
        char buffer[4096];
        sd_bus *bus = open_pair(&fd);

        while (read(fd, buffer, sizeof(buffer)) > 0)
                ;
        assert_int_equal(connection_unread(bus), 0);

        /* Bytes that are sent on the same socket count, whoever writes them. */
        ours = sd_bus_get_fd(bus);
        assert_true(ours >= 0);
        assert_int_equal(write(ours, buffer, 1000), 1000);
        assert_true(connection_unread(bus) >= 1000);
        assert_int_equal(read(fd, buffer, sizeof(buffer)), 1000);
        assert_int_equal(connection_unread(bus), 0);
        (void) close(fd);
        (void) sd_bus_close_unref(bus);
}

static void a_burst_is_no_backlog_unless_it_stays(void **state) {
        const uint64_t begin = 1000 * CONNECTION_LAG_USEC;
        uint64_t last = 0;

        assert_int_equal(connection_backlog(0, begin, &last), 0);
        assert_int_equal(connection_backlog(CONNECTION_BURST_SIZE, begin + 1, &last), 0);
        assert_int_equal(connection_backlog(CONNECTION_BURST_SIZE + 10, begin + 2, &last), 10);
        assert_int_equal(connection_backlog(5000, begin + CONNECTION_LAG_USEC - 1, &last), 0);
        assert_int_equal(connection_backlog(5000, begin + CONNECTION_LAG_USEC, &last), 5000);
        assert_int_equal(connection_backlog(4095, begin + 2 * CONNECTION_LAG_USEC, &last), 0);
        assert_int_equal(connection_backlog(5000, begin + 2 * CONNECTION_LAG_USEC, &last), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_read_does_not_count),
                cmocka_unit_test(a_burst_is_no_backlog_unless_it_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
