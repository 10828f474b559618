/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/devices.h"

#include "base/strv.h"
#include "base/text.h"
#include "confine/identity.h"
#include "confine/resolve.h"
#include "plan/plan-check.h"
#include "plan/plan-text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

/*
 * Far more than a user has on any machine. The limits are for a /dev gone wrong, since udev alone makes entries
 * there.
 */
#define NODES_MAX 256U
#define DIRECTORIES_MAX 256U
#define ENTRIES_MAX 65536U

/* The devices that are safe for everybody, with the numbers that must be found behind the names. */
/* clang-format off */
static const struct {
        const char *path;
        unsigned major, minor;
} common_devices[] = {
        { "/dev/null",    1, 3 },
        { "/dev/zero",    1, 5 },
        { "/dev/full",    1, 7 },
        { "/dev/random",  1, 8 },
        { "/dev/urandom", 1, 9 },
        { "/dev/tty",     5, 0 },
};
/* clang-format on */

/*
 * Majors of terminals and their screens, Documentation/admin-guide/devices.txt. Whoever holds a terminal that the
 * user has open outside can type there. And major 1, memory, except for the devices above.
 */
static bool leads_out(dev_t device) {
        static const unsigned majors[] = { 1, 2, 3, 4, 5, 7 };
        const unsigned n = major(device);

        for (size_t i = 0; i < ELEMENTSOF(majors); i++)
                if (n == majors[i])
                        return true;

        return n >= 128 && n <= 143; /* pseudo-terminals */
}

/*
 * Whether it may be any kind of terminal, by the word of sysfs. Where nobody named the device, a serial line with a
 * login on it must not be handed out; what sysfs does not know may be one.
 */
static bool may_be_terminal(dev_t device) {
        char path[64], subsystem[PATH_MAX];
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/subsystem", major(device), minor(device));
        n = readlink(path, subsystem, sizeof(subsystem) - 1);
        if (n <= 0)
                return true;
        subsystem[n] = '\0';

        return streq(strrchr(subsystem, '/') ?: "", "/tty");
}

/*
 * devtmpfs and devpts do not support idmapped mounts, so with other ids than outside only the rights of everybody
 * are left.
 */
static bool is_carried(const Plan *plan, mode_t mode) {
        const mode_t everyone = S_IROTH | S_IWOTH;

        return plan->private_users != PRIVATE_USERS_PICK || (mode & everyone) == everyone;
}

/*
 * A device named by the profile: it takes the user's right to read and write it outside, with the ids that count
 * inside.
 */
static int
check_allowed(int fd, const Plan *plan, const PlanNode *n, const struct stat *st, Problem *problem) {
        if (leads_out(st->st_rdev))
                return problem_set(problem, -EPERM, "Device %s leads out of the sandbox", n->source);
        if (faccessat(fd, "", R_OK | W_OK, AT_EACCESS | AT_EMPTY_PATH) < 0)
                return problem_set(problem, -errno, "%s", n->source);

        if (!is_carried(plan, st->st_mode))
                return problem_set_layer(
                        problem,
                        -EOPNOTSUPP,
                        "idmap: device %s is not for everyone, and PrivateUsers=pick carries no other right to it",
                        n->source);

        return 0;
}

int devices_check(int fd, const Plan *plan, const PlanNode *n, const struct stat *st, Problem *problem) {
        if (!S_ISCHR(st->st_mode))
                return problem_set(problem, -ENODEV, "%s is no character device", n->source);

        for (size_t i = 0; i < ELEMENTSOF(common_devices); i++)
                if (streq(common_devices[i].path, n->source))
                        return st->st_rdev == makedev(common_devices[i].major, common_devices[i].minor)
                                       ? 0
                                       : problem_set(problem, -ENODEV, "%s is another device", n->source);

        if (n->flags & PLAN_NODE_AS_USER)
                return check_allowed(fd, plan, n, st, problem);

        return problem_set(
                problem, -EPERM, "Device %s is not one of those that everyone may have", n->source);
}

/* The walk through /dev. Directories wait in a list, so that the depth of the tree costs no stack. */
typedef struct Search {
        const Plan *plan;
        Problem *problem;
        int root_fd;
        dev_t file_system; /* of /dev; other file systems mounted there hold no device nodes of the machine's */
        char **directories;
        size_t n_entries;

        PlanNode nodes[NODES_MAX];
        size_t n_nodes;
} Search;

static void search_done(Search *s) {
        (void) strv_free(s->directories);
        (void) safe_close(s->root_fd);
        for (size_t i = 0; i < s->n_nodes; i++) {
                free(s->nodes[i].source);
                free(s->nodes[i].target);
        }
}

static int search_add_node(Search *s, PlanNode node) {
        PlanNode *n;

        if (s->n_nodes >= NODES_MAX)
                return problem_set(s->problem, -E2BIG, "More than %u devices in /dev", NODES_MAX);

        n = &s->nodes[s->n_nodes++];
        *n = node;
        n->target = strdup(node.target);
        n->source = node.source ? strdup(node.source) : NULL;

        return n->target && !n->source == !node.source ? 0
                                                       : problem_set(s->problem, -ENOMEM, "%s", node.target);
}

/* A mask or remount needs something to be there, so it is not what makes it. */
static bool has_target(const PlanNode *nodes, size_t n, const char *path) {
        for (size_t i = 0; i < n; i++)
                if (nodes[i].kind != PLAN_NODE_MASK && nodes[i].kind != PLAN_NODE_REMOUNT &&
                    streq(nodes[i].target, path))
                        return true;

        return false;
}

