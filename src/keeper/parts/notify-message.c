/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/notify-message.h"

#include "base/text.h"

static void read_ready(NotifyMessage *m, const char *value) { m->ready = m->ready || streq(value, "1"); }

static void read_reloading(NotifyMessage *m, const char *value) {
        m->reloading = m->reloading || streq(value, "1");
}

static void read_stopping(NotifyMessage *m, const char *value) {
        m->stopping = m->stopping || streq(value, "1");
}

static void read_watchdog(NotifyMessage *m, const char *value) {
        m->alive = m->alive || streq(value, "1");
        m->stuck = m->stuck || streq(value, "trigger");
}

static void read_extend(NotifyMessage *m, const char *value) {
        uint64_t usec;

        if (m->extend_usec == 0 && parse_u64(value, &usec) >= 0)
                m->extend_usec = usec;
}

static void read_status(NotifyMessage *m, const char *value) {
        if (!m->has_status)
                text_clean(value, m->status, sizeof(m->status));
        m->has_status = true;
}

/* clang-format off */
static const struct {
        const char *prefix;
        void (*read)(NotifyMessage *m, const char *value);
} names[] = {
        { "READY=",               read_ready     },
        { "RELOADING=",           read_reloading },
        { "STOPPING=",            read_stopping  },
        { "STATUS=",              read_status    },
        { "WATCHDOG=",            read_watchdog  },
        { "EXTEND_TIMEOUT_USEC=", read_extend    },
};
/* clang-format on */

static void read_line(NotifyMessage *m, const char *line) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *value = startswith(line, names[i].prefix);

                if (value)
                        names[i].read(m, value);
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
