/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/live-limit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void limits_are_what_the_kernel_wants(void **state) {
        static const struct {
                const char *key, *text, *file, *layer, *value;
        } cases[] = {
                { "MemoryMax", "64M", "memory.max", "memory", "67108864" },
                { "MemoryMax", "infinity", "memory.max", "memory", "max" },
                { "MemoryMin", "4096", "memory.min", "memory", "4096" },
                { "MemoryLow", "1G", "memory.low", "memory", "1073741824" },
                { "MemoryHigh", "8K", "memory.high", "memory", "8192" },
                { "MemorySwapMax", "0", "memory.swap.max", "memory", "0" },
                { "MemoryZSwapMax", "0", "memory.zswap.max", "memory", "0" },
                { "TasksMax", "17", "pids.max", "pids", "17" },
                { "TasksMax", "infinity", "pids.max", "pids", "max" },
                { "CPUWeight", "10000", "cpu.weight", "cpu", "10000" },
                { "CPUQuota", "50%", "cpu.max", "cpu", "50000 100000" },
                { "CPUQuota", "1%", "cpu.max", "cpu", "1000 100000" },
                { "IOWeight", "1", "io.weight", "io", "default 1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                LiveLimit limit = {};

                if (live_limit_parse(cases[i].key, cases[i].text, &limit) != 0)
                        fail_msg("%s=%s", cases[i].key, cases[i].text);
                assert_string_equal(limit.file, cases[i].file);
                assert_string_equal(limit.layer, cases[i].layer);
                assert_string_equal(limit.value, cases[i].value);
        }
}

static void everything_else_is_refused(void **state) {
        static const struct {
                const char *key, *text;
                int error;
        } cases[] = {
                { "AllowedCPUs", "0", -ENOENT },
                { "OOMPolicy", "stop", -ENOENT },
                { "IOReadBandwidthMax", "/dev/vda 1M", -ENOENT },
                { "memory.max", "1", -ENOENT },
                { "", "", -ENOENT },
                { "MemoryMax", "", -EINVAL },
                { "MemoryMax", "64Q", -EINVAL },
                { "MemoryMax", "64\n65", -EINVAL },
                { "CPUWeight", "0", -ERANGE },
                { "CPUWeight", "10001", -ERANGE },
                { "CPUWeight", "infinity", -ERANGE },
                { "CPUQuota", "0.01%", -ERANGE },
                { "CPUQuota", "", -EINVAL },
                { "TasksMax", "0", -ERANGE },
                { "MemoryHigh", "1K", -ERANGE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                LiveLimit limit = { .value = "before" };
                int r = live_limit_parse(cases[i].key, cases[i].text, &limit);

                if (r != cases[i].error)
                        fail_msg("%s=%s: %d", cases[i].key, cases[i].text, r);
                assert_string_equal(limit.value, "before");
                assert_null(limit.file);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(limits_are_what_the_kernel_wants),
                cmocka_unit_test(everything_else_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
