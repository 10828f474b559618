/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp — loads the plan's system call filter, after no_new_privs, which the kernel requires for it
 *
 * Runs in: exec, in the process that becomes the application. Privilege: none.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* prctl(2) PR_SET_NO_NEW_PRIVS: cannot be undone, and children inherit it. */
int seccomp_no_new_privileges(Problem *problem);

/*
 * Loads the filter, seccomp(2); with no_memfd it refuses memfd_create(2), too. Afterwards only what the plan's policy
 * allows can be called; this program still needs read, write, execve and exit_group. A plan without a filter is a
 * layer problem unless Degrade= has "seccomp".
 */
int seccomp_load(const Plan *plan, bool no_memfd, Problem *problem);
