/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * layers — which of the walls that not every kernel has will stand around a sandbox
 *
 * Settled once, before there are two halves, so that both build and verify the same.
 *
 * Runs in: exec, outside. Privilege: none. Input: what the kernel says about itself.
 */

#include "confine/problem.h"
#include "plan/plan.h"

typedef struct Layers {
        unsigned landlock; /* the version of the kernel's interface; 0: not asked for, or done without */
        bool apparmor, selinux;
} Layers;

/*
 * What the plan asks for and this kernel enforces. What it asks for and the kernel does not have is a layer problem,
 * or done without where the plan's Degrade= says so.
 */
int layers_settle(const Plan *plan, Layers *ret, Problem *problem);
