/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seed — an immured-exec started ahead, which forks where a launch would have to execute one (plan/launch.h)
 *
 * A convenience: without one, or with one that has died, sandboxes are started by spawn.h as well, only later.
 *
 * Life: the keeper's; one that ends is replaced at the next launch, if it ever worked.
 * Runs in: keeper. Privilege: root.
 * Input: the answers of a process that has seen nothing but the keeper's orders.
 */

#include "keeper/parts/spawn.h"

typedef struct Seed Seed;

/* Starts one. That it does not work is no error. The descriptors stay the caller's. */
int seed_new(Seed **ret, int exec_fd, int null_fd);
Seed *seed_free(Seed *s); /* takes NULL, returns NULL */

/*
 * As spawn() does. -ENOTCONN: there is none, and nothing was started. After other errors something may run in the
 * cgroup, but nothing in the sandbox will.
 */
int seed_spawn(Seed *s, const SpawnRequest *request, pid_t *ret_pid);

/* Whether this child was the seed; it must be reaped after. */
bool seed_ended(Seed *s, pid_t pid);
