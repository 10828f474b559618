/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-check.h"

#include "plan/plan-text.h"
#include "profile/place.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>

_Static_assert(CAP_LAST_CAP <= 63, "capability sets are 64 bits wide");

bool plan_source_is_forbidden(const char *path) { return place_refuse_source(path); }

bool plan_device_is_forbidden(const char *path) { return place_refuse_device(path); }

static bool value_is_amount(const char *s) {
        return streq(s, "max") || (*s != '\0' && strlen(s) <= 20 && s[strspn(s, "0123456789")] == '\0');
}

static bool value_is_flag(const char *s) { return streq(s, "0") || streq(s, "1"); }

/* "50000 100000": quota and period, or "max 100000". */
static bool value_is_quota(const char *s) {
        const char *period = strchr(s, ' ');
        size_t n = strspn(s, "0123456789");

        if (!period || period[1] == '\0' || strlen(period + 1) > 7 ||
            period[1 + strspn(period + 1, "0123456789")])
                return false;

        return (n >= 1 && n <= 20 && s + n == period) || strncmp(s, "max ", 4) == 0;
}

static bool value_is_list(const char *s) {
        return *s >= '0' && *s <= '9' && s[strspn(s, "0123456789,-")] == '\0';
}

/* "/dev/vda rbps=1048576 …": what names the device is resolved by the keeper, which alone may look at the machine. */
static bool value_is_io(const char *s) {
        const char *limits = strchr(s, ' ');

        return *s == '/' && limits && limits[1] != '\0' &&
               limits[strspn(limits, " 0123456789=abcdefghijklmnopqrstuvwxyz")] == '\0';
}

static bool value_is_weight(const char *s) {
        return startswith(s, "default ") ? value_is_amount(s + strlen("default ")) : value_is_amount(s);
}

/* Formats: Documentation/admin-guide/cgroup-v2.rst. Only io.max may come more than once, a row for each device. */
/* clang-format off */
static const struct {
        const char *file;
        const char *layer;
        bool (*is_valid)(const char *value);
} cgroup_files[] = {
        { "memory.min",       "memory", value_is_amount },
        { "memory.low",       "memory", value_is_amount },
        { "memory.high",      "memory", value_is_amount },
        { "memory.max",       "memory", value_is_amount },
        { "memory.swap.max",  "memory", value_is_amount },
        { "memory.zswap.max", "memory", value_is_amount },
        { "memory.oom.group", "memory", value_is_flag   },
        { "cpu.weight",       "cpu",    value_is_amount },
        { "cpu.max",          "cpu",    value_is_quota  },
        { "cpuset.cpus",      "cpuset", value_is_list   },
        { "cpuset.mems",      "cpuset", value_is_list   },
        { "io.weight",        "io",     value_is_weight },
        { "io.max",           "io",     value_is_io     },
        { "pids.max",         "pids",   value_is_amount },
};
/* clang-format on */

static size_t cgroup_file_find(const char *file) {
        size_t i = 0;

        while (i < ELEMENTSOF(cgroup_files) && !streq(cgroup_files[i].file, file))
                i++;

        return i;
}

const char *plan_cgroup_layer(const char *file) {
        size_t i = cgroup_file_find(file);

        return i < ELEMENTSOF(cgroup_files) ? cgroup_files[i].layer : NULL;
}

static bool cgroup_holds(const Plan *p) {
        bool seen[ELEMENTSOF(cgroup_files)] = {};

        for (size_t i = 0; i < p->n_cgroup; i++) {
                const PlanCgroupValue *v = &p->cgroup[i];
                size_t k = cgroup_file_find(v->file);

                if (k >= ELEMENTSOF(cgroup_files) || !streq(v->layer, cgroup_files[k].layer) ||
                    !cgroup_files[k].is_valid(v->value))
                        return false;
                if (seen[k] && !streq(v->file, "io.max"))
                        return false;
                seen[k] = true;
        }

        return true;
}

