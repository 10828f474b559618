/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * peers — the connections that talk to us, with the uid the bus vouches for
 *
 * The uid is asked for once per connection and never waited for: sd_bus_query_sender_creds() in a handler blocks the
 * loop while messages pile up, and any local user can make them. Unique names are never used twice, so a row cannot
 * become wrong; it goes when the connection does, or when the table is full and nobody needs it. Where the bus loses
 * the message that a connection is gone, the row goes within seconds, when the bus is asked for it.
 *
 * Life: a row belongs to the table; whoever works for it holds a reference.
 *
 * Runs in: broker. Privilege: none. Input: the bus daemon's answers.
 */

#include "broker/peers/accounts.h"

#include <sys/queue.h>
#include <systemd/sd-bus.h>

/* More than the 256 connections that dbus-daemon grants to a user: one alone cannot fill the table. */
#define PEERS_MAX 384U

typedef struct Peers Peers;
struct Call;

typedef enum PeerState {
        PEER_ASKED, /* the bus has not said yet who it is, or not even been asked */
        PEER_KNOWN,
        PEER_GONE, /* disconnected, or the bus would not say: nothing is done for it any more */
} PeerState;

typedef struct Peer {
        TAILQ_ENTRY(Peer) entry; /* most recently used first */
        unsigned n_ref;
        char *name;
        PeerState state;
        uid_t uid; /* valid once known */
        bool subscribed;
        KnownAccount
                *account;    /* the last one looked up, for deciding which signals it may see; may be NULL */
        AccountQuery *query; /* a newer one is on its way */
        Peers *peers;
        sd_bus_slot *lookup, *check;
        unsigned round;             /* the last one in which it was looked at */
        unsigned n_lookups;         /* that the bus left without an answer */
        unsigned n_early;           /* messages that came before the uid was known */
        TAILQ_HEAD(, Call) waiting; /* calls until the uid is known */
        unsigned n_waiting;
        TAILQ_HEAD(, Call) asking; /* calls that polkit is thinking about */
} Peer;

/* Called when a peer became known or is gone; it has taken no reference. */
typedef void (*PeerHandler)(Peer *p, void *userdata);

/* At start-up: waits for the bus to take a match rule. */
int peers_new(Peers **ret, sd_bus *bus, sd_event *event, PeerHandler handler, void *userdata);
Peers *peers_free(Peers *p); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Peers *, peers_free);

/* The row of a unique name, made if need be; borrowed. -EBUSY: too many peers at once. -ENOMEM. */
int peers_get(Peers *p, const char *name, Peer **ret);

Peer *peer_ref(Peer *p);
Peer *peer_unref(Peer *p); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Peer *, peer_unref);

/* From the most recently used; a row may be dropped only by the loop's own callbacks. */
Peer *peers_first(Peers *p);
#define PEERS_FOREACH(p, peers) for (Peer *p = peers_first(peers); p; p = TAILQ_NEXT(p, entry))

size_t peers_count_subscribed(Peers *p, uid_t uid);
