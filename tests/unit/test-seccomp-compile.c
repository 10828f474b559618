/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/strv.h"
#include "seccomp-program.h"
#include "seccomp/seccomp-names.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ANSWERS(error) (SECCOMP_RET_ERRNO | (error))

/* A socket of AF_UNIX for socket(), harmless for every other call. */
static const uint64_t plain_args[6] = { 1, 0, 0, 0, 0, 0 };

static uint32_t answer(const TestProgram *p, const char *name) {
        return test_program_call(p, name, plain_args);
}

static void compile_items(TestProgram *ret, ProfileSyscall *items, size_t n_items) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();

        profile.syscalls = items;
        profile.n_syscalls = n_items;
        profile.syscalls_set = true;
        test_program_compile(ret, policy, &profile);
}

#define COMPILE(ret, ...)                                \
        compile_items((ret),                             \
                      (ProfileSyscall[]){ __VA_ARGS__ }, \
                      sizeof((ProfileSyscall[]){ __VA_ARGS__ }) / sizeof(ProfileSyscall))
#define ADD(n) \
        { .name = (char *) (n), .error = -1 }
#define REMOVE(n) \
        { .name = (char *) (n), .deny = true, .error = -1 }
#define ANSWER(n, e) \
        { .name = (char *) (n), .error = (e) }

/*
 * Which calls @system-service holds is a decision about security: whoever changes it changes the list beside
 * this test as well, and sees what it is about.
 */
static void test_system_service_is_the_golden_list(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_free_ char *path = NULL, *golden = NULL, *joined = NULL;

        assert_true(asprintf(&path,
                             "%s/tests/unit/data/system-service.list",
                             getenv("MESON_SOURCE_ROOT") ?: ".") > 0);
        assert_int_equal(file_read_full(AT_FDCWD, path, 65536, &golden, NULL), 0);

        joined = strv_join(seccomp_policy_group(policy, "@system-service"), "\n");
        assert_non_null(joined);
        assert_int_equal(golden[strlen(golden) - 1], '\n');
        golden[strlen(golden) - 1] = '\0';
        assert_string_equal(joined, golden);
}

/* Every number of the table and those behind it, against the group. */
static void test_exactly_the_group_passes(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};
        bool listed[SYSCALL_NUMBER_MAX] = {};

        test_program_compile(&p, policy, &profile);

        STRV_FOREACH (name, seccomp_policy_group(policy, "@system-service"))
                if (syscall_number(*name) >= 0)
                        listed[syscall_number(*name)] = true;

        for (int number = 0; number < SYSCALL_NUMBER_MAX; number++) {
                uint32_t expected;

                if (number == syscall_number("clone3") || !syscall_number_is_known(number))
                        expected = ANSWERS(ENOSYS);
                else
                        expected = listed[number] ? SECCOMP_RET_ALLOW : ANSWERS(EPERM);

                if (test_program_run(&p, seccomp_arch_native(), (uint32_t) number, plain_args) != expected)
                        fail_msg("system call %d: wrong answer", number);
        }
}

/* clang-format off */
static const char *const doors[] = {
        "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_settime", "delete_module",
        "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "init_module",
        "io_uring_enter", "io_uring_register", "io_uring_setup", "kcmp", "kexec_file_load",
        "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount",
        "open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root",
        "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "quotactl_fd", "reboot",
        "request_key", "setdomainname", "sethostname", "setns", "settimeofday", "swapoff", "swapon",
        "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
};
/* clang-format on */

static void test_doors_that_stay_shut(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};

        test_program_compile(&p, policy, &profile);
        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                if (syscall_number(doors[i]) < 0)
                        continue; /* not on this ABI */
                if (answer(&p, doors[i]) != ANSWERS(EPERM))
                        fail_msg("%s passes", doors[i]);
        }
}

