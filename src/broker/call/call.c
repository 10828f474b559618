/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/call.h"

#include "base/clock.h"
#include "base/log.h"
#include "broker/call/manager-state.h"

#include <stdarg.h>

int call_new(Call **ret, Manager *m, sd_bus_message *message, const struct Member *member, Peer *peer) {
        Call *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;

        c->manager = m;
        c->message = sd_bus_message_ref(message);
        c->member = member;
        c->peer = peer ? peer_ref(peer) : NULL;
        c->uid = UID_NOBODY;
        *ret = c;
        return 0;
}

static void stop_resting(Call *c) {
        if (!c->resting)
                return;

        TAILQ_REMOVE(&c->peer->asking, c, entry);
        c->resting = false;
}

Call *call_free(Call *c) {
        if (!c)
                return NULL;

        stop_resting(c);
        if (!c->replied)
                call_reply_error(c, call_fail(c, ERROR_BUSY, "The request was dropped; try again"));
        for (QuotaKind kind = 0; kind < _QUOTA_KIND_MAX; kind++)
                if (c->counted[kind])
                        quotas_leave(c->manager->quotas, c->uid, kind);

        (void) account_query_free(c->query);
        (void) polkit_query_free(c->query_polkit);
        for (size_t i = 0; i < ELEMENTSOF(c->answers); i++)
                (void) strv_free(c->answers[i].details);
        (void) known_account_unref(c->known);
        (void) peer_unref(c->peer);
        (void) sd_bus_message_unref(c->message);
        object_name_done(&c->name);
        audit_note_done(&c->audit);
        sd_bus_error_free(&c->error);
        free(c);
        return NULL;
}

StepAnswer call_rest(Call *c) {
        TAILQ_INSERT_TAIL(&c->peer->asking, c, entry);
        c->resting = true;
        return STEP_WAIT;
}

StepAnswer call_step(Call *c, int r) {
        if (r >= 0)
                return STEP_DONE;

        c->failure = r;
        return STEP_FAILED;
}

/* Callers pay for the time that their requests take, also for what is done when somebody's answer has come. */
void call_walk(Call *c) {
        const uint64_t before = clock_usec(CLOCK_THREAD_CPUTIME_ID);
        const uid_t uid = c->peer->state == PEER_KNOWN ? c->peer->uid : UID_NOBODY;
        Quotas *quotas = c->manager->quotas;
        StepAnswer answer;

        stop_resting(c);
        answer = road_walk(&c->road, c);
        if (answer == STEP_FAILED && !c->replied)
                call_reply_error(c, c->failure);
        if (answer != STEP_WAIT)
                (void) call_free(c);

        if (uid != UID_NOBODY && quotas_spend(quotas,
                                              uid,
                                              clock_usec(CLOCK_MONOTONIC),
                                              clock_usec(CLOCK_THREAD_CPUTIME_ID) - before) < 0)
                (void) log_oom();
}

void call_peer_gone(Peer *p) {
        Call *c;

        while ((c = TAILQ_FIRST(&p->asking)))
                (void) call_free(c);
}

void call_set_object(Call *c, const Object *object) {
        c->object = *object;
        c->access = object_access(c->manager, object);
}

Caller call_caller(const Call *c) {
        return (Caller){ .uid = c->uid, .account = c->known ? c->known->account : NULL };
}

int call_count(Call *c, QuotaKind kind, uint32_t max) {
        int r;

        if (c->counted[kind])
                return 0;

        r = quotas_enter(c->manager->quotas, c->uid, kind, max);
        if (r == -EDQUOT)
                return call_fail(c,
                                 ERROR_QUOTA_EXCEEDED,
                                 "%u requests of user %u are being worked on already%s",
                                 max,
                                 c->uid,
                                 kind == QUOTA_WORK ? " (MaxRequestsInFlight=)" : "");
        if (r < 0)
                return r;

        c->counted[kind] = true;
        return 0;
}

int call_count_work(Call *c) {
        return call_count(c, QUOTA_WORK, c->manager->catalog->config.max_requests_in_flight);
}

StepAnswer call_find_account(Call *c,
                             const char *name,
                             uid_t uid,
                             AccountHandler handler,
                             void *userdata,
                             AccountQuery **query,
                             KnownAccount **ret) {
        Accounts *accounts = c->manager->accounts;
        int r;

        if (accounts_peek(accounts, name, uid, ret) >= 0)
                return STEP_DONE;

        r = accounts_ask(accounts, c->uid, name, uid, handler, userdata, query);
        if (r == -EBUSY)
                r = call_fail(c, ERROR_BUSY, "Too many account look-ups wait already; try again");

        return r < 0 ? call_step(c, r) : STEP_WAIT;
}

/* 0, or -EIO with the call's error set: the account cannot be had. */
static int check_account(Call *c, const KnownAccount *known) {
        if (known->error == -ENOENT)
                return call_fail(c, ERROR_NO_SUCH_USER, "There is no such user");
        if (!known->account)
                return call_fail(c, ERROR_BUSY, "The account cannot be looked up just now; try again");

        return 0;
}

StepAnswer call_need_account(Call *c,
                             const char *name,
                             uid_t uid,
                             AccountHandler handler,
                             void *userdata,
                             AccountQuery **query,
                             KnownAccount **known) {
        StepAnswer answer = STEP_DONE;

        if (!*known)
                answer = call_find_account(c, name, uid, handler, userdata, query, known);

        return answer == STEP_DONE ? call_step(c, check_account(c, *known)) : answer;
}

void call_forget_account(Call *c) {
        c->known = known_account_unref(c->known);
        c->known_asked = false;
}

int call_send(Call *c, sd_bus_message *reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *owned = reply;
        int r;

        audit_call(c, true);
        r = sd_bus_send(NULL, owned, NULL);
        if (r < 0)
                return r;

        c->replied = true;
        return 0;
}

int call_reply(Call *c, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r < 0)
                return r;

        if (types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(reply, types, ap);
                va_end(ap);
                if (r < 0)
                        return r;
        }

        return call_send(c, TAKE_PTR(reply));
}

int call_fail(Call *c, const char *name, const char *format, ...) {
        va_list ap;
        int r;

        sd_bus_error_free(&c->error);
        va_start(ap, format);
        r = sd_bus_error_setfv(&c->error, name, format, ap);
        va_end(ap);
        return r < 0 ? r : -EIO;
}

int call_fail_as(Call *c, sd_bus_message *reply) {
        /* NoReply is what sd-bus says when a link breaks. A client would take it for the broker's own silence. */
        if (!reply || sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY))
                return call_fail(c, ERROR_BUSY, "The keeper did not answer; look at the list of sandboxes");

        sd_bus_error_free(&c->error);
        return sd_bus_error_copy(&c->error, sd_bus_message_get_error(reply));
}

/* That something was refused to us says nothing about the caller's rights. */
static void say_errno(Call *c, int error) {
        if (error == -EPERM || error == -EACCES)
                (void) sd_bus_error_set(&c->error, SD_BUS_ERROR_FAILED, strerror(-error));
        else
                (void) sd_bus_error_set_errno(&c->error, error < 0 ? error : -EIO);
}

void call_reply_error(Call *c, int error) {
        int r;

        c->replied = true;
        if (!sd_bus_error_is_set(&c->error))
                say_errno(c, error);

        audit_call(c, false);
        r = sd_bus_reply_method_error(c->message, &c->error);
        if (r < 0)
                (void) log_message_errno(
                        LOG_DEBUG, r, "Cannot answer %s", c->peer ? c->peer->name : "a peer");
}
