/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tree-mask — what hides places of the tree: empty mounts without permissions, one in front of each
 *
 * A place may have several names, and lie in another one that is hidden as well. So all of them are looked up while
 * none of those that are asked for is hidden yet, and then each place gets one mask, whatever their order and number.
 *
 * Life: a part of the tree that is being built; tree_masks_done() at the end, however far it came.
 * Runs in: exec, inside. Privilege: that of its caller, see tree.h. Input: as tree.h.
 */

#include "base/util.h"

/* The root of a mask, as mountinfo shows it: the names are removed at the end, and the masks live on without. */
#define TREE_MASK_FILE "/.nothing-file"
#define TREE_MASK_DIRECTORY "/.nothing-directory"

typedef struct TreeMasked {
        int fd;
        char *place; /* its path without links */
} TreeMasked;

typedef struct TreeMasks {
        bool made;
        int fds[2]; /* an empty file and an empty directory on the first file system made here, once they are made */
        TreeMasked *later;
        size_t n_later;
} TreeMasks;

void tree_masks_done(TreeMasks *m);

/* Hides what target_fd refers to, a file or a directory, at once. A mask is left as it is. */
int tree_masks_hide(TreeMasks *m, int scratch_fd, int target_fd);

/* Notes that this place is to be hidden. Consumes the fd, on failure too. -ENOMEM. */
int tree_masks_add(TreeMasks *m, int fd, const char *place);

/* Hides the places that were noted, and removes the names of the masks. */
int tree_masks_finish(TreeMasks *m, int scratch_fd);
