/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/verify-mounts.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/mount-table.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"
#include "confine/tree-mask.h"
#include "confine/tree-proc.h"

#include <fcntl.h>
#include <stdio.h>

typedef struct Mount {
        MountLine line;

        bool is_explained;
        size_t node; /* the first node that stands here; SIZE_MAX: none, it came along with another mount */
        const PlanNode *newest; /* the last node that mounts something of its own here, or NULL */
        size_t n_planned;       /* how many mounts the nodes put here */
        uint32_t flags;         /* PLAN_NODE_*, from all nodes that affect it */
        bool is_device, is_mask, spreads;
} Mount;

/* The table with what is known of each mount, in the same order. */
typedef struct Mounts {
        MountTable table;
        Mount *mounts;
        size_t n;
} Mounts;

static void mounts_done(Mounts *t) {
        mount_table_done(&t->table);
        free(t->mounts);
}

static int mounts_read(int proc_fd, Mounts *ret) {
        _cleanup_(mounts_done) Mounts t = {};
        int r;

        r = mount_table_read(proc_fd, "mountinfo", &t.table);
        if (r < 0)
                return r;

        t.mounts = calloc(t.table.n + 1, sizeof(*t.mounts));
        if (!t.mounts)
                return -ENOMEM;
        for (; t.n < t.table.n; t.n++)
                t.mounts[t.n] = (Mount){ .line = t.table.lines[t.n], .node = SIZE_MAX };

        *ret = t;
        t = (Mounts){};
        return 0;
}

static bool node_mounts(const PlanNode *n) {
        return !(n->flags & PLAN_NODE_ABSENT) && n->kind != PLAN_NODE_DIRECTORY &&
               n->kind != PLAN_NODE_SYMLINK && n->kind != PLAN_NODE_FILE && n->kind != PLAN_NODE_SOCKET;
}

/* Whether other mounts may lie below a node's own without being nodes. They must then be as narrow as the node. */
static bool node_spreads(const PlanNode *n) {
        return n->flags & PLAN_NODE_RECURSIVE ||
               (n->kind == PLAN_NODE_PROC && !(n->flags & PLAN_NODE_PID_ONLY));
}

static void mount_explain(Mount *m, const PlanNode *n, size_t i) {
        /* A remount adds a mount only where there was none. */
        m->n_planned += n->kind != PLAN_NODE_REMOUNT || m->n_planned == 0;
        if (n->kind != PLAN_NODE_REMOUNT)
                m->newest = n;
        m->is_explained = true;
        m->node = MIN(m->node, i);
        m->flags |= n->flags;
        m->is_device = m->is_device || n->kind == PLAN_NODE_DEVICE || n->kind == PLAN_NODE_DEVPTS;
        m->is_mask = m->is_mask || n->kind == PLAN_NODE_MASK;
        m->spreads = m->spreads || node_spreads(n);
}

/* Of several mounts at one path the last one is visible. */
static Mount *find_by_path(const Mounts *t, const char *path) {
        for (size_t i = t->n; i > 0; i--)
                if (streq(t->mounts[i - 1].line.path, path))
                        return &t->mounts[i - 1];

        return NULL;
}

static Mount *find_by_id(const Mounts *t, uint64_t id) {
        for (size_t i = 0; i < t->n; i++)
                if (t->mounts[i].line.id == id)
                        return &t->mounts[i];

        return NULL;
}

/* The mount it stands on; NULL: it is the root. */
static const Mount *parent_of(const Mounts *t, const Mount *m) {
        return m->line.parent_id == m->line.id ? NULL : find_by_id(t, m->line.parent_id);
}

/* By what it shows. It takes everything away and gives nothing, so it does no harm anywhere. */
static bool hides(const Mount *m) {
        return streq(m->line.type, "tmpfs") && (streq(m->line.root, TREE_MASK_FILE "//deleted") ||
                                                streq(m->line.root, TREE_MASK_DIRECTORY "//deleted"));
}

static bool is_hidden(const Mounts *t, const char *place) {
        for (size_t i = 0; i < t->n; i++)
                if (hides(&t->mounts[i]) && path_is_below(place, t->mounts[i].line.path))
                        return true;

        return false;
}

/*
 * Where a link in the tree leads to the target, the table shows another path. So ask for the mount that is found
 * there. *ret is NULL where a mask is in the way: then there is nothing to be found, and nothing to be had.
 */
