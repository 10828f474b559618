/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/dispatch.h"

#include "base/clock.h"
#include "base/log.h"
#include "broker/bus/interfaces.h"
#include "broker/call/authorize.h"
#include "broker/call/call.h"
#include "broker/call/manager-state.h"
#include "broker/peers/connection.h"
#include "broker/peers/message-size.h"
#include "broker/state/cgroups.h"

#include <stdarg.h>

/* Together well above what an honest Launch carries: 64 arguments of 4 KiB and an environment. */
#define MESSAGE_SIZE_MAX (384U * 1024)
/* Calls of one user without an answer yet, whatever they wait for. */
#define REQUESTS_PER_USER_MAX 64U
/* Calls of a peer, and of all peers, that may wait for the bus to say who the peer is. */
#define WAITING_PER_PEER_MAX 8U
/* Messages of a peer that are looked at meanwhile, answered at once or not. */
#define EARLY_PER_PEER_MAX (2 * WAITING_PER_PEER_MAX)
#define EARLY_PER_PEER_BEHIND 2U /* while answers to others wait for the bus */
#define WAITING_MAX (PEERS_MAX * WAITING_PER_PEER_MAX)
/* Messages larger than this share a budget, so that small ones get through whatever else waits. */
#define WAITING_SMALL_SIZE 4096U
#define WAITING_SIZE_MAX (4U * 1024 * 1024)

/* Refusals are left out while the bus has more than this of our answers before it, in memory of the kernel. */
#define UNREAD_MAX (16U * 1024)

/* Errors for an object that is not there, or not for this caller: the same words, whichever it is. */
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

static Object find_sandbox(const Manager *m, const char *id, const char *path) {
        return (Object){ .kind = OBJECT_SANDBOX,
                         .path = path,
                         .name = id,
                         .sandbox = sandboxes_find(&m->sandboxes, id),
                         .uid = UID_NOBODY };
}

/* The object of the sandbox that holds the process behind the call's pidfd. */
static int find_sandbox_of_process(Call *c, Object *ret) {
        _cleanup_free_ char *group = NULL;
        int fd, r;

        r = sd_bus_message_read(c->message, "h", &fd);
        if (r < 0)
                return r;

        r = cgroup_of_pidfd(fd, &group);
        if (r == -EBADF)
                return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "The first argument is no pidfd");
        if (r < 0 && r != -ESRCH)
                return r;

        *ret = (Object){ .kind = OBJECT_SANDBOX,
                         .sandbox = group ? sandboxes_find_by_cgroup(&c->manager->sandboxes, group) : NULL,
                         .uid = UID_NOBODY };
        return 0;
}

static Object find_profile(const Manager *m, const char *name, const char *path) {
        return (Object){ .kind = OBJECT_PROFILE,
                         .path = path,
                         .name = name,
                         .profile = catalog_find(m->catalog, name),
                         .uid = UID_NOBODY };
}

static Object find_user(const Manager *m, uid_t uid, const char *path) {
        return (Object){ .kind = OBJECT_USER,
                         .path = path,
                         .named_uid = uid,
                         .uid = sandboxes_has_user(&m->sandboxes, uid) ? uid : UID_NOBODY };
}

/* The object that the path names. */
static Object object_of_path(const Call *c) {
        const char *path = sd_bus_message_get_path(c->message);

        switch (c->name.kind) {
        case OBJECT_SANDBOX:
                return find_sandbox(c->manager, c->name.name, path);
        case OBJECT_PROFILE:
                return find_profile(c->manager, c->name.name, path);
        case OBJECT_USER:
                return find_user(c->manager, c->name.uid, path);
        case OBJECT_BRANCH:
        case OBJECT_MANAGER:
        default:
                return (Object){ .kind = c->name.kind, .path = path, .uid = UID_NOBODY };
        }
}

