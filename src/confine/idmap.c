/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/idmap.h"

static int compare_ids(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return x < y ? -1 : x > y;
}

/* Every id that own uses on either side, sorted: what is mapped as itself must be neither. */
static int used_ids(const PlanIdMap *own, size_t n, uint32_t base, uint32_t **ret, size_t *ret_n) {
        size_t n_ids = 0, k = 0;
        uint32_t *ids;

        for (size_t i = 0; i < n; i++) {
                if ((uint64_t) base + own[i].outside + own[i].count > UINT32_MAX ||
                    (uint64_t) own[i].inside + own[i].count > UINT32_MAX)
                        return -ERANGE;
                n_ids += own[i].count;
        }

        ids = calloc(2 * n_ids + 1, sizeof(*ids));
        if (!ids)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++)
                for (uint32_t j = 0; j < own[i].count; j++) {
                        ids[k++] = own[i].inside + j;
                        ids[k++] = base + own[i].outside + j;
                }
        qsort(ids, k, sizeof(*ids), compare_ids);

        *ret = ids;
        *ret_n = k;
        return 0;
}

int idmap_groups(const PlanIdMap *own, size_t n_own, uint32_t base, PlanIdMap **ret, size_t *ret_n) {
        _cleanup_free_ PlanIdMap *map = NULL;
        _cleanup_free_ uint32_t *ids = NULL;
        size_t n_ids = 0, n = 0;
        uint32_t next = 0;
        int r;

        r = used_ids(own, n_own, base, &ids, &n_ids);
        if (r < 0)
                return r;
        map = calloc(MAX(n_own, IDMAP_RANGES_MAX), sizeof(*map));
        if (!map)
                return -ENOMEM;

        for (; n < n_own; n++) {
                map[n] = own[n];
                map[n].outside += base;
        }
        /* The gaps before each, and behind the last up to the end: (gid_t) -1 is none. */
        for (size_t i = 0; i <= n_ids && n < IDMAP_RANGES_MAX; i++) {
                uint32_t end = i < n_ids ? ids[i] : UINT32_MAX;

                if (end > next)
                        map[n++] = (PlanIdMap){ .inside = next, .outside = next, .count = end - next };
                next = end + 1;
        }

        *ret = TAKE_PTR(map);
        *ret_n = n;
        return 0;
}
