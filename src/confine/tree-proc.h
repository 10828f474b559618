/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tree-proc — the /proc of a sandbox: its processes, and of the machine what is no secret
 *
 * Runs in: exec, inside; the options also outside. Privilege: that of its caller, see tree.h. Input: the plan.
 */

#include "confine/mountfd.h"
#include "confine/tree-place.h"
#include "plan/plan.h"

/* Makes node i of the plan, a PLAN_NODE_PROC. */
int tree_make_proc(Tree *t, size_t i);

/* The options that a node's /proc is mounted with and shows in the mount table, proc(5). An empty key ends them. */
#define TREE_PROC_OPTIONS_MAX 2
void tree_proc_options(const PlanNode *n, MountOption ret[static TREE_PROC_OPTIONS_MAX + 1]);
