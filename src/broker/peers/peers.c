/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/peers.h"

#include "base/log.h"
#include "base/text.h"

/*
 * While a connection's queue holds too many descriptors, dbus-daemon silently drops its own answers to it, and
 * whoever may write to the connection can bring that about. So an answer is asked for again, waiting twice as long
 * each time: under a flood the daemon takes seconds for a turn, and a repeated question is more for it to read.
 */
#define LOOKUP_TIMEOUT_USEC (1 * USEC_PER_SEC)
#define LOOKUPS_MAX 5U

/* As many as the bus reads in one turn of 4 KiB: questions to polkit use the same connection. */
#define LOOKUPS_AT_ONCE_MAX 24U

/*
 * For the same reason the bus may not tell us that a connection is gone. So all rows are checked over and over, a
 * few at a time: the daemon lets nobody have more than 128 calls without an answer.
 */
#define CHECK_USEC (10 * USEC_PER_SEC)
#define CHECKS_MAX 48U

struct Peers {
        sd_bus *bus;
        sd_bus_slot *match;
        sd_event_source *timer;
        unsigned round; /* the current pass over all rows */
        PeerHandler handler;
        void *userdata;
        TAILQ_HEAD(PeerList, Peer) list;
        size_t n_peers;
        unsigned n_asked; /* look-ups without an answer yet */
};

static void peer_end_lookup(Peer *p) {
        if (!p->lookup)
                return;

        p->lookup = sd_bus_slot_unref(p->lookup);
        p->peers->n_asked--;
}

static void peer_leave_table(Peer *p) {
        Peers *peers = p->peers;

        if (!peers)
                return;

        TAILQ_REMOVE(&peers->list, p, entry);
        peers->n_peers--;
        p->check = sd_bus_slot_unref(p->check);
        peer_end_lookup(p);
        p->peers = NULL;
        (void) peer_unref(p);
}

Peer *peer_ref(Peer *p) {
        p->n_ref++;
        return p;
}

Peer *peer_unref(Peer *p) {
        if (!p || --p->n_ref > 0)
                return NULL;

        (void) account_query_free(p->query);
        (void) known_account_unref(p->account);
        free(p->name);
        free(p);
        return NULL;
}

/* It may hold the last reference but one, so the handler must find the row whole. */
static void peer_tell(Peer *p, PeerState state) {
        _cleanup_(peer_unrefp) _unused_ Peer *held = peer_ref(p);
        Peers *peers = p->peers;

        p->state = state;
        if (state == PEER_GONE) {
                p->subscribed = false;
                peer_leave_table(p);
        }
        if (peers)
                peers->handler(p, peers->userdata);
}

static Peer *peer_find(Peers *peers, const char *name) {
        PEERS_FOREACH (p, peers)
                if (streq(p->name, name))
                        return p;

        return NULL;
}

static int peer_ask_user(Peer *p);

/* Those who send much are at the front of the list, so those who wait quietly are at its end. */
static Peer *peer_to_ask(Peers *peers) {
        Peer *p;

        TAILQ_FOREACH_REVERSE (p, &peers->list, PeerList, entry)
                if (p->state == PEER_ASKED && !p->lookup)
                        return p;

        return NULL;
}

static void peers_ask_more(Peers *peers) {
        Peer *p;

        while (peers->n_asked < LOOKUPS_AT_ONCE_MAX && (p = peer_to_ask(peers)))
                if (peer_ask_user(p) < 0)
                        peer_tell(p, PEER_GONE);
}

static int on_name_lost(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *old_owner, *new_owner;
        Peers *peers = userdata;
        Peer *p;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0 || new_owner[0] != '\0')
                return 0;
        p = peer_find(peers, name);
        if (p)
                peer_tell(p, PEER_GONE);

        peers_ask_more(peers);
        return 0;
}

static int on_unix_user(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Peer *p = userdata;
        Peers *peers = p->peers;
        uint32_t uid;

        peer_end_lookup(p);

        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY) && ++p->n_lookups < LOOKUPS_MAX &&
            peer_ask_user(p) >= 0)
                return 0;

        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "u", &uid) < 0 ||
            uid == UINT32_MAX)
                peer_tell(p, PEER_GONE);
        else {
                p->uid = uid;
                peer_tell(p, PEER_KNOWN);
        }

        peers_ask_more(peers);
        return 0;
}

