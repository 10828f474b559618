/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper-entry — one keeper as the broker sees it: how it is started, lost, told to leave and replaced
 *
 * The kernel tells of its end by a pidfd, whoever started it; for the rest there is one timer, and a table of what
 * each state waits for.
 *
 * Life: made when a keeper is wanted or says Hello; it frees itself once the keeper is gone and nobody wants another.
 *
 * Runs in: broker. Privilege: root, to start and to end keepers. Input: none; keepers.c has what keepers say.
 */

#include "broker/state/link-server.h"
#include "link/app-name.h"

#include <sys/types.h>

struct KeepersSetup;
struct KeeperUnit;

/*
 * A user has one keeper that we start, and one for each application that a unit of its own runs. Those come by
 * themselves and are known by their AppName; their uid is known from the moment the application is launched.
 */
typedef enum KeeperState {
        KEEPER_STARTING, /* asked for, or seen alive, and not heard of */
        KEEPER_READY,    /* linked */
        KEEPER_LOST,     /* its link broke, and it lives: what it keeps runs on */
        KEEPER_LEAVING,  /* told to, and not ended yet */
        KEEPER_CLEARING, /* what a former one left behind is being ended, before there is another */
} KeeperState;

typedef struct KeeperEntry {
        LIST_ENTRY(KeeperEntry) entry;
        const struct KeepersSetup *setup;
        uid_t uid;
        char app[APP_NAME_SIZE];   /* "": the user's own */
        char title[APP_NAME_SIZE]; /* "user 1000", "alice:web" */
        KeeperState state;
        KeeperLink *link; /* from its Hello until it breaks */
        TAILQ_HEAD(, KeeperWaiter) waiters;
        sd_event_source *timer, *exited;
        int pidfd;               /* of its process, watched by exited; negative: not known yet */
        struct KeeperUnit *unit; /* with systemd, until it came up */
        char *cgroup;            /* without: the directory it is given */
        bool has_left;           /* systemd may not have noticed yet */
        unsigned n_looks;        /* while clearing */
} KeeperEntry;

typedef LIST_HEAD(KeeperList, KeeperEntry) KeeperList;

/* keeper NULL: it cannot be had, text says why. The waiter is no longer queued when this is called. */
typedef void (*KeeperHandler)(KeeperEntry *keeper, const char *text, void *userdata);

/* Embedded in whatever waits; queued while keeper is set. */
typedef struct KeeperWaiter {
        TAILQ_ENTRY(KeeperWaiter) entry;
        KeeperEntry *keeper;
        KeeperHandler handler;
        void *userdata;
} KeeperWaiter;

/* Lost, and not known to live. app "": the user's own. -ENOMEM. The setup is borrowed. */
int keeper_entry_new(
        KeeperEntry **ret, KeeperList *list, const struct KeepersSetup *setup, uid_t uid, const char *app);
/* Nobody may wait for it. */
void keeper_entry_free(KeeperEntry *keeper);

/* Has it started, unless one from before this broker's time lives. All goes on from the loop. */
void keeper_entry_begin(KeeperEntry *keeper);
/* It said Hello on this link: it is ready, and its process is watched. Errors of fcntl(2), sd_event_add_io(3). */
int keeper_entry_link(KeeperEntry *keeper, KeeperLink *l);
/* The link broke. */
void keeper_entry_lose(KeeperEntry *keeper);
/* Tells all who wait, while it stays in the state it is in. */
void keeper_entry_tell_waiters(KeeperEntry *keeper, const char *text);

/*
 * Has the keeper end, if nothing that it keeps runs and nothing that was asked of it is under way: whether it does.
 * What it knows of sandboxes that have ended is the broker's from then on. Whoever waits for it gets the one after it.
 */
bool keeper_entry_retire(KeeperEntry *keeper);
/* The same from the loop, for a user's keeper of another version; to be called whenever it may have become idle. */
void keeper_entry_reconsider(KeeperEntry *keeper);

/* The version of the link that is spoken with it; 0: there is none that both know, or no link. */
uint32_t keeper_entry_link_version(const KeeperEntry *keeper);
/* The version of plans to send it; 0: there is none that both know, or no link. */
uint32_t keeper_entry_plan_version(const KeeperEntry *keeper);

/*
 * For link-calls.h. -ENOTCONN: there is no link just now; -EPROTONOSUPPORT: it is of a version without that member;
 * -ESRCH: keeper is NULL, as the sandbox has ended and its keeper has left.
 */
int keeper_entry_new_call(KeeperEntry *keeper, const char *member, sd_bus_message **ret);

/* The handler is called exactly once for each call that was sent. -ENOTCONN as above. */
int keeper_entry_call(KeeperEntry *keeper,
                      sd_bus_message *m,
                      LinkReplyHandler handler,
                      void *userdata,
                      uint64_t timeout_usec);
