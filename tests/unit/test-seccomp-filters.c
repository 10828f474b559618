/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files-fixture.h"
#include "seccomp-program.h"
#include "seccomp/seccomp-filters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static char *logged[] = { (char *) "read", NULL };
static char *inet_family[] = { (char *) "AF_INET", NULL };
static ProfileSyscall removed[] = { { .name = (char *) "mkdir", .deny = true, .error = -1 } };
static ProfileSyscall answered[] = { { .name = (char *) "mkdir", .deny = true, .error = ENOENT } };
static ProfileSyscall added[] = { { .name = (char *) "mkdir", .error = -1 } };
static ProfileSyscallArgument equal[] = {
        { .name = (char *) "personality", .op = ARGUMENT_EQUAL, .value = 8, .error = -1 },
};
static ProfileSyscallArgument other_value[] = {
        { .name = (char *) "personality", .op = ARGUMENT_EQUAL, .value = 9, .error = -1 },
};
static ProfileSyscallArgument other_operator[] = {
        { .name = (char *) "personality", .op = ARGUMENT_LESS, .value = 8, .error = -1 },
};
static ProfileSyscallArgument other_answer[] = {
        { .name = (char *) "personality", .op = ARGUMENT_EQUAL, .value = 8, .error = ENOENT },
};
static ProfileSyscallArgument other_argument[] = {
        { .name = (char *) "mmap", .argument = 2, .op = ARGUMENT_EQUAL, .value = 8, .error = -1 },
};

#define ITEMS(field, items) (p->field = (items), p->n_##field = 1)

/* Each changes one thing that the compiler reads. */
#define CHANGES(X)                                            \
        X(nothing, (void) p)                                  \
        X(namespaces, p->restrict_namespaces ^= true)         \
        X(realtime, p->restrict_realtime ^= true)             \
        X(suid, p->restrict_suid_sgid ^= true)                \
        X(memory, p->memory_deny_write_execute ^= true)       \
        X(personality, p->lock_personality ^= true)           \
        X(error, p->syscall_error = ENOENT)                   \
        X(families, p->address_families = inet_family)        \
        X(log, p->syscall_log = logged)                       \
        X(removed, ITEMS(syscalls, removed))                  \
        X(answered, ITEMS(syscalls, answered))                \
        X(added, ITEMS(syscalls, added))                      \
        X(equal, ITEMS(syscall_arguments, equal))             \
        X(value, ITEMS(syscall_arguments, other_value))       \
        X(operator, ITEMS(syscall_arguments, other_operator)) \
        X(answer, ITEMS(syscall_arguments, other_answer))     \
        X(argument, ITEMS(syscall_arguments, other_argument))

#define FUNCTION(name, change) \
        static void change_##name(Profile *p) { change; }
CHANGES(FUNCTION)

#define ROW(name, change) change_##name,
static void (*const changes[])(Profile *p) = { CHANGES(ROW) };

static const SeccompFilter *get(SeccompFilters *f, const SeccompFilters *before, const Profile *p) {
        _cleanup_findings_ Findings findings = {};
        const SeccompFilter *filter = NULL;

        assert_int_equal(seccomp_filters_get(f, before, p, &filter, &findings), 0);
        assert_int_equal(findings.n_items, 0);
        return filter;
}

static void assert_compiled(const SeccompFilter *filter, const SeccompPolicy *policy, const Profile *p) {
        _cleanup_program_ TestProgram direct = {};

        test_program_compile(&direct, policy, p);
        assert_int_equal(filter->size, direct.size);
        assert_memory_equal(filter->data, direct.data, direct.size);
}

/* Every change, and every two of them, after all the others have been asked for. */
static void test_each_gets_what_the_compiler_makes(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_(seccomp_filters_done) SeccompFilters filters = { .policy = policy };

        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                for (size_t k = 0; k < ELEMENTSOF(changes); k++) {
                        Profile p = test_profile();

                        changes[i](&p);
                        changes[k](&p);
                        assert_compiled(get(&filters, NULL, &p), policy, &p);
                }
}

static void test_equal_profiles_share_one(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_(seccomp_filters_done) SeccompFilters filters = { .policy = policy };
        Profile a = test_profile(), b = test_profile();

        b.name = (char *) "other";
        b.source_path = (char *) "/other.profile";
        assert_ptr_equal(get(&filters, NULL, &a), get(&filters, NULL, &b));
}

static void test_the_set_before_may_go_first(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load(),
                                                      *same = test_policy_load();
        _cleanup_(seccomp_filters_done) SeccompFilters after = { .policy = same };
        SeccompFilters before = { .policy = policy };
        Profile p = test_profile();
        const SeccompFilter *filter = get(&before, NULL, &p);

        assert_ptr_equal(get(&after, &before, &p), filter);
        seccomp_filters_done(&before);
        assert_compiled(get(&after, NULL, &p), same, &p);
}

static SeccompPolicy *load_policy(const Files *files, const char *service) {
        _cleanup_free_ char *directory = files_path(files, "");
        _cleanup_findings_ Findings findings = {};
        SeccompPolicy *policy = NULL;

        files_write(files, "default.policy", "read\n");
        files_write(files, "system-service.policy", service);
        assert_int_equal(seccomp_policy_load(&policy, (char *[]){ directory, NULL }, geteuid(), &findings),
                         0);
        return policy;
}

static void test_another_policy_is_compiled_again(void **state) {
        _cleanup_files_ Files files = files_new();
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = load_policy(&files, "mkdir\n");
        _cleanup_(seccomp_policy_freep) SeccompPolicy *changed = load_policy(&files, "rmdir\n");
        _cleanup_(seccomp_filters_done) SeccompFilters before = { .policy = policy };
        _cleanup_(seccomp_filters_done) SeccompFilters after = { .policy = changed };
        Profile p = test_profile();

        (void) get(&before, NULL, &p);
        assert_false(seccomp_policy_equal(policy, changed));
        assert_compiled(get(&after, &before, &p), changed, &p);
}

/* Or the second of two equal profiles would be taken, or refused without a word. */
static void test_refusals_are_not_remembered(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = test_policy_load();
        _cleanup_(seccomp_filters_done) SeccompFilters filters = { .policy = policy };
        ProfileSyscall unknown[] = { { .name = (char *) "no_such_call", .error = -1 } };
        Profile p = test_profile();

        p.syscalls = unknown;
        p.n_syscalls = 1;
        for (int i = 0; i < 2; i++) {
                _cleanup_findings_ Findings findings = {};
                const SeccompFilter *filter = NULL;

                assert_int_equal(seccomp_filters_get(&filters, NULL, &p, &filter, &findings), -EBADMSG);
                assert_int_equal(findings.n_items, 1);
                assert_null(filter);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_gets_what_the_compiler_makes),
                cmocka_unit_test(test_equal_profiles_share_one),
                cmocka_unit_test(test_the_set_before_may_go_first),
                cmocka_unit_test(test_another_policy_is_compiled_again),
                cmocka_unit_test(test_refusals_are_not_remembered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
