/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * mountfd — the mount API by descriptors: fsopen(2), open_tree(2), mount_setattr(2), move_mount(2) as one likes them
 *
 * Everything here works on descriptors, nothing on paths, so nobody can exchange what is meant between two calls.
 *
 * Runs in: exec. Privilege: CAP_SYS_ADMIN in the initial user namespace.
 */

#include "base/util.h"

typedef struct MountOption {
        const char *key;
        const char *value;
} MountOption;

/* MOUNT_ATTR_* for PLAN_NODE_* flags; every mount of a sandbox is nosuid. */
uint64_t mount_attributes(uint32_t node_flags);

/* A new file system with these options (an empty key ends them), mounted nowhere yet. Returns the mount's fd. */
int mount_new(const char *type, const MountOption *options, uint64_t attributes);

/* A detached copy of what fd stands for; recursive: with all that is mounted below. Returns the mount's fd. */
int mount_clone(int fd, bool recursive);

/*
 * Adds attributes, and cuts the mount off from its peers: what is mounted below it later must not show up on the host.
 * userns_fd: ids are translated through that user namespace (idmapped mount); -EBADF: they are not.
 */
int mount_restrict(int mount_fd, uint64_t attributes, int userns_fd, bool recursive);

/* Attaches a detached mount on what target_fd stands for. */
int mount_attach(int mount_fd, int target_fd);

/* The mount that fd lies on, as the first field of /proc/PID/mountinfo names it. is_root: fd is its very root. */
int mount_identify(int fd, uint64_t *ret_id, bool *ret_is_root);

/* The file system's type, out of the caller's own mount table; for messages. Writes "unknown" when in doubt. */
void mount_describe(int fd, char *buf, size_t size);
