/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/tree.h"

#include "base/text.h"
#include "confine/caps.h"
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

#define ROOT_SIZE (UINT64_C(4) * 1024 * 1024)
#define ROOT_INODES UINT64_C(16384)
#define ROOT_INODES_MORE (UINT64_C(1) << 20)

static const char *const mask_names[] = { ".nothing-file", ".nothing-directory" };

/* RootEphemeral=: what is root's in the directory is the application's here. */
static bool root_is_users(const Plan *p) {
        return p->nodes[0].kind == PLAN_NODE_OVERLAY && p->nodes[0].flags & PLAN_NODE_IDMAP;
}

static void tree_done(Tree *t) {
        for (size_t i = 0; i < t->n_later; i++)
                (void) safe_close(t->later[i].fd);
        for (size_t i = 0; i < ELEMENTSOF(t->mask_fds); i++)
                (void) safe_close(t->mask_fds[i]);
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

        /* Said like this because that is what it comes to: nothing is there, and nothing will be made. */
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
 * The rights to make something in a directory: root's are enough, but where the root belongs to the application. Then
 * what is made there is the application's as well, and make_as_root() must follow.
 */
static int make_as_owner(const Tree *t, int parent_fd) {
        struct stat st;

        if (!root_is_users(t->plan))
                return 0;
        if (fstat(parent_fd, &st) < 0)
                return -errno;

        return st.st_uid == t->uid ? identity_make_as(t->uid, t->gid) : 0;
}

/* Keeps the result of what was done meanwhile. */
static int make_as_root(const Tree *t, int result) {
        int r = root_is_users(t->plan) ? identity_make_as(0, 0) : 0;

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
                                fd = make_directory(t, parent, name, 0755);
                }
                if (fd < 0)
                        return fd;

                (void) safe_close(parent);
                parent = fd;
        }

        return TAKE_FD(parent);
}

/* Kept for the next target, which mostly lies beside this one. */
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

int tree_make_file(Tree *t, const char *target, mode_t mode) {
        const char *name;
        int parent, fd, r;

        parent = tree_open_parent(t, target, &name);
        if (parent < 0)
                return parent;
        r = make_as_owner(t, parent);
        if (r < 0)
                return r;

        fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode);
        return make_as_root(t, fd < 0 ? -errno : fd);
}

int tree_make_symlink(Tree *t, const char *target, const char *text) {
        const char *name;
        int parent, r;

        parent = tree_open_parent(t, target, &name);
        if (parent < 0)
                return parent;
        r = make_as_owner(t, parent);
        if (r < 0)
                return r;

        return make_as_root(t, symlinkat(text, parent, name) < 0 ? -errno : 0);
}

