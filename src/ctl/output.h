/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * output — what immurectl says: errors, JSON, aligned tables
 *
 * Verbs gather what they have to show as JSON, which is then either printed or laid out as a table, so that both
 * say the same. Text from outside is escaped before it can reach a terminal.
 *
 * Runs in: immurectl. Privilege: none. Input: whatever comes over the bus.
 */

#include "base/util.h"
#include "ctl/options.h"

#include <jansson.h>

#define _cleanup_json_ _cleanup_(json_decrefp)

/* "immurectl: …" on standard error, escaped; returns the negative errno it was given. */
int ctl_error(int error, const char *format, ...) _printf_(2, 3);
/* The same for something that does not fail the verb. */
void ctl_note(const char *format, ...) _printf_(1, 2);

typedef enum ColumnFlags {
        COLUMN_RIGHT = 1 << 0,  /* numbers */
        COLUMN_SHRINK = 1 << 1, /* gives way where the line would be too long */
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

/* Rows are JSON objects. Caller frees; NULL: no memory. */
char *
table_format(const json_t *rows, const TableColumn *columns, size_t n_columns, const TableStyle *style);

/* One value as a person reads it, escaped: "yes", "-" for nothing, items with blanks between. Caller frees. */
char *json_to_text(const json_t *value);

/* Whether standard output is a terminal that wants colours. */
bool output_wants_colour(void);

/* ANSI sequences for a sandbox's state, and back; "" where nothing is to be coloured. */
const char *output_state_colour(const char *state, bool colour);
const char *output_colour_end(bool colour);

/*
 * A list on standard output as the options want it: JSON, a table with a last line that counts ("3 sandboxes."), or,
 * where it shall be quiet, the first column alone. 0 or negative errno, told.
 */
int output_list(const Options *o,
                const json_t *rows,
                const TableColumn *columns,
                size_t n_columns,
                const char *singular,
                const char *plural);

/* One value as JSON with a newline; OUTPUT_TEXT prints it as OUTPUT_JSON_PRETTY. 0 or negative errno, told. */
int output_json(OutputMode mode, const json_t *value);

/* Flushes standard output: 0, or negative errno, told, when something that was printed was lost. */
int output_flush(void);
