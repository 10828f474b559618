/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * loop — the event loop of a daemon that must not end because of a passing error
 *
 * Life: until sd_event_exit(3).
 * Runs in: broker, keeper. Privilege: none. Input: none of its own.
 */

#include <systemd/sd-event.h>

/*
 * As sd_event_loop(3), but tries again when an iteration fails. The kernel may be out of memory for a moment, for a
 * wait or a timer, and the broker, or a keeper with all its sandboxes, would end because of that. Negative errno: it
 * keeps failing.
 */
int loop_run(sd_event *event);
