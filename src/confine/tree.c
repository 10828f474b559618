/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/tree.h"

#include "base/text.h"
#include "confine/identity.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"
#include "confine/tree-state.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *const mask_names[] = { ".nothing-file", ".nothing-directory" };

static void tree_done(Tree *t) {
        for (size_t i = 0; i < t->n_later; i++)
                (void) safe_close(t->later[i].fd);
        for (size_t i = 0; i < ELEMENTSOF(t->mask_fds); i++)
                (void) safe_close(t->mask_fds[i]);
        (void) safe_close(t->parent_fd);
        (void) safe_close(t->root_fd);
        free(t->later);
        free(t->own_mounts);
}

int tree_add_own_mount(Tree *t, int mount_fd) {
        uint64_t id;
        int r;

        r = mount_identify(mount_fd, &id, NULL);
        if (r < 0)
                return r;

        t->own_mounts[t->n_own_mounts++] = id;
        return 0;
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

        /* Said like this because that is what it comes to: nothing is there, and nothing will be made. */
        return -ENOENT;
}

int tree_add_later(Tree *t, int fd, uint64_t attributes, bool owned) {
        if (attributes == 0 && !owned) {
                (void) safe_close(fd);
                return 0;
        }

        t->later[t->n_later++] = (TreeLater){ .fd = fd, .attributes = attributes, .owned = owned };
        return 0;
}

int tree_open(const Tree *t, const char *target) { return resolve_path(t->root_fd, target, NULL); }

static int make_directory(int parent_fd, const char *name, mode_t mode) {
        int fd;

        if (mkdirat(parent_fd, name, mode) < 0)
                return -errno;

        fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* path, with whatever of it is missing made. */
static int make_directories(const Tree *t, const char *path) {
        _cleanup_close_ int parent = -EBADF;
        char prefix[PATH_MAX], name[NAME_MAX + 1];

        parent = fcntl(t->root_fd, F_DUPFD_CLOEXEC, 0);
        if (parent < 0)
                return -errno;

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
                                fd = make_directory(parent, name, 0755);
                }
                if (fd < 0)
                        return fd;

                (void) safe_close(parent);
                parent = fd;
        }

        return TAKE_FD(parent);
}

/*
 * The directory that the target lies in, made where that is allowed; -ENOENT unless it is on a file system of ours.
 * Kept for the next target, which mostly lies beside this one; *ret_name points into target.
 */
static int tree_open_parent(Tree *t, const char *target, const char **ret_name) {
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
        return parent < 0 ? parent : make_directory(parent, name, mode);
}

int tree_make_file(Tree *t, const char *target, mode_t mode) {
        const char *name;
        int parent, fd;

        parent = tree_open_parent(t, target, &name);
        if (parent < 0)
                return parent;

        fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode);
        return fd < 0 ? -errno : fd;
}

int tree_make_symlink(Tree *t, const char *target, const char *text) {
        const char *name;
        int parent;

        parent = tree_open_parent(t, target, &name);
        if (parent < 0)
                return parent;

        return symlinkat(text, parent, name) < 0 ? -errno : 0;
}

int tree_attach(Tree *t, int mount_fd, const char *target, bool is_directory) {
        _cleanup_close_ int fd = -EBADF;

        fd = is_directory ? tree_make_directory(t, target, 0755) : tree_make_file(t, target, 0444);
        if (fd == -EEXIST || fd == -ENOENT)
                fd = tree_open(t, target);
        if (fd < 0)
                return fd;

        /* What was kept may be covered from now on. */
        if (path_is_below(t->parent, target))
                t->parent_fd = safe_close(t->parent_fd);

        return mount_attach(mount_fd, fd);
}

