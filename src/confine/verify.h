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

#include "confine/layers.h"
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

/* What is the host's, to tell it from the sandbox's. */
typedef struct VerifyHost {
        ino_t namespaces[_NAMESPACE_MAX];
        char *cgroups;      /* /proc/self/cgroup */
        unsigned n_filters; /* system call filters that we live under ourselves */
} VerifyHost;

void verify_host_done(VerifyHost *h);
/* The network namespace, before it is left; and the rest, which the outer half never leaves, while it has to wait. */
int verify_host_remember(VerifyHost *h, Problem *problem);
int verify_host_complete(VerifyHost *h, Problem *problem);

typedef struct Verification {
        const Plan *plan;
        uint32_t base; /* as in exec.h, id_base */
        uid_t owner;   /* of the sandbox's user namespace */
        const VerifyHost *host;
        const Layers *layers;
        Problem *problem;
} Verification;

/* The init, which has dropped everything. */
int verify_init(const Verification *v, pid_t leader);

/* The application, a child of leader or leader itself. */
int verify_application(const Verification *v, pid_t leader, pid_t main);

/* The names of the layers that were found in force, blanks between. */
void verify_enforced(const Plan *plan, const Layers *layers, char *text, size_t size);
