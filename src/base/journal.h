/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * journal — entries for the journal, with fields, and without ever waiting for it
 *
 * sd_journal_sendv(3) waits while the journal's socket is full: a journal that hangs would stop the broker and every
 * keeper, and sandboxes with them. So the protocol is spoken here, over a socket that does not block: what does not
 * fit is dropped and counted, and the next entry that gets through says how many were lost. The library also reports
 * success where there is no journal; here that is an error, for the caller to write elsewhere. See
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL/.
 *
 * Life: one socket, opened by journal_open() or with the first entry, and again where somebody closed it. Each entry
 * finds its way anew, as the journal may come and go.
 * Runs in: broker, keeper. Privilege: none. Input: hostile (lines of applications).
 */

#include "base/buffer.h"

#include <sys/uio.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Opens the socket, so that what a process has open does not depend on whether it had something to say. */
int journal_open(void);

/* Appends one field: any bytes, newlines too. name is of A-Z, 0-9 and _. */
void journal_append(Buffer *entry, const char *name, const void *data, size_t size);
void journal_append_text(Buffer *entry, const char *name, const char *text);

/* Sends these fields as one entry. -ENOENT: there is no journal; any other error: dropped and counted. */
int journal_send(const struct iovec *fields, size_t n);

/* Whose socket is used instead; NULL: the journal's. Borrowed. */
void journal_use(const char *path);
