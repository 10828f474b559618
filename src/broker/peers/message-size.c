/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/message-size.h"

/* What even an empty value costs. */
#define VALUE_SIZE 8U

/* D-Bus allows 32 nested arrays, 32 structs and, with variants, 64 levels in all. */
#define DEPTH_MAX 64U

static int measure_basic(sd_bus_message *m, char type, size_t *size) {
        const char *text;
        uint64_t number;
        int r;

        *size += VALUE_SIZE;
        if (type != 's' && type != 'o' && type != 'g')
                return sd_bus_message_read_basic(m, type, &number);

        r = sd_bus_message_read_basic(m, type, &text);
        if (r < 0)
                return r;

        *size += strlen(text) + 1;
        return 0;
}

/* An array of fixed-size values is taken in one piece: an "ay" of many megabytes is not walked byte by byte. */
static int measure_array(sd_bus_message *m, char type, size_t *size) {
        const void *data;
        size_t n;
        int r;

        r = sd_bus_message_read_array(m, type, &data, &n);
        if (r < 0)
                return r;

        *size += n + VALUE_SIZE;
        return 0;
}

static bool is_fixed_array(char type, const char *contents) {
        return type == 'a' && contents && contents[0] != '\0' && contents[1] == '\0' &&
               strchr("ynqiuxtd", contents[0]);
}

static int measure_next(sd_bus_message *m, unsigned *depth, size_t *size) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (r == 0) {
                if (*depth == 0)
                        return 0;
                (*depth)--;
                r = sd_bus_message_exit_container(m);
                return r < 0 ? r : 1;
        }

        if (is_fixed_array(type, contents))
                r = measure_array(m, contents[0], size);
        else if (strchr("arve", type)) {
                if (++*depth > DEPTH_MAX)
                        return -EBADMSG;
                *size += VALUE_SIZE;
                r = sd_bus_message_enter_container(m, type, contents);
        } else
                r = measure_basic(m, type, size);

        return r < 0 ? r : 1;
}

int message_measure(sd_bus_message *m, size_t max, size_t *ret) {
        unsigned depth = 0;
        size_t size = 0;
        int r;

        r = sd_bus_message_rewind(m, true);
        if (r < 0)
                return r;

        while ((r = measure_next(m, &depth, &size)) > 0)
                if (size > max)
                        break;
        if (r < 0)
                return -EBADMSG;
        if (size > max)
                return -E2BIG;

        r = sd_bus_message_rewind(m, true);
        if (r < 0)
                return r;

        *ret = size;
        return 0;
}
