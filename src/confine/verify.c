/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/verify.h"

#include "base/fd.h"
#include "base/strv.h"
#include "confine/identity.h"
#include "confine/label.h"
#include "confine/rlimits.h"
#include "confine/verify-mounts.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define PROC_FILE_MAX (64U * 1024)

/* clang-format off */
static const struct {
        const char *file;  /* in /proc/PID */
        const char *layer; /* as status shows it */
} namespaces[_NAMESPACE_MAX] = {
        [NAMESPACE_USER]    = { "ns/user",   "userns"   },
        [NAMESPACE_PID]     = { "ns/pid",    "pidns"    },
        [NAMESPACE_MOUNT]   = { "ns/mnt",    "mntns"    },
        [NAMESPACE_NETWORK] = { "ns/net",    "netns"    },
        [NAMESPACE_IPC]     = { "ns/ipc",    "ipcns"    },
        [NAMESPACE_UTS]     = { "ns/uts",    "utsns"    },
        [NAMESPACE_CGROUP]  = { "ns/cgroup", "cgroupns" },
};
/* clang-format on */

/* What is being verified: one process at a time. */
typedef struct Subject {
        const Verification *v;
        pid_t pid;
        pid_t parent; /* 0: does not matter */
        bool is_application;
        int proc_fd;
} Subject;

/* The value of "Name:" in the text of /proc/PID/status, up to the end of its line. */
static const char *status_value(const char *status, const char *name, size_t *ret_size) {
        const size_t n = strlen(name);

        for (const char *p = status; p && *p != '\0'; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
                if (strncmp(p, name, n) == 0 && p[n] == ':') {
                        p += n + 1;
                        p += strspn(p, "\t ");
                        *ret_size = strcspn(p, "\n");
                        while (*ret_size > 0 && p[*ret_size - 1] == ' ')
                                (*ret_size)--;
                        return p;
                }

        return NULL;
}

static unsigned status_count(const char *status, const char *name) {
        const char *value;
        size_t n;

        value = status_value(status, name, &n);
        return value ? (unsigned) strtoul(value, NULL, 10) : 0;
}

static int status_compare(const Subject *s, const char *status, const char *name, const char *expected) {
        const char *value;
        size_t n = 0;

        value = status_value(status, name, &n);
        if (!value)
                return problem_set_difference(s->v->problem, "%s is not shown by this kernel", name);
        if (n != strlen(expected) || strncmp(value, expected, n) != 0)
                return problem_set_difference(s->v->problem,
                                              "%s is \"%.*s\", not \"%s\"",
                                              name,
                                              (int) MIN(n, 100U),
                                              value,
                                              expected);

        return 0;
}

static int compare_gids(const void *a, const void *b) {
        const gid_t x = *(const gid_t *) a, y = *(const gid_t *) b;

        return x < y ? -1 : x > y;
}

/* The kernel keeps groups sorted, and shows them so. */
static int groups_compare(const Subject *s, const char *status) {
        const Plan *p = s->v->plan;
        _cleanup_free_ gid_t *gids = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f;
        int r;

        gids = calloc(p->n_groups + 1, sizeof(*gids));
        if (!gids)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_groups; i++) {
                r = identity_outside(p->gid_map, p->n_gid_map, s->v->base, p->groups[i], &gids[i]);
                if (r < 0)
                        return r;
        }
        qsort(gids, p->n_groups, sizeof(*gids), compare_gids);

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_groups; i++)
                (void) fprintf(f, "%s%u", i > 0 ? " " : "", gids[i]);
        if (fclose(f) != 0)
                return -ENOMEM;

        return status_compare(s, status, "Groups", text);
}

static int ids_compare(const Subject *s, const char *status) {
        const Plan *p = s->v->plan;
        char expected[64];
        uint32_t uid, gid;
        int r;

        if (identity_outside(p->uid_map, p->n_uid_map, s->v->base, p->uid, &uid) < 0 ||
            identity_outside(p->gid_map, p->n_gid_map, s->v->base, p->gid, &gid) < 0)
                return problem_set_difference(s->v->problem, "The user's own ids are not mapped");

        (void) snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", uid, uid, uid, uid);
        r = status_compare(s, status, "Uid", expected);
        if (r < 0)
                return r;
        (void) snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", gid, gid, gid, gid);
        r = status_compare(s, status, "Gid", expected);
        if (r < 0)
                return r;

        return groups_compare(s, status);
}

