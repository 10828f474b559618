/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper-row — one keeper as the broker knows it, shared by keepers.c and what its link says (keepers-heard.c)
 *
 * A user has one keeper that we start, and one for each application that a unit of its own runs: these come by
 * themselves, and are known by their AppName. Their uid is known from the moment the application is launched.
 *
 * Life: keepers.h. Runs in: broker. Privilege: root, to start keepers.
 */

#include "broker/state/keeper-unit.h"
#include "broker/state/keepers.h"
#include "link/app-name.h"

#include <sys/queue.h>

typedef enum KeeperState {
        KEEPER_STARTING,
        KEEPER_READY,
        KEEPER_LOST,
        KEEPER_CLEARING, /* what a former one left behind is being ended, before there is another */
} KeeperState;

struct Keeper {
        LIST_ENTRY(Keeper) entry;
        Keepers *keepers;
        uid_t uid;
        char app[APP_NAME_SIZE];   /* "": the user's own */
        char title[APP_NAME_SIZE]; /* "user 1000", "alice:web" */
        KeeperState state;
        KeeperLink *link; /* while ready */
        TAILQ_HEAD(, KeeperWaiter) waiters;
        sd_event_source *deadline;
        KeeperUnit *unit; /* with systemd, until it came up */
        char *cgroup;     /* without: the directory it was given */
        int pidfd;        /* likewise, if this very broker started it */
        unsigned n_looks; /* while clearing */
        sd_event_source *exited;
};

struct Keepers {
        struct Manager *manager;
        KeeperLinks *links;
        LIST_HEAD(, Keeper) list;
        char *cgroup_root; /* NULL: systemd runs keepers */
};

extern const KeeperLinkHandlers keeper_link_handlers;

/* app "": the user's own; otherwise the uid does not count. */
Keeper *keeper_find(Keepers *k, uid_t uid, const char *app);
int keeper_new(Keepers *k, uid_t uid, const char *app, KeeperState state, Keeper **ret);
/* Ready or hopeless: what hung on finding out is over. */
void keeper_settle(Keeper *keeper);
void keeper_tell_waiters(Keeper *keeper, const char *text);
/* Its link broke. The row may be gone afterwards. */
void keeper_lose(Keeper *keeper);
