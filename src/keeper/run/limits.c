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

/* A copy, in the place of what is there for that file, or behind the last. */
static int limits_put(Limits *l, const PlanCgroupValue *v) {
        PlanCgroupValue *there = l->values;

        while (there < l->values + l->n && !streq(there->file, v->file))
                there++;
        if (there == l->values + ELEMENTSOF(l->values))
                return -E2BIG;

        if (there == l->values + l->n)
                l->n++;
        value_done(there);
        *there = (PlanCgroupValue){ strdup(v->file), strdup(v->value), strdup(v->layer) };
        return there->file && there->value && there->layer ? 0 : -ENOMEM;
}

static int limits_put_all(Limits *l, const PlanCgroupValue *values, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = limits_put(l, values + i);

        return r;
}

static int write_values(const CgroupUnit *unit,
                        int cgroup_fd,
                        const PlanCgroupValue *values,
                        size_t n,
                        sd_bus_error *error) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = cgroup_change(unit, cgroup_fd, values, n, &text);
        return r < 0 ? limits_error(r, text, error) : 0;
}

int limits_change(Limits *l,
                  const CgroupUnit *unit,
                  int cgroup_fd,
                  const PlanCgroupValue *values,
                  size_t n,
                  sd_bus_error *error) {
        _cleanup_(limits_done) Limits changed = {};
        Limits before = *l;
        int r;

        /* Whatever may fail of the remembering comes before the first write. */
        r = limits_put_all(&changed, l->values, l->n);
        if (r >= 0)
                r = limits_put_all(&changed, values, n);
        if (r >= 0)
                r = write_values(unit, cgroup_fd, values, n, error);
        if (r < 0)
                return r;

        *l = changed;
        changed = before;
        return 0;
}

int limits_apply(const Limits *l, const CgroupUnit *unit, int cgroup_fd, sd_bus_error *error) {
        return write_values(unit, cgroup_fd, l->values, l->n, error);
}
