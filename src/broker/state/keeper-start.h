/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper-start — a keeper as a process of ours, where there is no systemd to run it as a unit
 *
 * It gets its own session and its own cgroup and holds nothing of the broker, so that it lives on when the broker
 * dies.
 *
 * Runs in: broker. Privilege: root.
 */

#include "base/util.h"

#include <sys/types.h>

/*
 * Starts immured-keeper for the user inside the cgroup directory, open as cgroup_fd. Returns its pidfd, which the
 * caller closes, or negative errno of access(2) or clone3(2). What fails in the child is seen from its exit status.
 */
int keeper_spawn(uid_t uid, const char *cgroup, int cgroup_fd);
