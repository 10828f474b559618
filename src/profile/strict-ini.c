/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/strict-ini.h"

#include "base/buffer.h"
#include "base/text.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>

#define BLANKS " \t"

/* State of reading one file. Errors other than findings stick in error. */
typedef struct StrictIni {
        const char *file;
        Findings *findings;
        StrictItems items;
        char section[STRICT_NAME_MAX + 1]; /* "" before the first section, "?" after a bad one */
        bool carriage_return_reported;
        bool bad;
        int error;
} StrictIni;

static void strict_item_done(StrictItem *item) {
        free(item->section);
        free(item->key);
        free(item->value);
        *item = (StrictItem){};
}

void strict_items_done(StrictItems *items) {
        for (size_t i = 0; i < items->n_items; i++)
                strict_item_done(&items->items[i]);
        free(items->items);
        *items = (StrictItems){};
}

_printf_(4, 5) static void strict_ini_refuse(
        StrictIni *s, unsigned line, const char *key, const char *format, ...) {
        char text[256];
        va_list ap;

        s->bad = true;
        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        if (findings_add(s->findings, s->file, line, key, "%s", text) < 0)
                s->error = -ENOMEM;
}

static int strict_items_add(
        StrictItems *items, const char *section, const char *key, const char *value, unsigned line) {
        _cleanup_(strict_item_done) StrictItem item = { .line = line };
        StrictItem *grown;

        item.section = strdup(section);
        item.key = strdup(key);
        item.value = strdup(value);
        if (!item.section || !item.key || !item.value)
                return -ENOMEM;

        grown = reallocarray(items->items, items->n_items + 1, sizeof(StrictItem));
        if (!grown)
                return -ENOMEM;

        items->items = grown;
        items->items[items->n_items++] = item;
        item = (StrictItem){};
        return 0;
}

static bool key_is_valid(const char *s) {
        static const char letters[] = ASCII_LOWER ASCII_UPPER ASCII_DIGITS;

        return name_is_valid(s, letters, letters, STRICT_NAME_MAX);
}

static char *strip_end(char *s) {
        size_t n = strlen(s);

        while (n > 0 && strchr(BLANKS, s[n - 1]))
                s[--n] = '\0';
        return s;
}

static void strict_ini_section(StrictIni *s, char *text, unsigned line) {
        size_t n = strlen(text);

        (void) snprintf(s->section, sizeof(s->section), "?");
        if (text[n - 1] != ']') {
                strict_ini_refuse(
                        s, line, NULL, "a section is written as [Name], with nothing behind the bracket");
                return;
        }

        text[n - 1] = '\0';
        if (!key_is_valid(text + 1)) {
                strict_ini_refuse(s,
                                  line,
                                  NULL,
                                  "a section has a name of 1 to %u letters and digits",
                                  STRICT_NAME_MAX);
                return;
        }

        (void) snprintf(s->section, sizeof(s->section), "%s", text + 1);
}

/* One line, already joined and checked byte by byte; neither empty nor a comment. */
static void strict_ini_line(StrictIni *s, char *text, unsigned line) {
        char *equals, *value;
        int r;

        if (strchr(BLANKS, *text)) {
                strict_ini_refuse(s,
                                  line,
                                  NULL,
                                  "the line begins with a blank; a key begins in the first column, "
                                  "and a value goes on behind a backslash at the end of its line");
                return;
        }

        strip_end(text);
        if (*text == '[') {
                strict_ini_section(s, text, line);
                return;
        }

        equals = strchr(text, '=');
        if (!equals) {
                strict_ini_refuse(s, line, NULL, "neither [Section] nor Key=value");
                return;
        }

        *equals = '\0';
        value = equals + 1 + strspn(equals + 1, BLANKS);
        strip_end(text);
        if (!key_is_valid(text)) {
                strict_ini_refuse(s,
                                  line,
                                  NULL,
                                  "a key is a name of 1 to %u letters and digits in front of “=”",
                                  STRICT_NAME_MAX);
                return;
        }
        if (!*s->section) {
                strict_ini_refuse(s, line, text, "stands before the first [Section]");
                return;
        }
        if (streq(s->section, "?"))
                return; /* the section was reported */

        r = strict_items_add(&s->items, s->section, text, value, line);
        if (r < 0)
                s->error = r;
}

/* The bytes of one line, without its newline. False: it is reported, and of no further use. */
static bool strict_ini_check_bytes(StrictIni *s, const char *p, size_t *n, unsigned line) {
        _cleanup_free_ char *text = NULL;

        if (*n > 0 && p[*n - 1] == '\r') {
                /* A file from another system has a carriage return on every line: one finding will do. */
                if (!s->carriage_return_reported)
                        strict_ini_refuse(s,
                                          line,
                                          NULL,
                                          "the line ends with a carriage return; lines end with a "
                                          "newline alone");
                s->carriage_return_reported = true;
                (*n)--;
        }

        if (*n > STRICT_LINE_MAX) {
                strict_ini_refuse(s, line, NULL, "the line is longer than %u bytes", STRICT_LINE_MAX);
                return false;
        }
        if (memchr(p, '\0', *n)) {
                strict_ini_refuse(s, line, NULL, "the line holds a NUL byte");
                return false;
        }

        text = strndup(p, *n);
        if (!text) {
                s->error = -ENOMEM;
                return false;
        }
        if (!utf8_is_valid(text)) {
                strict_ini_refuse(s, line, NULL, "the line is not valid UTF-8");
                return false;
        }
        if (!text_is_printable(text, "\t")) {
                strict_ini_refuse(s, line, NULL, "the line holds a control character");
                return false;
        }

        return true;
}

