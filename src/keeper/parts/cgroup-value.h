/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * cgroup-value — whether what the kernel shows of a limit is what was written
 *
 * It shows most values in words of its own: sizes in whole pages, devices with all of their limits.
 *
 * Runs in: keeper. Privilege: none. Input: the plan's values and the kernel's (cgroup-v2.rst).
 */

#include "base/util.h"

/* Whether reading text back from file means that the wanted value is in force. */
bool cgroup_value_matches(const char *file, const char *wanted, const char *text);

/* Whether all of a set of CPUs or memory nodes ("0-3,5", cpuset(7)) is in another one; false for no set. */
bool cgroup_set_is_within(const char *set, const char *allowed);
