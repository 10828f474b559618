/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * exec-faulty — immured-exec with one fault, as FAULT= says: fail:STEP, skip:STEP, wait:STEP, or spoil:WHAT, which may
 * have an operand behind another colon; fail:STEP:STEP are two that fail (the second may be "init") and tell slowly
 *
 * For the tests that a failing step leaves nothing behind, that the read-back notices what is weaker than planned, and
 * that nobody gets hold of what stands still before a step.
 * The installed program has no such door: the table is replaced here.
 */

#include "exec/exec.h"

#include "base/fd.h"
#include "confine/caps.h"
#include "confine/seccomp.h"
#include "confine/userns.h"
#include "exec/report.h"
#include "spoil.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

static int fail_step(Exec *x) { return problem_set(&x->problem, -EIO, "On purpose"); }

static int skip_step(Exec *x) { return 0; }

/* For good. The application's output is everybody's until then. */
static int wait_before_step(Exec *x) {
        if (write(STDOUT_FILENO, "waiting\n", strlen("waiting\n")) < 0)
                return -errno;
        for (;;)
                (void) pause();
}

/* Another map than the plan's, which is put back for whoever compares. */
static PlanIdMap *planned_map, other_map[3];
static size_t n_planned;

static void replace_uid_map(Exec *x) {
        planned_map = x->plan->uid_map;
        n_planned = x->plan->n_uid_map;
        memcpy(other_map, planned_map, MIN(n_planned, ELEMENTSOF(other_map) - 1) * sizeof(*planned_map));
        x->plan->uid_map = other_map;
}

static int lengthen_uid_map(Exec *x) {
        replace_uid_map(x);
        other_map[x->plan->n_uid_map++] = (PlanIdMap){ 5000, 5000, 1 };
        return 0;
}

static int shorten_uid_map(Exec *x) {
        replace_uid_map(x);
        x->plan->n_uid_map--;
        return 0;
}

static int shift_uid_map_inside(Exec *x) {
        replace_uid_map(x);
        other_map[1].inside++;
        return 0;
}

static int shift_uid_map_outside(Exec *x) {
        replace_uid_map(x);
        other_map[1].outside++;
        return 0;
}