/* Both lie in the root until it is done; as mounts they live on when their names are gone. */
static int make_masks(Tree *t) {
        int fd;

        fd = openat(t->root_fd, mask_names[0], O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        t->mask_fds[0] = fd;

        if (mkdirat(t->root_fd, mask_names[1], 0) < 0)
                return -errno;
        fd = openat(t->root_fd, mask_names[1], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        t->mask_fds[1] = fd;

        return 0;
}

int tree_mask(Tree *t, int target_fd) {
        _cleanup_close_ int mask = -EBADF;
        struct stat st;
        int r;

        if (fstat(target_fd, &st) < 0)
                return -errno;

        if (t->mask_fds[0] < 0) {
                r = make_masks(t);
                if (r < 0)
                        return r;
        }

        mask = mount_clone(t->mask_fds[S_ISDIR(st.st_mode)], false);
        if (mask < 0)
                return mask;

        r = mount_restrict(mask,
                           MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                           -EBADF,
                           false);
        if (r < 0)
                return r;

        return mount_attach(mask, target_fd);
}

static int tree_new_root(Tree *t, Problem *problem) {
        static const MountOption options[] = {
                { "mode", "0755" }, { "size", "4M" }, { "nr_inodes", "16384" }, {}
        };
        _cleanup_close_ int host = -EBADF;
        int r;

        /* First of all: from here on nothing that is done to this mount table reaches the host's. */
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return problem_set(problem, -errno, "Private mount propagation");

        t->root_fd = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (t->root_fd < 0)
                return problem_set(problem, t->root_fd, "tmpfs /");
        r = tree_add_own_mount(t, t->root_fd);
        if (r < 0)
                return problem_set(problem, r, "statx /");

        /* Mounted over the host's root, which every host has, because mounts go only into a tree that is in place. */
        host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (host < 0)
                return problem_set(problem, -errno, "open /");
        r = mount_attach(t->root_fd, host);
        if (r < 0)
                return problem_set(problem, r, "move_mount /");

        return 0;
}

static int tree_finish(Tree *t, Problem *problem) {
        int r;

        for (size_t i = 0; i < t->n_later; i++) {
                const TreeLater *l = &t->later[i];

                if (l->owned && fchownat(l->fd, "", t->uid, t->gid, AT_EMPTY_PATH) < 0)
                        return problem_set(problem, -errno, "chown to %u:%u", t->uid, t->gid);
                if (l->attributes == 0)
                        continue;
                r = mount_restrict(l->fd, l->attributes, -EBADF, false);
                if (r < 0)
                        return problem_set(problem, r, "Read-only file system");
        }

        if (t->mask_fds[0] >= 0)
                for (size_t i = 0; i < ELEMENTSOF(mask_names); i++)
                        if (unlinkat(t->root_fd, mask_names[i], i == 1 ? AT_REMOVEDIR : 0) < 0)
                                return problem_set(problem, -errno, "unlink /%s", mask_names[i]);

        r = mount_restrict(t->root_fd, MOUNT_ATTR_RDONLY, -EBADF, false);
        if (r < 0)
                return problem_set(problem, r, "Read-only /");

        return 0;
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and goes. */
static int tree_pivot(const Tree *t, Problem *problem) {
        if (fchdir(t->root_fd) < 0)
                return problem_set(problem, -errno, "fchdir");
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return problem_set(problem, -errno, "pivot_root");
        if (umount2(".", MNT_DETACH) < 0)
                return problem_set(problem, -errno, "umount2 of the old root");
        if (chdir("/") < 0)
                return problem_set(problem, -errno, "chdir /");

        return 0;
}

int tree_enter(const Plan *plan, const Sources *sources, uint32_t base, Problem *problem) {
        _cleanup_(tree_done) Tree t = {
                .plan = plan,
                .sources = sources,
                .root_fd = -EBADF,
                .parent_fd = -EBADF,
                .mask_fds = { -EBADF, -EBADF },
        };
        int r;

        if (identity_outside(plan->uid_map, plan->n_uid_map, base, plan->uid, &t.uid) < 0 ||
            identity_outside(plan->gid_map, plan->n_gid_map, base, plan->gid, &t.gid) < 0)
                return problem_set(problem, -EINVAL, "The user's own ids are not mapped");

        /* The root, and at most one for each node. */
        t.own_mounts = calloc(plan->n_nodes + 1, sizeof(*t.own_mounts));
        t.later = calloc(plan->n_nodes + 1, sizeof(*t.later));
        if (!t.own_mounts || !t.later)
                return problem_set(problem, -ENOMEM, "tree");

        r = tree_new_root(&t, problem);
        if (r < 0)
                return r;

        for (size_t i = 0; i < plan->n_nodes; i++) {
                const char *verb = "make";

                r = tree_make_node(&t, i, &verb);
                if (r < 0)
                        return problem_set(problem, r, "%s %s", verb, plan->nodes[i].target);
        }

        r = tree_finish(&t, problem);
        if (r < 0)
                return r;

        return tree_pivot(&t, problem);
}
