/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

sd_bus *bus_fixture_new(void) {
        sd_bus *bus = NULL;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, pair[0], pair[1]) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        return bus;
}

sd_bus_message *bus_fixture_message(sd_bus *bus) {
        sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(bus, &m, NULL, "/", "a.b", "C") >= 0);
        return m;
}

void bus_fixture_seal(sd_bus_message *m) { assert_true(sd_bus_message_seal(m, 1, 0) >= 0); }
