/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * loop — the event loop of a daemon that others depend on
 *
 * Life: until sd_event_exit(3).
 * Runs in: broker, keeper. Privilege: none. Input: none of its own.
 */

#include <systemd/sd-event.h>

/*
 * As sd_event_loop(3), but a round that fails is tried again: what the kernel had no means for at the moment, a wait
 * or a timer, would otherwise take a broker or all sandboxes of a keeper along. Negative errno: it fails again and
 * again.
 */
int loop_run(sd_event *event);
