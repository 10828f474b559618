/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/sources.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/automount.h"
#include "confine/devices.h"
#include "confine/identity.h"
#include "confine/mount-table.h"
#include "confine/resolve.h"
#include "confine/state.h"
#include "plan/plan-check.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

Sources *sources_free(Sources *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n; i++)
                source_done(&s->items[i]);
        free(s);
        return NULL;
}

static bool has_source(const PlanNode *n) {
        return n->kind == PLAN_NODE_BIND || n->kind == PLAN_NODE_DEVICE || n->kind == PLAN_NODE_OVERLAY;
}

/* The plan was checked by the text of the path. A link of root's may lead to a forbidden place all the same. */
static int place_check(int fd, const PlanNode *n, Problem *problem) {
        char place[PATH_MAX];
        int r;

        r = resolve_where(fd, place);
        if (r < 0)
                return problem_set(problem, r, "Path of %s", n->source);

        if (plan_source_is_forbidden(place))
                return problem_set(problem, -EPERM, "%s leads to %s", n->source, place);

        return 0;
}

/* Why the user's rights do not do where they should: a FUSE mount knows but the ids that are not borrowed here. */
static int refuse_open(int root_fd, const PlanNode *n, int error, Problem *problem) {
        _cleanup_mount_table_ MountTable t = {};
        const MountLine *nearest;
        char link[PATH_MAX + 64];

        if (error == -EPERM && resolve_refused_link(root_fd, n->source, 0, 0, link, sizeof(link)))
                return problem_set(problem, error, "open %s: %s, which is not followed", n->source, link);
        if (error != -EACCES || mount_table_read(AT_FDCWD, "/proc/self/mountinfo", &t) < 0)
                return problem_set(problem, error, "open %s", n->source);

        nearest = mount_table_above(&t, n->source);
        if (!nearest || !mount_is_private(nearest))
                return problem_set(problem, error, "open %s", n->source);

        return problem_set(problem,
                           error,
                           "open %s: file system %s at %s is a FUSE mount that only its user may enter; "
                           "mount it with allow_other",
                           n->source,
                           nearest->type,
                           nearest->path);
}

/* Whether what was found is what the plan means. */
static int source_check(int fd,
                        const Plan *plan,
                        const PlanNode *n,
                        const struct stat *st,
                        bool has_links,
                        Problem *problem) {
        if (n->kind == PLAN_NODE_DEVICE)
                return devices_check(fd, plan, n, st, problem);
        if (n->kind == PLAN_NODE_OVERLAY && !S_ISDIR(st->st_mode))
                return problem_set(problem, -ENOTDIR, "%s", n->source);

        return has_links ? place_check(fd, n, problem) : 0;
}

/* What is bound at its own name, a home above all, is known to the user's files by where it really lies, too. */
static int note_place(Source *source, const PlanNode *n, Problem *problem) {
        char place[PATH_MAX];
        int r;

        if (n->kind != PLAN_NODE_BIND || !source->is_directory || !streq(n->source, n->target))
                return 0;

        r = resolve_where(source->fd, place);
        if (r < 0)
                return problem_set(problem, r, "Path of %s", n->source);

        source->place = strdup(place);
        return source->place ? 0 : problem_set(problem, -ENOMEM, "%s", n->source);
}

/* Opens what is at the path into source->fd, not copied yet. */
static int source_find(Source *source, int root_fd, const Plan *plan, const PlanNode *n, Problem *problem) {
        _cleanup_close_ int fd = -EBADF;
        bool has_links = false;
        struct stat st;
        int r;

        if (n->flags & PLAN_NODE_STATE) {
                source->is_directory = true;
                source->fd = state_open(root_fd, n, plan->uid, plan->gid, problem);
                return source->fd < 0 ? source->fd : 0;
        }

        r = n->flags & PLAN_NODE_AS_USER ? automount_trigger(plan, root_fd, n->source, problem) : 0;
        if (r < 0)
                return r;
        fd = resolve_path(root_fd, n->source, &has_links);
        if ((fd == -ENOENT || fd == -ENOTDIR) && n->flags & PLAN_NODE_OPTIONAL)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return refuse_open(root_fd, n, fd < 0 ? fd : -errno, problem);
        r = source_check(fd, plan, n, &st, has_links, problem);
        if (r < 0)
                return r;

        source->is_directory = S_ISDIR(st.st_mode);
        source->fd = TAKE_FD(fd);
        return has_links ? note_place(source, n, problem) : 0;
}

