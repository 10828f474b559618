/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/strv.h"
#include "seccomp-program.h"
#include "seccomp/seccomp-names.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ANSWERS(error) (SECCOMP_RET_ERRNO | (error))
#define HIGH (UINT64_C(1) << 32)

static void compile_items(TestProgram *ret, ProfileSyscallArgument *items, size_t n_items) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile();

        profile.restrict_suid_sgid = false;
        profile.syscall_arguments = items;
        profile.n_syscall_arguments = n_items;
        test_program_compile(ret, policy, &profile);
}

#define COMPILE(ret, ...)                                        \
        compile_items((ret),                                     \
                      (ProfileSyscallArgument[]){ __VA_ARGS__ }, \
                      sizeof((ProfileSyscallArgument[]){ __VA_ARGS__ }) / sizeof(ProfileSyscallArgument))
#define ITEM(n, a, o, v, e) \
        { .name = (char *) (n), .argument = (a), .op = ARGUMENT_##o, .value = (v), .error = (e) }

static uint32_t call(const TestProgram *p, const char *name, unsigned argument, uint64_t value) {
        uint64_t args[6] = {};

        args[argument] = value;
        return test_program_call(p, name, args);
}

/* An argument of 32 bits: what stands above is not looked at, neither here nor by the kernel. */
static void words_are_compared_as_words(void **state) {
        static const struct {
                ArgumentOperator op;
                uint64_t value;
                bool refused;
        } cases[] = {
                { ARGUMENT_EQUAL, 100, true },         { ARGUMENT_EQUAL, 99, false },
                { ARGUMENT_EQUAL, 101, false },        { ARGUMENT_NOT_EQUAL, 100, false },
                { ARGUMENT_NOT_EQUAL, 99, true },      { ARGUMENT_NOT_EQUAL, 0, true },
                { ARGUMENT_LESS, 99, true },           { ARGUMENT_LESS, 100, false },
                { ARGUMENT_LESS, 101, false },         { ARGUMENT_LESS_EQUAL, 99, true },
                { ARGUMENT_LESS_EQUAL, 100, true },    { ARGUMENT_LESS_EQUAL, 101, false },
                { ARGUMENT_GREATER, 99, false },       { ARGUMENT_GREATER, 100, false },
                { ARGUMENT_GREATER, 101, true },       { ARGUMENT_GREATER, UINT32_MAX, true },
                { ARGUMENT_GREATER_EQUAL, 99, false }, { ARGUMENT_GREATER_EQUAL, 100, true },
                { ARGUMENT_GREATER_EQUAL, 101, true }, { ARGUMENT_HAS_ANY, 4, true },
                { ARGUMENT_HAS_ANY, 32 | 1, true },    { ARGUMENT_HAS_ANY, 1 | 2 | 8, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const uint32_t expected = cases[i].refused ? ANSWERS(E2BIG) : SECCOMP_RET_ALLOW;
                _cleanup_program_ TestProgram p = {};

                COMPILE(&p,
                        { .name = (char *) "ioctl",
                          .argument = 1,
                          .op = cases[i].op,
                          .value = 100,
                          .error = E2BIG });
                if (call(&p, "ioctl", 1, cases[i].value) != expected ||
                    call(&p, "ioctl", 1, cases[i].value | HIGH) != expected ||
                    call(&p, "ioctl", 1, cases[i].value | ~(uint64_t) UINT32_MAX) != expected)
                        fail_msg("operator %d with %u", cases[i].op, (unsigned) cases[i].value);
                assert_int_equal(call(&p, "ioctl", 0, 100),
                                 cases[i].op == ARGUMENT_LESS || cases[i].op == ARGUMENT_LESS_EQUAL ||
                                                 cases[i].op == ARGUMENT_NOT_EQUAL
                                         ? ANSWERS(E2BIG)
                                         : SECCOMP_RET_ALLOW);
                assert_int_equal(call(&p, "fcntl", 1, 100), SECCOMP_RET_ALLOW);
        }
}

/* The kernel takes 16 bits of a mode: neither half of a word above may hide it. */
static void modes_are_compared_as_modes(void **state) {
        _cleanup_program_ TestProgram p = {};

        COMPILE(&p, ITEM("chmod", 1, EQUAL, 0777, EACCES), ITEM("mkdirat", 2, HAS_ANY, S_ISVTX, EACCES));
        assert_int_equal(call(&p, "chmod", 1, 0777), ANSWERS(EACCES));
        assert_int_equal(call(&p, "chmod", 1, 0777 | 1U << 16), ANSWERS(EACCES));
        assert_int_equal(call(&p, "chmod", 1, 0777 | HIGH), ANSWERS(EACCES));
        assert_int_equal(call(&p, "chmod", 1, 0776), SECCOMP_RET_ALLOW);
        assert_int_equal(call(&p, "mkdirat", 2, 01755), ANSWERS(EACCES));
        assert_int_equal(call(&p, "mkdirat", 2, 0755), SECCOMP_RET_ALLOW);
}

/* Of unknown width: refused where the comparison is true of all 64 bits, or of what a kernel that cuts would see. */
static void wide_arguments_pass_by_neither_half(void **state) {
        static const struct {
                ArgumentOperator op;
                uint64_t limit, value;
                bool refused;
        } cases[] = {
                { ARGUMENT_EQUAL, 100, 100, true },
                { ARGUMENT_EQUAL, 100, HIGH | 100, true },
                { ARGUMENT_EQUAL, 100, HIGH, false },
                { ARGUMENT_EQUAL, HIGH | 100, HIGH | 100, true },
                { ARGUMENT_EQUAL, HIGH | 100, 100, false },
                { ARGUMENT_EQUAL, HIGH | 100, HIGH * 2 | 100, false },
                { ARGUMENT_NOT_EQUAL, 100, 100, false },
                { ARGUMENT_NOT_EQUAL, 100, HIGH | 100, true },
                { ARGUMENT_NOT_EQUAL, 100, 101, true },
                { ARGUMENT_NOT_EQUAL, HIGH | 100, HIGH | 100, false },
                { ARGUMENT_NOT_EQUAL, HIGH | 100, 100, true },
                { ARGUMENT_LESS, 100, 99, true },
                { ARGUMENT_LESS, 100, HIGH | 99, true },
                { ARGUMENT_LESS, 100, HIGH | 100, false },
                { ARGUMENT_LESS, HIGH | 100, HIGH | 99, true },
                { ARGUMENT_LESS, HIGH | 100, HIGH | 100, false },
                { ARGUMENT_LESS, HIGH | 100, 200, true },
                { ARGUMENT_LESS, HIGH | 100, HIGH * 2, false },
                { ARGUMENT_LESS_EQUAL, HIGH | 100, HIGH | 100, true },
                { ARGUMENT_LESS_EQUAL, HIGH | 100, HIGH | 101, false },
                { ARGUMENT_LESS_EQUAL, HIGH | 100, 0, true },
                { ARGUMENT_GREATER, 100, 100, false },
                { ARGUMENT_GREATER, 100, 101, true },
                { ARGUMENT_GREATER, 100, HIGH, true },
                { ARGUMENT_GREATER, HIGH | 100, HIGH | 101, true },
                { ARGUMENT_GREATER, HIGH | 100, HIGH | 100, false },
                { ARGUMENT_GREATER, HIGH | 100, 200, false },
                { ARGUMENT_GREATER, HIGH | 100, HIGH * 2, true },
                { ARGUMENT_GREATER_EQUAL, HIGH, HIGH, true },
                { ARGUMENT_GREATER_EQUAL, HIGH, HIGH - 1, false },
                { ARGUMENT_GREATER_EQUAL, 100, HIGH | 1, true },
                { ARGUMENT_HAS_ANY, 4, 4, true },
                { ARGUMENT_HAS_ANY, 4, HIGH | 3, false },
                { ARGUMENT_HAS_ANY, HIGH | 4, HIGH, true },
                { ARGUMENT_HAS_ANY, HIGH | 4, 4, true },
                { ARGUMENT_HAS_ANY, HIGH | 4, HIGH * 2 | 3, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const uint32_t expected = cases[i].refused ? ANSWERS(ENOMEM) : SECCOMP_RET_ALLOW;
                _cleanup_program_ TestProgram p = {};

                COMPILE(&p,
                        { .name = (char *) "mmap",
                          .argument = 1,
                          .op = cases[i].op,
                          .value = cases[i].limit,
                          .error = ENOMEM });
                if (call(&p, "mmap", 1, cases[i].value) != expected)
                        fail_msg("case %zu", i);
        }
}

static void the_first_that_holds_answers(void **state) {
        _cleanup_program_ TestProgram p = {};

        COMPILE(&p,
                ITEM("socket", 1, HAS_ANY, SOCK_NONBLOCK, EACCES),
                ITEM("ioctl", 1, EQUAL, TIOCSTI, EACCES),
                ITEM("socket", 1, EQUAL, SOCK_DGRAM | SOCK_NONBLOCK, ENFILE),
                ITEM("socket", 1, EQUAL, SOCK_DGRAM, -1),
                ITEM("socket", 0, EQUAL, AF_NETLINK, ENFILE));

        assert_int_equal(
                test_program_call(&p, "socket", (uint64_t[6]){ AF_INET, SOCK_DGRAM | SOCK_NONBLOCK }),
                ANSWERS(EACCES));
        assert_int_equal(test_program_call(&p, "socket", (uint64_t[6]){ AF_INET, SOCK_DGRAM }),
                         ANSWERS(EPERM));
        assert_int_equal(test_program_call(&p, "socket", (uint64_t[6]){ AF_INET, SOCK_STREAM }),
                         SECCOMP_RET_ALLOW);
        /* What is refused anyway keeps its own answer. */
        assert_int_equal(test_program_call(&p, "socket", (uint64_t[6]){ AF_NETLINK, SOCK_RAW }),
                         ANSWERS(EAFNOSUPPORT));
        assert_int_equal(call(&p, "ioctl", 1, TIOCSTI), ANSWERS(EPERM));
        assert_int_equal(call(&p, "ioctl", 1, TIOCGWINSZ), SECCOMP_RET_ALLOW);
}

/* Nothing that the other filters refuse comes back, and calls of another ABI are killed before any item is asked. */
static void nothing_else_changes(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram with = {}, without = {};
        Profile profile = test_profile();

        profile.restrict_suid_sgid = false;
        test_program_compile(&without, policy, &profile);
        COMPILE(&with, ITEM("mount", 3, NOT_EQUAL, 1, EACCES), ITEM("getpid", 5, EQUAL, 12345, EACCES));

        for (int number = 0; number < SYSCALL_NUMBER_MAX; number++) {
                const uint64_t args[6] = { 1, 0, 0, 1, 0, 0 };

                assert_int_equal(test_program_run(&with, seccomp_arch_native(), (uint32_t) number, args),
                                 test_program_run(&without, seccomp_arch_native(), (uint32_t) number, args));
        }
        assert_int_equal(test_program_run(&with, 3, (uint32_t) syscall_number("getpid"), (uint64_t[6]){ 0 }),
                         SECCOMP_RET_KILL_PROCESS);
}

static void mistakes_are_found(void **state) {
        static const struct {
                ProfileSyscallArgument item;
                const char *text;
        } cases[] = {
                { ITEM("nosuchcall", 1, EQUAL, 1, -1), "nosuchcall is no system call" },
                { ITEM("write", 0, EQUAL, 7, EPERM), "cannot be refused" },
                { ITEM("execve", 0, EQUAL, 7, EPERM), "cannot be refused" },
                { ITEM("ioctl", 1, EQUAL, HIGH, EPERM), "fewer bits" },
                { ITEM("chmod", 1, EQUAL, 1U << 16, EPERM), "fewer bits" },
        };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ProfileSyscallArgument item = cases[i].item;
                _cleanup_findings_ Findings findings = {};
                Profile profile = test_profile();
                uint8_t *data = NULL;
                size_t size = 0;

                profile.syscall_arguments = &item;
                profile.n_syscall_arguments = 1;
                assert_int_equal(seccomp_compile(policy, &profile, &data, &size, &findings), -EBADMSG);
                assert_null(data);
                assert_int_equal(findings.n_items, 1);
                assert_string_equal(findings.items[0].key, "SystemCallArgumentFilter");
                assert_non_null(strstr(findings.items[0].text, cases[i].text));
        }
}

static void the_longest_list_fits(void **state) {
        ProfileSyscallArgument items[128];
        _cleanup_program_ TestProgram p = {};

        for (size_t i = 0; i < ELEMENTSOF(items); i++)
                items[i] = (ProfileSyscallArgument) ITEM("mmap", 1, LESS_EQUAL, HIGH * (i + 2), E2BIG);
        items[127] = (ProfileSyscallArgument) ITEM("munmap", 1, EQUAL, 4096, EBUSY);
        compile_items(&p, items, ELEMENTSOF(items));
        assert_int_equal(call(&p, "mmap", 1, HIGH), ANSWERS(E2BIG));
        assert_int_equal(call(&p, "mmap", 1, HIGH * 200), SECCOMP_RET_ALLOW);
        assert_int_equal(call(&p, "munmap", 1, 4096), ANSWERS(EBUSY));
        assert_int_equal(call(&p, "munmap", 1, 8192), SECCOMP_RET_ALLOW);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_are_compared_as_words),
                cmocka_unit_test(modes_are_compared_as_modes),
                cmocka_unit_test(wide_arguments_pass_by_neither_half),
                cmocka_unit_test(the_first_that_holds_answers),
                cmocka_unit_test(nothing_else_changes),
                cmocka_unit_test(mistakes_are_found),
                cmocka_unit_test(the_longest_list_fits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
