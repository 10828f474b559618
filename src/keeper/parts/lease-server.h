/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * lease-server — the keeper's end of the socket that link/lease.h describes
 *
 * Life: from the launch until the sandbox has ended or the holder has gone. Runs in: keeper. Privilege: root.
 * Input: hostile (whoever holds the other end).
 */

#include "base/util.h"

#include <systemd/sd-event.h>

typedef struct LeaseRequest {
        bool stop;
        int signo; /* 0: none */
} LeaseRequest;

typedef struct LeaseServer LeaseServer;

/* What the holder wants. It may free the lease. */
typedef void LeaseHandler(void *userdata, const LeaseRequest *request);
/* The holder has gone, or broke the rules; the lease is dead and the handler frees it. */
typedef void LeaseGone(void *userdata);

/*
 * Deaf so far. *ret_holder: the other end, which is the caller's to hand on. Errors of socketpair(2) and
 * sd_event_add_io(3).
 */
int lease_server_new(LeaseServer **ret,
                     sd_event *event,
                     LeaseHandler *handler,
                     LeaseGone *gone,
                     void *userdata,
                     int *ret_holder);
LeaseServer *lease_server_free(LeaseServer *l); /* takes NULL, returns NULL */
DECLARE_CLEANUP(LeaseServer *, lease_server_free);

/* A copy of its socket, the caller's, for whoever receives the holder's streams before the lease listens. */
int lease_server_copy(const LeaseServer *l);
/* Begins to hear what the holder wants, and that it goes. Takes a NULL lease. */
int lease_server_listen(LeaseServer *l);

/*
 * One packet; a holder that does not read gets what fits. Where it cannot be sent for another reason, the lease ends.
 * Takes a NULL lease.
 */
void lease_server_send(LeaseServer *l, const char *packet);

/*
 * -EBADMSG: not text, or a known name with a bad value. Unknown names are passed over. Output untouched on failure.
 * Public for its test and its fuzzer: it reads hostile input.
 */
int lease_server_parse(const char *packet, size_t size, LeaseRequest *ret);