/* A logical line while it is being joined. */
typedef struct StrictJoin {
        Buffer text;
        unsigned line;
        bool open; /* the last line ended with a backslash */
        bool bad;  /* a part was refused, so the whole is skipped */
} StrictJoin;

static void strict_join_end(StrictIni *s, StrictJoin *join) {
        char *text = (char *) join->text.data;

        if (buffer_error(&join->text) < 0)
                s->error = -ENOMEM;
        else if (!join->bad && text && text[strspn(text, BLANKS)])
                strict_ini_line(s, text, join->line);

        buffer_done(&join->text);
        *join = (StrictJoin){};
}

static void strict_join_add(StrictIni *s, StrictJoin *join, const char *p, size_t n, unsigned line) {
        /* Comments between the parts of a value are skipped, as systemd does. */
        if (n > 0 && (*p == '#' || *p == ';')) {
                (void) strict_ini_check_bytes(s, p, &n, line);
                return;
        }

        if (!join->open)
                join->line = line;
        if (!strict_ini_check_bytes(s, p, &n, line))
                join->bad = true;

        join->open = n > 0 && p[n - 1] == '\\';
        if (!join->bad) {
                buffer_append(&join->text, p, join->open ? n - 1 : n);
                if (join->open)
                        buffer_append(&join->text, " ", 1);
                if (join->text.size > STRICT_LINE_MAX) {
                        strict_ini_refuse(s,
                                          line,
                                          NULL,
                                          "the lines joined by backslashes are longer than %u bytes",
                                          STRICT_LINE_MAX);
                        join->bad = true;
                }
        }

        if (!join->open)
                strict_join_end(s, join);
}

static void strict_ini_lines(StrictIni *s, const char *data, size_t size) {
        const char *end = data + size;
        StrictJoin join = {};
        unsigned line = 1;

        for (const char *p = data; p < end && s->error == 0; line++) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                size_t n = (size_t) ((newline ?: end) - p);

                strict_join_add(s, &join, p, n, line);
                p = newline ? newline + 1 : end;
        }

        if (join.open)
                strict_ini_refuse(s, line - 1, NULL, "the file ends behind a backslash");
        buffer_done(&join.text);
}

/* What inih reads from, and the items as it read them, in the same order. */
typedef struct StrictStream {
        const StrictItems *items;
        size_t next;          /* item to hand out */
        bool section_is_done; /* its section line was handed out */
        size_t n_seen;        /* items that came back */
} StrictStream;

/* Shaped like fgets(3), as ini_parse_stream() wants it. */
static char *strict_stream_read(char *str, int size, void *userdata) {
        StrictStream *stream = userdata;
        const StrictItem *item;
        int n;

        if (stream->next >= stream->items->n_items)
                return NULL;

        item = &stream->items->items[stream->next];
        if (!stream->section_is_done &&
            (stream->next == 0 || !streq(item->section, stream->items->items[stream->next - 1].section))) {
                n = snprintf(str, (size_t) size, "[%s]\n", item->section);
                stream->section_is_done = true;
        } else {
                n = snprintf(str, (size_t) size, "%s=%zu\n", item->key, stream->next);
                stream->section_is_done = false;
                stream->next++;
        }

        return n > 0 && n < size ? str : NULL;
}

static int strict_stream_handle(void *userdata, const char *section, const char *name, const char *value) {
        StrictStream *stream = userdata;
        const StrictItem *item;
        uint64_t number;

        if (!name)
                return 1; /* INI_CALL_HANDLER_ON_NEW_SECTION */
        if (!value || parse_u64(value, &number) < 0 || number != stream->n_seen ||
            number >= stream->items->n_items)
                return 0;

        item = &stream->items->items[number];
        if (!streq(item->section, section) || !streq(item->key, name))
                return 0;

        stream->n_seen++;
        return 1;
}

int strict_ini_parse(const char *file, const char *data, size_t size, StrictItems *ret, Findings *findings) {
        static const char bom[] = "\xef\xbb\xbf";
        StrictIni s = { .file = file, .findings = findings };
        StrictStream stream;

        if (size >= 3 && memcmp(data, bom, 3) == 0) {
                strict_ini_refuse(&s, 1, NULL, "the file begins with a byte order mark; write plain UTF-8");
                data += 3;
                size -= 3;
        }
        strict_ini_lines(&s, data, size);

        stream = (StrictStream){ .items = &s.items };
        if (s.error == 0 &&
            (ini_parse_stream(strict_stream_read, &stream, strict_stream_handle, &stream) != 0 ||
             stream.n_seen != s.items.n_items))
                strict_ini_refuse(
                        &s, 0, NULL, "the INI library reads this file otherwise than it is written");

        if (s.error < 0) {
                strict_items_done(&s.items);
                return s.error;
        }

        *ret = s.items;
        return s.bad ? -EBADMSG : 0;
}
