/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * label — the AppArmor profile or SELinux context that the application gets with its first instruction
 *
 * Asked for through /proc/self/attr, takes effect at execve(2), which fails where the policy does not let this
 * transition happen. Under no_new_privs AppArmor lets an unconfined process change to any profile, and a confined one
 * only to less than it has; SELinux wants nnp_transition and, as every mount of a sandbox is nosuid,
 * nosuid_transition. So the keeper has to run unconfined, or under a policy that knows of this.
 *
 * Runs in: exec, in the process that becomes the application. Privilege: none. Input: the kernel's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

typedef enum LabelKind {
        LABEL_APPARMOR,
        LABEL_SELINUX,
        _LABEL_KIND_MAX,
} LabelKind;

/* As Degrade= names it. */
const char *label_layer(LabelKind kind);
/* The plan's, or NULL. */
const char *label_of(const Plan *plan, LabelKind kind);

/* Whether the kernel has that module and enforces its policy, as the file system below root_fd says. */
bool label_is_enforced(LabelKind kind, int root_fd);

/* /proc/self/attr, for sure of the kernel's own procfs; returns the fd. */
int label_open(Problem *problem);

/* Asks for the label. -ENOENT, -EINVAL with a layer problem: the policy has no such profile or context. */
int label_set(LabelKind kind, int attr_fd, const char *label, Problem *problem);

/*
 * Reads back what was asked for; attr_fd is the caller's own for AppArmor, which tells nobody else. A profile that
 * only complains counts as a difference.
 */
int label_check(LabelKind kind, int attr_fd, const char *label, Problem *problem);
