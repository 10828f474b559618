/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The user's own processes outside, before each step of a launch and at its end: of none of its processes do they get
 * hold, whatever ids the application has.
 */
#include "exec-rig.h"

#include "base/fd.h"
#include "base/text.h"
#include "exec/exec.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PROCESSES_MAX 16

static bool opens(pid_t pid, const char *file, int flags) {
        _cleanup_close_ int fd = -EBADF;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
        fd = open(path, flags | O_CLOEXEC);
        return fd >= 0;
}

/* That a zombie's files can be opened says nothing: there is nothing in them. */
static bool reads(pid_t pid, const char *file) {
        _cleanup_close_ int fd = -EBADF;
        char path[64], byte;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && read(fd, &byte, 1) > 0;
}

static bool takes_descriptor(pid_t pid) {
        _cleanup_close_ int pidfd = pidfd_open_pid(pid);
        bool taken = false;

        for (int fd = 0; fd < 16; fd++) {
                _cleanup_close_ int copy = (int) syscall(SYS_pidfd_getfd, pidfd, fd, 0U);

                taken = taken || copy >= 0;
        }

        return taken;
}

static bool joins(pid_t pid) {
        _cleanup_close_ int pidfd = pidfd_open_pid(pid);

        return setns(pidfd, CLONE_NEWUSER) >= 0 || setns(pidfd, CLONE_NEWNS) >= 0;
}

static bool traces(pid_t pid) {
        return ptrace(PTRACE_SEIZE, pid, NULL, NULL) >= 0 || ptrace(PTRACE_ATTACH, pid, NULL, NULL) >= 0;
}

static bool reads_memory(pid_t pid) {
        char byte;
        struct iovec ours = { &byte, 1 }, theirs = { (void *) (uintptr_t) 0x400000, 1 };

        return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) >= 0 ||
               errno == EFAULT; /* it was looked for */
}

static bool compares(pid_t pid) { return syscall(SYS_kcmp, pid, getpid(), KCMP_VM, 0, 0) >= 0; }
static bool opens_memory(pid_t pid) { return opens(pid, "mem", O_RDWR) || opens(pid, "mem", O_RDONLY); }
static bool opens_maps(pid_t pid) { return reads(pid, "maps"); }
static bool opens_environment(pid_t pid) { return reads(pid, "environ"); }
static bool opens_root(pid_t pid) { return opens(pid, "root/", O_RDONLY); }
static bool opens_directory(pid_t pid) { return opens(pid, "cwd/", O_RDONLY); }
static bool opens_program(pid_t pid) { return opens(pid, "exe", O_RDONLY); }
static bool opens_namespace(pid_t pid) { return opens(pid, "ns/mnt", O_RDONLY); }
static bool sees_descriptors(pid_t pid) {
        char path[64], target[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/fd/1", pid);
        return readlink(path, target, sizeof(target)) >= 0;
}

/* clang-format off */
static const struct {
        const char *name;
        bool (*run)(pid_t pid);
} attacks[] = {
        { "pidfd_getfd",  takes_descriptor },
        { "setns",        joins },
        { "kcmp",         compares },
        { "vm_readv",     reads_memory },
        { "mem",          opens_memory },
        { "maps",         opens_maps },
        { "environ",      opens_environment },
        { "root",         opens_root },
        { "cwd",          opens_directory },
        { "exe",          opens_program },
        { "ns",           opens_namespace },
        { "fd",           sees_descriptors },
        { "ptrace",       traces }, /* last: who is traced stands still */
};
/* clang-format on */

static int become_user(void) {
        return setgroups(0, NULL) < 0 || setresgid(RIG_GID, RIG_GID, RIG_GID) < 0 ||
                               setresuid(RIG_UID, RIG_UID, RIG_UID) < 0
                       ? -errno
                       : 0;
}

/* From a process of its own: what it holds is let go at its end. Bit N: attack N got through. */
static unsigned attack(pid_t pid) {
        unsigned through = 0;
        int answer[2];
        pid_t attacker;

        assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
        attacker = fork();
        assert_true(attacker >= 0);
        if (attacker == 0) {
                if (become_user() < 0)
                        _exit(EXIT_FAILURE);
                for (size_t i = 0; i < ELEMENTSOF(attacks); i++)
                        through |= attacks[i].run(pid) ? 1U << i : 0;
                _exit(write(answer[1], &through, sizeof(through)) < 0);
        }

        (void) close(answer[1]);
        assert_int_equal(read(answer[0], &through, sizeof(through)), sizeof(through));
        (void) close(answer[0]);
        assert_int_equal(waitpid(attacker, NULL, 0), attacker);
        return through;
}

static void assert_out_of_reach(const char *when) {
        pid_t pids[PROCESSES_MAX];
        const size_t n = rig_processes(pids, ELEMENTSOF(pids));

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) {
                const unsigned through = attack(pids[i]);

                for (size_t k = 0; k < ELEMENTSOF(attacks); k++)
                        if (through & 1U << k)
                                fail_msg("%s, process %zu of %zu: %s", when, i + 1, n, attacks[k].name);
        }
}