static bool ranges_overlap(uint32_t a, uint32_t n_a, uint32_t b, uint32_t n_b) {
        return a < (uint64_t) b + n_b && b < (uint64_t) a + n_a;
}

static bool map_holds(const PlanIdMap *map, size_t n, uint8_t private_users) {
        for (size_t i = 0; i < n; i++) {
                uint64_t limit = private_users == PRIVATE_USERS_PICK ? PLAN_PICKED_IDS_MAX : UINT32_MAX;

                /* But for pick, an id is the same inside and outside: any other would be somebody else's. */
                if (private_users != PRIVATE_USERS_PICK && map[i].inside != map[i].outside)
                        return false;
                if ((uint64_t) map[i].inside + map[i].count > UINT32_MAX ||
                    (uint64_t) map[i].outside + map[i].count > limit)
                        return false;

                for (size_t k = 0; k < i; k++)
                        if (ranges_overlap(map[i].inside, map[i].count, map[k].inside, map[k].count) ||
                            ranges_overlap(map[i].outside, map[i].count, map[k].outside, map[k].count))
                                return false;
        }

        return true;
}

static bool map_covers(const PlanIdMap *map, size_t n, uint32_t id) {
        for (size_t i = 0; i < n; i++)
                if (id >= map[i].inside && id - map[i].inside < map[i].count)
                        return true;

        return false;
}

static bool ids_hold(const Plan *p) {
        if (!map_holds(p->uid_map, p->n_uid_map, p->private_users) ||
            !map_holds(p->gid_map, p->n_gid_map, p->private_users))
                return false;
        if (!map_covers(p->uid_map, p->n_uid_map, p->uid) || !map_covers(p->gid_map, p->n_gid_map, p->gid))
                return false;

        for (size_t i = 0; i < p->n_groups; i++)
                if (!map_covers(p->gid_map, p->n_gid_map, p->groups[i]))
                        return false;

        /*
         * The host's root as itself: files below /proc/sys and whatever else asks for the owner alone would take it.
         * And with a capability over a range of the host's ids, an application could leave a setuid file of root's in
         * a bound directory, for the user outside to run.
         */
        if (p->private_users != PRIVATE_USERS_PICK && p->uid == 0)
                return false;
        if (p->private_users == PRIVATE_USERS_IDENTITY && p->ambient_set != 0)
                return false;
        if (p->private_users == PRIVATE_USERS_SELF &&
            (p->n_uid_map != 1 || p->uid_map[0].count != 1 || p->uid_map[0].inside != p->uid))
                return false;

        return true;
}

#define FLAGS_MOUNT (PLAN_NODE_READ_ONLY | PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV | PLAN_NODE_NO_EXEC)

typedef enum NodeSource {
        NODE_SOURCE_NONE,
        NODE_SOURCE_TEXT,
        NODE_SOURCE_DEVICE,
        NODE_SOURCE_HOST,
} NodeSource;

typedef enum NodePlace {
        NODE_PLACE_NONE,   /* nothing of the plan goes below it */
        NODE_PLACE_INSIDE, /* a directory of the sandbox */
        NODE_PLACE_HOST,   /* a directory of the host: what is made in it would be made on the host */
} NodePlace;

#define BIND_FLAGS                                                                                      \
        (FLAGS_MOUNT | PLAN_NODE_RECURSIVE | PLAN_NODE_OPTIONAL | PLAN_NODE_AS_USER | PLAN_NODE_IDMAP | \
         PLAN_NODE_STATE)
#define PROC_FLAGS                                                                         \
        (FLAGS_MOUNT | PLAN_NODE_HIDE_PIDS | PLAN_NODE_LOCK_PIDS | PLAN_NODE_TRACED_PIDS | \
         PLAN_NODE_PID_ONLY)
