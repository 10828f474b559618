/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fault-watch — notices when a sandbox, or all of its user's, run into a limit, and says whose it was
 *
 * The kernel announces hits by inotify on the files of fault-level.h, at most one in 10 ms for each; a cgroup that
 * changed is left alone for FAULT_HOLD_USEC afterwards, so a storm costs one look a second, of some 20 µs. Nothing is
 * lost: the kernel counts on, and the look comes when the time is over. Only throttling of the processor is announced
 * by nobody: it is looked at every FAULT_POLL_USEC, while there is a quota, and whenever somebody asks.
 *
 * The kernel says which cgroup lost a process to the out-of-memory killer and which one had no memory left; a kill is
 * put down to the level that ran out last. Other hits of what all sandboxes of a user share are told to all that run.
 *
 * Life: FaultUser with the keeper, a FaultWatch from the making of a run's cgroup to its removal.
 * Runs in: keeper. Privilege: none. Input: the kernel's counters.
 */

#include "base/text.h"
#include "keeper/parts/fault.h"

#include <systemd/sd-event.h>

#define FAULT_HOLD_USEC USEC_PER_SEC
#define FAULT_POLL_USEC (10 * USEC_PER_SEC)
/* How far apart the kernel's two counts of one kill may lie. */
#define FAULT_OOM_FRESH_USEC (10 * USEC_PER_SEC)
/* The keeper's unit and the slice it is in. */
#define FAULT_USER_LEVELS 2

typedef struct FaultUser FaultUser;
typedef struct FaultWatch FaultWatch;

/* Several hits of one kind may come as one call. */
typedef void (*FaultHandler)(
        FaultResource resource, FaultLevel level, uint64_t value, uint64_t limit, void *userdata);

/* Directories of the cgroups that the sandboxes share: negative where there is none. They stay the caller's. */
int fault_user_new(FaultUser **ret, sd_event *event, const int fds[static FAULT_USER_LEVELS]);
FaultUser *fault_user_free(FaultUser *u); /* takes NULL, returns NULL; no watch may be left */
DEFINE_CLEANUP(FaultUser *, fault_user_free);

/* Watches a new cgroup, whose descriptor stays the caller's. What it has counted already is no news. */
int fault_watch_new(FaultWatch **ret, FaultUser *u, int cgroup_fd, FaultHandler handler, void *userdata);
FaultWatch *fault_watch_free(FaultWatch *w); /* takes NULL, returns NULL */
DEFINE_CLEANUP(FaultWatch *, fault_watch_free);

/* Looks at once: what happened up to now is told before this returns. Takes NULL. */
void fault_watch_look(FaultWatch *w);
