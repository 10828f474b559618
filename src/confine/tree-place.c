/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/tree-place.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/identity.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

bool tree_root_is_users(const Tree *t) {
        return t->plan->nodes[0].kind == PLAN_NODE_OVERLAY && t->plan->nodes[0].flags & PLAN_NODE_IDMAP;
}

void tree_done(Tree *t) {
        for (size_t i = 0; i < t->n_later; i++)
                (void) safe_close(t->later[i].fd);
        tree_masks_done(&t->masks);
        (void) safe_close(t->parent_fd);
        (void) safe_close(t->scratch_fd);
        (void) safe_close(t->root_fd);
        free(t->later);
        free(t->own_mounts);
}

int tree_add_own_mount(Tree *t, int mount_fd) {
        int r = mount_identify(mount_fd, &t->own_mounts[t->n_own_mounts], NULL);

        t->n_own_mounts += r >= 0;
        return r;
}

static int tree_check_own(const Tree *t, int fd) {
        uint64_t id;
        int r;

        r = mount_identify(fd, &id, NULL);
        if (r < 0)
                return r;

        for (size_t i = 0; i < t->n_own_mounts; i++)
                if (t->own_mounts[i] == id)
                        return 0;

        /* ENOENT, because that is what it means to the caller: nothing is there, and nothing will be made. */
        return -ENOENT;
}

int tree_add_later(Tree *t, int fd, uint64_t attributes, bool owned) {
        if (attributes == 0 && !owned)
                (void) safe_close(fd);
        else
                t->later[t->n_later++] = (TreeLater){ .fd = fd, .attributes = attributes, .owned = owned };

        return 0;
}

int tree_seal(Tree *t) {
        for (; t->n_later > 0; t->n_later--) {
                const TreeLater *l = &t->later[t->n_later - 1];
                int r;

                if (l->owned && fchownat(l->fd, "", t->uid, t->gid, AT_EMPTY_PATH) < 0)
                        return -errno;
                r = l->attributes == 0 ? 0 : mount_restrict(l->fd, l->attributes, -EBADF, false);
                if (r < 0)
                        return r;
                (void) safe_close(l->fd);
        }

        return 0;
}

int tree_open(const Tree *t, const char *target) { return resolve_path(t->root_fd, target, NULL); }

/*
 * Takes on the rights to make something in a directory. Root's are enough, except where the root belongs to the
 * application; there what is made becomes the application's too. make_as_root() must follow.
 */
static int make_as_owner(const Tree *t, int parent_fd) {
        struct stat st;

        if (!tree_root_is_users(t))
                return 0;
        if (fstat(parent_fd, &st) < 0)
                return -errno;

        return st.st_uid == t->uid ? identity_make_as(t->uid, t->gid) : 0;
}

/* Back to root. Passes on the result of what was done meanwhile. */
static int make_as_root(const Tree *t, int result) {
        int r = tree_root_is_users(t) ? identity_make_as(0, 0) : 0;

        return r < 0 ? r : result;
}