#define OVERLAY_FLAGS (FLAGS_MOUNT | PLAN_NODE_AS_USER | PLAN_NODE_IDMAP)

/* What each kind of node may carry; what is not named here is refused. */
/* clang-format off */
static const struct {
        NodeSource source;
        NodePlace place;
        bool data, size, mode;
        bool mounts;   /* needs no more than a place to stand on */
        bool modifies; /* works on what stands at the target */
        uint32_t flags, flags_needed;
} node_rules[] = {
        [PLAN_NODE_DIRECTORY] = { .place = NODE_PLACE_INSIDE, .mode = true, .flags = PLAN_NODE_OWNED },
        [PLAN_NODE_SYMLINK]   = { .source = NODE_SOURCE_TEXT },
        [PLAN_NODE_FILE]      = { .data = true, .mode = true, .flags = PLAN_NODE_OWNED },
        [PLAN_NODE_TMPFS]     = { .place = NODE_PLACE_INSIDE, .size = true, .mode = true, .mounts = true,
                                  .flags = FLAGS_MOUNT | PLAN_NODE_OWNED, .flags_needed = PLAN_NODE_NO_SUID },
        [PLAN_NODE_BIND]      = { .source = NODE_SOURCE_HOST, .place = NODE_PLACE_HOST, .mounts = true,
                                  .flags = BIND_FLAGS, .flags_needed = PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV },
        [PLAN_NODE_PROC]      = { .mounts = true, .flags = PROC_FLAGS,
                                  .flags_needed = PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV | PLAN_NODE_NO_EXEC },
        [PLAN_NODE_DEVICE]    = { .source = NODE_SOURCE_DEVICE,
                                  .flags = PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC | PLAN_NODE_OPTIONAL |
                                           PLAN_NODE_AS_USER,
                                  .flags_needed = PLAN_NODE_NO_SUID },
        [PLAN_NODE_DEVPTS]    = { .mode = true, .mounts = true, .flags = PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC,
                                  .flags_needed = PLAN_NODE_NO_SUID },
        [PLAN_NODE_MQUEUE]    = { .mounts = true, .flags = FLAGS_MOUNT, .flags_needed = PLAN_NODE_NO_SUID },
        [PLAN_NODE_MASK]      = { .modifies = true, .flags = PLAN_NODE_OPTIONAL },
        [PLAN_NODE_OVERLAY]   = { .source = NODE_SOURCE_HOST, .place = NODE_PLACE_INSIDE, .size = true, .mounts = true,
                                  .flags = OVERLAY_FLAGS,
                                  .flags_needed = PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV | PLAN_NODE_AS_USER },
        [PLAN_NODE_SOCKET]    = { .mode = true },
        [PLAN_NODE_REMOUNT]   = { .modifies = true,
                                  .flags = FLAGS_MOUNT | PLAN_NODE_RECURSIVE | PLAN_NODE_OPTIONAL },
};
/* clang-format on */

_Static_assert(ELEMENTSOF(node_rules) == _PLAN_NODE_KIND_MAX, "every kind of node has its rule");

static bool source_holds(const PlanNode *n) {
        switch (node_rules[n->kind].source) {
        case NODE_SOURCE_NONE:
                return !n->source;
        case NODE_SOURCE_TEXT:
                return n->source && plan_text_is_one_line(n->source);
        case NODE_SOURCE_DEVICE:
                return n->source && plan_path_is_valid(n->source) && startswith(n->source, "/dev/") &&
                       !(n->flags & PLAN_NODE_AS_USER && place_refuse_device(n->source));
        case NODE_SOURCE_HOST:
                return n->source && plan_path_is_valid(n->source) && !place_refuse_source(n->source);
        }

        return false;
}

