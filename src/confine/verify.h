/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * verify — reads back, from outside and through the host's /proc, what a sandbox really is before it is let go
 *
 * Trusts nothing that the other half of this program believes it has done: every fact comes from the kernel, about a
 * process that stands still behind its last step. A difference to the plan ends the launch.
 *
 * Runs in: exec, outside. Privilege: root's, and owner of the sandbox's user namespace (so no CAP_SYS_PTRACE).
 */

#include "confine/problem.h"
#include "plan/plan.h"

#include <sys/stat.h>
#include <sys/types.h>

typedef enum Namespace {
        NAMESPACE_USER,
        NAMESPACE_PID,
        NAMESPACE_MOUNT,
        NAMESPACE_NETWORK,
        NAMESPACE_IPC,
        NAMESPACE_UTS,
        NAMESPACE_CGROUP,
        _NAMESPACE_MAX,
} Namespace;

/* What is the host's: remembered before the first step changes anything. */
typedef struct VerifyHost {
        ino_t namespaces[_NAMESPACE_MAX];
        char *cgroups;      /* /proc/self/cgroup */
        unsigned n_filters; /* system call filters that we live under ourselves */
} VerifyHost;

void verify_host_done(VerifyHost *h);
int verify_host_remember(VerifyHost *ret, Problem *problem);

/*
 * Compares the application (main) and, where the plan has one, the init (leader; otherwise the same process) with the
 * plan. Writes the names of the layers that were found in force into enforced, blanks between.
 */
int verify_sandbox(const Plan *plan,
                   uint32_t base,
                   const VerifyHost *host,
                   pid_t leader,
                   pid_t main,
                   char *enforced,
                   size_t size,
                   Problem *problem);
