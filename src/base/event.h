/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * event — what an admin may look for in the journal: one id for each kind, and fields that say of what
 *
 * The ids are those of units/immured.catalog, which explains them (journalctl -x). Where there is no journal, or a
 * person reads standard error, the message goes there.
 *
 * Runs in: broker, keeper. Privilege: none. Input: hostile: message and fields are escaped here.
 */

#include "base/log.h"

typedef enum Event {
        EVENT_SANDBOX_STARTED, /* its application was executed */
        EVENT_SANDBOX_ENDED,   /* well, or as it was told to */
        EVENT_SANDBOX_FAILED,  /* ended otherwise, or was not built */
        EVENT_PROFILE_REFUSED, /* it has errors */
        EVENT_RELOADED,
        EVENT_RELOAD_REFUSED,
        EVENT_REQUEST_DONE,        /* somebody asked for something, and it was done */
        EVENT_REQUEST_FAILED,      /* he might, but it did not work out */
        EVENT_REQUEST_DENIED,      /* he may not */
        EVENT_REQUESTS_SUPPRESSED, /* there were too many of one user to tell of each */
        EVENT_KEEPER_GONE,         /* and its sandboxes with it */
        _EVENT_MAX,
} Event;

/* The MESSAGE_ID, 32 hexadecimal digits, and how grave it is. */
typedef struct EventMessage {
        const char *id;
        int priority;
} EventMessage;

typedef struct EventField {
        const char *name;
        const char *value; /* NULL: not known, left out */
} EventField;

/* Never fails, never waits. The message is one line. */
void event_log(Event event, const EventField *fields, size_t n, const char *format, ...) _printf_(4, 5);

/* The same of an event that is not listed here. */
void event_log_message(const EventMessage *message,
                       const EventField *fields,
                       size_t n,
                       const char *format,
                       ...) _printf_(4, 5);

const EventMessage *event_message(Event event);
