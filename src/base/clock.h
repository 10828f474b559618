/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * clock — reads a clock, in the unit that everything here counts in
 *
 * Runs in: everything. Privilege: none.
 */

#include "base/text.h"

#include <time.h>

/* Microseconds of CLOCK_MONOTONIC, CLOCK_REALTIME and the like. clock_gettime(2) cannot fail for these. */
static inline uint64_t clock_usec(clockid_t clock) {
        struct timespec ts = { 0 };

        (void) clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}
