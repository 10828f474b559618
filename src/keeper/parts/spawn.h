/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * spawn — immured-exec, started in a sandbox's cgroup with nothing of the keeper's but what plan/launch.h lists
 *
 * The binary is copied once into a sealed memfd and executed from there, so that an upgrade on disk never mixes
 * versions and nobody who gets at /proc/PID/exe can change what the next sandbox runs.
 *
 * What PID 1 set for the keeper must not reach an application: signal dispositions and mask, umask, directory,
 * environment, scheduling, OOM score and resource limits are put back to the kernel's defaults here. What cannot be
 * put back (no_new_privs, seccomp, the bounding set) must not be set in the keeper's unit.
 *
 * Life: the copy from start to end. Runs in: keeper. Privilege: root. Input: none.
 */

#include "base/util.h"
#include "plan/launch.h"

#include <sys/types.h>

typedef struct SpawnRequest {
        const char *title; /* for ps(1), which everybody may run: no name of a profile */
        uint32_t id_block;
        int cgroup_fd;           /* negative: the keeper's own */
        int fds[_LAUNCH_FD_END]; /* by their number in the child; negative: closed there */
} SpawnRequest;

/* The sealed, executable copy of a binary, or negative errno: -EACCES: not a file; -EFBIG. Caller closes it. */
int spawn_load(const char *path);

/*
 * Starts it and returns once execveat(2) has succeeded, so that its errors are the caller's to hear. The caller reaps
 * the child. After an error nothing runs and nothing is left to reap. spawn_with() takes other arguments.
 */
int spawn(int exec_fd, const SpawnRequest *request, pid_t *ret_pid);
int spawn_with(int exec_fd, const SpawnRequest *request, char *const *argv, pid_t *ret_pid);