static int capabilities_compare(const Subject *s, const char *status) {
        const uint64_t bounding = s->is_application ? s->v->plan->bounding_set : 0;
        const uint64_t ambient = s->is_application ? s->v->plan->ambient_set : 0;
        const struct {
                const char *name;
                uint64_t set;
        } sets[] = {
                { "CapInh", ambient },  { "CapPrm", ambient }, { "CapEff", ambient },
                { "CapBnd", bounding }, { "CapAmb", ambient },
        };

        for (size_t i = 0; i < ELEMENTSOF(sets); i++) {
                char expected[24];
                int r;

                (void) snprintf(expected, sizeof(expected), "%016llx", (unsigned long long) sets[i].set);
                r = status_compare(s, status, sets[i].name, expected);
                if (r < 0)
                        return r;
        }

        return 0;
}

/*
 * One filter more than we run under ourselves. Mode 2 alone would also be true if it had only inherited the
 * keeper's.
 */
static int filter_compare(const Subject *s, const char *status) {
        char expected[16];
        int r;

        if (!s->is_application || s->v->plan->n_seccomp == 0)
                return 0;

        r = status_compare(s, status, "Seccomp", "2");
        if (r < 0)
                return r;

        (void) snprintf(expected, sizeof(expected), "%u", s->v->host->n_filters + 1);
        return status_compare(s, status, "Seccomp_filters", expected);
}

static int verify_status(const Subject *s) {
        static int (*const checks[])(const Subject *s, const char *status) = {
                ids_compare,
                capabilities_compare,
                filter_compare,
        };
        _cleanup_free_ char *status = NULL;
        int r;

        r = file_read_full(s->proc_fd, "status", PROC_FILE_MAX, &status, NULL);
        if (r < 0)
                return problem_set(s->v->problem, r, "/proc/%d/status", s->pid);

        if (s->parent != 0 && status_count(status, "PPid") != (unsigned) s->parent)
                return problem_set_difference(
                        s->v->problem, "Process %d is no child of the sandbox's init", s->pid);

        r = status_compare(s, status, "NoNewPrivs", "1");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(checks); i++)
                r = checks[i](s, status);

        return r;
}

static int verify_map(const Subject *s, const char *file, const PlanIdMap *map, size_t n) {
        _cleanup_free_ char *text = NULL;
        size_t n_lines = 0, n_found = 0;
        char *rest = NULL;
        int r;

        r = file_read_full(s->proc_fd, file, PROC_FILE_MAX, &text, NULL);
        if (r < 0)
                return problem_set(s->v->problem, r, "/proc/%d/%s", s->pid, file);

        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                unsigned long inside, outside, count;
                char *end;

                inside = strtoul(line, &end, 10);
                outside = strtoul(end, &end, 10);
                count = strtoul(end, &end, 10);

                n_lines++;
                for (size_t i = 0; i < n; i++)
                        n_found += map[i].inside == inside &&
                                   (uint64_t) map[i].outside + s->v->base == outside &&
                                   map[i].count == count;
        }

        if (n_lines != n || n_found != n)
                return problem_set_difference(s->v->problem, "%s differs from the plan", file);

        return 0;
}

static int verify_maps(const Subject *s) {
        _cleanup_free_ char *setgroups = NULL;
        int r;

        r = verify_map(s, "uid_map", s->v->plan->uid_map, s->v->plan->n_uid_map);
        if (r < 0)
                return r;
        r = verify_map(s, "gid_map", s->v->plan->gid_map, s->v->plan->n_gid_map);
        if (r < 0)
                return r;

        r = file_read_line(s->proc_fd, "setgroups", &setgroups);
        if (r < 0)
                return problem_set(s->v->problem, r, "/proc/%d/setgroups", s->pid);
        if (!streq(setgroups, "deny"))
                return problem_set_difference(s->v->problem, "setgroups is not denied");

        return 0;
}

