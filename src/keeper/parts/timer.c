/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/timer.h"

#include "base/text.h"

#define ACCURACY_USEC (10 * USEC_PER_MSEC)

int timer_start(sd_event *event,
                sd_event_source **timer,
                uint64_t usec,
                int64_t priority,
                sd_event_time_handler_t handler,
                void *userdata) {
        int r;

        if (*timer) {
                r = sd_event_source_set_time_relative(*timer, usec);
                return r < 0 ? r : sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
        }

        r = sd_event_add_time_relative(
                event, timer, CLOCK_MONOTONIC, usec, ACCURACY_USEC, handler, userdata);
        return r < 0 ? r : sd_event_source_set_priority(*timer, priority);
}

void timer_extend(sd_event_source *timer, uint64_t until_usec) {
        uint64_t now_usec;

        if (sd_event_source_get_enabled(timer, NULL) > 0 &&
            sd_event_source_get_time(timer, &now_usec) >= 0 && now_usec < until_usec)
                (void) sd_event_source_set_time(timer, until_usec);
}
