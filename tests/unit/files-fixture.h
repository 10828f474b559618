/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * files-fixture — a throw-away directory with files that a test writes by their names below it
 *
 * Runs in: unit tests. Privilege: none.
 */

#include "base/util.h"

typedef struct Files {
        char root[64];
} Files;

Files files_new(void);
void files_done(Files *f); /* removes everything */
#define _cleanup_files_ _cleanup_(files_done)

/* Writes a file with mode 0644, with the directories above it. */
void files_write(const Files *f, const char *name, const char *text);
void files_write_bytes(const Files *f, const char *name, const void *data, size_t size);
void files_link(const Files *f, const char *target, const char *name);
void files_make_directory(const Files *f, const char *name);
/* The absolute path; caller frees. */
char *files_path(const Files *f, const char *name);