/* A question to the bus about this connection. */
static int peer_ask(Peer *p,
                    const char *member,
                    uint64_t timeout_usec,
                    sd_bus_message_handler_t handler,
                    sd_bus_slot **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = p->peers->bus;
        int r;

        r = sd_bus_message_new_method_call(
                bus, &m, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", member);
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', p->name);

        return r < 0 ? r : sd_bus_call_async(bus, ret, m, handler, p, timeout_usec);
}

static int peer_ask_user(Peer *p) {
        int r;

        r = peer_ask(
                p, "GetConnectionUnixUser", LOOKUP_TIMEOUT_USEC << p->n_lookups, on_unix_user, &p->lookup);
        if (r >= 0)
                p->peers->n_asked++;
        return r;
}

static int on_checked(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Peer *p = userdata;
        int there;

        p->check = sd_bus_slot_unref(p->check);
        if (!sd_bus_message_is_method_error(m, NULL) && sd_bus_message_read(m, "b", &there) >= 0 && !there)
                peer_tell(p, PEER_GONE);

        return 0;
}

/* Sleeps when nobody is left, until the next one comes. */
static int on_check(sd_event_source *source, uint64_t usec, void *userdata) {
        Peers *peers = userdata;
        unsigned n = 0;
        int r;

        PEERS_FOREACH (p, peers) {
                if (p->round == peers->round || p->state != PEER_KNOWN || p->check)
                        continue;
                if (++n > CHECKS_MAX)
                        break;
                p->round = peers->round;
                r = peer_ask(p, "NameHasOwner", CHECK_USEC, on_checked, &p->check);
                if (r < 0)
                        (void) log_message_errno(LOG_DEBUG, r, "Cannot ask the bus for %s", p->name);
        }
        if (n <= CHECKS_MAX)
                peers->round++;
        if (TAILQ_EMPTY(&peers->list))
                return 0;

        r = sd_event_source_set_time_relative(source, CHECK_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int peers_wake(Peers *peers) {
        int enabled, r;

        r = sd_event_source_get_enabled(peers->timer, &enabled);
        if (r != 0)
                return r < 0 ? r : 0;

        r = sd_event_source_set_time_relative(peers->timer, CHECK_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(peers->timer, SD_EVENT_ONESHOT);
}

/* One match rule for all: one for each peer would be two more calls for each that the bus has to read. */
static int peers_watch(Peers *p, sd_event *event) {
        int r;

        r = sd_bus_add_match(p->bus,
                             &p->match,
                             "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                             "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
                             on_name_lost,
                             p);
        if (r < 0)
                return r;

        r = sd_event_add_time_relative(event, &p->timer, CLOCK_MONOTONIC, CHECK_USEC, 0, on_check, p);
        return r < 0 ? r : sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
}

int peers_new(Peers **ret, sd_bus *bus, sd_event *event, PeerHandler handler, void *userdata) {
        _cleanup_(peers_freep) Peers *p = calloc(1, sizeof(*p));
        int r;

        if (!p)
                return -ENOMEM;

        p->bus = sd_bus_ref(bus);
        p->handler = handler;
        p->userdata = userdata;
        TAILQ_INIT(&p->list);
        r = peers_watch(p, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(p);
        return 0;
}

Peers *peers_free(Peers *p) {
        if (!p)
                return NULL;

        while (!TAILQ_EMPTY(&p->list))
                peer_tell(TAILQ_FIRST(&p->list), PEER_GONE);

        (void) sd_event_source_disable_unref(p->timer);
        (void) sd_bus_slot_unref(p->match);
        (void) sd_bus_unref(p->bus);
        free(p);
        return NULL;
}

static int make_room(Peers *peers) {
        Peer *p;

        if (peers->n_peers < PEERS_MAX)
                return 0;

        TAILQ_FOREACH_REVERSE (p, &peers->list, PeerList, entry)
                if (p->n_ref == 1 && p->state == PEER_KNOWN && !p->subscribed) {
                        peer_leave_table(p);
                        return 0;
                }

        return -EBUSY;
}

int peers_get(Peers *peers, const char *name, Peer **ret) {
        Peer *p;
        int r;

        p = peer_find(peers, name);
        if (p) {
                TAILQ_REMOVE(&peers->list, p, entry);
                TAILQ_INSERT_HEAD(&peers->list, p, entry);
                *ret = p;
                return 0;
        }

        r = make_room(peers);
        if (r >= 0)
                r = peers_wake(peers);
        if (r < 0)
                return r;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;

        p->n_ref = 1;
        TAILQ_INIT(&p->waiting);
        TAILQ_INIT(&p->asking);
        p->name = strdup(name);
        if (!p->name) {
                (void) peer_unref(p);
                return -ENOMEM;
        }

        p->peers = peers;
        r = peers->n_asked < LOOKUPS_AT_ONCE_MAX ? peer_ask_user(p) : 0;
        if (r < 0) {
                (void) peer_unref(p);
                return r;
        }

        p->round = peers->round - 1;
        TAILQ_INSERT_HEAD(&peers->list, p, entry);
        peers->n_peers++;
        *ret = p;
        return 0;
}

Peer *peers_first(Peers *p) { return TAILQ_FIRST(&p->list); }

size_t peers_count_subscribed(Peers *peers, uid_t uid) {
        size_t n = 0;

        PEERS_FOREACH (p, peers)
                if (p->state == PEER_KNOWN && p->subscribed && p->uid == uid)
                        n++;

        return n;
}
