/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * log-streams — what a sandbox writes to its standard output and error, line by line into the journal
 *
 * The keeper owns the reading ends, so a restart of the broker or the journal breaks no pipe, and entries bear the
 * sandbox's name rather than a shifted uid. Where there is no journal, lines go to the keeper's standard error.
 *
 * Lines longer than STREAM_LINE_MAX are cut into several; a leading "<N>" sets the priority as in sd-daemon(3). At
 * most STREAM_BURST lines in STREAM_INTERVAL_USEC are kept of one sandbox, so that it cannot push out the others'.
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

/*
 * No pipe is open yet. Lines of a higher level than that are dropped. identifier: of the entries (NULL: the profile's
 * name). Copies what it needs of the record; holds a reference to event. -ENOMEM.
 */
int log_streams_new(LogStreams **ret,
                    sd_event *event,
                    const SandboxRecord *record,
                    const char *identifier,
                    int level_max);
/* Drops what was not read yet; takes NULL, returns NULL. */
LogStreams *log_streams_free(LogStreams *s);
DEFINE_CLEANUP(LogStreams *, log_streams_free);

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
 * The priority that a line claims by "<N>" in front; *line moves behind it. fallback without one. Public for its test:
 * it reads what the application chose to write.
 */
int stream_line_priority(const char **line, size_t *length, int fallback);
