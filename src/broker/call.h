/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * call — one method call on its road: sender → uid → object → account → access → handler → reply
 *
 * Life: made when the message arrives; freed by the dispatcher after the handler, or by whoever a handler that
 * returned 1 gave it to. Freeing it without a reply answers "Busy", so that no caller waits for nothing.
 *
 * Runs in: broker. Privilege: none. Input: the message is hostile.
 */

#include "broker/access.h"
#include "broker/audit.h"
#include "broker/catalog.h"
#include "broker/object-path.h"
#include "broker/peers.h"
#include "broker/quota.h"
#include "broker/sandboxes.h"

#include <systemd/sd-bus.h>

struct Manager;
struct Member;

/* An object as it is at this moment; pointers are borrowed and hold until the loop goes on. */
typedef struct Object {
        ObjectKind kind;
        const char *path;
        Sandbox *sandbox;            /* of a sandbox; NULL: there is none of that name */
        const CatalogEntry *profile; /* of a profile, likewise */
        uid_t uid;                   /* of a user; UID_NOBODY: he has no sandboxes */
} Object;

typedef struct Call {
        TAILQ_ENTRY(Call) entry; /* among those that wait for their peer */
        struct Manager *manager;
        sd_bus_message *message;
        size_t size; /* bytes of its texts, counted against what may wait */
        Peer *peer;
        uid_t uid; /* valid once the peer is known */
        bool counted[_QUOTA_KIND_MAX];
        bool replied;
        KnownAccount *known; /* the caller's, where it was needed */
        bool known_asked;
        AccountQuery *query;
        const struct Member *member;
        ObjectName name; /* what the path says */
        Object object;   /* what the call is about */
        sd_bus_error error;
        AuditNote audit;
} Call;

Call *call_free(Call *c); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Call *, call_free);

Caller call_caller(const Call *c);

/* Replies with these values; 0 or negative errno. */
int call_reply(Call *c, const char *types, ...);
/* Sends a reply that was built. Takes it over. */
int call_send(Call *c, sd_bus_message *reply);
int call_new_reply(Call *c, sd_bus_message **ret);

/* Sets the call's error; returns the negative errno that a handler hands on. */
int call_fail(Call *c, const char *name, const char *format, ...) _printf_(3, 4);

/* Hands a keeper's error (reply NULL: its absence) on as the call's own; returns as call_fail(). */
int call_fail_as(Call *c, sd_bus_message *reply);

/* Replies with the error that was set, or with the words for the errno. */
void call_reply_error(Call *c, int error);
