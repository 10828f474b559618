/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * mount-table — the mounts of a process, as /proc/PID/mountinfo shows them
 *
 * Life: mount_table_done() at the end; the texts of the lines are the table's.
 * Runs in: exec. Privilege: to read the file. Input: the kernel's; the paths may be a hostile user's.
 */

#include "base/util.h"

/* proc(5): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue". */
typedef struct MountLine {
        uint64_t id, parent_id;
        const char *root;                /* what of its file system is shown */
        const char *path;                /* without escapes */
        const char *options;             /* "ro,nosuid,relatime" */
        const char *type, *type_options; /* "proc", "rw,hidepid=invisible" */
} MountLine;

typedef struct MountTable {
        char *text;
        MountLine
                *lines; /* parents before what stands on them; of several at one path the last is in front */
        size_t n;
} MountTable;

/* Reads a mountinfo file. -EBADMSG: it is not one; other errors of reading. */
int mount_table_read(int dir_fd, const char *path, MountTable *ret);
void mount_table_done(MountTable *t);
#define _cleanup_mount_table_ _cleanup_(mount_table_done)

/* The mount that the descriptor is on, or NULL. */
const MountLine *mount_table_find(const MountTable *t, int fd);

/* The mount that a path without links is on, or NULL. */
const MountLine *mount_table_above(const MountTable *t, const char *path);

/* FUSE without allow_other: the kernel lets in the user who mounted it, and not even root. */
bool mount_is_private(const MountLine *m);

bool mount_has_option(const char *options, const char *option);
