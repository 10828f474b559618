/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tree-state — what tree.c and tree-nodes.c share while a root is being built
 *
 * Runs in: exec, inside. Privilege: none of its own.
 */

#include "confine/sources.h"
#include "plan/plan.h"

/* What has to wait until everything below exists: read-only, and an owner who is not root. */
typedef struct TreeLater {
        int fd;
        uint64_t attributes; /* 0: no mount, or none to add */
        bool owned;
} TreeLater;

typedef struct Tree {
        const Plan *plan;
        const Sources *sources;
        uint32_t uid, gid; /* the user, as the host counts */
        int root_fd;

        uint64_t *own_mounts; /* file systems made here: mount points may be made on them */
        size_t n_own_mounts;

        TreeLater *later;
        size_t n_later;

        int mask_fds
                [2]; /* an empty file and an empty directory, both without any permission; -EBADF: not needed */
} Tree;

/* Opens what stands at the target. -ENOENT and the errors of resolve_path(). */
int tree_open(const Tree *t, const char *target);

/* Opens the directory that the target lies in, making it where that is allowed; *ret_name points into target. */
int tree_open_parent(const Tree *t, const char *target, const char **ret_name);

/* Opens the target as a mount point: where it does not exist, and that is allowed, it is made, empty. */
int tree_open_mount_point(const Tree *t, const char *target, bool is_directory);

/* Whether mount points may be made in this directory: -ENOENT where it lies on no file system of ours. */
int tree_check_own(const Tree *t, int fd);

/* The mount fd becomes the tree's: its file system was made here. */
int tree_add_own_mount(Tree *t, int mount_fd);

/* Takes the fd in any case. */
int tree_add_later(Tree *t, int fd, uint64_t attributes, bool owned);

/* A detached mount that shows nothing, for a file or a directory; attaches it in front of target_fd. */
int tree_mask(Tree *t, int target_fd);

/* One node; the index finds its source. What it was doing is left in *ret_verb. */
int tree_make_node(Tree *t, size_t index, const char **ret_verb);
