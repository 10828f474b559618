/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/fault-level.h"

#include "files-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int open_root(const Files *f) {
        int fd = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void every_count_is_read_from_its_file(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_close_ int fd = open_root(&f);
        LevelCounts c;

        files_write(
                &f, "memory.events.local", "low 9\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 8\n");
        files_write(&f, "pids.events", "max 50\n");
        files_write(&f, "pids.events.local", "max 5\n");
        files_write(&f,
                    "cpu.stat",
                    "usage_usec 77\nnr_periods 70\nnr_throttled 6\nthrottled_usec 7\nnr_bursts 0\n");

        c = level_read(fd);
        assert_int_equal(c.memory_high, 1);
        assert_int_equal(c.memory_max, 2);
        assert_int_equal(c.oom, 3);
        assert_int_equal(c.oom_kills, 4);
        assert_int_equal(c.tasks_max, 5);
        assert_int_equal(c.throttled, 6);
        assert_int_equal(c.throttled_usec, 7);
        assert_true(level_knows_whose_tasks(fd));
}

static void what_is_missing_or_odd_counts_nothing(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_close_ int fd = open_root(&f);
        LevelCounts c;

        c = level_read(fd);
        assert_int_equal(c.oom_kills, 0);
        assert_int_equal(c.tasks_max, 0);
        assert_false(level_has_quota(fd));
        assert_false(level_knows_whose_tasks(fd));
        assert_true(level_tasks_left(fd) == UINT64_MAX);

        files_write(&f,
                    "memory.events.local",
                    "oom_kill\noom x\nmaximum 4\nhigh 123456789012345678901234567890\n");
        files_write(&f, "pids.events", "max 3");
        c = level_read(fd);
        assert_int_equal(c.oom_kills, 0);
        assert_int_equal(c.oom, 0);
        assert_int_equal(c.memory_max, 0);
        assert_int_equal(c.memory_high, 0);
        assert_int_equal(c.tasks_max, 3);
}

static void amounts_come_with_their_limits(void **state) {
        static const struct {
                FaultResource resource;
                uint64_t value, limit;
        } cases[] = {
                { FAULT_OOM, 6000, 5000 }, { FAULT_MEMORY_MAX, 4000, 5000 }, { FAULT_MEMORY_HIGH, 4000, 0 },
                { FAULT_TASKS_MAX, 7, 8 }, { FAULT_CPU_QUOTA, 0, 500000 },
        };
        _cleanup_files_ Files f = files_new();
        _cleanup_close_ int fd = open_root(&f);

        files_write(&f, "memory.current", "4000\n");
        files_write(&f, "memory.peak", "6000\n");
        files_write(&f, "memory.max", "5000\n");
        files_write(&f, "memory.high", "max\n");
        files_write(&f, "pids.current", "7\n");
        files_write(&f, "pids.max", "8\n");
        files_write(&f, "cpu.max", "50000 100000\n");

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value, limit;

                level_amounts(fd, cases[i].resource, &value, &limit);
                assert_int_equal(value, cases[i].value);
                assert_int_equal(limit, cases[i].limit);
        }
        assert_true(level_has_quota(fd));
        assert_int_equal(level_tasks_left(fd), 1);
}

static void no_quota_is_none(void **state) {
        static const char *const texts[] = {
                "max 100000\n", "5000 0\n", "5000\n", "", "18446744073709551615 1\n"
        };
        _cleanup_files_ Files f = files_new();
        _cleanup_close_ int fd = open_root(&f);

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                files_write(&f, "cpu.max", texts[i]);
                assert_false(level_has_quota(fd));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_count_is_read_from_its_file),
                cmocka_unit_test(what_is_missing_or_odd_counts_nothing),
                cmocka_unit_test(amounts_come_with_their_limits),
                cmocka_unit_test(no_quota_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
