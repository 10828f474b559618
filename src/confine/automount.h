/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * automount — has what is mounted on demand mounted, before it is looked for
 *
 * Whoever serves an automount is told the real uid of the process that asks, autofs(5), and may choose by it what to
 * mount. So a process asks that is the user's altogether, and made for that alone. It may wait for as long as it is
 * not answered; the deadline of the launch ends both.
 *
 * Runs in: exec, outside. Privilege: CAP_SETUID, CAP_SETGID in the initial user namespace.
 * Input: the path is the plan's; the server may be a hostile user's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* Nothing to be done where the path leads through no automount, or through those alone that are mounted already. */
int automount_trigger(const Plan *plan, int root_fd, const char *path, Problem *problem);
