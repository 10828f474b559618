/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * relay — a standard stream of immurectl for the application: handed over as it is, or copied through a pipe
 *
 * Pipes, terminals and /dev/null are handed over. A plain file or a socket never gets into a sandbox, since more can
 * be done with one than move bytes (see fd_check_stream()): it stays here, and its bytes are copied, every one of
 * them, without looking at them.
 *
 * Life: relay_open(); relay_poll() and relay_step() around poll(2) until relay_is_done().
 *
 * Runs in: immurectl. Privilege: none. Input: the caller's streams and the application's.
 */

#include "base/util.h"

#include <poll.h>

#define RELAY_BUFFER_SIZE (64U * 1024)

typedef struct Relay {
        int source, sink; /* -EBADF: closed, or none */
        int own;          /* which of both is ours to close; the other is the caller's stream */
        int handover; /* for the application: the stream itself or the far end of the pipe; -EBADF: gone */
        bool handover_owned;
        bool outward; /* from the application to the caller */
        uint8_t *buffer;
        size_t begin, end;
} Relay;

#define RELAY_INIT ((Relay){ .source = -EBADF, .sink = -EBADF, .own = -EBADF, .handover = -EBADF })

void relay_done(Relay *relay);

/* Looks at a standard stream (0, 1, 2) and prepares it. 0 or negative errno. */
int relay_open(Relay *relay, int stream);

/* The application's end was sent: close ours of it, so that end of file is seen. */
void relay_handed_over(Relay *relay);

/* What poll(2) is to wait for; fd -1 where there is nothing to wait for. */
struct pollfd relay_poll(const Relay *relay);
/* Copies what can be copied at once. */
void relay_step(Relay *relay);

/* Nothing will come any more. A stream that was handed over as it is always is. */
bool relay_is_done(const Relay *relay);
