/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/buffer.h"
#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "profile/names.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static int add_value(PlanBuild *b, const char *file, const char *format, ...) _printf_(3, 4);

static int add_value(PlanBuild *b, const char *file, const char *format, ...) {
        _cleanup_free_ char *name = NULL, *layer = NULL, *value = NULL;
        Plan *p = b->plan;
        PlanCgroupValue *grown;
        va_list ap;
        int n;

        if (p->n_cgroup >= PLAN_CGROUP_MAX)
                return plan_refuse(
                        b, "[Resources] gives more than %u values for the control group", PLAN_CGROUP_MAX);

        va_start(ap, format);
        n = vasprintf(&value, format, ap);
        va_end(ap);
        if (n < 0) {
                value = NULL;
                return -ENOMEM;
        }

        name = strdup(file);
        layer = strdup(plan_cgroup_layer(file));
        grown = reallocarray(p->cgroup, p->n_cgroup + 1, sizeof(*grown));
        if (grown)
                p->cgroup = grown;
        if (!name || !layer || !grown)
                return -ENOMEM;

        p->cgroup[p->n_cgroup++] = (PlanCgroupValue){ TAKE_PTR(name), TAKE_PTR(value), TAKE_PTR(layer) };
        return 0;
}

#define FIELD(f) offsetof(Profile, f)

/* Plain amounts. One that is not set keeps the kernel's default. */
/* clang-format off */
static const struct {
        const char *file;
        size_t offset; /* uint64_t; UINT64_MAX: not set */
        const char *prefix;
} amounts[] = {
        { "memory.min",       FIELD(memory_min),       ""         },
        { "memory.low",       FIELD(memory_low),       ""         },
        { "memory.high",      FIELD(memory_high),      ""         },
        { "memory.max",       FIELD(memory_max),       ""         },
        { "memory.swap.max",  FIELD(memory_swap_max),  ""         },
        { "memory.zswap.max", FIELD(memory_zswap_max), ""         },
        { "cpu.weight",       FIELD(cpu_weight),       ""         },
        { "io.weight",        FIELD(io_weight),        "default " },
        { "pids.max",         FIELD(tasks_max),        ""         },
};
/* clang-format on */

static int build_amounts(PlanBuild *b) {
        for (size_t i = 0; i < ELEMENTSOF(amounts); i++) {
                uint64_t value =
                        *(const uint64_t *) (const void *) ((const char *) b->profile + amounts[i].offset);
                int r;

                if (value == UINT64_MAX)
                        continue;

                r = add_value(b, amounts[i].file, "%s%" PRIu64, amounts[i].prefix, value);
                if (r < 0)
                        return r;
        }

        return 0;
}

/*
 * cpu.max takes quotas of at least 1 ms and periods of at most 1 s, so a small share needs the long period.
 */
static int build_cpu_quota(PlanBuild *b) {
        uint32_t quota = b->profile->cpu_quota;
        uint32_t period_usec = quota < 100 ? 1000000 : 100000;

        if (quota == UINT32_MAX)
                return 0;
        if (quota < 10)
                return plan_refuse(b, "CPUQuota=: less than 0.1%%, which the kernel cannot enforce");

        return add_value(
                b, "cpu.max", "%" PRIu64 " %" PRIu32, (uint64_t) quota * period_usec / 10000, period_usec);
}

static int build_cpuset(PlanBuild *b) {
        int r = 0;

        if (b->profile->allowed_cpus)
                r = add_value(b, "cpuset.cpus", "%s", b->profile->allowed_cpus);
        if (r >= 0 && b->profile->allowed_memory_nodes)
                r = add_value(b, "cpuset.mems", "%s", b->profile->allowed_memory_nodes);

        return r;
}

/*
 * The kernel's io.max wants MAJ:MIN. Finding that takes a look at the machine, which the compiler never has, so the
 * path stays in front and the keeper replaces it.
 */
static int build_io_limit(PlanBuild *b, const ProfileIoLimit *l) {
        _cleanup_free_ char *path = NULL;
        _cleanup_buffer_ Buffer limits = {};
        const struct {
                const char *name;
                uint64_t value;
        } all[] = { { "rbps", l->rbps }, { "wbps", l->wbps }, { "riops", l->riops }, { "wiops", l->wiops } };
        int r;

        r = plan_expand_path(b, "IOReadBandwidthMax", l->path, &path);
        if (r < 0)
                return r;
        if (strchr(path, ' '))
                return plan_refuse(b, "IO limit of \"%s\": a path with a blank in it", path);

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                if (all[i].value != UINT64_MAX)
                        buffer_printf(&limits, " %s=%" PRIu64, all[i].name, all[i].value);

        if (buffer_error(&limits) < 0)
                return buffer_error(&limits);
        if (limits.size == 0)
                return 0;

        return add_value(b, "io.max", "%s%s", path, (const char *) limits.data);
}

static int build_degrade(PlanBuild *b) {
        char *const *sources[] = { b->profile->degrade, b->context->degrade };

        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                STRV_FOREACH (layer, sources[i]) {
                        if (!layer_name_is_valid(*layer))
                                return plan_refuse(b, "Degrade=%s: there is no such layer", *layer);
                        if (strv_contains(b->plan->degrade, *layer))
                                continue;
                        if (strv_extend(&b->plan->degrade, *layer) < 0)
                                return -ENOMEM;
                }

        return 0;
}

int plan_build_cgroup(PlanBuild *b) {
        int r;

        r = build_amounts(b);
        if (r >= 0 && b->profile->terms.oom_policy == OOM_POLICY_KILL)
                r = add_value(b, "memory.oom.group", "1");
        if (r >= 0)
                r = build_cpu_quota(b);
        if (r >= 0)
                r = build_cpuset(b);
        for (size_t i = 0; i < b->profile->n_io_limits && r >= 0; i++)
                r = build_io_limit(b, &b->profile->io_limits[i]);
        if (r >= 0)
                r = build_degrade(b);

        return r;
}
