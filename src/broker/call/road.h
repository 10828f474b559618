/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * road — steps of a table, taken one after the other until one has to wait, and then again until the end
 *
 * A step that asks somebody and cannot go on without the answer says STEP_WAIT. Whoever brings the answer walks on,
 * and the row says from where: what may have changed meanwhile lies behind it, so that it is looked at again.
 *
 * Life: part of what travels on it, which may be gone as soon as a step waits; nothing touches the road then.
 *
 * Runs in: broker. Privilege: none.
 */

#include "base/util.h"

typedef enum StepAnswer {
        STEP_DONE,
        STEP_WAIT,   /* whoever was asked walks on, or frees what travels */
        STEP_FAILED, /* the traveller knows why */
} StepAnswer;

typedef struct RoadStep {
        StepAnswer (*take)(void *traveller);
        unsigned modes;  /* bits of those who take this step; 0: everybody */
        unsigned again;  /* where the road is taken up again after this step has waited */
        bool after_wait; /* only then: before any wait it was looked at in this very moment */
} RoadStep;

typedef struct Road {
        const RoadStep *steps;
        unsigned n_steps;
        unsigned mode; /* one bit */
        unsigned next;
        bool begun;
} Road;

/* From where it stands. STEP_WAIT: see above. Otherwise the road is at its end. */
StepAnswer road_walk(Road *r, void *traveller);
