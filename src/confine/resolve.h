/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * resolve — turns a path into a descriptor, without leaving a root or following a symbolic link that a user could
 * have made
 *
 * A link is followed only where root owns both it and its directory, and nobody else may create entries there. /home
 * may be a link of the admin's; but a user's own link in a bound directory would let the user choose what of the
 * host comes into a sandbox, or where in it a mount ends up. Magic links (/proc/PID/fd/…) are never followed.
 *
 * Runs in: exec. Privilege: that of the caller's file system ids. Input: paths are the plan's, the tree is hostile.
 */

#include "base/util.h"

#include <limits.h>
#include <sys/types.h>

/*
 * Opens an absolute, normalized path below root_fd with O_PATH; returns the fd. -EPERM: an untrusted link is on the
 * way; -ELOOP: too many trusted ones; -ENAMETOOLONG; -ENOENT, -ENOTDIR, -EACCES as in openat2(2). ret_has_links:
 * whether it led somewhere else than its text says; may be NULL.
 */
int resolve_path(int root_fd, const char *path, bool *ret_has_links);

/*
 * The same. ret_place tells where it led: the path without the links that were followed, also where nothing is there,
 * and with -EPERM that of the link.
 */
int resolve_place(int root_fd, const char *path, char ret_place[static PATH_MAX], bool *ret_has_links);

/*
 * Writes which link it is that -EPERM is about, and whose: "/home/alice/data is a symbolic link of user 3001". False:
 * it is about no link, or about none any more. seen_as: the owner that files of user uid have here.
 */
bool resolve_refused_link(int root_fd, const char *path, uid_t seen_as, uid_t uid, char *buf, size_t size);

/*
 * Opens a directory at such a path as ret_place, and mounts what an automount has for it: open(2) with O_PATH alone
 * does not. Waits for whoever serves the automount.
 */
int resolve_directory(int root_fd, const char *place);

/* The path of what fd refers to, as the kernel has it. */
int resolve_where(int fd, char ret[static PATH_MAX]);
