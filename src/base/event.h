/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * event — what an admin may want to find in the journal: one message id for each kind, with fields that say what it
 * is about
 *
 * The ids are those of units/immured.catalog, which explains them (journalctl -x). Where there is no journal, or a
 * person reads standard error, the message goes to standard error.
 *
 * Runs in: broker, keeper. Privilege: none. Input: hostile; message and fields are escaped here.
 */

#include "base/log.h"

typedef enum Event {
        EVENT_SANDBOX_STARTED, /* its application was executed */
        EVENT_SANDBOX_ENDED,   /* successfully, or because it was told to */
        EVENT_SANDBOX_FAILED,  /* any other end, or it could not be built */
        EVENT_PROFILE_REFUSED, /* it has errors */
        EVENT_RELOADED,
        EVENT_RELOAD_REFUSED,
        EVENT_REQUEST_DONE,        /* somebody asked for something, and it was done */
        EVENT_REQUEST_FAILED,      /* they were allowed to, but it did not work */
        EVENT_REQUEST_DENIED,      /* they were not allowed to */
        EVENT_REQUESTS_SUPPRESSED, /* too many of one user to report each */
        EVENT_KEEPER_GONE,         /* a keeper, and its sandboxes with it */
        _EVENT_MAX,
} Event;

/* A MESSAGE_ID, 32 hexadecimal digits, and the level of syslog(3). */
typedef struct EventMessage {
        const char *id;
        int priority;
} EventMessage;

typedef struct EventField {
        const char *name;
        const char *value; /* NULL: unknown, and left out */
} EventField;

extern const EventMessage event_messages[_EVENT_MAX];

/* Never fails and never waits. The message is one line. */
#define event_log(event, ...) event_log_message(&event_messages[event], __VA_ARGS__)

/* The same for an event that is not in the list above. */
void event_log_message(const EventMessage *message,
                       const EventField *fields,
                       size_t n,
                       const char *format,
                       ...) _printf_(4, 5);
