/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/quota.h"

#include "base/text.h"

#include <sys/queue.h>

/* Rows that nobody needs are swept once there are more than this. */
#define ROWS_KEPT 64

/* So many in a while: the while begins with the first of them. */
typedef struct Window {
        uint64_t end_usec; /* 0: none of late */
        uint32_t n;
} Window;

typedef struct QuotaRow {
        LIST_ENTRY(QuotaRow) entry;
        uid_t uid;
        uint32_t n[_QUOTA_KIND_MAX];
        Window windows[_QUOTA_RATE_MAX];
        uint32_t n_suppressed; /* records that were one too many, and that nothing tells of yet */
        uint64_t spent_until;  /* when the share of time will have paid for all that was spent */
} QuotaRow;

struct Quotas {
        LIST_HEAD(, QuotaRow) rows;
        size_t n_rows;
};

static void row_drop(Quotas *q, QuotaRow *row) {
        LIST_REMOVE(row, entry);
        q->n_rows--;
        free(row);
}

int quotas_new(Quotas **ret) {
        Quotas *q = calloc(1, sizeof(*q));

        if (!q)
                return -ENOMEM;

        LIST_INIT(&q->rows);
        *ret = q;
        return 0;
}

Quotas *quotas_free(Quotas *q) {
        if (!q)
                return NULL;

        while (!LIST_EMPTY(&q->rows))
                row_drop(q, LIST_FIRST(&q->rows));

        free(q);
        return NULL;
}

static QuotaRow *row_find(Quotas *q, uid_t uid) {
        QuotaRow *row;

        LIST_FOREACH (row, &q->rows, entry)
                if (row->uid == uid)
                        return row;

        return NULL;
}

static int row_get(Quotas *q, uid_t uid, QuotaRow **ret) {
        QuotaRow *row = row_find(q, uid);

        if (!row) {
                row = calloc(1, sizeof(*row));
                if (!row)
                        return -ENOMEM;

                row->uid = uid;
                LIST_INSERT_HEAD(&q->rows, row, entry);
                q->n_rows++;
        }

        *ret = row;
        return 0;
}

static bool row_is_idle(const QuotaRow *row, uint64_t now_usec) {
        for (size_t i = 0; i < _QUOTA_RATE_MAX; i++)
                if (row->windows[i].end_usec > now_usec)
                        return false;

        return row->n[QUOTA_REQUESTS] == 0 && row->n[QUOTA_WORK] == 0 && row->spent_until <= now_usec &&
               row->n_suppressed == 0;
}

static void sweep(Quotas *q, uint64_t now_usec) {
        QuotaRow *next;

        if (q->n_rows <= ROWS_KEPT)
                return;

        for (QuotaRow *row = LIST_FIRST(&q->rows); row; row = next) {
                next = LIST_NEXT(row, entry);
                if (row_is_idle(row, now_usec))
                        row_drop(q, row);
        }
}

int quotas_enter(Quotas *q, uid_t uid, QuotaKind kind, uint32_t max) {
        QuotaRow *row;
        int r;

        r = row_get(q, uid, &row);
        if (r < 0)
                return r;

        if (uid != 0 && row->n[kind] >= max)
                return -EDQUOT;

        row->n[kind]++;
        return 0;
}

void quotas_leave(Quotas *q, uid_t uid, QuotaKind kind) {
        QuotaRow *row = row_find(q, uid);

        if (!row || row->n[kind] == 0)
                return;

        row->n[kind]--;
        if (row_is_idle(row, 0))
                row_drop(q, row);
}

int quotas_count(
        Quotas *q, uid_t uid, QuotaRate rate, uint64_t now_usec, uint32_t burst, uint64_t interval_usec) {
        QuotaRow *row;
        Window *w;
        int r;

        if (uid == 0 && rate == QUOTA_LAUNCHES)
                return 0;

        sweep(q, now_usec);
        r = row_get(q, uid, &row);
        if (r < 0)
                return r;

        w = row->windows + rate;
        if (w->end_usec <= now_usec)
                *w = (Window){ .end_usec = now_usec + MIN(interval_usec, UINT64_MAX - now_usec) };
        if (w->n < burst) {
                w->n++;
                return 0;
        }

        row->n_suppressed += rate == QUOTA_RECORDS;
        return -EDQUOT;
}

bool quotas_take_suppressed(Quotas *q, uid_t *ret_uid, uint32_t *ret_n) {
        QuotaRow *row;

        LIST_FOREACH (row, &q->rows, entry)
                if (row->n_suppressed > 0) {
                        *ret_uid = row->uid;
                        *ret_n = row->n_suppressed;
                        row->n_suppressed = 0;
                        return true;
                }

        return false;
}

uint64_t quotas_request_price(size_t n_unread) {
        /* In turns of the bus, 4 KiB each. Squared, so that a short queue costs nothing and a long one everything. */
        const uint64_t n_turns = MIN(n_unread / 4096, (size_t) 1000);

        return MIN(QUOTA_REQUEST_USEC * (1 + n_turns * n_turns), QUOTA_REQUEST_MAX_USEC);
}

int quotas_may_spend(Quotas *q, uid_t uid, uint64_t now_usec) {
        const QuotaRow *row = row_find(q, uid);

        if (uid == 0 || !row || row->spent_until <= now_usec)
                return 0;

        return row->spent_until - now_usec < QUOTA_TIME_BURST_USEC * QUOTA_TIME_SHARE ? 0 : -EDQUOT;
}

int quotas_spend(Quotas *q, uid_t uid, uint64_t now_usec, uint64_t spent_usec) {
        QuotaRow *row;
        int r;

        if (uid == 0)
                return 0;

        sweep(q, now_usec);
        r = row_get(q, uid, &row);
        if (r < 0)
                return r;

        /* Nobody is shut out for more than a minute, whatever a single request took. */
        spent_usec = MIN(spent_usec, 15 * USEC_PER_SEC);
        row->spent_until = MAX(row->spent_until, now_usec) + spent_usec * QUOTA_TIME_SHARE;
        return 0;
}
