/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "profile/place.h"

#define RUN_SIZE (UINT64_C(16) * 1024 * 1024)
#define DEV_SIZE (UINT64_C(64) * 1024)

/* clang-format off */
#define LINK(to, text) PLAN_NODE_ROW(SYMLINK, to, 0, .source = (char *) (text))
#define DIRECTORY(to, bits) PLAN_NODE_ROW(DIRECTORY, to, 0, .mode = (bits))
#define DEVICE(path) \
        PLAN_NODE_ROW(DEVICE, path, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC, .source = (char *) (path))

/* What every sandbox has, whoever runs in it. The directories above are added, and all is sorted, later. */
static const PlanNode common_nodes[] = {
        PLAN_NODE_ROW(TMPFS, "/run", PLAN_NODE_SAFE, .size = RUN_SIZE, .mode = 0755),
        DIRECTORY("/run/lock", 01777),

        PLAN_NODE_ROW(TMPFS, "/dev", PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC, .size = DEV_SIZE, .mode = 0755),
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
        PLAN_NODE_ROW(DEVPTS, "/dev/pts", PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC, .mode = 0620),
        PLAN_NODE_ROW(MQUEUE, "/dev/mqueue", PLAN_NODE_SAFE | PLAN_NODE_NO_EXEC),
};

/* The rest of a root that starts from nothing; RootDirectory= brings its own. */
static const PlanNode host_nodes[] = {
        PLAN_NODE_ROW(BIND, "/usr", PLAN_NODE_READ_ONLY | PLAN_NODE_SAFE | PLAN_NODE_RECURSIVE,
                      .source = (char *) "/usr"),
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

        LINK("/etc/mtab", "../proc/self/mounts"),
        LINK("/etc/os-release", "../usr/lib/os-release"),
};

/* Where an application may write with ProtectSystem=full: not on the host, but in memory of its own. */
static const char *const full_places[] = { "/mnt", "/opt", "/run", "/srv", "/var" };
/* clang-format on */

static int add_nodes(PlanBuild *b, const PlanNode *nodes, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = plan_add_node(b, &nodes[i]);

                if (r < 0)
                        return r;
        }

        return 0;
}

/* The directory, opened with the user's rights, below a layer in memory for what the sandbox adds. */
static int add_root_directory(PlanBuild *b) {
        _cleanup_free_ char *source = NULL;
        const char *why;
        int r;

        r = plan_expand_path(b, "RootDirectory", b->profile->root_directory, &source);
        if (r < 0)
                return r;

        why = place_refuse_source(source);
        if (why)
                return plan_refuse(b, "RootDirectory=%s: it %s", source, why);
        if (b->profile->root_ephemeral && path_is_below(source, b->home))
                return plan_refuse(
                        b,
                        "RootEphemeral=: what is root's in RootDirectory= becomes the application's, so "
                        "it cannot be a directory of the user's such as %s",
                        source);

        return plan_add_node(
                b,
                PLAN_NODE(OVERLAY,
                          "/",
                          PLAN_NODE_SAFE | PLAN_NODE_AS_USER |
                                  (b->profile->root_ephemeral ? PLAN_NODE_IDMAP : PLAN_NODE_READ_ONLY),
                          .source = source,
                          .size = b->profile->root_ephemeral ? b->profile->private_tmp_size : 0));
}

static int add_root(PlanBuild *b) {
        int r;

        if (b->profile->root_directory)
                r = add_root_directory(b);
        else
                r = add_nodes(b, host_nodes, ELEMENTSOF(host_nodes));
        if (r < 0)
                return r;

        return add_nodes(b, common_nodes, ELEMENTSOF(common_nodes));
}

static int add_system(PlanBuild *b) {
        if (b->profile->protect_system == PROTECT_SYSTEM_STRICT)
                return 0;
        if (b->profile->root_directory)
                return plan_refuse(b, "ProtectSystem=full would cover RootDirectory=: use RootEphemeral=");

        for (size_t i = 0; i < ELEMENTSOF(full_places); i++) {
                int r = plan_put_node(b,
                                      PLAN_NODE(TMPFS,
                                                full_places[i],
                                                PLAN_NODE_SAFE | PLAN_NODE_OWNED,
                                                .size = b->profile->private_tmp_size,
                                                .mode = 0755));
                if (r < 0)
                        return r;
        }

        return 0;
}

static uint32_t proc_flags(const Profile *p) {
        static const uint32_t flags[] = {
                [PROTECT_PROC_INVISIBLE] = PLAN_NODE_HIDE_PIDS,
                [PROTECT_PROC_NO_ACCESS] = PLAN_NODE_LOCK_PIDS,
                [PROTECT_PROC_PTRACEABLE] = PLAN_NODE_TRACED_PIDS,
                [PROTECT_PROC_DEFAULT] = 0,
        };

        return flags[p->protect_proc] | (p->proc_subset_pid ? PLAN_NODE_PID_ONLY : 0);
}

static int add_proc(PlanBuild *b) {
        return plan_add_node(
                b, PLAN_NODE(PROC, "/proc", PLAN_NODE_SAFE | PLAN_NODE_NO_EXEC | proc_flags(b->profile)));
}