/* Adds "/dev/bus" and "/dev/bus/usb" for "/dev/bus/usb/001", unless they are there already. */
static int search_add_parents(Search *s, const char *path) {
        char parent[PATH_MAX];

        for (const char *slash = strchr(path + strlen("/dev/"), '/'); slash;
             slash = strchr(slash + 1, '/')) {
                int r;

                (void) snprintf(parent, sizeof(parent), "%.*s", (int) (slash - path), path);
                if (has_target(s->nodes, s->n_nodes, parent))
                        continue;
                r = search_add_node(
                        s, (PlanNode){ .kind = PLAN_NODE_DIRECTORY, .target = parent, .mode = 0755 });
                if (r < 0)
                        return r;
        }

        return 0;
}

static int search_see_directory(Search *s, const char *path, const struct stat *st) {
        if (st->st_dev != s->file_system)
                return 0;
        if (strv_length(s->directories) >= DIRECTORIES_MAX)
                return problem_set(s->problem, -E2BIG, "More than %u directories in /dev", DIRECTORIES_MAX);

        return strv_extend(&s->directories, path) < 0 ? problem_set(s->problem, -ENOMEM, "%s", path) : 0;
}

static int
search_see_device(Search *s, int dir_fd, const char *name, const char *path, const struct stat *st) {
        int r;

        if (has_target(s->plan->nodes, s->plan->n_nodes, path) || plan_device_is_forbidden(path) ||
            leads_out(st->st_rdev) || may_be_terminal(st->st_rdev) || !is_carried(s->plan, st->st_mode) ||
            faccessat(dir_fd, name, R_OK | W_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) < 0)
                return 0;

        r = search_add_parents(s, path);
        return r < 0 ? r
                     : search_add_node(s,
                                       (PlanNode){
                                               .kind = PLAN_NODE_DEVICE,
                                               .source = (char *) path,
                                               .target = (char *) path,
                                               .flags = PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC |
                                                        PLAN_NODE_AS_USER | PLAN_NODE_OPTIONAL,
                                       });
}

static int search_see(Search *s, int dir_fd, const char *directory, const char *name) {
        char path[PATH_MAX];
        struct stat st;
        int n;

        if (streq(name, ".") || streq(name, ".."))
                return 0;
        if (++s->n_entries > ENTRIES_MAX)
                return problem_set(s->problem, -E2BIG, "More than %u files in /dev", ENTRIES_MAX);

        n = snprintf(path, sizeof(path), "%s/%s", directory, name);
        if (n < 0 || (size_t) n >= sizeof(path) || !plan_path_is_valid(path))
                return 0;
        /* It may be gone again, or hidden from the user. */
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;

        return S_ISDIR(st.st_mode)   ? search_see_directory(s, path, &st)
               : S_ISCHR(st.st_mode) ? search_see_device(s, dir_fd, name, path, &st)
                                     : 0;
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* A directory that the user may not list has nothing in it for them. */
static int search_directory(Search *s, const char *path) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_close_ int place = -EBADF, fd = -EBADF;
        struct dirent *entry;
        int r = 0;

        place = resolve_path(s->root_fd, path, NULL);
        fd = place < 0 ? -EBADF : openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        d = fdopendir(fd);
        if (!d)
                return problem_set(s->problem, -errno, "%s", path);
        (void) TAKE_FD(fd); /* the stream's now */

        while (r >= 0 && (entry = readdir(d)))
                r = search_see(s, dirfd(d), path, entry->d_name);

        return r;
}

static int search_run(Search *s) {
        struct stat st;
        int r;

        s->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->root_fd < 0 || stat("/dev", &st) < 0)
                return problem_set(s->problem, -errno, "/dev");

        s->file_system = st.st_dev;
        r = search_see_directory(s, "/dev", &st);
        for (size_t i = 0; r >= 0 && i < strv_length(s->directories); i++)
                r = search_directory(s, s->directories[i]);

        return r;
}

/* After the file system they go into, before whatever changes or covers a part of it. */
static int insert_nodes(Plan *plan, Search *s) {
        size_t at = 0;
        PlanNode *grown;

        while (at < plan->n_nodes && !plan_node_is_dev(&plan->nodes[at]))
                at++;
        if (at == plan->n_nodes)
                return problem_set(s->problem, -EBADMSG, "The plan has no /dev");
        at++;

        grown = reallocarray(plan->nodes, plan->n_nodes + s->n_nodes, sizeof(*grown));
        if (!grown)
                return problem_set(s->problem, -ENOMEM, "/dev");
        plan->nodes = grown;

        memmove(&grown[at + s->n_nodes], &grown[at], (plan->n_nodes - at) * sizeof(*grown));
        memcpy(&grown[at], s->nodes, s->n_nodes * sizeof(*grown));
        plan->n_nodes += s->n_nodes;
        s->n_nodes = 0; /* the plan's now */
        return 0;
}

int devices_add(Plan *plan, Problem *problem) {
        _cleanup_(search_done) Search s = { .plan = plan, .problem = problem, .root_fd = -EBADF };
        Identity root = {};
        int r;

        if (!plan->host_devices)
                return 0;

        r = identity_borrow(plan, &root, problem);
        if (r < 0)
                return r;
        r = identity_return(&root, search_run(&s), problem);
        if (r < 0)
                return r;

        return insert_nodes(plan, &s);
}
