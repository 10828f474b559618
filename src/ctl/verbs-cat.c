/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cat: what profiles are made of, file by file */

#include "base/fd.h"
#include "base/text.h"
#include "ctl/output.h"
#include "ctl/verb.h"
#include "profile/profile-load.h"
#include "profile/strict-file.h"

#include <fcntl.h>
#include <stdio.h>

/* A file may have control sequences in it, which a terminal would obey. */
static char *line_to_text(const char *line, size_t n) {
        _cleanup_free_ char *copy = strndup(line, n);

        return copy ? text_escape(copy) : NULL;
}

static int add_line(json_t *rows, const char *path, unsigned number, const char *text) {
        json_t *row = json_pack("{s:s, s:i, s:s}", "file", path, "line", (int) number, "text", text);

        return json_array_append_new(rows, row) < 0 ? ctl_error(-ENOMEM, "Out of memory") : 0;
}

/* Line by line: into rows, or to standard output if rows is NULL. */
static int cat_lines(const char *path, const char *text, json_t *rows) {
        unsigned number = 0;
        int r = 0;

        while (*text && r == 0) {
                size_t n = strcspn(text, "\n");
                _cleanup_free_ char *line = line_to_text(text, n);

                if (!line)
                        return ctl_error(-ENOMEM, "Out of memory");
                number++;
                if (rows)
                        r = add_line(rows, path, number, line);
                else
                        puts(line);
                text += n + (text[n] == '\n');
        }

        return r;
}

static int cat_file(const Options *o, const char *path, bool first, json_t *rows) {
        bool colour = output_wants_colour();
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = file_read_full(AT_FDCWD, path, STRICT_FILE_MAX, &text, &size);
        if (r < 0)
                return ctl_error(r, "%s: %s", path, strerror(-r));

        if (o->output != OUTPUT_TEXT)
                return cat_lines(path, text, rows);

        if (!o->no_legend)
                printf("%s%s# %s%s\n",
                       first ? "" : "\n",
                       colour ? "\033[34m" : "",
                       path,
                       colour ? "\033[0m" : "");
        return cat_lines(path, text, NULL);
}

int verb_cat(const Options *o, int n, char **args) {
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_json_ json_t *rows = json_array();
        bool first = true;
        int r;

        if (!rows)
                return ctl_error(-ENOMEM, "Out of memory");
        r = profile_set_load(&set, NULL, 0);
        if (r < 0)
                return ctl_error(r, "Cannot read the profiles: %s", strerror(-r));

        for (int i = 0; i < n; i++) {
                const ProfileEntry *entry = profile_set_find(set, args[i]);

                if (!entry)
                        return ctl_error(
                                -ENOENT, "There is no profile '%s'; see immurectl profiles", args[i]);

                STRV_FOREACH (file, entry->files) {
                        r = cat_file(o, *file, first, rows);
                        if (r < 0)
                                return r;
                        first = false;
                }
                if (entry->findings.n_items > 0)
                        ctl_note("The broker refuses %s; see immurectl lint", args[i]);
        }

        return o->output != OUTPUT_TEXT ? output_json(o->output, rows) : output_flush();
}
