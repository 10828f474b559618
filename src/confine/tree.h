/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tree — the sandbox's root: an empty tmpfs that is filled node by node and then becomes all there is
 *
 * Mount points are made only on file systems that were made here. Where files of the host or of a user are bound, a
 * missing mount point is an error, so no plan can create files outside.
 *
 * Runs in: exec, inside (own mount, PID and IPC namespaces, still root). Privilege: CAP_SYS_ADMIN, CAP_CHOWN and
 * CAP_DAC_READ_SEARCH in the initial user namespace, and CAP_DAC_OVERRIDE for the mount of an overlay.
 * Input: the plan; bound trees may be a hostile user's.
 */

#include "confine/problem.h"
#include "confine/sources.h"
#include "plan/plan.h"

/*
 * Builds the plan's tree from sources and makes it the root of this mount namespace, without the old one. base as in
 * plan/launch.h; socket_fd: the socket for notifications, -EBADF where the plan has none. Afterwards the sources can
 * be freed and the socket closed. Errors set problem.
 */
int tree_enter(const Plan *plan, const Sources *sources, uint32_t base, int socket_fd, Problem *problem);
