/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * report — status records for the keeper, and the barrier between the halves
 *
 * The barrier is a packet socket that carries one byte at a time, and the kernel tells the outer half which process
 * sent it.
 *
 * Runs in: exec. Privilege: none. Input: words from the inner half, trusted in none but their sender.
 */

#include "exec/exec.h"

typedef enum BarrierWord {
        BARRIER_INIT = 'I',        /* inner to outer: the init has dropped everything */
        BARRIER_APPLICATION = 'A', /* inner to outer: the application's process has finished its last step */
        BARRIER_FAILED = 'F',      /* inner to outer: it failed, and the keeper knows */
        BARRIER_NETWORK = 'N',     /* outer to inner: the network namespace, with its descriptor */
        BARRIER_GO = 'G',          /* outer to inner: verified */
} BarrierWord;

/* Makes the memory by which the processes of a launch agree on who reports its failure. Before the clone; mmap(2). */
int report_share(Exec *x);

/*
 * Sends LAUNCH_STATUS_FAILED with the step and the problem; false if another process was first. Uses write(2) alone,
 * so it works under the filter.
 */
bool report_failed(const Exec *x);

/* After report_failed() was false and the other process is gone: reports, unless that one had. */
void report_take_over(const Exec *x);

/* Sends LAUNCH_STATUS_VERIFIED with both pidfds; enforced: names of the layers. 0 or negative errno. */
/* Tells the keeper that the client's streams have come. */
int report_streams(const Exec *x);
int report_verified(const Exec *x, pid_t main, int leader_fd, int main_fd, const char *enforced);

/* A socket pair; the first end is the outer half's. The caller owns both. */
int barrier_new(int ret[static 2]);

/* Use write(2) and read(2) alone, for the same reason. barrier_wait(): -ECONNRESET: the outer half is gone. */
int barrier_tell(int fd, BarrierWord word);
int barrier_wait(int fd);

/*
 * For the outer half: waits for the next word, with its sender in our pid namespace. -ECONNRESET: nobody is left
 * inside.
 */
int barrier_hear(int fd, BarrierWord *ret, pid_t *ret_sender);

/*
 * Passes the network namespace across. barrier_receive_network() returns its fd. -ECONNRESET: the outer half is
 * gone.
 */
int barrier_send_network(int fd, int netns_fd);
int barrier_receive_network(int fd);
