/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-parse.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static Profile *profile(void) {
        Profile *p = NULL;

        assert_int_equal(profile_new(&p, "editor"), 0);
        return p;
}

static int set(Profile *p, const char *name, const char *text) {
        const ProfileKey *key = profile_key_find("Security", name);
        const char *why = NULL;

        if (!key || !key->parse)
                fail_msg("no key %s", name);
        return key->parse(key, text, p, &why);
}

/* clang-format off */
static const struct {
        const char *name, *text;
        int error;
} values[] = {
        { "SystemCallArgumentFilter", "ioctl:1==TIOCSTI:EPERM", 0 },
        { "SystemCallArgumentFilter", "ioctl:1==0x5412 mmap:2&PROT_WRITE|PROT_EXEC socket:0!=AF_UNIX", 0 },
        { "SystemCallArgumentFilter", "chmod:1>=01000:EACCES mmap:1>0x100000000:ENOMEM kill:1<=9", 0 },
        { "SystemCallArgumentFilter", "ioctl", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1==", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:6==1", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:01==1", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1=1", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1=<1", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1==-1", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1==TIOCNONE", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1==1:", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1==1:ENOSUCH", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1==1:0", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1==1:EPERM:", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1&0", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1<0", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl:1>=0", -EINVAL },
        { "SystemCallArgumentFilter", "mmap:1>0xffffffffffffffff", -EINVAL },
        { "SystemCallArgumentFilter", "@system-service:1==1", -EINVAL },
        { "SystemCallArgumentFilter", ":1==1", -EINVAL },
        { "SystemCallArgumentFilter", "ioctl :1==1", -EINVAL },
        { "AppArmorProfile", "immured-%N", 0 },
        { "AppArmorProfile", "/usr/bin/man", 0 },
        { "AppArmorProfile", "unconfined", -EINVAL },
        { "AppArmorProfile", "&other", -EINVAL },
        { "AppArmorProfile", ":ns:other", -EINVAL },
        { "AppArmorProfile", "-web", -EINVAL },
        { "AppArmorProfile", "a b", -EINVAL },
        { "AppArmorProfile", "a//&b", -EINVAL },
        { "AppArmorProfile", "%Q", -EINVAL },
        { "SELinuxContext", "system_u:system_r:web_t", 0 },
        { "SELinuxContext", "system_u:system_r:web_t:s0-s0:c0.c1023", 0 },
        { "SELinuxContext", "web_t", -EINVAL },
        { "SELinuxContext", "a:b:", -EINVAL },
        { "SELinuxContext", "a::b:c", -EINVAL },
        { "SELinuxContext", "a:b:c d", -EINVAL },
};
/* clang-format on */

static void values_are_checked(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(profile_unrefp) Profile *p = profile();
                int r = set(p, values[i].name, values[i].text);

                if (r != values[i].error)
                        fail_msg("%s=%s: %d, not %d", values[i].name, values[i].text, r, values[i].error);
        }
}

/* Whoever reads the finding learns what to write instead. */
static void refusals_say_why(void **state) {
        static const struct {
                const char *text, *why;
        } cases[] = {
                { "ioctl", "ioctl:1==TIOCSTI:EPERM" }, { "ioctl:9==1", "from 0 to 5" },
                { "ioctl:1==NONE", "constants" },      { "ioctl:1==1:ENONE", "no error of this name" },
                { "ioctl:1<0", "for every value" },
        };
        const ProfileKey *key = profile_key_find("Security", "SystemCallArgumentFilter");

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(profile_unrefp) Profile *p = profile();
                const char *why = NULL;

                assert_int_equal(key->parse(key, cases[i].text, p, &why), -EINVAL);
                assert_non_null(why);
                assert_non_null(strstr(why, cases[i].why));
        }
}

static void argument_filters_keep_their_order(void **state) {
        static const char list[] = "ioctl:1==TIOCSTI:EACCES mmap:2&PROT_WRITE|PROT_EXEC chmod:1>=01000";
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(set(p, "SystemCallArgumentFilter", list), 0);
        assert_int_equal(set(p, "SystemCallArgumentFilter", "mmap:1>0x100000000 kill:1 =="), -EINVAL);
        assert_int_equal(set(p, "SystemCallArgumentFilter", "kill:1!=9:ESRCH"), 0);
        assert_int_equal(p->n_syscall_arguments, 4);

        assert_string_equal(p->syscall_arguments[0].name, "ioctl");
        assert_int_equal(p->syscall_arguments[0].argument, 1);
        assert_int_equal(p->syscall_arguments[0].op, ARGUMENT_EQUAL);
        assert_int_equal(p->syscall_arguments[0].value, 0x5412);
        assert_int_equal(p->syscall_arguments[0].error, EACCES);
        assert_int_equal(p->syscall_arguments[1].op, ARGUMENT_HAS_ANY);
        assert_int_equal(p->syscall_arguments[1].value, 6);
        assert_int_equal(p->syscall_arguments[1].error, -1);
        assert_int_equal(p->syscall_arguments[2].op, ARGUMENT_GREATER_EQUAL);
        assert_int_equal(p->syscall_arguments[2].value, 01000);
        assert_int_equal(p->syscall_arguments[3].op, ARGUMENT_NOT_EQUAL);

        assert_int_equal(set(p, "SystemCallArgumentFilter", ""), 0);
        assert_int_equal(p->n_syscall_arguments, 0);
        assert_null(p->syscall_arguments);
}

/* 128: the filter must fit into what the kernel takes. */
static void argument_filters_have_an_end(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        for (size_t i = 0; i < 128; i++)
                assert_int_equal(set(p, "SystemCallArgumentFilter", "kill:1==9"), 0);
        assert_int_equal(set(p, "SystemCallArgumentFilter", "kill:1==9"), -EINVAL);
        assert_int_equal(p->n_syscall_arguments, 128);
}

static void labels_are_kept_as_written(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_null(p->apparmor_profile);
        assert_null(p->selinux_context);
        assert_int_equal(set(p, "AppArmorProfile", "immured-%N"), 0);
        assert_int_equal(set(p, "SELinuxContext", "a:b:c"), 0);
        assert_string_equal(p->apparmor_profile, "immured-%N");
        assert_string_equal(p->selinux_context, "a:b:c");
        assert_int_equal(set(p, "AppArmorProfile", "unconfined"), -EINVAL);
        assert_string_equal(p->apparmor_profile, "immured-%N");
        assert_int_equal(set(p, "AppArmorProfile", ""), 0);
        assert_null(p->apparmor_profile);
}

static void landlock_is_the_default(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_true(p->landlock);
        assert_int_equal(set(p, "Landlock", "no"), 0);
        assert_false(p->landlock);
        assert_int_equal(set(p, "Landlock", ""), 0);
        assert_true(p->landlock);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_checked),
                cmocka_unit_test(refusals_say_why),
                cmocka_unit_test(argument_filters_keep_their_order),
                cmocka_unit_test(argument_filters_have_an_end),
                cmocka_unit_test(labels_are_kept_as_written),
                cmocka_unit_test(landlock_is_the_default),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