/* The user namespace that owns a namespace, ioctl_ns(2). */
static int owner_of(int fd, ino_t *ret) {
        _cleanup_close_ int owner = -EBADF;
        struct stat st;

        owner = ioctl(fd, NS_GET_USERNS);
        if (owner < 0 || fstat(owner, &st) < 0)
                return -errno;

        *ret = st.st_ino;
        return 0;
}

/* ioctl_ns(2): whom the kernel charges with what it counts of the sandbox, and who has every capability over it. */
static int verify_owner(const Subject *s, int user_fd) {
        uid_t owner;

        if (ioctl(user_fd, NS_GET_OWNER_UID, &owner) < 0)
                return problem_set(s->v->problem, -errno, "Owner of ns/user");
        if (owner != s->v->owner)
                return problem_set_difference(
                        s->v->problem, "ns/user belongs to user %u, not %u", owner, s->v->owner);

        return 0;
}

/*
 * All seven differ from ours. The mount namespace belongs to the sandbox's user namespace and was copied from one
 * that does not, which locks it. The other five belong to ours, so that no capability inside counts for them.
 */
static int verify_namespaces(const Subject *s) {
        ino_t user = 0;

        for (Namespace i = 0; i < _NAMESPACE_MAX; i++) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;
                ino_t owner = 0;
                int r;

                fd = openat(s->proc_fd, namespaces[i].file, O_RDONLY | O_CLOEXEC);
                if (fd < 0 || fstat(fd, &st) < 0)
                        return problem_set(s->v->problem, -errno, "/proc/%d/%s", s->pid, namespaces[i].file);

                if (st.st_ino == s->v->host->namespaces[i])
                        return problem_set_difference(s->v->problem, "%s is the host's", namespaces[i].file);

                r = owner_of(fd, &owner);
                if (r < 0)
                        return problem_set(s->v->problem, r, "Owner of %s", namespaces[i].file);

                if (i == NAMESPACE_USER)
                        user = st.st_ino;
                if (owner != (i == NAMESPACE_MOUNT ? user : s->v->host->namespaces[NAMESPACE_USER]))
                        return problem_set_difference(
                                s->v->problem, "%s belongs to the wrong user namespace", namespaces[i].file);

                r = i == NAMESPACE_USER ? verify_owner(s, fd) : 0;
                if (r < 0)
                        return r;
        }

        return 0;
}

static int verify_cgroup(const Subject *s) {
        _cleanup_free_ char *cgroups = NULL;
        int r;

        r = file_read_full(s->proc_fd, "cgroup", PROC_FILE_MAX, &cgroups, NULL);
        if (r < 0)
                return problem_set(s->v->problem, r, "/proc/%d/cgroup", s->pid);
        if (!streq(cgroups, s->v->host->cgroups))
                return problem_set_difference(s->v->problem, "The process has left its cgroup");

        return 0;
}

static int verify_rlimits(const Subject *s) {
        _cleanup_free_ char *limits = NULL;
        int r;

        r = file_read_full(s->proc_fd, "limits", PROC_FILE_MAX, &limits, NULL);
        if (r < 0)
                return problem_set(s->v->problem, r, "/proc/%d/limits", s->pid);

        return rlimits_compare(s->v->plan, limits, s->v->problem);
}

/*
 * The context that execve(2) will set. AppArmor tells no other process what one has requested: that process reads it
 * back itself, and the kernel fails an execve(2) that cannot honour it.
 */
