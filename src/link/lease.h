/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * lease — the socket between whoever launched a sandbox and its keeper
 *
 * SOCK_SEQPACKET; each packet is text, lines of NAME=value as in sd_notify(3). It outlives the broker and the bus.
 *
 *   keeper → holder   STATE=running                     the application was executed, and is ready with Type=notify
 *                     RESULT=exit-code\nCODE=exited\nSTATUS=3    it has ended; last packet, then end of file
 *                     RESULT=…\nTEXT=…                  the same where the last run never began; TEXT says why
 *   holder → keeper   STOP=1                            as Stop() on the bus
 *                     SIGNAL=2                          as Kill(id, "main", 2)
 *
 * CODE is exited, killed or dumped; STATUS an exit status or a signal number. Closing the socket means what
 * OnDisconnect= says.
 *
 * Runs in: keeper, immurectl. Privilege: none. Input of the keeper: hostile.
 */

#define LEASE_PACKET_MAX 1024
