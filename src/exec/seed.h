/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seed — an immured-exec that is started ahead of any launch, and forks where it would have been executed
 *
 * Executing a program costs a launch more than forking a process this small. The seed has seen no plan: between
 * orders it holds its own program, and network namespaces that nobody has been in. The kernel takes longer for those
 * than for most things, so they are made while nothing is asked for. Each is given away once, or thrown away after a
 * while.
 *
 * Life: until the keeper closes its end of the socket. Runs in: exec. Privilege: the keeper's.
 * Input: orders of the keeper (plan/launch.h).
 */

#include "exec/exec.h"

/*
 * What main() does for --seed. title: the words of the command line, which will be overwritten. Returns the exit
 * status.
 */
int seed_main(const Step *steps, char *title, size_t title_size);
