/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* app-unit: the files that have a unit started at boot, in a directory of the test's */

#include "files-fixture.h"

#include "base/fd.h"
#include "ctl/app-unit.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define UNIT "immured-app@alice:web.service"

static void units_are_named_by_user_or_else_by_uid(void **state) {
        char unit[APP_UNIT_SIZE];

        app_unit_name("alice", 1000, "web", unit);
        assert_string_equal(unit, UNIT);
        app_unit_name("al.ice", 1000, "web", unit);
        assert_string_equal(unit, "immured-app@1000:web.service");
        app_unit_name("abcdefghijklmnopqrstuvwxyzabcde", 1, "abcdefghijklmnopqrstuvwxyzabcdef", unit);
        assert_string_equal(
                unit,
                "immured-app@abcdefghijklmnopqrstuvwxyzabcde:abcdefghijklmnopqrstuvwxyzabcdef.service");
}

static bool exists(const Files *f, const char *name) {
        _cleanup_free_ char *path = files_path(f, name);

        return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

static void the_slice_is_written_once_and_changed_where_it_is_another(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_free_ char *path = files_path(&f, UNIT ".d/immured.conf"), *text = NULL;

        assert_int_equal(app_unit_set_slice(f.root, UNIT, 1000), 1);
        assert_int_equal(app_unit_set_slice(f.root, UNIT, 1000), 0);
        assert_int_equal(app_unit_set_slice(f.root, UNIT, 1001), 1);
        assert_int_equal(file_read_full(AT_FDCWD, path, 4096, &text, NULL), 0);
        assert_non_null(strstr(text, "\n[Service]\nSlice=immured-1001.slice\n"));

        assert_int_equal(app_unit_unset_slice(f.root, UNIT), 1);
        assert_false(exists(&f, UNIT ".d"));
        assert_int_equal(app_unit_unset_slice(f.root, UNIT), 0);
}

static void what_is_not_ours_stays(void **state) {
        _cleanup_files_ Files f = files_new();

        assert_int_equal(app_unit_set_slice(f.root, UNIT, 1000), 1);
        files_write(&f, UNIT ".d/other.conf", "[Service]\n");
        assert_int_equal(app_unit_unset_slice(f.root, UNIT), 1);
        assert_true(exists(&f, UNIT ".d/other.conf"));
        assert_false(exists(&f, UNIT ".d/immured.conf"));
}

static void a_link_is_made_once_and_never_in_place_of_another(void **state) {
        _cleanup_files_ Files f = files_new();

        assert_int_equal(app_unit_link(f.root, UNIT, "/usr/lib/x@.service"), 1);
        assert_int_equal(app_unit_link(f.root, UNIT, "/usr/lib/x@.service"), 0);
        assert_int_equal(app_unit_link(f.root, UNIT, "/usr/lib/y@.service"), -EEXIST);
        assert_int_equal(app_unit_unlink(f.root, UNIT), 1);
        assert_int_equal(app_unit_unlink(f.root, UNIT), 0);
        assert_true(exists(&f, "multi-user.target.wants"));
}

static void a_directory_that_is_not_there_is_an_error_for_writers_alone(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_free_ char *missing = files_path(&f, "missing");

        assert_int_equal(app_unit_set_slice(missing, UNIT, 1000), -ENOENT);
        assert_int_equal(app_unit_link(missing, UNIT, "/x"), -ENOENT);
        assert_int_equal(app_unit_unset_slice(missing, UNIT), 0);
        assert_int_equal(app_unit_unlink(missing, UNIT), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(units_are_named_by_user_or_else_by_uid),
                cmocka_unit_test(the_slice_is_written_once_and_changed_where_it_is_another),
                cmocka_unit_test(what_is_not_ours_stays),
                cmocka_unit_test(a_link_is_made_once_and_never_in_place_of_another),
                cmocka_unit_test(a_directory_that_is_not_there_is_an_error_for_writers_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
