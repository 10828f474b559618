/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/run/limits.h"

#include "base/text.h"
#include "link/link.h"

int limits_error(int r, const char *text, sd_bus_error *error) {
        if (r == -EOPNOTSUPP)
                return sd_bus_error_set(error, ERROR_LAYER_UNAVAILABLE, text);
        if (r == -EBADE)
                return sd_bus_error_setf(
                        error, ERROR_VERIFICATION_FAILED, "cgroup: %s did not take effect", text);
        if (text)
                return sd_bus_error_setf(error, ERROR_SETUP_FAILED, "cgroup: %s: %s", text, strerror(-r));

        return r;
}

static void value_done(PlanCgroupValue *v) {
        free(v->file);
        free(v->value);
        free(v->layer);
        *v = (PlanCgroupValue){};
}

void limits_done(Limits *l) {
        while (l->n > 0)
                value_done(l->values + --l->n);
}

static PlanCgroupValue *find_limit(Limits *l, const char *file) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->values[i].file, file))
                        return l->values + i;

        return NULL;
}

/* Takes the copy over. There is room for every file that the broker lets be set. */
static int remember(Limits *l, PlanCgroupValue *copy) {
        PlanCgroupValue *there = find_limit(l, copy->file);

        if (!there && l->n >= ELEMENTSOF(l->values))
                return -E2BIG;
        if (there)
                value_done(there);
        else
                there = l->values + l->n++;

        *there = *copy;
        *copy = (PlanCgroupValue){};
        return 0;
}

static int copy_value(const PlanCgroupValue *v, PlanCgroupValue *ret) {
        *ret = (PlanCgroupValue){ strdup(v->file), strdup(v->value), strdup(v->layer) };
        if (ret->file && ret->value && ret->layer)
                return 0;

        value_done(ret);
        return -ENOMEM;
}

int limits_change(Limits *l,
                  const CgroupUnit *unit,
                  int cgroup_fd,
                  const PlanCgroupValue *values,
                  size_t n,
                  sd_bus_error *error) {
        PlanCgroupValue copies[CGROUP_CHANGES_MAX] = {};
        _cleanup_free_ char *text = NULL;
        int r = 0;

        if (n > ELEMENTSOF(copies))
                return -E2BIG;

        /* Whatever may fail of the remembering comes before the first write. */
        for (size_t i = 0; i < n && r >= 0; i++)
                r = copy_value(values + i, copies + i);
        if (r >= 0)
                r = cgroup_change(unit, cgroup_fd, values, n, &text);
        if (r < 0)
                r = limits_error(r, text, error);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = remember(l, copies + i);

        for (size_t i = 0; i < n; i++)
                value_done(copies + i);

        return r;
}

int limits_apply(const Limits *l, const CgroupUnit *unit, int cgroup_fd, sd_bus_error *error) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = cgroup_change(unit, cgroup_fd, l->values, l->n, &text);
        return r < 0 ? limits_error(r, text, error) : 0;
}
