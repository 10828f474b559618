/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/bus-dict.h"

#include "base/util.h"

int bus_dict_open_entry(sd_bus_message *m, const char *name, const char *types) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', name);
        if (r < 0)
                return r;

        return sd_bus_message_open_container(m, 'v', types);
}

int bus_dict_close_entry(sd_bus_message *m) {
        int r;

        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(m);
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
