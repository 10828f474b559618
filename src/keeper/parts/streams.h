/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * streams — what a sandbox writes to its standard output and error, line by line into the journal
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

#include <sys/types.h>
#include <systemd/sd-event.h>

#define STREAM_LINE_MAX ((size_t) 8192)
#define STREAM_BURST 10000U
#define STREAM_INTERVAL_USEC (30 * UINT64_C(1000000))

typedef struct StreamsInfo {
        const char *id;
        const char *profile;
        const char *user;
        const char *invocation_id;
        const char *syslog_identifier; /* NULL: the profile's name */
        uid_t uid;
        int level_max;
} StreamsInfo;

typedef struct Streams Streams;

int streams_new(Streams **ret, sd_event *event, const StreamsInfo *info);
/* Drops what was not read yet; takes NULL, returns NULL. */
Streams *streams_free(Streams *s);
DEFINE_CLEANUP(Streams *, streams_free);

/* A pipe whose lines are logged as those of descriptor number (1 or 2); returns the writing end. */
int streams_open(Streams *s, int number);

/* Names the application in entries from now on. */
void streams_set_main_pid(Streams *s, pid_t pid);

/* Reads what is left, once all writers are dead; takes NULL. */
void streams_drain(Streams *s);

/* The priority a line claims by "<N>" in front; *line moves behind it. fallback without one. */
int stream_line_priority(const char **line, size_t *length, int fallback);
