/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper-link — the keeper's end of the link to the broker (link/link.h), over and over again
 *
 * It connects, checks that the other end is root, says Hello with all records, serves the broker's calls, and starts
 * over with growing pauses when the broker goes away. Meanwhile the sandboxes live on; calls that waited for an
 * answer lose it, and what happened is in the next Hello.
 *
 * Life: the keeper's. Runs in: keeper. Privilege: root. Input: the broker, trusted to be root, not to be right.
 */

#include "base/util.h"
#include "keeper/keeper.h"

int keeper_link_new(KeeperLink **ret, Keeper *k);
KeeperLink *keeper_link_free(KeeperLink *l); /* takes NULL, returns NULL */
DEFINE_CLEANUP(KeeperLink *, keeper_link_free);

/* Signals; dropped while nobody listens. */
void keeper_link_changed(KeeperLink *l, const Sandbox *s);
void keeper_link_removed(KeeperLink *l, const Sandbox *s);
void keeper_link_limit_hit(KeeperLink *l, const Sandbox *s, const Fault *fault);

/* Asks for the launch of what this keeper is there for. -ENOTCONN: the broker has not answered a Hello. */
int keeper_link_start_app(KeeperLink *l, sd_bus_message_handler_t handler, void *userdata);

/* Answers the Launch() of this sandbox if it is still open: with its error, or its record and lease. */
void keeper_link_launched(KeeperLink *l, Sandbox *s);

/*
 * What could not be sent is lost to the broker, which would go on with what it was told before: the next Hello
 * tells it everything again. Says so in the log.
 */
void keeper_link_break(sd_bus *bus, int error);