static void test_numbers_nobody_knows_do_not_exist(void **state) {
        static const uint32_t numbers[] = { 600, 1000, 1023, 1024, 4096, 65535, 0x3fffffff };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile();
        _cleanup_program_ TestProgram p = {};

        test_program_compile(&p, policy, &profile);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                assert_int_equal(test_program_run(&p, seccomp_arch_native(), numbers[i], plain_args),
                                 ANSWERS(ENOSYS));
}

static void test_foreign_abis_are_killed(void **state) {
        static const uint32_t arches[] = {
                AUDIT_ARCH_I386,    AUDIT_ARCH_ARM,  AUDIT_ARCH_MIPS,  AUDIT_ARCH_MIPSEL,
                AUDIT_ARCH_PPC64LE, AUDIT_ARCH_S390, AUDIT_ARCH_S390X, 0,
                UINT32_MAX,
        };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile();
        _cleanup_program_ TestProgram p = {};

        test_program_compile(&p, policy, &profile);
        for (size_t i = 0; i < ELEMENTSOF(arches); i++)
                for (uint32_t number = 0; number < 600; number++)
                        assert_int_equal(test_program_run(&p, arches[i], number, plain_args),
                                         SECCOMP_RET_KILL_PROCESS);

#ifdef __x86_64__
        /* x32 comes with the native architecture and a bit in the number. */
        for (uint32_t number = 0; number < SYSCALL_NUMBER_MAX; number++)
                assert_int_equal(
                        test_program_run(&p, AUDIT_ARCH_X86_64, number | UINT32_C(0x40000000), plain_args),
                        SECCOMP_RET_KILL_PROCESS);
#endif
}

static void test_negative_numbers_do_not_pass(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile();
        _cleanup_program_ TestProgram p = {};

        test_program_compile(&p, policy, &profile);
        for (uint32_t number = UINT32_MAX; number > UINT32_MAX - 20000; number--)
                assert_int_not_equal(test_program_run(&p, seccomp_arch_native(), number, plain_args),
                                     SECCOMP_RET_ALLOW);
}

static void test_own_list_replaces_the_default(void **state) {
        _cleanup_program_ TestProgram p = {};

        COMPILE(&p, ADD("@basic-io"), ADD("ptrace"));
        assert_int_equal(answer(&p, "ptrace"), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, "pread64"), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, "getpid"), SECCOMP_RET_ALLOW); /* @default */
        assert_int_equal(answer(&p, "openat"), ANSWERS(EPERM));
        assert_int_equal(answer(&p, "socket"), ANSWERS(EPERM));
}

static void test_removing_first_keeps_the_default(void **state) {
        _cleanup_program_ TestProgram p = {};

        COMPILE(&p, REMOVE("@network-io"), REMOVE("kill"));
        assert_int_equal(answer(&p, "openat"), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, "socket"), ANSWERS(EPERM));
        assert_int_equal(answer(&p, "kill"), ANSWERS(EPERM));
        assert_int_equal(answer(&p, "ptrace"), ANSWERS(EPERM));
}

static void test_later_items_win(void **state) {
        _cleanup_program_ TestProgram p = {}, q = {};

        COMPILE(&p, ADD("@system-service"), REMOVE("@file-system"), ADD("openat"));
        assert_int_equal(answer(&p, "openat"), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, "mkdirat"), ANSWERS(EPERM));

        COMPILE(&q, ADD("openat"), REMOVE("@file-system"));
        assert_int_equal(answer(&q, "openat"), ANSWERS(EPERM));
}

