/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * quota — how much one uid may ask for: requests in flight, launches in an interval, the broker's time
 *
 * Checked before any work is done for a request. Root is not limited, since it could stop the broker anyway.
 *
 * Runs in: broker. Privilege: none.
 */

#include "base/util.h"

#include <sys/types.h>

typedef struct Quotas Quotas;

int quotas_new(Quotas **ret);
Quotas *quotas_free(Quotas *q); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Quotas *, quotas_free);

typedef enum QuotaKind {
        QUOTA_REQUESTS, /* not answered yet, whatever they wait for */
        QUOTA_WORK,     /* those that a keeper works on */
        _QUOTA_KIND_MAX,
} QuotaKind;

/* One more of this kind for this uid. -EDQUOT: there are max already. -ENOMEM. */
int quotas_enter(Quotas *q, uid_t uid, QuotaKind kind, uint32_t max);
/* One less; nothing where there is none. */
void quotas_leave(Quotas *q, uid_t uid, QuotaKind kind);

/* What there may be so many of in an interval, which begins with the first of them. */
typedef enum QuotaRate {
        QUOTA_LAUNCHES, /* root's are not counted */
        QUOTA_RECORDS,  /* in the audit log, about this uid */
        /*
         * Refusals to a user who has exceeded their share. Beyond these a request gets no answer, and the bus delivers
         * no more from a connection that has 128 calls without one (max_replies_per_connection).
         */
        QUOTA_REFUSALS,
        _QUOTA_RATE_MAX,
} QuotaRate;
#define QUOTA_REFUSALS_PER_SEC 16U

/* One more at this time, CLOCK_MONOTONIC in µs. -EDQUOT: there were burst of them in this interval. -ENOMEM. */
int quotas_count(
        Quotas *q, uid_t uid, QuotaRate rate, uint64_t now_usec, uint32_t burst, uint64_t interval_usec);
/* How many records were one too many, of one uid at a time, until it returns false. */
bool quotas_take_suppressed(Quotas *q, uid_t *ret_uid, uint32_t *ret_n);

/*
 * Processor time of the broker is shared: a user gets a burst of it and after that a share, so that it is soon the
 * turn of somebody else in the queue. -EDQUOT: theirs is used up at this moment.
 */
#define QUOTA_TIME_BURST_USEC (250 * UINT64_C(1000))
#define QUOTA_TIME_SHARE 4 /* one part in so many */
int quotas_may_spend(Quotas *q, uid_t uid, uint64_t now_usec);
/* What a request of this uid took, in µs. -ENOMEM. */
int quotas_spend(Quotas *q, uid_t uid, uint64_t now_usec, uint64_t spent_usec);

/*
 * The price of each request, in µs, before the time it really takes: 250 requests a second in the long run. The bus
 * reads 4 KiB of our answers, then as much from each other connection, so another user's answer waits behind all of
 * them. A request therefore costs more the further the bus is behind with our answers (bytes, as the kernel counts
 * them), up to a highest price that those who wait for their answers can pay.
 */
#define QUOTA_REQUEST_USEC UINT64_C(1000)
#define QUOTA_REQUEST_MAX_USEC (100 * UINT64_C(1000))
uint64_t quotas_request_price(size_t n_unread);