/* The object the call is about, afresh: it may have gone while the caller's account was looked up. */
static int object_resolve(Call *c) {
        const char *text;
        uint32_t uid;
        int r;

        r = sd_bus_message_rewind(c->message, true);
        if (r < 0)
                return r;

        switch (c->member->subject) {
        case SUBJECT_SANDBOX:
        case SUBJECT_PROFILE:
                r = sd_bus_message_read(c->message, "s", &text);
                if (r < 0)
                        return r;
                if (!text_is_printable(text, "") || strlen(text) > 128)
                        return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "The first argument is no name");
                c->object = c->member->subject == SUBJECT_SANDBOX ? find_sandbox(c->manager, text, text)
                                                                  : find_profile(c->manager, text, text);
                return 0;
        case SUBJECT_PROCESS:
                return find_sandbox_of_process(c, &c->object);
        case SUBJECT_USER:
                r = sd_bus_message_read(c->message, "u", &uid);
                if (r < 0)
                        return r;
                c->object = find_user(c->manager, uid, NULL);
                return 0;
        case SUBJECT_PATH:
        default:
                c->object = object_of_path(c);
                return 0;
        }
}

static void call_decide(Call *call);

static void on_account(KnownAccount *known, void *userdata) {
        Call *c = userdata;

        c->query = NULL; /* it is gone when its handler runs */
        c->known = known_account_ref(known);
        call_decide(c);
}

/* 1: the account is there, or cannot be had; 0: asked for, the call goes on when the answer comes. */
static int account_get(Call *c) {
        int r;

        if (c->known_asked)
                return 1;

        c->known_asked = true;
        r = accounts_peek(c->manager->accounts, NULL, c->uid, &c->known);
        if (r >= 0)
                return 1;

        r = accounts_ask(c->manager->accounts, NULL, c->uid, on_account, c, &c->query);
        return r < 0 ? r : 0;
}

/* The subscriber's rights over signals follow his latest account. */
static void peer_remember_account(Call *c) {
        if (!c->known || c->known == c->peer->account)
                return;

        (void) known_account_unref(c->peer->account);
        c->peer->account = known_account_ref(c->known);
}

/* Objects that lead to others show each caller his own part of them. */
static bool lists_others(const Call *c) {
        return c->member->lists && (c->object.kind == OBJECT_MANAGER || c->object.kind == OBJECT_BRANCH);
}

static int call_run(Call *c) {
        Deed deed;
        int r;

        c->object = (Object){ .uid = UID_NOBODY };
        r = object_resolve(c);
        if (r < 0)
                return r;

        audit_note(c);
        deed = deed_of_call(c);
        if ((lists_others(c) && c->uid != 0) || access_needs_account(c->uid, deed.verb, &deed.object)) {
                r = account_get(c);
                if (r == -EBUSY)
                        return call_fail(c, ERROR_BUSY, "Too many account look-ups wait already; try again");
                if (r < 0)
                        return r;
                if (r == 0)
                        return 1;
                peer_remember_account(c);
        }

        deed = deed_of_call(c);
        r = call_authorize(c, &deed);
        if (r > 0)
                return 1;
        if (r == -ENOENT)
                return fail_hidden(c);
        if (r < 0)
                return r;

        /* What the caller may see exists now, or root asks for what does not exist at all. */
        if ((c->object.kind == OBJECT_SANDBOX && !c->object.sandbox) ||
            (c->object.kind == OBJECT_PROFILE && !c->object.profile) ||
            (c->object.kind == OBJECT_USER && c->object.uid == UID_NOBODY))
                return fail_hidden(c);

        if (c->member->works) {
                r = call_count_work(c);
                if (r < 0)
                        return r;
        }

        return c->member->handler(c);
}

/* The call may be gone afterwards, or belong to somebody else. */
static void call_work(Call *c) {
        int r;

        r = call_run(c);
        if (r > 0)
                return; /* kept */
        if (r < 0)
                call_reply_error(c, r);
        (void) call_free(c);
}

static void call_decide(Call *c) {
        const uint64_t before = clock_usec(CLOCK_THREAD_CPUTIME_ID);
        Quotas *quotas = c->manager->quotas;
        const uid_t uid = c->uid;

        if (c->peer->state == PEER_GONE) {
                (void) call_free(c);
                return;
        }

        call_work(c);
        if (quotas_spend(
                    quotas, uid, clock_usec(CLOCK_MONOTONIC), clock_usec(CLOCK_THREAD_CPUTIME_ID) - before) <
            0)
                (void) log_oom();
}

void dispatch_again(Call *c) {
        /* Polkit may have thought for long enough that the caller is in other groups now. */
        call_forget_account(c);
        call_decide(c);
}

