/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/sandbox-event.h"

#include "base/buffer.h"
#include "link/bus-dict.h"

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

/* The details of a row as they lie in an event; returns their number. */
static size_t fields_of(SandboxEventKind kind, BusField ret[static SANDBOX_EVENT_DETAILS_MAX]) {
        const EventDetail *details = rows[kind].details;
        size_t n = 0;

        for (; details[n].name; n++)
                ret[n] = (BusField){ details[n].name, details[n].type, offsetof(SandboxEvent, details[n]) };

        return n;
}

int sandbox_event_append(sd_bus_message *m, const SandboxEvent *e) {
        BusField fields[SANDBOX_EVENT_DETAILS_MAX];

        return bus_dict_append_fields(m, fields, fields_of(e->kind, fields), e);
}

int sandbox_event_read(sd_bus_message *m, SandboxEventKind kind, SandboxEvent *ret) {
        BusField fields[SANDBOX_EVENT_DETAILS_MAX];
        SandboxEvent e = { .kind = kind };
        size_t n = fields_of(kind, fields);
        int r;

        for (size_t i = 0; i < n; i++)
                if (fields[i].type == 's')
                        e.details[i].text = "";

        r = bus_dict_read_fields(m, fields, n, &e, NULL);
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;

        *ret = e;
        return 0;
}
