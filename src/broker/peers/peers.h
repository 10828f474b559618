/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * peers — the connections that talk to us, with the uid that the bus vouches for
 *
 * The uid is asked for once per connection, and never waited for: sd_bus_query_sender_creds() in a handler blocks
 * the loop while messages pile up, and any local user can send them. Unique names are never reused, so a row cannot
 * become wrong. It goes when the connection does, or when the table is full and nobody needs it. Where the bus loses
 * the message that a connection is gone, we ask about it, and the row goes within seconds.
 *
 * Life: a row belongs to the table; whoever works for it holds a reference.
 * Runs in: broker. Privilege: none. Input: the bus daemon's answers.
 */

#include "broker/peers/accounts.h"

#include <sys/queue.h>
#include <systemd/sd-bus.h>

/* More than the 256 connections that dbus-daemon allows a user, so that one user cannot fill the table. */
#define PEERS_MAX 384U

typedef struct Peers Peers;
struct Call;

typedef enum PeerState {
        PEER_ASKED, /* the bus has not said who it is, or has not been asked */
        PEER_KNOWN,
        PEER_GONE, /* disconnected, or the bus would not say; nothing is done for it */
} PeerState;

typedef struct Peer {
        TAILQ_ENTRY(Peer) entry; /* most recently used first */
        unsigned n_ref;
        char *name;
        PeerState state;
        uid_t uid; /* valid once known */
        bool subscribed;
        KnownAccount
                *account; /* the last that was looked up, to decide which signals it may see; may be NULL */
        AccountQuery *query; /* a newer one is on its way */
        Peers *peers;
        sd_bus_slot *lookup, *check;
        unsigned round;             /* the last pass that checked it */
        unsigned n_lookups;         /* those that the bus did not answer */
        unsigned n_early;           /* messages that came before the uid was known */
        TAILQ_HEAD(, Call) waiting; /* calls until the uid is known */
        unsigned n_waiting;
        TAILQ_HEAD(, Call) asking; /* calls that polkit is thinking about */
} Peer;

/* Called when a peer has become known or is gone. It has no reference of its own. */
typedef void (*PeerHandler)(Peer *p, void *userdata);

/* At start-up: waits until the bus has taken a match rule. */
int peers_new(Peers **ret, sd_bus *bus, sd_event *event, PeerHandler handler, void *userdata);
Peers *peers_free(Peers *p); /* takes NULL, returns NULL */
DECLARE_CLEANUP(Peers *, peers_free);

/* The row of a unique name, made if it does not exist; borrowed. -EBUSY: too many peers at once. -ENOMEM. */
int peers_get(Peers *p, const char *name, Peer **ret);

Peer *peer_ref(Peer *p);
Peer *peer_unref(Peer *p); /* takes NULL, returns NULL */
DECLARE_CLEANUP(Peer *, peer_unref);

/* The most recently used. Only callbacks of the loop drop a row. */
Peer *peers_first(Peers *p);
#define PEERS_FOREACH(p, peers) for (Peer *p = peers_first(peers); p; p = TAILQ_NEXT(p, entry))

size_t peers_count_subscribed(Peers *p, uid_t uid);
