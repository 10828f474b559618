/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp-program.h"
#include "seccomp/seccomp-names.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define RESET_ON_FORK 0x40000000
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
#define NAMESPACES                                                                                    \
        (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
         CLONE_NEWNET)

/* One call with up to three arguments that matter, the first of them at position at. */
typedef struct Case {
        const char *syscall;
        unsigned at;
        uint32_t args[3];
        int error; /* 0: passes */
} Case;

/* What stands above the 32 bits that the kernel looks at. */
static const uint64_t garbage[] = {
        0, UINT64_C(1) << 32, UINT64_C(0xffffffff00000000), UINT64_C(0x8000000000000000)
};

static void check(const TestProgram *p, const Case *c, int error) {
        if (syscall_number(c->syscall) < 0)
                return; /* not on this ABI, or younger than libseccomp */

        for (size_t i = 0; i < ELEMENTSOF(garbage); i++) {
                uint64_t args[6] = {};
                uint32_t expected = error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (uint32_t) error,
                         got;

                for (unsigned k = 0; k < ELEMENTSOF(c->args); k++)
                        args[c->at + k] = c->args[k] | garbage[i];

                got = test_program_call(p, c->syscall, args);
                if (got != expected)
                        fail_msg("%s(%u: 0x%x 0x%x 0x%x, above 0x%llx): 0x%08x instead of 0x%08x",
                                 c->syscall,
                                 c->at,
                                 c->args[0],
                                 c->args[1],
                                 c->args[2],
                                 (unsigned long long) garbage[i],
                                 got,
                                 expected);
        }
}

/* All cases as they say with the setting on, and all passing with it off, but for those that always hold. */
static void check_cases(const Profile *on, const Profile *off, const Case *cases, size_t n_cases) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram with = {}, without = {};

        test_program_compile(&with, policy, on);
        test_program_compile(&without, policy, off);
        for (size_t i = 0; i < n_cases; i++) {
                check(&with, &cases[i], cases[i].error);
                check(&without, &cases[i], 0);
        }
}

static void test_ioctl(void **state) {
        static const Case cases[] = {
                { "ioctl", 0, { 0, TIOCSTI }, EPERM },   { "ioctl", 0, { 0, TIOCLINUX }, EPERM },
                { "ioctl", 0, { 0, TIOCSTI + 1 }, 0 },   { "ioctl", 0, { 0, TIOCSTI - 1 }, 0 },
                { "ioctl", 0, { 0, TIOCLINUX + 1 }, 0 }, { "ioctl", 0, { 0, TIOCLINUX - 1 }, 0 },
                { "ioctl", 0, { 0, TCGETS }, 0 },        { "ioctl", 0, { 0, TIOCGWINSZ }, 0 },
                { "ioctl", 0, { TIOCSTI, TCGETS }, 0 },  { "ioctl", 0, { 0, 0 }, 0 },
                { "ioctl", 0, { 0, UINT32_MAX }, 0 },    { "ioctl", 0, { 0, TIOCSTI | 0x80000000 }, 0 },
        };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};

        test_program_compile(&p, policy, &profile);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(&p, &cases[i], cases[i].error);
}

static void test_namespaces(void **state) {
        static const uint32_t threads = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                        CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                        CLONE_CHILD_CLEARTID;
        static const Case cases[] = {
                { "clone", 0, { 17 }, 0 },
                { "clone", 0, { threads }, 0 },
                { "clone", 0, { CLONE_VM | CLONE_VFORK | 17 }, 0 },
                { "clone", 0, { ~(uint32_t) NAMESPACES }, 0 },
                { "clone", 0, { CLONE_NEWNS }, EPERM },
                { "clone", 0, { CLONE_NEWCGROUP }, EPERM },
                { "clone", 0, { CLONE_NEWUTS }, EPERM },
                { "clone", 0, { CLONE_NEWIPC }, EPERM },
                { "clone", 0, { CLONE_NEWUSER }, EPERM },
                { "clone", 0, { CLONE_NEWPID }, EPERM },
                { "clone", 0, { CLONE_NEWNET }, EPERM },
                { "clone", 0, { threads | CLONE_NEWUSER }, EPERM },
                { "clone", 0, { NAMESPACES }, EPERM },
                { "clone", 0, { UINT32_MAX }, EPERM },
                { "unshare", 0, { CLONE_FILES }, 0 },
                { "unshare", 0, { CLONE_FS | CLONE_SYSVSEM }, 0 },
                { "unshare", 0, { ~(uint32_t) (NAMESPACES | CLONE_NEWTIME) }, 0 },
                { "unshare", 0, { CLONE_NEWNS }, EPERM },
                { "unshare", 0, { CLONE_NEWCGROUP }, EPERM },
                { "unshare", 0, { CLONE_NEWUTS }, EPERM },
                { "unshare", 0, { CLONE_NEWIPC }, EPERM },
                { "unshare", 0, { CLONE_NEWUSER }, EPERM },
                { "unshare", 0, { CLONE_NEWPID }, EPERM },
                { "unshare", 0, { CLONE_NEWNET }, EPERM },
                { "unshare", 0, { CLONE_NEWTIME }, EPERM },
                { "unshare", 0, { CLONE_FILES | CLONE_NEWUSER }, EPERM },
                { "setns", 0, { 3, 0 }, EPERM },
                { "setns", 0, { 3, CLONE_NEWUSER }, EPERM },
        };
        ProfileSyscall items[] = {
                { .name = (char *) "@system-service", .error = -1 },
                { .name = (char *) "@namespaces", .error = -1 },
        };
        Profile off = test_profile_unrestricted(), on;

        off.syscalls = items;
        off.n_syscalls = ELEMENTSOF(items);
        on = off;
        on.restrict_namespaces = true;
        check_cases(&on, &off, cases, ELEMENTSOF(cases));
}

