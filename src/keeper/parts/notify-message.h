/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * notify-message — one packet of sd_notify(3), read
 *
 * Only what concerns the sandbox itself is understood. What would tell a service manager of other processes or have it
 * keep descriptors (MAINPID=, FDSTORE=, NOTIFYACCESS= and their like) is passed over like any other unknown line, and
 * so is ERRNO=, for which there is no place. BARRIER=1 needs no word here: its descriptor is closed like every other.
 *
 * Runs in: keeper. Privilege: none. Input: hostile (the application).
 */

#include "base/util.h"

/* As much as systemd takes. */
#define NOTIFY_PACKET_MAX ((size_t) 4096)
#define NOTIFY_STATUS_SIZE ((size_t) 512)

typedef struct NotifyMessage {
        bool ready;           /* READY=1 */
        bool reloading;       /* RELOADING=1 */
        bool stopping;        /* STOPPING=1 */
        bool alive;           /* WATCHDOG=1 */
        bool stuck;           /* WATCHDOG=trigger */
        uint64_t extend_usec; /* EXTEND_TIMEOUT_USEC=; 0: not asked for */
        bool has_status;
        char status[NOTIFY_STATUS_SIZE]; /* STATUS=, fit to be shown */
} NotifyMessage;

/*
 * -EBADMSG: larger than NOTIFY_PACKET_MAX, or not text. A known name with a value that it cannot have is passed over.
 * Of a name that comes twice the first counts. Output untouched on failure.
 */
int notify_message_parse(const char *packet, size_t size, NotifyMessage *ret);
