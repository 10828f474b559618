/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * client-streams — the packet that brings the standard streams of a client's
 *
 * "STREAMS=stdin stdout", with a descriptor for each, in this order. It is the first packet on a lease (link/lease.h),
 * or comes from the process that holds the streams from run to run (plan/launch.h).
 *
 * Runs in: broker, exec, immurectl. Privilege: none. Input: hostile.
 */

#include "base/util.h"

#define CLIENT_STREAMS_N 3
/* Sets of streams: bit N is descriptor N. */
#define CLIENT_STREAM(number) (UINT32_C(1) << (number))
#define CLIENT_STREAMS_ALL (CLIENT_STREAM(CLIENT_STREAMS_N) - 1)

/* No packet of a lease is longer. */
#define CLIENT_STREAMS_PACKET_MAX 1024

/* "stdin", "stdout", "stderr": by their number. */
extern const char *const client_stream_names[CLIENT_STREAMS_N];

/*
 * The numbers that a packet names, in its order; returns how many. -EBADMSG: it is no text that says STREAMS= once, or
 * names something else, or one twice.
 */
int client_streams_read(const char *packet, size_t size, int ret[static CLIENT_STREAMS_N]);
/* The packet for a set, lowest number first; returns its length. */
size_t client_streams_write(uint32_t streams, char ret[static CLIENT_STREAMS_PACKET_MAX]);
