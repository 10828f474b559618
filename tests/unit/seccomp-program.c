/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp-program.h"

#include "seccomp/seccomp-names.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void test_program_done(TestProgram *p) { free(p->data); }

SeccompPolicy *test_policy_load(void) {
        _cleanup_findings_ Findings findings = {};
        char *directory = getenv("SECCOMP_POLICIES");
        SeccompPolicy *p = NULL;
        int r;

        assert_non_null(directory);
        /* The build belongs to whoever builds it. */
        r = seccomp_policy_load(&p, (char *[]){ directory, NULL }, geteuid(), &findings);
        for (size_t i = 0; i < findings.n_items; i++)
                print_error("%s:%u: %s\n",
                            findings.items[i].file,
                            findings.items[i].line,
                            findings.items[i].text);
        assert_int_equal(r, 0);
        return p;
}

static char *default_families[] = { (char *) "AF_UNIX", (char *) "AF_INET", (char *) "AF_INET6", NULL };
static char *unix_family[] = { (char *) "AF_UNIX", NULL };

Profile test_profile_unrestricted(void) {
        return (Profile){
                .name = (char *) "test",
                .source_path = (char *) "/test.profile",
                .address_families = unix_family,
                .syscall_error = EPERM,
        };
}

Profile test_profile(void) {
        Profile p = test_profile_unrestricted();

        p.address_families = default_families;
        p.restrict_namespaces = true;
        p.lock_personality = true;
        p.restrict_realtime = true;
        p.restrict_suid_sgid = true;
        return p;
}

void test_program_compile(TestProgram *ret, const SeccompPolicy *policy, const Profile *profile) {
        _cleanup_findings_ Findings findings = {};

        assert_int_equal(seccomp_compile(policy, profile, &ret->data, &ret->size, &findings), 0);
        assert_int_equal(findings.n_items, 0);
        assert_int_equal(ret->size % sizeof(struct sock_filter), 0);
        assert_in_range(ret->size, 1, BPF_MAXINSNS * sizeof(struct sock_filter));
}

/* The part of classic BPF that libseccomp writes (Documentation/userspace-api/seccomp_filter.rst). */
uint32_t
test_program_run(const TestProgram *p, uint32_t arch, uint32_t number, const uint64_t args[static 6]) {
        struct seccomp_data data = { .nr = (int) number, .arch = arch };
        const struct sock_filter *program = (const struct sock_filter *) (const void *) p->data;
        size_t n = p->size / sizeof(struct sock_filter);
        uint32_t a = 0;

        memcpy(data.args, args, sizeof(data.args));

        for (size_t pc = 0; pc < n; pc++) {
                const struct sock_filter *i = &program[pc];
                bool jump;

                switch (i->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        assert_int_equal(i->k % 4, 0);
                        assert_in_range(i->k, 0, sizeof(data) - 4);
                        memcpy(&a, (const uint8_t *) &data + i->k, sizeof(a));
                        continue;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= i->k;
                        continue;
                case BPF_RET | BPF_K:
                        return i->k;
                case BPF_JMP | BPF_JA:
                        pc += i->k;
                        continue;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        jump = a == i->k;
                        break;
                case BPF_JMP | BPF_JGT | BPF_K:
                        jump = a > i->k;
                        break;
                case BPF_JMP | BPF_JGE | BPF_K:
                        jump = a >= i->k;
                        break;
                case BPF_JMP | BPF_JSET | BPF_K:
                        jump = (a & i->k) != 0;
                        break;
                default:
                        fail_msg("instruction 0x%02x at %zu", i->code, pc);
                        return 0;
                }

                pc += jump ? i->jt : i->jf;
        }

        fail_msg("the program runs past its end");
        return 0;
}

uint32_t test_program_call(const TestProgram *p, const char *name, const uint64_t args[static 6]) {
        int number = syscall_number(name);

        assert_true(number >= 0);
        return test_program_run(p, seccomp_arch_native(), (uint32_t) number, args);
}
