/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * log-streams — what a sandbox writes to its standard output and error, line by line into the journal
 *
 * The keeper owns the reading ends, so a restart of the broker or the journal breaks no pipe, and entries bear the
 * sandbox's name rather than a shifted uid. Where there is no journal, lines go to the keeper's standard error.
 *
 * Lines longer than STREAM_LINE_MAX are cut into several; a leading "<N>" sets the priority as in sd-daemon(3) if
 * the profile says so. At most STREAM_BURST lines in STREAM_INTERVAL_USEC are kept of one sandbox, so that it cannot
 * push out the others'.
 *
 * Life: one per sandbox that logs. Runs in: keeper. Privilege: root. Input: hostile (the application's).
 */

#include "base/util.h"
#include "link/sandbox-record.h"

#include <sys/types.h>
#include <systemd/sd-event.h>

#define STREAM_LINE_MAX ((size_t) 8192)
#define STREAM_BURST 10000U
#define STREAM_INTERVAL_USEC (30 * UINT64_C(1000000))

typedef struct LogStreams LogStreams;

/* What the profile says of its lines; levels as in syslog(3). */
typedef struct LogTerms {
        const char *identifier; /* of the entries; NULL: the profile's name */
        int level, level_max;   /* of a line that claims none; the least important that are kept */
        bool level_prefix;      /* whether a line may claim another */
} LogTerms;

/*
 * No pipe is open yet. Copies what it needs of the record and the terms; holds a reference to event. -ENOMEM.
 */
int log_streams_new(LogStreams **ret, sd_event *event, const SandboxRecord *record, const LogTerms *terms);
/* Drops what was not read yet; takes NULL, returns NULL. */
LogStreams *log_streams_free(LogStreams *s);
DECLARE_CLEANUP(LogStreams *, log_streams_free);

/*
 * A pipe whose lines are logged as those of descriptor number (1 or 2). Returns the writing end, which is the
 * caller's, or negative errno: of pipe2(2) and sd_event_add_io(3).
 */
int log_streams_open(LogStreams *s, int number);

/* Names the application in entries from now on. */
void log_streams_set_main_pid(LogStreams *s, pid_t pid);

/* Reads what is left, once all writers are dead; takes NULL. */
void log_streams_drain(LogStreams *s);

/*
 * The priority of a line: the level, unless prefix is set and it claims another by "<N>" in front, which *line moves
 * behind. Nothing is above err that the level does not allow. Public for its test: it reads what the application chose
 * to write.
 */
int stream_line_priority(const char **line, size_t *length, int level, bool prefix);
