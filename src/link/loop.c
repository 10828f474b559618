/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/loop.h"

#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

/* A second altogether. An error that lasts longer will not go away. */
#define FAILURES_MAX 100U
#define PAUSE_USEC (10 * USEC_PER_MSEC)

int loop_run(sd_event *event) {
        unsigned n_failures = 0;
        int code = 0, r;

        while (sd_event_get_state(event) != SD_EVENT_FINISHED) {
                r = sd_event_run(event, UINT64_MAX);
                if (r >= 0) {
                        n_failures = 0;
                        continue;
                }
                if (++n_failures == FAILURES_MAX)
                        return r;

                (void) usleep((useconds_t) PAUSE_USEC);
        }

        r = sd_event_get_exit_code(event, &code);
        return r < 0 ? r : code;
}
