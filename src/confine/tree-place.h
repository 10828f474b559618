/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tree-place — a root while it is being built: where something goes in it, and what may be made there
 *
 * Nothing is made but on file systems that were made here. What tree.c needs of them waits until the last node: an
 * owner who is not root, and a mount that is to be read-only.
 *
 * Life: tree_done() at the end, whatever was reached.
 *
 * Runs in: exec, inside. Privilege: none of its own.
 */

#include "confine/sources.h"
#include "plan/plan.h"

#include <limits.h>

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
        int socket_fd;  /* for notifications, to be given its place; the caller's */
        int scratch_fd; /* the first file system made here; the root itself, unless that is an overlay */

        int parent_fd; /* the directory of the last target, for the next; -EBADF: none */
        char parent[PATH_MAX];

        uint64_t *own_mounts; /* file systems made here: mount points may be made on them */
        size_t n_own_mounts;

        TreeLater *later;
        size_t n_later;

        int mask_fds
                [2]; /* an empty file and an empty directory, without any permission; -EBADF: not needed */
} Tree;

void tree_done(Tree *t);

/* RootEphemeral=: what is root's in the directory below the root is the application's here. */
bool tree_root_is_users(const Tree *t);

/* Opens what stands at the target. -ENOENT and the errors of resolve_path(). */
int tree_open(const Tree *t, const char *target);

/*
 * Make what is not there yet, with the directories above it, on file systems made here; -ENOENT elsewhere, -EEXIST.
 * The first two return a descriptor: with O_PATH for a directory, for writing to a file.
 */
int tree_make_directory(Tree *t, const char *target, mode_t mode);
int tree_make_file(Tree *t, const char *target, mode_t mode);
int tree_make_symlink(Tree *t, const char *target, const char *text);

/*
 * The directory that the target lies in, made where that is allowed; -ENOENT unless it is on a file system of ours.
 * The descriptor stays the tree's, *ret_name points into target.
 */
int tree_open_parent(Tree *t, const char *target, const char **ret_name);

/* Takes a file or link away that stands in the place of one to be made; nothing there is fine. */
int tree_remove(Tree *t, const char *target);

/* Attaches a detached mount; the mount point is made, empty, where it does not exist and that is allowed. */
int tree_attach(Tree *t, int mount_fd, const char *target, bool is_directory);

/* The mount fd becomes the tree's: its file system was made here. */
int tree_add_own_mount(Tree *t, int mount_fd);

/* Takes the fd in any case. */
int tree_add_later(Tree *t, int fd, uint64_t attributes, bool owned);

/*
 * Does what had to wait; nothing more is made then, but on the root. Before copies of mounts are taken, which stay
 * what the originals are at that moment.
 */
int tree_seal(Tree *t);

/* A detached mount that shows nothing, for a file or a directory; attaches it in front of target_fd. */
int tree_mask(Tree *t, int target_fd);

/* The names that masks had; the masks themselves stay. */
int tree_remove_masks(const Tree *t);
