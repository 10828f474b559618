/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * reservation — an id and a place among the sandboxes, from the decision to launch until the keeper answers
 *
 * Launches under way count like sandboxes, so that many at once cannot get past a limit.
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/call/call.h"

#include <sys/queue.h>

typedef struct Reservation {
        LIST_ENTRY(Reservation) entry;
        char *id; /* NULL: nothing is reserved */
        char *profile;
        uid_t uid;
} Reservation;

/*
 * Takes PROFILE.UID.N with the lowest N that is not alive: a failed sandbox of that name is replaced. 0; negative
 * errno with the call's error set when one of the limits is reached.
 */
int reservation_take(Reservation *r, Call *c, const Profile *profile, uid_t uid);
void reservation_done(Reservation *r);
