/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-parse.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int set(Profile *p, const char *name, const char *text) {
        const ProfileKey *key = profile_key_find("Files", name);
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
        { "ProtectSystem", "full", 0 },
        { "ProtectSystem", "no", -EINVAL },
        { "ProtectHome", "read-only", 0 },
        { "ProtectHome", "no", 0 },
        { "ProtectHome", "maybe", -EINVAL },
        { "ProtectHome", "yes", 0 },
        { "PrivateDevices", "no", 0 },
        { "PrivateDevices", "some", -EINVAL },
        { "PrivateDevices", "on", 0 },
        { "ProtectProc", "noaccess", 0 },
        { "ProtectProc", "ptraceable", 0 },
        { "ProtectProc", "off", -EINVAL },
        { "ProcSubset", "all", 0 },
        { "RootDirectory", "/srv/images/%N", 0 },
        { "RootDirectory", "/", -EINVAL },
        { "RootDirectory", "/run", -EINVAL },
        { "RootDirectory", "/proc/1/root", -EINVAL },
        { "RootDirectory", "images", -EINVAL },
        { "StateDirectory", "web web-%i %N.d", 0 },
        { "StateDirectory", "a/b", -EINVAL },
        { "StateDirectory", "..", -EINVAL },
        { "StateDirectory", ".hidden", -EINVAL },
        { "StateDirectory", "%h", -EINVAL },
        { "CacheDirectory", "/x", -EINVAL },
        { "CacheDirectory", "%z", -EINVAL },
        { "RuntimeDirectory", "a b", 0 },
        { "RuntimeDirectory", "-a", -EINVAL },
        { "DeviceAllow", "/dev/kvm", 0 },
        { "DeviceAllow", "-/dev/dri/renderD128 rw", 0 },
        { "DeviceAllow", "/dev/kvm r", -EOPNOTSUPP },
        { "DeviceAllow", "/dev/kvm rwm", -EOPNOTSUPP },
        { "DeviceAllow", "/dev/kvm x", -EINVAL },
        { "DeviceAllow", "/dev/kvm /dev/fuse", -EINVAL },
        { "DeviceAllow", "/dev/kvm rw rw", -EINVAL },
        { "DeviceAllow", "char-kvm rw", -EINVAL },
        { "DeviceAllow", "/dev", -EINVAL },
        { "DeviceAllow", "/dev/pts/0", -EINVAL },
        { "DeviceAllow", "/dev/mem", -EINVAL },
        { "DeviceAllow", "/proc/kcore", -EINVAL },
        { "BindPaths", "/dev/kvm", -EINVAL },
        { "BindPaths", "/run/dbus", -EINVAL },
        { "BindReadOnlyPaths", "/run:/host", -EINVAL },
        { "BindReadOnlyPaths", "/run/user/%U/bus:/bus", -EINVAL },
        { "BindReadOnlyPaths", "%t/bus:/bus", -EINVAL },
        { "BindReadOnlyPaths", "/run/%N:/x", 0 },
        { "BindReadOnlyPaths", "/x:/dev/%u", -EINVAL },
        { "BindReadOnlyPaths", "/x:%t/y", 0 },
        { "TemporaryFileSystem", "/dev/x", -EINVAL },
        { "NoExecPaths", "/", 0 },
        { "NoExecPaths", "/proc/sys", -EINVAL },
        { "ReadOnlyPaths", "/", -EINVAL },
        { "ReadOnlyPaths", "/proc/%N", -EINVAL },
        { "ExecPaths", "/usr -/opt", 0 },
        { "ExecPaths", "/", -EINVAL },
        { "InaccessiblePaths", "/dev", -EINVAL },
        { "InaccessiblePaths", "/proc/cmdline", 0 },
        { "PrivateTmpSize", "infinity", -ERANGE },
        { "PrivateTmpSize", "10%", -EINVAL },
        { "BindPaths", "/a:/b:idmap,norbind", 0 },
        { "BindPaths", "/a:/b:", -EINVAL },
        { "BindPaths", "/a:/b:ro", -EINVAL },
        { "BindPaths", "/a::rbind", -EINVAL },
        { "BindPaths", "a", -EINVAL },
        { "BindPaths", "/", -EINVAL },
        { "BindPaths", "/home:/", -EINVAL },
        { "BindReadOnlyPaths", "/proc/sys", -EINVAL },
        { "BindReadOnlyPaths", "/x:/proc", -EINVAL },
        { "BindReadOnlyPaths", "/procedures", 0 },
        { "TemporaryFileSystem", "/x:size=1M,mode=1777", 0 },
        { "TemporaryFileSystem", "/x:size=1", -EINVAL },
        { "TemporaryFileSystem", "/x:size=infinity", -EINVAL },
        { "TemporaryFileSystem", "/x:mode=4755", -EINVAL },
        { "TemporaryFileSystem", "/x:ro", -EINVAL },
        { "TemporaryFileSystem", "/", -EINVAL },
        { "ReadOnlyPaths", "-/x %h/y", 0 },
        { "ReadOnlyPaths", "/x/../y", -EINVAL },
        { "InaccessiblePaths", "x", -EINVAL },
};
/* clang-format on */

static void values_are_checked(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(profile_unrefp) Profile *p = NULL;
                int r;

                assert_int_equal(profile_new(&p, "editor"), 0);
                r = set(p, values[i].name, values[i].text);
                if (r != values[i].error)
                        fail_msg("%s=%s: %d, not %d", values[i].name, values[i].text, r, values[i].error);
        }
}

static void lists_grow_and_are_emptied(void **state) {
        _cleanup_(profile_unrefp) Profile *p = NULL;

        assert_int_equal(profile_new(&p, "editor"), 0);
        assert_int_equal(set(p, "DeviceAllow", "/dev/kvm rw"), 0);
        assert_int_equal(set(p, "DeviceAllow", "-/dev/dri//card0"), 0);
        assert_int_equal(p->devices.n, 2);
        assert_string_equal(p->devices.items[1].path, "/dev/dri/card0");
        assert_true(p->devices.items[1].optional);
        assert_int_equal(set(p, "DeviceAllow", "/dev/pts/1"), -EINVAL);
        assert_int_equal(p->devices.n, 2);
        assert_int_equal(set(p, "DeviceAllow", ""), 0);
        assert_int_equal(p->devices.n, 0);

        assert_int_equal(set(p, "ExecPaths", "/a -/b"), 0);
        assert_int_equal(set(p, "ExecPaths", "/c /proc/x"), -EINVAL);
        assert_int_equal(p->exec.n, 2);
        assert_int_equal(set(p, "StateDirectory", "a"), 0);
        assert_int_equal(set(p, "StateDirectory", "b %N"), 0);
        assert_int_equal(strv_length(p->state_directory), 3);
        assert_int_equal(set(p, "StateDirectory", ""), 0);
        assert_int_equal(strv_length(p->state_directory), 0);
        assert_int_equal(set(p, "RootDirectory", "/srv//x/"), 0);
        assert_string_equal(p->root_directory, "/srv/x");
        assert_int_equal(set(p, "RootDirectory", ""), 0);
        assert_null(p->root_directory);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_checked),
                cmocka_unit_test(lists_grow_and_are_emptied),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
