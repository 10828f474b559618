/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/message.h"

#include "base/buffer.h"

#include <inttypes.h>

/* D-Bus allows 32 nested arrays, 32 structs and, with variants, 64 levels in all. */
#define DEPTH_MAX 64U
/* What each value costs, even an empty one. */
#define VALUE_SIZE 8U
#define CUT "…"

typedef struct Walk Walk;

struct Walk {
        sd_bus_message *message;
        /* The next value. 0: it was read, or passed over; 1: it is a container, to be gone into. */
        int (*value)(Walk *w, char type, const char *contents);
        void (*leave)(Walk *w, char type); /* a container's end; may be NULL */
        size_t max;
        size_t size;
        Buffer text;
        bool left_out; /* the next value is not to be shown */
        unsigned depth;
        char open[DEPTH_MAX]; /* types of the containers we are in */
};

static int go_into(Walk *w, char type, const char *contents) {
        if (w->depth >= DEPTH_MAX)
                return -EBADMSG;

        w->open[w->depth++] = type;
        return sd_bus_message_enter_container(w->message, type, contents);
}

/* From the start to the end, or to where more than max has come together: -E2BIG. */
static int walk(Walk *w) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_rewind(w->message, true);
        while (r >= 0) {
                if (w->size > w->max)
                        return -E2BIG;

                r = sd_bus_message_peek_type(w->message, &type, &contents);
                if (r > 0) {
                        r = w->value(w, type, contents);
                        if (r > 0)
                                r = go_into(w, type, contents);
                } else if (r == 0 && w->depth == 0)
                        return 0;
                else if (r == 0) {
                        w->depth--;
                        if (w->leave)
                                w->leave(w, w->open[w->depth]);
                        r = sd_bus_message_exit_container(w->message);
                }
        }

        return r;
}

static bool is_container(char type) { return strchr("arve", type); }

static bool is_text(char type) { return strchr("sog", type); }

/* An array of fixed-size values is taken in one piece: an "ay" of many megabytes is not walked byte by byte. */
static bool is_fixed_array(char type, const char *contents) {
        return type == 'a' && contents && contents[0] != '\0' && contents[1] == '\0' &&
               strchr("ynqiuxtd", contents[0]);
}

static int measure_value(Walk *w, char type, const char *contents) {
        union {
                uint64_t number;
                const char *text;
                const void *data;
        } v = { 0 };
        size_t n = 0;
        int r;

        w->size += VALUE_SIZE;
        if (is_fixed_array(type, contents))
                r = sd_bus_message_read_array(w->message, contents[0], &v.data, &n);
        else if (is_container(type))
                return 1;
        else {
                r = sd_bus_message_read_basic(w->message, type, &v);
                n = r >= 0 && is_text(type) ? strlen(v.text) + 1 : 0;
        }

        w->size += n;
        return MIN(r, 0);
}

int message_measure(sd_bus_message *m, size_t max, size_t *ret) {
        Walk w = { .message = m, .value = measure_value, .max = max };
        int r;

        r = walk(&w);
        if (r < 0)
                return r == -E2BIG ? r : -EBADMSG;

        r = sd_bus_message_rewind(m, true);
        if (r < 0)
                return r;

        *ret = w.size;
        return 0;
}

static const char *bracket(char type, bool opening) {
        switch (type) {
        case 'a':
                return opening ? "[" : "]";
        case 'r':
                return opening ? "(" : ")";
        case 'e':
                return opening ? "{" : "}";
        default:
                return "";
        }
}

static void append_blank(Walk *w) {
        if (w->text.size > 0 && !strchr("[({ ", w->text.data[w->text.size - 1]))
                buffer_append(&w->text, " ", 1);
}

/* Only as much as will be shown: a string may have megabytes. */
static void append_string(Walk *w, const char *s) {
        buffer_append(&w->text, "\"", 1);
        for (; *s && w->text.size <= w->max; s++)
                buffer_append(&w->text, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
        buffer_append(&w->text, "\"", 1);
}

static void append_number(Buffer *b, char type, uint64_t bits) {
        int16_t n = (int16_t) bits;
        int32_t i = (int32_t) bits;
        double d;

        memcpy(&d, &bits, sizeof(d));
        switch (type) {
        case 'n':
                buffer_printf(b, "%" PRIi16, n);
                return;
        case 'i':
                buffer_printf(b, "%" PRIi32, i);
                return;
        case 'x':
                buffer_printf(b, "%" PRIi64, (int64_t) bits);
                return;
        case 'd':
                buffer_printf(b, "%g", d);
                return;
        default:
                buffer_printf(b, "%" PRIu64, bits);
                return;
        }
}

static int write_basic(Walk *w, char type) {
        union {
                uint8_t y;
                uint16_t q;
                uint32_t u;
                uint64_t t;
                const char *s;
        } v = { .t = 0 };
        int r;

        r = sd_bus_message_read_basic(w->message, type, &v);
        if (r < 0)
                return r;

        append_blank(w);
        if (is_text(type)) {
                append_string(w, v.s);
                w->left_out = w->depth > 0 && w->open[w->depth - 1] == 'e' && streq(v.s, "Environment");
        } else if (type == 'h')
                buffer_append_text(&w->text, "fd");
        else
                append_number(&w->text, type, v.t);

        return 0;
}

static int write_value(Walk *w, char type, const char *contents) {
        int r = 1;

        if (!is_container(type))
                r = write_basic(w, type);
        else if (w->left_out) {
                w->left_out = false;
                buffer_append_text(&w->text, " " CUT);
                r = MIN(sd_bus_message_skip(w->message, NULL), 0);
        } else if (type != 'v') {
                append_blank(w);
                buffer_append_text(&w->text, bracket(type, true));
        }

        w->size = w->text.size;
        return r;
}

static void write_end(Walk *w, char type) {
        buffer_append_text(&w->text, bracket(type, false));
        w->size = w->text.size;
}

int message_to_text(sd_bus_message *m, size_t max, char **ret) {
        Walk w = { .message = m, .value = write_value, .leave = write_end, .max = max };
        char *text = NULL;
        int r;

        buffer_append_text(&w.text, "");
        r = walk(&w);
        if (r == -E2BIG) {
                w.text.size = w.max;
                buffer_append_text(&w.text, CUT);
                r = 0;
        }
        if (r >= 0)
                text = buffer_take_text(&w.text);
        buffer_done(&w.text);
        if (!text)
                return r < 0 ? r : -ENOMEM;

        *ret = text;
        return 0;
}