/* What is tried works: on a process that is the user's and no sandbox. */
static void test_attacks_work_where_nothing_is_in_the_way(void **state) {
        const unsigned joining = 1U << 1; /* needs a right over the host's mounts */
        int to[2], from[2];
        unsigned through;
        char byte = '\n';
        pid_t pid;

        assert_int_equal(pipe2(to, O_CLOEXEC), 0);
        assert_int_equal(pipe2(from, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                /* Executed as the user, so that it may be dumped. */
                if (become_user() < 0 || dup2(to[0], STDIN_FILENO) < 0 || dup2(from[1], STDOUT_FILENO) < 0)
                        _exit(EXIT_FAILURE);
                (void) execle("/bin/cat", "cat", NULL, (char *const[]){ (char *) "A=b", NULL });
                _exit(EXIT_FAILURE);
        }

        /* Once it answers, it has been executed. */
        (void) close(to[0]);
        (void) close(from[1]);
        assert_int_equal(write(to[1], &byte, 1), 1);
        assert_int_equal(read(from[0], &byte, 1), 1);
        through = attack(pid);
        (void) kill(pid, SIGKILL);
        (void) close(to[1]);
        (void) close(from[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(through | joining, (1U << ELEMENTSOF(attacks)) - 1);
}

static void test_no_process_of_a_launch_is_in_reach(void **state) {
        static const PrivateUsers users[] = { PRIVATE_USERS_PICK,
                                              PRIVATE_USERS_SELF,
                                              PRIVATE_USERS_IDENTITY };

        for (size_t i = 0; i < ELEMENTSOF(users); i++)
                for (const Step *s = exec_steps; s->name; s++) {
                        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe wait");
                        char fault[64];
                        static Run r;

                        rig_use_ids(p, users[i]);
                        (void) snprintf(fault, sizeof(fault), "wait:%s", s->name);
                        r = (Run){};
                        rig_start(&r, p, getenv("IMMURED_EXEC_FAULTY"), fault);
                        rig_wait_output(&r, "waiting\n");
                        assert_out_of_reach(fault);
                        rig_kill(&r);
                }
}

static void test_no_process_of_a_sandbox_is_in_reach(void **state) {
        static const PrivateUsers users[] = { PRIVATE_USERS_PICK,
                                              PRIVATE_USERS_SELF,
                                              PRIVATE_USERS_IDENTITY };

        for (size_t i = 0; i < 2 * ELEMENTSOF(users); i++) {
                _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe wait");
                static Run r;

                rig_use_ids(p, users[i / 2]);
                p->init = i % 2;
                r = (Run){};
                rig_start(&r, p, NULL, NULL);
                rig_wait_output(&r, "ready\n");
                assert_out_of_reach("running");
                rig_kill(&r);
        }
}

static int setup(void **state) {
        rig_setup();
        return 0;
}

static int teardown(void **state) {
        rig_teardown();
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_attacks_work_where_nothing_is_in_the_way),
                cmocka_unit_test(test_no_process_of_a_launch_is_in_reach),
                cmocka_unit_test(test_no_process_of_a_sandbox_is_in_reach),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
