/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/sandbox-event.h"

#include "base/buffer.h"

#include <assert.h>
#include <inttypes.h>

/* clang-format off */
static const SandboxEventRow rows[_SANDBOX_EVENT_MAX] = {
        [SANDBOX_EVENT_LIMIT_HIT] = {
                .name = "LimitHit",
                .message = { "789ca28dbe0ea5af6043b50d13e63fe6", LOG_NOTICE },
                .text = "ran into {resource} of the {level}: {value}, limit {limit}",
                .audience = EVENT_FOR_INSPECTORS,
                .details = {
                        { "resource", "IMMURED_RESOURCE", 's' },
                        { "level",    "IMMURED_LEVEL",    's' },
                        { "value",    "IMMURED_VALUE",    't' },
                        { "limit",    "IMMURED_LIMIT",    't', .may_be_unknown = true },
                },
        },
};
/* clang-format on */

const SandboxEventRow *sandbox_event_row(SandboxEventKind kind) { return rows + kind; }

int sandbox_event_from_name(const char *name) {
        for (int i = 0; i < _SANDBOX_EVENT_MAX; i++)
                if (streq(rows[i].name, name))
                        return i;

        return -ENOENT;
}

/* The index of the detail of that name in the row, or -ENOENT. */
static int detail_find(const SandboxEventRow *row, const char *name, size_t length) {
        for (int i = 0; row->details[i].name; i++)
                if (strlen(row->details[i].name) == length &&
                    memcmp(row->details[i].name, name, length) == 0)
                        return i;

        return -ENOENT;
}

char *sandbox_event_text(const SandboxEvent *e) {
        const SandboxEventRow *row = rows + e->kind;
        _cleanup_buffer_ Buffer b = {};
        const char *rest = row->text;

        for (const char *open; (open = strchr(rest, '{')); rest = strchr(open, '}') + 1) {
                int i = detail_find(row, open + 1, strcspn(open + 1, "}"));

                assert(i >= 0);
                buffer_append(&b, rest, (size_t) (open - rest));
                if (row->details[i].type == 's')
                        buffer_append_text(&b, e->details[i].text ?: "");
                else
                        buffer_printf(&b, "%" PRIu64, e->details[i].number);
        }

        buffer_append_text(&b, rest);
        return buffer_take_text(&b);
}

int sandbox_event_append(sd_bus_message *m, const SandboxEvent *e) {
        const EventDetail *details = rows[e->kind].details;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");

        for (size_t i = 0; r >= 0 && details[i].name; i++)
                if (details[i].type == 's')
                        r = sd_bus_message_append(m, "{sv}", details[i].name, "s", e->details[i].text ?: "");
                else
                        r = sd_bus_message_append(m, "{sv}", details[i].name, "t", e->details[i].number);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_detail(sd_bus_message *m, SandboxEvent *e) {
        const SandboxEventRow *row = rows + e->kind;
        const char *name;
        int r, i;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
                return r;

        i = detail_find(row, name, strlen(name));
        if (i < 0)
                return sd_bus_message_skip(m, "v");

        r = sd_bus_message_enter_container(m, 'v', (const char[]){ row->details[i].type, '\0' });
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;

        r = sd_bus_message_read_basic(m, row->details[i].type, e->details + i);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int sandbox_event_read(sd_bus_message *m, SandboxEventKind kind, SandboxEvent *ret) {
        SandboxEvent e = { .kind = kind };
        int r;

        for (size_t i = 0; rows[kind].details[i].name; i++)
                if (rows[kind].details[i].type == 's')
                        e.details[i].text = "";

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_detail(m, &e);
                if (r < 0)
                        return r;

                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;

        *ret = e;
        return 0;
}
