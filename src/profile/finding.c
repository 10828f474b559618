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

char *finding_format(const Finding *f) {
        const char *key = f->key ?: "", *colon = f->key ? ": " : "";

        if (f->line == 0)
                return text_printf("%s: %s%s%s", f->file, key, colon, f->text);

        return text_printf("%s:%u: %s%s%s", f->file, f->line, key, colon, f->text);
}
