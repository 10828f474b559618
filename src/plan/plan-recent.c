/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-recent.h"

#include "base/fd.h"

#include <sys/mman.h>
#include <sys/stat.h>

typedef struct PlanKept PlanKept;

static void kept_done(PlanKept *k) {
        if (k->data)
                (void) munmap(k->data, k->size);
        (void) plan_free(k->plan);
        *k = (PlanKept){};
}

static int map_sealed(PlanKept *k, int fd) {
        struct stat st;
        void *data;
        int r;

        /* Sealed first: what nobody can change may be looked at twice, and cannot shrink under the mapping. */
        r = memfd_verify_sealed(fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size <= 0 || st.st_size > (off_t) PLAN_SIZE_MAX)
                return -EBADMSG;

        data = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return -errno;

        k->data = data;
        k->size = (size_t) st.st_size;
        return 0;
}

static void hash(PlanKept *k) {
        uint8_t digest[SHA256_SIZE];

        sha256(k->data, k->size, digest);
        sha256_hex(digest, k->digest);
}

/* Takes one of them out of the row. */
static PlanKept take_out(PlanRecent *r, size_t i) {
        PlanKept k = r->plans[i];

        memmove(&r->plans[i], &r->plans[i + 1], (--r->n - i) * sizeof(k));
        return k;
}

static void make_room(PlanRecent *r, size_t size) {
        for (size_t i = 0; i < r->n; i++)
                size += r->plans[i].size;

        while (r->n > 0 && (r->n >= r->max || size > PLAN_SIZE_MAX)) {
                _cleanup_(kept_done) PlanKept oldest = take_out(r, 0);

                size -= oldest.size;
        }
}

int plan_recent_read(PlanRecent *r, int fd, const Plan **ret, const char **ret_digest) {
        _cleanup_(kept_done) PlanKept k = {};
        PlanKept *last;
        size_t i = 0;
        int e;

        e = map_sealed(&k, fd);
        if (e < 0)
                return e;

        while (i < r->n && (r->plans[i].size != k.size || memcmp(r->plans[i].data, k.data, k.size) != 0))
                i++;
        if (i < r->n) {
                PlanKept known = take_out(r, i);

                r->plans[r->n++] = known;
        } else {
                e = plan_decode(k.data, k.size, &k.plan);
                if (e < 0)
                        return e;

                make_room(r, k.size);
                r->plans[r->n++] = k;
                k = (PlanKept){};
        }

        last = &r->plans[r->n - 1];
        if (ret_digest) {
                if (*last->digest == '\0')
                        hash(last);
                *ret_digest = last->digest;
        }
        if (ret)
                *ret = last->plan;
        return 0;
}

Plan *plan_recent_take(PlanRecent *r) {
        Plan *plan = TAKE_PTR(r->plans[r->n - 1].plan);

        plan_recent_done(r);
        return plan;
}

void plan_recent_done(PlanRecent *r) {
        while (r->n > 0)
                kept_done(&r->plans[--r->n]);
}
