/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * polkit — questions to the machine's authorization manager, asked and never waited for
 *
 * CheckAuthorization() of org.freedesktop.PolicyKit1.Authority, see polkit(8). The subject is always the caller's
 * unique name on the bus: nobody else can have it, and it says by itself that the caller is still there. It is never
 * a process. Only a plain yes counts as yes; anything late or broken, or an error, does not.
 *
 * polkit answers one question after the other, and asks the bus about each. So that nobody has to wait for
 * everything that another user wants to know, each user has one question out at a time. Their others wait for it,
 * but not for long: it may be a dialog.
 *
 * Life: a query lives until it is answered or freed, whichever comes first; freeing it takes the question back.
 * Runs in: broker. Privilege: none; polkit accepts details only from root. Input: polkit's answers.
 */

#include "base/strv.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Polkit Polkit;
typedef struct PolkitQuery PolkitQuery;

typedef enum PolkitAnswer {
        POLKIT_NO = 0,
        POLKIT_YES,
        POLKIT_CHALLENGE, /* only after asking somebody, which was not allowed, or there was no agent */
        POLKIT_ABSENT,    /* it is not there, and the bus knows no way to start it */
        POLKIT_UNASKED,   /* the question could not be sent, or its turn never came */
        POLKIT_SILENT,    /* late, gone meanwhile, an error, or no proper answer */
        _POLKIT_ANSWER_MAX,
} PolkitAnswer;

/* How long it may think: by itself, and while somebody looks for a password. */
#define POLKIT_TIMEOUT_USEC (UINT64_C(25) * 1000000)
#define POLKIT_TIMEOUT_INTERACTIVE_USEC (UINT64_C(300) * 1000000)

/* How long a question keeps others of the same user waiting. */
#define POLKIT_TURN_USEC (UINT64_C(1) * 1000000)

typedef struct PolkitQuestion {
        const char *action;
        const char *subject;   /* unique name on the bus */
        uid_t uid;             /* whose name that is */
        char *const *details;  /* "key=value" */
        bool interactive;      /* it may ask somebody */
        uint64_t timeout_usec; /* the wait for its turn included */
} PolkitQuestion;

/* References of both are taken. 0 or an error of sd_event_add_time(3) or sd_bus_add_match_async(3). */
int polkit_new(Polkit **ret, sd_bus *bus, sd_event *event);
Polkit *polkit_free(Polkit *p); /* takes NULL, returns NULL; after all queries */
DECLARE_CLEANUP(Polkit *, polkit_free);

/* Whether the bus has said that there is none. Remembered until its name, or a way to start it, appears. */
bool polkit_is_absent(const Polkit *p);

/* The query is gone when this is called. */
typedef void (*PolkitHandler)(PolkitAnswer answer, void *userdata);

/*
 * Asks when it is its turn. The handler is called once, from the event loop, unless the query is freed before.
 * -EINVAL: a detail has no value. Other errors of sd-bus.
 */
int polkit_ask(
        Polkit *p, const PolkitQuestion *question, PolkitHandler handler, void *userdata, PolkitQuery **ret);
PolkitQuery *polkit_query_free(PolkitQuery *q); /* takes NULL, returns NULL */
DECLARE_CLEANUP(PolkitQuery *, polkit_query_free);