int tree_remove(Tree *t, const char *target) {
        const char *name;
        int parent, r;

        parent = tree_open_parent(t, target, &name);
        if (parent < 0)
                return parent;
        r = make_as_owner(t, parent);
        if (r < 0)
                return r;

        return make_as_root(t, unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -errno : 0);
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

/* Both lie in the first file system until all is done; as mounts they live on when their names are gone. */
static int make_masks(Tree *t) {
        int fd;

        fd = openat(t->scratch_fd, mask_names[0], O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        t->mask_fds[0] = fd;

        if (mkdirat(t->scratch_fd, mask_names[1], 0) < 0)
                return -errno;
        fd = openat(t->scratch_fd, mask_names[1], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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

/* The file system that holds what is made here: names for the most part, and what an overlay takes up. */
static int tree_new_scratch(Tree *t, const PlanNode *overlay, Problem *problem) {
        const uint64_t more = overlay ? overlay->size : 0;
        char size[24], nr_inodes[24];
        const MountOption options[] = {
                { "mode", "0755" }, { "size", size }, { "nr_inodes", nr_inodes }, {}
        };
        int r;

        (void) snprintf(size, sizeof(size), "%llu", (unsigned long long) (ROOT_SIZE + more));
        (void) snprintf(nr_inodes,
                        sizeof(nr_inodes),
                        "%llu",
                        (unsigned long long) (ROOT_INODES + MIN(more / 2048, ROOT_INODES_MORE)));

        t->scratch_fd = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (t->scratch_fd < 0)
                return problem_set(problem, t->scratch_fd, "tmpfs /");
        r = tree_add_own_mount(t, t->scratch_fd);
        return r < 0 ? problem_set(problem, r, "statx /") : 0;
}

static int tree_make_layers(const Tree *t, Problem *problem) {
        static const char *const layers[] = { "lower", "upper", "work" };

        for (size_t i = 0; i < ELEMENTSOF(layers); i++) {
                if (mkdirat(t->scratch_fd, layers[i], 0755) < 0)
                        return problem_set(problem, -errno, "mkdir of the layer %s", layers[i]);
                if (root_is_users(t->plan) &&
                    fchownat(t->scratch_fd, layers[i], t->uid, t->gid, AT_SYMLINK_NOFOLLOW) < 0)
                        return problem_set(problem, -errno, "chown of the layer %s", layers[i]);
        }

        return 0;
}

/*
 * The admin's directory below, and what is made or changed in memory above it. The kernel acts on the layers with the
 * rights of whoever mounts, and must get into a directory that it makes with none: hence the override.
 */
static int tree_mount_overlay(Tree *t, const PlanNode *overlay, Problem *problem) {
        /* Names in the directory we stand in: no path of the host's shows in the table of mounts. */
        static const MountOption options[] = {
                { "lowerdir", "lower" },
                { "upperdir", "upper" },
                { "workdir", "work" },
                { "xino", "off" },
                { "redirect_dir", "nofollow" },
                { "metacopy", "off" },
                { "index", "off" },
                {},
        };
        _cleanup_close_ int lower = -EBADF, fd = -EBADF;
        int r;

        r = tree_make_layers(t, problem);
        if (r < 0)
                return r;

        lower = openat(t->scratch_fd, "lower", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lower < 0)
                return problem_set(problem, -errno, "open of the lower layer");
        r = mount_attach(t->sources->items[0].fd, lower);
        if (r < 0)
                return problem_set(problem, r, "move_mount of %s", overlay->source);

        if (fchdir(t->scratch_fd) < 0)
                return problem_set(problem, -errno, "fchdir");
        r = caps_override_files(true);
        if (r < 0)
                return problem_set(problem, r, "CAP_DAC_OVERRIDE");
        fd = mount_new(
                "overlay", options, mount_attributes(overlay->flags & ~(uint32_t) PLAN_NODE_READ_ONLY));
        r = caps_override_files(false);
        if (fd < 0 || r < 0)
                return problem_set(problem, fd < 0 ? fd : r, "overlay on %s", overlay->source);

        t->root_fd = TAKE_FD(fd);
        r = tree_add_own_mount(t, t->root_fd);
        return r < 0 ? problem_set(problem, r, "statx /") : 0;
}

static int tree_new_root(Tree *t, Problem *problem) {
        const PlanNode *overlay = t->plan->nodes[0].kind == PLAN_NODE_OVERLAY ? &t->plan->nodes[0] : NULL;
        _cleanup_close_ int host = -EBADF;
        int r;

        /* First of all: from here on nothing that is done to this mount table reaches the host's. */
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return problem_set(problem, -errno, "Private mount propagation");

        /* Mounted over the host's root, which every host has, because mounts go only into a tree that is in place. */
        host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (host < 0)
                return problem_set(problem, -errno, "open /");

        r = tree_new_scratch(t, overlay, problem);
        if (r < 0)
                return r;
        r = mount_attach(t->scratch_fd, host);
        if (r < 0)
                return problem_set(problem, r, "move_mount /");
        if (!overlay) {
                t->root_fd = fcntl(t->scratch_fd, F_DUPFD_CLOEXEC, 0);
                return t->root_fd < 0 ? problem_set(problem, -errno, "dup") : 0;
        }

        r = tree_mount_overlay(t, overlay, problem);
        if (r < 0)
                return r;
        r = mount_attach(t->root_fd, host);
        return r < 0 ? problem_set(problem, r, "move_mount /") : 0;
}

static int tree_finish(Tree *t, Problem *problem) {
        int r;

        r = tree_seal(t);
        if (r < 0)
                return problem_set(problem, r, "Owners and read-only file systems");

        if (t->mask_fds[0] >= 0)
                for (size_t i = 0; i < ELEMENTSOF(mask_names); i++)
                        if (unlinkat(t->scratch_fd, mask_names[i], i == 1 ? AT_REMOVEDIR : 0) < 0)
                                return problem_set(problem, -errno, "unlink /%s", mask_names[i]);

        r = plan_root_is_writable(t->plan) ? 0
                                           : mount_restrict(t->root_fd, MOUNT_ATTR_RDONLY, -EBADF, false);
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
        /* The layers of an overlay lie on the old root, and go first. */
        if (t->plan->nodes[0].kind == PLAN_NODE_OVERLAY && umount2(".", MNT_DETACH) < 0)
                return problem_set(problem, -errno, "umount2 of the layers");
        if (umount2(".", MNT_DETACH) < 0)
                return problem_set(problem, -errno, "umount2 of the old root");
        if (chdir("/") < 0)
                return problem_set(problem, -errno, "chdir /");

        return 0;
}

int tree_enter(const Plan *plan, const Sources *sources, uint32_t base, int socket_fd, Problem *problem) {
        _cleanup_(tree_done) Tree t = {
                .plan = plan,
                .sources = sources,
                .root_fd = -EBADF,
                .socket_fd = socket_fd,
                .scratch_fd = -EBADF,
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
