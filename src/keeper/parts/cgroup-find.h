/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * cgroup-find — where the cgroup v2 hierarchy is mounted and where in it this process is, also on hybrid machines
 *
 * Runs in: keeper. Privilege: none. Input: /proc/self/mountinfo, /proc/self/cgroup (proc(5), cgroups(7)).
 */

#include "base/util.h"

/*
 * The unit's cgroup as /proc calls it ("/immured.slice/…"), which is that of this process without a last component
 * named keeper. -ENOMEDIUM: no cgroup v2. Caller frees.
 */
int cgroup_find_unit_path(const char *keeper, char **ret);

/* Its directory; *ret_inside: this process is in the keeper's cgroup below it already. */
int cgroup_find_unit(const char *keeper, char **ret, bool *ret_inside);
