/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/mountfd.h"

#include "plan/plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* clang-format off */
static const struct {
        uint32_t flag;
        uint64_t attribute;
} attributes_of[] = {
        { PLAN_NODE_READ_ONLY, MOUNT_ATTR_RDONLY },
        { PLAN_NODE_NO_DEV,    MOUNT_ATTR_NODEV  },
        { PLAN_NODE_NO_EXEC,   MOUNT_ATTR_NOEXEC },
};
/* clang-format on */

uint64_t mount_attributes(uint32_t node_flags) {
        uint64_t attributes = MOUNT_ATTR_NOSUID;

        for (size_t i = 0; i < ELEMENTSOF(attributes_of); i++)
                if (node_flags & attributes_of[i].flag)
                        attributes |= attributes_of[i].attribute;

        return attributes;
}

int mount_new(const char *type, const MountOption *options, uint64_t attributes) {
        _cleanup_close_ int fs = -EBADF;
        int fd;

        fs = fsopen(type, FSOPEN_CLOEXEC);
        if (fs < 0)
                return -errno;

        for (const MountOption *o = options; o && o->key; o++)
                if (fsconfig(fs, FSCONFIG_SET_STRING, o->key, o->value, 0) < 0)
                        return -errno;

        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;

        fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned) attributes);
        return fd < 0 ? -errno : fd;
}

int mount_clone(int fd, bool recursive) {
        unsigned flags =
                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
        int tree;

        tree = open_tree(fd, "", flags);
        return tree < 0 ? -errno : tree;
}

int mount_restrict(int mount_fd, uint64_t attributes, int userns_fd, bool recursive) {
        struct mount_attr attr = {
                .attr_set = attributes,
                .propagation = MS_PRIVATE,
        };

        if (userns_fd >= 0) {
                attr.attr_set |= MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t) userns_fd;
        }

        if (mount_setattr(
                    mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0)
                return -errno;

        return 0;
}

int mount_attach(int mount_fd, int target_fd) {
        if (move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;

        return 0;
}

int mount_identify(int fd, uint64_t *ret_id, bool *ret_is_root) {
        struct statx sx;

        /*
         * Without DONT_SYNC the server of a network or FUSE mount would be asked, and it need not answer. A FUSE mount
         * of a user's own refuses whoever asks for anything; the kernel tells the mount in any case.
         */
        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &sx) < 0)
                return -errno;
        if (!(sx.stx_mask & STATX_MNT_ID) || !(sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
                return -EOPNOTSUPP;

        *ret_id = sx.stx_mnt_id;
        if (ret_is_root)
                *ret_is_root = sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
        return 0;
}
