/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * layers — which of the walls that not every kernel offers will stand around a sandbox
 *
 * Settled once, before the process splits in two, so that both halves build and verify the same.
 *
 * Runs in: exec, outside. Privilege: none. Input: what the kernel says about itself.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* What keeps files in memory from being executed. */
typedef enum MemoryWall {
        MEMORY_WALL_NONE, /* not wanted */
        MEMORY_WALL_KERNEL,
        MEMORY_WALL_FILTER, /* there are none: the kernel cannot, so the filter refuses memfd_create(2) */
} MemoryWall;

typedef struct Layers {
        unsigned landlock; /* the kernel's version of it; 0: not wanted, or done without */
        bool apparmor, selinux;
        MemoryWall memory;
} Layers;

/*
 * What the plan asks for and this kernel enforces. A layer that it asks for and the kernel lacks is a layer problem,
 * or is left out where the plan's Degrade= allows.
 */
int layers_settle(const Plan *plan, Layers *ret, Problem *problem);