/* "ROOT/UID/PROFILE/" and more: no plan reaches for what another user or another profile has left. */
static bool is_own_state(const Plan *p, const char *source) {
        static const char *const roots[] = { PLAN_STATE_ROOT, PLAN_CACHE_ROOT };
        char prefix[128];

        for (size_t i = 0; i < ELEMENTSOF(roots); i++) {
                int n = snprintf(prefix, sizeof(prefix), "%s/%" PRIu32 "/%s/", roots[i], p->uid, p->profile);

                if (n > 0 && (size_t) n < sizeof(prefix) && startswith(source, prefix))
                        return true;
        }

        return false;
}

/* Root opens what is kept, and it belongs to the user: so it lies nowhere else, and has the user's ids inside. */
static bool state_holds(const Plan *p, const PlanNode *n) {
        return !(n->flags & PLAN_NODE_STATE) ||
               (is_own_state(p, n->source) && !(n->flags & (PLAN_NODE_AS_USER | PLAN_NODE_OPTIONAL)) &&
                !(n->flags & PLAN_NODE_IDMAP) == (p->private_users != PRIVATE_USERS_PICK));
}

/* The root is the first of all nodes, and only one kind of node is a root; hidepid has one value. */
static bool place_holds(const Plan *p, const PlanNode *n) {
        uint32_t pids = n->flags & (PLAN_NODE_HIDE_PIDS | PLAN_NODE_LOCK_PIDS | PLAN_NODE_TRACED_PIDS);
        bool is_root = streq(n->target, "/");

        return is_root == (n->kind == PLAN_NODE_OVERLAY) && (!is_root || n == p->nodes) &&
               (pids & (pids - 1)) == 0;
}

/* Flags first: the rest relies on what only a kind with the flag has. */
static bool node_holds(const Plan *p, const PlanNode *n) {
        uint32_t needed = node_rules[n->kind].flags_needed;

        return (n->flags & ~node_rules[n->kind].flags) == 0 && (n->flags & needed) == needed &&
               source_holds(n) && state_holds(p, n) && place_holds(p, n) &&
               (node_rules[n->kind].data ? n->data && utf8_is_valid(n->data) : !n->data) &&
               (node_rules[n->kind].size || n->size == 0) && (node_rules[n->kind].mode || n->mode == 0);
}

/*
 * Whether the node goes with one before it. It must not stand where something of the plan stands already, nor in front
 * of it, nor below what has no inside of ours. Below a directory of the host it may be mounted, but never made.
 */
static bool fits(const PlanNode *n, const PlanNode *before) {
        if (path_is_below(before->target, n->target))
                return false;
        if (!path_is_below(n->target, before->target))
                return true;

        return node_rules[before->kind].place == NODE_PLACE_INSIDE ||
               (node_rules[before->kind].place == NODE_PLACE_HOST && node_rules[n->kind].mounts);
}

/* The first node that changes what was made is followed only by more of these, and by binds that reopen a part. */
static bool fits_modified(const PlanNode *n, const PlanNode *before) {
        if (n->kind != PLAN_NODE_BIND)
                return node_rules[n->kind].modifies &&
                       !(before->kind == n->kind && streq(before->target, n->target));

        return !path_is_below(before->target, n->target);
}

static bool tree_holds(const Plan *p) {
        bool modified = false;

        for (size_t i = 0; i < p->n_nodes; i++) {
                if (!node_holds(p, &p->nodes[i]))
                        return false;

                modified = modified || node_rules[p->nodes[i].kind].modifies;
                for (size_t k = 0; k < i; k++)
                        if (!(modified ? fits_modified : fits)(&p->nodes[i], &p->nodes[k]))
                                return false;
        }

        return true;
}

static bool is_notify_directory(const PlanNode *n) {
        return n->kind == PLAN_NODE_TMPFS && n->flags & PLAN_NODE_READ_ONLY &&
               !(n->flags & PLAN_NODE_OWNED) && n->mode == 0755 && streq(n->target, PLAN_NOTIFY_DIRECTORY);
}

