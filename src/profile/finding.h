/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * finding — what is wrong with a file, as "file:line: key: what is wrong and what would be right"
 *
 * A reader collects all findings before it gives up, so that the admin mends everything in one go.
 *
 * Runs in: broker, immurectl lint. Privilege: none.
 */

#include "base/util.h"

typedef struct Finding {
        char *file;
        unsigned line; /* 0: the file as a whole */
        char *key;     /* may be NULL */
        char *text;
} Finding;

typedef struct Findings {
        Finding *items;
        size_t n_items;
        size_t n_dropped; /* past FINDINGS_MAX */
} Findings;

#define FINDINGS_MAX 100

void findings_done(Findings *f);
#define _cleanup_findings_ _cleanup_(findings_done)

/* Adds one. 0 or -ENOMEM. key may be NULL. */
int findings_add(Findings *f, const char *file, unsigned line, const char *key, const char *format, ...)
        _printf_(5, 6);

/* The same about a file as a whole. */
#define findings_add_file(f, file, ...) findings_add((f), (file), 0, NULL, __VA_ARGS__)

/* What a reader of values means by an error: "out of range", "not valid" and the like. */
const char *finding_of_error(int error);

/* A value as a finding quotes it: whole, or cut between two characters and ended with an ellipsis. */
#define FINDING_VALUE_SIZE 80
const char *finding_shorten(const char *value, char buf[static FINDING_VALUE_SIZE]);

/* Adds copies of all of b. 0 or -ENOMEM. */
int findings_extend(Findings *f, const Findings *b);

/* Sorts by line, and keeps the files in the order in which they first occur. */
void findings_sort(Findings *f);

/* "file:line: key: text"; caller frees. NULL: no memory. */
char *finding_format(const Finding *f);
