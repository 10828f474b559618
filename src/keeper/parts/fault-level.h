/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fault-level — how often the limits of one cgroup were hit, and by how much
 *
 * Only what happened at this very cgroup: the ".local" files, as the others count what lies below, too. Kernels before
 * 6.11 have no pids.events.local: there pids.events counts the forks that failed in this cgroup, whoever's limit it
 * was, so that of a cgroup without processes counts nothing.
 *
 * Runs in: keeper. Privilege: none. Input: the files of Documentation/admin-guide/cgroup-v2.rst; what is missing is 0.
 */

#include "keeper/parts/fault.h"

typedef struct LevelCounts {
        uint64_t memory_high, memory_max;
        uint64_t oom;       /* how often this cgroup's limit left no memory */
        uint64_t oom_kills; /* processes of this cgroup that were killed, whoever's limit it was */
        uint64_t tasks_max;
        uint64_t throttled, throttled_usec;
} LevelCounts;

/* The files whose change is worth a look. NULL behind the last. */
extern const char *const level_files[];

LevelCounts level_read(int fd);

/* How much of a resource it has in use now, or had at most, and its limit; limit 0: it has none. */
void level_amounts(int fd, FaultResource resource, uint64_t *ret_value, uint64_t *ret_limit);

/* Whether tasks_max counts by whose limit it was, and not by who wanted a task. */
bool level_knows_whose_tasks(int fd);

/* Whether its use of the processor is limited. */
bool level_has_quota(int fd);

/* How many more tasks it takes; UINT64_MAX: as many as there may be. */
uint64_t level_tasks_left(int fd);
