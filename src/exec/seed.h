/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seed — immured-exec started ahead of any launch, that forks where it would have been executed
 *
 * An execution costs a launch more than a fork of a process this small. What is forked has seen no plan: between
 * orders the seed holds its own program, and network namespaces that nobody has been in. As few things take the
 * kernel as long, it makes those while nothing is asked of it. Each is given away once, or unused after a while.
 *
 * Life: as long as the keeper's end of the socket. Runs in: exec. Privilege: the keeper's.
 * Input: orders of the keeper (plan/launch.h).
 */

#include "exec/exec.h"

/* What main() does for --seed. title: the words of the command line, to be written over. Returns the exit status. */
int seed_main(const Step *steps, char *title, size_t title_size);
