/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/message-text.h"

#include "base/buffer.h"

#include <inttypes.h>

/* D-Bus allows 64 levels in all. */
#define DEPTH_MAX 64U
#define CUT "…"

typedef struct Writer {
        sd_bus_message *message;
        Buffer text;
        size_t max;
        unsigned depth;
        char open[DEPTH_MAX]; /* types of the containers we are in */
        bool left_out;        /* the next value is not to be shown */
} Writer;

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

static void append_blank(Writer *w) {
        if (w->text.size > 0 && !strchr("[({ ", w->text.data[w->text.size - 1]))
                buffer_append(&w->text, " ", 1);
}

/* No further than the text goes: a string may have megabytes. */
static void append_string(Writer *w, const char *s) {
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

static int write_basic(Writer *w, char type) {
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
        if (strchr("sog", type)) {
                append_string(w, v.s);
                w->left_out = w->depth > 0 && w->open[w->depth - 1] == 'e' && streq(v.s, "Environment");
        } else if (type == 'h')
                buffer_append_text(&w->text, "fd");
        else
                append_number(&w->text, type, v.t);

        return 1;
}

static int write_container(Writer *w, char type, const char *contents) {
        if (w->left_out) {
                w->left_out = false;
                buffer_append_text(&w->text, " " CUT);
                return sd_bus_message_skip(w->message, NULL);
        }
        if (w->depth >= DEPTH_MAX)
                return -EBADMSG;

        if (type != 'v') {
                append_blank(w);
                buffer_append_text(&w->text, bracket(type, true));
        }
        w->open[w->depth++] = type;
        return sd_bus_message_enter_container(w->message, type, contents);
}

/* 0: that was all. */
static int write_next(Writer *w) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(w->message, &type, &contents);
        if (r < 0)
                return r;
        if (r > 0) {
                r = strchr("arve", type) ? write_container(w, type, contents) : write_basic(w, type);
                return r < 0 ? r : 1;
        }
        if (w->depth == 0)
                return 0;

        buffer_append_text(&w->text, bracket(w->open[--w->depth], false));
        r = sd_bus_message_exit_container(w->message);
        return r < 0 ? r : 1;
}

static int writer_run(Writer *w) {
        int r;

        r = sd_bus_message_rewind(w->message, true);
        if (r < 0)
                return r;

        while ((r = write_next(w)) > 0)
                if (w->text.size > w->max) {
                        w->text.size = w->max;
                        buffer_append_text(&w->text, CUT);
                        break;
                }

        return MIN(r, 0);
}

int message_to_text(sd_bus_message *m, size_t max, char **ret) {
        Writer w = { .message = m, .max = max };
        char *text;
        int r;

        buffer_append_text(&w.text, "");
        r = writer_run(&w);
        if (r < 0) {
                buffer_done(&w.text);
                return r;
        }

        text = buffer_take_text(&w.text);
        if (!text)
                return -ENOMEM;

        *ret = text;
        return 0;
}
