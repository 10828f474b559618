/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan.h"

#include "plan/plan-fields.h"

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

bool plan_node_is_dev(const PlanNode *n) { return n->kind == PLAN_NODE_TMPFS && streq(n->target, "/dev"); }

bool plan_root_is_writable(const Plan *p) {
        return p->n_nodes > 0 && p->nodes[0].kind == PLAN_NODE_OVERLAY &&
               !(p->nodes[0].flags & PLAN_NODE_READ_ONLY);
}

bool plan_has_group(const Plan *p, uint32_t gid) {
        for (size_t i = 0; i < p->n_groups; i++)
                if (p->groups[i] == gid)
                        return true;

        return false;
}
