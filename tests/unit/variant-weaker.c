/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "variant-fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

/* What is in sight at a place of the tree. */
typedef struct Sight {
        const PlanNode *node; /* that it is of */
        uint32_t flags;
        bool masked;
} Sight;

/* The nodes in their order, as they cover each other; a remount adds to what is at its place and below. */
static Sight sight_of(const Plan *p, const char *path) {
        Sight s = {};

        for (size_t i = 0; i < p->n_nodes; i++) {
                const PlanNode *n = &p->nodes[i];

                if (!path_is_below(path, n->target))
                        continue;
                if (n->kind == PLAN_NODE_MASK)
                        s.masked = true;
                else if (n->kind == PLAN_NODE_REMOUNT)
                        s.flags |= n->flags & (PLAN_NODE_READ_ONLY | PLAN_NODE_NO_EXEC);
                else if (n->kind == PLAN_NODE_DIRECTORY && s.node && s.node->kind == PLAN_NODE_TMPFS)
                        continue; /* a part of it */
                else
                        s = (Sight){ .node = n, .flags = n->flags, .masked = s.masked };
        }

        return s;
}

static bool is_mount(const Sight *s) {
        return s->node && (s->node->kind == PLAN_NODE_BIND || s->node->kind == PLAN_NODE_TMPFS ||
                           s->node->kind == PLAN_NODE_OVERLAY);
}

/* What is in memory is root's, unless it is the user's own or anybody's. */
static bool is_writable(const Sight *s) {
        if (!s->node || s->flags & PLAN_NODE_READ_ONLY)
                return false;

        return s->node->kind == PLAN_NODE_BIND || s->node->kind == PLAN_NODE_OVERLAY ||
               s->node->flags & PLAN_NODE_OWNED ||
               (s->node->kind == PLAN_NODE_TMPFS && s->node->mode & S_IWOTH);
}

/* Where there is nothing, or nothing but directories, nothing can be executed. */
static bool is_executable(const Sight *s) {
        return s->node && !(s->flags & PLAN_NODE_NO_EXEC) &&
               (s->node->kind == PLAN_NODE_BIND || s->node->kind == PLAN_NODE_OVERLAY || is_writable(s));
}

static uint64_t size_of(const Sight *s) {
        return s->node && s->node->kind == PLAN_NODE_TMPFS ? s->node->size : 0;
}

/* The place on the host that is behind it, or NULL. */
static char *content_of(const Sight *s, const char *path) {
        if (!s->node || !s->node->source || s->node->kind == PLAN_NODE_DIRECTORY)
                return NULL;

        return text_printf(
                "%s%s", s->node->source, path + (streq(s->node->target, "/") ? 0 : strlen(s->node->target)));
}

static uint32_t hidden_of(const Sight *s) {
        return s->flags &
               (PLAN_NODE_HIDE_PIDS | PLAN_NODE_PID_ONLY | PLAN_NODE_LOCK_PIDS | PLAN_NODE_TRACED_PIDS);
}

/* Of processes that are not its own, in the order of ProtectProc=. */
static bool proc_is_at_most(uint32_t a, uint32_t w) {
        const uint32_t how = ~(uint32_t) PLAN_NODE_PID_ONLY;

        if (w & PLAN_NODE_PID_ONLY && !(a & PLAN_NODE_PID_ONLY))
                return false;

        return (a & how) == (w & how) || !(w & how) || (a & PLAN_NODE_HIDE_PIDS && w & PLAN_NODE_LOCK_PIDS);
}

static const char *place_weaker(const Plan *asked, const Plan *whole, const char *path) {
        Sight a = sight_of(asked, path), w = sight_of(whole, path);
        _cleanup_free_ char *content_a = content_of(&a, path), *content_w = content_of(&w, path);

        if (a.masked)
                return NULL;
        if (w.masked)
                return "is no longer masked";
        if (content_a && (!content_w || !streq(content_a, content_w)))
                return "shows another place of the host";
        if (is_writable(&a) && !is_writable(&w))
                return "can be written to";
        if (is_executable(&a) && !is_executable(&w))
                return "can be executed from";
        if (size_of(&a) > size_of(&w) && w.node && w.node->kind == PLAN_NODE_TMPFS)
                return "is larger";
        if (!proc_is_at_most(hidden_of(&a), hidden_of(&w)))
                return "shows more processes";
        if (is_mount(&a) && w.node &&
            (w.node->flags & ~a.node->flags & (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)))
                return "has lost nosuid or nodev";

        return NULL;
}