static bool is_notify_socket(const PlanNode *n) {
        return n->kind == PLAN_NODE_SOCKET && streq(n->target, PLAN_NOTIFY_SOCKET);
}

const PlanNode *plan_notify_obstacle(const Plan *p) {
        for (size_t i = 0; p->terms.notify_access != NOTIFY_ACCESS_NONE && i < p->n_nodes; i++) {
                const PlanNode *n = &p->nodes[i];
                bool covers = n->kind == PLAN_NODE_BIND || n->kind == PLAN_NODE_MASK;

                if (is_notify_directory(n) || is_notify_socket(n) || n->kind == PLAN_NODE_REMOUNT)
                        continue;
                if (path_is_below(n->target, PLAN_NOTIFY_DIRECTORY) ||
                    (covers && path_is_below(PLAN_NOTIFY_DIRECTORY, n->target)))
                        return n;
        }

        return NULL;
}

/* An application that is waited for can be heard: the socket is there, once, and it is told where. */
static bool notify_holds(const Plan *p) {
        bool wanted = p->terms.notify_access != NOTIFY_ACCESS_NONE;
        const char *named = strv_env_get(p->environment, "NOTIFY_SOCKET");
        size_t n_directories = 0, n_sockets = 0;

        for (size_t i = 0; i < p->n_nodes; i++) {
                n_directories += is_notify_directory(&p->nodes[i]);
                n_sockets += is_notify_socket(&p->nodes[i]);
                if (p->nodes[i].kind == PLAN_NODE_SOCKET && !is_notify_socket(&p->nodes[i]))
                        return false;
        }
        if (!wanted)
                return n_sockets == 0 && !named && p->terms.type != SERVICE_NOTIFY &&
                       p->terms.watchdog_usec == USEC_INFINITY;

        return n_directories == 1 && n_sockets == 1 && !plan_notify_obstacle(p) && named &&
               streq(named, PLAN_NOTIFY_SOCKET);
}

static bool rlimits_hold(const Plan *p) {
        uint32_t seen = 0;

        for (size_t i = 0; i < p->n_rlimits; i++) {
                const PlanRlimit *l = &p->rlimits[i];

                if (l->soft > l->hard || (seen & 1U << l->resource))
                        return false;
                seen |= 1U << l->resource;
        }

        return true;
}

static bool environment_holds(const Plan *p) {
        STRV_FOREACH (a, p->environment) {
                size_t n = strcspn(*a, "=") + 1;

                /* Each name once: of two values, nobody can say which one a program takes. */
                for (char *const *b = p->environment; b < a; b++)
                        if (strncmp(*a, *b, n) == 0)
                                return false;
        }

        return true;
}

static bool streams_hold(const Plan *p) { return p->standard_input != STREAM_JOURNAL; }

static bool capabilities_hold(const Plan *p) { return (p->ambient_set & ~p->bounding_set) == 0; }

static bool devices_hold(const Plan *p) {
        for (size_t i = 0; i < p->n_nodes; i++)
                if (plan_node_is_dev(&p->nodes[i]))
                        return true;

        return !p->host_devices;
}

static bool misc_holds(const Plan *p) {
        return (p->landlock || !p->landlock_no_tcp) && path_is_normalized(p->argv[0]) &&
               !streq(p->argv[0], "/") && p->n_seccomp % PLAN_INSTRUCTION_SIZE == 0 &&
               (p->nice_set || p->nice == 0) && (p->oom_score_adjust_set || p->oom_score_adjust == 0);
}

int plan_check(const Plan *p) {
        static bool (*const checks[])(const Plan *p) = {
                misc_holds, streams_hold,      environment_holds, rlimits_hold, ids_hold,
                tree_holds, capabilities_hold, cgroup_holds,      devices_hold, notify_holds,
        };

        for (size_t i = 0; i < ELEMENTSOF(checks); i++)
                if (!checks[i](p))
                        return -EBADMSG;

        return 0;
}
