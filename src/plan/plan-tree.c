/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"

#define RUN_SIZE (UINT64_C(16) * 1024 * 1024)
#define DEV_SIZE (UINT64_C(64) * 1024)

#define SAFE (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)

/* clang-format off */
#define LINK(to, text) { .kind = PLAN_NODE_SYMLINK, .target = (char *) (to), .source = (char *) (text) }
#define DIRECTORY(to, bits) { .kind = PLAN_NODE_DIRECTORY, .target = (char *) (to), .mode = (bits) }
#define DEVICE(path) { .kind = PLAN_NODE_DEVICE, .target = (char *) (path), .source = (char *) (path), \
                       .flags = PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC }

/* What every sandbox has, whoever runs in it. Parents are added and all is put in order later. */
static const PlanNode default_nodes[] = {
        { .kind = PLAN_NODE_BIND, .source = (char *) "/usr", .target = (char *) "/usr",
          .flags = PLAN_NODE_READ_ONLY | SAFE | PLAN_NODE_RECURSIVE },
        LINK("/bin", "usr/bin"),
        LINK("/sbin", "usr/sbin"),
        LINK("/lib", "usr/lib"),
        LINK("/lib32", "usr/lib32"),
        LINK("/lib64", "usr/lib64"),
        LINK("/libx32", "usr/libx32"),

        DIRECTORY("/home", 0755),
        DIRECTORY("/mnt", 0755),
        DIRECTORY("/opt", 0755),
        DIRECTORY("/root", 0700),
        DIRECTORY("/srv", 0755),
        DIRECTORY("/var", 0755),
        LINK("/var/run", "/run"),
        LINK("/var/lock", "/run/lock"),

        { .kind = PLAN_NODE_TMPFS, .target = (char *) "/run", .flags = SAFE, .size = RUN_SIZE, .mode = 0755 },
        DIRECTORY("/run/lock", 01777),

        { .kind = PLAN_NODE_TMPFS, .target = (char *) "/dev", .size = DEV_SIZE, .mode = 0755,
          .flags = PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC },
        DEVICE("/dev/null"),
        DEVICE("/dev/zero"),
        DEVICE("/dev/full"),
        DEVICE("/dev/random"),
        DEVICE("/dev/urandom"),
        DEVICE("/dev/tty"),
        LINK("/dev/fd", "/proc/self/fd"),
        LINK("/dev/stdin", "/proc/self/fd/0"),
        LINK("/dev/stdout", "/proc/self/fd/1"),
        LINK("/dev/stderr", "/proc/self/fd/2"),
        LINK("/dev/ptmx", "pts/ptmx"),
        { .kind = PLAN_NODE_DEVPTS, .target = (char *) "/dev/pts", .mode = 0620,
          .flags = PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC },
        { .kind = PLAN_NODE_MQUEUE, .target = (char *) "/dev/mqueue", .flags = SAFE | PLAN_NODE_NO_EXEC },

        LINK("/etc/mtab", "../proc/self/mounts"),
        LINK("/etc/os-release", "../usr/lib/os-release"),
};
/* clang-format on */

