/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-recent — the plans that a process read last, so that it does not decode the same bytes again
 *
 * Most launches repeat an earlier one. A plan is recognised by all of its bytes and by nothing else, so what is lent
 * here is always what the descriptor says, and it was checked when it was decoded. Bytes that are refused leave
 * nothing behind.
 *
 * Life: its owner's; plan_recent_done() at the end.
 * Runs in: keeper, exec. Privilege: none. Input: hostile.
 */

#include "plan/plan.h"

#define PLAN_RECENT_MAX 8

typedef struct PlanRecent {
        size_t max; /* how many are kept, at most PLAN_RECENT_MAX; more than one only up to PLAN_SIZE_MAX in all */
        size_t n;
        struct PlanKept {
                void *data; /* the memfd, mapped */
                size_t size;
                char digest[SHA256_HEX_SIZE]; /* of the bytes; empty: not asked for yet */
                Plan *plan;
        } plans[PLAN_RECENT_MAX]; /* the last one is the one read last */
} PlanRecent;

/*
 * Reads the plan in a sealed memfd, decoding it unless it is known. What is returned is lent until the next call; each
 * ret may be NULL. ret_digest: SHA-256 of the bytes, hex. -EPERM: not sealed; errors of plan_decode(). The fd stays
 * the caller's.
 */
int plan_recent_read(PlanRecent *r, int fd, const Plan **ret, const char **ret_digest);

/* Gives away the plan that was read last, to be changed and freed, and forgets the others. */
Plan *plan_recent_take(PlanRecent *r);

void plan_recent_done(PlanRecent *r);
