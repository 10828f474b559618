/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/bus-dict.h"

int bus_dict_open_entry(sd_bus_message *m, const char *name, const char *types) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', name);

        return r < 0 ? r : sd_bus_message_open_container(m, 'v', types);
}

int bus_dict_close_entry(sd_bus_message *m) {
        int r;

        r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_dict_read(sd_bus_message *m, BusDictReader read, void *userdata) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;

                r = sd_bus_message_read_basic(m, 's', &name);
                if (r >= 0)
                        r = read(m, name, userdata);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }

        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return MIN(r, 0);
}

int bus_dict_append_fields(sd_bus_message *m, const BusField *fields, size_t n, const void *from) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const void *member = (const uint8_t *) from + fields[i].offset;

                r = bus_dict_open_entry(m, fields[i].name, (const char[]){ fields[i].type, '\0' });
                if (r >= 0)
                        r = sd_bus_message_append_basic(
                                m,
                                fields[i].type,
                                fields[i].type == 's' ? *(const char *const *) member ?: "" : member);
                if (r >= 0)
                        r = bus_dict_close_entry(m);
        }

        return r < 0 ? r : sd_bus_message_close_container(m);
}

typedef struct FieldReading {
        const BusField *fields;
        size_t n;
        uint8_t *to;
        uint32_t seen;
} FieldReading;

static int read_field(sd_bus_message *m, const char *name, void *userdata) {
        FieldReading *reading = userdata;

        for (size_t i = 0; i < reading->n; i++) {
                const BusField *f = reading->fields + i;

                if (!streq(f->name, name))
                        continue;

                reading->seen |= UINT32_C(1) << i;
                return sd_bus_message_read(
                        m, "v", (const char[]){ f->type, '\0' }, (void *) (reading->to + f->offset));
        }

        return sd_bus_message_skip(m, "v");
}

int bus_dict_read_fields(sd_bus_message *m, const BusField *fields, size_t n, void *to, uint32_t *ret_seen) {
        FieldReading reading = { .fields = fields, .n = n, .to = to };
        int r;

        r = bus_dict_read(m, read_field, &reading);
        if (r >= 0 && ret_seen)
                *ret_seen = reading.seen;

        return r;
}

int bus_read_text(sd_bus_message *m, char **ret) {
        const char *s;
        char *copy;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;

        copy = strdup(s);
        if (!copy)
                return -ENOMEM;

        *ret = copy;
        return 0;
}
