/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * process — what one process is to itself: what it inherited, what it may leak, how the scheduler sees it
 *
 * Runs in: exec. Privilege: process_harden() and process_schedule() need the keeper's, the others none.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/*
 * First of all: not traceable (PR_SET_DUMPABLE), no core file, all signals blocked, umask 0, personality 0. Refuses to
 * go on under secure bits that would keep capabilities over a change of ids.
 */
int process_harden(Problem *problem);

/* OOM score, niceness and scheduling policy of the plan; what the keeper's unit set does not reach the sandbox. */
int process_schedule(const Plan *plan, Problem *problem);

/* Every signal unblocked and at its default action: an ignored one would stay ignored over execve(2). */
int process_reset_signals(void);

/* A session of its own, setsid(2): kill(0, …) does not stop at a PID namespace. */
int process_new_session(Problem *problem);

/* A process group of its own in that session, setpgid(2). */
int process_new_group(Problem *problem);

/* An empty session keyring of its own, keyrings(7): the keeper's would come along through every namespace. */
int process_new_keyring(Problem *problem);

/* chdir(2), and the kernel's own word that it lies below the root. */
int process_change_directory(const char *path, Problem *problem);

/*
 * Ends what process_harden() began, PR_SET_DUMPABLE: a process that has nothing left may be looked at by the owner of
 * its user namespace, and by nobody else outside of it.
 */
int process_show(Problem *problem);
