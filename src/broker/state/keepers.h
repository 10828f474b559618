/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keepers — one row for each keeper: a user's, started when wanted, and an application's, run by a unit of its own;
 * both heard when they say Hello, outliving this broker
 *
 * A row is starting (asked for, not heard of yet), ready (linked), or lost (its link broke: it gets a moment to come
 * back before its sandboxes are given up).
 *
 * Life: made before the loop runs; freed last, when nobody waits any more.
 *
 * Runs in: broker. Privilege: root, to start keepers. Input: keepers, trusted to be root, not to be right.
 */

#include "broker/state/keeper-link.h"

#include <sys/types.h>

struct Manager;

typedef struct Keeper Keeper;
typedef struct Keepers Keepers;
typedef struct KeeperWaiter KeeperWaiter;

/* For calls that need nothing but the keeper's attention. */
#define KEEPER_TIMEOUT_USEC (UINT64_C(30) * 1000000)

/*
 * Opens the socket, or takes the one that systemd holds open, and accepts links from then on. cgroup_root: where we
 * run keepers ourselves; NULL: systemd does.
 */
int keepers_new(Keepers **ret, struct Manager *m, const char *cgroup_root);
/* Takes NULL, returns NULL; whoever waits is told that the keeper is gone. */
Keepers *keepers_free(Keepers *k);
DEFINE_CLEANUP(Keepers *, keepers_free);

/* The user's own keeper if it is linked, or NULL. */
Keeper *keepers_find_ready(Keepers *k, uid_t uid);

/* The one at the other end of this connection; NULL: it is not linked by it any more. */
Keeper *keepers_find_linked(Keepers *k, const sd_bus *bus);
/* Whose sandboxes it keeps, once that is known. */
void keeper_set_uid(Keeper *keeper, uid_t uid);

/* keeper NULL: it cannot be had, text says why. The waiter is no longer queued when this is called. */
typedef void (*KeeperHandler)(Keeper *keeper, const char *text, void *userdata);

/* Embedded in whatever waits; queued while keeper is set. */
struct KeeperWaiter {
        TAILQ_ENTRY(KeeperWaiter) entry;
        Keeper *keeper;
        KeeperHandler handler;
        void *userdata;
};

/* Starts the user's keeper unless it is on its way, and queues the waiter until then. Never calls it at once. */
int keepers_wait(Keepers *k, uid_t uid, KeeperWaiter *w);
void keepers_withdraw(KeeperWaiter *w);

/* -ENOTCONN: there is no link just now. */
int keeper_new_call(Keeper *keeper, const char *member, sd_bus_message **ret);

/* The handler is called exactly once for each call that was sent. -ENOTCONN as above. */
int keeper_call(Keeper *keeper,
                sd_bus_message *m,
                KeeperReplyHandler handler,
                void *userdata,
                uint64_t timeout_usec);
