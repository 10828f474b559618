/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/cgroup-value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void a_value_is_recognised_as_the_kernel_writes_it(void **state) {
        static const struct {
                const char *file, *wanted, *text;
                bool matches;
        } cases[] = {
                { "memory.max", "67108864", "67108864", true },
                { "memory.max", "67108865", "67108864", true },
                { "memory.max", "67108864", "67112960", false },
                { "memory.max", "67108864", "max", false },
                { "memory.max", "max", "max", true },
                { "memory.max", "max", "67108864", false },
                { "memory.oom.group", "1", "1", true },
                { "memory.oom.group", "1", "0", false },
                { "pids.max", "512", "512", true },
                { "pids.max", "512", "511", false },
                { "cpu.max", "50000 100000", "50000 100000", true },
                { "cpu.max", "50000 100000", "max 100000", false },
                { "cpu.weight", "100", "100", true },
                { "cpuset.cpus", "0-3,5", "0-3,5", true },
                { "cpuset.cpus", "0-3,5", "", false },
                { "io.weight", "100", "default 100", true },
                { "io.weight", "default 100", "default 100", true },
                { "io.weight", "100", "default 50", false },
                { "io.max", "8:0 rbps=1", "8:0 rbps=1 wbps=max riops=max wiops=max", true },
                { "io.max",
                  "8:0 wbps=2 rbps=1",
                  "8:16 rbps=9\n8:0 rbps=1 wbps=2 riops=max wiops=max",
                  true },
                { "io.max", "8:0 rbps=1", "8:16 rbps=1 wbps=max riops=max wiops=max", false },
                { "io.max", "8:0 rbps=1", "8:0 rbps=10 wbps=max riops=max wiops=max", false },
                { "io.max", "8:0 rbps=1", "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (cgroup_value_matches(cases[i].file, cases[i].wanted, cases[i].text) != cases[i].matches)
                        fail_msg("%s: \"%s\" and \"%s\"", cases[i].file, cases[i].wanted, cases[i].text);
}

static void a_set_is_within_another_or_not(void **state) {
        static const struct {
                const char *set, *allowed;
                bool is;
        } cases[] = {
                { "0", "0", true },          { "0-3", "0-3", true },     { "1-2", "0-3", true },
                { "0,2", "0-2", true },      { "0-1,5", "0-3,5", true }, { "7", "0-3,5-9", true },
                { "0-3", "1", false },       { "0-3", "0-2", false },    { "0,4", "0-3", false },
                { "3-5", "0-3,5-9", false }, { "", "0", false },         { "0", "", false },
                { "x", "0-3", false },       { "0-", "0-3", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (cgroup_set_is_within(cases[i].set, cases[i].allowed) != cases[i].is)
                        fail_msg("\"%s\" in \"%s\"", cases[i].set, cases[i].allowed);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_value_is_recognised_as_the_kernel_writes_it),
                cmocka_unit_test(a_set_is_within_another_or_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
