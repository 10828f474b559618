/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/cgroup.h"

#include "base/fd.h"
#include "base/strv.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static void the_slice_of_a_user_is_recognised(void **state) {
        static const struct {
                const char *path;
                int r;
                uid_t uid;
        } cases[] = {
                { "/immured.slice/immured-1000.slice/immured-user@1000.service", 0, 1000 },
                { "/a/immured-0.slice/x", 0, 0 },
                { "/immured.slice/immured-user@1000.service", -ENOENT, 7 },
                { "/immured-1000.slice", -ENOENT, 7 },
                { "/immured-1000.slice/a/b", -ENOENT, 7 },
                { "/immured-.slice/x", -ENOENT, 7 },
                { "/immured-10x.slice/x", -ENOENT, 7 },
                { "/immured-10.slicex/x", -ENOENT, 7 },
                { "/immured-4294967296.slice/x", -ENOENT, 7 },
                { "/immured-00000000000000001000.slice/x", -ENOENT, 7 },
                { "/ximmured-10.slice/x", -ENOENT, 7 },
                { "/", -ENOENT, 7 },
                { "x", -ENOENT, 7 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uid_t uid = 7;

                if (cgroup_slice_uid(cases[i].path, &uid) != cases[i].r || uid != cases[i].uid)
                        fail_msg("%s", cases[i].path);
        }
}

/* Plain files stand for the kernel's: what is written is what is read back. */
typedef struct Directory {
        char path[32];
        int fd;
} Directory;

static void directory_init(Directory *d) {
        *d = (Directory){ .path = "/tmp/test-cgroup-XXXXXX" };
        assert_non_null(mkdtemp(d->path));
        d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(d->fd >= 0);
}

static const char *const files[] = { "memory.max",    "pids.max",    "memory.events",        "cgroup.events",
                                     "cgroup.freeze", "cpuset.cpus", "cpuset.cpus.effective" };

static void directory_done(Directory *d) {
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlinkat(d->fd, files[i], 0);
        (void) close(d->fd);
        assert_int_equal(rmdir(d->path), 0);
}

static void put_file(const Directory *d, const char *name, const char *text) {
        _cleanup_close_ int fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
}

static PlanCgroupValue values[] = {
        { (char *) "memory.max", (char *) "4096", (char *) "memory" },
        { (char *) "pids.max", (char *) "512", (char *) "pids" },
};
static char *degrade_memory[] = { (char *) "memory", NULL };

static void what_is_written_is_enforced(void **state) {
        _cleanup_(directory_done) Directory d = {};
        _cleanup_strv_ char **layers = NULL;
        CgroupUnit unit = { .fd = -EBADF, .path = (char *) "/test", .controllers = 3 };
        Plan plan = { .cgroup = values, .n_cgroup = ELEMENTSOF(values) };
        _cleanup_free_ char *text = NULL, *written = NULL;

        directory_init(&d);
        put_file(&d, "memory.max", "");
        put_file(&d, "pids.max", "");
        assert_int_equal(cgroup_apply(&unit, d.fd, &plan, &layers, &text), 0);
        assert_null(text);
        assert_int_equal(strv_length(layers), 2);
        assert_string_equal(layers[0], "memory");
        assert_string_equal(layers[1], "pids");
        assert_int_equal(file_read_line(d.fd, "pids.max", &written), 0);
        assert_string_equal(written, "512");
}

/* With a slice that has none of the CPUs, for one. */
static void a_set_of_which_nothing_can_be_had_is_refused(void **state) {
        static const struct {
                const char *effective;
                int r;
        } cases[] = { { "2-3\n", 0 }, { "3\n", 0 }, { "0-1\n", -EBADE }, { "0-3\n", -EBADE } };
        PlanCgroupValue cpus = { (char *) "cpuset.cpus", (char *) "2-3", (char *) "cpuset" };
        CgroupUnit unit = { .fd = -EBADF, .path = (char *) "/test", .controllers = 31 };
        Plan plan = { .cgroup = &cpus, .n_cgroup = 1 };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(directory_done) Directory d = {};
                _cleanup_strv_ char **layers = NULL;
                _cleanup_free_ char *text = NULL;

                directory_init(&d);
                put_file(&d, "cpuset.cpus", "");
                put_file(&d, "cpuset.cpus.effective", cases[i].effective);
                assert_int_equal(cgroup_apply(&unit, d.fd, &plan, &layers, &text), cases[i].r);
                assert_int_equal(strv_length(layers), cases[i].r == 0);
        }
}

