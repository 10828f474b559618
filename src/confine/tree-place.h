/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tree-place — a root while it is being built: where things go in it, and where anything may be made
 *
 * Things are made only on file systems that were made here. Two things about those wait until the last node is
 * there: an owner other than root, and becoming read-only.
 *
 * Life: tree_done() at the end, however far it came.
 * Runs in: exec, inside. Privilege: that of its caller, see tree.h. Input: as tree.h.
 */

#include "confine/sources.h"
#include "confine/tree-mask.h"
#include "plan/plan.h"

#include <limits.h>

/*
 * Applied once everything below exists: a read-only mount would let nothing be made on it, and root without
 * CAP_DAC_OVERRIDE can write only where it is the owner.
 */
typedef struct TreeLater {
        int fd;
        uint64_t attributes; /* MOUNT_ATTR_* to add; 0: none */
        bool owned;
} TreeLater;

typedef struct Tree {
        const Plan *plan;
        const Sources *sources;
        uint32_t uid, gid; /* the user's ids, by the host's numbers */
        int root_fd;
        int socket_fd;  /* for notifications, to be bound in the tree; the caller's */
        int scratch_fd; /* the first file system made here; it is the root, unless that is an overlay */

        int parent_fd; /* the directory of the last target, kept for the next; -EBADF: none */
        char parent[PATH_MAX];

        uint64_t *own_mounts; /* file systems made here, where mount points may be made */
        size_t n_own_mounts;

        TreeLater *later;
        size_t n_later;

        TreeMasks masks;
} Tree;

void tree_done(Tree *t);

/* With RootEphemeral= everything of root's in the directory that the root is based on appears as the application's. */
bool tree_root_is_users(const Tree *t);

/* Opens what is at the target, with O_PATH. Returns the fd; errors of resolve_path(). */
int tree_open(const Tree *t, const char *target);

/*
 * Make something, and the directories above it that are missing, on file systems made here. -ENOENT anywhere else;
 * -EEXIST. The first two return an fd: a directory's with O_PATH, a file's for writing.
 */
int tree_make_directory(Tree *t, const char *target, mode_t mode);
int tree_make_file(Tree *t, const char *target, mode_t mode);
int tree_make_symlink(Tree *t, const char *target, const char *text);

/*
 * The directory that the target lies in, made if it is missing and may be made. -ENOENT: it is on no file system
 * made here. The tree owns the fd; *ret_name points into target.
 */
int tree_open_parent(Tree *t, const char *target, const char **ret_name);

/* Removes a file or link that is in the way of one to be made. It may be missing. */
int tree_remove(Tree *t, const char *target);

/* Attaches a detached mount. An empty mount point is made where it is missing and may be made. */
int tree_attach(Tree *t, int mount_fd, const char *target, bool is_directory);

/* Notes that the file system of this mount was made here. */
int tree_add_own_mount(Tree *t, int mount_fd);

/* Consumes the fd. */
int tree_add_later(Tree *t, int fd, uint64_t attributes, bool owned);

/*
 * Does what had to wait; afterwards things can only be made on the root. Call it before a mount is copied, as the
 * copy keeps the attributes of that moment.
 */
int tree_seal(Tree *t);

/* Adds attributes to a target: to its mount if it is the root of one, else to a copy that is mounted over it. */
int tree_add_attributes(int target_fd, uint64_t attributes, bool recursive);
