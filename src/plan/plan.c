/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan.h"

#include "base/fd.h"
#include "plan/plan-fields.h"

#include <sys/mman.h>
#include <sys/stat.h>

static void free_scalar(const PlanField *f, void *object) {
        if (f->kind == PLAN_FIELD_TEXT || f->kind == PLAN_FIELD_OPTIONAL_TEXT)
                free(*PLAN_FIELD_AT(char *, object, f->offset));
}

static void free_field(const PlanField *f, void *object) {
        switch (f->kind) {
        case PLAN_FIELD_TEXTS:
                strv_free(*PLAN_FIELD_AT(char **, object, f->offset));
                break;
        case PLAN_FIELD_ROWS: {
                char *rows = *PLAN_FIELD_AT(char *, object, f->offset);
                size_t n = *PLAN_FIELD_AT(size_t, object, f->n_offset);

                for (size_t i = 0; i < n; i++)
                        for (size_t k = 0; k < f->rows->n_fields; k++)
                                free_scalar(&f->rows->fields[k], rows + i * f->rows->row_size);
                free(rows);
                break;
        }
        case PLAN_FIELD_WORDS:
        case PLAN_FIELD_BYTES:
                free(*PLAN_FIELD_AT(void *, object, f->offset));
                break;
        default:
                free_scalar(f, object);
                break;
        }
}

Plan *plan_free(Plan *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < plan_table.n_fields; i++)
                free_field(&plan_table.fields[i], p);
        free(p);
        return NULL;
}

int plan_to_memfd(const Plan *p, uint8_t ret_digest[SHA256_SIZE]) {
        _cleanup_free_ uint8_t *data = NULL;
        size_t size;
        int fd, r;

        r = plan_encode(p, &data, &size);
        if (r < 0)
                return r;

        fd = memfd_new_sealed("immured-plan", data, size);
        if (fd >= 0 && ret_digest)
                sha256(data, size, ret_digest);

        return fd;
}

int plan_from_memfd(int fd, Plan **ret, uint8_t ret_digest[SHA256_SIZE]) {
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

        r = plan_decode(data, (size_t) st.st_size, ret);
        if (r >= 0 && ret_digest)
                sha256(data, (size_t) st.st_size, ret_digest);

        (void) munmap(data, (size_t) st.st_size);
        return r;
}

bool plan_node_is_dev(const PlanNode *n) { return n->kind == PLAN_NODE_TMPFS && streq(n->target, "/dev"); }

bool plan_root_is_writable(const Plan *p) {
        return p->n_nodes > 0 && p->nodes[0].kind == PLAN_NODE_OVERLAY &&
               !(p->nodes[0].flags & PLAN_NODE_READ_ONLY);
}
