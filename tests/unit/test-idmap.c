/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "confine/idmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BASE 600000U

/* What is shown for a group of the file system's; UINT32_MAX: nothing, it is not mapped. */
static uint32_t shown(const PlanIdMap *map, size_t n, uint32_t gid) {
        for (size_t i = 0; i < n; i++)
                if (gid >= map[i].inside && gid - map[i].inside < map[i].count)
                        return map[i].outside + (gid - map[i].inside);

        return UINT32_MAX;
}

/* As the kernel checks it: no id twice, on neither side. */
static void assert_holds(const PlanIdMap *map, size_t n) {
        size_t size = 0;

        for (size_t i = 0; i < n; i++) {
                assert_true(map[i].count > 0);
                assert_true((uint64_t) map[i].inside + map[i].count <= UINT32_MAX);
                assert_true((uint64_t) map[i].outside + map[i].count <= UINT32_MAX);
                for (size_t k = 0; k < i; k++) {
                        assert_true(map[i].inside >= (uint64_t) map[k].inside + map[k].count ||
                                    map[k].inside >= (uint64_t) map[i].inside + map[i].count);
                        assert_true(map[i].outside >= (uint64_t) map[k].outside + map[k].count ||
                                    map[k].outside >= (uint64_t) map[i].outside + map[i].count);
                }
                size += (size_t) snprintf(
                        NULL, 0, "%u %u %u\n", map[i].inside, map[i].outside, map[i].count);
        }
        assert_true(size < 4096);
}

static void test_every_group_is_known_and_own_ones_are_the_applications(void **state) {
        static const PlanIdMap own[] = { { 3001, 0, 1 }, { 50, 1, 1 }, { 51, 2, 1 }, { 4000000000U, 3, 1 } };
        static const uint32_t others[] = { 0,
                                           1,
                                           49,
                                           52,
                                           60,
                                           3000,
                                           3002,
                                           65534,
                                           65535,
                                           65536,
                                           BASE - 1,
                                           BASE + 4,
                                           700000,
                                           UINT32_C(3999999999),
                                           UINT32_C(4000000001),
                                           UINT32_MAX - 1 };
        _cleanup_free_ PlanIdMap *map = NULL;
        size_t n = 0;

        assert_int_equal(idmap_groups(own, ELEMENTSOF(own), BASE, &map, &n), 0);
        assert_holds(map, n);
        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                assert_int_equal(shown(map, n, own[i].inside), BASE + own[i].outside);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_int_equal(shown(map, n, others[i]), others[i]);
        /* Nothing on disk appears as the application's but what is. */
        for (uint32_t i = 0; i < ELEMENTSOF(own); i++)
                assert_int_equal(shown(map, n, BASE + i), UINT32_MAX);
}

static void test_ids_at_both_ends(void **state) {
        static const PlanIdMap own[] = { { 0, 0, 1 }, { UINT32_MAX - 1, 1, 1 } };
        _cleanup_free_ PlanIdMap *map = NULL;
        size_t n = 0;

        assert_int_equal(idmap_groups(own, ELEMENTSOF(own), BASE, &map, &n), 0);
        assert_holds(map, n);
        assert_int_equal(shown(map, n, 0), BASE);
        assert_int_equal(shown(map, n, 1), 1);
        assert_int_equal(shown(map, n, UINT32_MAX - 1), BASE + 1);
}

static void test_of_many_groups_the_own_ones_come_first(void **state) {
        PlanIdMap own[110];
        _cleanup_free_ PlanIdMap *map = NULL;
        size_t n = 0;

        for (uint32_t i = 0; i < ELEMENTSOF(own); i++)
                own[i] = (PlanIdMap){ UINT32_C(4000000000) + 2 * i, i, 1 };
        assert_int_equal(idmap_groups(own, ELEMENTSOF(own), BASE, &map, &n), 0);
        assert_int_equal(n, IDMAP_RANGES_MAX);
        assert_holds(map, n);
        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                assert_int_equal(shown(map, n, own[i].inside), BASE + i);
        assert_int_equal(shown(map, n, 60), 60);
}

static void test_an_id_that_does_not_exist_is_refused(void **state) {
        static const PlanIdMap own[] = { { 3001, 65535, 2 } };
        PlanIdMap *map = NULL;
        size_t n = 7;

        assert_int_equal(idmap_groups(own, 1, UINT32_MAX - 65536, &map, &n), -ERANGE);
        assert_null(map);
        assert_int_equal(n, 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_group_is_known_and_own_ones_are_the_applications),
                cmocka_unit_test(test_ids_at_both_ends),
                cmocka_unit_test(test_of_many_groups_the_own_ones_come_first),
                cmocka_unit_test(test_an_id_that_does_not_exist_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
