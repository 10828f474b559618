/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * rlimits — the plan's resource limits, setrlimit(2)
 *
 * In two halves. Raising a hard limit takes CAP_SYS_RESOURCE in the initial user namespace, so that comes early; but
 * the limits themselves must not hold yet for what this program still has to do.
 *
 * Runs in: exec. Privilege: see each function.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* Raises hard limits where the plan's are higher and leaves the soft ones alone. Only that takes CAP_SYS_RESOURCE. */
int rlimits_raise(const Plan *plan, Problem *problem);

/* Sets all limits of the plan, and the usual soft limit of descriptors where the plan has none. Needs no privilege. */
int rlimits_apply(const Plan *plan, Problem *problem);

/* The name of a limit: "RLIMIT_NOFILE". Static text. */
const char *rlimit_name(unsigned resource);

/*
 * Whether the text of another process' /proc/PID/limits says what the plan does; that file and not prlimit(2), which
 * takes CAP_SYS_RESOURCE for a process of other ids. Below its heading there is a line for each resource in the order
 * of their numbers: name, soft limit, hard limit (proc_pid_limits(5)). A difference is a problem of verification.
 */
int rlimits_compare(const Plan *plan, const char *limits, Problem *problem);
