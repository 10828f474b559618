/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper-link — the broker's end of the private connections: accept, Hello, calls, signals, and their end
 *
 * Each call that was sent gets exactly one answer, also when the link breaks or the broker closes it.
 *
 * Runs in: broker. Privilege: root, for the socket. Input: another root process, not necessarily a sane one.
 */

#include "link/link.h"

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct KeeperLinks KeeperLinks;
typedef struct KeeperLink KeeperLink;

/* As the signal of the same name says it; the texts are borrowed. */
typedef struct LimitHit {
        const char *resource, *level;
        uint64_t value, limit;
} LimitHit;

/* Who owns what comes over the links. A link is gone when closed() returns, and not before. */
typedef struct KeeperLinkHandlers {
        /* app: "" or what the keeper is there for. Records are the handler's to take (set to NULL). Negative errno
         * closes the link. */
        int (*hello)(KeeperLink *l,
                     uint32_t uid,
                     const char *app,
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
        void (*limit_hit)(KeeperLink *l, const char *id, const LimitHit *hit, void *userdata);
        void (*closed)(KeeperLink *l, void *userdata);
} KeeperLinkHandlers;

/* Takes a listening socket of systemd (sd_listen_fds(3)) or makes LINK_SOCKET itself. */
int keeper_links_new(KeeperLinks **ret, sd_event *event, const KeeperLinkHandlers *handlers, void *userdata);
KeeperLinks *
keeper_links_free(KeeperLinks *ls); /* takes NULL, returns NULL; closed() is called for each link */
DEFINE_CLEANUP(KeeperLinks *, keeper_links_free);

void keeper_link_close(KeeperLink *l);

/* Whoever keeps the link's place: borrowed. */
void keeper_link_set_owner(KeeperLink *l, void *owner);
void *keeper_link_owner(const KeeperLink *l);
/* Whether this is the connection. */
bool keeper_link_is(const KeeperLink *l, const sd_bus *bus);

/* Handles what has come in already. The link may be closed, and gone, afterwards. */
void keeper_link_hear(KeeperLink *l);

int keeper_link_new_call(KeeperLink *l, const char *member, sd_bus_message **ret);

/* reply NULL: the link broke first. */
typedef void (*KeeperReplyHandler)(sd_bus_message *reply, void *userdata);
int keeper_link_call(
        KeeperLink *l, sd_bus_message *m, KeeperReplyHandler handler, void *userdata, uint64_t timeout_usec);
