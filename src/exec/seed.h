/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seed — an immured-exec that is started ahead of any launch, and forks where it would have been executed
 *
 * Executing a program costs a launch more than forking a process this small. Between orders the seed holds its own
 * program, the plan of the last order, and network namespaces that nobody has been in. The kernel takes longer for
 * those than for most things, so they are made while nothing is asked for. Each is given away once, or thrown away
 * after a while.
 *
 * The plan is decoded before the fork, so that a launch that repeats the last one inherits it. Nothing is risked by
 * that: the keeper, as privileged and as long-lived as the seed, has decoded the same bytes before it gives an order.
 *
 * Life: until the keeper closes its end of the socket. Runs in: exec. Privilege: the keeper's.
 * Input: orders of the keeper (plan/launch.h); plans, checked as if hostile.
 */

#include "exec/exec.h"

/*
 * What main() does for --seed. title: the words of the command line, which will be overwritten. Returns the exit
 * status.
 */
int seed_main(const Step *steps, char *title, size_t title_size);
