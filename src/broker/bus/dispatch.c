/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/dispatch.h"

#include "base/clock.h"
#include "base/log.h"
#include "broker/call/authorize.h"
#include "broker/call/call.h"
#include "broker/call/message.h"
#include "broker/peers/connection.h"
#include "broker/state/keepers.h"

#include <stdarg.h>

/* Well above what an honest Launch carries: 64 arguments of 4 KiB, and an environment. */
#define MESSAGE_SIZE_MAX (384U * 1024)
/* Calls of one user that are not answered yet, whatever they wait for. */
#define REQUESTS_PER_USER_MAX 64U
/* Calls, of one peer and of all, that may wait for the bus to say who the peer is. */
#define WAITING_PER_PEER_MAX 8U
/* Messages of a peer that are looked at in that time, whether they are answered at once or not. */
#define EARLY_PER_PEER_MAX (2 * WAITING_PER_PEER_MAX)
#define EARLY_PER_PEER_BEHIND 2U /* while answers to others wait for the bus */
#define WAITING_MAX (PEERS_MAX * WAITING_PER_PEER_MAX)
/* Messages larger than this share a budget, so that small ones get through whatever else waits. */
#define WAITING_SMALL_SIZE 4096U
#define WAITING_SIZE_MAX (4U * 1024 * 1024)

/* No refusals are sent while the bus has more than this of our answers yet to read, all of it kernel memory. */
#define UNREAD_MAX (16U * 1024)

