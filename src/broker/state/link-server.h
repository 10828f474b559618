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
typedef struct LinkClient LinkClient;

/* Who owns what clients, the keepers that are connected, say. One is gone when closed() returns, and not before. */
typedef struct LinkServerHandlers {
        /* Records are the handler's to take (set to NULL). Negative errno closes the link. */
        int (*hello)(LinkClient *l,
                     const LinkHello *hello,
                     SandboxRecord **records,
                     size_t n_records,
                     void *userdata);
        /* Replies to the call, at once or later, or returns negative errno. */
        int (*start_app)(LinkClient *l, sd_bus_message *call, void *userdata);
        /* The record is taken over. */
        void (*changed)(LinkClient *l, SandboxRecord *record, void *userdata);
        void (*removed)(LinkClient *l,
                        const char *id,
                        const char *result,
                        int32_t code,
                        int32_t status,
                        void *userdata);
        void (*event)(LinkClient *l, const char *id, const SandboxEvent *e, void *userdata);
        /* A call gets its answer. */
        void (*answered)(LinkClient *l, void *userdata);
        void (*closed)(LinkClient *l, void *userdata);
} LinkServerHandlers;

/* Takes a listening socket of systemd (sd_listen_fds(3)) or makes LINK_SOCKET itself. */
int link_server_new(LinkServer **ret, sd_event *event, const LinkServerHandlers *handlers, void *userdata);
LinkServer *link_server_free(LinkServer *s); /* takes NULL, returns NULL; closed() is called for each link */
DEFINE_CLEANUP(LinkServer *, link_server_free);

void link_client_close(LinkClient *l);

/* Whoever keeps the link's place: borrowed. */
void link_client_set_owner(LinkClient *l, void *owner);
void *link_client_owner(const LinkClient *l);
/* Whether this is the connection. */
bool link_client_is(const LinkClient *l, const sd_bus *bus);

/* Handles what has come in already. The link may be closed, and gone, afterwards. */
void link_client_hear(LinkClient *l);

/* The newest version of plans that it reads and we write; 0: there is none. */
uint32_t link_client_plan_version(const LinkClient *l);
/* Whether its program is not of the same version as ours. */
bool link_client_is_foreign(const LinkClient *l);
/* Whether a call that was sent to it has no answer yet. */
bool link_client_is_busy(const LinkClient *l);
/* A pidfd of the process at the other end, borrowed. */
int link_client_pidfd(const LinkClient *l);

/* -EPROTONOSUPPORT: the versions that it speaks have no such member. */
int link_client_new_call(LinkClient *l, const char *member, sd_bus_message **ret);

/* reply NULL: the link broke first. */
typedef void (*LinkReplyHandler)(sd_bus_message *reply, void *userdata);
int link_client_call(
        LinkClient *l, sd_bus_message *m, LinkReplyHandler handler, void *userdata, uint64_t timeout_usec);
