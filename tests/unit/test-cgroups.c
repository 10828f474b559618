/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/cgroups.h"

#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static void keepers_lie_where_systemd_would_put_them(void **state) {
        _cleanup_free_ char *path = NULL;

        assert_int_equal(cgroup_path_for_keeper("/c", 1000, &path), 0);
        assert_string_equal(path, "/c/immured.slice/immured-1000.slice/immured-user@1000.service");
}

/* The rest on a directory that only looks like a group: what counts is which files are read and which go away. */
static char *directory;

static int set_up(void **state) {
        char template[] = "/tmp/test-cgroups-XXXXXX";

        directory = strdup(mkdtemp(template));
        return directory ? 0 : -1;
}

static int tear_down(void **state) {
        assert_int_equal(rmdir(directory), 0);
        free(directory);
        return 0;
}

static void put(const char *name, const char *text) {
        _cleanup_free_ char *path = text_printf("%s/%s", directory, name);
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        (void) fputs(text, f);
        assert_int_equal(fclose(f), 0);
}

static void drop(const char *name) {
        _cleanup_free_ char *path = text_printf("%s/%s", directory, name);

        assert_int_equal(unlink(path), 0);
}

static void numbers_are_read_by_name(void **state) {
        uint64_t value = 7;

        put("memory.current", "4096\n");
        put("cpu.stat", "usage_usec_total 1\nusage_usec 23\nuser_usec 5\n");
        put("pids.current", "max\n");

        assert_int_equal(cgroup_read_u64(directory, "", "memory.current", NULL, &value), 0);
        assert_int_equal(value, 4096);
        assert_int_equal(cgroup_read_u64(directory, "", "cpu.stat", "usage_usec", &value), 0);
        assert_int_equal(value, 23);
        assert_int_equal(cgroup_read_u64(directory, "", "cpu.stat", "nr_periods", &value), -ENODATA);
        assert_true(cgroup_read_u64(directory, "", "pids.current", NULL, &value) < 0);
        assert_int_equal(cgroup_read_u64(directory, "", "memory.peak", NULL, &value), -ENOENT);
        assert_int_equal(value, 23);

        drop("memory.current");
        drop("cpu.stat");
        drop("pids.current");
}

static void numbers_of_devices_are_added_up(void **state) {
        uint64_t value = 7;

        put("io.stat", "8:0 rbytes=100 wbytes=1 rios=3\n8:16 rbytes=11 wbytes=2 rios=1\n252:0 \n");

        assert_int_equal(cgroup_sum_u64(directory, "", "io.stat", "rbytes", &value), 0);
        assert_int_equal(value, 111);
        assert_int_equal(cgroup_sum_u64(directory, "", "io.stat", "wbytes", &value), 0);
        assert_int_equal(value, 3);
        assert_int_equal(cgroup_sum_u64(directory, "", "io.stat", "dbytes", &value), -ENODATA);
        put("io.stat", "8:0 rbytes=18446744073709551615\n8:16 rbytes=1\n");
        assert_int_equal(cgroup_sum_u64(directory, "", "io.stat", "rbytes", &value), -ERANGE);
        assert_int_equal(value, 3);

        drop("io.stat");
}

static void what_is_empty_is_cleared_away(void **state) {
        static const char *const below[] = { "keeper", "web.1", "web.2" };
        _cleanup_free_ char *path = NULL;
        int dir;

        dir = cgroup_make_for_keeper(directory, 3001);
        assert_true(dir >= 0);
        assert_int_equal(cgroup_path_for_keeper(directory, 3001, &path), 0);
        for (size_t i = 0; i < ELEMENTSOF(below); i++)
                assert_int_equal(mkdirat(dir, below[i], 0755), 0);
        (void) close(dir);
        assert_false(cgroup_has_processes(path, "keeper"));

        assert_int_equal(cgroup_clear(path), 0);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(cgroup_clear(path), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keepers_lie_where_systemd_would_put_them),
                cmocka_unit_test(numbers_are_read_by_name),
                cmocka_unit_test(numbers_of_devices_are_added_up),
                cmocka_unit_test(what_is_empty_is_cleared_away),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
