/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * buffer — a growing array of bytes, for encoders and JSON writers
 *
 * Errors stick: once an append has failed, later ones do nothing and buffer_error() tells why. So a writer checks
 * once, at the end.
 *
 * Runs in: everything. Privilege: none.
 */

#include "base/util.h"

typedef struct Buffer {
        uint8_t *data; /* size bytes, followed by a NUL once anything was appended */
        size_t size;
        size_t allocated;
        int error; /* 0 or negative errno */
} Buffer;

void buffer_done(Buffer *b);
#define _cleanup_buffer_ _cleanup_(buffer_done)

void buffer_append(Buffer *b, const void *data, size_t size);
void buffer_append_text(Buffer *b, const char *s);
void buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);
/* A JSON string literal with its quotes (RFC 8259), or null for NULL. s must be valid UTF-8. */
void buffer_append_json_string(Buffer *b, const char *s);
int buffer_error(const Buffer *b);
/* Hands the text over to the caller, who frees it; NULL after an error. Either way the buffer is empty afterwards. */
char *buffer_take_text(Buffer *b);
