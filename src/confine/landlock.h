/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * landlock — a second wall behind the mounts, landlock(7): should a mount fall, the files behind it stay closed
 *
 * The rules follow from the plan's tree and forbid nothing that the mounts allow: reading anywhere in the tree,
 * writing where the mount is writable, executing where it is not noexec. Outside the tree nothing is allowed, so a
 * file of the host that comes in by a descriptor cannot be opened again, nor what lies beside it. It is narrower
 * than the mounts in three ways: FIFOs and devices in read-only places take no writer, a standard stream cannot be
 * reopened for more than it was opened for, and nothing can be mounted.
 *
 * Runs in: exec, inside. Privilege: CAP_DAC_READ_SEARCH for the rules, CAP_SYS_ADMIN in the sandbox's user
 * namespace.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/*
 * Version 1 (Linux 5.13) refuses every move of a file to another directory, with no right that would allow it.
 * Version 2 came with 5.19.
 */
#define LANDLOCK_VERSION_LEAST 2

/* The kernel's version of the interface, from 1. -ENOSYS: not built in; -EOPNOTSUPP: not switched on (lsm=). */
int landlock_version(void);

/*
 * The rights on files that this version knows, LANDLOCK_ACCESS_FS_*: what a ruleset handles and a rule may grant. This
 * and the next are public for tests: they hold for versions that the running kernel does not have.
 */
uint64_t landlock_rights(unsigned version);

/*
 * What the mount of node i allows, in rights of this version; 0: the node needs no rule of its own. The whole plan
 * is needed, since later nodes may take rights away.
 */
uint64_t landlock_node_rights(const Plan *plan, size_t i, unsigned version);

/* A ruleset for the plan's tree, which must be the root of this mount namespace. Returns its fd. */
int landlock_rules(const Plan *plan, unsigned version, Problem *problem);

/*
 * From here on the rules hold for this process and all its descendants. Needs CAP_SYS_ADMIN in its user namespace,
 * or no_new_privs.
 */
int landlock_enter(int ruleset_fd, unsigned version, Problem *problem);

/*
 * Tries something that only the domain forbids, since the kernel shows nowhere whether a process is in one. -EBADE:
 * it worked.
 */
int landlock_prove(Problem *problem);
