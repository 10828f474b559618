/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-client — the keeper's end of the link to the broker (link/link.h), over and over again
 *
 * It connects, checks that the other end is root, says Hello with all records, serves the broker's calls, and starts
 * over with growing pauses when the broker goes away. Meanwhile the sandboxes live on; calls that waited for an
 * answer lose it, and what happened is in the next Hello.
 *
 * Life: the keeper's. Runs in: keeper. Privilege: root. Input: the broker, trusted to be root, not to be right.
 */

#include "base/util.h"
#include "keeper/keeper.h"

int link_client_new(LinkClient **ret, Keeper *k);
LinkClient *link_client_free(LinkClient *l); /* takes NULL, returns NULL */
DEFINE_CLEANUP(LinkClient *, link_client_free);

/* Signals; dropped while nobody listens. */
void link_client_changed(LinkClient *l, const Sandbox *s);
void link_client_removed(LinkClient *l, const Sandbox *s);
void link_client_event(LinkClient *l, const Sandbox *s, const SandboxEvent *e);

/* Asks for the launch of what this keeper is there for. -ENOTCONN: the broker has not answered a Hello. */
int link_start_app(LinkClient *l, sd_bus_message_handler_t handler, void *userdata);

/* Answers the Launch() of this sandbox if it is still open: with its error, or its record and lease. */
void link_client_launched(LinkClient *l, Sandbox *s);

/*
 * What could not be sent is lost to the broker, which would go on with what it was told before: the next Hello
 * tells it everything again. Says so in the log.
 */
void link_client_break(sd_bus *bus, int error);