/* as_user: PLAN_NODE_AS_USER for those that are found as the user, 0 for the others. */
static int sources_find(Sources *s, const Plan *plan, uint32_t as_user, int root_fd, Problem *problem) {
        for (size_t i = 0; i < s->n; i++) {
                const PlanNode *n = &plan->nodes[i];
                int r;

                if (!has_source(n) || as_user != (n->flags & PLAN_NODE_AS_USER))
                        continue;

                r = source_find(&s->items[i], root_fd, plan, n, problem);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The kept directory that node i is mounted in, or plan->n_nodes. */
static size_t state_above(const Plan *plan, size_t i) {
        size_t found = plan->n_nodes;

        for (size_t k = 0; k < i; k++)
                if (path_is_below(plan->nodes[i].target, plan->nodes[k].target))
                        found = k;

        return found < plan->n_nodes && plan->nodes[found].flags & PLAN_NODE_STATE ? found : plan->n_nodes;
}

/*
 * A kept directory is empty at first, and what the profile mounts in it needs mount points. It is the only place on
 * the host that a sandbox adds to, so this is done with the user's rights.
 */
static int sources_make_places(Sources *s, const Plan *plan, uint32_t flag, int root_fd, Problem *problem) {
        for (size_t i = 0; i < s->n; i++) {
                const PlanNode *n = &plan->nodes[i];
                size_t state = state_above(plan, i);
                const char *path;
                int r;

                if (state >= s->n || (n->kind != PLAN_NODE_BIND && n->kind != PLAN_NODE_TMPFS) ||
                    (n->kind == PLAN_NODE_BIND && s->items[i].fd < 0))
                        continue;

                path = n->target + strlen(plan->nodes[state].target);
                r = state_make_place(
                        s->items[state].fd, path, n->kind == PLAN_NODE_TMPFS || s->items[i].is_directory);
                if (r < 0)
                        return problem_set(problem, r, "mkdir %s", n->target);
        }

        return 0;
}

/* Acts with the user's rights, where any node has the flag. */
static int sources_as_user(Sources *s,
                           const Plan *plan,
                           uint32_t flag,
                           int (*act)(Sources *s, const Plan *plan, uint32_t flag, int root_fd, Problem *),
                           int root_fd,
                           Problem *problem) {
        Identity root = {};
        bool any = false;
        int r;

        for (size_t i = 0; i < plan->n_nodes; i++)
                any = any || plan->nodes[i].flags & flag;
        if (!any)
                return 0;

        r = identity_borrow(plan, &root, problem);
        return r < 0 ? r : identity_return(&root, act(s, plan, flag, root_fd, problem), problem);
}

static int sources_copy(Sources *s, SourceCopy *c) {
        for (size_t i = 0; i < s->n; i++) {
                int r = s->items[i].fd < 0 ? 0 : source_copy(c, &c->plan->nodes[i], &s->items[i]);

                if (r < 0)
                        return r;
        }

        return 0;
}

int sources_new(Sources **ret, Plan *plan, uint32_t base, uid_t owner, Problem *problem) {
        _cleanup_(sources_freep) Sources *s = NULL;
        _cleanup_close_ int root_fd = -EBADF;
        _cleanup_(source_copy_done) SourceCopy copy = { .plan = plan,
                                                        .base = base,
                                                        .owner = owner,
                                                        .root_fd = -EBADF,
                                                        .userns_fd = -EBADF,
                                                        .problem = problem };
        int r;

        s = calloc(1, sizeof(*s) + plan->n_nodes * sizeof(*s->items));
        if (!s)
                return problem_set(problem, -ENOMEM, "sources");
        s->n = plan->n_nodes;
        for (size_t i = 0; i < s->n; i++)
                s->items[i].fd = -EBADF;

        root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return problem_set(problem, -errno, "open /");

        r = sources_as_user(s, plan, PLAN_NODE_AS_USER, sources_find, root_fd, problem);
        if (r < 0)
                return r;

        r = sources_find(s, plan, 0, root_fd, problem);
        if (r < 0)
                return r;

        r = sources_as_user(s, plan, PLAN_NODE_STATE, sources_make_places, root_fd, problem);
        if (r < 0)
                return r;

        copy.root_fd = root_fd;
        r = sources_copy(s, &copy);
        if (r < 0)
                return r;

        for (size_t i = 0; i < s->n; i++)
                if (has_source(&plan->nodes[i]) && s->items[i].fd < 0)
                        plan->nodes[i].flags |= PLAN_NODE_ABSENT;

        *ret = TAKE_PTR(s);
        return 0;
}
