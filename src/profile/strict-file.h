/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * strict-file — an admin's file, read only where nobody else can have written it
 *
 * Everything is checked on the open descriptor, never on the name: owner, mode, that it is a regular file, that no
 * symbolic link led out of its directory.
 *
 * Runs in: broker, immurectl lint. Privilege: the caller's, to read files. Input: hostile in form.
 */

#include "base/strv.h"
#include "profile/finding.h"

#include <sys/types.h>

#define STRICT_FILE_MAX (1024U * 1024) /* bytes */

/* A directory that is open. */
typedef struct StrictDirectory {
        char *path;
        int fd;        /* -EBADF: not there */
        char *refusal; /* why its files must not be trusted, or NULL */
} StrictDirectory;

void strict_directory_done(StrictDirectory *d);
#define _cleanup_strict_directory_ _cleanup_(strict_directory_done)

/*
 * Opens path below parent (AT_FDCWD; for another parent links may not lead out of it). A directory that does not exist
 * is no error. Wrong owner or mode: 0 and .refusal. Another negative errno: it exists and cannot be opened.
 */
int strict_directory_open(
        StrictDirectory *ret, int parent_fd, const char *name, const char *path, uid_t required_uid);

/* The names in it that end with the suffix and do not begin with a dot, sorted. */
int strict_directory_list(const StrictDirectory *d, const char *suffix, char ***ret);

/* Whether the name is a link to /dev/null, which hides files of the same name that would come later. */
bool strict_file_is_mask(int dir_fd, const char *name);

/*
 * The whole file. 0; -EBADMSG with a finding about path; -ENOENT; -ENOMEM. *ret has a NUL behind it.
 */
int strict_file_read(int dir_fd,
                     const char *name,
                     const char *path,
                     uid_t required_uid,
                     char **ret,
                     size_t *ret_size,
                     Findings *findings);
