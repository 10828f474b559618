/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/call-list.h"

#include "base/log.h"

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

                /* What cannot be sent has its connection's end behind it. */
                if (r < 0)
                        (void) log_message_errno(LOG_WARNING, r, "cannot send to the broker");
        }
}

void call_list_drop(CallList *l) {
        while (l->n > 0)
                (void) sd_bus_message_unref(l->calls[--l->n]);
}