/* Everybody inside may write here, and nothing of it is kept. */
static int add_scratch(PlanBuild *b) {
        static const char *const scratch[] = { "/tmp", "/var/tmp", "/dev/shm" };

        for (size_t i = 0; i < ELEMENTSOF(scratch); i++) {
                int r = plan_add_node(b,
                                      PLAN_NODE(TMPFS,
                                                scratch[i],
                                                PLAN_NODE_SAFE,
                                                .size = b->profile->private_tmp_size,
                                                .mode = 01777));
                if (r < 0)
                        return r;
        }

        return plan_add_node(b, PLAN_NODE(DIRECTORY, b->runtime_directory, PLAN_NODE_OWNED, .mode = 0700));
}

/* Whether there is a place for a home: not where the system's own files are, nor where something else was put. */
static bool home_has_place(const PlanBuild *b) {
        const PlanNode *above = plan_node_containing(b->plan, b->plan->n_nodes, b->home);

        if (place_refuse_target(b->home))
                return false;

        return !above || above->kind == PLAN_NODE_DIRECTORY || above->kind == PLAN_NODE_OVERLAY ||
               (above->kind == PLAN_NODE_TMPFS && !streq(above->target, b->home));
}

static int add_empty_home(PlanBuild *b) {
        return plan_put_node(b,
                             PLAN_NODE(TMPFS,
                                       b->home,
                                       PLAN_NODE_SAFE | PLAN_NODE_OWNED,
                                       .size = b->profile->private_tmp_size,
                                       .mode = 0700));
}

/* The user's own home. Those of others do not even exist as directories here. */
static int add_real_home(PlanBuild *b) {
        bool writable = b->profile->protect_home == PROTECT_HOME_NO;
        const char *why = place_refuse_source(b->home);
        int r;

        if (why)
                return plan_refuse(b, "ProtectHome=: the home %s %s", b->home, why);

        r = writable ? plan_check_writable(b, "ProtectHome") : 0;
        if (r < 0)
                return r;

        return plan_put_node(
                b,
                PLAN_NODE(BIND,
                          b->home,
                          PLAN_NODE_SAFE | PLAN_NODE_AS_USER |
                                  (b->profile->home_submounts ? PLAN_NODE_RECURSIVE : 0) |
                                  (writable ? 0 : PLAN_NODE_READ_ONLY) |
                                  (b->profile->private_users == PRIVATE_USERS_PICK ? PLAN_NODE_IDMAP : 0),
                          .source = b->home));
}

static int add_home(PlanBuild *b) {
        const Profile *p = b->profile;

        if (p->persistent_home && p->protect_home != PROTECT_HOME_TMPFS)
                return plan_refuse(b, "PersistentHome= keeps the empty home of ProtectHome=tmpfs");
        if (p->protect_home == PROTECT_HOME_YES)
                return 0;

        if (!home_has_place(b))
                return plan_refuse(
                        b,
                        "ProtectHome=: the home of user %s is %s, where none can be made: use yes",
                        b->plan->user,
                        b->home);

        if (p->protect_home != PROTECT_HOME_TMPFS)
                return add_real_home(b);

        return p->persistent_home ? plan_add_persistent_home(b) : add_empty_home(b);
}

/* One missing directory above the path. None within a bind, where the host must have it. */
static int add_parent(PlanBuild *b, char *path) {
        const PlanNode *above = plan_node_containing(b->plan, b->plan->n_nodes, path);
        bool owned = above && (above->flags & PLAN_NODE_OWNED);

        if (plan_node_at(b->plan, path) || (above && above->kind == PLAN_NODE_BIND))
                return 0;

        return plan_add_node(
                b, PLAN_NODE(DIRECTORY, path, owned ? PLAN_NODE_OWNED : 0, .mode = owned ? 0700 : 0755));
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

/* Parents before what is in them. Nothing can stand below a link, a file, or a file system of the kernel's. */
static int put_in_order(PlanBuild *b) {
        const Plan *p = b->plan;

        plan_sort_nodes(b, 0);
        for (size_t i = 0; i < p->n_nodes; i++)
                for (size_t k = 0; k < i; k++) {
                        const PlanNode *n = &p->nodes[i], *above = &p->nodes[k];
                        bool holds = above->kind == PLAN_NODE_DIRECTORY ||
                                     above->kind == PLAN_NODE_OVERLAY || above->kind == PLAN_NODE_TMPFS ||
                                     above->kind == PLAN_NODE_BIND;

                        if (!holds && path_is_below(n->target, above->target))
                                return plan_refuse(b,
                                                   "[Files]: %s cannot stand below %s%s%s",
                                                   n->target,
                                                   above->target,
                                                   above->kind == PLAN_NODE_SYMLINK ? ", a link to " : "",
                                                   above->kind == PLAN_NODE_SYMLINK ? above->source : "");
                }

        return 0;
}

int plan_build_tree(PlanBuild *b) {
        static const PlanPart parts[] = {
                add_root,     add_system,           plan_build_etc,
                add_proc,     add_scratch,          plan_add_notify_socket,
                add_home,     plan_build_mounts,    add_parents,
                put_in_order, plan_build_modifiers, plan_check_notify_socket,
                NULL,
        };

        b->plan->host_devices = !b->profile->private_devices;
        return plan_build_parts(b, parts);
}
