/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * verify-mounts — a sandbox's mount table against the plan's tree
 *
 * Every mount must be explained by a node of the plan, and be at least as narrow as the node says; every node that
 * mounts must be there.
 *
 * Runs in: exec, outside. Privilege: as verify.h. Input: the table's paths may be a hostile user's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* proc_fd: the process' directory in the host's /proc. */
int verify_mounts(const Plan *plan, int proc_fd, Problem *problem);
