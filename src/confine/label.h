/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * label — the AppArmor profile or SELinux context that the application has from its first instruction
 *
 * Requested through /proc/self/attr; it takes effect at execve(2), which fails where the policy forbids the
 * transition. Under no_new_privs AppArmor lets an unconfined process change to any profile, and a confined one only
 * to less than it has. SELinux wants the permission nnp_transition and, since every mount of a sandbox is nosuid,
 * nosuid_transition. So the keeper has to run unconfined, or under a policy that allows for this.
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

/* The name of the layer in Degrade=. Static text. */
const char *label_layer(LabelKind kind);
/* The plan's label of this kind, or NULL. The plan owns it. */
const char *label_of(const Plan *plan, LabelKind kind);

/* Whether the kernel has this module and enforces its policy, as the files below root_fd say. */
bool label_is_enforced(LabelKind kind, int root_fd);

/* Opens /proc/self/attr, and makes sure that it is the kernel's own procfs. Returns the fd. */
int label_open(Problem *problem);

/* Requests the label. -ENOENT or -EINVAL with a layer problem: the policy has no such profile or context. */
int label_set(LabelKind kind, int attr_fd, const char *label, Problem *problem);

/*
 * Reads back what was requested. For AppArmor attr_fd must be the caller's own, since no other process gets to see
 * it. A profile in complain mode counts as a difference. -EBADE.
 */
int label_check(LabelKind kind, int attr_fd, const char *label, Problem *problem);
