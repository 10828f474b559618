/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

void buffer_done(Buffer *b) {
        free(b->data);
        *b = (Buffer){};
}

/* Makes room for extra bytes and the NUL after them. */
static bool buffer_reserve(Buffer *b, size_t extra) {
        size_t wanted, allocated;
        uint8_t *data;

        if (b->error < 0)
                return false;

        if (__builtin_add_overflow(b->size, extra, &wanted) || __builtin_add_overflow(wanted, 1, &wanted)) {
                b->error = -ENOMEM;
                return false;
        }

        if (wanted <= b->allocated)
                return true;

        if (__builtin_mul_overflow(wanted, 2, &allocated))
                allocated = wanted;
        data = realloc(b->data, MAX(allocated, (size_t) 64));
        if (!data) {
                b->error = -ENOMEM;
                return false;
        }

        b->data = data;
        b->allocated = MAX(allocated, (size_t) 64);
        return true;
}

void buffer_append(Buffer *b, const void *data, size_t size) {
        if (!buffer_reserve(b, size))
                return;

        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
        b->data[b->size] = 0;
}

void buffer_append_text(Buffer *b, const char *s) { buffer_append(b, s, strlen(s)); }

void buffer_printf(Buffer *b, const char *format, ...) {
        char *text = NULL;
        va_list ap;
        int n;

        if (b->error < 0)
                return;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0) {
                b->error = -ENOMEM;
                return;
        }

        buffer_append(b, text, (size_t) n);
        free(text);
}

void buffer_append_json_string(Buffer *b, const char *s) {
        static const char short_escapes[32] = {
                ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
        };

        if (!s) {
                buffer_append_text(b, "null");
                return;
        }

        buffer_append(b, "\"", 1);
        for (; *s; s++) {
                unsigned char c = (unsigned char) *s;

                if (c == '"' || c == '\\')
                        buffer_append(b, (char[]){ '\\', *s }, 2);
                else if (c < 32 && short_escapes[c])
                        buffer_append(b, (char[]){ '\\', short_escapes[c] }, 2);
                else if (c < 32 || c == 127)
                        buffer_printf(b, "\\u%04x", c);
                else
                        buffer_append(b, s, 1);
        }
        buffer_append(b, "\"", 1);
}

char *buffer_take_text(Buffer *b) {
        char *text = NULL;

        /* An empty buffer is an empty text, not NULL. */
        buffer_append(b, NULL, 0);
        if (b->error == 0)
                text = (char *) TAKE_PTR(b->data);

        buffer_done(b);
        return text;
}

int buffer_error(const Buffer *b) { return b->error; }
