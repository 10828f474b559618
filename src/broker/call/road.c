/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/road.h"

StepAnswer road_walk(Road *r, void *traveller) {
        const bool waited = r->begun;

        r->begun = true;
        while (r->next < r->n_steps) {
                const unsigned i = r->next;
                const RoadStep *s = r->steps + i;
                StepAnswer answer;

                if ((s->modes == 0 || (s->modes & r->mode)) && (waited || !s->after_wait)) {
                        /* Set beforehand: once a step waits, the road may be gone. */
                        r->next = s->again;
                        answer = s->take(traveller);
                        if (answer != STEP_DONE)
                                return answer;
                }

                r->next = i + 1;
        }

        return STEP_DONE;
}
