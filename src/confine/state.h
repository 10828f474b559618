/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * state — directories that a user's sandboxes keep, in /var/lib/immured and /var/cache/immured
 *
 * ROOT/UID/PROFILE/…/NAME: all but the last belong to root, with mode 0700 from UID on, so nobody else can put a
 * link or another directory in the way. The last belongs to the user. What is in it is hostile, and is touched only
 * as the user.
 *
 * Runs in: exec, outside. Privilege: root, CAP_CHOWN. Input: the plan's paths; directories that a hostile user has
 * filled.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/*
 * Opens the directory of a node with PLAN_NODE_STATE, with O_PATH, and makes it if it does not exist. Returns the
 * fd. -EPERM: it belongs to somebody else.
 */
int state_open(int root_fd, const PlanNode *node, uint32_t uid, uint32_t gid, Problem *problem);

/*
 * Makes an empty mount point in such a directory if there is none, with the credentials of the caller. -ELOOP,
 * -ENOTDIR: the user has put something else there.
 */
int state_make_place(int state_fd, const char *path, bool is_directory);
