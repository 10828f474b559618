/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * floor — the bare cost of one sandbox: the system calls that no launcher can do without, and nothing else
 *
 * Runs in: the benchmark, as root. Privilege: root's. Input: none.
 */

/* How long one launch took, in microseconds since it was asked for. */
typedef struct Sample {
        double ready; /* the application was executed, or the launcher said so */
        double end;   /* it has ended, and was waited for */
} Sample;

double now_usec(void);

/* Makes the tree that each launch clones, in a mount namespace of this process' own. Ends the process on failure. */
void floor_prepare(const char *directory);

/* One launch of directory/noop. Ends the process on failure. */
Sample floor_launch(void);
