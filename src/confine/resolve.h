/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * resolve — a path to a descriptor, never out of a root, never over a symbolic link that a user could have laid
 *
 * A link is followed only when root owns both it and the directory it lies in, and nobody else may put entries there:
 * /home may be a link of the admin's, but a user's own link in a bound directory would let the user choose what of the
 * host comes into a sandbox, or where in the sandbox a mount ends up. Magic links (/proc/PID/fd/…) are never followed.
 *
 * Runs in: exec. Privilege: that of the caller's file system ids. Input: paths are the plan's, the tree is hostile.
 */

#include "base/util.h"

/*
 * Opens an absolute, normalized path below root_fd with O_PATH; returns the fd. -EPERM: an untrusted link is on the
 * way; -ELOOP: too many trusted ones; -ENAMETOOLONG; -ENOENT, -ENOTDIR, -EACCES as openat2(2). ret_has_links: whether
 * the path's text is not where it led to; may be NULL.
 */
int resolve_path(int root_fd, const char *path, bool *ret_has_links);