/* What is hidden from the caller and what is not there at all get the same answer, word for word. */
static int fail_hidden(Call *c) {
        c->audit.hidden = c->object.sandbox || c->object.profile ||
                          (c->object.kind == OBJECT_USER && c->object.uid != UID_NOBODY);

        switch (c->member->subject) {
        case SUBJECT_SANDBOX:
                return call_fail(c, ERROR_NO_SUCH_SANDBOX, "No sandbox \"%s\"", c->object.path);
        case SUBJECT_PROCESS:
                return call_fail(c, ERROR_NO_SUCH_SANDBOX, "The process is in no sandbox");
        case SUBJECT_PROFILE:
                return call_fail(c, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", c->object.path);
        case SUBJECT_USER:
                return call_fail(c, ERROR_NO_SUCH_USER, "No such user has sandboxes");
        case SUBJECT_PATH:
        default:
                return call_fail(c, SD_BUS_ERROR_UNKNOWN_OBJECT, "No object %s", c->object.path);
        }
}

static size_t backlog(Manager *m) {
        return connection_backlog(connection_unread(m->bus), clock_usec(CLOCK_MONOTONIC), &m->bus_read_usec);
}

static bool is_behind(Manager *m) { return backlog(m) > UNREAD_MAX; }

/*
 * Whether this user's request is looked at at all, and if so, its price. Users over their share are told so a few
 * times a second, and beyond that not answered: a flood of refusals is a flood, too, and others' answers are in it.
 */
static bool user_may_ask(Manager *m, uid_t uid, sd_bus_message *message) {
        const uint64_t now = clock_usec(CLOCK_MONOTONIC);

        if (quotas_may_spend(m->quotas, uid, now) >= 0)
                return quotas_spend(m->quotas, uid, now, quotas_request_price(backlog(m))) >= 0;

        if (quotas_count(m->quotas, uid, QUOTA_REFUSALS, now, QUOTA_REFUSALS_PER_SEC, USEC_PER_SEC) >= 0 &&
            !is_behind(m))
                (void) sd_bus_reply_method_errorf(
                        message,
                        ERROR_RATE_LIMITED,
                        "User %u has used up their share of the broker's time; try again in a moment",
                        uid);
        return false;
}

static bool waits_small(const Call *c) { return c->size <= WAITING_SMALL_SIZE; }

static int wait_for_peer(Call *c) {
        Manager *m = c->manager;

        if (c->peer->n_waiting >= WAITING_PER_PEER_MAX || m->n_waiting >= WAITING_MAX ||
            (!waits_small(c) && m->waiting_size + c->size > WAITING_SIZE_MAX))
                return call_fail(c, ERROR_BUSY, "Too many requests wait already; try again");

        TAILQ_INSERT_TAIL(&c->peer->waiting, c, entry);
        c->peer->n_waiting++;
        m->n_waiting++;
        if (!waits_small(c))
                m->waiting_size += c->size;
        return 0;
}

static StepAnswer step_peer(void *traveller) {
        Call *c = traveller;
        int r;

        if (c->peer->state == PEER_ASKED) {
                r = wait_for_peer(c);
                return r < 0 ? call_step(c, r) : STEP_WAIT;
        }
        if (c->peer->state != PEER_KNOWN)
                return call_step(c,
                                 call_fail(c,
                                           SD_BUS_ERROR_ACCESS_DENIED,
                                           "The bus does not say who %s is",
                                           c->peer->name));

        c->uid = c->peer->uid;
        return STEP_DONE;
}

static StepAnswer step_price(void *traveller) {
        Call *c = traveller;

        if (user_may_ask(c->manager, c->uid, c->message))
                return STEP_DONE;

        c->replied = true; /* or left without an answer on purpose */
        return STEP_FAILED;
}

static StepAnswer step_count(void *traveller) {
        Call *c = traveller;

        return call_step(c, call_count(c, QUOTA_REQUESTS, REQUESTS_PER_USER_MAX));
}

static StepAnswer step_keepers(void *traveller) {
        Call *c = traveller;

        if (keepers_are_heard(c->manager->keepers))
                return STEP_DONE;

        TAILQ_INSERT_TAIL(&c->manager->early, c, entry);
        return STEP_WAIT;
}

static StepAnswer step_object(void *traveller) {
        Object object = { .uid = UID_NOBODY };
        Call *c = traveller;
        int r;

        c->object = object;
        r = object_resolve(c->manager, c->message, c->member->subject, &c->name, &object, &c->error);
        if (r < 0)
                return call_step(c, r);

        call_set_object(c, &object);
        audit_note(c);
        return STEP_DONE;
}

/* Objects that lead to others show each caller only what they may see. */
static bool lists_others(const Call *c) {
        return c->member->lists && (c->object.kind == OBJECT_MANAGER || c->object.kind == OBJECT_BRANCH);
}

static void on_account(KnownAccount *known, void *userdata) {
        Call *c = userdata;

        c->query = NULL; /* it is gone when its handler runs */
        c->known = known_account_ref(known);
        call_walk(c);
}

/* Which signals a subscriber gets goes by their latest account. */
static void peer_remember_account(Call *c) {
        if (!c->known || c->known == c->peer->account)
                return;

        (void) known_account_unref(c->peer->account);
        c->peer->account = known_account_ref(c->known);
}

/* Asked once: that the account cannot be had is an answer, too. */
static StepAnswer step_account(void *traveller) {
        Call *c = traveller;
        StepAnswer answer;

        if (!(lists_others(c) && c->uid != 0) && !access_needs_account(c->uid, c->member->verb, &c->access))
                return STEP_DONE;

        if (!c->known_asked) {
                c->known_asked = true;
                answer = call_find_account(c, NULL, c->uid, on_account, c, &c->query, &c->known);
                if (answer != STEP_DONE)
                        return answer == STEP_WAIT ? call_rest(c) : answer;
        }

        peer_remember_account(c);
        return STEP_DONE;
}

static StepAnswer step_access(void *traveller) {
        Call *c = traveller;
        const Deed deed = deed_of_call(c);
        StepAnswer answer = call_authorize(c, &deed);

        if (answer == STEP_FAILED && c->failure == -ENOENT)
                return call_step(c, fail_hidden(c));

        return answer;
}

/* Only root gets here with an object that does not exist; to all others it is hidden. */
static StepAnswer step_exists(void *traveller) {
        Call *c = traveller;

        if ((c->object.kind == OBJECT_SANDBOX && !c->object.sandbox) ||
            (c->object.kind == OBJECT_PROFILE && !c->object.profile) ||
            (c->object.kind == OBJECT_USER && c->object.uid == UID_NOBODY))
                return call_step(c, fail_hidden(c));

        return STEP_DONE;
}

static StepAnswer step_work(void *traveller) {
        Call *c = traveller;

        return c->member->works ? call_step(c, call_count_work(c)) : STEP_DONE;
}

/* A handler that returns 1 has taken the call, which may be gone already. */
static StepAnswer step_handler(void *traveller) {
        Call *c = traveller;
        const int r = c->member->handler(c);

        return r > 0 ? STEP_WAIT : call_step(c, r);
}

enum {
        CALL_PEER,
        CALL_PRICE,
        CALL_COUNT,
        CALL_KEEPERS,
        CALL_OBJECT,
        CALL_ACCOUNT,
        CALL_ACCESS,
        CALL_EXISTS,
        CALL_WORK,
        CALL_HANDLER,
};

/* clang-format off */
static const RoadStep steps[] = {
        /* First, as all that follows is charged to somebody. */
        [CALL_PEER]    = { step_peer, .again = CALL_PEER },
        /* Only after a wait: whoever was known when the message came has paid before it was looked at. */
        [CALL_PRICE]   = { step_price, .after_wait = true },
        /* Before any work: one request too many must cost nothing more. */
        [CALL_COUNT]   = { step_count },
        /*
         * For some 0.1 s after the start sandboxes that run are not known yet. Nearly every answer depends on them in
         * some way, so every call waits; counted, as whoever sends many is to be told so then, too.
         */
        [CALL_KEEPERS] = { step_keepers, .again = CALL_OBJECT },
        /* From here on nothing is remembered across a wait, in which objects, profiles and rights may go. */
        [CALL_OBJECT]  = { step_object },
        /* Before access, and only if that depends on it: root and owners need no name service. */
        [CALL_ACCOUNT] = { step_account, .again = CALL_OBJECT },
        /* Before anything is said about the object: for those who may not see it, there is none. */
        [CALL_ACCESS]  = { step_access, .again = CALL_OBJECT },
        [CALL_EXISTS]  = { step_exists },
        /* Last of the limits: a refused call is no work for a keeper. */
        [CALL_WORK]    = { step_work },
        /* A handler that keeps the call answers it. It comes again only if polkit has to be asked more. */
        [CALL_HANDLER] = { step_handler, .again = CALL_OBJECT },
};
/* clang-format on */

void dispatch_peer_ready(Peer *p, void *userdata) {
        Manager *m = userdata;
        Call *c;

        if (p->state == PEER_GONE)
                call_peer_gone(p);

        while ((c = TAILQ_FIRST(&p->waiting))) {
                TAILQ_REMOVE(&p->waiting, c, entry);
                p->n_waiting--;
                m->n_waiting--;
                if (!waits_small(c))
                        m->waiting_size -= c->size;

                call_walk(c);
        }
}

void dispatch_keepers_heard(Manager *m) {
        Call *c;

        while ((c = TAILQ_FIRST(&m->early))) {
                TAILQ_REMOVE(&m->early, c, entry);
                /* Nothing is begun for a caller who has gone. */
                if (c->peer && c->peer->state != PEER_KNOWN)
                        (void) call_free(c);
                else
                        call_walk(c);
        }
}

void dispatch_drop(Manager *m) {
        Call *c;

        while ((c = TAILQ_FIRST(&m->early))) {
                TAILQ_REMOVE(&m->early, c, entry);
                (void) call_free(c);
        }
}

/* Answers a message that becomes no call. Nothing is known about the caller, and nothing needs to be. */
_printf_(3, 4) static int refuse(sd_bus_message *m, const char *name, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = sd_bus_reply_method_errorfv(m, name, format, ap);
        va_end(ap);
        return r < 0 ? r : -ECANCELED;
}

const Member *
member_find(const Interface *const *interfaces, const char *interface, const char *member, bool *ret_known) {
        *ret_known = !interface;

        for (const Interface *const *i = interfaces; *i; i++) {
                if (interface && !streq((*i)->name, interface))
                        continue;

                *ret_known = true;
                for (size_t k = 0; k < (*i)->n_members; k++)
                        if (streq((*i)->members[k].name, member))
                                return (*i)->members + k;
        }

        return NULL;
}

/* All that can be said without knowing who asks, as it is the same for everybody. -ECANCELED: answered. */
static int
check_form(sd_bus_message *m, const ObjectName *name, const Member **ret_member, size_t *ret_size) {
        const char *interface = sd_bus_message_get_interface(m);
        const Member *member;
        bool known;
        int r;

        member =
                member_find(interfaces_by_kind[name->kind], interface, sd_bus_message_get_member(m), &known);
        if (!member && !known)
                return refuse(m, SD_BUS_ERROR_UNKNOWN_INTERFACE, "No interface %s here", interface);
        if (!member)
                return refuse(
                        m, SD_BUS_ERROR_UNKNOWN_METHOD, "No method %s here", sd_bus_message_get_member(m));

        if (sd_bus_message_has_signature(m, member->in.types ?: "") <= 0)
                return refuse(m,
                              SD_BUS_ERROR_INVALID_ARGS,
                              "%s wants arguments of types \"%s\", not \"%s\"",
                              member->name,
                              member->in.types ?: "",
                              sd_bus_message_get_signature(m, true) ?: "");

        r = message_measure(m, MESSAGE_SIZE_MAX, ret_size);
        if (r == -E2BIG)
                return refuse(m, ERROR_QUOTA_EXCEEDED, "Arguments of more than %u bytes", MESSAGE_SIZE_MAX);
        if (r < 0)
                return refuse(m, SD_BUS_ERROR_INVALID_ARGS, "Arguments that cannot be read");

        *ret_member = member;
        return 0;
}

static int call_accept(Manager *m,
                       sd_bus_message *message,
                       Peer *peer,
                       ObjectName *name,
                       const Member *member,
                       size_t size) {
        Call *c;
        int r;

        r = call_new(&c, m, message, member, peer);
        if (r < 0)
                return r;

        c->size = size;
        c->name = *name;
        name->name = NULL;
        c->road = (Road){ .steps = steps, .n_steps = ELEMENTSOF(steps) };
        call_walk(c);
        return 1;
}

/* The sender's row. 0: this message is done with. */
static int peer_of(Manager *m, sd_bus_message *message, Peer **ret) {
        int r;

        r = peers_get(m->peers, sd_bus_message_get_sender(message), ret);
        if (r == -EBUSY) {
                if (quotas_count(m->quotas,
                                 UID_NOBODY,
                                 QUOTA_REFUSALS,
                                 clock_usec(CLOCK_MONOTONIC),
                                 QUOTA_REFUSALS_PER_SEC,
                                 USEC_PER_SEC) >= 0)
                        (void) refuse(message, ERROR_BUSY, "Too many clients at once; try again");
                return 0;
        }
        if (r < 0)
                return r;

        if ((*ret)->state == PEER_KNOWN)
                return user_may_ask(m, (*ret)->uid, message);

        return (*ret)->n_early++ < (is_behind(m) ? EARLY_PER_PEER_BEHIND : EARLY_PER_PEER_MAX);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *path = sd_bus_message_get_path(message);
        _cleanup_object_name_ ObjectName name = { 0 };
        const Member *member = NULL;
        Manager *m = userdata;
        Peer *peer = NULL;
        size_t size = 0;
        int r;

        if (!sd_bus_message_get_sender(message))
                return 1; /* not from the bus, which always names the sender */

        /* Before anything is answered: telling what is wrong with a message costs as much as any answer. */
        r = peer_of(m, message, &peer);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = object_path_parse(path, &name);
        if (r == -ENOENT)
                r = refuse(message, SD_BUS_ERROR_UNKNOWN_OBJECT, "No object %s", path);
        if (r >= 0)
                r = check_form(message, &name, &member, &size);
        if (r == -ECANCELED)
                return 1;
        if (r < 0)
                return r;

        return call_accept(m, message, peer, &name, member, size);
}

int dispatch_attach(Manager *m) { return sd_bus_add_fallback(m->bus, NULL, "/", on_message, m); }
