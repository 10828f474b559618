/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * identity — uids, gids and groups: the user's for opening files, the sandbox's for good
 *
 * Runs in: exec. Privilege: CAP_SETUID, CAP_SETGID of the initial user namespace, or all of the sandbox's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* The host's id for an id inside; base as in launch.h. -EINVAL: not mapped, or past the end of the ids. */
int identity_outside(const PlanIdMap *map, size_t n, uint32_t base, uint32_t inside, uint32_t *ret);

/* What identity_borrow() put aside. */
typedef struct Identity {
        gid_t *groups; /* NULL: nothing is borrowed */
        size_t n_groups;
        uid_t fsuid;
        gid_t fsgid;
} Identity;

/*
 * From here on files are looked up with the rights of the plan's user: file system ids (setfsuid(2), which also takes
 * the overrides out of the effective set) and groups. Signals and ptrace see no change. A FUSE mount that the user
 * made for nobody else stays closed.
 */
int identity_borrow(const Plan *plan, Identity *ret, Problem *problem);
/* Back to root; takes one that was never borrowed. An error must end the launch. */
int identity_return(Identity *identity, Problem *problem);

/* Files made from here on belong to these ids and are made with their rights; (0, 0): root's again. */
int identity_make_as(uint32_t uid, uint32_t gid);

/* The plan's supplementary groups as the host counts them: before the user namespace, which denies setgroups(2). */
int identity_set_groups(const Plan *plan, uint32_t base, Problem *problem);

/* The plan's ids, in the sandbox's user namespace; keeps the permitted capabilities, caps_apply() ends them. */
int identity_set_ids(const Plan *plan, Problem *problem);
