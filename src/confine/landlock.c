/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/landlock.h"

#include "base/text.h"
#include "confine/mountfd.h"
#include "confine/resolve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The kernel's constants, spelled out: the headers of the C library may be older than the running kernel. */
#define CREATE_RULESET_VERSION (1U << 0)
#define RULE_PATH_BENEATH 1
#define RESTRICT_SELF_LOG_SAME_EXEC_OFF (1U << 0)
#define VERSION_OF_LOG_FLAGS 7U

enum {
        ACCESS_EXECUTE = 1U << 0,
        ACCESS_WRITE_FILE = 1U << 1,
        ACCESS_READ_FILE = 1U << 2,
        ACCESS_READ_DIR = 1U << 3,
        ACCESS_REMOVE_DIR = 1U << 4,
        ACCESS_REMOVE_FILE = 1U << 5,
        ACCESS_MAKE_CHAR = 1U << 6,
        ACCESS_MAKE_DIR = 1U << 7,
        ACCESS_MAKE_REG = 1U << 8,
        ACCESS_MAKE_SOCK = 1U << 9,
        ACCESS_MAKE_FIFO = 1U << 10,
        ACCESS_MAKE_BLOCK = 1U << 11,
        ACCESS_MAKE_SYM = 1U << 12,
        ACCESS_REFER = 1U << 13,
        ACCESS_TRUNCATE = 1U << 14,
        ACCESS_IOCTL_DEV = 1U << 15,

        ACCESS_NET_ALL = 1U << 0 | 1U << 1, /* TCP: bind, connect */
        SCOPE_ALL = 1U << 0 | 1U << 1,      /* abstract sockets, signals */
};

#define READ (ACCESS_READ_FILE | ACCESS_READ_DIR)
#define WRITE                                                                                              \
        (ACCESS_WRITE_FILE | ACCESS_TRUNCATE | ACCESS_REMOVE_DIR | ACCESS_REMOVE_FILE | ACCESS_MAKE_CHAR | \
         ACCESS_MAKE_DIR | ACCESS_MAKE_REG | ACCESS_MAKE_SOCK | ACCESS_MAKE_FIFO | ACCESS_MAKE_BLOCK |     \
         ACCESS_MAKE_SYM | ACCESS_REFER)
/* The rights that a rule on anything but a directory may name; the kernel refuses others with EINVAL. */
#define OF_FILES (ACCESS_EXECUTE | ACCESS_WRITE_FILE | ACCESS_READ_FILE | ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)

/* Which version brought what: Linux 5.13, 5.19, 6.2, 6.7, 6.10, 6.12. */
static const struct {
        unsigned version;
        uint64_t fs, net, scope;
} versions[] = {
        { 1, (1U << 13) - 1, 0, 0 }, { 2, ACCESS_REFER, 0, 0 },     { 3, ACCESS_TRUNCATE, 0, 0 },
        { 4, 0, ACCESS_NET_ALL, 0 }, { 5, ACCESS_IOCTL_DEV, 0, 0 }, { 6, 0, 0, SCOPE_ALL },
};

/* struct landlock_ruleset_attr. A kernel accepts a longer one than it knows as long as the rest is 0. */
typedef struct RulesetAttributes {
        uint64_t fs, net, scope;
} RulesetAttributes;

/* struct landlock_path_beneath_attr */
typedef struct PathBeneath {
        uint64_t rights;
        int32_t fd;
} __attribute__((__packed__)) PathBeneath;

static RulesetAttributes attributes_of(unsigned version) {
        RulesetAttributes a = {};

        for (size_t i = 0; i < ELEMENTSOF(versions); i++)
                if (versions[i].version <= version) {
                        a.fs |= versions[i].fs;
                        a.net |= versions[i].net;
                        a.scope |= versions[i].scope;
                }

        return a;
}

int landlock_version(void) {
        const long r = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

        return r < 0 ? -errno : (int) r;
}

uint64_t landlock_rights(unsigned version) { return attributes_of(version).fs; }

