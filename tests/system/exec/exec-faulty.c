/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * exec-faulty — immured-exec with one fault, as FAULT= says: fail:STEP, skip:STEP, wait:STEP, or spoil:WHAT, which may
 * have an operand behind another colon
 *
 * For the tests that a failing step leaves nothing behind, that the read-back notices what is weaker than planned, and
 * that nobody gets hold of what stands still before a step.
 * The installed program has no such door: the table is replaced here.
 */

#include "exec/exec.h"

#include "base/fd.h"
#include "confine/caps.h"
#include "confine/seccomp.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>

static int fail_step(Exec *x) { return problem_set(&x->problem, -EIO, "On purpose"); }

static int skip_step(Exec *x) {
        (void) x;
        return 0;
}

/* For good. The application's output is everybody's until then. */
static int wait_before_step(Exec *x) {
        (void) x;
        if (write(STDOUT_FILENO, "waiting\n", strlen("waiting\n")) < 0)
                return -errno;
        for (;;)
                (void) pause();
}

static int clear_attribute(const char *path, uint64_t attribute) {
        struct mount_attr attr = { .attr_clr = attribute };

        return mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int spoil_root(Exec *x _unused_) { return clear_attribute("/", MOUNT_ATTR_RDONLY); }
static int spoil_usr(Exec *x _unused_) { return clear_attribute("/usr", MOUNT_ATTR_RDONLY); }
static int spoil_nosuid(Exec *x _unused_) { return clear_attribute("/tmp", MOUNT_ATTR_NOSUID); }
static int spoil_nodev(Exec *x _unused_) { return clear_attribute("/home/alice", MOUNT_ATTR_NODEV); }
static int spoil_noexec(Exec *x _unused_) { return clear_attribute("/proc", MOUNT_ATTR_NOEXEC); }
static int spoil_mask(Exec *x _unused_) { return umount2("/ro/masked", MNT_DETACH) < 0 ? -errno : 0; }
static int spoil_mount(Exec *x _unused_) {
        return mount("none", "/home", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0 ? -errno : 0;
}

static int widen_uid_map(Exec *x) {
        x->plan->uid_map[0].count++;
        return 0;
}

static int narrow_uid_map(Exec *x) {
        x->plan->uid_map[0].count--;
        return 0;
}

static int widen_gid_map(Exec *x) {
        x->plan->gid_map[0].count++;
        return 0;
}

static int narrow_gid_map(Exec *x) {
        x->plan->gid_map[0].count--;
        return 0;
}

/* What is opened on the host and used in the sandbox. */
static int host_fd = -EBADF;
static const char *operand = "";

static int open_host(const char *path, int flags) {
        host_fd = open(path, flags | O_CLOEXEC);
        return host_fd < 0 ? -errno : 0;
}

static int open_uts(Exec *x _unused_) { return open_host("/proc/self/ns/uts", O_RDONLY); }
static int open_ipc(Exec *x _unused_) { return open_host("/proc/self/ns/ipc", O_RDONLY); }
static int open_cgroup_namespace(Exec *x _unused_) { return open_host("/proc/self/ns/cgroup", O_RDONLY); }
static int enter_namespace(Exec *x _unused_) { return setns(host_fd, 0) < 0 ? -errno : 0; }

/* From where it stands: as one of the sandbox's user namespace, whose capabilities count for it. */
static int own_uts(Exec *x _unused_) { return unshare(CLONE_NEWUTS) < 0 ? -errno : 0; }
static int own_network(Exec *x _unused_) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

static int open_cgroup(Exec *x _unused_) { return open_host(operand, O_WRONLY); }
static int enter_cgroup(Exec *x _unused_) { return write(host_fd, "0", 1) < 0 ? -errno : 0; }

/* One that lets everything pass. */
static int add_filter(Exec *x _unused_) {
        struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
        const struct sock_fprog program = { ELEMENTSOF(allow), allow };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

/* Somebody between the init and the application. */
static int step_aside(Exec *x _unused_) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        while (pid > 0)
                (void) pause();

        return 0;
}

static int nothing(Exec *x _unused_) { return 0; }

typedef enum Moment {
        BEFORE,
        AFTER,
        INSTEAD,
} Moment;

/* A fault may take several steps. */
/* clang-format off */
static const struct {
        const char *name, *step;
        Moment moment;
        int (*run)(Exec *x);
} spoils[] = {
        { "root",             "tree",           AFTER,   spoil_root },
        { "usr",              "tree",           AFTER,   spoil_usr },
        { "nosuid",           "tree",           AFTER,   spoil_nosuid },
        { "nodev",            "tree",           AFTER,   spoil_nodev },
        { "noexec",           "tree",           AFTER,   spoil_noexec },
        { "mask",             "tree",           AFTER,   spoil_mask },
        { "mount",            "tree",           AFTER,   spoil_mount },
        { "uid-map",          "user-namespace", BEFORE,  widen_uid_map },
        { "uid-map",          "devices",        BEFORE,  narrow_uid_map },
        { "gid-map",          "user-namespace", BEFORE,  widen_gid_map },
        { "gid-map",          "devices",        BEFORE,  narrow_gid_map },
        { "uts",              "harden",         AFTER,   open_uts },
        { "uts",              "groups",         BEFORE,  enter_namespace },
        { "ipc",              "harden",         AFTER,   open_ipc },
        { "ipc",              "groups",         BEFORE,  enter_namespace },
        { "cgroup-namespace", "harden",         AFTER,   open_cgroup_namespace },
        { "cgroup-namespace", "groups",         BEFORE,  enter_namespace },
        { "own-uts",          "identity",       BEFORE,  own_uts },
        { "own-network",      "identity",       BEFORE,  own_network },
        { "cgroup-of-all",    "harden",         AFTER,   open_cgroup },
        { "cgroup-of-all",    "tree",           BEFORE,  enter_cgroup },
        { "cgroup",           "harden",         AFTER,   open_cgroup },
        { "cgroup",           "umask",          BEFORE,  enter_cgroup },
        { "filter-of-others", "harden",         AFTER,   add_filter },
        { "filter-of-others", "seccomp",        INSTEAD, nothing },
        { "filter-more",      "process-group",  BEFORE,  add_filter },
        { "new-privileges",   "no-new-privileges", INSTEAD, nothing }, /* and the filter, which asks for them */
        { "new-privileges",   "seccomp",        INSTEAD, nothing },
        { "parent",           "umask",          BEFORE,  step_aside },
};
/* clang-format on */

static const char *fault = "", *what = "";

static const Step *step_find(const char *name) {
        for (const Step *s = exec_steps; s->name; s++)
                if (streq(s->name, name))
                        return s;

        return NULL;
}

/* What the fault does at this moment of a step; *ret_done: it does something. */
static int spoil_at(Exec *x, const char *step, Moment moment, bool *ret_done) {
        for (size_t i = 0; i < ELEMENTSOF(spoils); i++) {
                int r;

                if (!streq(spoils[i].name, what) || !streq(spoils[i].step, step) ||
                    spoils[i].moment != moment)
                        continue;

                *ret_done = true;
                r = spoils[i].run(x);
                if (r < 0)
                        return problem_set(&x->problem, r, "On purpose, but in vain");
        }

        return 0;
}

static int spoil_step(Exec *x) {
        const Step *real = step_find(x->step);
        bool done = false, instead = false;
        int r;

        r = spoil_at(x, real->name, BEFORE, &done);
        if (r >= 0)
                r = spoil_at(x, real->name, INSTEAD, &instead);
        if (r >= 0 && !instead)
                r = real->run(x);
        if (r >= 0)
                r = spoil_at(x, real->name, AFTER, &done);

        return r;
}

/* Not steps, but what every step may call; the linker leads here (see meson.build). */
typeof(caps_apply) __real_caps_apply, __wrap_caps_apply;
typeof(seccomp_no_new_privileges) __real_seccomp_no_new_privileges, __wrap_seccomp_no_new_privileges;
typeof(file_write_kernel) __real_file_write_kernel, __wrap_file_write_kernel;

static bool is_init(void) { return getpid() == 1; }

int __wrap_caps_apply(uint64_t bounding, uint64_t ambient, Problem *problem) {
        return streq(fault, "spoil:init-capabilities") && is_init()
                       ? 0
                       : __real_caps_apply(bounding, ambient, problem);
}

int __wrap_seccomp_no_new_privileges(Problem *problem) {
        return streq(fault, "spoil:init-privileges") && is_init()
                       ? 0
                       : __real_seccomp_no_new_privileges(problem);
}

int __wrap_file_write_kernel(int dir_fd, const char *path, const char *data) {
        return streq(fault, "spoil:setgroups") && strstr(path, "/setgroups")
                       ? 0
                       : __real_file_write_kernel(dir_fd, path, data);
}

/* clang-format off */
static const struct {
        const char *prefix;
        int (*run)(Exec *x);
} faults[] = {
        { "fail:", fail_step },
        { "skip:", skip_step },
        { "wait:", wait_before_step },
};
/* clang-format on */

/* FAULT= in parts, the last of which may be missing. */
static void read_fault(void) {
        static char text[512];
        char *rest = text;

        fault = getenv("FAULT") ?: "";
        (void) snprintf(text, sizeof(text), "%s", fault);
        (void) strsep(&rest, ":");
        what = strsep(&rest, ":") ?: "";
        operand = rest ?: "";
}

int main(int argc, char **argv) {
        Step steps[64] = {};

        read_fault();
        for (size_t i = 0; i + 1 < ELEMENTSOF(steps) && exec_steps[i].name; i++) {
                steps[i] = exec_steps[i];
                for (size_t k = 0; k < ELEMENTSOF(faults) && streq(steps[i].name, what); k++)
                        if (startswith(fault, faults[k].prefix))
                                steps[i].run = faults[k].run;
                if (startswith(fault, "spoil:"))
                        steps[i].run = spoil_step;
        }

        _exit(exec_main(steps, argc, argv));
}
