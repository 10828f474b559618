/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp-program.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

/* From here on the program holds for the calling process, which must be a child of the test. */
static int program_load(const TestProgram *p) {
        struct sock_fprog fprog = {
                .len = (unsigned short) (p->size / sizeof(struct sock_filter)),
                .filter = (struct sock_filter *) (void *) p->data,
        };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0)
                return -errno;
        return 0;
}

/* What the body leaves in errno-style comes back as exit status; a signal as the wait status says. */
static int run_child(const TestProgram *p, int (*body)(void)) {
        int status;
        pid_t pid;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                /* The handlers of the test framework would take this process for its own, and report twice. */
                for (int signo = 1; signo < NSIG; signo++)
                        (void) signal(signo, SIG_DFL);
                /* A killed child must not leave a core file. */
                (void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
                if (p && program_load(p) < 0)
                        _exit(255);
                _exit(body());
        }

        assert_int_equal(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
        return status;
}

static int error_of(long r) { return r < 0 ? errno : 0; }

/* One real call and its errno. */
typedef struct Call {
        const char *what;
        int (*call)(void);
        int error;
} Call;

static int call_getpid(void) { return error_of(syscall(SYS_getpid)); }
static int call_ptrace(void) { return error_of(syscall(SYS_ptrace, 0, 0, 0, 0)); }
static int call_keyctl(void) { return error_of(syscall(SYS_keyctl, 0, 0, 0)); }
static int call_bpf(void) { return error_of(syscall(SYS_bpf, 0, 0, 0)); }
static int call_io_uring(void) { return error_of(syscall(SYS_io_uring_setup, 1, NULL)); }
static int call_mount(void) { return error_of(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL)); }
static int call_unshare(void) { return error_of(syscall(SYS_unshare, CLONE_NEWUSER)); }
static int call_clone_userns(void) {
        return error_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}
static int call_clone3(void) { return error_of(syscall(SYS_clone3, NULL, 0)); }
static int call_openat2(void) { return error_of(syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0)); }
static int call_unknown(void) { return error_of(syscall(1000)); }
static int call_tiocsti(void) { return error_of(syscall(SYS_ioctl, 0, (unsigned long) TIOCSTI, "x")); }
static int call_tiocsti_high(void) { return error_of(syscall(SYS_ioctl, 0, TIOCSTI | 1UL << 32, "x")); }
static int call_tioclinux_high(void) {
        return error_of(syscall(SYS_ioctl, 0, TIOCLINUX | 0xffffffffUL << 32, "x"));
}
static int call_personality(void) {
        return error_of(syscall(SYS_personality, PER_LINUX | ADDR_NO_RANDOMIZE));
}
static int call_personality_query(void) { return error_of(syscall(SYS_personality, 0xffffffffUL)); }
static int call_personality_high(void) {
        return error_of(syscall(SYS_personality, ADDR_NO_RANDOMIZE | 0xffffffffUL << 32));
}
static int call_fchmodat(void) {
        return error_of(syscall(SYS_fchmodat, AT_FDCWD, "/nonexistent", S_ISUID | 0755));
}
static int call_fchmodat_plain(void) {
        return error_of(syscall(SYS_fchmodat, AT_FDCWD, "/nonexistent", 0755));
}
static int call_openat_suid(void) {
        return error_of(syscall(SYS_openat, AT_FDCWD, "/nonexistent/x", O_CREAT | O_WRONLY, S_ISGID | 0755));
}
static int call_openat_plain(void) {
        return error_of(syscall(SYS_openat, AT_FDCWD, "/nonexistent/x", O_CREAT | O_WRONLY, 0755));
}
static int call_socket_unix(void) { return error_of(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)); }
static int call_socket_unix_high(void) {
        return error_of(syscall(SYS_socket, AF_UNIX | 1UL << 40, SOCK_STREAM, 0));
}
static int call_socket_netlink(void) { return error_of(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0)); }
static int call_socket_netlink_high(void) {
        return error_of(syscall(SYS_socket, AF_NETLINK | 1UL << 32, SOCK_RAW, 0));
}
static int call_socketpair_netlink(void) {
        int fds[2];

        return error_of(syscall(SYS_socketpair, AF_NETLINK, SOCK_RAW, 0, fds));
}
static int call_sched_rr(void) {
        struct sched_param param = { .sched_priority = 1 };

        return error_of(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param));
}
static int call_sched_batch(void) {
        struct sched_param param = {};

        return error_of(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &param));
}

