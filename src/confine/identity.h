/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * identity — uids, gids and groups: the user's while files are opened, the sandbox's for good
 *
 * Runs in: exec. Privilege: CAP_SETUID, CAP_SETGID of the initial user namespace, or all of the sandbox's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* The host's id for an id inside; base as in plan/launch.h. -EINVAL: it is not mapped, or beyond the last id. */
int identity_outside(const PlanIdMap *map, size_t n, uint32_t base, uint32_t inside, uint32_t *ret);

/* What identity_borrow() put aside. */
typedef struct Identity {
        gid_t *groups;
        size_t n_groups;
        uid_t fsuid;
        gid_t fsgid;
} Identity;

/*
 * From here on files are looked up with the rights of the plan's user: their groups and file system ids,
 * setfsuid(2). That call also takes CAP_DAC_OVERRIDE and its like out of the effective set. Unlike seteuid(2) it
 * does not change who may signal or trace this process. FUSE looks at the other ids too, so a mount that the user
 * made for themselves alone stays closed.
 */
int identity_borrow(const Plan *plan, Identity *ret, Problem *problem);
/*
 * Back to root. Passes on the result of what was done meanwhile, if it was an error. Its own must end the launch:
 * this process would go on as the wrong user.
 */
int identity_return(Identity *identity, int result, Problem *problem);

/* Files made from here on belong to these ids and are made with their rights. (0, 0) is root again. -EPERM. */
int identity_make_as(uint32_t uid, uint32_t gid);

/*
 * Sets the plan's supplementary groups, by the host's numbers. Before the user namespace is entered, which denies
 * setgroups(2).
 */
int identity_set_groups(const Plan *plan, uint32_t base, Problem *problem);

/* Sets the plan's ids, inside the sandbox's user namespace. The capabilities are kept until caps_apply() ends them. */
int identity_set_ids(const Plan *plan, Problem *problem);
