/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-server — the broker's end of the private link: where keepers knock, their Hello, calls, signals, and their end
 *
 * Each call that was sent gets exactly one answer, also when the link breaks or the broker closes it.
 *
 * Runs in: broker. Privilege: root, for the socket. Input: other root processes, not necessarily sane ones.
 */

#include "link/hello.h"
#include "link/link.h"
#include "link/sandbox-event.h"

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct LinkServer LinkServer;
struct KeeperEntry;
struct LinkCall;

/* To one keeper that is connected. The handlers set its owner; all else is read only. */
typedef struct KeeperLink {
        LIST_ENTRY(KeeperLink) entry;
        LinkServer *server;
        struct KeeperEntry *owner; /* borrowed; NULL until Hello */
        sd_bus *bus;
        int pidfd;        /* the process at the other end */
        uint32_t version; /* of the link; 0: none in common, and only what is frozen can be said (hello.c) */
        uint32_t plan_version;       /* the newest that it reads and we write; 0: there is none */
        bool foreign;                /* its program is not of our version */
        sd_event_source *deadline;   /* until Hello */
        LIST_HEAD(, LinkCall) calls; /* sent, and not answered yet */
} KeeperLink;

/* What the keepers that are connected say, and to whom. A link is gone when closed() returns, and not before. */
typedef struct LinkServerHandlers {
        /* Records are the handler's to take (set to NULL). Negative errno closes the link. */
        int (*hello)(KeeperLink *l,
                     const LinkHello *hello,
                     SandboxRecord **records,
                     size_t n_records,
                     void *userdata);
        /* Replies to the call, at once or later, or returns negative errno. */
        int (*start_app)(KeeperLink *l, sd_bus_message *call, void *userdata);
        /* The record is taken over. */
        void (*changed)(KeeperLink *l, SandboxRecord *record, void *userdata);
        void (*removed)(KeeperLink *l,
                        const char *id,
                        const char *result,
                        int32_t code,
                        int32_t status,
                        void *userdata);
        void (*event)(KeeperLink *l, const char *id, const SandboxEvent *e, void *userdata);
        /* A call gets its answer; its own handler is still to be called. */
        void (*answered)(KeeperLink *l, void *userdata);
        void (*closed)(KeeperLink *l, void *userdata);
} LinkServerHandlers;

/* Takes a listening socket of systemd (sd_listen_fds(3)) or makes LINK_SOCKET itself. */
int link_server_new(LinkServer **ret, sd_event *event, const LinkServerHandlers *handlers, void *userdata);
LinkServer *link_server_free(LinkServer *s); /* takes NULL, returns NULL; closed() is called for each link */
DEFINE_CLEANUP(LinkServer *, link_server_free);

/* Answers all calls with NULL, calls closed(), and frees the client. */
void keeper_link_close(KeeperLink *l);

/* Handles what has come in already. The link may be closed, and gone, afterwards. */
void keeper_link_hear(KeeperLink *l);

/* -EPROTONOSUPPORT: the versions that it speaks have no such member. */
int keeper_link_new_call(KeeperLink *l, const char *member, sd_bus_message **ret);

/* reply, borrowed, may be an error; NULL: the link broke first. */
typedef void (*LinkReplyHandler)(sd_bus_message *reply, void *userdata);
int keeper_link_call(
        KeeperLink *l, sd_bus_message *m, LinkReplyHandler handler, void *userdata, uint64_t timeout_usec);
