/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tree — the sandbox's root: an empty tmpfs, filled node by node, then all there is
 *
 * Mount points are made only on file systems that were made here: where the host's or a user's files are bound, what
 * does not exist is an error, so a plan can never create files outside.
 *
 * Runs in: exec, inside (own mount, PID and IPC namespaces, still root). Privilege: CAP_SYS_ADMIN, CAP_CHOWN,
 * CAP_DAC_READ_SEARCH in the initial user namespace, and CAP_DAC_OVERRIDE for the mount of an overlay.
 * Input: the plan; bound trees may be a hostile user's.
 */

#include "confine/mountfd.h"
#include "confine/problem.h"
#include "confine/sources.h"
#include "plan/plan.h"

/*
 * Builds the plan's tree on sources, and makes it the root of this mount namespace; the old one is gone from it.
 * base as in launch.h; socket_fd: the one for notifications, -EBADF where the plan has none. The sources may be freed
 * and the socket closed afterwards.
 */
int tree_enter(const Plan *plan, const Sources *sources, uint32_t base, int socket_fd, Problem *problem);

/* The options a node's /proc is mounted with, and shows in the mount table; proc(5). An empty key ends them. */
#define TREE_PROC_OPTIONS_MAX 2
void tree_proc_options(const PlanNode *n, MountOption ret[static TREE_PROC_OPTIONS_MAX + 1]);