static void test_clone3_is_for_who_names_it_and_makes_namespaces(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        ProfileSyscall item = { .name = (char *) "clone3", .error = -1 };
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};

        profile.syscalls = &item;
        profile.n_syscalls = 1;
        test_program_compile(&p, policy, &profile);
        check(&p, &(Case){ "clone3", 0, { 0 }, 0 }, 0);
        test_program_done(&p);

        profile.restrict_namespaces = true;
        test_program_compile(&p, policy, &profile);
        check(&p, &(Case){ "clone3", 0, { 0 }, 0 }, ENOSYS);
        test_program_done(&p);

        profile.restrict_namespaces = false;
        item.name = (char *) "@process";
        test_program_compile(&p, policy, &profile);
        check(&p, &(Case){ "clone3", 0, { 0 }, 0 }, ENOSYS);
}

static void test_calls_that_are_gone_are_not_there(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile();
        _cleanup_program_ TestProgram p = {};

        test_program_compile(&p, policy, &profile);
        check(&p, &(Case){ "nfsservctl", 0, { 0 }, 0 }, ENOSYS);
        check(&p, &(Case){ "unshare", 0, { 0 }, 0 }, EPERM);
}

static void test_personality(void **state) {
        static const Case cases[] = {
                { "personality", 0, { PER_LINUX }, 0 },
                { "personality", 0, { UINT32_MAX }, 0 },
                { "personality", 0, { PER_LINUX32 }, EPERM },
                { "personality", 0, { ADDR_NO_RANDOMIZE }, EPERM },
                { "personality", 0, { READ_IMPLIES_EXEC }, EPERM },
                { "personality", 0, { 1 }, EPERM },
                { "personality", 0, { UINT32_MAX - 1 }, EPERM },
                { "personality", 0, { INT32_MAX }, EPERM },
                { "personality", 0, { 0x80000000 }, EPERM },
        };
        Profile off = test_profile_unrestricted(), on = off;

        on.lock_personality = true;
        check_cases(&on, &off, cases, ELEMENTSOF(cases));

        /* READ_IMPLIES_EXEC would undo it. */
        on.lock_personality = false;
        on.memory_deny_write_execute = true;
        check_cases(&on, &off, cases, ELEMENTSOF(cases));
}

static void test_realtime(void **state) {
        static const Case cases[] = {
                { "sched_setscheduler", 0, { 0, SCHED_OTHER }, 0 },
                { "sched_setscheduler", 0, { 0, SCHED_BATCH }, 0 },
                { "sched_setscheduler", 0, { 0, SCHED_IDLE }, 0 },
                { "sched_setscheduler", 0, { 0, SCHED_OTHER | RESET_ON_FORK }, 0 },
                { "sched_setscheduler", 0, { 0, SCHED_IDLE | RESET_ON_FORK }, 0 },
                { "sched_setscheduler", 0, { 0, SCHED_FIFO }, EPERM },
                { "sched_setscheduler", 0, { 0, SCHED_RR }, EPERM },
                { "sched_setscheduler", 0, { 0, SCHED_FIFO | RESET_ON_FORK }, EPERM },
                { "sched_setscheduler", 0, { 0, 4 }, EPERM },
                { "sched_setscheduler", 0, { 0, 6 /* SCHED_DEADLINE */ }, EPERM },
                { "sched_setscheduler", 0, { 0, 7 }, EPERM },
                { "sched_setscheduler", 0, { 0, UINT32_MAX }, EPERM },
                { "sched_setscheduler", 0, { 0, 0x80000000 }, EPERM },
                { "sched_setattr", 0, { 0, 0, 0 }, EPERM },
        };
        Profile off = test_profile_unrestricted(), on = off;

        on.restrict_realtime = true;
        check_cases(&on, &off, cases, ELEMENTSOF(cases));
}