typedef enum NodeAccess {
        NODE_ACCESS_NONE,   /* not a mount, so what surrounds it decides */
        NODE_ACCESS_FILE,   /* made by us */
        NODE_ACCESS_MOUNT,  /* as its flags say */
        NODE_ACCESS_DEVICE, /* the same, and the only place where devices work */
        NODE_ACCESS_PROC, /* a mount through which memory can be written that is read-only for its process */
        NODE_ACCESS_QUEUES, /* a mount that mq_open(2) does not go through */
} NodeAccess;

static const NodeAccess node_access[] = {
        [PLAN_NODE_DIRECTORY] = NODE_ACCESS_NONE,
        [PLAN_NODE_SYMLINK] = NODE_ACCESS_NONE,
        [PLAN_NODE_FILE] = NODE_ACCESS_FILE,
        [PLAN_NODE_TMPFS] = NODE_ACCESS_MOUNT,
        [PLAN_NODE_BIND] = NODE_ACCESS_MOUNT,
        [PLAN_NODE_PROC] = NODE_ACCESS_PROC,
        [PLAN_NODE_DEVICE] = NODE_ACCESS_DEVICE,
        [PLAN_NODE_DEVPTS] = NODE_ACCESS_DEVICE,
        [PLAN_NODE_MQUEUE] = NODE_ACCESS_QUEUES,
        [PLAN_NODE_MASK] = NODE_ACCESS_NONE,
        [PLAN_NODE_REMOUNT] = NODE_ACCESS_NONE,
        /* Landlock has no right for connecting to a named socket or sending to it, landlock(7). */
        [PLAN_NODE_SOCKET] = NODE_ACCESS_NONE,
        /*
         * Rules apply to everything below. What this one grants holds everywhere, and only the mounts inside it
         * allow less.
         */
        [PLAN_NODE_OVERLAY] = NODE_ACCESS_MOUNT,
};

_Static_assert(ELEMENTSOF(node_access) == _PLAN_NODE_KIND_MAX, "every kind of node is accounted for");

/* The flags of a mount together with those that later nodes add. */
static uint32_t effective_flags(const Plan *plan, size_t i) {
        const PlanNode *n = &plan->nodes[i];
        uint32_t flags = n->flags;

        for (size_t k = i + 1; k < plan->n_nodes; k++) {
                const PlanNode *later = &plan->nodes[k];

                if (later->kind != PLAN_NODE_REMOUNT)
                        continue;
                if (streq(n->target, later->target) ||
                    (later->flags & PLAN_NODE_RECURSIVE && path_is_below(n->target, later->target)))
                        flags |= later->flags;
        }

        return flags;
}

uint64_t landlock_node_rights(const Plan *plan, size_t i, unsigned version) {
        const PlanNode *n = &plan->nodes[i];
        uint64_t rights = 0;
        uint32_t flags;

        switch (node_access[n->kind]) {
        case NODE_ACCESS_NONE:
                return 0;
        case NODE_ACCESS_FILE:
                return n->mode & 0111 ? ACCESS_EXECUTE : 0;
        case NODE_ACCESS_DEVICE:
                rights = ACCESS_IOCTL_DEV;
                break;
        case NODE_ACCESS_QUEUES:
                /* The kernel opens queues in a mount of its own, which the rule on the root does not reach. */
                rights = READ;
                break;
        case NODE_ACCESS_PROC:
                if (plan->no_exec_memory)
                        return 0;
                break;
        case NODE_ACCESS_MOUNT:
                break;
        }

        flags = effective_flags(plan, i);
        if (!(flags & PLAN_NODE_READ_ONLY))
                rights |= WRITE;
        if (!(flags & PLAN_NODE_NO_EXEC))
                rights |= ACCESS_EXECUTE;

        return rights & landlock_rights(version);
}

static int add_rule(int ruleset_fd, int fd, uint64_t rights) {
        const PathBeneath rule = { .rights = rights, .fd = fd };

        if (syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) < 0)
                return -errno;

        return 0;
}

