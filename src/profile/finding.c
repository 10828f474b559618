/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/finding.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

static void finding_done(Finding *f) {
        free(f->file);
        free(f->key);
        free(f->text);
        *f = (Finding){};
}

void findings_done(Findings *f) {
        for (size_t i = 0; i < f->n_items; i++)
                finding_done(&f->items[i]);
        free(f->items);
        *f = (Findings){};
}

int findings_add(Findings *f, const char *file, unsigned line, const char *key, const char *format, ...) {
        _cleanup_(finding_done) Finding item = { .line = line };
        Finding *grown;
        va_list ap;
        int n;

        if (f->n_items >= FINDINGS_MAX) {
                f->n_dropped++;
                return 0;
        }

        va_start(ap, format);
        n = vasprintf(&item.text, format, ap);
        va_end(ap);
        if (n < 0) {
                item.text = NULL;
                return -ENOMEM;
        }

        item.file = strdup(file);
        item.key = key ? strdup(key) : NULL;
        if (!item.file || (key && !item.key))
                return -ENOMEM;

        grown = reallocarray(f->items, f->n_items + 1, sizeof(Finding));
        if (!grown)
                return -ENOMEM;

        f->items = grown;
        f->items[f->n_items++] = item;
        item = (Finding){};
        return 0;
}

const char *finding_of_error(int error) {
        return error == -ERANGE       ? "out of range"
               : error == -EOPNOTSUPP ? "not supported by this version"
                                      : "not valid";
}

const char *finding_shorten(const char *value, char buf[static FINDING_VALUE_SIZE]) {
        static const char ellipsis[] = "…";
        size_t n = strlen(value);

        if (n < FINDING_VALUE_SIZE) {
                memcpy(buf, value, n + 1);
                return buf;
        }

        /* Back to the first byte of a character, so that the cut leaves no half of one. */
        n = FINDING_VALUE_SIZE - sizeof(ellipsis);
        while (n > 0 && ((unsigned char) value[n] & 0xc0) == 0x80)
                n--;
        memcpy(mempcpy(buf, value, n), ellipsis, sizeof(ellipsis));
        return buf;
}

int findings_extend(Findings *f, const Findings *b) {
        for (size_t i = 0; i < b->n_items; i++) {
                const Finding *item = &b->items[i];
                int r;

                r = findings_add(f, item->file, item->line, item->key, "%s", item->text);
                if (r < 0)
                        return r;
        }

        f->n_dropped += b->n_dropped;
        return 0;
}

void findings_sort(Findings *f) {
        size_t ranks[FINDINGS_MAX]; /* for each item, where its file first occurs */

        for (size_t i = 0; i < f->n_items; i++) {
                ranks[i] = 0;
                while (!streq(f->items[ranks[i]].file, f->items[i].file))
                        ranks[i]++;
        }

        for (size_t i = 1; i < f->n_items; i++) {
                Finding item = f->items[i];
                size_t rank = ranks[i], to = i;

                for (; to > 0; to--) {
                        if (ranks[to - 1] < rank ||
                            (ranks[to - 1] == rank && f->items[to - 1].line <= item.line))
                                break;
                        f->items[to] = f->items[to - 1];
                        ranks[to] = ranks[to - 1];
                }
                f->items[to] = item;
                ranks[to] = rank;
        }
}

char *finding_format(const Finding *f) {
        const char *key = f->key ?: "", *colon = f->key ? ": " : "";

        if (f->line == 0)
                return text_printf("%s: %s%s%s", f->file, key, colon, f->text);

        return text_printf("%s:%u: %s%s%s", f->file, f->line, key, colon, f->text);
}
