/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/cgroup.h"

#include "base/cgroup2.h"
#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "keeper/parts/cgroup-value.h"
#include "keeper/parts/io-device.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define KEEPER_CGROUP "keeper"
#define STALE_WAIT_MSEC 5000
#define STALE_STEP_MSEC 2
#define VALUE_MAX (64U * 1024)

static const char *const controllers[] = { "memory", "pids", "cpu", "cpuset", "io" };

static int controller_index(const char *layer) {
        for (size_t i = 0; i < ELEMENTSOF(controllers); i++)
                if (streq(controllers[i], layer))
                        return i;

        return -ENOENT;
}

DEFINE_CLEANUP(DIR *, closedir);

static int open_directory(int dir_fd, const char *path) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int cgroup_kill(int fd) { return file_write_kernel(fd, "cgroup.kill", "1"); }

int cgroup_remove(const CgroupUnit *u, const char *name) {
        if (unlinkat(u->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return -errno;

        return 0;
}

/*
 * Ends what a dead keeper left in a cgroup. Killed processes need a moment to go, and it is no harm to wait for them:
 * this happens only at start-up, and when the name of a dead sandbox is taken again.
 */
static int remove_stale(const CgroupUnit *u, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = open_directory(u->fd, name);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;

        for (int waited = 0;; waited += STALE_STEP_MSEC) {
                r = cgroup_kill(fd);
                if (r < 0 && r != -ENODEV && r != -ENOENT)
                        return r;

                r = cgroup_remove(u, name);
                if (r != -EBUSY || waited >= STALE_WAIT_MSEC)
                        return r;

                (void) poll(NULL, 0, STALE_STEP_MSEC);
        }
}

static int remove_all_stale(const CgroupUnit *u) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int fd, r;

        fd = open_directory(u->fd, ".");
        if (fd < 0)
                return fd;

        dir = fdopendir(fd);
        if (!dir) {
                r = -errno;
                (void) close(fd);
                return r;
        }

        while ((entry = readdir(dir))) {
                if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
                    streq(entry->d_name, KEEPER_CGROUP))
                        continue;

                r = remove_stale(u, entry->d_name);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Moves this process into keeper/. After a crash that cgroup may hold what the dead keeper was just starting. */
static int enter_keeper(CgroupUnit *u, bool already_there) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!already_there) {
                r = remove_stale(u, KEEPER_CGROUP);
                if (r < 0)
                        return r;

                if (mkdirat(u->fd, KEEPER_CGROUP, 0755) < 0)
                        return -errno;
        }

        fd = open_directory(u->fd, KEEPER_CGROUP);
        if (fd < 0)
                return fd;

        return already_there ? 0 : file_write_kernel(fd, "cgroup.procs", "0");
}

/* One by one: a controller that is not there, or not delegated, must not take the others with it. */
static int enable_controllers(CgroupUnit *u) {
        _cleanup_strv_ char **enabled = NULL;
        _cleanup_free_ char *line = NULL;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(controllers); i++) {
                char word[16];

                (void) snprintf(word, sizeof(word), "+%s", controllers[i]);
                (void) file_write_kernel(u->fd, "cgroup.subtree_control", word);
        }

        r = file_read_line(u->fd, "cgroup.subtree_control", &line);
        if (r >= 0)
                r = split_words(line, &enabled);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(controllers); i++)
                if (strv_contains(enabled, controllers[i]))
                        u->controllers |= UINT32_C(1) << i;

        return 0;
}

