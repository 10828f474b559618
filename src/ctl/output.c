/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/output.h"

#include "base/buffer.h"
#include "base/text.h"
#include "plan/sandbox-state.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define COLUMNS_MAX 16
#define COLUMN_GAP 2
#define COLUMN_SHRINK_MIN 8

_printf_(1, 0) static void say(const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL, *escaped = NULL;

        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        else
                escaped = text_escape(text);

        fprintf(stderr, "immurectl: %s\n", escaped ? escaped : "Out of memory");
}

int ctl_error(int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say(format, ap);
        va_end(ap);

        return error;
}

void ctl_note(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say(format, ap);
        va_end(ap);
}

bool output_wants_colour(void) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && !streq(term, "dumb");
}

/* Of standard output in columns; 0: it is no terminal. */
static size_t output_width(void) {
        struct winsize ws = {};

        if (!isatty(STDOUT_FILENO))
                return 0;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_col == 0)
                return 80;

        return ws.ws_col;
}

const char *output_state_colour(const char *state, bool colour) {
        static const char *const colours[_SANDBOX_STATE_MAX] = {
                [SANDBOX_STARTING] = "\033[33m",
                [SANDBOX_RUNNING] = "\033[32m",
                [SANDBOX_STOPPING] = "\033[33m",
                [SANDBOX_FAILED] = "\033[31m",
        };
        int s = sandbox_state_from_name(state);

        return colour && s >= 0 && colours[s] ? colours[s] : "";
}

const char *output_colour_end(bool colour) { return colour ? "\033[0m" : ""; }

static char *json_array_to_text(const json_t *array) {
        _cleanup_buffer_ Buffer b = {};
        const json_t *item;
        size_t i;

        json_array_foreach (array, i, item) {
                _cleanup_free_ char *escaped = NULL;

                if (i > 0)
                        buffer_append_text(&b, " ");
                if (!json_is_string(item))
                        continue;

                escaped = text_escape(json_string_value(item));
                if (!escaped)
                        return NULL;
                buffer_append_text(&b, escaped);
        }

        return b.size > 0 ? buffer_take_text(&b) : strdup("-");
}

char *json_to_text(const json_t *value) {
        switch (value ? json_typeof(value) : JSON_NULL) {
        case JSON_STRING:
                return json_string_length(value) > 0 ? text_escape(json_string_value(value)) : strdup("-");
        case JSON_INTEGER:
                return text_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        case JSON_REAL:
                return text_printf("%g", json_real_value(value));
        case JSON_TRUE:
                return strdup("yes");
        case JSON_FALSE:
                return strdup("no");
        case JSON_ARRAY:
                return json_array_to_text(value);
        default:
                return strdup("-");
        }
}

/* Columns on a terminal, at one per character. Wide ones are rare here, and would only shift the next column. */
static size_t text_width(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((uint8_t) *s & 0xC0) != 0x80;

        return n;
}

/* How many bytes the first width characters take. */
static size_t text_prefix(const char *s, size_t width) {
        size_t n = 0;

        for (size_t i = 0; s[i]; i++) {
                n += ((uint8_t) s[i] & 0xC0) != 0x80;
                if (n > width)
                        return i;
        }

        return strlen(s);
}

static void append_blanks(Buffer *b, size_t n) {
        for (; n > 0; n--)
                buffer_append_text(b, " ");
}

static void
append_cell(Buffer *b, const TableColumn *c, const char *text, size_t width, bool last, bool colour) {
        bool coloured = colour && (c->flags & COLUMN_STATE);
        size_t n = text_width(text);

        if (n < width && (c->flags & COLUMN_RIGHT))
                append_blanks(b, width - n);
        if (coloured)
                buffer_append_text(b, output_state_colour(text, true));

        if (n <= width)
                buffer_append_text(b, text);
        else {
                buffer_append(b, text, text_prefix(text, width - 1));
                buffer_append_text(b, "…");
        }

        if (coloured)
                buffer_append_text(b, output_colour_end(true));
        if (last)
                buffer_append_text(b, "\n");
        else
                append_blanks(b, (n < width && !(c->flags & COLUMN_RIGHT) ? width - n : 0) + COLUMN_GAP);
}

