/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seed-process — an immured-exec started ahead, which forks where a launch would have to execute one (plan/launch.h)
 *
 * A convenience: without one, or with one that has died, sandboxes are started by spawn.h as well, only later.
 *
 * Life: the keeper's; one that ends is replaced at the next launch, if it ever worked.
 * Runs in: keeper. Privilege: root.
 * Input: the answers of a process that has seen nothing but the keeper's orders and the plans they bring.
 */

#include "keeper/parts/spawn.h"

typedef struct SeedProcess SeedProcess;

/* Starts one. That it does not work is no error. The descriptors stay the caller's. */
int seed_process_new(SeedProcess **ret, int exec_fd, int null_fd);
SeedProcess *seed_process_free(SeedProcess *s); /* takes NULL, returns NULL */

/*
 * As spawn() does. -ENOTCONN: there is none, and nothing was started. After other errors something may run in the
 * cgroup, but nothing in the sandbox will.
 */
int seed_process_spawn(SeedProcess *s, const SpawnRequest *request, pid_t *ret_pid);

/* Whether this child was the seed; it must be reaped after. */
bool seed_process_ended(SeedProcess *s, pid_t pid);