static void a_missing_controller_is_named(void **state) {
        _cleanup_(directory_done) Directory d = {};
        CgroupUnit unit = { .fd = -EBADF, .path = (char *) "/test", .controllers = 2 };
        Plan plan = { .cgroup = values, .n_cgroup = ELEMENTSOF(values) };
        _cleanup_strv_ char **layers = NULL;
        _cleanup_free_ char *text = NULL;

        directory_init(&d);
        put_file(&d, "pids.max", "");
        assert_int_equal(cgroup_apply(&unit, d.fd, &plan, &layers, &text), -EOPNOTSUPP);
        assert_string_equal(text, "memory: the controller is not available in /test");
        assert_null(layers);

        /* Not there at all, or without this file, is the same to the admin who said Degrade=. */
        plan.degrade = degrade_memory;
        free(text);
        text = NULL;
        assert_int_equal(cgroup_apply(&unit, d.fd, &plan, &layers, &text), 0);
        assert_null(text);
        assert_int_equal(strv_length(layers), 1);
        assert_string_equal(layers[0], "pids");

        layers = strv_free(layers);
        unit.controllers = 3;
        assert_int_equal(cgroup_apply(&unit, d.fd, &plan, &layers, &text), 0);
        assert_int_equal(strv_length(layers), 1);
}

static void a_value_that_leaves_the_cgroup_is_refused(void **state) {
        static const struct {
                const char *file, *layer;
        } cases[] = {
                { "../memory.max", "memory" }, { "memory/../x", "memory" },
                { "memory", "memory" },        { "cgroup.procs", "memory" },
                { "pids.max", "memory" },      { "memory.Max", "memory" },
                { "cgroup.kill", "cgroup" },   { ".max", "" },
        };
        CgroupUnit unit = { .fd = -EBADF, .path = (char *) "/test", .controllers = 31 };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                PlanCgroupValue value = { (char *) cases[i].file, (char *) "1", (char *) cases[i].layer };
                Plan plan = { .cgroup = &value, .n_cgroup = 1 };
                _cleanup_free_ char *text = NULL;
                char **layers = NULL;

                assert_int_equal(cgroup_apply(&unit, -EBADF, &plan, &layers, &text), -EINVAL);
                assert_null(layers);
        }
}

static void assert_holds(const Directory *d, const char *file, const char *value) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(file_read_line(d->fd, file, &text), 0);
        assert_string_equal(text, value);
}

/* The last one that is asked for fails: a controller that is missing, a value that leads out of the cgroup. */
static void changes_are_made_together_or_not_at_all(void **state) {
        CgroupUnit unit = { .fd = -EBADF, .path = (char *) "/test", .controllers = 3 };
        const struct {
                PlanCgroupValue last;
                int error;
        } cases[] = {
                { { (char *) "pids.max", (char *) "777", (char *) "pids" }, 0 },
                { { (char *) "cpu.max", (char *) "1 1", (char *) "cpu" }, -EOPNOTSUPP },
                { { (char *) "pids.none", (char *) "1", (char *) "pids" }, -EOPNOTSUPP },
                { { (char *) "pids./x", (char *) "1", (char *) "pids" }, -EINVAL },
                { { (char *) "pids.max", (char *) "7", (char *) "pids" }, -EBADE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const PlanCgroupValue changes[] = { values[0], cases[i].last };
                _cleanup_(directory_done) Directory d = {};
                _cleanup_free_ char *text = NULL;

                directory_init(&d);
                put_file(&d, "memory.max", "8192");
                put_file(&d, "pids.max", "512");
                assert_int_equal(cgroup_change(&unit, d.fd, changes, ELEMENTSOF(changes), &text),
                                 cases[i].error);
                assert_int_equal(text != NULL, cases[i].error < 0);
                assert_holds(&d, "memory.max", cases[i].error < 0 ? "8192" : "4096");
                assert_holds(&d, "pids.max", cases[i].error < 0 ? "512" : "777");
        }
}

static void frozen_is_what_the_kernel_says(void **state) {
        _cleanup_(directory_done) Directory d = {};

        directory_init(&d);
        assert_false(cgroup_is_frozen(d.fd));
        put_file(&d, "cgroup.events", "populated 1\nfrozen 0\n");
        assert_false(cgroup_is_frozen(d.fd));
        put_file(&d, "cgroup.events", "populated 1\nfrozen 1\n");
        assert_true(cgroup_is_frozen(d.fd));
        assert_int_equal(cgroup_freeze(d.fd, true), -ENOENT);
        put_file(&d, "cgroup.freeze", "0");
        assert_int_equal(cgroup_freeze(d.fd, true), 0);
        assert_holds(&d, "cgroup.freeze", "1");
}

static void oom_kills_are_counted(void **state) {
        _cleanup_(directory_done) Directory d = {};

        directory_init(&d);
        assert_int_equal(cgroup_oom_kills(d.fd), 0);
        put_file(&d, "memory.events", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 1\n");
        assert_int_equal(cgroup_oom_kills(d.fd), 3);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_slice_of_a_user_is_recognised),
                cmocka_unit_test(what_is_written_is_enforced),
                cmocka_unit_test(a_set_of_which_nothing_can_be_had_is_refused),
                cmocka_unit_test(a_missing_controller_is_named),
                cmocka_unit_test(a_value_that_leaves_the_cgroup_is_refused),
                cmocka_unit_test(changes_are_made_together_or_not_at_all),
                cmocka_unit_test(frozen_is_what_the_kernel_says),
                cmocka_unit_test(oom_kills_are_counted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
