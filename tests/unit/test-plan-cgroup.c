/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

static const char *value_of(const Plan *p, const char *file) {
        for (size_t i = 0; i < p->n_cgroup; i++)
                if (streq(p->cgroup[i].file, file))
                        return p->cgroup[i].value;

        return NULL;
}

static void test_defaults_bound_tasks_and_kill_as_a_whole(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);
        assert_int_equal(f.plan->n_cgroup, 2);
        assert_string_equal(value_of(f.plan, "pids.max"), "512");
        assert_string_equal(value_of(f.plan, "memory.oom.group"), "1");
}

static void test_values_are_written_as_the_kernel_reads_them(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        p->memory_min = 1;
        p->memory_low = 2;
        p->memory_high = 3;
        p->memory_max = 64 << 20;
        p->memory_swap_max = 0;
        p->memory_zswap_max = 0;
        p->cpu_weight = 50;
        p->io_weight = 200;
        p->tasks_max = UINT64_MAX;
        p->terms.oom_policy = OOM_POLICY_CONTINUE;
        set_text(&p->allowed_cpus, "0-3,7");
        set_text(&p->allowed_memory_nodes, "0");
        fixture_must_compile(&f);

        assert_string_equal(value_of(f.plan, "memory.min"), "1");
        assert_string_equal(value_of(f.plan, "memory.max"), "67108864");
        assert_string_equal(value_of(f.plan, "memory.swap.max"), "0");
        assert_string_equal(value_of(f.plan, "memory.zswap.max"), "0");
        assert_string_equal(value_of(f.plan, "cpu.weight"), "50");
        assert_string_equal(value_of(f.plan, "io.weight"), "default 200");
        assert_string_equal(value_of(f.plan, "cpuset.cpus"), "0-3,7");
        assert_string_equal(value_of(f.plan, "cpuset.mems"), "0");
        assert_null(value_of(f.plan, "pids.max"));
        assert_null(value_of(f.plan, "memory.oom.group"));
        assert_null(value_of(f.plan, "cpu.max"));

        for (size_t i = 0; i < f.plan->n_cgroup; i++)
                assert_memory_equal(
                        f.plan->cgroup[i].file, f.plan->cgroup[i].layer, strlen(f.plan->cgroup[i].layer));
}

static void test_cpu_quota_is_quota_and_period(void **state) {
        static const struct {
                uint32_t permyriad;
                const char *value;
        } cases[] = {
                { 10000, "100000 100000" },
                { 25000, "250000 100000" },
                { 100, "1000 100000" },
                { 99, "9900 1000000" },
                { 10, "1000 1000000" },
                { 9, NULL },
                { 0, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                f.profile->cpu_quota = cases[i].permyriad;
                if (cases[i].value) {
                        fixture_must_compile(&f);
                        assert_string_equal(value_of(f.plan, "cpu.max"), cases[i].value);
                } else
                        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "CPUQuota");
        }
}

static void test_io_limits_carry_the_path(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        p->io_limits = calloc(3, sizeof(*p->io_limits));
        assert_non_null(p->io_limits);
        p->n_io_limits = 3;
        p->io_limits[0] = (ProfileIoLimit){ strdup("/dev/vda"), 1048576, UINT64_MAX, UINT64_MAX, 10 };
        p->io_limits[1] = (ProfileIoLimit){ strdup("%h"), UINT64_MAX, 5, UINT64_MAX, UINT64_MAX };
        p->io_limits[2] = (ProfileIoLimit){ strdup("/x"), UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
        fixture_must_compile(&f);
        assert_int_equal(f.plan->n_cgroup, 4);
        assert_string_equal(f.plan->cgroup[2].value, "/dev/vda rbps=1048576 wiops=10");
        assert_string_equal(f.plan->cgroup[3].value, "/home/alice wbps=5");
        assert_string_equal(f.plan->cgroup[3].layer, "io");

        set_text(&p->io_limits[1].path, "/home/a b");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "blank");
}

static void test_degrade_is_the_profiles_and_the_machines(void **state) {
        _cleanup_fixture_ Fixture f = {};
        char *machine[] = { (char *) "pids", (char *) "io", NULL };
        char *wrong[] = { (char *) "everything", NULL };

        fixture_init(&f);
        set_words(&f.profile->degrade, "memory pids");
        f.context.degrade = machine;
        fixture_must_compile(&f);
        assert_int_equal(strv_length(f.plan->degrade), 3);
        assert_true(strv_contains(f.plan->degrade, "io"));

        f.context.degrade = wrong;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "everything");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults_bound_tasks_and_kill_as_a_whole),
                cmocka_unit_test(test_values_are_written_as_the_kernel_reads_them),
                cmocka_unit_test(test_cpu_quota_is_quota_and_period),
                cmocka_unit_test(test_io_limits_carry_the_path),
                cmocka_unit_test(test_degrade_is_the_profiles_and_the_machines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
