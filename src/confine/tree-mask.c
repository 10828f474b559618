/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/tree-mask.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/mountfd.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Below the directory of the first file system. */
static const char *const names[] = { &TREE_MASK_FILE[1], &TREE_MASK_DIRECTORY[1] };

void tree_masks_done(TreeMasks *m) {
        for (size_t i = 0; m->made && i < ELEMENTSOF(m->fds); i++)
                (void) safe_close(m->fds[i]);
        for (size_t i = 0; i < m->n_later; i++) {
                (void) safe_close(m->later[i].fd);
                free(m->later[i].place);
        }
        free(m->later);
        *m = (TreeMasks){};
}

static int make_masks(TreeMasks *m, int scratch_fd) {
        _cleanup_close_ int file = -EBADF, directory = -EBADF;

        file = openat(scratch_fd, names[0], O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
        if (file < 0)
                return -errno;

        if (mkdirat(scratch_fd, names[1], 0) < 0)
                return -errno;
        directory = openat(scratch_fd, names[1], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory < 0)
                return -errno;

        *m = (TreeMasks){
                .made = true,
                .fds = { TAKE_FD(file), TAKE_FD(directory) },
                .later = m->later,
                .n_later = m->n_later,
        };
        return 0;
}

/* Whether it is this file, by whatever mount. */
static int is_same_file(int fd, const struct stat *st) {
        struct stat other;

        if (fstat(fd, &other) < 0)
                return -errno;

        return st->st_dev == other.st_dev && st->st_ino == other.st_ino;
}

int tree_masks_hide(TreeMasks *m, int scratch_fd, int target_fd) {
        _cleanup_close_ int mask = -EBADF;
        struct stat st;
        int r;

        if (fstat(target_fd, &st) < 0)
                return -errno;
        r = m->made ? 0 : make_masks(m, scratch_fd);
        if (r < 0)
                return r;
        /* On itself it would be a mount point, whose name cannot be removed. */
        r = is_same_file(m->fds[S_ISDIR(st.st_mode)], &st);
        if (r != 0)
                return MIN(r, 0);

        mask = mount_clone(m->fds[S_ISDIR(st.st_mode)], false);
        if (mask < 0)
                return mask;

        r = mount_restrict(mask,
                           MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                           -EBADF,
                           false);
        if (r < 0)
                return r;

        return mount_attach(mask, target_fd);
}

int tree_masks_add(TreeMasks *m, int fd, const char *place) {
        _cleanup_close_ int owned = fd;
        _cleanup_free_ char *copy = strdup(place);
        TreeMasked *grown = reallocarray(m->later, m->n_later + 1, sizeof(*grown));

        if (grown)
                m->later = grown;
        if (!grown || !copy)
                return -ENOMEM;

        m->later[m->n_later++] = (TreeMasked){ .fd = TAKE_FD(owned), .place = TAKE_PTR(copy) };
        return 0;
}

/* Whether another one hides it: one above it, or the first of several at the same place. */
static bool is_hidden_by_another(const TreeMasks *m, size_t i) {
        for (size_t k = 0; k < m->n_later; k++)
                if (k != i && path_is_below(m->later[i].place, m->later[k].place) &&
                    (k < i || !streq(m->later[i].place, m->later[k].place)))
                        return true;

        return false;
}

int tree_masks_finish(TreeMasks *m, int scratch_fd) {
        for (size_t i = 0; i < m->n_later; i++) {
                int r = is_hidden_by_another(m, i) ? 0 : tree_masks_hide(m, scratch_fd, m->later[i].fd);

                if (r < 0)
                        return r;
        }

        for (size_t i = 0; m->made && i < ELEMENTSOF(names); i++)
                if (unlinkat(scratch_fd, names[i], i == 1 ? AT_REMOVEDIR : 0) < 0)
                        return -errno;

        return 0;
}
