/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * landlock — a second wall behind the mounts, landlock(7): should one of them fall, the files behind it stay shut
 *
 * Its rules follow from the plan's tree and never forbid what the mounts allow: reading all of the tree, writing where
 * the mount is writable, executing where it is not noexec. Beyond the tree there is nothing: a file of the host that
 * comes in by a descriptor cannot be opened again, nor can what lies beside it. Narrower than mounts it is in three
 * ways: FIFOs and devices in read-only places take no writer, a standard stream cannot be opened again for more than
 * it was opened for, and nothing can be mounted.
 *
 * Runs in: exec, inside. Privilege: CAP_DAC_READ_SEARCH for the rules, CAP_SYS_ADMIN in the sandbox's user namespace.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/* The first one could not let a file be moved to another directory. */
#define LANDLOCK_VERSION_LEAST 2

/* The kernel's version of the interface, 1 and up. -ENOSYS: not built in; -EOPNOTSUPP: not switched on. */
int landlock_version(void);

/* Rights of version and below on files: what a rule may grant and a ruleset handles, LANDLOCK_ACCESS_FS_*. */
uint64_t landlock_rights(unsigned version);

/*
 * What the mount of a node allows, of the rights that this version has; 0: the node needs no rule of its own. i is the
 * node's place in the plan, as those behind it may take away.
 */
uint64_t landlock_node_rights(const Plan *plan, size_t i, unsigned version);

/* A ruleset for the plan's tree, which must be this mount namespace's root; returns its fd. */
int landlock_rules(const Plan *plan, unsigned version, Problem *problem);

/* From here on they hold for this process and all that come of it. */
int landlock_enter(int ruleset_fd, unsigned version, Problem *problem);

/* The kernel shows of no process whether it is in a domain: something that only the domain forbids is tried. */
int landlock_prove(Problem *problem);
