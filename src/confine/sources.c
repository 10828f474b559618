/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/sources.h"

#include "confine/identity.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"
#include "plan/plan-check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The devices that are safe for everyone, and the numbers that must stand behind the names. */
/* clang-format off */
static const struct {
        const char *path;
        unsigned major, minor;
} devices[] = {
        { "/dev/null",    1, 3 },
        { "/dev/zero",    1, 5 },
        { "/dev/full",    1, 7 },
        { "/dev/random",  1, 8 },
        { "/dev/urandom", 1, 9 },
        { "/dev/tty",     5, 0 },
};
/* clang-format on */

Sources *sources_free(Sources *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n; i++)
                (void) safe_close(s->items[i].fd);
        free(s);
        return NULL;
}

static bool has_source(const PlanNode *n) {
        return n->kind == PLAN_NODE_BIND || n->kind == PLAN_NODE_DEVICE;
}

static int device_check(const PlanNode *n, const struct stat *st, Problem *problem) {
        if (!S_ISCHR(st->st_mode))
                return problem_set(problem, -ENODEV, "%s is no character device", n->source);

        for (size_t i = 0; i < ELEMENTSOF(devices); i++)
                if (streq(devices[i].path, n->source))
                        return st->st_rdev == makedev(devices[i].major, devices[i].minor)
                                       ? 0
                                       : problem_set(problem, -ENODEV, "%s is another device", n->source);

        return problem_set(
                problem, -EPERM, "Device %s is not one of those that everyone may have", n->source);
}

/* The plan was checked by the path's text; the links that root laid may lead to such a place all the same. */
static int place_check(int fd, const PlanNode *n, Problem *problem) {
        char link[32], place[PATH_MAX];
        ssize_t size;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        size = readlink(link, place, sizeof(place));
        if (size < 0)
                return problem_set(problem, -errno, "readlink %s", link);
        if ((size_t) size >= sizeof(place))
                return problem_set(problem, -ENAMETOOLONG, "%s", n->source);
        place[size] = '\0';

        if (plan_source_is_forbidden(place))
                return problem_set(problem, -EPERM, "%s leads to %s", n->source, place);

        return 0;
}

/* Into source->fd: what stands at the path, not yet copied. */
static int source_find(Source *source, int root_fd, const PlanNode *n, Problem *problem) {
        _cleanup_close_ int fd = -EBADF;
        bool has_links = false;
        struct stat st;
        int r;

        fd = resolve_path(root_fd, n->source, &has_links);
        if ((fd == -ENOENT || fd == -ENOTDIR) && n->flags & PLAN_NODE_OPTIONAL)
                return 0;
        if (fd == -EPERM)
                return problem_set(
                        problem, fd, "%s: symbolic link on the way that is not to be followed", n->source);
        if (fd < 0)
                return problem_set(problem, fd, "open %s", n->source);

        if (fstat(fd, &st) < 0)
                return problem_set(problem, -errno, "stat %s", n->source);

        if (n->kind == PLAN_NODE_DEVICE)
                r = device_check(n, &st, problem);
        else
                r = has_links ? place_check(fd, n, problem) : 0;
        if (r < 0)
                return r;

        source->is_directory = S_ISDIR(st.st_mode);
        source->fd = TAKE_FD(fd);
        return 0;
}

static int sources_find(Sources *s, const Plan *plan, bool as_user, int root_fd, Problem *problem) {
        for (size_t i = 0; i < s->n; i++) {
                const PlanNode *n = &plan->nodes[i];
                int r;

                if (!has_source(n) || as_user != !!(n->flags & PLAN_NODE_AS_USER))
                        continue;

                r = source_find(&s->items[i], root_fd, n, problem);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int sources_find_as_user(Sources *s, const Plan *plan, int root_fd, Problem *problem) {
        Identity root = {};
        bool any = false;
        int r, q;

        for (size_t i = 0; i < plan->n_nodes; i++)
                any = any || plan->nodes[i].flags & PLAN_NODE_AS_USER;
        if (!any)
                return 0;

        r = identity_borrow(plan, &root, problem);
        if (r < 0)
                return r;

        r = sources_find(s, plan, true, root_fd, problem);
        q = identity_return(&root, problem);

        return r < 0 ? r : q;
}

/*
 * There is no weaker idmap: without it, what the application writes would belong to an id that another user's sandbox
 * gets tomorrow. So Degrade= does not help here.
 */
static int refuse_idmap(int fd, const PlanNode *n, int error, Problem *problem) {
        char type[64];

        mount_describe(fd, type, sizeof(type));
        return problem_set_layer(problem, error, "idmap: file system %s at %s", type, n->source);
}

/* What was found becomes a mount of its own. */
static int source_copy(Source *source, const PlanNode *n, int userns_fd, Problem *problem) {
        const bool recursive = n->kind == PLAN_NODE_BIND && n->flags & PLAN_NODE_RECURSIVE;
        const bool idmap = n->flags & PLAN_NODE_IDMAP;
        uint64_t attributes = mount_attributes(n->flags);
        _cleanup_close_ int tree = -EBADF;
        int r;

        if (n->kind != PLAN_NODE_DEVICE)
                attributes |= MOUNT_ATTR_NODEV;

        tree = mount_clone(source->fd, recursive);
        if (tree < 0)
                return problem_set(problem, tree, "open_tree %s", n->source);

        r = mount_restrict(tree, attributes, idmap ? userns_fd : -EBADF, recursive);
        if (r < 0 && idmap && (r == -EINVAL || r == -EPERM || r == -EOPNOTSUPP))
                return refuse_idmap(source->fd, n, r, problem);
        if (r < 0)
                return problem_set(problem, r, "mount_setattr %s", n->source);

        (void) safe_close(source->fd);
        source->fd = TAKE_FD(tree);
        return 0;
}

int sources_new(Sources **ret, const Plan *plan, int userns_fd, Problem *problem) {
        _cleanup_(sources_freep) Sources *s = NULL;
        _cleanup_close_ int root_fd = -EBADF;
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

        r = sources_find_as_user(s, plan, root_fd, problem);
        if (r < 0)
                return r;

        r = sources_find(s, plan, false, root_fd, problem);
        if (r < 0)
                return r;

        for (size_t i = 0; i < s->n; i++) {
                if (s->items[i].fd < 0)
                        continue;

                r = source_copy(&s->items[i], &plan->nodes[i], userns_fd, problem);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}
