/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * hold — what `immured-exec --hold` does: holds the streams of a client from one run of a sandbox to the next
 *
 * It does nothing else, so that nobody waits for it while it closes them.
 *
 * Life: until the keeper closes its end, or ends it. Runs in: exec. Privilege: none after the start.
 * Input: the client's packet, hostile; the keeper's orders.
 */

/* Returns the exit status. */
int hold_main(void);
