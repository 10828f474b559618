/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/source-copy.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/mount-table.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"
#include "confine/userns.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>

void source_done(Source *s) {
        (void) safe_close(s->fd);
        free(s->place);
        for (size_t i = 0; i < s->n_submounts; i++) {
                (void) safe_close(s->submounts[i].fd);
                free(s->submounts[i].path);
        }
        free(s->submounts);
        *s = (Source){ .fd = -EBADF };
}

void source_copy_done(SourceCopy *c) { c->userns_fd = safe_close(c->userns_fd); }

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

/* What an idmapped mount translates through. The fd is the caller's; -EBADF: the node is not idmapped. */
static int open_idmap(SourceCopy *c, const PlanNode *n, int source_fd) {
        int fd, r;

        if (!(n->flags & PLAN_NODE_IDMAP))
                return -EBADF;

        if (n->kind == PLAN_NODE_OVERLAY) {
                r = check_roots_alone(source_fd, c->root_fd, n, c->problem);
                return r < 0 ? r
                             : userns_new_for_mounts(
                                       c->plan, USERNS_VIEW_ROOT, c->base, c->owner, c->problem);
        }

        if (c->userns_fd < 0) {
                fd = userns_new_for_mounts(c->plan, USERNS_VIEW_USER, c->base, c->owner, c->problem);
                if (fd < 0)
                        return fd;
                c->userns_fd = fd;
        }

        fd = fd_duplicate(c->userns_fd);
        return fd < 0 ? problem_set(c->problem, fd, "dup") : fd;
}

static bool cannot_idmap(int error) { return error == -EINVAL || error == -EPERM || error == -EOPNOTSUPP; }

/*
 * Degrade= does not help here. Without an idmapped mount, what the application writes would belong to an id that
 * another user's sandbox gets tomorrow.
 */
static int
refuse_idmap(const SourceCopy *c, const PlanNode *n, const MountLine *m, bool is_below, int error) {
        return problem_set_layer(c->problem,
                                 error,
                                 "idmap: file system %s at %s%s%s%s cannot be mounted with mapped ids%s%s",
                                 m ? m->type : "unknown",
                                 is_below ? m->path : n->source,
                                 is_below ? ", below " : "",
                                 is_below ? n->source : "",
                                 m && mount_is_private(m) ? ", a FUSE mount that only its user may enter,"
                                                          : "",
                                 is_below ? ": HomeSubmounts=no or norbind leaves it out" : "",
                                 n->kind == PLAN_NODE_OVERLAY ? ""
                                 : is_below                   ? ", PrivateUsers=self takes it as it is"
                                                              : ": PrivateUsers=self takes it as it is");
}

/* One node at work. */
typedef struct Work {
        SourceCopy *copy;
        const PlanNode *node;
        uint64_t attributes;
        int userns_fd; /* -EBADF: not idmapped */
} Work;

/* One mount alone, by what it is on the host; nothing is to be mapped in an automount. Returns the fd of the copy. */
static int copy_one(const Work *w, const MountLine *m, bool is_below, int fd) {
        const bool maps = w->userns_fd >= 0 && !(m && streq(m->type, "autofs"));
        _cleanup_close_ int copy = -EBADF;
        int r;

        copy = mount_clone(fd, false);
        if (copy < 0)
                return problem_set(w->copy->problem, copy, "open_tree %s", m ? m->path : w->node->source);

        r = mount_restrict(copy, w->attributes, maps ? w->userns_fd : -EBADF, false);
        if (r < 0 && maps && cannot_idmap(r))
                return refuse_idmap(w->copy, w->node, m, is_below, r);
        if (r < 0)
                return problem_set(w->copy->problem, r, "mount_setattr %s", m ? m->path : w->node->source);

        return TAKE_FD(copy);
}

