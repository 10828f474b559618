/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * lease — the socket between whoever launched a sandbox and its keeper
 *
 * SOCK_SEQPACKET; each packet is text, lines of NAME=value as in sd_notify(3). It outlives the broker and the bus.
 *
 *   keeper → holder   STATE=starting                    the application was executed, and is not ready (Type=notify)
 *                     STATE=running                     it was executed, and is ready
 *                     RESULT=exit-code\nCODE=exited\nSTATUS=3    it has ended; last packet, then end of file
 *                     RESULT=…\nERROR=…\nTEXT=…         the same where the last run never began; ERROR and TEXT say
 *                                                       why, as the error of a launch does
 *   holder → keeper   STREAMS=stdin stdout              first, if the launch named Streams (plan/client-streams.h)
 *                     STOP=1                            as Stop() on the bus
 *                     SIGNAL=2                          as Kill(id, "main", 2)
 *
 * CODE is exited, killed or dumped; STATUS an exit status or a signal number. Closing the socket means what
 * OnDisconnect= says.
 *
 * No packet but the first may carry descriptors, and the keeper itself receives none: to close one takes as long as
 * whoever made it likes (a socket with SO_LINGER, a file on a FUSE mount), and others wait for the keeper.
 *
 * Runs in: keeper, immurectl. Privilege: none. Input of the keeper: hostile.
 */

#define LEASE_PACKET_MAX 1024
