/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/notify-message.h"

#include "base/text.h"

/* clang-format off */
static const struct {
        const char *line;
        size_t flag;
} flags[] = {
        { "READY=1",          offsetof(NotifyMessage, ready) },
        { "RELOADING=1",      offsetof(NotifyMessage, reloading) },
        { "STOPPING=1",       offsetof(NotifyMessage, stopping) },
        { "WATCHDOG=1",       offsetof(NotifyMessage, alive) },
        { "WATCHDOG=trigger", offsetof(NotifyMessage, stuck) },
};
/* clang-format on */

static void read_line(NotifyMessage *m, const char *line) {
        const char *status = startswith(line, "STATUS="), *extend = startswith(line, "EXTEND_TIMEOUT_USEC=");
        uint64_t usec;

        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (streq(line, flags[i].line))
                        *(bool *) ((uint8_t *) m + flags[i].flag) = true;

        if (extend && m->extend_usec == 0 && parse_u64(extend, &usec) >= 0)
                m->extend_usec = usec;
        if (status && !m->has_status) {
                text_clean(status, m->status, sizeof(m->status));
                m->has_status = true;
        }
}

int notify_message_parse(const char *packet, size_t size, NotifyMessage *ret) {
        char copy[NOTIFY_PACKET_MAX + 1], *rest = copy;
        NotifyMessage message = {};

        if (size > NOTIFY_PACKET_MAX || memchr(packet, '\0', size))
                return -EBADMSG;

        memcpy(copy, packet, size);
        copy[size] = '\0';

        for (char *line; (line = strsep(&rest, "\n"));)
                read_line(&message, line);

        *ret = message;
        return 0;
}
