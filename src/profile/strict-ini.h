/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * strict-ini — the lines of an INI file, with nothing guessed: sections, keys and values, or findings
 *
 * inih does the reading, but what it is compiled with differs between distributions and cannot be changed at run time:
 * 200 bytes a line (the rest becomes another key), comments inside values, indented lines that repeat a key, names cut
 * at 49 bytes. So every line is checked here first, and inih is handed a stream in which none of this can occur: short
 * names, and in place of each value its number. Whatever inih then says must agree with what was checked.
 *
 * A line is empty, a comment ("#" or ";" in its first column), "[Section]", or "Key=value". A backslash at its end
 * joins it with the next one, as in systemd.syntax(7). There are no comments behind values.
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: hostile in form.
 */

#include "profile/finding.h"

typedef struct StrictItem {
        char *section;
        char *key;
        char *value;   /* without blanks around it */
        unsigned line; /* its first line */
} StrictItem;

typedef struct StrictItems {
        StrictItem *items;
        size_t n_items;
} StrictItems;

#define STRICT_LINE_MAX (64U * 1024) /* bytes, with what backslashes joined */
#define STRICT_NAME_MAX 48U          /* bytes of a section or key */

void strict_items_done(StrictItems *items);
#define _cleanup_strict_items_ _cleanup_(strict_items_done)

/*
 * What data says; file is its name in findings. 0; -EBADMSG with findings added, *ret then holds the lines that could
 * be read, so that their keys are checked too; -ENOMEM.
 */
int strict_ini_parse(const char *file, const char *data, size_t size, StrictItems *ret, Findings *findings);
