/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * idmap — which groups of files an idmapped mount knows besides those of the application
 *
 * Through such a mount the kernel lets nobody change a file whose owner or group the mount's map does not know:
 * EACCES where it is written to, EOVERFLOW where it is removed (inode_permission() and may_delete() in fs/namei.c). A
 * user's tree may hold files of any group: somebody has given them away, or they were made in a directory with the
 * setgid bit. So the map of a mount knows every group, and each that is none of the application's as itself.
 *
 * That is no right of that group. No process of the sandbox is in it, and in the sandbox's own user namespace, which
 * is another one, it has no number: nothing can be given to it there (chown(2): EINVAL), and no capability counts for
 * its files (privileged_wrt_inode_uidgid() in kernel/capability.c).
 *
 * Owners are not extended in this way: what belongs to others stays theirs.
 *
 * Runs in: exec. Privilege: none. Input: the plan.
 */

#include "plan/plan.h"

/*
 * The groups of own, with base added to their ids outside, and all others that there is room for, the lower ones
 * first. Caller frees *ret, whose ids are the host's. -ERANGE: an id that does not exist; -ENOMEM.
 */
int idmap_groups(const PlanIdMap *own, size_t n_own, uint32_t base, PlanIdMap **ret, size_t *ret_n);

/* How many ranges the text of a map has room for: it is less than a page, and each takes at most 33 bytes. */
#define IDMAP_RANGES_MAX 120U