static int find_by_walk(const Mounts *t, int proc_fd, const PlanNode *n, Mount **ret) {
        _cleanup_close_ int root_fd = -EBADF, fd = -EBADF;
        char place[PATH_MAX];
        bool is_root;
        uint64_t id;
        int r;

        root_fd = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return -errno;
        fd = resolve_place(root_fd, n->target, place, NULL);
        if ((fd == -ENOENT || fd == -ENOTDIR) && is_hidden(t, place)) {
                *ret = find_by_path(t, place);
                return 0;
        }
        if (fd < 0)
                return fd;
        r = mount_identify(fd, &id, &is_root);
        if (r < 0)
                return r;
        *ret = is_root ? find_by_id(t, id) : NULL;
        return *ret ? 0 : -ENXIO;
}

/* Finds the mount of each node. */
static int explain_targets(const Mounts *t, const Plan *plan, int proc_fd, Problem *problem) {
        for (size_t i = 0; i < plan->n_nodes; i++) {
                const PlanNode *n = &plan->nodes[i];
                Mount *m;
                int r;

                if (!node_mounts(n))
                        continue;

                m = find_by_path(t, n->target);
                if (!m) {
                        r = find_by_walk(t, proc_fd, n, &m);
                        if ((r == -ENOENT || r == -ENOTDIR) && n->flags & PLAN_NODE_OPTIONAL)
                                continue;
                        if (r < 0)
                                return problem_set_difference(
                                        problem, "Nothing is mounted on %s", n->target);
                }

                if (m)
                        mount_explain(m, n, i);
        }

        return 0;
}

/* A recursive remount reaches everything that stood below its target by then. */
static void explain_remounts(const Mounts *t, const Plan *plan) {
        for (size_t i = 0; i < plan->n_nodes; i++) {
                const PlanNode *n = &plan->nodes[i];

                if (n->kind != PLAN_NODE_REMOUNT || !(n->flags & PLAN_NODE_RECURSIVE))
                        continue;

                for (size_t k = 0; k < t->n; k++)
                        if (t->mounts[k].node < i && path_is_below(t->mounts[k].line.path, n->target))
                                t->mounts[k].flags |= n->flags;
        }
}

/* The planned mount that is visible at the same place, if any. */
static const Mount *find_in_front(const Mounts *t, const Mount *m) {
        for (size_t i = 0; i < t->n; i++)
                if (t->mounts[i].node != SIZE_MAX && streq(t->mounts[i].line.path, m->line.path))
                        return &t->mounts[i];

        return NULL;
}

/* The mount that brought this one along: the nearest that spreads, with nothing of the plan's own in between. */
static const Mount *find_spreading(const Mounts *t, const Mount *m) {
        const Mount *above = parent_of(t, m);

        while (above && !above->spreads && !above->newest)
                above = parent_of(t, above);

        return above && above->spreads ? above : NULL;
}

/* Explains mounts that came along: hidden under another one at the same place, or with what they stand on. */
static void explain_rest(const Mounts *t) {
        for (size_t i = 0; i < t->n; i++) {
                const Mount *front, *spreading;
                Mount *m = &t->mounts[i];

                if (m->is_explained)
                        continue;

                front = find_in_front(t, m);
                spreading = find_spreading(t, m);
                m->is_explained = front || spreading || hides(m);
                m->is_mask = hides(m);
                if (front)
                        m->is_device = front->is_device;
                else if (spreading) {
                        m->flags = spreading->flags;
                        /* Only /proc spreads without being recursive, for its masks and read-only directories. */
                        m->is_mask = m->is_mask || !(spreading->flags & PLAN_NODE_RECURSIVE);
                }
        }
}

/* The mount itself, or the nearest below it that the plan made and did not copy; NULL: that is the root. */
static const Mount *find_ground(const Mounts *t, const Mount *m) {
        while (m && !m->newest)
                m = parent_of(t, m);

        return m;
}

/* A remount is a copy of what it stands on, and has its flags. */
static void explain_copies(const Mounts *t, uint32_t root_flags) {
        for (size_t i = 0; i < t->n; i++) {
                const Mount *ground;
                Mount *m = &t->mounts[i];

                if (m->node == SIZE_MAX || m->newest)
                        continue;

                ground = find_ground(t, m);
                m->flags |= ground ? ground->flags : root_flags;
        }
}

/* An overlay is not idmapped itself; its lower layer is. Nor is an automount, which holds nothing of its own. */
static bool wants_idmap(const Mounts *t, const Mount *m) {
        if (streq(m->line.type, "autofs") || (m->node == SIZE_MAX && find_in_front(t, m)))
                return false;
        m = find_ground(t, m);

        return m && m->newest->flags & PLAN_NODE_IDMAP && m->newest->kind != PLAN_NODE_OVERLAY;
}