/* The errno stands apart from what the kernel itself would say to these arguments. */
static const Call calls[] = {
        { "getpid", call_getpid, 0 },
        { "ptrace", call_ptrace, ECANCELED },
        { "keyctl", call_keyctl, ECANCELED },
        { "bpf", call_bpf, ECANCELED },
        { "io_uring_setup", call_io_uring, ECANCELED },
        { "mount", call_mount, ECANCELED },
        { "unshare", call_unshare, EPERM },
        { "clone of a user namespace", call_clone_userns, EPERM },
        { "clone3", call_clone3, ENOSYS },
        { "openat2", call_openat2, ENOSYS },
        { "an unknown number", call_unknown, ENOSYS },
        { "TIOCSTI", call_tiocsti, EPERM },
        { "TIOCSTI with a high bit", call_tiocsti_high, EPERM },
        { "TIOCLINUX with high bits", call_tioclinux_high, EPERM },
        { "personality", call_personality, EPERM },
        { "personality asked for", call_personality_query, 0 },
        { "personality with high bits", call_personality_high, EPERM },
        { "set-uid fchmodat", call_fchmodat, EPERM },
        { "plain fchmodat", call_fchmodat_plain, ENOENT },
        { "set-gid openat", call_openat_suid, EPERM },
        { "plain openat", call_openat_plain, ENOENT },
        { "AF_UNIX", call_socket_unix, 0 },
        { "AF_UNIX with a high bit", call_socket_unix_high, 0 },
        { "AF_NETLINK", call_socket_netlink, EAFNOSUPPORT },
        { "AF_NETLINK with a high bit", call_socket_netlink_high, EAFNOSUPPORT },
        { "pair of AF_NETLINK", call_socketpair_netlink, EAFNOSUPPORT },
        { "SCHED_RR", call_sched_rr, EPERM },
        { "SCHED_BATCH", call_sched_batch, 0 },
};

static void test_calls(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram p = {};
        Profile profile = test_profile();

        profile.syscall_error = ECANCELED;
        test_program_compile(&p, policy, &profile);

        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                int status = run_child(&p, calls[i].call);

                if (!WIFEXITED(status) || WEXITSTATUS(status) != calls[i].error)
                        fail_msg("%s: wait status 0x%x instead of errno %d",
                                 calls[i].what,
                                 status,
                                 calls[i].error);
        }
}

static int map_write_execute(void) {
        return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                               MAP_FAILED
                       ? errno
                       : 0;
}

static int make_executable(void) {
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return p == MAP_FAILED ? 254 : error_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static void test_write_execute(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram with = {}, without = {};
        Profile profile = test_profile();

        test_program_compile(&without, policy, &profile);
        profile.memory_deny_write_execute = true;
        test_program_compile(&with, policy, &profile);

        assert_int_equal(WEXITSTATUS(run_child(&without, map_write_execute)), 0);
        assert_int_equal(WEXITSTATUS(run_child(&without, make_executable)), 0);
        assert_int_equal(WEXITSTATUS(run_child(&with, map_write_execute)), EPERM);
        assert_int_equal(WEXITSTATUS(run_child(&with, make_executable)), EPERM);
}

#ifdef __x86_64__
static int call_x32(void) { return error_of(syscall(0x40000000 | SYS_getpid)); }

static int call_i386(void) {
        long r = 20; /* getpid */

        __asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
        return r > 0 ? 0 : 254;
}

static void test_foreign_abis(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram p = {};
        Profile profile = test_profile();
        int status;

        test_program_compile(&p, policy, &profile);

        status = run_child(&p, call_x32);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);

        status = run_child(NULL, call_i386);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                print_message("this kernel runs no i386 calls\n");
                return;
        }
        status = run_child(&p, call_i386);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
}
#endif

static int execute_shell(void) {
        /* Forks, pipes, waits, and a program that maps libraries. */
        execve("/bin/sh",
               (char *[]){ (char *) "sh",
                           (char *) "-c",
                           (char *) "test \"$(echo a b | wc -w)\" -eq 2 && exit 7",
                           NULL },
               (char *[]){ (char *) "PATH=/usr/bin:/bin", NULL });
        return 126;
}

static void test_programs_start(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram p = {};
        Profile profile = test_profile();

        test_program_compile(&p, policy, &profile);
        assert_int_equal(WEXITSTATUS(run_child(&p, execute_shell)), 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_write_execute),
#ifdef __x86_64__
                cmocka_unit_test(test_foreign_abis),
#endif
                cmocka_unit_test(test_programs_start),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
