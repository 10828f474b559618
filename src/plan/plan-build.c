/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"

#include "plan/plan-check.h"
#include "profile/place.h"

#include <stdarg.h>
#include <stdio.h>

int plan_build_parts(PlanBuild *b, const PlanPart *parts) {
        int r = 0;

        for (size_t i = 0; r >= 0 && parts[i]; i++)
                r = parts[i](b);

        return r;
}

int plan_refuse_as(PlanBuild *b, PlanRefusal refusal, const char *format, ...) {
        char *text;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;

        free(b->text);
        b->text = text;
        b->refusal = refusal;
        return -EINVAL;
}

int plan_add_node(PlanBuild *b, const PlanNode *node) {
        Plan *p = b->plan;
        PlanNode n = *node, *grown;

        if (p->n_nodes >= PLAN_NODES_MAX)
                return plan_refuse(b, "[Files]: the tree has more than %u parts", PLAN_NODES_MAX);

        grown = reallocarray(p->nodes, p->n_nodes + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        p->nodes = grown;

        n.source = node->source ? strdup(node->source) : NULL;
        n.target = strdup(node->target);
        n.data = node->data ? strdup(node->data) : NULL;
        p->nodes[p->n_nodes++] = n; /* even half a node belongs to the plan, which frees it */

        return !n.target || (node->source && !n.source) || (node->data && !n.data) ? -ENOMEM : 0;
}

const PlanNode *plan_node_containing(const Plan *p, size_t n, const char *path) {
        const PlanNode *nearest = NULL;

        for (size_t i = 0; i < n; i++)
                if (path_is_below(path, p->nodes[i].target) &&
                    (!nearest || path_is_below(p->nodes[i].target, nearest->target)))
                        nearest = &p->nodes[i];

        return nearest;
}

PlanNode *plan_node_at(Plan *p, const char *target) {
        for (size_t i = 0; i < p->n_nodes; i++)
                if (streq(p->nodes[i].target, target))
                        return &p->nodes[i];

        return NULL;
}

int plan_put_node(PlanBuild *b, const PlanNode *node) {
        PlanNode *old = plan_node_at(b->plan, node->target), *last;
        PlanNode taken;
        int r;

        r = plan_add_node(b, node);
        if (r < 0 || !old)
                return r;

        /* The array may have moved. The new node takes the place of the old one. */
        old = plan_node_at(b->plan, node->target);
        last = &b->plan->nodes[--b->plan->n_nodes];
        taken = *last;
        free(old->source);
        free(old->target);
        free(old->data);
        *old = taken;
        return 0;
}

/* Parents sort before what they hold, since "/" counts as less than any other character. */
static int compare_targets(const char *a, const char *b) {
        while (*a && *a == *b) {
                a++;
                b++;
        }

        return (*a == '/' ? 1 : (unsigned char) *a) - (*b == '/' ? 1 : (unsigned char) *b);
}

/* Masks last: where a name leads is a matter of what is not hidden yet. */
static int compare_nodes(const void *a, const void *b) {
        const PlanNode *x = a, *y = b;
        int c = (x->kind == PLAN_NODE_MASK) - (y->kind == PLAN_NODE_MASK);

        if (c == 0)
                c = compare_targets(x->target, y->target);

        return c != 0 ? c : (int) x->kind - (int) y->kind;
}

void plan_sort_nodes(PlanBuild *b, size_t from) {
        qsort(b->plan->nodes + from, b->plan->n_nodes - from, sizeof(*b->plan->nodes), compare_nodes);
}

int plan_check_destination(PlanBuild *b, const char *key, const char *path, char ***seen) {
        const char *why = place_refuse_target(path);

        if (why)
                return plan_refuse(b, "%s=: %s %s", key, path, why);
        if (strv_contains(*seen, path))
                return plan_refuse(b, "%s=: %s is given twice", key, path);

        return strv_extend(seen, path);
}

/* What root's application creates on disk belongs to root: with a setuid bit, another user could run it. */
int plan_check_writable(PlanBuild *b, const char *key) {
        if (b->account->uid == 0 && !b->profile->restrict_suid_sgid)
                return plan_refuse(b, "%s=: for root only with RestrictSUIDSGID=yes, or read-only", key);

        return 0;
}
