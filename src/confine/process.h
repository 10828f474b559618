/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * process — what a process inherits, what it could leak, and how the scheduler sees it
 *
 * Errors are set in problem and returned as negative errno.
 *
 * Runs in: exec. Privilege: the keeper's for process_harden() and process_schedule(), none for the others.
 */

#include "confine/problem.h"
#include "plan/plan.h"

/*
 * Comes first of all: not traceable (PR_SET_DUMPABLE), no core file, all signals blocked, umask 0, personality 0.
 * Refuses to go on with secure bits that would keep capabilities over a change of ids, capabilities(7).
 */
int process_harden(Problem *problem);

/*
 * Sets the plan's OOM score, niceness and scheduling policy. What the keeper's unit sets for the keeper does not
 * reach the sandbox.
 */
int process_schedule(const Plan *plan, Problem *problem);

/* Unblocks every signal and sets its default action. execve(2) keeps both the mask and ignored signals. */
int process_reset_signals(void);

/* An empty session keyring, keyrings(7). No namespace separates keyrings, so the keeper's would come along. */
int process_new_keyring(Problem *problem);

/* chdir(2), and the kernel's own word that the directory is below the root. -EXDEV: it is not. */
int process_change_directory(const char *path, Problem *problem);
