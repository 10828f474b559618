/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * strv — NULL-terminated arrays of strings; NULL stands for the empty array
 *
 * The array owns its strings. Functions that extend an array leave it as it was on failure.
 *
 * Runs in: everything. Privilege: none.
 */

#include "base/util.h"

/* Frees the array and its strings. Takes NULL, returns NULL. */
char **strv_free(char **l);
DEFINE_CLEANUP(char **, strv_free);
#define _cleanup_strv_ _cleanup_(strv_freep)

size_t strv_length(char *const *l);
bool strv_equal(char *const *a, char *const *b);
bool strv_contains(char *const *l, const char *s);

/* The value of NAME in an array of NAME=value, still owned by the array; or NULL. */
const char *strv_env_get(char *const *l, const char *name);

/* Append a copy of s; or s itself, which is consumed even on failure. 0 or -ENOMEM. */
int strv_extend(char ***l, const char *s);
int strv_consume(char ***l, char *s);

/* Appends copies of all strings of b. 0 or -ENOMEM. */
int strv_extend_strv(char ***l, char *const *b);

/* A deep copy in *ret. 0 or -ENOMEM. */
int strv_copy(char *const *l, char ***ret);

/* Sorts by bytes, strcmp(3). */
void strv_sort(char **l);

/* All strings joined by the separator. Caller frees; NULL: out of memory. */
char *strv_join(char *const *l, const char *separator);

#define STRV_FOREACH(s, l) for (char *const *s = (l); s && *s; s++)