int plan_add_node(PlanBuild *b, const PlanNode *node) {
        Plan *p = b->plan;
        PlanNode n = *node, *grown;

        if (p->n_nodes >= PLAN_NODES_MAX)
                return plan_refuse(b,
                                   PLAN_REFUSAL_BAD_SETTING,
                                   "[Files]: the tree has more than %u parts",
                                   PLAN_NODES_MAX);

        grown = reallocarray(p->nodes, p->n_nodes + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        p->nodes = grown;

        n.source = node->source ? strdup(node->source) : NULL;
        n.target = strdup(node->target);
        n.data = node->data ? strdup(node->data) : NULL;
        p->nodes[p->n_nodes++] = n; /* the plan frees what there is, also of half a node */

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

static int add_default_nodes(PlanBuild *b) {
        for (size_t i = 0; i < ELEMENTSOF(default_nodes); i++) {
                int r = plan_add_node(b, &default_nodes[i]);

                if (r < 0)
                        return r;
        }

        return 0;
}

static int add_proc(PlanBuild *b) {
        return plan_add_node(
                b,
                &(PlanNode){
                        .kind = PLAN_NODE_PROC,
                        .target = (char *) "/proc",
                        .flags = SAFE | PLAN_NODE_NO_EXEC |
                                 (b->profile->protect_proc_invisible ? PLAN_NODE_HIDE_PIDS : 0) |
                                 (b->profile->proc_subset_pid ? PLAN_NODE_PID_ONLY : 0),
                });
}

/* What anybody may write to, and nobody finds again. */
static int add_scratch(PlanBuild *b) {
        static const char *const scratch[] = { "/tmp", "/var/tmp", "/dev/shm" };

        for (size_t i = 0; i < ELEMENTSOF(scratch); i++) {
                int r = plan_add_node(b,
                                      &(PlanNode){
                                              .kind = PLAN_NODE_TMPFS,
                                              .target = (char *) scratch[i],
                                              .flags = SAFE,
                                              .size = b->profile->private_tmp_size,
                                              .mode = 01777,
                                      });
                if (r < 0)
                        return r;
        }

        return plan_add_node(b,
                             &(PlanNode){
                                     .kind = PLAN_NODE_DIRECTORY,
                                     .target = b->runtime_directory,
                                     .flags = PLAN_NODE_OWNED,
                                     .mode = 0700,
                             });
}

/* An empty home where the account says it is, as long as that is no place of the system's own. */
static int add_home(PlanBuild *b) {
        Plan *p = b->plan;
        const PlanNode *above;

        if (b->profile->protect_home == PROTECT_HOME_YES)
                return 0;

        above = plan_node_containing(p, p->n_nodes, b->home);
        if (streq(b->home, "/") || path_is_below(b->home, "/proc") || path_is_below(b->home, "/dev") ||
            path_is_below(b->home, "/sys") ||
            (above && !(above->kind == PLAN_NODE_DIRECTORY ||
                        (above->kind == PLAN_NODE_TMPFS && !streq(above->target, b->home)))))
                return plan_refuse(
                        b,
                        PLAN_REFUSAL_BAD_SETTING,
                        "ProtectHome=tmpfs: the home of user %s is %s, where none can be made: use yes",
                        p->user,
                        b->home);

        PlanNode home = {
                .kind = PLAN_NODE_TMPFS,
                .target = b->home,
                .flags = SAFE | PLAN_NODE_OWNED,
                .size = b->profile->private_tmp_size,
                .mode = 0700,
        };

        return plan_put_node(b, &home);
}

/* Parents sort before what is in them, as "/" comes before every other character. */
static int compare_targets(const char *a, const char *b) {
        while (*a && *a == *b) {
                a++;
                b++;
        }

        return (*a == '/' ? 1 : (unsigned char) *a) - (*b == '/' ? 1 : (unsigned char) *b);
}

static int compare_nodes(const void *a, const void *b) {
        const PlanNode *x = a, *y = b;
        int c = compare_targets(x->target, y->target);

        return c != 0 ? c : (int) x->kind - (int) y->kind;
}

void plan_sort_nodes(PlanBuild *b, size_t from) {
        qsort(b->plan->nodes + from, b->plan->n_nodes - from, sizeof(*b->plan->nodes), compare_nodes);
}

static bool has_target(const Plan *p, const char *path) {
        for (size_t i = 0; i < p->n_nodes; i++)
                if (streq(p->nodes[i].target, path))
                        return true;

        return false;
}

/* One missing directory above the path, or none where the host's own tree has to hold it. */
static int add_parent(PlanBuild *b, char *path) {
        const PlanNode *above = plan_node_containing(b->plan, b->plan->n_nodes, path);
        bool owned = above && (above->flags & PLAN_NODE_OWNED);

        if (has_target(b->plan, path) || (above && above->kind == PLAN_NODE_BIND))
                return 0;

        return plan_add_node(b,
                             &(PlanNode){
                                     .kind = PLAN_NODE_DIRECTORY,
                                     .target = path,
                                     .flags = owned ? PLAN_NODE_OWNED : 0,
                                     .mode = owned ? 0700 : 0755,
                             });
}

static int add_parents(PlanBuild *b) {
        size_t n = b->plan->n_nodes;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = strdup(b->plan->nodes[i].target);

                if (!path)
                        return -ENOMEM;

                for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                        int r;

                        *slash = '\0';
                        r = add_parent(b, path);
                        if (r < 0)
                                return r;
                        *slash = '/';
                }
        }

        return 0;
}

/* What stands below a link, a file or a file system of the kernel's has no place there. */
static int check_places(PlanBuild *b) {
        const Plan *p = b->plan;

        for (size_t i = 0; i < p->n_nodes; i++)
                for (size_t k = 0; k < i; k++) {
                        const PlanNode *n = &p->nodes[i], *above = &p->nodes[k];
                        bool holds = above->kind == PLAN_NODE_DIRECTORY || above->kind == PLAN_NODE_TMPFS ||
                                     above->kind == PLAN_NODE_BIND;

                        if (!holds && path_is_below(n->target, above->target))
                                return plan_refuse(b,
                                                   PLAN_REFUSAL_BAD_SETTING,
                                                   "[Files]: %s cannot stand below %s%s%s",
                                                   n->target,
                                                   above->target,
                                                   above->kind == PLAN_NODE_SYMLINK ? ", a link to " : "",
                                                   above->kind == PLAN_NODE_SYMLINK ? above->source : "");
                }

        return 0;
}

int plan_build_tree(PlanBuild *b) {
        int r;

        r = add_default_nodes(b);
        if (r >= 0)
                r = plan_build_etc(b);
        if (r >= 0)
                r = add_proc(b);
        if (r >= 0)
                r = add_scratch(b);
        if (r >= 0)
                r = add_home(b);
        if (r >= 0)
                r = plan_build_mounts(b);
        if (r >= 0)
                r = add_parents(b);
        if (r < 0)
                return r;

        plan_sort_nodes(b, 0);
        r = check_places(b);
        if (r < 0)
                return r;

        return plan_build_modifiers(b);
}
