/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static void set_mode(const Files *f, const char *name, mode_t mode) {
        _cleanup_free_ char *path = files_path(f, name);

        assert_int_equal(chmod(path, mode), 0);
}

static void files_that_others_can_write_are_refused(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&f, "lib/group.profile", PROGRAM);
        set_mode(&f, "lib/group.profile", 0664);
        files_write(&f, "lib/world.profile", PROGRAM);
        set_mode(&f, "lib/world.profile", 0646);
        files_write(&f, "lib/dropin.profile", PROGRAM);
        files_write(&f, "lib/dropin.profile.d/x.conf", "");
        set_mode(&f, "lib/dropin.profile.d/x.conf", 0666);
        files_write(&f, "lib/dropins.profile", PROGRAM);
        files_write(&f, "lib/dropins.profile.d/x.conf", "");
        set_mode(&f, "lib/dropins.profile.d", 0777);
        files_write(&f, "etc/directory.profile", PROGRAM);
        set_mode(&f, "etc", 0775);
        files_write(&f, "lib/good.profile", PROGRAM);
        set = load_profiles(&f);
        assert_finding(assert_refused(set, "group"), 0, "/group.profile", 0, NULL, "mode 0664");
        assert_finding(assert_refused(set, "world"), 0, "/world.profile", 0, NULL, "mode 0646");
        assert_finding(assert_refused(set, "dropin"), 0, "/x.conf", 0, NULL, "mode 0666");
        assert_finding(assert_refused(set, "dropins"), 0, "/dropins.profile.d", 0, NULL, "mode 0777");
        assert_finding(assert_refused(set, "directory"), 0, "/etc", 0, NULL, "mode 0775");
        assert_taken(set, "good");
}

static void files_of_others_are_refused(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_free_ char *path = NULL;

        if (getuid() != 0)
                skip();
        files_write(&f, "lib/a.profile", PROGRAM);
        path = files_path(&f, "lib/a.profile");
        assert_int_equal(chown(path, 12345, 0), 0);
        set = load_profiles(&f);
        assert_finding(assert_refused(set, "a"), 0, "/a.profile", 0, NULL, "belongs to uid 12345");
}

static void only_regular_files_count(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_free_ char *fifo = files_path(&f, "lib/fifo.profile");

        files_write(&f, "lib/good.profile", PROGRAM);
        files_write(&f, "outside", PROGRAM);
        assert_int_equal(mkfifo(fifo, 0644), 0);
        files_make_directory(&f, "lib/directory.profile");
        files_link(&f, "../outside", "lib/up.profile");
        files_link(&f, "/etc/passwd", "lib/absolute.profile");
        files_link(&f, "loop.profile", "lib/loop.profile");
        files_link(&f, "missing", "lib/dangling.profile");
        files_link(&f, "good.profile", "lib/inside.profile");
        files_link(&f, "/dev/zero", "lib/zero.profile");
        files_write(&f, "other/x.conf", "");
        files_link(&f, "../other", "lib/good.profile.d");
        set = load_profiles(&f);
        assert_finding(assert_refused(set, "fifo"), 0, "/fifo.profile", 0, NULL, "not a regular file");
        assert_finding(
                assert_refused(set, "directory"), 0, "/directory.profile", 0, NULL, "not a regular file");
        assert_finding(assert_refused(set, "up"), 0, "/up.profile", 0, NULL, "leads out of its directory");
        assert_finding(assert_refused(set, "absolute"),
                       0,
                       "/absolute.profile",
                       0,
                       NULL,
                       "leads out of its directory");
        assert_finding(
                assert_refused(set, "zero"), 0, "/zero.profile", 0, NULL, "leads out of its directory");
        assert_refused(set, "loop");
        assert_finding(assert_refused(set, "dangling"), 0, "/dangling.profile", 0, NULL, "does not exist");
        assert_finding(assert_refused(set, "good"), 0, "/good.profile.d", 0, NULL, "cannot be opened");
        assert_taken(set, "inside");
}

static void names_and_sizes_are_limited(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_free_ char *big = malloc(1024 * 1024 + 1);

        memset(big, '\n', 1024 * 1024 + 1);
        files_write_bytes(&f, "lib/big.profile", big, 1024 * 1024 + 1);
        files_write_bytes(&f, "lib/nearly.profile", big, 1024 * 1024);
        files_write(&f, "lib/Upper.profile", PROGRAM);
        files_write(&f, "lib/new\nline.profile", PROGRAM);
        files_write(&f, "lib/good.profile", PROGRAM);
        set = load_profiles(&f);
        assert_finding(assert_refused(set, "big"), 0, "/big.profile", 0, NULL, "larger than");
        assert_finding(assert_refused(set, "nearly"), 0, "/nearly.profile", 0, "ExecStart", "is missing");
        assert_finding(assert_refused(set, "Upper"), 0, "/Upper.profile", 0, NULL, "no profile name");
        assert_refused(set, "new\\x0aline");
        assert_taken(set, "good");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files_that_others_can_write_are_refused),
                cmocka_unit_test(files_of_others_are_refused),
                cmocka_unit_test(only_regular_files_count),
                cmocka_unit_test(names_and_sizes_are_limited),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
