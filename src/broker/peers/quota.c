/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/quota.h"

#include "base/text.h"

#include <sys/queue.h>

/* Rows that nobody needs are swept once there are more than this. */
#define ROWS_KEPT 64

typedef struct QuotaRow {
        LIST_ENTRY(QuotaRow) entry;
        uid_t uid;
        uint32_t n[_QUOTA_KIND_MAX];
        uint64_t window_end; /* 0: no recent launch */
        uint32_t n_launches; /* in the window */
        uint64_t record_end; /* the same of records */
        uint32_t n_records, n_suppressed;
        uint64_t spent_until; /* when the share of time will have paid for all that was spent */
        uint64_t refused_end; /* of the second that n_refused counts in */
        uint32_t n_refused;
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
        return row->n[QUOTA_REQUESTS] == 0 && row->n[QUOTA_WORK] == 0 && row->window_end <= now_usec &&
               row->spent_until <= now_usec && row->refused_end <= now_usec && row->record_end <= now_usec &&
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

int quotas_launch(Quotas *q, uid_t uid, uint64_t now_usec, uint32_t burst, uint64_t interval_usec) {
        QuotaRow *row;
        int r;

        if (uid == 0)
                return 0;

        sweep(q, now_usec);
        r = row_get(q, uid, &row);
        if (r < 0)
                return r;

        if (row->window_end <= now_usec) {
                row->window_end =
                        now_usec > UINT64_MAX - interval_usec ? UINT64_MAX : now_usec + interval_usec;
                row->n_launches = 0;
        }
        if (row->n_launches >= burst)
                return -EDQUOT;

        row->n_launches++;
        return 0;
}

int quotas_record(Quotas *q, uid_t uid, uint64_t now_usec, uint32_t burst, uint64_t interval_usec) {
        QuotaRow *row;
        int r;

        sweep(q, now_usec);
        r = row_get(q, uid, &row);
        if (r < 0)
                return r;

        if (row->record_end <= now_usec) {
                row->record_end =
                        now_usec > UINT64_MAX - interval_usec ? UINT64_MAX : now_usec + interval_usec;
                row->n_records = 0;
        }
        if (row->n_records >= burst) {
                row->n_suppressed++;
                return -EDQUOT;
        }

        row->n_records++;
        return 0;
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

int quotas_refuse(Quotas *q, uid_t uid, uint64_t now_usec) {
        QuotaRow *row;
        int r;

        r = row_get(q, uid, &row);
        if (r < 0)
                return r;

        if (row->refused_end <= now_usec) {
                row->refused_end = now_usec + USEC_PER_SEC;
                row->n_refused = 0;
        }
        if (row->n_refused >= QUOTA_REFUSALS_PER_SEC)
                return -EDQUOT;

        row->n_refused++;
        return 0;
}
