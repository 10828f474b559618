/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * journal — structured entries for the journal, sent without ever waiting for it
 *
 * sd_journal_sendv(3) waits while the journal's socket is full. A journald that hangs would then stop the broker,
 * every keeper, and the sandboxes with them. So the protocol is spoken here, over a non-blocking socket: what does
 * not fit is dropped and counted, and the next entry that gets through is followed by one that says how many were
 * lost. The library also reports success where there is no journal; here that is an error, so that the caller can
 * write elsewhere. See https://systemd.io/JOURNAL_NATIVE_PROTOCOL/.
 *
 * Life: one socket, made by journal_open() or by the first entry, and made again if somebody closed it. It is never
 * connected: each entry is sent to the path, since journald may be restarted at any time.
 * Runs in: broker, keeper. Privilege: none. Input: hostile (lines that applications print).
 */

#include "base/buffer.h"

#include <sys/uio.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/*
 * Opens the socket at start-up, so that the descriptors of a process do not depend on whether it has logged anything
 * yet.
 */
int journal_open(void);

/* Appends one field. The value may have newlines; the name consists of A-Z, 0-9 and _. */
void journal_append_text(Buffer *entry, const char *name, const char *text);

/*
 * Sends the fields as one entry. -ENOENT: there is no journal. With any other error the entry was dropped and
 * counted.
 */
int journal_send(const struct iovec *fields, size_t n);

/* For tests: sends to another socket; NULL: to the journal's again. The path is borrowed. */
void journal_use(const char *path);