static void test_items_answer_their_own_errno(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};
        ProfileSyscall items[] = {
                ADD("@system-service"),
                ANSWER("ptrace", EACCES),
                { .name = (char *) "@mount", .deny = true, .error = ENODEV },
                ANSWER("kill", ENOSYS), /* what the default says */
                ANSWER("tkill", SYSCALL_ERROR_MAX),
                ADD("bpf"),
                REMOVE("bpf"),
        };

        profile.syscalls = items;
        profile.n_syscalls = ELEMENTSOF(items);
        profile.syscall_error = ECANCELED;
        test_program_compile(&p, policy, &profile);

        assert_int_equal(answer(&p, "ptrace"), ANSWERS(EACCES));
        assert_int_equal(answer(&p, "mount"), ANSWERS(ENODEV));
        assert_int_equal(answer(&p, "kill"), ANSWERS(ENOSYS));
        assert_int_equal(answer(&p, "tkill"), ANSWERS(SYSCALL_ERROR_MAX));
        assert_int_equal(answer(&p, "bpf"), ANSWERS(ECANCELED));
        assert_int_equal(answer(&p, "keyctl"), ANSWERS(ECANCELED));
        assert_int_equal(answer(&p, "clone3"), ANSWERS(ENOSYS));
}

static void test_error_number_enosys(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile_unrestricted();
        _cleanup_program_ TestProgram p = {};

        profile.syscall_error = ENOSYS;
        test_program_compile(&p, policy, &profile);
        assert_int_equal(answer(&p, "ptrace"), ANSWERS(ENOSYS));
        assert_int_equal(answer(&p, "read"), SECCOMP_RET_ALLOW);
}

static void test_error_numbers_out_of_range(void **state) {
        static const int errors[] = { 0, -1, SYSCALL_ERROR_MAX + 1, INT32_MAX, INT32_MIN };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                ProfileSyscall item = ANSWER("ptrace", errors[i]);
                _cleanup_findings_ Findings findings = {};
                Profile profile = test_profile();
                uint8_t *data = NULL;
                size_t size = 77;

                profile.syscall_error = errors[i];
                assert_int_equal(seccomp_compile(policy, &profile, &data, &size, &findings), -EINVAL);

                profile.syscall_error = EPERM;
                profile.syscalls = &item;
                profile.n_syscalls = 1;
                if (errors[i] >= 0) /* negative: none of its own */
                        assert_int_equal(seccomp_compile(policy, &profile, &data, &size, &findings),
                                         -EINVAL);
                assert_null(data);
                assert_int_equal(size, 77);
        }
}

static void test_what_programs_start_with_stays(void **state) {
        _cleanup_program_ TestProgram p = {};

        COMPILE(&p, ADD("@sync"), REMOVE("@default"), REMOVE("@basic-io"), REMOVE("@process"));
        for (size_t i = 0; syscalls_always[i]; i++)
                assert_int_equal(answer(&p, syscalls_always[i]), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, "getpid"), ANSWERS(EPERM));
        assert_int_equal(answer(&p, "fsync"), SECCOMP_RET_ALLOW);
}

/* One finding with this key and text, and no program. */
static void assert_finding(const Profile *profile, const char *key, const char *text) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_findings_ Findings findings = {};
        uint8_t *data = NULL;
        size_t size = 77;

        assert_int_equal(seccomp_compile(policy, profile, &data, &size, &findings), -EBADMSG);
        assert_null(data);
        assert_int_equal(size, 77);
        assert_int_equal(findings.n_items, 1);
        assert_string_equal(findings.items[0].file, "/test.profile");
        assert_string_equal(findings.items[0].key, key);
        assert_string_equal(findings.items[0].text, text);
}

