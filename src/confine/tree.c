/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/tree.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/caps.h"
#include "confine/identity.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"
#include "confine/tree-place.h"
#include "confine/tree-proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define ROOT_SIZE (UINT64_C(4) * 1024 * 1024)
#define ROOT_INODES UINT64_C(16384)

/*
 * All instances of devpts but the host's share kernel.pty.max less kernel.pty.reserve, 3072 unless it was changed:
 * without a bound of its own one sandbox could take them all. As it is, a user with the usual 32 sandboxes leaves two
 * thirds to the others.
 */
#define DEVPTS_MAX "32"

/* Where a plan gives a tmpfs no size, it is meant to hold names, not data. */
#define TMPFS_SIZE_LEAST (UINT64_C(1) << 20)
#define TMPFS_INODES_LEAST UINT64_C(4096)
#define TMPFS_INODES_MOST (UINT64_C(1) << 22)

/*
 * Four for each page: a file with contents takes up one at least, but links, directories and empty files, of which
 * trees of packages are full, take up none. An inode is about 1 KiB of the kernel's memory, which counts as the
 * sandbox's.
 */
#define BYTES_PER_INODE 1024

static int make_directory(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = tree_make_directory(t, n->target, (mode_t) n->mode);
        if (fd >= 0) {
                /* mkdir(2) ignores set-id bits, and fchmod(2) refuses a descriptor with O_PATH. */
                _cleanup_close_ int opened = -EBADF;

                if (n->mode & (S_ISUID | S_ISGID)) {
                        opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                        if (opened < 0 || fchmod(opened, n->mode) < 0)
                                return -errno;
                }
                return tree_add_later(t, TAKE_FD(fd), 0, n->flags & PLAN_NODE_OWNED);
        }

        /* It exists, or must not be made here; then it has to exist. */
        if (fd == -EEXIST || fd == -ENOENT)
                fd = tree_open(t, n->target);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;

        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int make_symlink(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];

        return tree_make_symlink(t, n->target, n->source);
}

static int make_file(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        _cleanup_close_ int fd = -EBADF;
        int r;

        /*
         * Only RootDirectory= can bring a file of that name. The layer in memory then hides it; the admin's
         * directory keeps it.
         */
        r = tree_remove(t, n->target);
        if (r < 0)
                return r;
        fd = tree_make_file(t, n->target, (mode_t) n->mode);
        if (fd < 0)
                return fd;
        r = fd_write_full(fd, n->data, strlen(n->data));
        if (r < 0)
                return r;

        if (n->flags & PLAN_NODE_OWNED && fchown(fd, t->uid, t->gid) < 0)
                return -errno;

        return 0;
}

static int make_tmpfs(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        const uint64_t bytes = MAX(n->size, TMPFS_SIZE_LEAST);
        const uint64_t inodes = MIN(MAX(bytes / BYTES_PER_INODE, TMPFS_INODES_LEAST), TMPFS_INODES_MOST);
        char size[24], nr_inodes[24], mode[16];
        const MountOption options[] = { { "size", size }, { "nr_inodes", nr_inodes }, { "mode", mode }, {} };
        uint64_t attributes = mount_attributes(n->flags) | MOUNT_ATTR_NODEV;
        _cleanup_close_ int fd = -EBADF;
        int r;

        (void) snprintf(size, sizeof(size), "%llu", (unsigned long long) bytes);
        (void) snprintf(nr_inodes, sizeof(nr_inodes), "%llu", (unsigned long long) inodes);
        (void) snprintf(mode, sizeof(mode), "%o", n->mode);

        /* Not read-only yet: what belongs in it must come first. */
        fd = mount_new("tmpfs", options, attributes & ~(uint64_t) MOUNT_ATTR_RDONLY);
        if (fd < 0)
                return fd;
        r = tree_add_own_mount(t, fd);
        if (r < 0)
                return r;
        r = tree_attach(t, fd, n->target, true);
        if (r < 0)
                return r;

        return tree_add_later(t, TAKE_FD(fd), attributes & MOUNT_ATTR_RDONLY, n->flags & PLAN_NODE_OWNED);
}

