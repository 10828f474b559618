/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * output — what immurectl prints: errors, JSON, aligned tables
 *
 * Verbs collect their results as JSON, which is then printed or laid out as a table, so that both say the same.
 * Text from outside is escaped before it reaches a terminal.
 *
 * Runs in: immurectl. Privilege: none. Input: whatever comes over the bus.
 */

#include "base/util.h"
#include "ctl/options.h"

#include <jansson.h>

#define _cleanup_json_ _cleanup_(json_decrefp)

/* Writes "immurectl: …" to standard error, escaped. Returns the negative errno it was given. */
int ctl_error(int error, const char *format, ...) _printf_(2, 3);
/* The same for something that does not make the verb fail. */
void ctl_note(const char *format, ...) _printf_(1, 2);

typedef enum ColumnFlags {
        COLUMN_RIGHT = 1 << 0,  /* numbers */
        COLUMN_SHRINK = 1 << 1, /* becomes narrower if the line is too long */
        COLUMN_STATE = 1 << 2,  /* a sandbox's state, coloured as one */
} ColumnFlags;

typedef struct TableColumn {
        const char *key; /* of the JSON object */
        const char *title;
        unsigned flags;
} TableColumn;

typedef struct TableStyle {
        size_t width; /* of the line; 0: no limit */
        bool legend;
        bool colour;
} TableStyle;

/*
 * Rows are JSON objects. Caller frees; NULL: no memory. Apart from what prints it, and public, so that a test needs no
 * terminal.
 */
char *
table_format(const json_t *rows, const TableColumn *columns, size_t n_columns, const TableStyle *style);

/* One value for people, escaped: "yes", "-" for nothing, items separated by blanks. Caller frees. */
char *json_to_text(const json_t *value);

/* Whether standard output is a terminal that wants colours. */
bool output_wants_colour(void);

/* The ANSI sequence for a sandbox's state, and the one that ends it; "" if colour is not wanted. */
const char *output_state_colour(const char *state, bool colour);
const char *output_colour_end(bool colour);

/*
 * Prints a list as the options ask: JSON, a table whose last line counts ("3 sandboxes."), or with --quiet the first
 * column alone. 0 or negative errno, with a message.
 */
int output_list(const Options *o,
                const json_t *rows,
                const TableColumn *columns,
                size_t n_columns,
                const char *singular,
                const char *plural);

/* Prints one value as JSON; OUTPUT_TEXT as OUTPUT_JSON_PRETTY. 0 or negative errno, with a message. */
int output_json(OutputMode mode, const json_t *value);

/* Flushes standard output. Negative errno, with a message: something that was printed is lost. */
int output_flush(void);
