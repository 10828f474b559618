/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/keeper.h"
#include "keeper/sandbox/sandbox.h"

int sandbox_cgroup_error(int r, const char *text, sd_bus_error *error) {
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

void sandbox_forget_limits(Sandbox *s) {
        while (s->n_limits > 0)
                value_done(s->limits + --s->n_limits);
}

static PlanCgroupValue *find_limit(Sandbox *s, const char *file) {
        for (size_t i = 0; i < s->n_limits; i++)
                if (streq(s->limits[i].file, file))
                        return s->limits + i;

        return NULL;
}

/* Takes the copy over. There is room: as many as there are files that the broker lets be set. */
static int remember(Sandbox *s, PlanCgroupValue *copy) {
        PlanCgroupValue *there = find_limit(s, copy->file);

        if (!there && s->n_limits >= ELEMENTSOF(s->limits))
                return -E2BIG;
        if (there)
                value_done(there);
        else
                there = s->limits + s->n_limits++;

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

int sandbox_set_limits(Sandbox *s, const PlanCgroupValue *values, size_t n, sd_bus_error *error) {
        PlanCgroupValue copies[CGROUP_CHANGES_MAX] = {};
        _cleanup_free_ char *text = NULL;
        int r = 0;

        if (s->phase != PHASE_RUNNING)
                return sd_bus_error_setf(
                        error, ERROR_SANDBOX_NOT_RUNNING, "%s is not running", s->record->id);
        if (n > ELEMENTSOF(copies))
                return -E2BIG;

        /* Whatever may fail of the remembering comes before the first write. */
        for (size_t i = 0; i < n && r >= 0; i++)
                r = copy_value(values + i, copies + i);
        if (r >= 0)
                r = cgroup_change(s->keeper->unit, s->cgroup_fd, values, n, &text);
        if (r < 0)
                r = sandbox_cgroup_error(r, text, error);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = remember(s, copies + i);

        for (size_t i = 0; i < n; i++)
                value_done(copies + i);

        return r;
}

int sandbox_apply_limits(Sandbox *s, sd_bus_error *error) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = cgroup_change(s->keeper->unit, s->cgroup_fd, s->limits, s->n_limits, &text);
        return r < 0 ? sandbox_cgroup_error(r, text, error) : 0;
}