static int verify_label(const Subject *s) {
        _cleanup_close_ int fd = -EBADF;

        if (!s->v->layers->selinux)
                return 0;

        fd = openat(s->proc_fd, "attr", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return problem_set(s->v->problem, -errno, "/proc/%d/attr", s->pid);

        return label_check(LABEL_SELINUX, fd, s->v->plan->selinux_context, s->v->problem);
}

static int verify_tree(const Subject *s) { return verify_mounts(s->v->plan, s->proc_fd, s->v->problem); }

static int verify_process(Subject *s) {
        static const struct {
                int (*verify)(const Subject *s);
                bool application_only;
        } checks[] = {
                { verify_status, false },
                { verify_cgroup, false },
                /*
                 * The init stays undumpable, so its namespaces cannot be seen. But the application is its child, and
                 * nothing between the fork and here could have changed them.
                 */
                { verify_maps, true },
                { verify_namespaces, true },
                { verify_rlimits, true },
                { verify_tree, true },
                { verify_label, true },
        };
        _cleanup_close_ int proc_fd = -EBADF;
        char path[32];
        int r;

        /* The directory stays that of this process, whoever gets the number next. */
        (void) snprintf(path, sizeof(path), "/proc/%d", s->pid);
        proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc_fd < 0)
                return problem_set(s->v->problem, -errno, "%s", path);
        s->proc_fd = proc_fd;

        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                if (checks[i].application_only && !s->is_application)
                        continue;
                r = checks[i].verify(s);
                if (r < 0)
                        return r;
        }

        return 0;
}

int verify_init(const Verification *v, pid_t leader) {
        return verify_process(&(Subject){ .v = v, .pid = leader, .proc_fd = -EBADF });
}

int verify_application(const Verification *v, pid_t leader, pid_t main) {
        return verify_process(&(Subject){
                .v = v,
                .pid = main,
                .parent = leader != main ? leader : 0,
                .is_application = true,
                .proc_fd = -EBADF,
        });
}

static bool plan_has_idmap(const Plan *plan) {
        for (size_t i = 0; i < plan->n_nodes; i++)
                if (plan->nodes[i].flags & PLAN_NODE_IDMAP)
                        return true;

        return false;
}

void verify_enforced(const Plan *plan, const Layers *layers, char *text, size_t size) {
        const struct {
                const char *layer;
                bool enforced;
        } others[] = {
                { "locked-mounts", true },
                { "read-only-root", !plan_root_is_writable(plan) },
                { "idmap", plan_has_idmap(plan) },
                { "capabilities", true },
                { "no-new-privileges", true },
                { "seccomp", plan->n_seccomp > 0 },
                { "rlimits", plan->n_rlimits > 0 },
                { "landlock", layers->landlock > 0 },
                { "apparmor", layers->apparmor },
                { "selinux", layers->selinux },
                { "memfd-noexec", layers->memory != MEMORY_WALL_NONE },
                { "proc-mem", plan->no_exec_memory && layers->landlock > 0 },
        };
        size_t n = 0;

        for (size_t i = 0; i < _NAMESPACE_MAX && n < size; i++)
                n += (size_t) snprintf(text + n, size - n, "%s%s", i > 0 ? " " : "", namespaces[i].layer);
        for (size_t i = 0; i < ELEMENTSOF(others) && n < size; i++)
                if (others[i].enforced)
                        n += (size_t) snprintf(text + n, size - n, " %s", others[i].layer);
}

static int remember_namespace(VerifyHost *h, Namespace i, Problem *problem) {
        char path[64];
        struct stat st;

        (void) snprintf(path, sizeof(path), "/proc/self/%s", namespaces[i].file);
        if (stat(path, &st) < 0)
                return problem_set(problem, -errno, "%s", path);

        h->namespaces[i] = st.st_ino;
        return 0;
}

int verify_host_remember(VerifyHost *h, Problem *problem) {
        return remember_namespace(h, NAMESPACE_NETWORK, problem);
}

int verify_host_complete(VerifyHost *h, Problem *problem) {
        int r;

        for (Namespace i = 0; i < _NAMESPACE_MAX; i++) {
                r = i == NAMESPACE_NETWORK ? 0 : remember_namespace(h, i, problem);
                if (r < 0)
                        return r;
        }

        r = file_read_full(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &h->cgroups, NULL);
        if (r < 0)
                return problem_set(problem, r, "/proc/self/cgroup");

        if (prctl(PR_GET_SECCOMP) != 0) {
                _cleanup_free_ char *status = NULL;

                r = file_read_full(AT_FDCWD, "/proc/self/status", PROC_FILE_MAX, &status, NULL);
                if (r < 0)
                        return problem_set(problem, r, "/proc/self/status");
                h->n_filters = status_count(status, "Seccomp_filters");
        }

        return 0;
}
