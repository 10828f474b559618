/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * userns — the sandbox's user namespace: made first, entered last
 *
 * Entered last, it owns none of the sandbox's other namespaces, and the mount namespace that is copied into it is
 * locked: even with every capability inside, nothing in the tree can be remounted, lifted or moved
 * (user_namespaces(7), mount_namespaces(7)). Made first, it has its maps written by root.
 *
 * It belongs to an id as which no process runs. The kernel charges what the sandbox uses (inotify instances, queued
 * signals, namespaces, …) to the owner as well, one level up: to root, it would be taken from everybody.
 *
 * Runs in: exec. Privilege: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETFCAP, CAP_SYS_PTRACE in the initial user
 * namespace.
 */

#include "confine/problem.h"
#include "plan/plan.h"

#include <sys/types.h>

/*
 * A user namespace with the plan's maps and setgroups(2) denied; returns its fd. base as in exec.h, owner as in
 * plan/launch.h. *ret_first is set as soon as it has a first process, on failure too; that goes to userns_reap()
 * whenever there is time.
 */
int userns_new(const Plan *plan, uint32_t base, uid_t owner, pid_t *ret_first, Problem *problem);

/* Whose the files are that a mount shows as the application's. */
typedef enum UsernsView {
        USERNS_VIEW_USER, /* the user's, in their groups */
        USERNS_VIEW_ROOT, /* root's, and nobody else's */
} UsernsView;

/*
 * A namespace through which idmapped mounts show files to a sandbox with picked ids, and in which nothing runs: it
 * knows more groups than the sandbox's own (confine/idmap.h). Returns its fd.
 */
int userns_new_for_mounts(const Plan *plan, UsernsView view, uint32_t base, uid_t owner, Problem *problem);

/*
 * Kills and reaps the first process; the namespace lives on through its fd. Returns the process if it could not be
 * ended, or 0.
 */
pid_t userns_reap(pid_t first);

/*
 * Enters the namespace, together with a locked copy of the mount namespace. Descriptors into the old mounts must be
 * closed by then: they would not be locked.
 */
int userns_enter(int userns_fd, Problem *problem);
