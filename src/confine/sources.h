/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sources — what comes into a sandbox from the host, as detached mounts
 *
 * Opened and copied in the host's mount namespace, before there is another one. What a user can influence is looked
 * up with that user's rights. From then on only descriptors count, so nothing can be exchanged after it was looked
 * up.
 *
 * Runs in: exec, outside. Privilege: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID in the initial user namespace.
 * Input: paths are the plan's; the files there may be a hostile user's.
 */

#include "confine/problem.h"
#include "confine/source-copy.h"
#include "plan/plan.h"

/* One for each node of the plan, in the same order. */
typedef struct Sources {
        size_t n;
        Source items[];
} Sources;

Sources *sources_free(Sources *s); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Sources *, sources_free);

/*
 * base as in exec.h; owner owns the user namespaces that are made here, for idmapped mounts. Sets PLAN_NODE_ABSENT
 * on nodes whose optional source is missing. A layer problem: a file system that does not support idmapped mounts.
 */
int sources_new(Sources **ret, Plan *plan, uint32_t base, uid_t owner, Problem *problem);
