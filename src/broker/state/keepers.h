/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keepers — one row for each keeper: a user's, started when wanted, and an application's, run by a unit of its own;
 * both heard when they say Hello, outliving this broker
 *
 * A user's keeper that is not of the broker's version, older or newer, leaves as soon as it keeps nothing that runs.
 * It does so without a launch on its way to it: it is the broker that sends them, and the broker that has it leave.
 *
 * Life: made before the loop runs; freed last, when nobody waits any more.
 *
 * Runs in: broker. Privilege: root, for the socket. Input: keepers, trusted to be root, not to be right.
 */

#include "broker/state/keeper-entry.h"
#include "broker/state/sandboxes.h"

struct Manager;

typedef struct Keepers Keepers;

/* What keepers say, and who acts on it. The manager is only handed through. */
typedef struct KeepersHandlers {
        /* All that a keeper holds; records that are taken become NULL. */
        void (*snapshot)(struct Manager *m, KeeperEntry *keeper, SandboxRecord **records, size_t n_records);
        /* One that is new or changed, taken over. */
        void (*changed)(struct Manager *m, KeeperEntry *keeper, SandboxRecord *record);
        void (*removed)(
                struct Manager *m, SandboxEntry *s, SandboxResult result, int32_t code, int32_t status);
        void (*event)(struct Manager *m, SandboxEntry *s, const SandboxEvent *e);
        /* The keepers that were alive before this broker have been heard. */
        void (*heard)(struct Manager *m);
        /* A unit wants its application run. Replies to the call, at once or later, or returns negative errno. */
        int (*start_app)(struct Manager *m, sd_bus_message *call, const AppName *app);
} KeepersHandlers;

/* All borrowed, as long as the keepers live. */
typedef struct KeepersSetup {
        sd_event *event;
        sd_bus *bus; /* on which systemd is asked for keepers */
        Sandboxes *sandboxes;
        const char *hierarchy;   /* below which keepers' groups are, whoever runs them */
        const char *cgroup_root; /* where we run keepers ourselves; NULL: systemd does */
        const KeepersHandlers *handlers;
        struct Manager *manager; /* for them */
} KeepersSetup;

/* Opens the socket, or takes the one that systemd holds open, and accepts links from then on. */
int keepers_new(Keepers **ret, const KeepersSetup *setup);
/* Takes NULL, returns NULL; whoever waits is told that the keeper is gone. */
Keepers *keepers_free(Keepers *k);
DEFINE_CLEANUP(Keepers *, keepers_free);

/*
 * Whether all keepers that were alive when this broker started have said what they keep, or have had a second for it.
 * Before that nothing may be said of sandboxes, as some would be missing.
 */
bool keepers_are_heard(const Keepers *k);

/* Handles what the user's own keeper has sent already; its row may be gone afterwards. */
void keepers_hear(Keepers *k, uid_t uid);

/* The user's own keeper if it is linked, or NULL. */
KeeperEntry *keepers_find_ready(Keepers *k, uid_t uid);

/* The one at the other end of this connection; NULL: it is not linked by it any more. */
KeeperEntry *keepers_find_linked(Keepers *k, const sd_bus *bus);

/* Forgets an ended sandbox that no keeper speaks for. */
void keepers_forget(Keepers *k, SandboxEntry *s);

/* Starts the user's keeper unless it is on its way, and queues the waiter until then. Never calls it at once. */
int keepers_wait(Keepers *k, uid_t uid, KeeperWaiter *w);
void keepers_withdraw(KeeperWaiter *w);
