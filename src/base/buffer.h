/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * buffer — bytes that grow: what encoders and JSON writers fill
 *
 * Errors stick: after the first failed append every later one does nothing, and buffer_error() tells. So a writer
 * checks once, at the end.
 *
 * Runs in: everything. Privilege: none.
 */

#include "base/util.h"

typedef struct Buffer {
        uint8_t *data; /* size bytes, and always one NUL behind them once anything was appended */
        size_t size;
        size_t allocated;
        int error; /* 0 or negative errno */
} Buffer;

void buffer_done(Buffer *b);
#define _cleanup_buffer_ _cleanup_(buffer_done)

void buffer_append(Buffer *b, const void *data, size_t size);
void buffer_append_text(Buffer *b, const char *s);
void buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);
/* A JSON string literal, quotes included (RFC 8259). NULL writes null. Input must be valid UTF-8. */
void buffer_append_json_string(Buffer *b, const char *s);
static inline int buffer_error(const Buffer *b) { return b->error; }
/* The text, handed over (caller frees), or NULL after an error; the buffer is empty afterwards. */
char *buffer_take_text(Buffer *b);
