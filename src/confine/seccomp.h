/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp — loads the plan's system call filter, and no_new_privs without which it could not be
 *
 * Runs in: exec, in the process that becomes the application. Privilege: none.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* prctl(2) PR_SET_NO_NEW_PRIVS: for good, and for all children. */
int seccomp_no_new_privileges(Problem *problem);

/*
 * The filter, seccomp(2). Afterwards only what the plan's policy allows can be called; this program then needs read,
 * write, execve and exit_group. A plan without a filter is refused unless it may do without the layer.
 */
int seccomp_load(const Plan *plan, Problem *problem);
