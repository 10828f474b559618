/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "keeper/parts/io-device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static void test_what_is_no_limit_of_a_disk_is_refused(void **state) {
        static const struct {
                const char *value;
                int error;
        } cases[] = {
                { "", -EINVAL },
                { "/dev/null", -EINVAL },
                { "8:0 rbps=1", -EINVAL },
                { "/nonexistent/disk rbps=1", -ENOENT },
                { "/proc/self rbps=1", -ENODEV },
        };
        char *resolved = NULL;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(io_limit_resolve(cases[i].value, &resolved), cases[i].error);
                assert_null(resolved);
        }
}

static void test_a_disk_is_its_number(void **state) {
        char directory[] = "/tmp/immured-test-XXXXXX", node[64], value[128];
        _cleanup_free_ char *resolved = NULL;
        int r;

        assert_non_null(mkdtemp(directory));
        (void) snprintf(node, sizeof(node), "%s/disk", directory);
        (void) snprintf(value, sizeof(value), "%s rbps=1048576 wiops=max", node);

        /* A number for local use, behind which no partition can be. */
        r = mknod(node, S_IFBLK | 0600, makedev(240, 77));
        if (r < 0) {
                (void) rmdir(directory);
                skip();
        }

        r = io_limit_resolve(value, &resolved);
        (void) unlink(node);
        (void) rmdir(directory);
        assert_int_equal(r, 0);
        assert_string_equal(resolved, "240:77 rbps=1048576 wiops=max");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_no_limit_of_a_disk_is_refused),
                cmocka_unit_test(test_a_disk_is_its_number),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
