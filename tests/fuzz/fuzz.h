/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fuzz — what the targets share: libFuzzer's entry, assertions that hold in every build, and input as files
 *
 * Each target is one file with LLVMFuzzerTestOneInput(). Linked with libFuzzer it looks for inputs itself; linked with
 * driver.c it runs those that are named, which is how the corpora become unit tests under every compiler.
 *
 * Runs in: fuzz targets. Privilege: none. Input: hostile, that is the point.
 */

#include "base/util.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert(3), there is no build without it. */
#define must(condition)                                                                                \
        do {                                                                                           \
                if (!(condition)) {                                                                    \
                        fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                                       \
                }                                                                                      \
        } while (false)

/* A directory of this process, which is gone with its files when it ends. */
const char *fuzz_directory(void);
/* Writes a file with mode 0644 below it, and its directory (one level). size -1: removes it. */
void fuzz_write(const char *name, const void *data, ssize_t size);

/* Whether a text may be shown and sent over the bus. */
void fuzz_must_be_text(const char *s);

/*
 * Takes the next part of an input apart: up to the separator, or to its end. Returns false where nothing is left. A
 * part is a copy with a NUL behind it; caller frees.
 */
bool fuzz_next(const uint8_t **data, size_t *size, char separator, char **ret, size_t *ret_size);
