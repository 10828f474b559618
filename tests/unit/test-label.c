/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/label.h"
#include "files-fixture.h"

#include "base/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A directory that plays /proc/self/attr, or the root of a host: what is written there is said back as it was. */
static int open_directory(const Files *f, const char *name) {
        _cleanup_free_ char *path = files_path(f, name);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void assert_content(const Files *f, const char *name, const char *expected) {
        _cleanup_free_ char *path = files_path(f, name), *text = NULL;

        assert_int_equal(file_read_full(AT_FDCWD, path, 4096, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void plans_have_both_kinds(void **state) {
        const Plan none = {},
                   both = { .apparmor_profile = (char *) "web", .selinux_context = (char *) "a:b:c" };

        assert_null(label_of(&none, LABEL_APPARMOR));
        assert_null(label_of(&none, LABEL_SELINUX));
        assert_string_equal(label_of(&both, LABEL_APPARMOR), "web");
        assert_string_equal(label_of(&both, LABEL_SELINUX), "a:b:c");
        assert_string_equal(label_layer(LABEL_APPARMOR), "apparmor");
        assert_string_equal(label_layer(LABEL_SELINUX), "selinux");
}

static void a_module_has_to_be_there_and_enforce(void **state) {
        static const struct {
                LabelKind kind;
                const char *file, *text;
                bool enforced;
        } cases[] = {
                { LABEL_APPARMOR, "sys/module/apparmor/parameters/enabled", "Y\n", true },
                { LABEL_APPARMOR, "sys/module/apparmor/parameters/enabled", "N\n", false },
                { LABEL_APPARMOR, "sys/module/apparmor/parameters/enabled", "", false },
                { LABEL_APPARMOR, "sys/elsewhere", "Y\n", false },
                { LABEL_SELINUX, "sys/fs/selinux/enforce", "1", true },
                { LABEL_SELINUX, "sys/fs/selinux/enforce", "0", false },
                { LABEL_SELINUX, "sys/fs/elsewhere", "1", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_close_ int root_fd = -EBADF;

                files_write(&f, cases[i].file, cases[i].text);
                root_fd = open_directory(&f, ".");
                assert_int_equal(label_is_enforced(cases[i].kind, root_fd), cases[i].enforced);
        }
}

/* Each file in the form that its module reads, and only the one that is there. */
static void labels_are_asked_for(void **state) {
        _cleanup_close_ int stacked = -EBADF, alone = -EBADF, none = -EBADF;
        _cleanup_files_ Files f = files_new();
        Problem problem = {};

        files_write(&f, "stacked/apparmor/exec", "");
        files_write(&f, "stacked/exec", "");
        files_write(&f, "alone/exec", "");
        files_make_directory(&f, "none");
        stacked = open_directory(&f, "stacked");
        alone = open_directory(&f, "alone");
        none = open_directory(&f, "none");

        assert_int_equal(label_set(LABEL_APPARMOR, stacked, "web", &problem), 0);
        assert_content(&f, "stacked/apparmor/exec", "exec web");
        assert_content(&f, "stacked/exec", "");
        assert_int_equal(label_set(LABEL_SELINUX, stacked, "a:b:c", &problem), 0);
        assert_content(&f, "stacked/exec", "a:b:c");
        assert_int_equal(label_set(LABEL_APPARMOR, alone, "web", &problem), 0);
        assert_content(&f, "alone/exec", "exec web");
        assert_int_equal(problem.error, 0);

        assert_int_equal(label_set(LABEL_APPARMOR, none, "web", &problem), -ENOENT);
        assert_int_equal(problem.failure, LAUNCH_FAILURE_LAYER);
        assert_non_null(startswith(problem.text, "apparmor: "));

        problem = (Problem){};
        assert_int_equal(label_set(LABEL_SELINUX, none, "a:b:c", &problem), -ENOENT);
        assert_int_equal(problem.failure, LAUNCH_FAILURE_LAYER);
        assert_non_null(startswith(problem.text, "selinux: "));
}

static void what_is_read_back_must_enforce_that_label(void **state) {
        static const struct {
                LabelKind kind;
                const char *found, *label;
                bool matches;
        } cases[] = {
                { LABEL_APPARMOR, "web (enforce)\n", "web", true },
                { LABEL_APPARMOR, "web (kill)\n", "web", true },
                { LABEL_APPARMOR, "web (complain)\n", "web", false },
                { LABEL_APPARMOR, "web (unconfined)\n", "web", false },
                { LABEL_APPARMOR, "web (enforce) more\n", "web", false },
                { LABEL_APPARMOR, "web\n", "web", false },
                { LABEL_APPARMOR, "website (enforce)\n", "web", false },
                { LABEL_APPARMOR, "we (enforce)\n", "web", false },
                { LABEL_APPARMOR, "unconfined\n", "web", false },
                { LABEL_APPARMOR, "", "web", false },
                { LABEL_SELINUX, "a:b:c", "a:b:c", true },
                { LABEL_SELINUX, "a:b:c\n", "a:b:c", true },
                { LABEL_SELINUX, "a:b:c:s0", "a:b:c", false },
                { LABEL_SELINUX, "a:b", "a:b:c", false },
                { LABEL_SELINUX, "", "a:b:c", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_close_ int fd = -EBADF;
                Problem problem = {};
                int r;

                files_write(&f, "exec", cases[i].found);
                fd = open_directory(&f, ".");
                r = label_check(cases[i].kind, fd, cases[i].label, &problem);
                if (cases[i].matches ? r != 0 : problem.failure != LAUNCH_FAILURE_VERIFICATION || r >= 0)
                        fail_msg("\"%s\" for %s", cases[i].found, cases[i].label);
        }
}

static void nothing_to_read_back_is_a_difference(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_close_ int fd = open_directory(&f, ".");
        Problem problem = {};

        assert_true(label_check(LABEL_SELINUX, fd, "a:b:c", &problem) < 0);
        assert_int_equal(problem.failure, LAUNCH_FAILURE_VERIFICATION);
}

static void the_kernels_own_directory_is_opened(void **state) {
        _cleanup_close_ int fd = -EBADF;
        Problem problem = {};

        fd = label_open(&problem);
        if (fd < 0)
                assert_int_equal(fd, -ENOENT);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(plans_have_both_kinds),
                cmocka_unit_test(a_module_has_to_be_there_and_enforce),
                cmocka_unit_test(labels_are_asked_for),
                cmocka_unit_test(what_is_read_back_must_enforce_that_label),
                cmocka_unit_test(nothing_to_read_back_is_a_difference),
                cmocka_unit_test(the_kernels_own_directory_is_opened),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
