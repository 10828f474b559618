/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * devices — which device nodes of the host a sandbox may have, one by one or as many as there are
 *
 * Six are for everybody. Others are handed in as far as the user has them outside, but never one that reaches people
 * elsewhere: a terminal, a console, memory.
 *
 * Runs in: exec, outside. Privilege: CAP_SETUID, CAP_SETGID in the initial user namespace for devices_add().
 * Input: paths are the plan's; what stands there is the machine's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

#include <sys/stat.h>

/*
 * Whether what was found for a node may come in. fd is open with O_PATH and st describes it. Call it with the user's
 * rights where the node is AS_USER. Errors set problem; a layer problem means that the user has it by a right that
 * does not reach through PrivateUsers=pick.
 */
int devices_check(int fd, const Plan *plan, const PlanNode *n, const struct stat *st, Problem *problem);

/*
 * In a plan with host_devices: adds a node for each character device in the host's /dev that devices_check() would
 * let in, with the directories it lies in, right after the sandbox's own /dev. Anything else there is passed over:
 * links, sockets, other file systems, disks. Sets problem; -E2BIG: more than a tree can hold.
 */
int devices_add(Plan *plan, Problem *problem);
