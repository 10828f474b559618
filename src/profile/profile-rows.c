/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-rows.h"

/* How large a row is, and how many texts of its own it begins with. */
static const struct {
        size_t size, n_texts;
} row_kinds[] = {
        [PROFILE_FIELD_BINDS] = { sizeof(ProfileBind), 2 },
        [PROFILE_FIELD_TMPFS] = { sizeof(ProfileTmpfs), 1 },
        [PROFILE_FIELD_PATHS] = { sizeof(ProfilePath), 1 },
        [PROFILE_FIELD_IO_LIMITS] = { sizeof(ProfileIoLimit), 1 },
        [PROFILE_FIELD_SYSCALLS] = { sizeof(ProfileSyscall), 1 },
        [PROFILE_FIELD_SYSCALL_ARGUMENTS] = { sizeof(ProfileSyscallArgument), 1 },
        [PROFILE_FIELD_LINES] = { sizeof(ProfileLine), 1 },
};

static size_t *count_of(void *array) { return (size_t *) ((void **) array + 1); }

size_t profile_rows_count(const void *array) { return *count_of((void *) array); }

void profile_row_done(ProfileFieldKind kind, void *row) {
        for (size_t i = 0; i < row_kinds[kind].n_texts; i++)
                free(((char **) row)[i]);
}

int profile_rows_add(ProfileFieldKind kind, void *array, void *row) {
        size_t size = row_kinds[kind].size, *n = count_of(array);
        uint8_t *grown = reallocarray(*(void **) array, *n + 1, size);

        if (!grown) {
                profile_row_done(kind, row);
                return -ENOMEM;
        }

        *(void **) array = grown;
        memcpy(grown + size * (*n)++, row, size);
        return 0;
}

void profile_rows_truncate(ProfileFieldKind kind, void *array, size_t n_left) {
        size_t *n = count_of(array);

        while (*n > n_left)
                profile_row_done(kind, *(uint8_t **) array + row_kinds[kind].size * --*n);
}

void profile_field_done(ProfileFieldKind kind, void *field) {
        if (kind == PROFILE_FIELD_PLAIN)
                return;
        if (kind == PROFILE_FIELD_WORDS)
                strv_free(*(char ***) field);
        else {
                if (kind >= PROFILE_FIELD_BINDS)
                        profile_rows_truncate(kind, field, 0);
                free(*(void **) field);
        }
        *(void **) field = NULL;
}