/* The uid is known: from here on the call counts against it. */
static void call_begin(Call *c) {
        int r;

        c->uid = c->peer->uid;
        r = call_count(c, QUOTA_REQUESTS, REQUESTS_PER_USER_MAX);
        if (r < 0) {
                call_reply_error(c, r);
                (void) call_free(c);
                return;
        }

        call_decide(c);
}

static size_t backlog(Manager *m) {
        return connection_backlog(connection_unread(m->bus), clock_usec(CLOCK_MONOTONIC), &m->bus_read_usec);
}

static bool is_behind(Manager *m) { return backlog(m) > UNREAD_MAX; }

/*
 * Whether this user's request is looked at at all, and if so, its price. Who is over his share is told so a few times
 * a second, and beyond that not answered: a flood of refusals is a flood, too, and others' answers are in it.
 */
static bool user_may_ask(Manager *m, uid_t uid, sd_bus_message *message) {
        const uint64_t now = clock_usec(CLOCK_MONOTONIC);

        if (quotas_may_spend(m->quotas, uid, now) >= 0)
                return quotas_spend(m->quotas, uid, now, quotas_request_price(backlog(m))) >= 0;

        if (quotas_refuse(m->quotas, uid, now) >= 0 && !is_behind(m))
                (void) sd_bus_reply_method_errorf(
                        message,
                        ERROR_RATE_LIMITED,
                        "User %u has used up his share of the broker's time; try again in a moment",
                        uid);
        return false;
}

static bool waits_small(const Call *c) { return c->size <= WAITING_SMALL_SIZE; }

static int call_wait(Call *c) {
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

void dispatch_peer_ready(Peer *p, void *userdata) {
        Manager *m = userdata;
        Call *c;

        if (p->state == PEER_GONE)
                authorize_peer_gone(p);

        while ((c = TAILQ_FIRST(&p->waiting))) {
                TAILQ_REMOVE(&p->waiting, c, entry);
                p->n_waiting--;
                m->n_waiting--;
                if (!waits_small(c))
                        m->waiting_size -= c->size;

                if (p->state == PEER_KNOWN) {
                        c->replied = !user_may_ask(m, p->uid, c->message);
                        c->replied ? (void) call_free(c) : call_begin(c);
                        continue;
                }

                call_reply_error(
                        c,
                        call_fail(c, SD_BUS_ERROR_ACCESS_DENIED, "The bus does not say who %s is", p->name));
                (void) call_free(c);
        }
}

/* Answers without a call: nothing is known of the caller, and nothing needs to be. */
_printf_(3, 4) static int refuse(sd_bus_message *m, const char *name, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = sd_bus_reply_method_errorfv(m, name, format, ap);
        va_end(ap);
        return r < 0 ? r : -ECANCELED;
}

/* Everything that can be said without knowing who asks, because it is the same for all. -ECANCELED: answered. */
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

static int call_new(Manager *m, sd_bus_message *message, const Member *member, size_t size, Call **ret) {
        Call *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;

        c->manager = m;
        c->message = sd_bus_message_ref(message);
        c->member = member;
        c->size = size;
        *ret = c;
        return 0;
}

static int call_accept(Manager *m,
                       sd_bus_message *message,
                       Peer *peer,
                       ObjectName *name,
                       const Member *member,
                       size_t size) {
        _cleanup_(call_freep) Call *c = NULL;
        int r;

        r = call_new(m, message, member, size, &c);
        if (r < 0)
                return r;

        c->name = *name;
        name->name = NULL;
        c->peer = peer_ref(peer);
        if (peer->state == PEER_KNOWN) {
                call_begin(TAKE_PTR(c));
                return 1;
        }

        r = call_wait(c);
        if (r < 0)
                call_reply_error(c, r);
        else
                (void) TAKE_PTR(c);
        return 1;
}

/* The sender's row; 0: nothing more is done for this message, -EBUSY included. */
static int peer_of(Manager *m, sd_bus_message *message, Peer **ret) {
        int r;

        r = peers_get(m->peers, sd_bus_message_get_sender(message), ret);
        if (r == -EBUSY) {
                if (quotas_refuse(m->quotas, UID_NOBODY, clock_usec(CLOCK_MONOTONIC)) >= 0)
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
                return 1; /* not from the bus, which names senders */

        /* Before anything is said: what is wrong with a message costs an answer like any other. */
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
