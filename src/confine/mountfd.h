/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * mountfd — the mount API by descriptors: fsopen(2), open_tree(2), mount_setattr(2), move_mount(2)
 *
 * Everything here works on descriptors and nothing on paths, so nobody can exchange a file between two calls.
 * Functions return 0 or an fd, or the negative errno of the call that failed.
 *
 * Runs in: exec. Privilege: CAP_SYS_ADMIN in the initial user namespace.
 */

#include "base/util.h"

typedef struct MountOption {
        const char *key;
        const char *value;
} MountOption;

/* MOUNT_ATTR_* for PLAN_NODE_* flags. Every mount of a sandbox is nosuid. */
uint64_t mount_attributes(uint32_t node_flags);

/* A new file system with these options, mounted nowhere yet. An empty key ends the list. Returns the mount's fd. */
int mount_new(const char *type, const MountOption *options, uint64_t attributes);

/*
 * A detached copy of what fd refers to; recursive: with everything that is mounted below it. Returns the mount's fd.
 */
int mount_clone(int fd, bool recursive);

/*
 * Adds attributes and cuts the mount off from its peers, or what is mounted below it later would show up on the
 * host. userns_fd: ids are translated through this user namespace (idmapped mount, Linux 5.12); -EBADF: they are
 * not.
 */
int mount_restrict(int mount_fd, uint64_t attributes, int userns_fd, bool recursive);

/* Attaches a detached mount to what target_fd refers to. */
int mount_attach(int mount_fd, int target_fd);

/*
 * The id of the mount that fd is on, the first field of /proc/PID/mountinfo. is_root (may be NULL): fd is the
 * mount's root. -EOPNOTSUPP: the kernel does not say (statx(2) before Linux 5.8).
 */
int mount_identify(int fd, uint64_t *ret_id, bool *ret_is_root);