/* The first option that its nodes ask for, and nosuid for every mount, which it does not have. */
static bool option_is_missing(const Mounts *t, const Mount *m, const char **ret) {
        const struct {
                bool wanted;
                const char *option;
        } wanted[] = {
                { true, "nosuid" },
                { !m->is_device || m->is_mask, "nodev" }, /* a mask is not what it covers */
                { m->is_mask || m->flags & PLAN_NODE_READ_ONLY, "ro" },
                { m->flags & PLAN_NODE_NO_EXEC, "noexec" },
                { wants_idmap(t, m), "idmapped" },
        };

        for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                if (wanted[i].wanted && !mount_has_option(m->line.options, wanted[i].option)) {
                        *ret = wanted[i].option;
                        return true;
                }

        return false;
}

/* Whether more is mounted at a place than was planned. Mounts that came along may lie there too. */
static bool is_covered(const Mounts *t, const Mount *m) {
        const Mount *ground = m;
        size_t n_here = 0;

        if (m->n_planned == 0)
                return false;

        for (size_t i = 0; i < t->n; i++)
                n_here += streq(m->line.path, t->mounts[i].line.path);
        while (ground && streq(ground->line.path, m->line.path))
                ground = parent_of(t, ground);
        if (ground && (ground->spreads || find_spreading(t, ground)))
                return false;

        return n_here > m->n_planned;
}

/* The file system that a node must have; NULL where it is the source's, as of a bind. */
static const char *type_planned(const Mount *m) {
        static const char *const types[_PLAN_NODE_KIND_MAX] = {
                [PLAN_NODE_TMPFS] = "tmpfs",   [PLAN_NODE_PROC] = "proc",  [PLAN_NODE_DEVPTS] = "devpts",
                [PLAN_NODE_MQUEUE] = "mqueue", [PLAN_NODE_MASK] = "tmpfs", [PLAN_NODE_OVERLAY] = "overlay",
        };

        return m->newest ? types[m->newest->kind] : NULL;
}

static bool type_option_is_missing(const Mount *m, char *buf, size_t size) {
        MountOption options[TREE_PROC_OPTIONS_MAX + 1] = {};

        if (!m->newest || m->newest->kind != PLAN_NODE_PROC)
                return false;

        tree_proc_options(m->newest, options);
        for (const MountOption *o = options; o->key; o++) {
                (void) snprintf(buf, size, "%s=%s", o->key, o->value);
                if (!mount_has_option(m->line.type_options, buf))
                        return true;
        }

        return false;
}

static int compare(const Mounts *t, const Mount *m, Problem *problem) {
        const char *type = type_planned(m), *option;
        char type_option[64];

        if (!m->is_explained)
                return problem_set_difference(problem, "%s is mounted beyond the plan", m->line.path);
        if (is_covered(t, m))
                return problem_set_difference(
                        problem, "More is mounted on %s than the %zu planned", m->line.path, m->n_planned);
        if (type && !streq(type, m->line.type))
                return problem_set_difference(problem, "%s is %s, not %s", m->line.path, m->line.type, type);
        if (type_option_is_missing(m, type_option, sizeof(type_option)))
                return problem_set_difference(problem, "%s is not mounted %s", m->line.path, type_option);
        if (option_is_missing(t, m, &option))
                return problem_set_difference(problem, "%s is not mounted %s", m->line.path, option);

        return 0;
}

int verify_mounts(const Plan *plan, int proc_fd, Problem *problem) {
        _cleanup_(mounts_done) Mounts t = {};
        Mount *root;
        int r;

        r = mounts_read(proc_fd, &t);
        if (r < 0)
                return problem_set(problem, r, "mountinfo");

        root = find_by_path(&t, "/");
        if (!root)
                return problem_set_difference(problem, "Nothing is mounted on /");
        root->is_explained = true;
        root->n_planned = plan->nodes[0].kind != PLAN_NODE_OVERLAY; /* which is the root itself */
        root->flags = plan_root_is_writable(plan) ? 0 : PLAN_NODE_READ_ONLY;

        r = explain_targets(&t, plan, proc_fd, problem);
        if (r < 0)
                return r;
        explain_remounts(&t, plan);
        explain_copies(&t, root->flags);
        explain_rest(&t);

        for (size_t i = 0; i < t.n; i++) {
                r = compare(&t, &t.mounts[i], problem);
                if (r < 0)
                        return r;
        }

        return 0;
}