/* Where the mode stands, and whether a flag before it makes it count. */
typedef struct ModeCall {
        const char *syscall;
        unsigned mode;
        bool has_flags;
} ModeCall;

/* clang-format off */
static const ModeCall mode_calls[] = {
        { "chmod",   1, false }, { "fchmod", 1, false }, { "fchmodat", 2, false }, { "fchmodat2", 2, false },
        { "creat",   1, false }, { "mkdir",  1, false }, { "mkdirat",  2, false }, { "mknod",     1, false },
        { "mknodat", 2, false }, { "open",   2, true },  { "openat",   3, true },
};
static const uint32_t modes[] = {
        0, 0777, 01777, S_ISUID, S_ISGID, S_ISUID | 0755, S_ISGID | 0755, 07777, UINT32_MAX,
        ~(uint32_t) (S_ISUID | S_ISGID),
};
static const uint32_t open_flags[] = {
        0, O_RDWR, O_CREAT, O_CREAT | O_EXCL | O_WRONLY, O_TMPFILE | O_RDWR, TMPFILE_BIT,
        O_CREAT | O_TMPFILE, O_DIRECTORY, UINT32_MAX, ~(uint32_t) (O_CREAT | TMPFILE_BIT),
};
/* clang-format on */

static Case mode_case(const ModeCall *call, uint32_t flags, uint32_t mode) {
        bool counts = !call->has_flags || (flags & (O_CREAT | TMPFILE_BIT)) != 0;
        bool bad = (mode & (S_ISUID | S_ISGID)) != 0;

        return (Case){ call->syscall, call->mode - 1, { flags, mode }, counts && bad ? EPERM : 0 };
}

static void test_suid_sgid(void **state) {
        Profile off = test_profile_unrestricted(), on = off;

        on.restrict_suid_sgid = true;

        for (size_t i = 0; i < ELEMENTSOF(mode_calls); i++) {
                Case cases[ELEMENTSOF(modes) * ELEMENTSOF(open_flags)];
                size_t n = 0;

                for (size_t m = 0; m < ELEMENTSOF(modes); m++)
                        for (size_t f = 0; f < ELEMENTSOF(open_flags); f++)
                                cases[n++] = mode_case(&mode_calls[i], open_flags[f], modes[m]);
                check_cases(&on, &off, cases, n);
        }

        check_cases(&on, &off, &(Case){ "openat2", 0, { 0, 0, 0 }, ENOSYS }, 1);
}

static void test_write_execute(void **state) {
        static const Case cases[] = {
                { "mmap", 2, { PROT_READ | PROT_WRITE }, 0 },
                { "mmap", 2, { PROT_READ | PROT_EXEC }, 0 },
                { "mmap", 2, { PROT_EXEC }, 0 },
                { "mmap", 2, { PROT_WRITE | PROT_EXEC }, EPERM },
                { "mmap", 2, { PROT_READ | PROT_WRITE | PROT_EXEC }, EPERM },
                { "mmap", 2, { UINT32_MAX }, EPERM },
                { "mprotect", 2, { PROT_READ | PROT_WRITE }, 0 },
                { "mprotect", 2, { PROT_NONE }, 0 },
                { "mprotect", 2, { PROT_EXEC }, EPERM },
                { "mprotect", 2, { PROT_READ | PROT_EXEC }, EPERM },
                { "pkey_mprotect", 2, { PROT_READ }, 0 },
                { "pkey_mprotect", 2, { PROT_READ | PROT_EXEC }, EPERM },
                { "shmat", 2, { 0 }, 0 },
                { "shmat", 2, { SHM_RDONLY }, 0 },
                { "shmat", 2, { SHM_EXEC }, EPERM },
                { "shmat", 2, { SHM_EXEC | SHM_RDONLY }, EPERM },
        };
        Profile off = test_profile_unrestricted(), on = off;

        on.memory_deny_write_execute = true;
        check_cases(&on, &off, cases, ELEMENTSOF(cases));
}

static void check_families(char **families, uint64_t allowed) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};

        profile.address_families = families;
        test_program_compile(&p, policy, &profile);

        for (uint32_t family = 0; family < 64; family++) {
                int error = (allowed >> family & 1) != 0 ? 0 : EAFNOSUPPORT;

                check(&p, &(Case){ "socket", 0, { family, SOCK_STREAM, 0 }, 0 }, error);
                check(&p, &(Case){ "socketpair", 0, { family, SOCK_STREAM, 0 }, 0 }, error);
        }
        for (unsigned bit = 6; bit < 32; bit++)
                for (uint32_t family = 0; family < 64; family++)
                        check(&p, &(Case){ "socket", 0, { family | UINT32_C(1) << bit }, 0 }, EAFNOSUPPORT);
        check(&p, &(Case){ "socket", 0, { UINT32_MAX }, 0 }, EAFNOSUPPORT);
}