/* BIND and DEVICE: the mount is ready, with all of its attributes. */
static int make_bind(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        const Source *source = &t->sources->items[i];

        int r;

        if (n->flags & PLAN_NODE_ABSENT)
                return 0;

        r = tree_attach(t, source->fd, n->target, source->is_directory);
        for (size_t k = 0; k < source->n_submounts && r >= 0; k++) {
                _cleanup_free_ char *target = text_printf("%s%s", n->target, source->submounts[k].path);

                r = target ? tree_attach(t, source->submounts[k].fd, target, true) : -ENOMEM;
        }

        /* A help, and not a part of the plan: where something stands already there is no such name. */
        if (r >= 0 && source->place)
                (void) tree_make_symlink(t, source->place, n->target);

        return r;
}

/* A file system of the kernel's at the node's target. */
static int
attach_new(Tree *t, const PlanNode *n, const char *type, const MountOption *options, uint64_t attributes) {
        _cleanup_close_ int fd = -EBADF;

        fd = mount_new(type, options, mount_attributes(n->flags) | attributes);
        return fd < 0 ? fd : tree_attach(t, fd, n->target, true);
}

static int make_devpts(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        char mode[16];
        const MountOption options[] = {
                { "mode", mode }, { "ptmxmode", "0666" }, { "max", DEVPTS_MAX }, {}
        };

        (void) snprintf(mode, sizeof(mode), "%04o", n->mode ?: 0600U);
        return attach_new(t, n, "devpts", options, MOUNT_ATTR_NOEXEC);
}

