/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * rlimits — the plan's resource limits, setrlimit(2)
 *
 * In two halves, because raising a hard limit asks for CAP_SYS_RESOURCE of the initial user namespace, while the
 * limits themselves must not yet hold for what this program still has to do.
 *
 * Runs in: exec. Privilege: see each function.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* Raises hard limits where the plan's are above; the soft ones stay. Needs CAP_SYS_RESOURCE only then. */
int rlimits_raise(const Plan *plan, Problem *problem);

/* All of the plan's limits, and the usual soft limit of descriptors where the plan has none. Needs nothing. */
int rlimits_apply(const Plan *plan, Problem *problem);

/* What a planned limit is called: "RLIMIT_NOFILE". Static text. */
const char *rlimit_name(unsigned resource);