#define FAMILIES(...) ((char *[]){ __VA_ARGS__, NULL })
#define F(name) ((char *) (name))
#define BIT(family) (UINT64_C(1) << (family))

static void test_address_families(void **state) {
        check_families(FAMILIES(F("AF_UNIX"), F("AF_INET"), F("AF_INET6")),
                       BIT(AF_UNIX) | BIT(AF_INET) | BIT(AF_INET6));
        check_families(FAMILIES(F("AF_LOCAL"), F("AF_UNIX")), BIT(AF_UNIX));
        check_families(FAMILIES(F("AF_VSOCK"), F("AF_XDP"), F("AF_BRIDGE")),
                       BIT(AF_VSOCK) | BIT(AF_XDP) | BIT(AF_BRIDGE));
        check_families(FAMILIES(F("AF_NETLINK"), F("AF_PACKET")), BIT(AF_NETLINK) | BIT(AF_PACKET));
        check_families(NULL, 0);
        check_families((char *[]){ NULL }, 0);
}

static void test_netlink_is_route_alone(void **state) {
        static const Case cases[] = {
                { "socket", 0, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, 0 },
                { "socket", 0, { AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE }, 0 },
                { "socket", 0, { AF_UNIX, SOCK_STREAM, NETLINK_NETFILTER }, 0 },
        };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};

        profile.address_families = FAMILIES(F("AF_UNIX"), F("AF_NETLINK"));
        test_program_compile(&p, policy, &profile);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(&p, &cases[i], cases[i].error);
        for (uint64_t protocol = 1; protocol < MAX_LINKS; protocol++)
                check(&p,
                      &(Case){ "socket", 0, { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol }, 0 },
                      EPROTONOSUPPORT);
}

/* With all of it at once each rule still holds: none hides another, none reaches further than it says. */
static void test_all_together(void **state) {
        static const Case cases[] = {
                { "ioctl", 0, { 0, TIOCSTI }, EPERM },
                { "ioctl", 0, { 0, TCGETS }, 0 },
                { "clone", 0, { CLONE_NEWUSER }, EPERM },
                { "clone", 0, { 17 }, 0 },
                { "personality", 0, { PER_LINUX32 }, EPERM },
                { "personality", 0, { 0 }, 0 },
                { "sched_setscheduler", 0, { 0, SCHED_RR }, EPERM },
                { "sched_setscheduler", 0, { 0, SCHED_BATCH }, 0 },
                { "fchmodat", 1, { 0, 04755 }, EPERM },
                { "fchmodat", 1, { 0, 0755 }, 0 },
                { "openat", 2, { O_CREAT, 02755 }, EPERM },
                { "openat", 2, { O_CREAT, 0755 }, 0 },
                { "openat", 2, { O_RDONLY, 02755 }, 0 },
                { "openat2", 0, { 0 }, ENOSYS },
                { "mmap", 2, { PROT_WRITE | PROT_EXEC }, EPERM },
                { "mmap", 2, { PROT_READ | PROT_EXEC }, 0 },
                { "socket", 0, { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER }, EPROTONOSUPPORT },
                { "socket", 0, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, 0 },
                { "socket", 0, { AF_PACKET, SOCK_RAW, 0 }, EAFNOSUPPORT },
                { "read", 0, { 0 }, 0 },
                { "ptrace", 0, { 0 }, EPERM },
                { "unshare", 0, { 0 }, EPERM }, /* not listed */
        };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram p = {};
        Profile profile = test_profile();

        profile.memory_deny_write_execute = true;
        profile.address_families = FAMILIES(F("AF_UNIX"), F("AF_INET"), F("AF_NETLINK"));
        test_program_compile(&p, policy, &profile);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(&p, &cases[i], cases[i].error);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ioctl),
                cmocka_unit_test(test_namespaces),
                cmocka_unit_test(test_clone3_is_for_who_names_it_and_makes_namespaces),
                cmocka_unit_test(test_calls_that_are_gone_are_not_there),
                cmocka_unit_test(test_personality),
                cmocka_unit_test(test_realtime),
                cmocka_unit_test(test_suid_sgid),
                cmocka_unit_test(test_write_execute),
                cmocka_unit_test(test_address_families),
                cmocka_unit_test(test_netlink_is_route_alone),
                cmocka_unit_test(test_all_together),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
