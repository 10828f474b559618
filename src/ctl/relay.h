/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * relay — gives a standard stream of immurectl to the application, as it is or through a pipe
 *
 * Pipes, terminals and /dev/null are handed over. A regular file or a socket never enters a sandbox, because one can
 * do more with it than move bytes (see fd_check_stream()). It stays here, and all its bytes are copied as they are.
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
        int own;          /* which of the two we close; the other is the caller's stream */
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

/* The application's end has been sent: closes our copy of it, without which there would be no end of file. */
void relay_handed_over(Relay *relay);

/* What poll(2) has to wait for; fd -1: nothing. */
struct pollfd relay_poll(const Relay *relay);
/* Copies what can be copied without waiting. */
void relay_step(Relay *relay);

/* Whether nothing more will come. Always so for a stream that was handed over. */
bool relay_is_done(const Relay *relay);
