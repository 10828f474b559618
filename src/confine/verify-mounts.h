/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * verify-mounts — compares a sandbox's mount table with the plan's tree
 *
 * Every mount must be explained by a node of the plan and be at least as narrow as the node says. Every node that
 * mounts something must be found.
 *
 * Runs in: exec, outside. Privilege: as verify.h. Input: paths in the table may be a hostile user's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* proc_fd: the directory of the process in the host's /proc. -EBADE: a difference; problem says which. */
int verify_mounts(const Plan *plan, int proc_fd, Problem *problem);
