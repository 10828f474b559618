/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * state — directories that a user's sandboxes keep, below /var/lib/immured and /var/cache/immured
 *
 * ROOT/UID/PROFILE/…/NAME: all but the last are root's alone, 0700 from UID on, so nobody else can put a link or other
 * directory in the way; the last is the user's. What lies in it is hostile, and only touched as the user.
 *
 * Runs in: exec, outside. Privilege: root, CAP_CHOWN. Input: the plan's paths; directories a hostile user has written.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* The directory of a node with PLAN_NODE_STATE, with O_PATH, made where there was none. -EPERM: somebody else's. */
int state_open(int root_fd, const PlanNode *node, uint32_t uid, uint32_t gid, Problem *problem);

/*
 * A place in such a directory to mount on, made empty where there is none, with the credentials of the caller. -ELOOP,
 * -ENOTDIR: something else of the user's stands there.
 */
int state_make_place(int state_fd, const char *path, bool is_directory);