/* By its path from the source. -ENOENT: it is not in front there. Returns an fd. */
static int open_submount(int source_fd, const char *path, const MountLine *m) {
        _cleanup_close_ int fd = -EBADF;
        bool is_root;
        uint64_t id;
        int r;

        fd = fd_openat2(source_fd,
                        path + 1,
                        O_PATH | O_NOFOLLOW | O_CLOEXEC,
                        0,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        if (fd < 0)
                return fd;
        r = mount_identify(fd, &id, &is_root);
        if (r < 0)
                return r;

        return is_root && id == m->id ? TAKE_FD(fd) : -ENOENT;
}

static int add_submount(Source *s, int fd, const char *path) {
        _cleanup_close_ int owned = fd;
        _cleanup_free_ char *copy = strdup(path);
        Submount *grown = reallocarray(s->submounts, s->n_submounts + 1, sizeof(*grown));

        if (grown)
                s->submounts = grown;
        if (!grown || !copy)
                return -ENOMEM;

        s->submounts[s->n_submounts++] = (Submount){ .fd = TAKE_FD(owned), .path = TAKE_PTR(copy) };
        return 0;
}

/* Those that are seen, which are the last at their paths and not below such a one. */
static int copy_submounts(const Work *w, const MountTable *t, const char *place, Source *s) {
        for (size_t i = 0; i < t->n; i++) {
                const MountLine *m = &t->lines[i];
                const char *path = m->path + (streq(place, "/") ? 0 : strlen(place));
                _cleanup_close_ int fd = -EBADF;
                int copy, r;

                if (!path_is_below(m->path, place) || streq(m->path, place))
                        continue;
                fd = open_submount(s->fd, path, m);
                if (fd < 0)
                        continue;

                copy = copy_one(w, m, true, fd);
                if (copy < 0)
                        return copy;
                r = add_submount(s, copy, path);
                if (r < 0)
                        return problem_set(w->copy->problem, r, "%s", m->path);
        }

        return 0;
}

/* One mount after the other: so the one is named that cannot be mapped, unless it need not be. */
static int copy_each(const Work *w, Source *s) {
        _cleanup_mount_table_ MountTable t = {};
        char place[PATH_MAX];
        int fd, r;

        r = resolve_where(s->fd, place);
        if (r >= 0)
                r = mount_table_read(AT_FDCWD, "/proc/self/mountinfo", &t);
        if (r < 0)
                return problem_set(w->copy->problem, r, "Mounts below %s", w->node->source);

        fd = copy_one(w, mount_table_find(&t, s->fd), false, s->fd);
        if (fd < 0)
                return fd;
        r = w->node->kind == PLAN_NODE_BIND && w->node->flags & PLAN_NODE_RECURSIVE
                    ? copy_submounts(w, &t, place, s)
                    : 0;
        (void) safe_close(s->fd);
        s->fd = fd;
        return r;
}

int source_copy(SourceCopy *c, const PlanNode *n, Source *source) {
        const bool recursive = n->kind == PLAN_NODE_BIND && n->flags & PLAN_NODE_RECURSIVE;
        const bool idmap = n->flags & PLAN_NODE_IDMAP;
        _cleanup_close_ int tree = -EBADF, userns_fd = -EBADF;
        Work w = { .copy = c, .node = n, .attributes = mount_attributes(n->flags) };
        int r;

        userns_fd = open_idmap(c, n, source->fd);
        if (userns_fd < 0 && idmap)
                return userns_fd;
        w.userns_fd = userns_fd;
        if (n->kind != PLAN_NODE_DEVICE)
                w.attributes |= MOUNT_ATTR_NODEV;

        tree = mount_clone(source->fd, recursive);
        if (tree < 0)
                return problem_set(c->problem, tree, "open_tree %s", n->source);

        /* All at once, which goes nearly always. */
        r = mount_restrict(tree, w.attributes, userns_fd, recursive);
        if (r < 0 && idmap && cannot_idmap(r))
                return copy_each(&w, source);
        if (r < 0)
                return problem_set(c->problem, r, "mount_setattr %s", n->source);

        (void) safe_close(source->fd);
        source->fd = TAKE_FD(tree);
        return 0;
}