static void test_bad_items_are_findings(void **state) {
        static const struct {
                ProfileSyscall item;
                const char *finding;
        } table[] = {
                { ADD("raed"), "raed is no system call" },
                { ADD("@nothing"), "@nothing is no group of system calls" },
                { REMOVE("raed"), "raed is no system call" },
                { REMOVE("@nothing"), "@nothing is no group of system calls" },
                { ADD(""), " is no system call" },
                { REMOVE("execve"), "execve cannot be refused: no program starts without it" },
                { ANSWER("read", EIO), "read cannot be refused: no program starts without it" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                ProfileSyscall items[] = { ADD("@system-service"), table[i].item };
                Profile profile = test_profile();

                profile.syscalls = items;
                profile.n_syscalls = ELEMENTSOF(items);
                assert_finding(&profile, "SystemCallFilter", table[i].finding);
        }
}

static void test_bad_names_elsewhere_are_findings(void **state) {
        char *log[] = { (char *) "raed", NULL }, *families[] = { (char *) "AF_UNICS", NULL };
        Profile profile = test_profile();

        profile.syscall_log = log;
        assert_finding(&profile, "SystemCallLog", "raed is no system call");

        profile = test_profile();
        profile.address_families = families;
        assert_finding(&profile,
                       "RestrictAddressFamilies",
                       "AF_UNICS is no address family, see address_families(7)");
}

static void test_names_without_a_number_are_no_findings(void **state) {
        _cleanup_program_ TestProgram p = {};

        COMPILE(&p,
                ADD("@system-service"),
                ADD("file_getattr"),
                ADD("sys_debug_setcontext"),
                REMOVE("uretprobe"));
        assert_int_equal(answer(&p, "read"), SECCOMP_RET_ALLOW);
}

static void test_log_notes_what_passes(void **state) {
        char *log[] = { (char *) "@sync", (char *) "openat", (char *) "ptrace", NULL };
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        Profile profile = test_profile();
        _cleanup_program_ TestProgram p = {};

        profile.syscall_log = log;
        test_program_compile(&p, policy, &profile);
        assert_int_equal(answer(&p, "fsync"), SECCOMP_RET_LOG);
        assert_int_equal(answer(&p, "openat"), SECCOMP_RET_LOG);
        assert_int_equal(answer(&p, "ptrace"), ANSWERS(EPERM));
        assert_int_equal(answer(&p, "read"), SECCOMP_RET_ALLOW);
        /* A restriction holds for a logged call as well. */
        assert_int_equal(test_program_call(&p, "openat", (uint64_t[6]){ 0, 0, O_CREAT, 04755 }),
                         ANSWERS(EPERM));
}

static void test_without_groups_nothing_compiles(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = NULL;
        _cleanup_findings_ Findings findings = {};
        Profile profile = test_profile();
        uint8_t *data = NULL;
        size_t size;

        assert_int_equal(seccomp_policy_load(&policy, (char *[]){ NULL }, 0, &findings), 0);
        assert_int_equal(seccomp_compile(policy, &profile, &data, &size, &findings), -EBADMSG);
        assert_string_equal(findings.items[0].text, "@system-service is no group of system calls");
        assert_null(data);
}

/* The plan's hash covers the program, so the same profile must give the same bytes. */
static void test_same_profile_same_bytes(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_program_ TestProgram a = {}, b = {};
        Profile profile = test_profile();

        test_program_compile(&a, policy, &profile);
        test_program_compile(&b, policy, &profile);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_system_service_is_the_golden_list),
                cmocka_unit_test(test_exactly_the_group_passes),
                cmocka_unit_test(test_doors_that_stay_shut),
                cmocka_unit_test(test_numbers_nobody_knows_do_not_exist),
                cmocka_unit_test(test_foreign_abis_are_killed),
                cmocka_unit_test(test_negative_numbers_do_not_pass),
                cmocka_unit_test(test_own_list_replaces_the_default),
                cmocka_unit_test(test_removing_first_keeps_the_default),
                cmocka_unit_test(test_later_items_win),
                cmocka_unit_test(test_items_answer_their_own_errno),
                cmocka_unit_test(test_error_number_enosys),
                cmocka_unit_test(test_error_numbers_out_of_range),
                cmocka_unit_test(test_what_programs_start_with_stays),
                cmocka_unit_test(test_bad_items_are_findings),
                cmocka_unit_test(test_bad_names_elsewhere_are_findings),
                cmocka_unit_test(test_names_without_a_number_are_no_findings),
                cmocka_unit_test(test_log_notes_what_passes),
                cmocka_unit_test(test_without_groups_nothing_compiles),
                cmocka_unit_test(test_same_profile_same_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