static int make_mqueue(Tree *t, size_t i) {
        return attach_new(t, &t->plan->nodes[i], "mqueue", NULL, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* Looked up here, and hidden last of all: see tree-mask.h. */
static int make_mask(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        char place[PATH_MAX];
        int target;

        target = resolve_place(t->root_fd, n->target, place, NULL);
        if ((target == -ENOENT || target == -ENOTDIR) && n->flags & PLAN_NODE_OPTIONAL)
                return 0;
        if (target < 0)
                return target;

        return tree_masks_add(&t->masks, target, place);
}

static bool is_on_root(const Tree *t, int fd) {
        uint64_t root_id, id;

        return mount_identify(t->root_fd, &root_id, NULL) < 0 || mount_identify(fd, &id, NULL) < 0 ||
               root_id == id;
}

static int make_remount(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        _cleanup_close_ int target = -EBADF, copy = -EBADF;
        int r;

        r = tree_seal(t);
        if (r < 0)
                return r;

        target = tree_open(t, n->target);
        if ((target == -ENOENT || target == -ENOTDIR) && n->flags & PLAN_NODE_OPTIONAL)
                return 0;
        if (target < 0)
                return target;

        r = tree_add_attributes(target, mount_attributes(n->flags), n->flags & PLAN_NODE_RECURSIVE);
        if (r < 0 || plan_root_is_writable(t->plan) || !is_on_root(t, target))
                return r;

        /* The root becomes read-only last of all. In this part of it nothing will be made, so it can be so already. */
        copy = tree_open(t, n->target);
        return copy < 0 ? copy : mount_restrict(copy, MOUNT_ATTR_RDONLY, -EBADF, false);
}

/*
 * By its bare name, from its directory. An address holds fewer bytes than a path may have (108, unix(7)), and
 * getsockname(2) will show no more than this.
 */
static int make_socket(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *name;
        int parent;

        parent = tree_open_parent(t, n->target, &name);
        if (parent < 0)
                return parent;
        if (strlen(name) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);

        if (fchdir(parent) < 0 ||
            bind(t->socket_fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;

        /* The umask has been applied to it. */
        return fchmodat(parent, name, (mode_t) n->mode, 0) < 0 ? -errno : 0;
}

/* Made together with the root, on which all else stands. */
static int make_overlay(Tree *t, size_t i) { return i == 0 ? 0 : -EINVAL; }

/* clang-format off */
static const struct {
        const char *verb; /* for errors: "bind /srv/data: No such file or directory" */
        int (*make)(Tree *t, size_t i);
} kinds[] = {
        [PLAN_NODE_DIRECTORY] = { "mkdir",   make_directory },
        [PLAN_NODE_SYMLINK]   = { "symlink", make_symlink   },
        [PLAN_NODE_FILE]      = { "file",    make_file      },
        [PLAN_NODE_TMPFS]     = { "tmpfs",   make_tmpfs     },
        [PLAN_NODE_BIND]      = { "bind",    make_bind      },
        [PLAN_NODE_PROC]      = { "proc",    tree_make_proc      },
        [PLAN_NODE_DEVICE]    = { "device",  make_bind      },
        [PLAN_NODE_DEVPTS]    = { "devpts",  make_devpts    },
        [PLAN_NODE_MQUEUE]    = { "mqueue",  make_mqueue    },
        [PLAN_NODE_MASK]      = { "mask",    make_mask      },
        [PLAN_NODE_REMOUNT]   = { "remount", make_remount   },
        [PLAN_NODE_OVERLAY]   = { "overlay", make_overlay   },
        [PLAN_NODE_SOCKET]    = { "socket",  make_socket    },
};
/* clang-format on */

_Static_assert(ELEMENTSOF(kinds) == _PLAN_NODE_KIND_MAX, "every kind of node is made here");

static int tree_make_node(Tree *t, size_t i, const char **ret_verb) {
        const uint8_t kind = t->plan->nodes[i].kind;

        if (kind >= ELEMENTSOF(kinds))
                return -EINVAL;

        *ret_verb = kinds[kind].verb;
        return kinds[kind].make(t, i);
}

/* The file system that holds what is made here: mostly names, and what an overlay takes up. */
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
                        (unsigned long long) (ROOT_INODES + MIN(more / BYTES_PER_INODE, TMPFS_INODES_MOST)));

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
                if (tree_root_is_users(t) &&
                    fchownat(t->scratch_fd, layers[i], t->uid, t->gid, AT_SYMLINK_NOFOLLOW) < 0)
                        return problem_set(problem, -errno, "chown of the layer %s", layers[i]);
        }

        return 0;
}

/*
 * The admin's directory below, and above it, in memory, what is made or changed. The kernel works on the layers with
 * the rights of whoever mounted them, and has to enter a directory that it makes there without any permission. Hence
 * the override.
 */
static int tree_mount_overlay(Tree *t, const PlanNode *overlay, Problem *problem) {
        /* Relative names, so that no path of the host shows in the mount table. */
        static const MountOption options[] = {
                { "lowerdir", "lower" },
                { "upperdir", "upper" },
                { "workdir", "work" },
                /*
                 * Said, because the kernel's build and its module parameters choose the defaults. A redirect or a
                 * metacopy in a layer stands for another file, and overlayfs.rst warns of following those in layers
                 * that somebody else has made.
                 */
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

        /* First of all: from here on nothing done to this mount table reaches the host's. */
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return problem_set(problem, -errno, "Private mount propagation");

        /*
         * Mounted over the host's root, which every host has. Before Linux 6.15 move_mount(2) attaches nothing to a
         * tree that is detached itself, so the new root has to be in place first.
         */
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
                t->root_fd = fd_duplicate(t->scratch_fd);
                return t->root_fd < 0 ? problem_set(problem, t->root_fd, "dup") : 0;
        }

        r = tree_mount_overlay(t, overlay, problem);
        if (r < 0)
                return r;
        r = mount_attach(t->root_fd, host);
        return r < 0 ? problem_set(problem, r, "move_mount /") : 0;
}

static int refuse_node(const Tree *t, const PlanNode *n, const char *verb, int error, Problem *problem) {
        char link[PATH_MAX + 64];

        if (error == -EPERM &&
            resolve_refused_link(t->root_fd, n->target, t->uid, t->plan->uid, link, sizeof(link)))
                return problem_set(
                        problem, error, "%s %s: %s, which is not followed", verb, n->target, link);

        return problem_set(problem, error, "%s %s", verb, n->target);
}

static int tree_finish(Tree *t, Problem *problem) {
        int r;

        r = tree_seal(t);
        if (r < 0)
                return problem_set(problem, r, "Owners and read-only file systems");

        r = tree_masks_finish(&t->masks, t->scratch_fd);
        if (r < 0)
                return problem_set(problem, r, "Masks");

        r = plan_root_is_writable(t->plan) ? 0
                                           : mount_restrict(t->root_fd, MOUNT_ATTR_RDONLY, -EBADF, false);
        if (r < 0)
                return problem_set(problem, r, "Read-only /");

        return 0;
}

/* As in pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and is unmounted there. */
static int tree_pivot(const Tree *t, Problem *problem) {
        if (fchdir(t->root_fd) < 0)
                return problem_set(problem, -errno, "fchdir");
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return problem_set(problem, -errno, "pivot_root");
        /* The layers of an overlay are mounted on the old root, and go first. */
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
                        return refuse_node(&t, &plan->nodes[i], verb, r, problem);
        }

        r = tree_finish(&t, problem);
        if (r < 0)
                return r;

        return tree_pivot(&t, problem);
}
