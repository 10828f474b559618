/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * report — status records to the keeper, and the barrier between the halves
 *
 * The barrier is a packet socket that carries one byte at a time. The kernel tells the outer half which process sent
 * it.
 *
 * Runs in: exec. Privilege: none.
 */

#include "exec/exec.h"

typedef enum BarrierWord {
        BARRIER_INIT = 'I',        /* inner to outer: the init has dropped all it had */
        BARRIER_APPLICATION = 'A', /* inner to outer: the application's process is through its last step */
        BARRIER_FAILED = 'F',      /* inner to outer: the keeper knows already */
        BARRIER_NETWORK = 'N',     /* outer to inner: the network namespace, a descriptor beside it */
        BARRIER_GO = 'G',          /* outer to inner: verified */
} BarrierWord;

/* What the processes of a launch agree by on who tells of its failure. */
int report_share(Exec *x);

/*
 * LAUNCH_STATUS_FAILED with the step and the problem, unless another process was first (false). By write(2) alone, so
 * that it works under the filter.
 */
bool report_failed(const Exec *x);

/* After report_failed() was false, and the other process is gone: had it told? Else this one does. */
void report_take_over(const Exec *x);

/* LAUNCH_STATUS_VERIFIED with both pidfds; text: the enforced layers. */
int report_verified(const Exec *x, pid_t main, int leader_fd, int main_fd, const char *enforced);

/* A pair whose first end is the outer half's. */
int barrier_new(int ret[static 2]);

/* write(2) and read(2) alone, for the same reason. barrier_wait(): -ECONNRESET when the outer half is gone. */
int barrier_tell(int fd, BarrierWord word);
int barrier_wait(int fd);

/* The outer half's: the next word and who sent it, in our pid namespace. -ECONNRESET: nobody is left inside. */
int barrier_hear(int fd, BarrierWord *ret, pid_t *ret_sender);

/* The network namespace across; barrier_receive_network() returns its descriptor. */
int barrier_send_network(int fd, int netns_fd);
int barrier_receive_network(int fd);