/* Narrows the columns that may shrink until the line fits. */
static void fit_widths(size_t *widths, const TableColumn *columns, size_t n_columns, size_t limit) {
        size_t total = (n_columns - 1) * COLUMN_GAP;

        for (size_t i = 0; i < n_columns; i++)
                total += widths[i];

        for (size_t i = 0; i < n_columns && limit > 0 && total > limit; i++) {
                size_t room, cut;

                if (!(columns[i].flags & COLUMN_SHRINK) || widths[i] <= COLUMN_SHRINK_MIN)
                        continue;

                room = widths[i] - COLUMN_SHRINK_MIN;
                cut = MIN(room, total - limit);
                widths[i] -= cut;
                total -= cut;
        }
}

char *
table_format(const json_t *rows, const TableColumn *columns, size_t n_columns, const TableStyle *style) {
        _cleanup_strv_ char **cells = NULL;
        _cleanup_buffer_ Buffer b = {};
        size_t widths[COLUMNS_MAX] = {};
        const json_t *row;
        size_t i;

        if (n_columns == 0 || n_columns > COLUMNS_MAX)
                return NULL;

        for (size_t c = 0; c < n_columns; c++)
                widths[c] = style->legend ? text_width(columns[c].title) : 0;

        json_array_foreach (rows, i, row)
                for (size_t c = 0; c < n_columns; c++) {
                        char *text = json_to_text(json_object_get(row, columns[c].key));

                        if (!text)
                                return NULL;
                        widths[c] = MAX(widths[c], text_width(text));
                        if (strv_consume(&cells, text) < 0)
                                return NULL;
                }

        fit_widths(widths, columns, n_columns, style->width);

        for (size_t c = 0; style->legend && c < n_columns; c++) {
                TableColumn header = { .flags = columns[c].flags & COLUMN_RIGHT };

                append_cell(&b, &header, columns[c].title, widths[c], c + 1 == n_columns, false);
        }
        for (size_t k = 0; k < json_array_size(rows) * n_columns; k++) {
                size_t c = k % n_columns;

                append_cell(&b, &columns[c], cells[k], widths[c], c + 1 == n_columns, style->colour);
        }

        buffer_append(&b, "", 0); /* an empty table is an empty text, not none */
        return b.size > 0 || buffer_error(&b) < 0 ? buffer_take_text(&b) : strdup("");
}

int output_flush(void) {
        if (fflush(stdout) == EOF || ferror(stdout))
                return ctl_error(-EIO, "Cannot write to standard output");

        return 0;
}

int output_json(OutputMode mode, const json_t *value) {
        size_t flags = JSON_ENCODE_ANY | (mode == OUTPUT_JSON_SHORT ? JSON_COMPACT : JSON_INDENT(4));

        if (!value)
                return ctl_error(-ENOMEM, "Out of memory");
        /* JSON leaves marks of direction and C1 as they are, which programs want and terminals must not have. */
        if (isatty(STDOUT_FILENO))
                flags |= JSON_ENSURE_ASCII;
        if (json_dumpf(value, stdout, flags) < 0)
                return ctl_error(-EIO, "Cannot write JSON to standard output");

        putchar('\n');
        return output_flush();
}

int output_list(const Options *o,
                const json_t *rows,
                const TableColumn *columns,
                size_t n_columns,
                const char *singular,
                const char *plural) {

        TableStyle style = { .width = output_width(),
                             .legend = !o->no_legend,
                             .colour = output_wants_colour() };
        _cleanup_free_ char *text = NULL;
        size_t n = json_array_size(rows);

        if (o->output != OUTPUT_TEXT)
                return output_json(o->output, rows);
        if (o->quiet) {
                style = (TableStyle){};
                n_columns = 1;
        }

        if (n > 0) {
                text = table_format(rows, columns, n_columns, &style);
                if (!text)
                        return ctl_error(-ENOMEM, "Out of memory");
                fputs(text, stdout);
        }
        if (style.legend && n == 0)
                printf("No %s.\n", plural);
        else if (style.legend)
                printf("\n%zu %s.\n", n, n == 1 ? singular : plural);

        return output_flush();
}
