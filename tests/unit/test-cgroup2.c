/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cgroup2.h"

#include "base/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_hierarchy_is_found_in_every_layout(void **state) {
        static const struct {
                const char *mountinfo, *group, *directory;
        } cases[] = {
                { "25 30 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
                  "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
                  "/immured.slice/x",
                  "/sys/fs/cgroup/immured.slice/x" },
                { "30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                  "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                  "32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n",
                  "/",
                  "/sys/fs/cgroup/unified" },
                { "32 30 0:28 / / rw - cgroup2 cgroup2 rw", "/x", "/x" },
                { "32 30 0:28 /a /mnt rw - cgroup2 cgroup2 rw\n", "/a/b", "/mnt/b" },
                { "32 30 0:28 /a /mnt rw - cgroup2 cgroup2 rw\n33 30 0:28 / /all rw - cgroup2 c rw\n",
                  "/ab",
                  "/all/ab" },
                { "32 30 0:28 / /my\\040mount rw shared:1 master:2 - cgroup2 none rw", "/x", "/my mount/x" },
                { "32 30 0:28 /../.. /ns rw - cgroup2 cgroup2 rw\n", "/x", NULL },
                { "32 30 0:28 /a /mnt rw - cgroup2 cgroup2 rw\n", "/b", NULL },
                { "29 23 0:26 / /x rw - tmpfs cgroup2 rw\n", "/", NULL },
                { "36 25 - cgroup2 none rw / /x\n", "/", NULL },
                { "cgroup2", "/", NULL },
                { "a - cgroup2 b", "/", NULL },
                { "", "/", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *directory = NULL;

                assert_int_equal(cgroup2_directory(cases[i].mountinfo, cases[i].group, &directory),
                                 cases[i].directory ? 0 : -ENOMEDIUM);
                if (cases[i].directory)
                        assert_string_equal(directory, cases[i].directory);
                else
                        assert_null(directory);
        }
}

static void every_mount_comes_once(void **state) {
        char text[] = "32 30 0:28 /a /one rw - cgroup2 c rw\n1 2 0:3 / /proc rw - proc p rw\n"
                      "33 30 0:28 / /two rw - cgroup2 c rw\n";
        char *rest = text;
        Cgroup2Mount mount;

        assert_true(cgroup2_next_mount(&rest, &mount));
        assert_string_equal(mount.root, "/a");
        assert_string_equal(mount.point, "/one");
        assert_true(cgroup2_next_mount(&rest, &mount));
        assert_string_equal(mount.point, "/two");
        assert_false(cgroup2_next_mount(&rest, &mount));
        assert_string_equal(mount.point, "/two");
}

static void a_group_is_the_line_of_no_controller(void **state) {
        static const struct {
                const char *text, *group;
        } cases[] = {
                { "0::/\n", "/" },
                { "0::/immured.slice/x\n", "/immured.slice/x" },
                { "12:pids:/p\n1:name=systemd:/s\n0::/user.slice\n", "/user.slice" },
                { "12:pids:/0::/x\n", NULL },
                { "10::/x\n", NULL },
                { "0::/../x\n", NULL },
                { "0::\n", NULL },
                { "", NULL },
        };
        _cleanup_free_ char *own = NULL;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *group = NULL;

                assert_int_equal(cgroup2_group_in(cases[i].text, &group), cases[i].group ? 0 : -ENOMEDIUM);
                if (cases[i].group)
                        assert_string_equal(group, cases[i].group);
                else
                        assert_null(group);
        }

        if (cgroup2_own_group(&own) >= 0) {
                _cleanup_free_ char *text = NULL;

                assert_int_equal(file_read_full(AT_FDCWD, "/proc/self/cgroup", 65536, &text, NULL), 0);
                assert_non_null(strstr(text, own));
        }
}

static void counts_are_found_by_their_whole_name(void **state) {
        static const struct {
                const char *text, *name;
                bool found;
                uint64_t n;
        } cases[] = {
                { "oom 1\noom_kill 2\n", "oom", true, 1 },
                { "oom 1\noom_kill 2\n", "oom_kill", true, 2 },
                { "oom 1\noom_kill 2", "oom_kill", true, 2 },
                { "oom 1\noom_kill 2\n", "kill", false, 0 },
                { "oom 1\noom_kill 2\n", "oo", false, 0 },
                { "max 18446744073709551615\n", "max", true, UINT64_MAX },
                { "max max\n", "max", false, 0 },
                { "max \n", "max", false, 0 },
                { "max 0000000000000000000000000000000000001\n", "max", false, 0 },
                { "\n\nmax 3\n", "max", true, 3 },
                { "", "max", false, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t n = 77;

                assert_int_equal(cgroup2_find_count(cases[i].text, cases[i].name, &n), cases[i].found);
                assert_true(n == (cases[i].found ? cases[i].n : 77));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_hierarchy_is_found_in_every_layout),
                cmocka_unit_test(every_mount_comes_once),
                cmocka_unit_test(a_group_is_the_line_of_no_controller),
                cmocka_unit_test(counts_are_found_by_their_whole_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
