/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox-event — what happens to a sandbox and is no change of its record: one row for keeper, link, journal and bus
 *
 * The keeper says it once; it goes into the journal and, as the signal Event of the link, to the broker, which sends a
 * signal of the same name to subscribers. A new event is a kind, its row, and the line of the keeper that says it.
 *
 * Life: static tables; what an event holds is borrowed. Runs in: keeper, broker. Privilege: none.
 * Input: the keeper's, trusted to be root, not to be right.
 */

#include "base/log.h"
#include "base/util.h"

#include <systemd/sd-bus.h>

#define SANDBOX_EVENT_DETAILS_MAX 6U

typedef enum SandboxEventKind {
        SANDBOX_EVENT_LIMIT_HIT, /* resource, level, value, limit: as GetFaults() keeps them */
        _SANDBOX_EVENT_MAX,
} SandboxEventKind;

/* Who hears of it on the bus. The journal has every event. */
typedef enum EventAudience {
        EVENT_FOR_NOBODY,
        EVENT_FOR_INSPECTORS, /* subscribers who may inspect the sandbox */
} EventAudience;

typedef struct EventDetail {
        const char *name;    /* on link and bus */
        const char *field;   /* in the journal */
        char type;           /* s or t */
        bool may_be_unknown; /* 0 or "" says so: no field in the journal */
} EventDetail;

typedef struct SandboxEventRow {
        const char *name;
        EventMessage message;
        const char *text; /* of the journal's message, behind the id of the sandbox; {name}: that detail */
        EventAudience audience;
        EventDetail details[SANDBOX_EVENT_DETAILS_MAX + 1]; /* up to the one without a name */
} SandboxEventRow;

typedef union EventValue {
        const char *text;
        uint64_t number;
} EventValue;

typedef struct SandboxEvent {
        SandboxEventKind kind;
        EventValue details[SANDBOX_EVENT_DETAILS_MAX]; /* in the order of the row */
} SandboxEvent;

const SandboxEventRow *sandbox_event_row(SandboxEventKind kind);
/* The kind, or -ENOENT: only another version knows it. */
int sandbox_event_from_name(const char *name);

/* The message for the journal; caller frees. NULL: no memory. */
char *sandbox_event_text(const SandboxEvent *e);

/* Appends the details as one a{sv}. Errors as sd_bus_message_append(). */
int sandbox_event_append(sd_bus_message *m, const SandboxEvent *e);
/*
 * Reads them back, of this version or another: unknown names are passed over, missing ones are "" or 0. Texts are
 * borrowed from the message. -EBADMSG: malformed.
 */
int sandbox_event_read(sd_bus_message *m, SandboxEventKind kind, SandboxEvent *ret);