static int restore_uid_map(Exec *x) {
        x->plan->uid_map = planned_map;
        x->plan->n_uid_map = n_planned;
        return 0;
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

static int open_uts(Exec *x) { return open_host("/proc/self/ns/uts", O_RDONLY); }
static int open_ipc(Exec *x) { return open_host("/proc/self/ns/ipc", O_RDONLY); }
static int open_cgroup_namespace(Exec *x) { return open_host("/proc/self/ns/cgroup", O_RDONLY); }
static int enter_namespace(Exec *x) { return setns(host_fd, 0) < 0 ? -errno : 0; }

/* From where it stands: as one of the sandbox's user namespace, whose capabilities count for it. */
static int own_uts(Exec *x) { return unshare(CLONE_NEWUTS) < 0 ? -errno : 0; }
static int own_network(Exec *x) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

static int own_ipc(Exec *x) { return unshare(CLONE_NEWIPC) < 0 ? -errno : 0; }
static int own_groups(Exec *x) { return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0; }
static int own_processes(Exec *x) { return unshare(CLONE_NEWPID) < 0 ? -errno : 0; }

/* Mounts that stay as they are, hence the initial user namespace's. */
static int enter_user_alone(Exec *x) { return setns(x->userns_fd, CLONE_NEWUSER) < 0 ? -errno : 0; }

/* With the planned maps, but made by root. */
static int make_roots(Exec *x) {
        pid_t first = 0;
        int fd;

        fd = userns_new(x->plan, x->id_base, 0, &first, &x->problem);
        if (fd < 0 || dup3(fd, x->userns_fd, O_CLOEXEC) < 0 || close(fd) < 0)
                return -errno;

        return userns_reap(first) == 0 ? 0 : -ECHILD;
}

/* In one more user namespace, whose maps look from outside as the planned ones do. */
static int nest_user(Exec *x) {
        char uid_map[32], gid_map[32];
        int r;

        (void) snprintf(uid_map, sizeof(uid_map), "%u %u 1\n", getuid(), getuid());
        (void) snprintf(gid_map, sizeof(gid_map), "%u %u 1\n", getgid(), getgid());
        if (unshare(CLONE_NEWUSER) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
                return -errno;
        r = file_write_kernel(AT_FDCWD, "/proc/self/uid_map", uid_map);
        if (r >= 0)
                r = file_write_kernel(AT_FDCWD, "/proc/self/gid_map", gid_map);
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return -errno;

        return r;
}

/* The gid that was, with the planned uid. */
static int take_uid_alone(Exec *x) {
        x->plan->gid++;
        return 0;
}

static int restore_gid(Exec *x) {
        x->plan->gid--;
        return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
                { (uint32_t) effective, (uint32_t) permitted, (uint32_t) inheritable },
        };

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int drop_permitted(Exec *x) { return set_capabilities(0, 0, x->plan->ambient_set); }
static int drop_effective(Exec *x) {
        return set_capabilities(0, x->plan->ambient_set, x->plan->ambient_set);
}
static int drop_ambient(Exec *x) {
        return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}
static int keep_bound(Exec *x) {
        return caps_apply(x->plan->bounding_set | 1, x->plan->ambient_set, &x->problem);
}

static int set_limit(uint64_t soft, uint64_t hard) {
        return setrlimit(RLIMIT_NOFILE, &(struct rlimit){ soft, hard }) < 0 ? -errno : 0;
}

static int other_soft_limit(Exec *x) { return set_limit(99, x->plan->rlimits[0].hard); }
static int other_hard_limit(Exec *x) { return set_limit(x->plan->rlimits[0].soft, 199); }

static int pretend_init(Exec *x) { return barrier_tell(x->barrier_fd, BARRIER_INIT); }

static int open_cgroup(Exec *x) { return open_host(operand, O_WRONLY); }
static int enter_cgroup(Exec *x) { return write(host_fd, "0", 1) < 0 ? -errno : 0; }

/* One that lets everything pass. */
static int add_filter(Exec *x) {
        struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
        const struct sock_fprog program = { ELEMENTSOF(allow), allow };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

/* Somebody between the init and the application. */
static int step_aside(Exec *x) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        while (pid > 0)
                (void) pause();

        return 0;
}

static int nothing(Exec *x) { return 0; }

/* clang-format off */
static const Spoil spoils[] = {
        { "uid-map-longer",   "user-namespace", BEFORE,  lengthen_uid_map },
        { "uid-map-longer",   "devices",        BEFORE,  restore_uid_map },
        { "uid-map-shorter",  "user-namespace", BEFORE,  shorten_uid_map },
        { "uid-map-shorter",  "devices",        BEFORE,  restore_uid_map },
        { "uid-map-inside",   "user-namespace", BEFORE,  shift_uid_map_inside },
        { "uid-map-inside",   "devices",        BEFORE,  restore_uid_map },
        { "uid-map-outside",  "user-namespace", BEFORE,  shift_uid_map_outside },
        { "uid-map-outside",  "devices",        BEFORE,  restore_uid_map },
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
        { "own-processes",    "identity",       BEFORE,  own_processes },
        { "own-ipc",          "identity",       BEFORE,  own_ipc },
        { "own-groups",       "identity",       BEFORE,  own_groups },
        { "mounts",           "tree",           INSTEAD, nothing }, /* or it would be the host's that is changed */
        { "mounts",           "lock",           INSTEAD, enter_user_alone },
        { "unlocked",         "lock",           INSTEAD, enter_user_alone },
        { "nested",           "session",        BEFORE,  nest_user },
        { "owner",            "user-namespace", AFTER,   make_roots },
        { "gid",              "identity",       BEFORE,  take_uid_alone },
        { "gid",              "identity",       AFTER,   restore_gid },
        { "permitted",        "capabilities",   AFTER,   drop_permitted },
        { "effective",        "capabilities",   AFTER,   drop_effective },
        { "ambient",          "capabilities",   AFTER,   drop_ambient },
        { "bounding",         "capabilities",   INSTEAD, keep_bound },
        { "soft-limit",       "rlimits",        AFTER,   other_soft_limit },
        { "hard-limit",       "rlimits",        AFTER,   other_hard_limit },
        { "false-init",       "umask",          BEFORE,  pretend_init },
        { "cgroup-of-all",    "harden",         AFTER,   open_cgroup },
        { "cgroup-of-all",    "tree",           BEFORE,  enter_cgroup },
        { "cgroup",           "harden",         AFTER,   open_cgroup },
        { "cgroup-of-init",   "harden",         AFTER,   open_cgroup },
        { "cgroup",           "umask",          BEFORE,  enter_cgroup },
        { "filter-of-others", "harden",         AFTER,   add_filter },
        { "filter-of-others", "seccomp",        INSTEAD, nothing },
        { "filter-more",      "process-group",  BEFORE,  add_filter },
        { "new-privileges",   "no-new-privileges", INSTEAD, nothing }, /* and the filter, which asks for them */
        { "new-privileges",   "seccomp",        INSTEAD, nothing },
        { "parent",           "umask",          BEFORE,  step_aside },
        {},
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
static int spoil_by(const Spoil *table, Exec *x, const char *step, Moment moment, bool *ret_done) {
        for (const Spoil *s = table; s->name; s++) {
                int r;

                if (!streq(s->name, what) || !streq(s->step, step) || s->moment != moment)
                        continue;

                *ret_done = true;
                r = s->run(x);
                if (r < 0)
                        return problem_set(&x->problem, r, "On purpose, but in vain");
        }

        return 0;
}

static int spoil_at(Exec *x, const char *step, Moment moment, bool *ret_done) {
        int r = spoil_by(spoils_of_mounts, x, step, moment, ret_done);

        return r < 0 ? r : spoil_by(spoils, x, step, moment, ret_done);
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
typeof(write) __real_write, __wrap_write;
typeof(syscall) __real_syscall, __wrap_syscall;

static bool is_init(void) { return getpid() == 1; }

static bool is_pair(void) { return startswith(fault, "fail:") && operand[0] != '\0'; }

static void give_time(long msec) {
        (void) nanosleep(&(struct timespec){ .tv_nsec = msec * 1000 * 1000 }, NULL);
}

/* A record that is out, while nobody knows yet: whoever fails second has the time to come in between. */
ssize_t __wrap_write(int fd, const void *data, size_t size) {
        ssize_t n = __real_write(fd, data, size);

        if (is_pair() && fd == LAUNCH_FD_STATUS)
                give_time(20);
        return n;
}

int __wrap_caps_apply(uint64_t bounding, uint64_t ambient, Problem *problem) {
        if (is_pair() && streq(operand, "init") && is_init()) {
                give_time(5);
                return problem_set(problem, -EIO, "On purpose");
        }
        if (startswith(fault, "spoil:cgroup-of-init:") && is_init() && enter_cgroup(NULL) < 0)
                return problem_set(problem, -errno, "On purpose, but in vain");

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

/*
 * The halves' clone3(2), above all. No call here has more than six operands, and to read more than there are is
 * harmless, but not to the sanitizer.
 */
__attribute__((no_sanitize_address)) long __wrap_syscall(long number, ...) {
        static const struct {
                const char *fault;
                uint64_t flag;
        } shared[] = {
                { "spoil:processes", CLONE_NEWPID },
                { "spoil:mounts", CLONE_NEWNS },
        };
        long operands[6];
        va_list ap;

        va_start(ap, number);
        for (size_t i = 0; i < ELEMENTSOF(operands); i++)
                operands[i] = va_arg(ap, long);
        va_end(ap);

        for (size_t i = 0; number == SYS_clone3 && i < ELEMENTSOF(shared); i++)
                if (streq(fault, shared[i].fault))
                        ((struct clone_args *) operands[0])->flags &= ~shared[i].flag;

        return __real_syscall(
                number, operands[0], operands[1], operands[2], operands[3], operands[4], operands[5]);
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
                if (is_pair() && streq(steps[i].name, operand))
                        steps[i].run = fail_step;
                if (startswith(fault, "spoil:"))
                        steps[i].run = spoil_step;
        }

        _exit(exec_main(steps, argc, argv));
}
