/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers.h"

#include "base/log.h"
#include "base/text.h"

/*
 * dbus-daemon drops its own answers, and says nothing, while a connection's queue holds too many descriptors, and any
 * user can bring that about. So an answer is not waited for long, but asked for again.
 */
#define LOOKUP_TIMEOUT_USEC (300 * USEC_PER_MSEC)
#define LOOKUPS_MAX 80U

struct Peers {
        sd_bus *bus;
        PeerHandler handler;
        void *userdata;
        TAILQ_HEAD(PeerList, Peer) list;
        size_t n_peers;
};

static void peer_leave_table(Peer *p) {
        Peers *peers = p->peers;

        if (!peers)
                return;

        TAILQ_REMOVE(&peers->list, p, entry);
        peers->n_peers--;
        p->peers = NULL;
        p->match = sd_bus_slot_unref(p->match);
        p->lookup = sd_bus_slot_unref(p->lookup);
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
        (void) sd_bus_slot_unref(p->match);
        (void) sd_bus_slot_unref(p->lookup);
        free(p->name);
        free(p);
        return NULL;
}

/* It may hold the last reference but one: the handler must find the row whole. */
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

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *old_owner, *new_owner;
        Peer *p = userdata;

        (void) error;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0)
                return 0;
        if (streq(name, p->name) && new_owner[0] == '\0')
                peer_tell(p, PEER_GONE);

        return 0;
}

static int on_match_installed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Peer *p = userdata;

        (void) error;

        /* Without the rule we would not learn that it goes; then it must not be kept. */
        if (sd_bus_message_is_method_error(m, NULL)) {
                log_warning("The bus refuses to tell when %s disconnects: %s",
                            p->name,
                            sd_bus_message_get_error(m)->message);
                peer_tell(p, PEER_GONE);
        }

        return 0;
}

static int peer_ask_user(Peer *p, sd_bus *bus);

static int on_unix_user(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Peer *p = userdata;
        uint32_t uid;

        (void) error;

        p->lookup = sd_bus_slot_unref(p->lookup);

        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY) && ++p->n_lookups < LOOKUPS_MAX &&
            peer_ask_user(p, sd_bus_message_get_bus(m)) >= 0)
                return 0;

        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "u", &uid) < 0 ||
            uid == UINT32_MAX) {
                peer_tell(p, PEER_GONE);
                return 0;
        }

        p->uid = uid;
        peer_tell(p, PEER_KNOWN);
        return 0;
}

static int peer_ask_user(Peer *p, sd_bus *bus) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus,
                                           &m,
                                           "org.freedesktop.DBus",
                                           "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus",
                                           "GetConnectionUnixUser");
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', p->name);
        if (r < 0)
                return r;

        return sd_bus_call_async(bus, &p->lookup, m, on_unix_user, p, LOOKUP_TIMEOUT_USEC);
}

/* The rule first: whoever is still there when the uid is asked for cannot leave unnoticed later. */
static int peer_ask(Peer *p, sd_bus *bus) {
        _cleanup_free_ char *rule = NULL;
        int r;

        rule = text_printf("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                           "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                           p->name);
        if (!rule)
                return -ENOMEM;

        r = sd_bus_add_match_async(bus, &p->match, rule, on_owner_changed, on_match_installed, p);
        if (r < 0)
                return r;

        return peer_ask_user(p, bus);
}

int peers_new(Peers **ret, sd_bus *bus, PeerHandler handler, void *userdata) {
        Peers *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;

        p->bus = sd_bus_ref(bus);
        p->handler = handler;
        p->userdata = userdata;
        TAILQ_INIT(&p->list);
        *ret = p;
        return 0;
}

Peers *peers_free(Peers *p) {
        if (!p)
                return NULL;

        while (!TAILQ_EMPTY(&p->list))
                peer_tell(TAILQ_FIRST(&p->list), PEER_GONE);

        (void) sd_bus_unref(p->bus);
        free(p);
        return NULL;
}

static int make_room(Peers *peers) {
        Peer *p;

        if (peers->n_peers < PEERS_MAX)
                return 0;

        TAILQ_FOREACH_REVERSE(p, &peers->list, PeerList, entry)
        if (p->n_ref == 1 && p->state == PEER_KNOWN && !p->subscribed) {
                peer_leave_table(p);
                return 0;
        }

        return -EBUSY;
}

int peers_get(Peers *peers, const char *name, Peer **ret) {
        Peer *p;
        int r;

        TAILQ_FOREACH(p, &peers->list, entry)
        if (streq(p->name, name)) {
                TAILQ_REMOVE(&peers->list, p, entry);
                TAILQ_INSERT_HEAD(&peers->list, p, entry);
                *ret = p;
                return 0;
        }

        r = make_room(peers);
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

        r = peer_ask(p, peers->bus);
        if (r < 0) {
                (void) peer_unref(p);
                return r;
        }

        p->peers = peers;
        TAILQ_INSERT_HEAD(&peers->list, p, entry);
        peers->n_peers++;
        *ret = p;
        return 0;
}

Peer *peers_first(Peers *p) { return TAILQ_FIRST(&p->list); }

size_t peers_count_subscribed(Peers *peers, uid_t uid) {
        size_t n = 0;

        PEERS_FOREACH(p, peers)
        if (p->state == PEER_KNOWN && p->subscribed && p->uid == uid)
                n++;

        return n;
}
