/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * devices — which device nodes of the host a sandbox may have, one by one or all that there are
 *
 * Six are for everyone. Others are handed out as far as the user has them outside, and never one that leads to who
 * sits elsewhere: a terminal, a console, memory.
 *
 * Runs in: exec, outside. Privilege: CAP_SETUID, CAP_SETGID in the initial user namespace for devices_add().
 * Input: paths are the plan's; what stands there is the machine's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

#include <sys/stat.h>

/*
 * Whether what was found for the node may come in; fd with O_PATH, st is of it. To be asked with the user's rights
 * where the node is AS_USER. A layer problem: rights that PrivateUsers=pick does not carry.
 */
int devices_check(int fd, const Plan *plan, const PlanNode *n, const struct stat *st, Problem *problem);

/*
 * For a plan with host_devices: adds a node for each character device in the host's /dev that devices_check() would
 * let in, right behind the sandbox's own /dev, with the directories they lie in. The host's other things there are not
 * looked at: links, sockets, file systems, disks. -E2BIG: more than a tree can hold.
 */
int devices_add(Plan *plan, Problem *problem);
