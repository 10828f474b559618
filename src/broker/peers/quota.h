/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * quota — what one uid may ask for at a time: requests in flight, launches in a while, the broker's time
 *
 * Looked at before any work is done for a request. Root is not limited: it could stop the broker anyway.
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
        QUOTA_WORK,     /* those of them that a keeper works on */
        _QUOTA_KIND_MAX,
} QuotaKind;

/* One more of this kind for this uid. -EDQUOT: there are max already. -ENOMEM. */
int quotas_enter(Quotas *q, uid_t uid, QuotaKind kind, uint32_t max);
void quotas_leave(Quotas *q, uid_t uid, QuotaKind kind);

/* One more launch now, CLOCK_MONOTONIC. -EDQUOT: burst launches were in this interval already. -ENOMEM. */
int quotas_launch(Quotas *q, uid_t uid, uint64_t now_usec, uint32_t burst, uint64_t interval_usec);

/*
 * One more record about this uid now. -EDQUOT: burst of them were made in this interval already; it is counted until
 * quotas_take_suppressed() takes the count, one uid after the other, until it returns false. -ENOMEM.
 */
int quotas_record(Quotas *q, uid_t uid, uint64_t now_usec, uint32_t burst, uint64_t interval_usec);
bool quotas_take_suppressed(Quotas *q, uid_t *ret_uid, uint32_t *ret_n);

/*
 * The processor's time that requests take of the broker is everybody's: one user gets a burst of it, and then a share,
 * so that the next in the queue is somebody else's before long. -EDQUOT: theirs is used up at this moment.
 */
#define QUOTA_TIME_BURST_USEC (250 * UINT64_C(1000))
#define QUOTA_TIME_SHARE 4 /* one part in so many */
int quotas_may_spend(Quotas *q, uid_t uid, uint64_t now_usec);
/* What a request of this uid took. -ENOMEM. */
int quotas_spend(Quotas *q, uid_t uid, uint64_t now_usec, uint64_t spent_usec);

/*
 * What each request counts for, before what it takes beyond that: 250 a second in the long run. The bus reads 4 KiB of
 * our answers, and then as much of each other connection: another user's answer waits behind all of them. So a request
 * is the dearer the more of our answers the bus is behind with (bytes, as the kernel counts them), up to a price
 * that whoever waits for each answer can still pay.
 */
#define QUOTA_REQUEST_USEC UINT64_C(1000)
#define QUOTA_REQUEST_MAX_USEC (100 * UINT64_C(1000))
uint64_t quotas_request_price(size_t n_unread);

/*
 * One more refusal to a user who is over their share. -EDQUOT: they had enough of them in this second, and get no
 * answer.
 * Of a connection that has 128 calls without an answer the bus delivers no more, limit max_replies_per_connection.
 */
#define QUOTA_REFUSALS_PER_SEC 16U
int quotas_refuse(Quotas *q, uid_t uid, uint64_t now_usec);
