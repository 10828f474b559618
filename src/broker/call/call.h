/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * call — one method call on its road: sender → uid → object → account → access → handler → reply
 *
 * Life: made when the message arrives; freed at the end of its road, or by whoever a handler that returned 1 gave it
 * to. Freeing it without a reply answers "Busy", so that no caller waits for nothing. While it rests, because
 * something was asked on its behalf, it is freed when its caller goes, and the question is taken back.
 *
 * Runs in: broker. Privilege: none. Input: the message is hostile.
 */

#include "broker/access/object-path.h"
#include "broker/call/audit.h"
#include "broker/call/object.h"
#include "broker/call/road.h"
#include "broker/peers/peers.h"
#include "broker/peers/polkit.h"
#include "broker/peers/quota.h"

#include <systemd/sd-bus.h>

struct Manager;
struct Member;

/* What polkit said, and to which question: an answer holds for no other one. */
typedef struct CallAnswer {
        AccessAction action;
        char **details;
        PolkitAnswer answer;
} CallAnswer;

/* Above what one call has to ask, also when profiles change under it. */
#define CALL_ANSWERS_MAX 6U

typedef struct Call {
        TAILQ_ENTRY(Call) entry; /* among those of its peer that wait for the bus, or that rest */
        struct Manager *manager;
        sd_bus_message *message;
        Road road;
        int failure; /* negative errno: where the road ended before its end */
        bool resting;
        size_t size; /* bytes of its texts, counted against what may wait */
        Peer *peer;
        uid_t uid; /* valid once the peer is known */
        bool counted[_QUOTA_KIND_MAX];
        bool replied;
        bool rated;          /* counted against the rate of launches already */
        KnownAccount *known; /* the caller's, where it was needed */
        bool known_asked;
        AccountQuery *query;
        PolkitQuery *query_polkit;
        CallAnswer
                answers[CALL_ANSWERS_MAX]; /* one more than n_answers while polkit thinks about that one */
        size_t n_answers;
        const struct Member *member;
        ObjectName name;     /* what the path says */
        Object object;       /* what the call is about */
        AccessObject access; /* that, as the table of access sees it */
        sd_bus_error error;
        AuditNote audit;
} Call;

/* References of what is borrowed are taken. peer NULL: a unit asks. */
int call_new(
        Call **ret, struct Manager *m, sd_bus_message *message, const struct Member *member, Peer *peer);
Call *call_free(Call *c); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Call *, call_free);

/* Goes on along the road until something has to be waited for. At the end it replies with what failed, and frees. */
void call_walk(Call *c);
/* A step that waits for an answer which will call_walk(). */
StepAnswer call_rest(Call *c);
/* What a step answers that has come to 0 or to a negative errno, which is kept. */
StepAnswer call_step(Call *c, int r);

/* The caller is gone: so are their calls that rest. */
void call_peer_gone(Peer *p);

/* What the call is about, as it is at this moment. */
void call_set_object(Call *c, const Object *object);

Caller call_caller(const Call *c);

/* Counts against the caller's quota until the call is freed, once. -EIO: the quota is used up, set as the error. */
int call_count(Call *c, QuotaKind kind, uint32_t max);
/* The same for calls that somebody else works on: MaxRequestsInFlight=. */
int call_count_work(Call *c);

/*
 * An account, by name or where that is NULL by uid. STEP_DONE: it was known, a reference is in *ret, and it may be one
 * that cannot be had. STEP_WAIT: the handler gets it.
 */
StepAnswer call_find_account(Call *c,
                             const char *name,
                             uid_t uid,
                             AccountHandler handler,
                             void *userdata,
                             AccountQuery **query,
                             KnownAccount **ret);
/*
 * The same for a step that cannot do without it, and is taken again when *known is there: STEP_FAILED, with the call's
 * error, where it cannot be had.
 */
StepAnswer call_need_account(Call *c,
                             const char *name,
                             uid_t uid,
                             AccountHandler handler,
                             void *userdata,
                             AccountQuery **query,
                             KnownAccount **known);

/* Forgets the caller's account, so that it is looked up as it is now. */
void call_forget_account(Call *c);

/* Replies with these values; 0 or negative errno. */
int call_reply(Call *c, const char *types, ...);
/* Sends a reply that was built. Takes it over. */
int call_send(Call *c, sd_bus_message *reply);

/* Sets the call's error; returns the negative errno that a handler hands on. */
int call_fail(Call *c, const char *name, const char *format, ...) _printf_(3, 4);

/* Hands a keeper's error (reply NULL: its absence) on as the call's own; returns as call_fail(). */
int call_fail_as(Call *c, sd_bus_message *reply);

/* Replies with the error that was set, or with the words for the errno. */
void call_reply_error(Call *c, int error);
