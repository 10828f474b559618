/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * log — one line per message: to the journal under systemd, to standard error for a person
 *
 * Under systemd the journal gets an entry of its own. Standard error would be a pipe to journald, and writing to a
 * pipe waits. It is only used where there is no journal, with the <N> level prefix of sd-daemon(3).
 *
 * What an admin may want to find in the journal is an event: it has a message id for its kind, one of those that
 * units/immured.catalog explains (journalctl -x), and fields that say what it is about. Where there is no journal, or
 * a person reads standard error, its message goes to standard error.
 *
 * Only the outermost layer of broker, keeper and exec logs; the floors below return errors. Texts and
 * fields are escaped here, so that nobody can forge a second record or drive the admin's terminal.
 *
 * Runs in: broker, keeper, exec. Privilege: none. Input: hostile.
 */

#include "base/util.h"

#include <syslog.h>

/* program is borrowed for good; for_systemd: systemd reads what we say, not a person. */
void log_open(const char *program, bool for_systemd);
/* Messages above this level are dropped. LOG_INFO until it is set. */
void log_set_max_level(int level);

void log_message(int level, const char *format, ...) _printf_(2, 3);

/* Logs "…: description of error" and returns the error as negative errno, for "return log_errno(r, …)". */
int log_message_errno(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_errno(error, ...) log_message_errno(LOG_ERR, (error), __VA_ARGS__)
#define log_oom() log_message_errno(LOG_ERR, -ENOMEM, "Out of memory")

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
