/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sources — what of the host comes into a sandbox, as detached mounts
 *
 * Opened and copied in the host's mount namespace, before there is another one. What a user may influence is looked up
 * with that user's rights; from then on only descriptors count, so nothing can be exchanged behind the look-up.
 *
 * Runs in: exec, outside. Privilege: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID in the initial user namespace.
 * Input: paths are the plan's, the files there may be a hostile user's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

typedef struct Source {
        int fd; /* a detached mount; -EBADF: the node has no source, or an optional one that does not exist */
        bool is_directory;
} Source;

/* One for each node of the plan, in their order. */
typedef struct Sources {
        size_t n;
        Source items[];
} Sources;

Sources *sources_free(Sources *s); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Sources *, sources_free);

/*
 * userns_fd serves the idmapped mounts, base is where the host ids of the sandbox begin, owner whose
 * user namespaces are made here. Marks the plan's nodes whose
 * source is not there, PLAN_NODE_ABSENT. A layer problem: a file system that cannot be idmapped.
 */
int sources_new(Sources **ret, Plan *plan, int userns_fd, uint32_t base, uid_t owner, Problem *problem);