/* Each place that one of both plans names, and one below it. */
static void check_tree(const Plan *asked, const Plan *whole, const char *text) {
        const Plan *const plans[] = { asked, whole };

        for (size_t k = 0; k < ELEMENTSOF(plans); k++)
                for (size_t i = 0; i < plans[k]->n_nodes; i++) {
                        const char *target = plans[k]->nodes[i].target;
                        _cleanup_free_ char *below =
                                text_printf("%s/below", streq(target, "/") ? "" : target);
                        const char *why =
                                place_weaker(asked, whole, target) ?: place_weaker(asked, whole, below);

                        if (why)
                                fail_msg("%s %s, with\n%s", target, why, text);
                }
}

static const PlanRlimit *rlimit_of(const Plan *p, uint8_t resource) {
        for (size_t i = 0; i < p->n_rlimits; i++)
                if (p->rlimits[i].resource == resource)
                        return &p->rlimits[i];

        return NULL;
}

static bool rlimits_hold(const Plan *a, const Plan *w) {
        for (uint8_t i = 0; i < PROFILE_N_RLIMITS; i++) {
                const PlanRlimit *x = rlimit_of(a, i), *y = rlimit_of(w, i);

                if (!x != !y || (x && (x->soft > y->soft || x->hard > y->hard)))
                        return false;
        }

        return true;
}

static bool map_holds(const PlanIdMap *a, size_t n_a, const PlanIdMap *w, size_t n_w, bool pick) {
        for (size_t i = 0; i < n_a; i++) {
                bool found = false;

                for (size_t k = 0; k < n_w; k++)
                        found = found ||
                                (a[i].inside >= w[k].inside &&
                                 a[i].inside + a[i].count <= w[k].inside + w[k].count &&
                                 (pick || a[i].outside - w[k].outside == a[i].inside - w[k].inside));
                if (!found)
                        return false;
        }

        return true;
}

/* With picked ids it is nobody on the host; otherwise no more than what it was there. */
static bool ids_hold(const Plan *a, const Plan *w) {
        bool pick = a->private_users == PRIVATE_USERS_PICK;

        return (pick || w->private_users != PRIVATE_USERS_PICK) &&
               map_holds(a->uid_map, a->n_uid_map, w->uid_map, w->n_uid_map, pick) &&
               map_holds(a->gid_map, a->n_gid_map, w->gid_map, w->n_gid_map, pick);
}

static const char *group_value(const Plan *p, const char *file, const char *fallback) {
        for (size_t i = 0; i < p->n_cgroup; i++)
                if (streq(p->cgroup[i].file, file))
                        return p->cgroup[i].value;

        return fallback;
}

/* Of a value with a period behind it, the share. */
static double group_number(const char *value) {
        double number = 0, period = 1;

        value = startswith(value, "default ") ?: value;
        if (streq(value, "max") || streq(value, "18446744073709551615"))
                return 1e30;
        assert_true(sscanf(value, "%lf %lf", &number, &period) >= 1);
        return number / period;
}