static int unit_take(CgroupUnit *u, const char *directory) {
        struct statfs fs;

        u->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (u->fd < 0)
                return -errno;

        if (fstatfs(u->fd, &fs) < 0)
                return -errno;
        if (fs.f_type != CGROUP2_SUPER_MAGIC)
                return -ENOMEDIUM;

        if (flock(u->fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;

        return 0;
}

/* Cuts a last component keeper/ off; true if there was one. "/keeper" alone becomes "/". */
static bool strip_keeper(char *path) {
        char *slash = strrchr(path, '/');

        if (!slash || !streq(slash + 1, KEEPER_CGROUP))
                return false;

        slash[slash == path ? 1 : 0] = '\0';
        return true;
}

/* Its directory; *ret_inside: this process is in the keeper's cgroup below it already. */
static int find_unit(char **ret, bool *ret_inside) {
        _cleanup_free_ char *path = NULL, *mountinfo = NULL;
        bool inside;
        int r;

        r = cgroup2_own_group(&path);
        if (r < 0)
                return r;
        inside = strip_keeper(path);

        r = cgroup2_read_mounts(&mountinfo);
        if (r < 0)
                return r;

        r = cgroup2_directory(mountinfo, path, ret);
        if (r < 0)
                return r;

        *ret_inside = inside;
        return 0;
}

int cgroup_unit_new(CgroupUnit **ret, const char *directory) {
        _cleanup_(cgroup_unit_freep) CgroupUnit *u = NULL;
        _cleanup_free_ char *found = NULL;
        bool already_there = false;
        int r;

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;
        u->fd = -EBADF;

        if (!directory) {
                r = find_unit(&found, &already_there);
                if (r < 0)
                        return r;
        }

        r = unit_take(u, directory ?: found);
        if (r >= 0)
                r = enter_keeper(u, already_there);
        /* --cgroup= names a directory; only once we are inside does the kernel tell the path that /proc shows. */
        if (r >= 0)
                r = cgroup2_own_group(&u->path);
        if (r < 0)
                return r;

        (void) strip_keeper(u->path);
        r = remove_all_stale(u);
        if (r >= 0)
                r = enable_controllers(u);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(u);
        return 0;
}

CgroupUnit *cgroup_unit_free(CgroupUnit *u) {
        if (!u)
                return NULL;

        (void) safe_close(u->fd);
        free(u->path);
        free(u);
        return NULL;
}

int cgroup_slice_uid(const char *path, uid_t *ret) {
        const char *last = strrchr(path, '/'),
                   *slice = last ? memrchr(path, '/', (size_t) (last - path)) : NULL;
        const char *uid = slice ? startswith(slice, "/immured-") : NULL, *rest;
        char digits[16];

        rest = uid ? uid + strspn(uid, "0123456789") : NULL;
        if (!rest || (size_t) (rest - uid) >= sizeof(digits) || startswith(rest, ".slice/") != last + 1)
                return -ENOENT;

        (void) snprintf(digits, sizeof(digits), "%.*s", (int) (rest - uid), uid);
        return parse_id(digits, ret) < 0 ? -ENOENT : 0;
}

int cgroup_unit_open_slice(const CgroupUnit *u) {
        uid_t uid;

        return cgroup_slice_uid(u->path, &uid) < 0 ? -ENOENT : open_directory(u->fd, "..");
}

int cgroup_create(const CgroupUnit *u, const char *name) {
        int fd, r;

        if (mkdirat(u->fd, name, 0755) < 0) {
                if (errno != EEXIST)
                        return -errno;

                r = remove_stale(u, name);
                if (r < 0)
                        return r;

                if (mkdirat(u->fd, name, 0755) < 0)
                        return -errno;
        }

        fd = open_directory(u->fd, name);
        if (fd < 0)
                (void) cgroup_remove(u, name);

        return fd;
}

/* "memory.max" for the layer "memory", and nothing that could leave the directory. */
static bool value_is_sane(const PlanCgroupValue *v) {
        const char *rest = v->layer[0] ? startswith(v->file, v->layer) : NULL;

        return rest && rest[0] == '.' && strspn(rest, "abcdefghijklmnopqrstuvwxyz._") == strlen(rest);
}

/*
 * If nothing of a set can be had, the kernel falls back to what the parent has, and says so only in another file
 * (cgroup-v2.rst, "Cpuset Interface Files").
 */
static int check_effective(int fd, const PlanCgroupValue *v) {
        _cleanup_free_ char *text = NULL;
        char file[64];
        int r;

        (void) snprintf(file, sizeof(file), "%s.effective", v->file);
        r = file_read_line(fd, file, &text);
        if (r < 0)
                return r;

        return cgroup_set_is_within(text, v->value) ? 0 : -EBADE;
}

static int apply_value(int fd, const PlanCgroupValue *v) {
        _cleanup_free_ char *text = NULL, *resolved = NULL;
        const char *value = v->value;
        size_t size;
        int r;

        if (streq(v->file, "io.max")) {
                r = io_limit_resolve(v->value, &resolved);
                if (r < 0)
                        return r == -ENOENT ? -ENODEV : r; /* -ENOENT is said of a missing controller */
                value = resolved;
        }

        r = file_write_kernel(fd, v->file, value);
        if (r < 0)
                return r;

        r = file_read_full(fd, v->file, VALUE_MAX, &text, &size);
        if (r < 0)
                return r;

        if (size > 0 && text[size - 1] == '\n')
                text[size - 1] = '\0';

        if (!cgroup_value_matches(v->file, value, text))
                return -EBADE;

        return streq(v->layer, "cpuset") ? check_effective(fd, v) : 0;
}

/* -ENOENT: the controller is not there, or does not have the file. */
static int apply_if_there(const CgroupUnit *u, int fd, const PlanCgroupValue *v) {
        int i;

        if (!value_is_sane(v))
                return -EINVAL;

        i = controller_index(v->layer);
        if (i < 0)
                return -EINVAL;

        return u->controllers & UINT32_C(1) << i ? apply_value(fd, v) : -ENOENT;
}

static char *explain_failure(const CgroupUnit *u, const PlanCgroupValue *v, int error) {
        return error == -EOPNOTSUPP
                       ? text_printf("%s: the controller is not available in %s", v->layer, u->path)
                       : text_printf("%s: %s=%s", v->layer, v->file, v->value);
}

/* Puts the old values back; those that were not read yet have not been changed either. */
static void change_back(int fd, const PlanCgroupValue *values, char *const *before, size_t n) {
        for (size_t i = n; i > 0; i--)
                if (before[i - 1])
                        (void) file_write_kernel(fd, values[i - 1].file, before[i - 1]);
}

int cgroup_change(const CgroupUnit *u, int fd, const PlanCgroupValue *values, size_t n, char **ret_text) {
        char *before[CGROUP_CHANGES_MAX] = {};
        int r = 0;

        if (n > CGROUP_CHANGES_MAX)
                return -E2BIG;

        for (size_t i = 0; i < n && r >= 0; i++) {
                if (value_is_sane(values + i))
                        (void) file_read_line(fd, values[i].file, before + i);
                r = apply_if_there(u, fd, values + i);
                if (r == -ENOENT)
                        r = -EOPNOTSUPP;
                if (r < 0) {
                        *ret_text = explain_failure(u, values + i, r);
                        change_back(fd, values, before, i + 1);
                }
        }

        for (size_t i = 0; i < n; i++)
                free(before[i]);

        return r;
}

int cgroup_apply(const CgroupUnit *u, int fd, const Plan *plan, char ***ret_layers, char **ret_text) {
        _cleanup_strv_ char **layers = NULL;
        int r;

        for (size_t i = 0; i < plan->n_cgroup; i++) {
                const PlanCgroupValue *v = plan->cgroup + i;

                r = apply_if_there(u, fd, v);
                if (r == -ENOENT && strv_contains(plan->degrade, v->layer))
                        continue;
                if (r == -ENOENT)
                        r = -EOPNOTSUPP;
                if (r < 0) {
                        *ret_text = explain_failure(u, v, r);
                        return *ret_text ? r : -ENOMEM;
                }

                if (!strv_contains(layers, v->layer) && strv_extend(&layers, v->layer) < 0)
                        return -ENOMEM;
        }

        *ret_layers = TAKE_PTR(layers);
        return 0;
}

/* A number in a file of "name number" lines; 0 where it is not. */
static uint64_t read_event(int fd, const char *file, const char *name) {
        _cleanup_free_ char *events = NULL;
        uint64_t n = 0;

        if (file_read_full(fd, file, VALUE_MAX, &events, NULL) >= 0)
                (void) cgroup2_find_count(events, name, &n);

        return n;
}

uint64_t cgroup_oom_kills(int fd) { return read_event(fd, "memory.events", "oom_kill"); }

int cgroup_freeze(int fd, bool freeze) { return file_write_kernel(fd, "cgroup.freeze", freeze ? "1" : "0"); }

bool cgroup_is_frozen(int fd) { return read_event(fd, "cgroup.events", "frozen") > 0; }

pid_t cgroup_next_process(char **rest) {
        int32_t pid;

        for (char *line; (line = strsep(rest, "\n"));)
                if (parse_i32(line, &pid) >= 0 && pid > 0)
                        return pid;

        return 0;
}

bool cgroup_has_process(int fd, pid_t pid) {
        _cleanup_free_ char *procs = NULL;
        pid_t one;

        if (file_read_full(fd, "cgroup.procs", CGROUP_PROCS_SIZE_MAX, &procs, NULL) < 0)
                return false;

        for (char *rest = procs; (one = cgroup_next_process(&rest)) > 0;)
                if (one == pid)
                        return true;

        return false;
}

/*
 * A pid read from cgroup.procs may have been given to another process before the signal goes out; behind a pidfd it
 * cannot, so membership is looked at again with the pidfd in hand.
 */
static int signal_member(int fd, pid_t pid, int signo) {
        _cleanup_close_ int pidfd = pidfd_open_pid(pid);

        if (pidfd < 0)
                return pidfd;

        return cgroup_has_process(fd, pid) ? pidfd_signal(pidfd, signo) : -ESRCH;
}

int cgroup_signal(int fd, pid_t except, int signo) {
        _cleanup_free_ char *procs = NULL;
        int n = 0, r;
        pid_t pid;

        r = file_read_full(fd, "cgroup.procs", CGROUP_PROCS_SIZE_MAX, &procs, NULL);
        if (r < 0)
                return r;

        for (char *rest = procs; (pid = cgroup_next_process(&rest)) > 0;)
                if (pid != except && signal_member(fd, pid, signo) >= 0)
                        n++;

        return n;
}
