/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * place — which paths a sandbox may take from the host, and which of its own it may not give away
 *
 * One table for all who ask: the reader of profiles, so that an admin learns of it at once; the compiler of plans,
 * which knows what %h and the like stand for; and immured-exec, which sees where links really lead.
 *
 * Each place_refuse_…() returns why not, as the end of a sentence about the path, or NULL where nothing speaks against
 * it. Paths are normalized; a text may hold specifiers, and is refused only where it is bad whatever they stand for.
 *
 * Runs in: broker, immurectl, keeper, exec. Privilege: none. Input: hostile.
 */

#include "base/util.h"

/*
 * What must not be bound from the host: /proc, /sys, /dev, the sockets that lead out of every sandbox, and any
 * directory that contains one of them.
 */
const char *place_refuse_source(const char *path);
const char *place_refuse_source_text(const char *text);

/* Where nothing may be mounted: the root, and what the kernel shows about the sandbox itself. */
const char *place_refuse_target(const char *path);
const char *place_refuse_target_text(const char *text);

/*
 * What InaccessiblePaths= and its like cannot name as a whole; with mount_only nothing below /proc either.
 */
const char *place_refuse_change(const char *path, bool mount_only);
const char *place_refuse_change_text(const char *text, bool mount_only);

/* What DeviceAllow= cannot name: whatever is no device node, and the terminals. */
const char *place_refuse_device(const char *path);
const char *place_refuse_device_text(const char *text);

/* One directory that StateDirectory= and the like make: a name without "/", not hidden, of at most 64 bytes. */
bool place_name_is_valid(const char *s);
