/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/mount-table.h"
#include "files-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char text[] =
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
        "30 22 0:30 / /home rw - autofs systemd-1 rw,fd=42\n"
        "31 30 8:2 /homes /home rw,nosuid master:2 - xfs  rw,attr2\n"
        "32 31 0:40 / /home/a\\040b/own rw - fuse.sshfs host: rw,user_id=3001,group_id=3001\n"
        "33 31 0:41 / /home/all rw - fuse host: rw,user_id=3001,allow_other\n"
        "34 31 0:42 / /home/not rw - tmpfs fuse rw,allow_otherwise\n";

static int table_of(const char *content, MountTable *ret) {
        _cleanup_files_ Files f = files_new();
        _cleanup_free_ char *path = NULL;

        files_write(&f, "mountinfo", content);
        path = files_path(&f, "mountinfo");
        return mount_table_read(AT_FDCWD, path, ret);
}

static void test_lines_are_read_with_their_paths(void **state) {
        _cleanup_mount_table_ MountTable t = {};

        assert_int_equal(table_of(text, &t), 0);
        assert_int_equal(t.n, 6);
        assert_int_equal(t.lines[2].id, 31);
        assert_int_equal(t.lines[2].parent_id, 30);
        assert_string_equal(t.lines[2].root, "/homes");
        assert_string_equal(t.lines[2].type, "xfs");
        assert_string_equal(t.lines[2].type_options, "rw,attr2");
        assert_true(mount_has_option(t.lines[2].options, "nosuid"));
        assert_false(mount_has_option(t.lines[2].options, "suid"));
        assert_string_equal(t.lines[3].path, "/home/a b/own");
}

static void test_a_path_is_on_the_mount_in_front(void **state) {
        static const struct {
                const char *path;
                uint64_t id;
        } cases[] = {
                { "/", 22 },
                { "/homes", 22 },
                { "/home", 31 },
                { "/home/alice", 31 },
                { "/home/a b", 31 },
                { "/home/a b/own/x", 32 },
                { "/home/all/x/y", 33 },
        };
        _cleanup_mount_table_ MountTable t = {};

        assert_int_equal(table_of(text, &t), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(mount_table_above(&t, cases[i].path)->id, cases[i].id);
}

static void test_a_fuse_mount_is_private_unless_it_says_otherwise(void **state) {
        static const bool private[] = { false, false, false, true, false, false };
        _cleanup_mount_table_ MountTable t = {};

        assert_int_equal(table_of(text, &t), 0);
        for (size_t i = 0; i < ELEMENTSOF(private); i++)
                assert_int_equal(mount_is_private(&t.lines[i]), private[i]);
}

static void test_what_is_no_table_is_refused(void **state) {
        static const char *const bad[] = { "22 1 8:1 / / rw ext4 /dev/root rw\n",
                                           "x 1 8:1 / / rw - ext4 dev rw\n",
                                           "22 1 8:1 / - ext4 dev rw\n",
                                           "22 1 8:1 / / rw - ext4\n" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                MountTable t = { .n = 7 };

                assert_int_equal(table_of(bad[i], &t), -EBADMSG);
                assert_int_equal(t.n, 7);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines_are_read_with_their_paths),
                cmocka_unit_test(test_a_path_is_on_the_mount_in_front),
                cmocka_unit_test(test_a_fuse_mount_is_private_unless_it_says_otherwise),
                cmocka_unit_test(test_what_is_no_table_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