static int make_directory(const Tree *t, int parent_fd, const char *name, mode_t mode) {
        int fd, r;

        r = make_as_owner(t, parent_fd);
        if (r < 0)
                return r;
        r = make_as_root(t, mkdirat(parent_fd, name, mode) < 0 ? -errno : 0);
        if (r < 0)
                return r;

        fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Opens path, and makes the directories of it that are missing. */
static int make_directories(const Tree *t, const char *path) {
        _cleanup_close_ int parent = -EBADF;
        char prefix[PATH_MAX], name[NAME_MAX + 1];

        parent = fd_duplicate(t->root_fd);
        if (parent < 0)
                return parent;

        for (const char *p = path; *p != '\0';) {
                size_t n = strcspn(p + 1, "/");
                int fd;

                if (n > NAME_MAX || (size_t) (p + 1 - path) + n >= sizeof(prefix))
                        return -ENAMETOOLONG;
                (void) snprintf(name, sizeof(name), "%.*s", (int) n, p + 1);
                p += n + 1;
                (void) snprintf(prefix, sizeof(prefix), "%.*s", (int) (p - path), path);

                fd = tree_open(t, prefix);
                if (fd == -ENOENT) {
                        fd = tree_check_own(t, parent);
                        if (fd >= 0)
                                fd = make_directory(t, parent, name, 0755);
                }
                if (fd < 0)
                        return fd;

                (void) safe_close(parent);
                parent = fd;
        }

        return TAKE_FD(parent);
}

/* The descriptor is kept for the next target, which usually lies beside this one. */
int tree_open_parent(Tree *t, const char *target, const char **ret_name) {
        const char *slash = strrchr(target, '/');
        _cleanup_close_ int fd = -EBADF;
        char parent[PATH_MAX];
        int r;

        if (!slash || slash[1] == '\0' || (size_t) (slash - target) >= sizeof(parent))
                return -EINVAL;
        (void) snprintf(
                parent, sizeof(parent), "%.*s", slash == target ? 1 : (int) (slash - target), target);

        if (t->parent_fd < 0 || !streq(t->parent, parent)) {
                fd = tree_open(t, parent);
                if (fd == -ENOENT)
                        fd = make_directories(t, parent);
                if (fd < 0)
                        return fd;
                r = tree_check_own(t, fd);
                if (r < 0)
                        return r;

                (void) safe_close(t->parent_fd);
                t->parent_fd = TAKE_FD(fd);
                memcpy(t->parent, parent, sizeof(parent));
        }

        *ret_name = slash + 1;
        return t->parent_fd;
}

int tree_make_directory(Tree *t, const char *target, mode_t mode) {
        const char *name;
        int parent;

        parent = tree_open_parent(t, target, &name);
        return parent < 0 ? parent : make_directory(t, parent, name, mode);
}

/* Opens the directory that the target lies in, to make or remove the target there. make_as_root() must follow. */
static int begin_in_parent(Tree *t, const char *target, const char **ret_name) {
        int parent, r;

        parent = tree_open_parent(t, target, ret_name);
        if (parent < 0)
                return parent;

        r = make_as_owner(t, parent);
        return r < 0 ? r : parent;
}

int tree_make_file(Tree *t, const char *target, mode_t mode) {
        const char *name;
        int parent, fd;

        parent = begin_in_parent(t, target, &name);
        if (parent < 0)
                return parent;

        fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode);
        return make_as_root(t, fd < 0 ? -errno : fd);
}

int tree_make_symlink(Tree *t, const char *target, const char *text) {
        const char *name;
        int parent;

        parent = begin_in_parent(t, target, &name);
        if (parent < 0)
                return parent;

        return make_as_root(t, symlinkat(text, parent, name) < 0 ? -errno : 0);
}

int tree_remove(Tree *t, const char *target) {
        const char *name;
        int parent;

        parent = begin_in_parent(t, target, &name);
        if (parent < 0)
                return parent;

        return make_as_root(t, unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -errno : 0);
}

int tree_attach(Tree *t, int mount_fd, const char *target, bool is_directory) {
        _cleanup_close_ int fd = -EBADF;

        fd = is_directory ? tree_make_directory(t, target, 0755) : tree_make_file(t, target, 0444);
        if (fd == -EEXIST || fd == -ENOENT)
                fd = tree_open(t, target);
        if (fd < 0)
                return fd;

        /* The directory that was kept may be covered from now on. */
        if (path_is_below(t->parent, target))
                t->parent_fd = safe_close(t->parent_fd);

        return mount_attach(mount_fd, fd);
}

int tree_add_attributes(int target, uint64_t attributes, bool recursive) {
        _cleanup_close_ int copy = -EBADF;
        bool is_root;
        uint64_t id;
        int r;

        r = mount_identify(target, &id, &is_root);
        if (r < 0)
                return r;
        if (is_root)
                return mount_restrict(target, attributes, -EBADF, recursive);

        copy = mount_clone(target, recursive);
        if (copy < 0)
                return copy;
        r = mount_restrict(copy, attributes, -EBADF, recursive);
        if (r < 0)
                return r;

        return mount_attach(copy, target);
}
