/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * timer — one that goes off once, and may be set anew
 *
 * Life: the event source's, which is the caller's. Runs in: keeper. Privilege: none. Input: none.
 */

#include "base/util.h"

#include <systemd/sd-event.h>

/* That long from now on (CLOCK_MONOTONIC); made where there is none yet, else only its time is set. */
int timer_start(sd_event *event,
                sd_event_source **timer,
                uint64_t usec,
                int64_t priority,
                sd_event_time_handler_t handler,
                void *userdata);

/* Later, never sooner, and only where it runs. Takes NULL. */
void timer_extend(sd_event_source *timer, uint64_t until_usec);
