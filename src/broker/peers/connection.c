/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/connection.h"

#include "base/log.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

int connection_open(sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return log_errno(r, "Cannot connect to the system bus");

        r = sd_bus_set_exit_on_disconnect(bus, 1);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

int connection_open_questions(sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = connection_open(&bus);
        if (r < 0)
                return r;

        /*
         * The policy keeps users from whoever waits for the name, too. So a broker that has not quite ended is in
         * nobody's way.
         */
        r = sd_bus_request_name(bus, BUS_NAME_QUESTIONS, SD_BUS_NAME_QUEUE);
        if (r < 0)
                log_warning("No name " BUS_NAME_QUESTIONS
                            " on the system bus: %s: users may write to who asks there",
                            strerror(-r));

        *ret = TAKE_PTR(bus);
        return 0;
}

size_t connection_unread(sd_bus *bus) {
        uint64_t n_queued = 0;
        int n = 0;

        /* What sd-bus still holds, the kernel had no room for: more than it can tell. */
        if (sd_bus_get_n_queued_write(bus, &n_queued) >= 0 && n_queued > 0)
                return SIZE_MAX;
        if (ioctl(sd_bus_get_fd(bus), SIOCOUTQ, &n) < 0 || n < 0)
                return 0;

        return (size_t) n;
}

size_t connection_backlog(size_t n_unread, uint64_t now_usec, uint64_t *last_usec) {
        if (n_unread < 4096)
                *last_usec = now_usec;
        if (now_usec - *last_usec >= CONNECTION_LAG_USEC)
                return n_unread;

        return n_unread > CONNECTION_BURST_SIZE ? n_unread - CONNECTION_BURST_SIZE : 0;
}
