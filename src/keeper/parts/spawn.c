/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/spawn.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define EXEC_SIZE_MAX (64 * 1024 * 1024)
#define CHILD_STACK_SIZE (32 * 1024)
#define TIMER_SLACK_USUAL 50000UL /* nanoseconds, as the kernel's first process has */

typedef struct Child {
        const SpawnRequest *request;
        int exec_fd;
        char *const *argv;
        rlim_t tasks;
        volatile int error; /* written by the child, whose memory is the keeper's until it executes */
} Child;

int spawn_load(const char *path) {
        _cleanup_close_ int from = -EBADF, to = -EBADF;
        _cleanup_free_ char *program = NULL;
        struct stat st;
        size_t size;
        int r;

        from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (from < 0)
                return -errno;
        if (fstat(from, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EACCES;

        r = fd_read_full(from, EXEC_SIZE_MAX, &program, &size);
        if (r < 0)
                return r;
        to = memfd_new("immured-exec", true);
        if (to < 0)
                return to;
        r = fd_write_full(to, program, size);
        if (r < 0)
                return r;

        if (fchmod(to, 0500) < 0)
                return -errno;
        if (fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
                return -errno;

        return TAKE_FD(to);
}

/* The kernel's defaults (include/asm-generic/resource.h), with systemd's for the number of files. */
/* clang-format off */
static const struct {
        int resource;
        rlim_t soft, hard;
} default_rlimits[] = {
        { RLIMIT_CPU,      RLIM_INFINITY,   RLIM_INFINITY },
        { RLIMIT_FSIZE,    RLIM_INFINITY,   RLIM_INFINITY },
        { RLIMIT_DATA,     RLIM_INFINITY,   RLIM_INFINITY },
        { RLIMIT_STACK,    8 * 1024 * 1024, RLIM_INFINITY },
        { RLIMIT_CORE,     0,               RLIM_INFINITY },
        { RLIMIT_RSS,      RLIM_INFINITY,   RLIM_INFINITY },
        { RLIMIT_NOFILE,   1024,            512 * 1024 },
        { RLIMIT_MEMLOCK,  8 * 1024 * 1024, 8 * 1024 * 1024 },
        { RLIMIT_AS,       RLIM_INFINITY,   RLIM_INFINITY },
        { RLIMIT_LOCKS,    RLIM_INFINITY,   RLIM_INFINITY },
        { RLIMIT_MSGQUEUE, 819200,          819200 },
        { RLIMIT_NICE,     0,               0 },
        { RLIMIT_RTPRIO,   0,               0 },
        { RLIMIT_RTTIME,   RLIM_INFINITY,   RLIM_INFINITY },
};
/* clang-format on */

/* Without CAP_SYS_RESOURCE a hard limit cannot be raised: then the one there is stays, which gives less, not more. */
static int reset_rlimit(int resource, rlim_t soft, rlim_t hard) {
        struct rlimit now, wanted = { soft, hard };

        if (setrlimit(resource, &wanted) >= 0)
                return 0;
        if (errno != EPERM || getrlimit(resource, &now) < 0)
                return -errno;

        wanted.rlim_max = MIN(hard, now.rlim_max);
        wanted.rlim_cur = MIN(soft, wanted.rlim_max);
        return setrlimit(resource, &wanted) < 0 ? -errno : 0;
}

/* For processes and queued signals the first process has half of the threads that the kernel bears (fork_init()). */
static int usual_tasks(rlim_t *ret) {
        _cleanup_free_ char *text = NULL;
        uint64_t n;
        int r;

        r = file_read_line(AT_FDCWD, "/proc/sys/kernel/threads-max", &text);
        if (r < 0)
                return r;
        if (parse_u64(text, &n) < 0 || n / 2 == 0)
                return -EBADMSG;

        *ret = n / 2;
        return 0;
}

static int reset_rlimits(rlim_t tasks) {
        int r;

        r = reset_rlimit(RLIMIT_NPROC, tasks, tasks);
        if (r >= 0)
                r = reset_rlimit(RLIMIT_SIGPENDING, tasks, tasks);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(default_rlimits); i++) {
                r = reset_rlimit(
                        default_rlimits[i].resource, default_rlimits[i].soft, default_rlimits[i].hard);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* What the keeper's unit may set for the keeper, to what any other process starts with. */
static const struct {
        const char *path, *text;
} default_files[] = {
        { "/proc/self/oom_score_adj", "0" },
        { "/proc/self/coredump_filter", "0x33" },
};

static int reset_files(void) {
        for (size_t i = 0; i < ELEMENTSOF(default_files); i++) {
                int fd, r;

                fd = open(default_files[i].path, O_WRONLY | O_CLOEXEC);
                if (fd < 0 && errno == ENOENT)
                        continue; /* a kernel that dumps no core has no filter for it */
                if (fd < 0)
                        return -errno;

                r = write(fd, default_files[i].text, strlen(default_files[i].text)) < 0 ? -errno : 0;
                (void) close(fd);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int reset_scheduling(void) {
        struct sched_param param = {};

        if (sched_setscheduler(0, SCHED_OTHER, &param) < 0)
                return -errno;
        if (setpriority(PRIO_PROCESS, 0, 0) < 0)
                return -errno;
        if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0)) < 0)
                return -errno;
        if (prctl(PR_SET_TIMERSLACK, TIMER_SLACK_USUAL) < 0)
                return -errno;

        return 0;
}

/* First out of the way of the final numbers, then into place; everything else is closed by the execution. */
static int arrange_fds(Child *c) {
        const SpawnRequest *request = c->request;
        int moved[_LAUNCH_FD_END];

        c->exec_fd = fcntl(c->exec_fd, F_DUPFD_CLOEXEC, _LAUNCH_FD_END);
        if (c->exec_fd < 0)
                return -errno;

        for (int i = 0; i < _LAUNCH_FD_END; i++) {
                moved[i] = -EBADF;
                if (request->fds[i] < 0)
                        continue;

                moved[i] = fcntl(request->fds[i], F_DUPFD_CLOEXEC, _LAUNCH_FD_END);
                if (moved[i] < 0)
                        return -errno;
        }

        for (int i = 0; i < _LAUNCH_FD_END; i++) {
                if (moved[i] < 0)
                        (void) close(i);
                else if (dup2(moved[i], i) < 0)
                        return -errno;
        }

        return syscall(SYS_close_range, _LAUNCH_FD_END, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

static int reset_signals(void) {
        struct sigaction action = { .sa_handler = SIG_DFL };
        sigset_t none;

        /* The only one the keeper ignores; it installs no handlers. */
        if (sigaction(SIGPIPE, &action, NULL) < 0)
                return -errno;

        (void) sigemptyset(&none);
        return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/*
 * Runs in the keeper's memory, on a stack of its own, while the keeper waits: system calls only, and nothing but
 * Child is written.
 */
static _noreturn_ void child_main(void *userdata) {
        static char *const no_environment[] = { NULL };
        Child *c = userdata;
        int r;

        (void) umask(0077);
        r = chdir("/") < 0 ? -errno : 0;
        if (r >= 0)
                r = reset_scheduling();
        if (r >= 0)
                r = reset_files();
        if (r >= 0)
                r = reset_rlimits(c->tasks);
        if (r >= 0)
                r = arrange_fds(c);
        if (r >= 0)
                r = reset_signals();
        if (r >= 0) {
                (void) execveat(c->exec_fd, "", c->argv, no_environment, AT_EMPTY_PATH);
                r = -errno;
        }

        c->error = r;
        _exit(EXIT_FAILURE);
}

/*
 * clone3(2) into a function on another stack. The C library has no wrapper that can place a process in a cgroup, and
 * a child that shares the memory must not return into the frame its parent comes back to.
 * Every operand is pinned to a register: left to choose, the compiler may address one by the stack pointer, which is
 * another one in the child.
 */
#if defined(__x86_64__)
static long clone_call(struct clone_args *args, void (*function)(void *), void *userdata) {
        long r = SYS_clone3;

        __asm__ volatile("syscall\n\t"
                         "test %%rax, %%rax\n\t"
                         "jnz 1f\n\t"
                         "mov %[userdata], %%rdi\n\t"
                         "call *%[function]\n\t"
                         "hlt\n"
                         "1:"
                         : "+a"(r)
                         : "D"(args), "S"(sizeof(*args)), [function] "d"(function), [userdata] "b"(userdata)
                         : "rcx", "r11", "memory", "cc");
        return r;
}
#define CLONE_SHARES_MEMORY true
#elif defined(__aarch64__)
static long clone_call(struct clone_args *args, void (*function)(void *), void *userdata) {
        register long x0 __asm__("x0") = (long) args;
        register long x1 __asm__("x1") = (long) sizeof(*args);
        register long x2 __asm__("x2") = (long) userdata;
        register long x3 __asm__("x3") = (long) function;
        register long x8 __asm__("x8") = SYS_clone3;

        __asm__ volatile("svc #0\n\t"
                         "cbnz x0, 1f\n\t"
                         "mov x0, x2\n\t"
                         "blr x3\n\t"
                         "brk #0\n"
                         "1:"
                         : "+r"(x0)
                         : "r"(x1), "r"(x2), "r"(x3), "r"(x8)
                         : "memory", "cc", "x30");
        return x0;
}
#define CLONE_SHARES_MEMORY true
#else
/* Elsewhere the child gets a copy of the memory and needs no stack: slower, and an error is only an exit status. */
static long clone_call(struct clone_args *args, void (*function)(void *), void *userdata) {
        long r = syscall(SYS_clone3, args, sizeof(*args));

        if (r == 0)
                function(userdata);
        return r < 0 ? -errno : r;
}
#define CLONE_SHARES_MEMORY false
#endif

int spawn_with(int exec_fd, const SpawnRequest *request, char *const *argv, pid_t *ret_pid) {
        static _Alignas(64) uint8_t stack[CHILD_STACK_SIZE];
        Child child = { .request = request, .exec_fd = exec_fd, .argv = argv };
        struct clone_args args = {
                .flags = CLONE_VFORK,
                .exit_signal = SIGCHLD,
        };
        sigset_t all, before;
        long pid;
        int r;

        r = usual_tasks(&child.tasks);
        if (r < 0)
                return r;

        if (request->cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t) request->cgroup_fd;
        }
        if (CLONE_SHARES_MEMORY) {
                args.flags |= CLONE_VM;
                args.stack = (uint64_t) (uintptr_t) stack;
                args.stack_size = sizeof(stack);
        }

        /* No handler of the C library may run in the child while it shares the memory. */
        (void) sigfillset(&all);
        if (sigprocmask(SIG_BLOCK, &all, &before) < 0)
                return -errno;
        pid = clone_call(&args, child_main, &child);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);

        if (pid < 0)
                return (int) pid;
        if (child.error < 0) {
                (void) waitpid((pid_t) pid, NULL, 0);
                return child.error;
        }

        *ret_pid = (pid_t) pid;
        return 0;
}

int spawn(int exec_fd, const SpawnRequest *request, pid_t *ret_pid) {
        char name[] = "immured-exec", base[16], *argv[] = { name, (char *) request->title, base, NULL };

        (void) snprintf(base, sizeof(base), "%u", request->id_block);
        return spawn_with(exec_fd, request, argv, ret_pid);
}