/* cgroup-v2: what a file holds that is not written. */
static bool group_holds(const Plan *a, const Plan *w) {
        static const struct {
                const char *file, *fallback;
        } files[] = {
                { "memory.min", "0" },   { "memory.low", "0" },        { "memory.high", "max" },
                { "memory.max", "max" }, { "memory.swap.max", "max" }, { "memory.zswap.max", "max" },
                { "pids.max", "max" },   { "cpu.weight", "100" },      { "io.weight", "100" },
                { "cpu.max", "max" },
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (group_number(group_value(a, files[i].file, files[i].fallback)) >
                    group_number(group_value(w, files[i].file, files[i].fallback)))
                        return false;

        return !group_value(w, "memory.oom.group", NULL) || group_value(a, "memory.oom.group", NULL);
}

static uint64_t device_limit(const Plan *p, const char *path, const char *name) {
        uint64_t limit = UINT64_MAX;

        for (size_t i = 0; i < p->n_cgroup; i++) {
                const char *rest =
                        streq(p->cgroup[i].file, "io.max") ? startswith(p->cgroup[i].value, path) : NULL;
                const char *at = rest ? strstr(rest, name) : NULL;

                if (at)
                        assert_int_equal(sscanf(at + strlen(name), "=%" SCNu64, &limit), 1);
        }

        return limit;
}

static bool devices_hold(const Plan *a, const Plan *w) {
        static const char *const paths[] = { "/srv", "/var" }, *const names[] = {
                "rbps", "wbps", "riops", "wiops"
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                for (size_t k = 0; k < ELEMENTSOF(names); k++)
                        if (device_limit(a, paths[i], names[k]) > device_limit(w, paths[i], names[k]))
                                return false;

        return true;
}

static bool restart_holds(const Plan *a, const Plan *w) {
        static const bool within[5][5] = {
                [RESTART_NO] = { true, true, true, true, true },
                [RESTART_ON_SUCCESS] = { [RESTART_ON_SUCCESS] = true, [RESTART_ALWAYS] = true },
                [RESTART_ON_FAILURE] = { [RESTART_ON_FAILURE] = true, [RESTART_ALWAYS] = true },
                [RESTART_ON_ABNORMAL] = { [RESTART_ON_FAILURE] = true,
                                          [RESTART_ON_ABNORMAL] = true,
                                          [RESTART_ALWAYS] = true },
                [RESTART_ALWAYS] = { [RESTART_ALWAYS] = true },
        };

        return within[a->terms.restart][w->terms.restart];
}

static bool degrade_holds(const Plan *a, const Plan *w) {
        STRV_FOREACH (layer, a->degrade)
                if (!strv_contains(w->degrade, *layer))
                        return false;

        return true;
}

static uint64_t starts_allowed(const Plan *p) { return p->terms.start_limit_burst ?: UINT64_MAX; }

/* Fields that may differ, each with what must hold of both plans. */
static const char *field_weaker(const char *name, const Plan *a, const Plan *w) {
        const struct {
                const char *name;
                bool holds;
        } fields[] = {
                { "UMask", (w->umask & ~a->umask) == 0 },
                { "Nice", a->nice >= w->nice && a->nice_set == w->nice_set },
                { "OOMScoreAdjust",
                  a->oom_score_adjust >= w->oom_score_adjust &&
                          a->oom_score_adjust_set == w->oom_score_adjust_set },
                { "Limits", rlimits_hold(a, w) },
                { "PrivateUsers", ids_hold(a, w) },
                { "UIDMap", ids_hold(a, w) },
                { "GIDMap", ids_hold(a, w) },
                { "WorkingDirectory", streq(a->working_directory, "/") },
                { "Tree", true },    /* check_tree() */
                { "Seccomp", true }, /* check_filter() */
                { "CapabilityBoundingSet", !(a->bounding_set & ~w->bounding_set) },
                { "AmbientCapabilities", !(a->ambient_set & ~w->ambient_set) },
                { "Landlock", a->landlock },
                { "LandlockNoTCP", a->landlock_no_tcp },
                { "NoExecMemory", a->no_exec_memory },
                { "HostDevices", !a->host_devices },
                { "ControlGroup", group_holds(a, w) && devices_hold(a, w) },
                { "OOMPolicy", a->terms.oom_policy < w->terms.oom_policy },
                { "Degrade", degrade_holds(a, w) },
                { "Restart", restart_holds(a, w) },
                { "RestartUSec", a->terms.restart_usec > w->terms.restart_usec },
                { "StartLimitIntervalUSec",
                  a->terms.start_limit_interval_usec > w->terms.start_limit_interval_usec },
                { "StartLimitBurst", starts_allowed(a) < starts_allowed(w) },
                { "TimeoutStartUSec", a->terms.timeout_start_usec < w->terms.timeout_start_usec },
                { "TimeoutStopUSec", a->terms.timeout_stop_usec < w->terms.timeout_stop_usec },
                { "RuntimeMaxUSec", a->terms.runtime_max_usec < w->terms.runtime_max_usec },
                { "OnDisconnect", a->terms.on_disconnect > w->terms.on_disconnect },
        };

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].name, name))
                        return fields[i].holds ? NULL : "is weaker";

        return "is not the same";
}

static void check_filter(const Variant *asked, const Variant *whole, const char *text) {
        if (variants_have_one_filter(asked, whole))
                return;

        for (uint32_t number = 0; number < VARIANT_CALL_MAX; number++)
                for (size_t i = 0; i < n_variant_arguments; i++)
                        if (variant_lets_through(asked, number, variant_arguments[i]) &&
                            !variant_lets_through(whole, number, variant_arguments[i]))
                                fail_msg("system call %u passes, with\n%s", number, text);
}

void variant_must_not_be_weaker(const Variant *asked, const Variant *whole, const char *text) {
        const Plan *a = asked->fixture.plan, *w = whole->fixture.plan;
        const char *name;
        json_t *value;

        json_object_foreach (asked->plan, name, value) {
                const char *why = json_equal(value, json_object_get(whole->plan, name))
                                          ? NULL
                                          : field_weaker(name, a, w);

                if (why)
                        fail_msg("%s %s, with\n%s", name, why, text);
        }

        check_tree(a, w, text);
        check_filter(asked, whole, text);
}
