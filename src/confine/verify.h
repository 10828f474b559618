/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * verify — reads back what a sandbox really is, from outside through the host's /proc, before it is released
 *
 * Nothing is trusted that the other half of this program believes it has done. Every fact comes from the kernel,
 * about a process that has finished its last step and stands still. A difference from the plan ends the launch.
 *
 * Runs in: exec, outside. Privilege: root's, as owner of the sandbox's user namespace (so no CAP_SYS_PTRACE).
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

/* What the host has, to tell the sandbox's from it. */
typedef struct VerifyHost {
        ino_t namespaces[_NAMESPACE_MAX];
        char *cgroups;      /* the text of /proc/self/cgroup; goes with the process */
        unsigned n_filters; /* filters that this process itself runs under */
} VerifyHost;

/*
 * Two halves: the network namespace, before it is left; and the rest, which the outer half never leaves, while it
 * waits anyway.
 */
int verify_host_remember(VerifyHost *h, Problem *problem);
int verify_host_complete(VerifyHost *h, Problem *problem);

typedef struct Verification {
        const Plan *plan;
        uint32_t base; /* as in exec.h */
        uid_t owner;   /* of the sandbox's user namespace */
        const VerifyHost *host;
        const Layers *layers;
        Problem *problem;
} Verification;

/* Checks the init, which has dropped everything. -EBADE: a difference; problem says which. */
int verify_init(const Verification *v, pid_t leader);

/* Checks the process that becomes the application: a child of leader, or leader itself. Errors as above. */
int verify_application(const Verification *v, pid_t leader, pid_t main);

/* Writes the names of the layers that were found in force, separated by blanks. */
void verify_enforced(const Plan *plan, const Layers *layers, char *text, size_t size);
