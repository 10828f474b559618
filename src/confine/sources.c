/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/sources.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/devices.h"
#include "confine/identity.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"
#include "confine/state.h"
#include "confine/userns.h"
#include "plan/plan-check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

Sources *sources_free(Sources *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n; i++)
                (void) safe_close(s->items[i].fd);
        free(s);
        return NULL;
}

static bool has_source(const PlanNode *n) {
        return n->kind == PLAN_NODE_BIND || n->kind == PLAN_NODE_DEVICE || n->kind == PLAN_NODE_OVERLAY;
}

/* The plan was checked by the text of the path. A link of root's may lead to a forbidden place all the same. */
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
        r = source_check(fd, plan, n, &st, has_links, problem);
        if (r < 0)
                return r;

        source->is_directory = S_ISDIR(st.st_mode);
        source->fd = TAKE_FD(fd);
        return 0;
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

/*
 * Degrade= does not help here. Without an idmapped mount, what the application writes would belong to an id that
 * another user's sandbox gets tomorrow.
 */
static int refuse_idmap(int fd, const PlanNode *n, int error, Problem *problem) {
        char type[64];

        mount_describe(fd, type, sizeof(type));
        return problem_set_layer(problem, error, "idmap: file system %s at %s", type, n->source);
}

/*
 * In a root that the application may change, everything of root's appears as the application's. So it must be one
 * that root alone has laid out: otherwise a user could have a file of root's moved there, and read it.
 */
static int check_roots_alone(int fd, int root_fd, const PlanNode *n, Problem *problem) {
        _cleanup_close_ int at = -EBADF;
        struct stat st, root;
        bool is_above = false;

        at = fd_duplicate(fd);
        if (at < 0 || fstat(root_fd, &root) < 0)
                return problem_set(problem, -errno, "stat %s", n->source);

        for (;;) {
                int above;

                if (fstat(at, &st) < 0)
                        return problem_set(problem, -errno, "stat %s", n->source);
                /*
                 * Further up a sticky directory will do, such as /tmp: nobody but root could move root's directory
                 * out of it.
                 */
                if (st.st_uid != 0 ||
                    (st.st_mode & (S_IWGRP | S_IWOTH) && !(is_above && st.st_mode & S_ISVTX)))
                        return problem_set(problem,
                                           -EPERM,
                                           "%s: RootEphemeral= takes a directory that root alone can change",
                                           n->source);
                if (st.st_dev == root.st_dev && st.st_ino == root.st_ino)
                        return 0;

                above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (above < 0)
                        return problem_set(problem, -errno, "%s", n->source);
                (void) safe_close(at);
                at = above;
                is_above = true;
        }
}

/*
 * The user namespace that an idmapped mount translates through: the sandbox's, or a special one for a writable root.
 */
static int open_idmap(const Source *source,
                      const Plan *plan,
                      const PlanNode *n,
                      int userns_fd,
                      uint32_t base,
                      uid_t owner,
                      int root_fd,
                      Problem *problem) {
        int fd, r;

        if (!(n->flags & PLAN_NODE_IDMAP))
                return -EBADF;

        if (n->kind == PLAN_NODE_OVERLAY) {
                r = check_roots_alone(source->fd, root_fd, n, problem);
                return r < 0 ? r : userns_new_for_root(plan, base, owner, problem);
        }

        fd = fd_duplicate(userns_fd);
        return fd < 0 ? problem_set(problem, fd, "dup") : fd;
}

/* Turns what was found into a mount of its own. */
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

static int sources_copy(Sources *s,
                        const Plan *plan,
                        int userns_fd,
                        uint32_t base,
                        uid_t owner,
                        int root_fd,
                        Problem *problem) {
        for (size_t i = 0; i < s->n; i++) {
                const PlanNode *n = &plan->nodes[i];
                _cleanup_close_ int idmap_fd = -EBADF;
                int r;

                if (s->items[i].fd < 0)
                        continue;

                idmap_fd = open_idmap(&s->items[i], plan, n, userns_fd, base, owner, root_fd, problem);
                if (idmap_fd < 0 && n->flags & PLAN_NODE_IDMAP)
                        return idmap_fd;

                r = source_copy(&s->items[i], n, idmap_fd, problem);
                if (r < 0)
                        return r;
        }

        return 0;
}

int sources_new(Sources **ret, Plan *plan, int userns_fd, uint32_t base, uid_t owner, Problem *problem) {
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

        r = sources_as_user(s, plan, PLAN_NODE_AS_USER, sources_find, root_fd, problem);
        if (r < 0)
                return r;

        r = sources_find(s, plan, 0, root_fd, problem);
        if (r < 0)
                return r;

        r = sources_as_user(s, plan, PLAN_NODE_STATE, sources_make_places, root_fd, problem);
        if (r < 0)
                return r;

        r = sources_copy(s, plan, userns_fd, base, owner, root_fd, problem);
        if (r < 0)
                return r;

        for (size_t i = 0; i < s->n; i++)
                if (has_source(&plan->nodes[i]) && s->items[i].fd < 0)
                        plan->nodes[i].flags |= PLAN_NODE_ABSENT;

        *ret = TAKE_PTR(s);
        return 0;
}