/* What is missing, covered or exchanged gets no rule: that only makes the wall tighter. */
static int add_node(int ruleset_fd, int root_fd, const PlanNode *n, uint64_t rights) {
        _cleanup_close_ int fd = -EBADF;
        struct statx sx;

        fd = resolve_path(root_fd, n->target, NULL);
        if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES)
                return 0;
        if (fd < 0)
                return fd;

        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &sx) < 0)
                return -errno;
        if (n->kind != PLAN_NODE_FILE && !(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
                return 0;
        if (!S_ISDIR(sx.stx_mode))
                rights &= OF_FILES;

        return rights == 0 ? 0 : add_rule(ruleset_fd, fd, rights);
}

/*
 * A terminal or a named FIFO has a place in a file system and can be reopened as /dev/stdout, for what it is already
 * open for. Other pipes need no rule, and the kernel accepts none for them: EBADFD.
 */
static int add_stream(int ruleset_fd, int fd, unsigned version) {
        static const uint64_t by_mode[] = {
                [O_RDONLY] = ACCESS_READ_FILE,
                [O_WRONLY] = ACCESS_WRITE_FILE | ACCESS_TRUNCATE,
                [O_RDWR] = ACCESS_READ_FILE | ACCESS_WRITE_FILE | ACCESS_TRUNCATE,
        };
        struct stat st;
        int flags, r;

        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fstat(fd, &st) < 0)
                return errno == EBADF ? 0 : -errno;
        if (S_ISDIR(st.st_mode) || (flags & O_ACCMODE) > O_RDWR)
                return 0;

        r = add_rule(ruleset_fd,
                     fd,
                     (by_mode[flags & O_ACCMODE] | (S_ISCHR(st.st_mode) ? ACCESS_IOCTL_DEV : 0U)) &
                             landlock_rights(version));
        return r == -EBADFD ? 0 : r;
}

int landlock_rules(const Plan *plan, unsigned version, Problem *problem) {
        RulesetAttributes attributes = attributes_of(version);
        _cleanup_close_ int ruleset_fd = -EBADF, root_fd = -EBADF;
        int r;

        if (!plan->landlock_no_tcp)
                attributes.net = 0;

        ruleset_fd = (int) syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
        if (ruleset_fd < 0)
                return problem_set(problem, -errno, "landlock_create_ruleset");

        root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return problem_set(problem, -errno, "open /");
        r = add_rule(ruleset_fd, root_fd, READ);
        if (r < 0)
                return problem_set(problem, r, "landlock_add_rule /");

        for (size_t i = 0; i < plan->n_nodes; i++) {
                const uint64_t rights = landlock_node_rights(plan, i, version);

                r = rights == 0 ? 0 : add_node(ruleset_fd, root_fd, &plan->nodes[i], rights);
                if (r < 0)
                        return problem_set(problem, r, "landlock_add_rule %s", plan->nodes[i].target);
        }

        for (int fd = 0; fd <= 2; fd++) {
                r = add_stream(ruleset_fd, fd, version);
                if (r < 0)
                        return problem_set(problem, r, "landlock_add_rule for descriptor %d", fd);
        }

        return TAKE_FD(ruleset_fd);
}

int landlock_enter(int ruleset_fd, unsigned version, Problem *problem) {
        /*
         * landlock_prove() breaks a rule on purpose; the audit log should not report that as an attack (version 7,
         * Linux 6.15).
         */
        const unsigned flags = version >= VERSION_OF_LOG_FLAGS ? RESTRICT_SELF_LOG_SAME_EXEC_OFF : 0;

        if (syscall(SYS_landlock_restrict_self, ruleset_fd, flags) < 0)
                return problem_set(problem, -errno, "landlock_restrict_self");

        return 0;
}

int landlock_prove(Problem *problem) {
        _cleanup_close_ int mount_fd = -EBADF, fd = -EBADF;

        /* An empty file system, mounted nowhere, so that no rule covers it, and open to everybody. */
        mount_fd = mount_new("tmpfs", NULL, 0);
        if (mount_fd < 0)
                return problem_set(problem, mount_fd, "tmpfs");

        fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                return problem_set_difference(problem,
                                              "landlock: what lies outside of the tree can be opened");
        if (errno != EACCES)
                return problem_set(problem, -errno, "landlock: open outside of the tree");

        return 0;
}
