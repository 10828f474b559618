/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/link-send.h"

#include "base/log.h"

#include <sys/socket.h>

void link_break(sd_bus *bus, int error) {
        int fd = sd_bus_get_fd(bus);

        (void) log_message_errno(LOG_WARNING, error, "cannot send to the broker");
        if (fd >= 0)
                (void) shutdown(fd, SHUT_RDWR);
}

void link_send_or_break(sd_bus *bus, int r, sd_bus_message *m) {
        if (r >= 0)
                r = sd_bus_send(bus, m, NULL);
        if (r < 0)
                link_break(bus, r);
}
