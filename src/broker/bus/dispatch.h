/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * dispatch — the one road that every method call takes, and the only way into the handlers
 *
 * message → row of the tables and size → the call's road, which is the table at the end of dispatch.c. What fails on
 * the way answers with an error.
 *
 * Runs in: broker. Privilege: none. Input: hostile.
 */

#include "broker/bus/interface.h"
#include "broker/peers/peers.h"

#include <systemd/sd-bus.h>

/* interface NULL: the first that has the member. NULL, with *ret_known telling whether there is such an interface. */
const Member *
member_find(const Interface *const *interfaces, const char *interface, const char *member, bool *ret_known);

/* Takes over every path of the bus connection. Errors as sd_bus_add_fallback(3). */
int dispatch_attach(Manager *m);

/* A PeerHandler: goes on with the calls that waited for this peer. userdata is the Manager. */
void dispatch_peer_ready(Peer *p, void *userdata);

/* The keepers that were alive before this broker have been heard: goes on with the calls that waited for it. */
void dispatch_keepers_heard(Manager *m);
/* Frees those that still wait, which answers them. */
void dispatch_drop(Manager *m);
