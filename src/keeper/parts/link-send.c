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

int call_list_add(CallList *l, sd_bus_message *m) {
        if (l->n >= ELEMENTSOF(l->calls))
                return -EBUSY;

        l->calls[l->n++] = sd_bus_message_ref(m);
        return 0;
}

void call_list_answer(CallList *l, const sd_bus_error *error) {
        while (l->n > 0) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = l->calls[--l->n];
                int r = error ? sd_bus_reply_method_error(m, error) : sd_bus_reply_method_return(m, NULL);

                if (r < 0)
                        link_break(sd_bus_message_get_bus(m), r);
        }
}

void call_list_drop(CallList *l) {
        while (l->n > 0)
                (void) sd_bus_message_unref(l->calls[--l->n]);
}
