/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-rows — the fields of a profile that own memory, above all arrays whose rows begin with texts
 *
 * An array is a pointer, and the number of its rows right behind it. It owns the texts of its rows.
 *
 * Runs in: broker, immurectl. Privilege: none.
 */

#include "profile/profile.h"

typedef enum ProfileFieldKind {
        PROFILE_FIELD_PLAIN, /* owns nothing */
        PROFILE_FIELD_TEXT,
        PROFILE_FIELD_WORDS,
        PROFILE_FIELD_BINDS, /* from here on arrays */
        PROFILE_FIELD_TMPFS,
        PROFILE_FIELD_PATHS,
        PROFILE_FIELD_IO_LIMITS,
        PROFILE_FIELD_SYSCALLS,
        PROFILE_FIELD_SYSCALL_ARGUMENTS,
        PROFILE_FIELD_LINES,
} ProfileFieldKind;

/* Room for a row of any kind. */
typedef union ProfileRow {
        ProfileBind bind;
        ProfileTmpfs tmpfs;
        ProfilePath path;
        ProfileSyscall syscall;
        ProfileSyscallArgument syscall_argument;
} ProfileRow;

/* Frees the texts of a row that is not in an array. */
void profile_row_done(ProfileFieldKind kind, void *row);

/* Appends a row, whose texts belong to the array from then on; they are freed on failure. 0 or -ENOMEM. */
int profile_rows_add(ProfileFieldKind kind, void *array, void *row);
size_t profile_rows_count(const void *array);
/* Removes all rows but the first n. */
void profile_rows_truncate(ProfileFieldKind kind, void *array, size_t n);

/* Frees what a field of any kind owns. Several keys may share an array, so that this may come more than once. */
void profile_field_done(ProfileFieldKind kind, void *field);
